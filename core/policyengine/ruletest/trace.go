package ruletest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/config/yamldoc"
	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/reader"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// errStop ends the reading of a trace early.
var errStop = errors.New("enough")

// rows calls yield with each row of a trace, as the policy engine would see it, until it returns an error; errStop ends
// without one. A row is valid until yield returns.
func rows(ctx context.Context, path string, yield func(row *sfgo.FlatRecord) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open trace: %w", err)
	}
	defer f.Close()
	trace, err := codec.NewReader(f, path, nil)
	if err != nil {
		return err
	}
	defer trace.Close()
	stage, err := reader.New[flattener.FlatChannel](reader.Config{EntityMax: 30_000, EntityTTL: 5 * time.Minute}, flattener.New(flattener.Config{}), nil)
	if err != nil {
		return err
	}
	in := plugins.NewChannel[*sfgo.SysFlow, *plugins.Block](1, 1)
	out := flattener.NewFlatChannel(flattener.BatchSize)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer in.CloseBatches()
		return blocks(ctx, trace, in)
	})
	group.Go(func() error {
		defer out.CloseBatches()
		return stage.Run(ctx, in, []*flattener.FlatChannel{out})
	})
	group.Go(func() error {
		for batch := range out.Batches() {
			for i := range batch.Recs {
				if err := yield(&batch.Recs[i]); err != nil {
					return err // ends ctx, and with it the others
				}
			}
			batch.Release()
		}
		return nil
	})
	if err := group.Wait(); err != nil && !errors.Is(err, errStop) {
		return err
	}
	return nil
}

// blocks sends the blocks of a trace to in.
func blocks(ctx context.Context, trace *codec.Reader, in *plugins.SFChannel) error {
	for {
		b, err := trace.Next(ctx)
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

// row makes the row of a record. It returns nil if what the test file says is wrong; that is reported there.
func (r *runner) row(ctx context.Context, rec *record) (*sfgo.FlatRecord, error) {
	if rec.trace == "" {
		return rec.build(nil), nil
	}
	holds, err := r.condition(rec.where)
	if err != nil || holds == nil {
		return nil, err
	}
	var found *sfgo.FlatRecord
	err = rows(ctx, rec.trace, func(row *sfgo.FlatRecord) error {
		if holds(row) {
			found = rec.build(row)
			return errStop
		}
		return nil
	})
	if err == nil && found == nil {
		rec.at.Faultf("no record of %s is like that", rec.trace)
	}
	return found, err
}

// condition compiles a condition of a test file; without one, it holds for every record. It returns nil if the condition
// is wrong; that is reported.
func (r *runner) condition(v yamldoc.Value) (func(row *sfgo.FlatRecord) bool, error) {
	if !v.Present() {
		return func(*sfgo.FlatRecord) bool { return true }, nil
	}
	text, err := yaml.Marshal([]map[string]string{{"drop": "where", "condition": v.Text()}})
	if err != nil {
		return nil, fmt.Errorf("write condition %q: %w", v.Text(), err)
	}
	p, ds := falco.LoadSources([]falco.Source{{Name: v.Place().String(), Text: text}}, r.opts.Falco)
	for _, d := range ds {
		if d.Severity == policy.Error {
			v.Faultf("%s [%s]", d.Message, d.Code)
			return nil, nil
		}
	}
	set, err := policy.Compile(p)
	if err != nil {
		return nil, fmt.Errorf("compile condition %q: %w", v.Text(), err)
	}
	eval := set.NewEvaluator()
	return func(row *sfgo.FlatRecord) bool {
		_, holds := eval.Eval(row, 1)
		return holds
	}, nil
}
