package policy

import (
	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// column is an attribute, or an aspect of it, with all tests of the set on its values. What becomes of the tests
// follows from the values alone, so an evaluator remembers it for values it has seen.
type column struct {
	reader
	field *field.Field
	tests []matcher
	bits  map[string]int32 // positions in tests, by their keys; for building only

	index *index
	words int // of a truth
	slot  int // of the row, where the value is on all records that have one; below 0 if it has to be read
	// ofProcess numbers the columns whose values follow from the process, ofFile those whose values follow from the
	// file; they are below 0 for others.
	ofProcess, ofFile int

	// direct says that the tests are so cheap that remembering their results does not pay.
	direct bool
}

// truth is a set of tests of a column: those that hold.
type truth []uint64

func (t truth) has(bit int32) bool { return t[bit>>6]>>(bit&63)&1 != 0 }
func (t truth) set(bit int32)      { t[bit>>6] |= 1 << (bit & 63) }

// costs of evaluating tests on a value, compared with looking the value up.
const (
	directTests = 6 // tests whose truths can be numbered
	directCost  = 6
)

// finish decides how the column is evaluated, once all tests are known.
func (c *column) finish() {
	c.bits = nil
	c.words = (len(c.tests) + 63) / 64
	cost := 0
	for _, m := range c.tests {
		cost += m.cost
	}
	if c.build != nil { // what an index answers needs no string to be made of the text
		c.index = newIndex(c.tests, 1)
		return
	}
	c.direct = len(c.tests) <= directTests && cost <= directCost
	c.index = newIndex(c.tests, minIndexed)
}

// constant says whether all records of a type have the same value.
func (c *column) constant(recordType int64) bool {
	return !c.counter && (c.field.FromType || !c.field.Applies.Has(recordType))
}

func (c *column) testText(s string, t truth)           { c.index.ofText(s, c.tests, t) }
func (c *column) testBytes(b []byte, t truth)          { c.index.ofBytes(b, c.tests, t) }
func (c *column) testNumber(v int64, ok bool, t truth) { c.index.ofNumber(v, ok, c.tests, t) }

// testNone sets the bits of the tests that hold where there are no values.
func (c *column) testNone(t truth) {
	for i := range c.tests {
		if c.tests[i].none {
			t.set(int32(i))
		}
	}
}

// test returns what holds for the values of a record.
func (c *column) test(r record, sc *scratch) truth {
	t := make(truth, c.words)
	switch {
	case c.counted:
		c.testNumber(int64(c.count(r, sc)), true, t)
	case c.counter:
		c.testNumber(r.num, true, t)
	case c.number != nil:
		v, ok := c.number(r.row)
		c.testNumber(v, ok, t)
	case c.text != nil:
		c.testText(c.text(r.row), t)
	case c.build != nil:
		sc.buf = c.build(r.row, sc.buf[:0])
		c.testBytes(sc.buf, t)
	case c.texts != nil:
		sc.texts = c.texts(r.row, sc.texts[:0])
		for _, s := range sc.texts {
			c.testText(s, t)
		}
		if len(sc.texts) == 0 {
			c.testNone(t)
		}
	default:
		sc.ints = c.numbers(r.row, sc.ints[:0])
		for _, v := range sc.ints {
			c.testNumber(v, true, t)
		}
		if len(sc.ints) == 0 {
			c.testNone(t)
		}
	}
	return t
}

// blank returns a row of a type that has no values.
func blank(recordType int64) *sfgo.FlatRecord {
	row := &sfgo.FlatRecord{
		Sources: []sfgo.Source{sfgo.SYSFLOW_SRC},
		Ints:    [][]int64{make([]int64, sfgo.INT_ARRAY_SIZE)},
		Strs:    [][]string{make([]string, sfgo.STR_ARRAY_SIZE)},
		Anys:    [][]any{make([]any, sfgo.ANY_ARRAY_SIZE)},
	}
	row.Ints[sfgo.SYSFLOW_IDX][sfgo.SF_REC_TYPE] = recordType
	return row
}

// cost estimates what it costs to learn what holds for a record.
func (c *column) cost() int {
	switch {
	case c.many() || c.counted:
		return 6
	case c.build != nil:
		return 4
	case c.direct && c.numeric():
		return 1
	case c.direct:
		return 2
	default:
		return 3
	}
}
