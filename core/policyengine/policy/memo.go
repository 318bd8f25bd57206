package policy

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Limits of what an evaluator remembers.
const (
	cacheBits   = 9       // values of a column: 512
	maxText     = 1 << 12 // bytes of a text that is remembered
	maxVerdicts = 1 << 12 // distinct combinations of the results of a column's tests
	processBits = 8       // processes: 256
)

// gateMemo is the value of a gate on the record with the stamp.
type gateMemo struct {
	stamp uint64
	value bool
}

// verdict is what follows from a truth. Verdicts stay right for ever; those that are forgotten are made again.
type verdict struct {
	truth truth
	alive []subset // by program: the conditions that the truth does not refute; nil until it is asked for
}

// view is what an evaluator knows of a column.
type view struct {
	stamp uint64 // the record that now is about
	now   *verdict

	few      []*verdict          // by truth, if there are few tests
	verdicts map[string]*verdict // by truth, else
	texts    []textMemo          // values seen lately, by hash
	built    []builtMemo
	numbers  []numberMemo
}

type textMemo struct {
	text    string
	verdict *verdict
}

// builtMemo remembers a text that was put together in scratch memory: it has a copy.
type builtMemo struct {
	text    []byte
	verdict *verdict
}

type numberMemo struct {
	number
	verdict *verdict
}

func newView(c *column) view {
	var v view
	if len(c.tests) <= directTests {
		v.few = make([]*verdict, 1<<len(c.tests))
	} else {
		v.verdicts = map[string]*verdict{}
	}
	switch {
	case c.direct || c.counter:
	case c.numeric():
		v.numbers = make([]numberMemo, 1<<cacheBits)
	case c.build != nil:
		v.built = make([]builtMemo, 1<<cacheBits)
	default:
		v.texts = make([]textMemo, 1<<cacheBits)
	}
	return v
}

// processMemo is what was found for a process.
type processMemo struct {
	tree     []*sfgo.Process
	verdicts []*verdict // of the columns that follow from the process; nil until they are asked for
	alive    []subset   // by program: the conditions that none of these columns refutes
	done     uint       // the programs for which alive is up to date
}

// spread multiplies neighbours far apart, so that the upper bits of the product serve as a hash.
const spread = 0x9e3779b97f4a7c15

// processMemo returns what is remembered of the process of a row with a tree.
func (e *Evaluator) processMemo(row *sfgo.FlatRecord) *processMemo {
	if e.process == nil {
		e.process = make([]processMemo, 1<<processBits)
	}
	pid := uint64(row.Ints[sfgo.SYSFLOW_IDX][sfgo.PROC_OID_HPID_INT])
	m := &e.process[pid*spread>>(64-processBits)]
	// Comparing the arrays is enough, and m keeps its array from being used for anything else.
	if len(m.tree) == len(row.Ptree) && &m.tree[0] == &row.Ptree[0] {
		return m
	}
	m.tree, m.done = row.Ptree, 0
	if m.verdicts == nil {
		m.verdicts = make([]*verdict, e.set.ofProcess)
		m.alive = make([]subset, len(e.set.programs))
	}
	clear(m.verdicts)
	return m
}

// aliveForProcess returns the conditions of p that none of the columns refutes that follow from the process.
func (e *Evaluator) aliveForProcess(p *program) subset {
	m := e.memo
	if m.done>>p.index&1 != 0 {
		return m.alive[p.index]
	}
	m.done |= 1 << p.index
	if m.alive[p.index] == nil {
		m.alive[p.index] = newSubset(p.words)
	}
	live := m.alive[p.index]
	copy(live, p.all)
	for _, f := range p.filter[:p.ofProcess] {
		if live.any(f.affects) {
			live.keep(e.alive(p, f.column))
		}
	}
	return live
}

// look returns the verdict on a column for the record at hand.
func (e *Evaluator) look(column int32) *verdict {
	c, v := e.set.columns[column], &e.views[column]
	if v.stamp == e.stamp {
		return v.now
	}
	v.stamp = e.stamp
	if e.memo == nil || c.ofProcess < 0 {
		v.now = e.read(c, v)
		return v.now
	}
	m := &e.memo.verdicts[c.ofProcess]
	if *m == nil {
		*m = e.read(c, v)
	}
	v.now = *m
	return v.now
}

// read returns the verdict on the values of the record at hand.
func (e *Evaluator) read(c *column, v *view) *verdict {
	row := e.rec.row
	switch {
	case c.slot >= 0 && c.text != nil:
		return e.ofText(c, v, row.Strs[sfgo.SYSFLOW_IDX][c.slot])
	case c.slot >= 0:
		return e.ofNumber(c, v, row.Ints[sfgo.SYSFLOW_IDX][c.slot], true)
	case c.text != nil:
		return e.ofText(c, v, c.text(row))
	case c.counted:
		return e.ofNumber(c, v, int64(c.count(e.rec, &e.scratch)), true)
	case c.number != nil:
		n, ok := c.number(row)
		return e.ofNumber(c, v, n, ok)
	case c.build != nil:
		e.buf = c.build(row, e.buf[:0])
		return e.ofBytes(c, v, e.buf)
	case c.texts != nil:
		e.texts = c.texts(row, e.texts[:0])
		return e.ofTexts(c, v, e.texts)
	case c.numbers != nil:
		e.ints = c.numbers(row, e.ints[:0])
		return e.ofNumbers(c, v, e.ints)
	default: // the number of the record: never seen before
		t := e.empty(c)
		c.testNumber(e.rec.num, true, t)
		return e.verdict(v, t)
	}
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

// ofBytes returns the verdict on a text in scratch memory.
func (e *Evaluator) ofBytes(c *column, v *view, b []byte) *verdict {
	m := &v.built[maphash.Bytes(e.seed, b)&(1<<cacheBits-1)]
	if m.verdict != nil && bytes.Equal(m.text, b) {
		return m.verdict
	}
	t := e.empty(c)
	c.testBytes(b, t)
	found := e.verdict(v, t)
	if len(b) <= maxText {
		m.text, m.verdict = append(m.text[:0], b...), found
	}
	return found
}

// ofNumber returns the verdict on a number.
func (e *Evaluator) ofNumber(c *column, v *view, n int64, ok bool) *verdict {
	if c.direct {
		t := e.empty(c)
		c.testNumber(n, ok, t)
		return e.verdict(v, t)
	}
	m := &v.numbers[uint64(n)*spread>>(64-cacheBits)]
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
