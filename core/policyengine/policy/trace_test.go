package policy_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/flattener/trace"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// rows returns the rows of a real trace. They are never recycled.
func rows(tb testing.TB, name string) []*flattener.Batch {
	tb.Helper()
	dir := os.Getenv("SYSFLOW_TRACES")
	if dir == "" {
		tb.Skip("SYSFLOW_TRACES is not set: no real traces")
	}
	var batches []*flattener.Batch
	for b, err := range trace.Batches(tb.Context(), filepath.Join(dir, name), trace.Options{}) {
		if err != nil {
			tb.Fatal(err)
		}
		b.Retain(1) // for ever
		batches = append(batches, b)
	}
	return batches
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
