package pipeline

import (
	"context"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// BenchmarkBorder passes batches of rows to a plugin that passes them back. It reports what a row costs, and how many
// batches come back for one.
func BenchmarkBorder(b *testing.B) {
	var pool flattener.Pool
	rows := pool.Get()
	for !rows.Full() {
		rows.Next().Ptree = make([]*sfgo.Process, 5)
	}
	in, out := flatChannel(b), flatChannel(b)
	ctx := context.Background()
	go func() {
		in.pump(ctx, batches)
		in.close(records)
	}()
	go func() { // the plugin
		for r := range in.c.In {
			out.c.In <- r
		}
		out.close(records)
	}()
	go func() {
		out.pump(ctx, records)
		out.close(batches)
	}()
	b.ReportAllocs()
	back := 0
	for b.Loop() {
		rows.Retain(1)
		if err := in.c.Send(ctx, rows); err != nil {
			b.Fatal(err)
		}
		for n := 0; n < flattener.BatchSize; back++ {
			batch := <-out.c.Batches()
			n += len(batch.Recs)
			batch.Release()
		}
	}
	in.close(batches)
	<-out.c.Batches()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*flattener.BatchSize), "ns/row")
	b.ReportMetric(float64(back)/float64(b.N), "batches-back")
}

func flatChannel(b *testing.B) *typed[flatRecord, *flattener.Batch] {
	b.Helper()
	c, err := builtinChannels()[flatType]("c", 4096)
	if err != nil {
		b.Fatal(err)
	}
	return c.(*typed[flatRecord, *flattener.Batch])
}
