package sysflow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync/atomic"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
)

// Stdin is the path that stands for standard input.
const Stdin = "-"

// FileConfig configures the driver file.
type FileConfig struct {
	Path   string `attr:"path" kind:"path" help:"trace, directory of traces, or named pipe; - is standard input; default: the path on the command line"`
	Follow bool   `attr:"follow" help:"keep watching the directory for new traces instead of ending"`
}

// Validate refuses what is not there yet.
func (c *FileConfig) Validate() error {
	if c.Follow {
		return errors.New("follow: this release cannot follow a directory")
	}
	return nil
}

// File reads traces from files.
type File struct {
	contextOnly
	stdin io.Reader
	log   *slog.Logger

	read, total atomic.Int64 // bytes of files
	lent        lent
	damages     damages
	decoders    codec.Decoders
}

var _ plugins.SFContextDriver = (*File)(nil)

// NewFile returns a driver. stdin is what the path "-" reads. A nil log discards everything.
func NewFile(stdin io.Reader, log *slog.Logger) *File {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &File{
		contextOnly: contextOnly{"file"}, stdin: stdin, log: log,
		lent: lent{back: make(chan struct{}, 1)}, damages: damages{log: log},
	}
}

// Counters yields how many bytes of the files have been read, and how many there are; 0 if that is not known. Any
// goroutine may call it.
func (f *File) Counters(yield func(name string, value uint64)) {
	yield("bytes", uint64(f.read.Load()))
	yield("bytes.total", uint64(f.total.Load()))
}

// RunContext reads the traces at the path in conf, one after another, to their end or that of ctx. Traces that are
// damaged are read past the damage; RunContext then fails at the end.
func (f *File) RunContext(ctx context.Context, conf map[string]any, out *plugins.SFChannel) error {
	path, ok := conf["path"].(string)
	if !ok || path == "" {
		return errors.New("no path to read from")
	}
	traces, err := f.find(path)
	if err != nil {
		return err
	}
	for _, t := range traces {
		err := f.trace(ctx, t, out)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			continue
		}
		if len(traces) == 1 && !t.fromDir {
			return err
		}
		f.damages.unreadable(t.path, err)
	}
	f.lent.wait(ctx) // the reader finds some of the damage
	return f.damages.err(len(traces))
}

// find lists the traces at path and adds up their sizes.
func (f *File) find(path string) ([]trace, error) {
	if path == Stdin {
		return []trace{{path: path}}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open trace: %w", err)
	}
	if !info.IsDir() {
		if info.Mode().IsRegular() {
			f.total.Store(info.Size())
		}
		return []trace{{path: path, pipe: info.Mode()&fs.ModeNamedPipe != 0}}, nil
	}
	traces, skipped, err := list(path)
	if err != nil {
		return nil, err
	}
	if len(skipped) > 0 {
		f.log.Warn("skipped what is not a trace", "directory", path, "entries", len(skipped), "first", skipped[0])
	}
	if len(traces) == 0 {
		return nil, fmt.Errorf("directory %s: there is no trace in it", path)
	}
	for _, t := range traces {
		f.total.Add(t.size)
	}
	return traces, nil
}

// trace passes on the blocks of one trace.
func (f *File) trace(ctx context.Context, t trace, out *plugins.SFChannel) error {
	before := f.read.Load()
	in, err := f.open(ctx, t)
	if err != nil {
		return err
	}
	defer in.Close()
	// Closing the file ends a Read that waits for a pipe.
	defer context.AfterFunc(ctx, func() { in.Close() })()

	rd, err := codec.NewReader(in, t.path, &codec.ReaderOptions{OnDamage: f.damages.add, Decoders: &f.decoders})
	if errors.Is(err, codec.ErrTruncated) {
		f.log.Warn("the trace ends inside its header", "trace", t.path)
		return nil
	}
	if err != nil {
		return err
	}
	defer rd.Close()
	defer in.Close() // before the Reader, whose Close waits for the end of reading
	for {
		b, err := rd.Next(ctx)
		if errors.Is(err, io.EOF) {
			f.read.Store(before + rd.Offset())
			return nil
		}
		if err != nil {
			return err
		}
		f.lent.lend(b)
		if err := out.Send(ctx, b); err != nil {
			if b.Release != nil {
				b.Release()
			}
			return err
		}
		f.read.Store(before + rd.Offset())
	}
}

// lent counts the blocks that have been passed on and not released.
type lent struct {
	n    atomic.Int64
	back chan struct{} // gets a value when n has become 0; holds one
}

// lend counts b until it is released.
func (l *lent) lend(b *plugins.Block) {
	if b.Release == nil {
		return
	}
	l.n.Add(1)
	release := b.Release
	b.Release = func() {
		release()
		if l.n.Add(-1) == 0 {
			select {
			case l.back <- struct{}{}:
			default: // it is full, which says the same
			}
		}
	}
}

// wait returns when every block has been released, or ctx ends.
func (l *lent) wait(ctx context.Context) {
	for l.n.Load() > 0 {
		select {
		case <-l.back:
		case <-ctx.Done():
			return
		}
	}
}
