package policy

import (
	"cmp"
	"slices"
)

// anchor says where in a text a pattern must occur.
type anchor uint8

const (
	anywhere anchor = iota
	atStart
	atEnd
)

// maxTransitions bounds the memory of an automaton: four bytes each.
const maxTransitions = 1 << 20

// automaton finds which of many patterns occur in a text, in one pass over it: after Aho and Corasick, or only along a
// trie if the patterns must occur at one end of the text.
type automaton struct {
	anchor anchor
	class  [256]uint16 // of bytes: those in no pattern are of class 0
	width  int         // classes
	next   []int32     // by state*width+class: a state; below 0 the state -n, where patterns end
	ends   [][]int32   // by state: the tests whose patterns end there
}

// pattern is a text that belongs to a test. Patterns are not empty.
type pattern struct {
	text string
	test int32
}

// newAutomaton returns an automaton, or nil if it would be too large.
func newAutomaton(a anchor, patterns []pattern) *automaton {
	m := &automaton{anchor: a, width: 1}
	size := 1
	for _, p := range patterns {
		size += len(p.text)
		for i := range len(p.text) {
			if c := &m.class[p.text[i]]; *c == 0 {
				*c = uint16(m.width)
				m.width++
			}
		}
	}
	if size*m.width > maxTransitions {
		return nil
	}
	m.grow()
	for _, p := range patterns {
		m.insert(p)
	}
	if a == anywhere {
		m.link()
	}
	for i, s := range m.next {
		if s > 0 && len(m.ends[s]) > 0 {
			m.next[i] = -s
		}
	}
	return m
}

// grow adds a state.
func (m *automaton) grow() int32 {
	m.next = append(m.next, make([]int32, m.width)...)
	m.ends = append(m.ends, nil)
	return int32(len(m.ends) - 1)
}

// insert adds the states of a pattern to the trie. A pattern at the end of texts is read backwards.
func (m *automaton) insert(p pattern) {
	s := int32(0)
	for i := range len(p.text) {
		if m.anchor == atEnd {
			i = len(p.text) - 1 - i
		}
		at := int(s)*m.width + int(m.class[p.text[i]])
		if m.next[at] == 0 {
			m.next[at] = m.grow()
		}
		s = m.next[at]
	}
	m.ends[s] = append(m.ends[s], p.test)
}

// link makes a trie find patterns anywhere: where a state has no successor, that of the longest suffix of what was read
// takes its place.
func (m *automaton) link() {
	suffix := make([]int32, len(m.ends))
	queue := []int32{0}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for c := range m.width {
			at := int(s)*m.width + c
			after := int32(0) // where the suffix goes
			if s != 0 {
				after = m.next[int(suffix[s])*m.width+c]
			}
			child := m.next[at]
			if child == 0 {
				m.next[at] = after
				continue
			}
			suffix[child] = after
			m.ends[child] = append(m.ends[child], m.ends[after]...)
			queue = append(queue, child)
		}
	}
	for s := range m.ends {
		slices.Sort(m.ends[s])
		m.ends[s] = slices.Compact(m.ends[s])
	}
}

// find sets the bits of the tests whose patterns occur in text.
func (m *automaton) find(text string, t truth) {
	s := int32(0)
	for i := range len(text) {
		b := text[i]
		if m.anchor == atEnd {
			b = text[len(text)-1-i]
		}
		s = m.next[int(s)*m.width+int(m.class[b])]
		if s < 0 {
			s = -s
			for _, test := range m.ends[s] {
				t.set(test)
			}
		} else if s == 0 && m.anchor != anywhere {
			return
		}
	}
}

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

// newIndex returns an index of tests.
func newIndex(tests []matcher) *index {
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
		if literals[op] < minIndexed || !x.add(op, tests, byOp[op]) {
			x.rest = append(x.rest, byOp[op]...)
		}
	}
	slices.SortFunc(x.rest, func(a, b int32) int { return cmp.Compare(tests[a].cost, tests[b].cost) })
	return x
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
