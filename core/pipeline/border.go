package pipeline

import (
	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Records as plugins see them.
type (
	sfRecord   = *sfgo.SysFlow
	flatRecord = *sfgo.FlatRecord
)

// blockBorder makes blocks of one stream from the records of a plugin driver.
type blockBorder struct {
	stream *plugins.Stream
	used   bool
}

func newBlockBorder(name string) *blockBorder {
	return &blockBorder{stream: &plugins.Stream{Name: name}}
}

// split passes on the records of a block that has them. A block of bytes does not come here: only the built-in
// drivers make such, and what they write goes to the built-in reader.
func (bb *blockBorder) split(b *plugins.Block, yield func(sfRecord) bool) {
	defer bb.release(b)
	for _, r := range b.Records {
		if !yield(r) {
			return
		}
	}
}

func (bb *blockBorder) gather(list []sfRecord) (*plugins.Block, int) {
	b := &plugins.Block{Stream: bb.stream, Records: make([]sfRecord, 0, len(list))}
	for _, r := range list {
		if r != nil && r.Rec != nil {
			b.Records = append(b.Records, r)
		}
	}
	b.Count = len(b.Records)
	bb.used = bb.used || b.Count > 0
	return b, len(list) - b.Count
}

func (bb *blockBorder) last() (*plugins.Block, bool) {
	return &plugins.Block{Stream: bb.stream, Records: []sfRecord{}, Last: true}, bb.used
}

func (bb *blockBorder) count(b *plugins.Block) int { return max(b.Count, len(b.Records)) }

func (bb *blockBorder) release(b *plugins.Block) {
	if b.Release != nil {
		b.Release()
	}
}

// ctxBorder is for a channel that only plugins know; a batch is the records themselves.
type ctxBorder struct{}

func (ctxBorder) split(b []*plugins.CtxSysFlow, yield func(*plugins.CtxSysFlow) bool) {
	for _, r := range b {
		if !yield(r) {
			return
		}
	}
}

func (ctxBorder) gather(list []*plugins.CtxSysFlow) ([]*plugins.CtxSysFlow, int) { return list, 0 }
func (ctxBorder) last() ([]*plugins.CtxSysFlow, bool)                            { return nil, false }
func (ctxBorder) count(b []*plugins.CtxSysFlow) int                              { return len(b) }
func (ctxBorder) release([]*plugins.CtxSysFlow)                                  {}

// flatBorder gives a plugin flat records of its own, and checks those it sends.
type flatBorder struct{}

func (flatBorder) split(b *flattener.Batch, yield func(flatRecord) bool) {
	defer b.Release()
	for i := range b.Recs {
		if !yield(flattener.Own(&b.Recs[i])) {
			return
		}
	}
}

func (flatBorder) gather(list []flatRecord) (*flattener.Batch, int) {
	b := new(flattener.Batch) // of no pool: its rows are the plugin's
	b.Retain(1)
	for _, r := range list {
		if row, ok := admit(r); ok {
			b.Recs = append(b.Recs, row)
		}
	}
	return b, len(list) - len(b.Recs)
}

func (flatBorder) last() (*flattener.Batch, bool) { return nil, false }
func (flatBorder) count(b *flattener.Batch) int   { return len(b.Recs) }
func (flatBorder) release(b *flattener.Batch)     { b.Release() }

// admit returns a plugin's record in the form that the built-in stages rely on: SysFlow's source first, its rows of
// full length. What a plugin leaves out of a row is zero. It refuses a record without SysFlow's source.
func admit(r flatRecord) (sfgo.FlatRecord, bool) {
	if r == nil {
		return sfgo.FlatRecord{}, false
	}
	at := -1
	for i, s := range r.Sources {
		if s == sfgo.SYSFLOW_SRC && i < len(r.Ints) && i < len(r.Strs) {
			at = i
			break
		}
	}
	if at < 0 {
		return sfgo.FlatRecord{}, false
	}
	row := *r
	if at != sfgo.SYSFLOW_IDX || len(r.Anys) <= at ||
		len(r.Ints[at]) < sfgo.INT_ARRAY_SIZE || len(r.Strs[at]) < sfgo.STR_ARRAY_SIZE || len(r.Anys[at]) < sfgo.ANY_ARRAY_SIZE {
		row.Sources = []sfgo.Source{sfgo.SYSFLOW_SRC}
		row.Ints = [][]int64{padded(r.Ints[at], sfgo.INT_ARRAY_SIZE)}
		row.Strs = [][]string{padded(r.Strs[at], sfgo.STR_ARRAY_SIZE)}
		var anys []any
		if at < len(r.Anys) {
			anys = r.Anys[at]
		}
		row.Anys = [][]any{padded(anys, sfgo.ANY_ARRAY_SIZE)}
	}
	return row, true
}

// padded returns row with at least n elements.
func padded[T any](row []T, n int) []T {
	if len(row) >= n {
		return row
	}
	full := make([]T, n)
	copy(full, row)
	return full
}

// recordBorder gives a plugin records with their context, and makes events of those it sends.
type recordBorder struct{ pool engine.Pool }

func (*recordBorder) split(b *engine.Batch, yield func(*engine.Record) bool) {
	defer b.Release()
	for i := range b.Events {
		if !yield(recordOf(&b.Events[i])) {
			return
		}
	}
}

// recordOf returns an event as a record that is a plugin's own.
func recordOf(e *engine.Event) *engine.Record {
	r := engine.NewRecord(*flattener.Own(e.Row))
	for _, rule := range e.Rules {
		r.Ctx.AddRule(*rule)
	}
	r.Ctx.AddTags(e.Tags...)
	r.Ctx.SetAlert(e.Alert)
	if e.Hash != nil {
		for t, h := range e.Hash {
			r.Ctx.SetHashes(engine.HashType(t), h)
		}
	}
	return r
}

func (rb *recordBorder) gather(list []*engine.Record) (*engine.Batch, int) {
	b := rb.pool.Get(nil)
	for _, r := range list {
		if r == nil {
			continue
		}
		row, ok := admit(&r.Fr)
		if !ok {
			continue
		}
		var rules []*engine.Rule
		for _, rule := range r.Ctx.GetRules() {
			rules = append(rules, &rule)
		}
		e := b.Add(&row, rules)
		e.Tags, e.Alert = r.Ctx.GetTags(), r.Ctx.IsAlert()
		proc, file := r.Ctx.GetHash(engine.HASH_TYPE_PROC), r.Ctx.GetHash(engine.HASH_TYPE_FILE)
		if proc != nil || file != nil {
			e.Hash = &[2]*engine.HashSet{proc, file}
		}
	}
	return b, len(list) - len(b.Events)
}

func (*recordBorder) last() (*engine.Batch, bool) { return nil, false }
func (*recordBorder) count(b *engine.Batch) int   { return len(b.Events) }
func (*recordBorder) release(b *engine.Batch)     { b.Release() }
