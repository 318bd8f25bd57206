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
	fileBits    = 11      // files: 2,048
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

// entityMemo is what was found for an entity, a process or a file.
type entityMemo struct {
	verdicts []*verdict // of the columns that follow from the entity; nil until they are asked for
	alive    []subset   // by program: the conditions that none of these columns refutes
	done     uint       // the programs for which alive is up to date
}

// forget makes room for what is found for another entity.
func (m *entityMemo) forget(columns, programs int) {
	m.done = 0
	if m.verdicts == nil {
		m.verdicts = make([]*verdict, columns)
		m.alive = make([]subset, programs)
	}
	clear(m.verdicts)
}

// processMemo is what was found for a process.
type processMemo struct {
	tree []*sfgo.Process
	entityMemo
}

// fileMemo is what was found for a file, by all that its columns are read from.
type fileMemo struct {
	path       string
	kind       int64 // of the file
	recordType int64
	entityMemo
}

// spread multiplies neighbours far apart, so that the upper bits of the product serve as a hash.
const spread = 0x9e3779b97f4a7c15

// processMemo returns what is remembered of the process of a row with a tree.
func (e *Evaluator) processMemo(row *sfgo.FlatRecord) *entityMemo {
	if e.process == nil {
		e.process = make([]processMemo, 1<<processBits)
	}
	pid := uint64(row.Ints[sfgo.SYSFLOW_IDX][sfgo.PROC_OID_HPID_INT])
	m := &e.process[pid*spread>>(64-processBits)]
	// Comparing the arrays is enough, and m keeps its array from being used for anything else.
	if len(m.tree) == len(row.Ptree) && &m.tree[0] == &row.Ptree[0] {
		return &m.entityMemo
	}
	m.tree = row.Ptree
	m.forget(e.set.ofProcess, len(e.set.programs))
	return &m.entityMemo
}

// fileMemo returns what is remembered of the file of a row. Files are told apart by their values, so any row will do; a
// row from a flattener has the very text that is remembered, so that comparing them is comparing addresses.
func (e *Evaluator) fileMemo(row *sfgo.FlatRecord) *entityMemo {
	ints, strs := row.Ints[sfgo.SYSFLOW_IDX], row.Strs[sfgo.SYSFLOW_IDX]
	path, oid := strs[sfgo.FILE_PATH_STR], strs[sfgo.FILE_OID_STR]
	if len(oid) < 8 || len(path) > maxText {
		return nil
	}
	if e.file == nil {
		e.file = make([]fileMemo, 1<<fileBits)
	}
	m := &e.file[hashOID(oid)>>(64-fileBits)]
	kind, recordType := ints[sfgo.FILE_RESTYPE_INT], ints[sfgo.SF_REC_TYPE]
	if m.verdicts != nil && m.path == path && m.kind == kind && m.recordType == recordType {
		return &m.entityMemo
	}
	m.path, m.kind, m.recordType = path, kind, recordType
	m.forget(e.set.ofFile, len(e.set.programs))
	return &m.entityMemo
}

// hashOID returns a hash of the text of a file's id, which is a hash itself: its first digits are as good as all.
func hashOID(oid string) uint64 {
	_ = oid[7]
	return (uint64(oid[0]) | uint64(oid[1])<<8 | uint64(oid[2])<<16 | uint64(oid[3])<<24 |
		uint64(oid[4])<<32 | uint64(oid[5])<<40 | uint64(oid[6])<<48 | uint64(oid[7])<<56) * spread
}

// aliveFor returns the conditions of p that none of some columns refutes, those that follow from the entity of m.
func (e *Evaluator) aliveFor(m *entityMemo, p *program, filters []filter) subset {
	if m.done>>p.index&1 != 0 {
		return m.alive[p.index]
	}
	m.done |= 1 << p.index
	if m.alive[p.index] == nil {
		m.alive[p.index] = newSubset(p.words)
	}
	live := m.alive[p.index]
	copy(live, p.all)
	for _, f := range filters {
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
	var m **verdict
	switch {
	case e.ofProcess != nil && c.ofProcess >= 0:
		m = &e.ofProcess.verdicts[c.ofProcess]
	case e.ofFile != nil && c.ofFile >= 0:
		m = &e.ofFile.verdicts[c.ofFile]
	default:
		v.now = e.read(c, v)
		return v.now
	}
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
