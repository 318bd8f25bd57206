package encode

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/flattener/trace"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// traceRows returns the rows of a public trace. They are never recycled.
func traceRows(tb testing.TB, name string) []*sfgo.FlatRecord {
	tb.Helper()
	dir := os.Getenv("SYSFLOW_TRACES")
	if dir == "" {
		tb.Skip("SYSFLOW_TRACES does not name a folder of traces")
	}
	var rows []*sfgo.FlatRecord
	for b, err := range trace.Batches(tb.Context(), filepath.Join(dir, name), trace.Options{}) {
		if err != nil {
			tb.Fatal(err)
		}
		b.Retain(1) // for ever
		for i := range b.Recs {
			rows = append(rows, &b.Recs[i])
		}
	}
	return rows
}
