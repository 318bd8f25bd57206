package flattener

import (
	"context"
	"sync/atomic"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/entity"
	"github.com/sysflow-telemetry/sf-processor/core/reader"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Flattener is the handler that turns flows and events into rows. It is used by one goroutine, that of its reader; only
// Counters may be called by others.
type Flattener struct {
	outs   []*FlatChannel
	pool   Pool
	batch  *Batch  // being filled; nil if there is none
	filter *filter // nil if off

	filtered  atomic.Uint64
	lost      atomic.Uint64
	nFiltered uint64 // not yet added to filtered
}

var _ reader.Handler[FlatChannel] = (*Flattener)(nil)

// New returns a Flattener.
func New(cfg Config) *Flattener {
	f := &Flattener{}
	if cfg.FilterEnabled {
		f.filter = newFilter(cfg.FilterMaxAge.Nanoseconds(), maxHashes)
	}
	return f
}

// Start implements reader.Handler.
func (f *Flattener) Start(outs []*FlatChannel) { f.outs = outs }

// Handle appends the row of a flow or event to the current batch, and sends the batch if it is full. Network events have
// no row.
func (f *Flattener) Handle(ctx context.Context, rec *codec.Record, res *entity.Resolved) error {
	if rec.Type == sfgo.NET_EVT {
		return nil
	}
	if f.batch == nil {
		f.batch = f.pool.Get()
	}
	row := f.batch.Next()
	fill(row, rec, res)
	if f.filter != nil && f.filter.repeats(row) {
		f.batch.Recs = f.batch.Recs[:len(f.batch.Recs)-1]
		f.nFiltered++
		return nil
	}
	if f.batch.Full() {
		return f.Flush(ctx)
	}
	return nil
}

// Flush sends the current batch to every output.
func (f *Flattener) Flush(ctx context.Context) error {
	f.filtered.Add(f.nFiltered)
	f.nFiltered = 0
	b := f.batch
	if b == nil || len(b.Recs) == 0 {
		return nil
	}
	f.batch = nil
	rows := len(b.Recs)
	b.Retain(len(f.outs)) // the last is ours, until all have theirs
	for i, out := range f.outs {
		if err := out.Send(ctx, b); err != nil {
			f.lost.Add(uint64(rows))
			b.Retain(i - len(f.outs)) // those of the outputs that did not get it
			b.Release()
			return err
		}
	}
	b.Release()
	return nil
}

// Counters yields what happened so far. Any goroutine may call it; the numbers are brought up to date with each batch.
func (f *Flattener) Counters(yield func(name string, value uint64)) {
	yield("filtered", f.filtered.Load())
	yield("lost.unsent", f.lost.Load())
}
