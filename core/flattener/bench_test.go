package flattener

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/entity"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/reader"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

var limits = entity.Options{Max: 30000, TTL: 300 * time.Second}

// trace returns the blocks of a real trace. They are never released, so what is decoded from them stays valid.
func trace(tb testing.TB, name string) []*plugins.Block {
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
	var blocks []*plugins.Block
	for {
		b, err := r.Next(context.Background())
		if err == io.EOF {
			return blocks
		}
		if err != nil {
			tb.Fatal(err)
		}
		blocks = append(blocks, b)
	}
}

// pass is what a benchmark does with the records of a trace after decoding them.
type pass struct {
	dec    *codec.Decoder
	blocks []*plugins.Block
	table  *entity.Table // nil: nothing
	flat   *Flattener    // nil: resolve only
	header bool          // let the header begin a new epoch; otherwise all entities are known from the last pass
	events bool          // leave out the entities: they are known from an earlier pass
	rec    codec.Record
}

// run decodes the trace and returns the number of records.
func (p *pass) run(tb testing.TB) int {
	ctx := context.Background()
	n := 0
	for _, b := range p.blocks {
		at := 0
		for range b.Count {
			used, err := p.dec.Decode(b.Data[at:], &p.rec)
			if err != nil {
				tb.Fatal(err)
			}
			at += used
			n++
			if p.table == nil {
				continue
			}
			switch p.rec.Type {
			case sfgo.HEADER:
				if p.header {
					p.table.Put(&p.rec)
				}
			case sfgo.CONT, sfgo.PROC, sfgo.FILE, sfgo.POD:
				if !p.events {
					p.table.Put(&p.rec)
				}
			default:
				res := p.table.Resolve(&p.rec)
				if p.flat == nil {
					continue
				}
				if err := p.flat.Handle(ctx, &p.rec, res); err != nil {
					tb.Fatal(err)
				}
			}
		}
	}
	return n
}

// BenchmarkFlatten measures a record's way from its bytes to its row, in traces whose entities are new each time (new)
// and in ones whose entities are known but for what changes back and forth (known). Take away the time of decode.
func BenchmarkFlatten(b *testing.B) {
	for _, name := range []string{"runtime-1621959914.sf", "k8s_small.sf", "mon.1531776712.sf", "webserver.sf"} {
		blocks := trace(b, name)
		dec, err := codec.NewDecoder(blocks[0].Stream.Schema)
		if err != nil {
			b.Fatal(err)
		}
		for _, mode := range []struct {
			name string
			pass pass
		}{
			{"decode", pass{}},
			{"resolve", pass{table: entity.NewTable(limits)}},
			{"known", pass{table: entity.NewTable(limits), flat: New(Config{})}},
			{"new", pass{table: entity.NewTable(limits), flat: New(Config{}), header: true}},
		} {
			b.Run(name+"/"+mode.name, func(b *testing.B) {
				p := mode.pass
				p.dec, p.blocks = dec, blocks
				records := p.run(b)
				b.ReportAllocs()
				for b.Loop() {
					p.run(b)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*records), "ns/record")
			})
		}
	}
}

// BenchmarkStage measures the stage as the pipeline runs it, from blocks to batches that are released at once.
func BenchmarkStage(b *testing.B) {
	blocks := trace(b, "runtime-1621959914.sf")
	records := 0
	for _, block := range blocks {
		records += block.Count
	}
	s, err := reader.New[FlatChannel](reader.Config{EntityMax: limits.Max, EntityTTL: limits.TTL}, New(Config{}), nil)
	if err != nil {
		b.Fatal(err)
	}
	in, out := plugins.NewChannel[*sfgo.SysFlow, *plugins.Block](4, 1), NewFlatChannel(4*BatchSize)
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() {
		defer out.CloseBatches()
		if err := s.Run(b.Context(), in, []*FlatChannel{out}); err != nil {
			b.Error(err)
		}
	})
	running.Go(func() {
		for batch := range out.Batches() {
			batch.Release()
		}
	})
	defer in.CloseBatches()
	b.ReportAllocs()
	for b.Loop() {
		for _, block := range blocks {
			if err := in.Send(b.Context(), block); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N*records)/b.Elapsed().Seconds(), "records/s")
}
