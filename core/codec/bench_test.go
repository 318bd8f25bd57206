package codec_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// benchTrace returns a trace: a real one if there are any, else one of flows that look like it.
func benchTrace(b *testing.B) []byte {
	b.Helper()
	if dir := os.Getenv("SYSFLOW_TRACES"); dir != "" {
		trace, err := os.ReadFile(filepath.Join(dir, "runtime-1621959914.sf"))
		if err != nil {
			b.Fatal(err)
		}
		return trace
	}
	var buf bytes.Buffer
	w, err := codec.NewWriter(&buf, nil)
	if err != nil {
		b.Fatal(err)
	}
	for n := range int64(10_000) {
		if err := w.Write(flow(n)); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return buf.Bytes()
}

// readAll reads a whole trace; its blocks are not released.
func readAll(b testing.TB, trace []byte) (schema string, blocks []*plugins.Block) {
	b.Helper()
	r, err := codec.NewReader(bytes.NewReader(trace), "trace", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	for {
		block, err := r.Next(context.Background())
		if err == io.EOF {
			return r.Stream().Schema, blocks
		}
		if err != nil {
			b.Fatal(err)
		}
		blocks = append(blocks, block)
	}
}

// BenchmarkDecode is one pass over the records of a trace, inflated already.
func BenchmarkDecode(b *testing.B) {
	schema, blocks := readAll(b, benchTrace(b))
	d, err := codec.NewDecoder(schema)
	if err != nil {
		b.Fatal(err)
	}
	var rec codec.Record
	var records, size int
	for _, block := range blocks {
		records += block.Count
		size += len(block.Data)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, block := range blocks {
			data := block.Data
			for range block.Count {
				n, err := d.Decode(data, &rec)
				if err != nil {
					b.Fatal(err)
				}
				data = data[n:]
			}
		}
	}
	perRecord(b, records)
}

// BenchmarkDecodeType decodes one record of a type over and over.
func BenchmarkDecodeType(b *testing.B) {
	schema, blocks := readAll(b, benchTrace(b))
	d, err := codec.NewDecoder(schema)
	if err != nil {
		b.Fatal(err)
	}
	for name, typ := range map[string]int64{"file flow": sfgo.FILE_FLOW, "process event": sfgo.PROC_EVT, "process": sfgo.PROC, "file": sfgo.FILE} {
		data := find(b, d, blocks, typ)
		if data == nil {
			continue // not in generated traces
		}
		b.Run(name, func(b *testing.B) {
			var rec codec.Record
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Decode(data, &rec); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// find returns the first record of a type, or nil.
func find(b *testing.B, d *codec.Decoder, blocks []*plugins.Block, typ int64) []byte {
	b.Helper()
	var rec codec.Record
	for _, block := range blocks {
		data := block.Data
		for range block.Count {
			n, err := d.Decode(data, &rec)
			if err != nil {
				b.Fatal(err)
			}
			if rec.Type == typ {
				return data // and what follows, as in a block
			}
			data = data[n:]
		}
	}
	return nil
}

// BenchmarkInflate reads a trace and does nothing with it: the floor for whatever reads traces.
func BenchmarkInflate(b *testing.B) {
	trace := benchTrace(b)
	for name, workers := range map[string]int{"1 worker": 1, "all processors": 0} {
		b.Run(name, func(b *testing.B) {
			opts := &codec.ReaderOptions{Workers: workers, Decoders: new(codec.Decoders)}
			var records, size int
			b.ReportAllocs()
			for b.Loop() {
				r, err := codec.NewReader(bytes.NewReader(trace), "trace", opts)
				if err != nil {
					b.Fatal(err)
				}
				records, size = 0, 0
				for {
					block, err := r.Next(context.Background())
					if err == io.EOF {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
					records += block.Count
					size += len(block.Data)
					if block.Release != nil {
						block.Release()
					}
				}
				r.Close()
			}
			b.SetBytes(int64(size))
			perRecord(b, records)
		})
	}
}

func perRecord(b *testing.B, records int) {
	n := float64(records) * float64(b.N)
	b.ReportMetric(n/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/record")
}
