package encode

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/reader"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// traceRows returns the rows of a public trace. They are never recycled.
func traceRows(tb testing.TB, name string) []*sfgo.FlatRecord {
	tb.Helper()
	dir := os.Getenv("SYSFLOW_TRACES")
	if dir == "" {
		tb.Skip("SYSFLOW_TRACES does not name a folder of traces")
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	blocks, err := codec.NewReader(f, name, nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer blocks.Close()
	stage, err := reader.New(reader.Config{EntityMax: 30000, EntityTTL: 300 * time.Second}, flattener.New(flattener.Config{}), nil)
	if err != nil {
		tb.Fatal(err)
	}
	in, out := plugins.NewChannel[*sfgo.SysFlow, *plugins.Block](1, 1), flattener.NewFlatChannel(1)
	ended := make(chan error, 2)
	go func() {
		defer in.CloseBatches()
		ended <- func() error {
			for {
				b, err := blocks.Next(tb.Context())
				if err == io.EOF {
					return nil
				}
				if err == nil {
					err = in.Send(tb.Context(), b)
				}
				if err != nil {
					return err
				}
			}
		}()
	}()
	go func() {
		defer out.CloseBatches()
		ended <- stage.Run(tb.Context(), in, []*flattener.FlatChannel{out})
	}()
	var rows []*sfgo.FlatRecord
	for b := range out.Batches() {
		for i := range b.Recs {
			rows = append(rows, &b.Recs[i])
		}
	}
	for range 2 {
		if err := <-ended; err != nil {
			tb.Fatal(err)
		}
	}
	return rows
}
