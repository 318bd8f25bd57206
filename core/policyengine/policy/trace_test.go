package policy_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/reader"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// rows returns the rows of a real trace.
func rows(tb testing.TB, name string) []*flattener.Batch {
	tb.Helper()
	dir := os.Getenv("SYSFLOW_TRACES")
	if dir == "" {
		tb.Skip("SYSFLOW_TRACES is not set: no real traces")
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		tb.Fatal(err)
	}
	r, err := codec.NewReader(bytes.NewReader(data), name, nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	stage, err := reader.New(reader.Config{EntityMax: 30000, EntityTTL: 5 * time.Minute}, flattener.New(flattener.Config{}), nil)
	if err != nil {
		tb.Fatal(err)
	}
	in, out := plugins.NewChannel[*sfgo.SysFlow, *plugins.Block](1, 1), flattener.NewFlatChannel(flattener.BatchSize)
	go func() {
		defer in.CloseBatches()
		for {
			b, err := r.Next(context.Background())
			if err == io.EOF {
				return
			}
			if err == nil {
				err = in.Send(context.Background(), b)
			}
			if err != nil {
				panic(err)
			}
		}
	}()
	go func() {
		defer out.CloseBatches()
		if err := stage.Run(context.Background(), in, []*flattener.FlatChannel{out}); err != nil {
			panic(err)
		}
	}()
	return slices.Collect(func(yield func(*flattener.Batch) bool) {
		for b := range out.Batches() {
			yield(b)
		}
	})
}

// load returns the policies of a file.
func load(tb testing.TB, path string) *policy.Policy {
	tb.Helper()
	p, diags := falco.Load(path, falco.Options{Catalogue: catalogue})
	if diags.HasErrors() {
		tb.Fatal(diags)
	}
	return p
}

// TestTraces compares compiled sets with the oracle on real records.
func TestTraces(t *testing.T) {
	for _, name := range []string{"tcp.sf", "k8s_small.sf", "runtime-1621959914.sf", "rename2at.sf", "setns.sf"} {
		batches := rows(t, name)
		for _, path := range []string{"testdata/sysflow.yaml", "testdata/falco.yaml"} {
			p := load(t, path)
			set, err := policy.Compile(p)
			if err != nil {
				t.Fatal(err)
			}
			eval := set.NewEvaluator()
			eval.SameTree(true)
			records, hits := 0, 0
			for _, b := range batches {
				for i := range b.Recs {
					records++
					got, drop := eval.Eval(&b.Recs[i], int64(records))
					want, wantDrop := policy.Oracle(p, &b.Recs[i], int64(records))
					if drop != wantDrop || !slices.Equal(got, want) {
						t.Fatalf("%s, %s, record %d: got drop %t and %d rules, want %t and %d", name, path, records, drop, len(got), wantDrop, len(want))
					}
					hits += len(got)
				}
			}
			t.Logf("%s, %s: %d records, %d hits of %d rules", name, path, records, hits, len(p.Rules))
		}
	}
}
