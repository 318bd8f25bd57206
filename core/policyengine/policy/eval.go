package policy

import (
	"hash/maphash"
	"math/bits"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Evaluator evaluates a Set. It remembers what it found for values it has seen, within fixed limits, and holds scratch
// memory; so it is for one goroutine at a time.
type Evaluator struct {
	set      *Set
	seed     maphash.Seed
	views    []view     // by column
	values   []gateMemo // by gate
	process  []processMemo
	file     []fileMemo
	sameTree bool
	matched  []*engine.Rule

	rec       record
	stamp     uint64      // number of the evaluation
	ofProcess *entityMemo // of the record's process; nil if nothing is remembered
	ofFile    *entityMemo // of the record's file; nil if nothing is remembered
	live      subset
	truth     truth
	key       []byte
	scratch
}

// NewEvaluator returns an evaluator of the set.
func (s *Set) NewEvaluator() *Evaluator {
	e := &Evaluator{
		set: s, seed: maphash.MakeSeed(),
		views: make([]view, len(s.columns)), values: make([]gateMemo, len(s.graph.gates)),
	}
	words := 0
	for i, c := range s.columns {
		words = max(words, c.words)
		e.views[i] = newView(c)
	}
	e.truth = make(truth, words)
	words = 0
	for i := range s.programs {
		words = max(words, s.programs[i].words)
	}
	e.live = newSubset(words)
	return e
}

// SameTree says whether, among the rows to come, those with one and the same slice as Ptree have the same process. The
// rows of a flattener do; then what was found for a process is remembered.
func (e *Evaluator) SameTree(yes bool) { e.sameTree = yes && e.set.ofProcess > 0 }

// Eval returns the rules that match a row, in the order of the policy files, or drop if a drop rule discards it. num is
// the number of the row in the engine's input, counted from 1. The slice is valid until the next call; the rules are
// shared and never change.
func (e *Evaluator) Eval(row *sfgo.FlatRecord, num int64) (matched []*engine.Rule, drop bool) {
	p := e.set.program(recordType(row))
	e.rec = record{row, num}
	e.stamp++
	e.ofProcess, e.ofFile = nil, nil
	if e.sameTree && len(row.Ptree) > 0 {
		e.ofProcess = e.processMemo(row)
	}
	if p.ofFile > 0 {
		e.ofFile = e.fileMemo(row)
	}
	e.matched = e.matched[:0]
	live := e.live[:p.words]
	copy(live, p.all)
	if !e.filter(p, live) {
		return nil, false
	}
	for w, word := range live {
		for ; word != 0; word &= word - 1 {
			i := w*64 + bits.TrailingZeros64(word)
			if !e.holds(p.conds[i]) {
				continue
			}
			if p.rules[i] == nil {
				return nil, true
			}
			e.matched = append(e.matched, p.rules[i])
		}
	}
	return e.matched, false
}

// filter removes the conditions that single columns refute from live. It returns false if none is left.
func (e *Evaluator) filter(p *program, live subset) bool {
	filters := p.filter
	if e.ofProcess != nil && p.ofProcess > 0 {
		if !live.keep(e.aliveFor(e.ofProcess, p, p.filter[:p.ofProcess])) {
			return false
		}
		filters = p.filter[p.ofProcess:]
	}
	if e.ofFile != nil && p.ofFile > 0 {
		ofFile := p.filter[p.ofProcess:][:p.ofFile]
		if !live.keep(e.aliveFor(e.ofFile, p, ofFile)) {
			return false
		}
		if e.ofProcess != nil {
			filters = p.filter[p.ofProcess+p.ofFile:]
		}
	}
	for i := range filters {
		if f := &filters[i]; live.severalIn(f.affects) && !live.keep(e.alive(p, f.column)) {
			return false
		}
	}
	return true
}

// alive returns the conditions of p that what is known of a column does not refute.
func (e *Evaluator) alive(p *program, column int32) subset {
	v := e.look(column)
	if v.alive[p.index] == nil {
		v.alive[p.index] = e.set.alive(p, column, v.truth)
	}
	return v.alive[p.index]
}

// holds returns the value of a gate.
func (e *Evaluator) holds(x int32) bool {
	n := &e.set.graph.gates[x]
	if n.op == opTest {
		v := &e.views[n.column]
		if v.stamp != e.stamp {
			e.look(n.column)
		}
		return v.now.truth.has(n.bit)
	}
	if !n.kept {
		return e.compute(n)
	}
	m := &e.values[x]
	if m.stamp != e.stamp {
		m.value = e.compute(n)
		m.stamp = e.stamp
	}
	return m.value
}

// compute evaluates a gate that is not a test.
func (e *Evaluator) compute(n *gate) bool {
	switch n.op {
	case opTrue:
		return true
	case opPair:
		return e.set.pairs[n.bit].holds(e.rec, &e.scratch)
	case opNot:
		return !e.holds(n.kids[0])
	case opAnd:
		for _, k := range n.kids {
			if !e.holds(k) {
				return false
			}
		}
		return true
	case opOr:
		for _, k := range n.kids {
			if e.holds(k) {
				return true
			}
		}
		return false
	case opOne:
		count := 0
		for _, k := range n.kids {
			if e.holds(k) {
				count++
			}
		}
		return count == 1
	default:
		return false
	}
}
