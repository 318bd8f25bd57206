package policy

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Limits of what an evaluator remembers of a column.
const (
	cacheBits   = 9       // values: 512
	maxText     = 1 << 10 // bytes of a text that is remembered
	maxVerdicts = 1 << 12 // distinct combinations of test results
)

// Evaluator evaluates a Set. It remembers what it found for values it has seen, within fixed limits, and holds scratch
// memory; so it is for one goroutine at a time.
type Evaluator struct {
	set     *Set
	seed    maphash.Seed
	views   []view     // by column
	values  []gateMemo // by gate
	matched []*engine.Rule

	rec   record
	stamp uint64 // number of the evaluation
	live  subset
	truth truth
	key   []byte
	scratch
}

// gateMemo is the value of a gate on the record with the stamp.
type gateMemo struct {
	stamp uint64
	value bool
}

// view is what an evaluator knows of a column.
type view struct {
	stamp uint64 // the record that now is about
	now   *verdict

	few      []*verdict          // by truth, if there are few tests
	verdicts map[string]*verdict // by truth, else
	texts    []textMemo          // values seen lately, by hash
	numbers  []numberMemo
}

type textMemo struct {
	text    string
	verdict *verdict
}

type numberMemo struct {
	number
	verdict *verdict
}

// verdict is what follows from a truth. Verdicts stay right for ever; those that are forgotten are made again.
type verdict struct {
	truth truth
	alive []subset // by program: the conditions that the truth does not refute; nil until it is asked for
}

// NewEvaluator returns an evaluator of the set.
func (s *Set) NewEvaluator() *Evaluator {
	e := &Evaluator{
		set: s, seed: maphash.MakeSeed(),
		views: make([]view, len(s.columns)), values: make([]gateMemo, len(s.graph.gates)),
	}
	words := 0
	for i, c := range s.columns {
		v := &e.views[i]
		words = max(words, c.words)
		if len(c.tests) <= directTests {
			v.few = make([]*verdict, 1<<len(c.tests))
		} else {
			v.verdicts = map[string]*verdict{}
		}
		switch {
		case c.direct || c.counter:
		case c.numeric():
			v.numbers = make([]numberMemo, 1<<cacheBits)
		default:
			v.texts = make([]textMemo, 1<<cacheBits)
		}
	}
	e.truth = make(truth, words)
	words = 0
	for i := range s.programs {
		words = max(words, s.programs[i].words)
	}
	e.live = newSubset(words)
	return e
}

// Eval returns the rules that match a row, in the order of the policy files, or drop if a drop rule discards it. num is
// the number of the row in the engine's input, counted from 1. The slice is valid until the next call; the rules are
// shared and never change.
func (e *Evaluator) Eval(row *sfgo.FlatRecord, num int64) (matched []*engine.Rule, drop bool) {
	p := e.set.program(recordType(row))
	e.rec = record{row, num}
	e.stamp++
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
	for i := range p.filter {
		f := &p.filter[i]
		if !live.severalIn(f.affects) {
			continue
		}
		v := e.look(f.column)
		alive := v.alive[p.index]
		if alive == nil {
			alive = e.set.alive(p, f.column, v.truth)
			v.alive[p.index] = alive
		}
		left := uint64(0)
		for w := range live {
			live[w] &= alive[w]
			left |= live[w]
		}
		if left == 0 {
			return false
		}
	}
	return true
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

// look returns the verdict on a column for the record at hand.
func (e *Evaluator) look(column int32) *verdict {
	c, v := e.set.columns[column], &e.views[column]
	if v.stamp == e.stamp {
		return v.now
	}
	v.stamp = e.stamp
	row := e.rec.row
	switch {
	case c.text != nil:
		v.now = e.ofText(c, v, c.text(row))
	case c.counted:
		v.now = e.ofNumber(c, v, int64(c.count(e.rec, &e.scratch)), true)
	case c.number != nil:
		n, ok := c.number(row)
		v.now = e.ofNumber(c, v, n, ok)
	case c.build != nil:
		e.buf = c.build(row, e.buf[:0])
		v.now = e.ofBytes(c, v, e.buf)
	case c.texts != nil:
		e.texts = c.texts(row, e.texts[:0])
		v.now = e.ofTexts(c, v, e.texts)
	case c.numbers != nil:
		e.ints = c.numbers(row, e.ints[:0])
		v.now = e.ofNumbers(c, v, e.ints)
	default: // the number of the record: never seen before
		t := e.empty(c)
		c.testNumber(e.rec.num, true, t)
		v.now = e.verdict(v, t)
	}
	return v.now
}

// empty returns scratch memory for a truth.
func (e *Evaluator) empty(c *column) truth {
	t := e.truth[:c.words]
	clear(t)
	return t
}

// ofText returns the verdict on a text.
func (e *Evaluator) ofText(c *column, v *view, s string) *verdict {
	if c.direct {
		t := e.empty(c)
		c.testText(s, t)
		return e.verdict(v, t)
	}
	m := &v.texts[maphash.String(e.seed, s)&(1<<cacheBits-1)]
	if m.text == s && m.verdict != nil {
		return m.verdict
	}
	t := e.empty(c)
	c.testText(s, t)
	found := e.verdict(v, t)
	if len(s) <= maxText {
		*m = textMemo{s, found}
	}
	return found
}

// ofBytes is ofText for a text that is put together in scratch memory; it is copied only if it is new.
func (e *Evaluator) ofBytes(c *column, v *view, b []byte) *verdict {
	if !c.direct {
		if m := &v.texts[maphash.Bytes(e.seed, b)&(1<<cacheBits-1)]; m.text == string(b) && m.verdict != nil {
			return m.verdict
		}
	}
	return e.ofText(c, v, string(b))
}

// ofNumber returns the verdict on a number.
func (e *Evaluator) ofNumber(c *column, v *view, n int64, ok bool) *verdict {
	if c.direct {
		t := e.empty(c)
		c.testNumber(n, ok, t)
		return e.verdict(v, t)
	}
	const golden = 0x9e3779b97f4a7c15 // spreads neighbours
	m := &v.numbers[uint64(n)*golden>>(64-cacheBits)]
	if m.number == (number{n, ok}) && m.verdict != nil {
		return m.verdict
	}
	t := e.empty(c)
	c.testNumber(n, ok, t)
	found := e.verdict(v, t)
	*m = numberMemo{number{n, ok}, found}
	return found
}

// ofTexts returns the verdict on several texts: a test holds if it holds for one of them.
func (e *Evaluator) ofTexts(c *column, v *view, texts []string) *verdict {
	if len(texts) == 1 {
		return e.ofText(c, v, texts[0])
	}
	var sum [8]uint64
	t := e.sum(c, sum[:0])
	for _, s := range texts {
		merge(t, e.ofText(c, v, s).truth)
	}
	if len(texts) == 0 {
		c.testNone(t)
	}
	return e.verdict(v, t)
}

// ofNumbers returns the verdict on several numbers.
func (e *Evaluator) ofNumbers(c *column, v *view, numbers []int64) *verdict {
	var sum [8]uint64
	t := e.sum(c, sum[:0])
	for _, n := range numbers {
		merge(t, e.ofNumber(c, v, n, true).truth)
	}
	if len(numbers) == 0 {
		c.testNone(t)
	}
	return e.verdict(v, t)
}

// sum returns an empty truth that is not the one that single values use: in buf, if it is large enough.
func (e *Evaluator) sum(c *column, buf []uint64) truth {
	if c.words <= cap(buf) {
		return truth(buf[:c.words])
	}
	return make(truth, c.words)
}

func merge(dst, src truth) {
	for i, w := range src {
		dst[i] |= w
	}
}

// verdict returns what follows from a truth, which it copies if it has not seen it yet.
func (e *Evaluator) verdict(v *view, t truth) *verdict {
	if v.few != nil {
		if found := v.few[t[0]]; found != nil {
			return found
		}
		v.few[t[0]] = e.newVerdict(t)
		return v.few[t[0]]
	}
	e.key = e.key[:0]
	for _, w := range t {
		e.key = binary.LittleEndian.AppendUint64(e.key, w)
	}
	if found := v.verdicts[string(e.key)]; found != nil {
		return found
	}
	if len(v.verdicts) == maxVerdicts {
		clear(v.verdicts)
	}
	found := e.newVerdict(t)
	v.verdicts[string(e.key)] = found
	return found
}

func (e *Evaluator) newVerdict(t truth) *verdict {
	return &verdict{truth: append(truth(nil), t...), alive: make([]subset, len(e.set.programs))}
}
