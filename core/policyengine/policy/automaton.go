package policy

import "slices"

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
func find[T string | []byte](m *automaton, text T, t truth) {
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
