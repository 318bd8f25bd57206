package pipeline

import (
	"slices"

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

func (bb *blockBorder) begin() *plugins.Block {
	return &plugins.Block{Stream: bb.stream, Records: []sfRecord{}}
}

func (bb *blockBorder) add(b *plugins.Block, r sfRecord) (*plugins.Block, bool) {
	if r == nil || r.Rec == nil {
		return b, false
	}
	bb.used = true
	b.Records = append(b.Records, r)
	b.Count++
	return b, true
}

func (bb *blockBorder) last() (*plugins.Block, bool) {
	b := bb.begin()
	b.Last = true
	return b, bb.used
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

func (ctxBorder) begin() []*plugins.CtxSysFlow { return nil }

func (ctxBorder) add(b []*plugins.CtxSysFlow, r *plugins.CtxSysFlow) ([]*plugins.CtxSysFlow, bool) {
	return append(b, r), true
}

func (ctxBorder) last() ([]*plugins.CtxSysFlow, bool) { return nil, false }
func (ctxBorder) count(b []*plugins.CtxSysFlow) int   { return len(b) }
func (ctxBorder) release([]*plugins.CtxSysFlow)       {}

// flatBorder gives a plugin flat records of its own, and checks those it sends.
type flatBorder struct{ pool flattener.Pool }

func (*flatBorder) split(b *flattener.Batch, yield func(flatRecord) bool) {
	defer b.Release()
	for i := range b.Recs {
		if !yield(flattener.Own(&b.Recs[i])) {
			return
		}
	}
}

func (fb *flatBorder) begin() *flattener.Batch { return fb.pool.Loose() }

func (*flatBorder) add(b *flattener.Batch, r flatRecord) (*flattener.Batch, bool) {
	row, ok := admit(r)
	if ok {
		b.Recs = append(b.Recs, row)
	}
	return b, ok
}

func (*flatBorder) last() (*flattener.Batch, bool) { return nil, false }
func (*flatBorder) count(b *flattener.Batch) int   { return len(b.Recs) }
func (*flatBorder) release(b *flattener.Batch)     { b.Release() }

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
type recordBorder struct {
	rows flattener.Pool
	pool engine.Pool
}

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
		own := *rule
		own.Actions, own.Tags, own.Prefilter = slices.Clone(rule.Actions), slices.Clone(rule.Tags), slices.Clone(rule.Prefilter)
		r.Ctx.AddRule(own)
	}
	r.Ctx.AddTags(e.Tags...)
	r.Ctx.SetAlert(e.Alert)
	if e.Hash != nil {
		for t, h := range e.Hash {
			if h != nil {
				own := *h
				r.Ctx.SetHashes(engine.HashType(t), &own)
			}
		}
	}
	return r
}

func (rb *recordBorder) begin() *engine.Batch { return rb.pool.Get(rb.rows.Loose()) }

func (rb *recordBorder) add(b *engine.Batch, r *engine.Record) (*engine.Batch, bool) {
	if r == nil {
		return b, false
	}
	row, ok := admit(&r.Fr)
	if !ok {
		return b, false
	}
	var rules []*engine.Rule
	for _, rule := range r.Ctx.GetRules() {
		rules = append(rules, &rule)
	}
	e := b.Add(b.Adopt(row), rules)
	e.Tags, e.Alert = r.Ctx.GetTags(), r.Ctx.IsAlert()
	proc, file := r.Ctx.GetHash(engine.HASH_TYPE_PROC), r.Ctx.GetHash(engine.HASH_TYPE_FILE)
	if proc != nil || file != nil {
		e.Hash = &[2]*engine.HashSet{proc, file}
	}
	return b, true
}

func (*recordBorder) last() (*engine.Batch, bool) { return nil, false }
func (*recordBorder) count(b *engine.Batch) int   { return len(b.Events) }
func (*recordBorder) release(b *engine.Batch)     { b.Release() }
