package flattener

import (
	"sync"
	"sync/atomic"

	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// BatchSize is the number of rows in a full batch: large enough that a channel operation per batch costs nothing, small
// enough that a slab (about a megabyte) fits the cache of a core.
const BatchSize = 1024

// FlatChannel carries flat records; its type name in pipeline files is flattenerchan.
type FlatChannel = plugins.Channel[*sfgo.FlatRecord, *Batch]

// NewFlatChannel returns a channel that holds size records.
func NewFlatChannel(size int) *FlatChannel {
	return plugins.NewChannel[*sfgo.FlatRecord, *Batch](size, BatchSize)
}

// Batch is a run of flat records in a slab of memory that is recycled.
type Batch struct {
	// Recs are the records, in input order, each with SYSFLOW_SRC at position SYSFLOW_IDX.
	Recs []sfgo.FlatRecord

	slab *slab
	refs atomic.Int32
	pool *Pool
}

// slab is the memory behind the records of a batch: each record's slices are cut from these arrays once, when the slab
// is made.
type slab struct {
	recs [BatchSize]sfgo.FlatRecord
	ints [BatchSize][sfgo.INT_ARRAY_SIZE]int64
	strs [BatchSize][sfgo.STR_ARRAY_SIZE]string
	anys [BatchSize][sfgo.ANY_ARRAY_SIZE]any

	intRows [BatchSize][1][]int64
	strRows [BatchSize][1][]string
	anyRows [BatchSize][1][]any
}

// sources is what every row of a slab has; it is shared and never written.
var sources = []sfgo.Source{sfgo.SYSFLOW_SRC}

func newSlab() *slab {
	s := new(slab)
	for i := range s.recs {
		s.intRows[i][0] = s.ints[i][:]
		s.strRows[i][0] = s.strs[i][:]
		s.anyRows[i][0] = s.anys[i][:]
		s.recs[i] = sfgo.FlatRecord{
			Sources: sources[:1:1],
			Ints:    s.intRows[i][:],
			Strs:    s.strRows[i][:],
			Anys:    s.anyRows[i][:],
		}
	}
	return s
}

// Pool recycles batches. It may be used by several goroutines.
type Pool struct {
	free  sync.Pool // those with a slab
	loose sync.Pool
}

// Get returns an empty batch with one owner, the caller. Its rows hold what they held before: who appends one fills
// every slot.
func (p *Pool) Get() *Batch {
	b, ok := p.free.Get().(*Batch)
	if !ok {
		b = &Batch{slab: newSlab(), pool: p}
	}
	b.Recs = b.slab.recs[:0]
	b.refs.Store(1)
	return b
}

// Loose returns an empty batch with one owner, the caller, who appends up to BatchSize records of other origin to Recs. The
// slices of these records stay their maker's; the records themselves do not move.
func (p *Pool) Loose() *Batch {
	b, ok := p.loose.Get().(*Batch)
	if !ok {
		b = &Batch{Recs: make([]sfgo.FlatRecord, 0, BatchSize), pool: p}
	}
	b.refs.Store(1)
	return b
}

// Next appends a row to the batch and returns it, for its owner to fill; it must not be called on a full batch.
func (b *Batch) Next() *sfgo.FlatRecord {
	b.Recs = b.Recs[:len(b.Recs)+1]
	return &b.Recs[len(b.Recs)-1]
}

// Flattened says whether the rows were made by a flattener, not by a plugin: then those that share the array behind Ptree
// have the same process.
func (b *Batch) Flattened() bool { return b.slab != nil }

// Full says whether the batch has no room for another row.
func (b *Batch) Full() bool { return len(b.Recs) == BatchSize }

// Retain adds n owners.
func (b *Batch) Retain(n int) { b.refs.Add(int32(n)) }

// Release ends the caller's ownership.
func (b *Batch) Release() {
	switch {
	case b.refs.Add(-1) != 0 || b.pool == nil:
	case b.slab != nil:
		b.pool.free.Put(b)
	default:
		clear(b.Recs) // what they hold must not outlive them
		b.Recs = b.Recs[:0]
		b.pool.loose.Put(b)
	}
}
