package field

import (
	"iter"
	"math/bits"
	"strings"
)

// Name is one of a closed set of values: what is written, and what it stands for. Of an Enum it is the number in the
// record; of Flags it is a mask on [Field.Bits], and holds if any of its bits is set; of an Int it is the integer.
type Name struct {
	Text  string
	Value int64
}

// Names is the closed set of the values of a field. It never changes.
type Names struct {
	list  []Name          // canonical, in the order they are printed in
	exact map[string]Name // spellings that count only as they are
	fold  map[string]Name // lower-case spellings
}

// newNames returns the set of list, in which each name may also be written with prefix before it.
func newNames(prefix string, list ...Name) *Names {
	n := &Names{list: list, exact: map[string]Name{}, fold: map[string]Name{}}
	for _, v := range list {
		n.accept(prefix, v)
	}
	return n
}

// accept adds a spelling that is accepted but never printed.
func (n *Names) accept(prefix string, v Name) {
	n.fold[strings.ToLower(v.Text)] = v
	n.fold[strings.ToLower(prefix+v.Text)] = v
}

// Find returns the name that text stands for: any case, with or without the prefix of the set.
func (n *Names) Find(text string) (Name, bool) {
	if v, ok := n.exact[text]; ok {
		return v, true
	}
	v, ok := n.fold[strings.ToLower(text)]
	return v, ok
}

// All yields the canonical names in the order they are printed in.
func (n *Names) All() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, v := range n.list {
			if !yield(v.Text) {
				return
			}
		}
	}
}

// numbered returns a set whose names stand for 0, 1, 2, ….
func numbered(prefix string, texts ...string) *Names {
	list := make([]Name, len(texts))
	for i, t := range texts {
		list[i] = Name{t, int64(i)}
	}
	return newNames(prefix, list...)
}

// flagNames returns the set of a bitmap whose bit i is called texts[i].
func flagNames(prefix string, texts ...string) *Names {
	list := make([]Name, len(texts))
	for i, t := range texts {
		list[i] = Name{t, 1 << i}
	}
	return newNames(prefix, list...)
}

// appendSet appends the names of the bits set, of a set made by flagNames.
func (n *Names) appendSet(dst []string, set int64) []string {
	for b := uint64(set); b != 0; b &= b - 1 {
		if i := bits.TrailingZeros64(b); i < len(n.list) {
			dst = append(dst, n.list[i].Text)
		}
	}
	return dst
}
