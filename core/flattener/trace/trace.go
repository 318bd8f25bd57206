package trace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/reader"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Options are what reading may be told. The zero value will do.
type Options struct {
	// OnDamage, if not nil, is called for each damage of a trace, one call at a time, from goroutines of the reader.
	// What is damaged is skipped.
	OnDamage func(codec.Damage)
}

// errNone says that a directory is of no use.
var errNone = errors.New("no traces in it")

// Files returns the traces that a path stands for: itself, or those in the directory, in the order of [codec.List].
func Files(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open trace: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	traces, _, err := codec.List(path)
	if err == nil && len(traces) == 0 {
		err = fmt.Errorf("open directory %s: %w", path, errNone)
	}
	return traces, err
}

// Batches yields the rows of a trace, in order. A batch and its rows are valid until the loop goes on; nobody but the
// iterator releases it. An error comes last, without a batch: the trace cannot be read, or ctx has ended.
func Batches(ctx context.Context, path string, opts Options) iter.Seq2[*flattener.Batch, error] {
	return func(yield func(*flattener.Batch, error) bool) {
		if err := read(ctx, path, opts, yield); err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	}
}

// Rows yields the rows of a trace, in order. A row is valid until the loop goes on. Errors are as those of [Batches].
func Rows(ctx context.Context, path string, opts Options) iter.Seq2[*sfgo.FlatRecord, error] {
	return func(yield func(*sfgo.FlatRecord, error) bool) {
		for batch, err := range Batches(ctx, path, opts) {
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range batch.Recs {
				if !yield(&batch.Recs[i], nil) {
					return
				}
			}
		}
	}
}

// errStop says that the loop has ended before the trace.
var errStop = errors.New("enough")

// read calls yield with each batch of a trace. It returns errStop if yield wants no more.
func read(ctx context.Context, path string, opts Options, yield func(*flattener.Batch, error) bool) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open trace: %w", err)
	}
	defer f.Close()
	blocks, err := codec.NewReader(f, path, &codec.ReaderOptions{OnDamage: opts.OnDamage})
	if err != nil {
		return err
	}
	defer blocks.Close()
	stage, err := reader.New(reader.Config{EntityMax: 30_000, EntityTTL: 5 * time.Minute}, flattener.New(flattener.Config{}), nil)
	if err != nil {
		return fmt.Errorf("read trace %s: %w", path, err)
	}
	in := plugins.NewChannel[*sfgo.SysFlow, *plugins.Block](1, 1)
	out := flattener.NewFlatChannel(flattener.BatchSize)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer in.CloseBatches()
		return send(ctx, blocks, in)
	})
	group.Go(func() error {
		defer out.CloseBatches()
		return stage.Run(ctx, in, []*flattener.FlatChannel{out})
	})
	stopped := false
	for batch := range out.Batches() { // to the end, so that nobody waits for us
		if !stopped && !yield(batch, nil) {
			stopped = true
			stop(errStop)
		}
		batch.Release()
	}
	err = group.Wait()
	if stopped {
		return errStop
	}
	if err != nil {
		return fmt.Errorf("read trace %s: %w", path, err)
	}
	return nil
}

// send sends the blocks of a trace to in.
func send(ctx context.Context, blocks *codec.Reader, in *plugins.SFChannel) error {
	for {
		b, err := blocks.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := in.Send(ctx, b); err != nil {
			return err
		}
	}
}
