package policy

import (
	"cmp"
	"slices"
)

// index answers many tests of a column at once.
type index struct {
	texts   map[string][]int32 // tests that a text equals one of theirs
	numbers map[int64][]int32
	finders []*automaton
	rest    []int32 // tests that it does not answer
}

// indexed is what an index needs to know to answer a test; no literals if it cannot.
type indexed struct {
	op   Op
	lits []Literal
}

// minIndexed is how many literals of an operator make an index worth while.
const minIndexed = 6

// newIndex returns an index of tests, for operators with at least the given number of literals.
func newIndex(tests []matcher, literalsPerOp int) *index {
	x := &index{}
	byOp := map[Op][]int32{}
	literals := map[Op]int{}
	for i, m := range tests {
		if op := m.index.op; len(m.index.lits) > 0 {
			byOp[op] = append(byOp[op], int32(i))
			literals[op] += len(m.index.lits)
		} else {
			x.rest = append(x.rest, int32(i))
		}
	}
	for _, op := range []Op{Eq, Contains, StartsWith, EndsWith} {
		if literals[op] < literalsPerOp || !x.add(op, tests, byOp[op]) {
			x.rest = append(x.rest, byOp[op]...)
		}
	}
	slices.SortFunc(x.rest, func(a, b int32) int { return cmp.Compare(tests[a].cost, tests[b].cost) })
	return x
}

// ofText sets the bits of the tests that hold for a text.
func (x *index) ofText(s string, tests []matcher, t truth) {
	if x.texts != nil {
		for _, bit := range x.texts[s] {
			t.set(bit)
		}
	}
	for _, a := range x.finders {
		find(a, s, t)
	}
	for _, bit := range x.rest {
		if tests[bit].text(s) {
			t.set(bit)
		}
	}
}

// ofBytes is ofText for a text in scratch memory. It makes a string of it only for tests that are not indexed.
func (x *index) ofBytes(b []byte, tests []matcher, t truth) {
	if x.texts != nil {
		for _, bit := range x.texts[string(b)] {
			t.set(bit)
		}
	}
	for _, a := range x.finders {
		find(a, b, t)
	}
	if len(x.rest) == 0 {
		return
	}
	s := string(b)
	for _, bit := range x.rest {
		if tests[bit].text(s) {
			t.set(bit)
		}
	}
}

// ofNumber sets the bits of the tests that hold for a number.
func (x *index) ofNumber(v int64, ok bool, tests []matcher, t truth) {
	if x.numbers != nil {
		for _, bit := range x.numbers[v] {
			t.set(bit)
		}
	}
	for _, bit := range x.rest {
		if tests[bit].number(v, ok) {
			t.set(bit)
		}
	}
}

// add indexes the tests of an operator. It returns false if it cannot.
func (x *index) add(op Op, tests []matcher, ids []int32) bool {
	if op == Eq {
		x.addEqual(tests, ids)
		return true
	}
	var patterns []pattern
	for _, id := range ids {
		for _, l := range tests[id].index.lits {
			patterns = append(patterns, pattern{l.Text, id})
		}
	}
	anchors := map[Op]anchor{Contains: anywhere, StartsWith: atStart, EndsWith: atEnd}
	a := newAutomaton(anchors[op], patterns)
	if a == nil {
		return false
	}
	x.finders = append(x.finders, a)
	return true
}

func (x *index) addEqual(tests []matcher, ids []int32) {
	x.texts, x.numbers = map[string][]int32{}, map[int64][]int32{}
	for _, id := range ids {
		for _, l := range tests[id].index.lits {
			if tests[id].text != nil {
				x.texts[l.Text] = append(x.texts[l.Text], id)
			} else {
				x.numbers[l.Int] = append(x.numbers[l.Int], id)
			}
		}
	}
}
