package engine

import (
	"sync"
	"sync/atomic"

	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// NewRecordChannel returns a channel that holds size records.
func NewRecordChannel(size int) *RecordChannel {
	return plugins.NewChannel[*Record, *Batch](size, flattener.BatchSize)
}

// Event is a row with its verdicts.
type Event struct {
	Row   *sfgo.FlatRecord // read-only; its memory belongs to the batch of rows
	Rules []*Rule          // matched rules, in the order of the policy files
	Tags  []string         // tags set by actions, in order; the rules' own are in Rules
	Alert bool             // a rule matched in alert mode
	Hash  *[2]*HashSet     // indexed by HashType; nil if no action set any
}

// Top returns the matched rule of the highest rank, the first on a tie, or nil if no rule matched.
func (e *Event) Top() *Rule {
	var top *Rule
	for _, r := range e.Rules {
		if top == nil || r.Rank > top.Rank {
			top = r
		}
	}
	return top
}

// Level returns the highest level among the matched rules.
func (e *Event) Level() Priority {
	level := None
	for _, r := range e.Rules {
		level = max(level, r.Priority)
	}
	return level
}

// Batch is a run of events in input order. Between built-in stages it replaces the batch of rows it refers to: it owns
// that batch and releases it with itself. A batch has one owner at a time, or as many as a tee has branches; events are
// read-only once the batch is sent, and gone after the last Release.
type Batch struct {
	Events []Event

	rows  *flattener.Batch // may be nil
	rules []*Rule          // backs Event.Rules
	refs  atomic.Int32
	pool  *Pool
}

// Pool recycles batches. It may be used by several goroutines.
type Pool struct{ free sync.Pool }

// Get returns an empty batch with one owner, the caller, over rows, whose ownership it takes. rows may be nil.
func (p *Pool) Get(rows *flattener.Batch) *Batch {
	b, ok := p.free.Get().(*Batch)
	if !ok {
		b = &Batch{pool: p}
	}
	b.rows = rows
	b.refs.Store(1)
	return b
}

// Add appends an event for row and returns it, valid until the next Add. rules is copied; it may be empty. The rules of
// earlier events stay valid: where the array behind them has to grow, they keep the old one.
func (b *Batch) Add(row *sfgo.FlatRecord, rules []*Rule) *Event {
	n := len(b.rules)
	b.rules = append(b.rules, rules...)
	b.Events = append(b.Events, Event{Row: row, Rules: b.rules[n:len(b.rules):len(b.rules)]})
	return &b.Events[len(b.Events)-1]
}

// Adopt appends a row that a plugin has made to the loose batch of rows that b was made over, and returns it for Add.
func (b *Batch) Adopt(row sfgo.FlatRecord) *sfgo.FlatRecord {
	b.rows.Recs = append(b.rows.Recs, row)
	return &b.rows.Recs[len(b.rows.Recs)-1]
}

// Retain adds n owners.
func (b *Batch) Retain(n int) { b.refs.Add(int32(n)) }

// Release ends the caller's ownership.
func (b *Batch) Release() {
	if b.refs.Add(-1) != 0 {
		return
	}
	if b.rows != nil {
		b.rows.Release()
		b.rows = nil
	}
	clear(b.Events) // what actions set must not outlive its record
	b.Events = b.Events[:0]
	clear(b.rules) // nor a rule its policy set
	b.rules = b.rules[:0]
	if b.pool != nil {
		b.pool.free.Put(b)
	}
}
