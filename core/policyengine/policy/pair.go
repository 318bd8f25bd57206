package policy

import (
	"fmt"
	"slices"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// record is what a condition is evaluated on.
type record struct {
	row *sfgo.FlatRecord
	num int64 // counts the records of the engine's input, from 1
}

// number is an integer or an address that may be missing.
type number struct {
	v  int64
	ok bool
}

// side is an operand of a comparison of two attributes.
type side struct {
	reader
	field *field.Field
	apply []Transform
}

// pair is a comparison of two attributes. It holds if it holds for any pair of their values.
type pair struct {
	op          Op
	left, right side
	numbers     bool // both are compared as numbers, else as texts
}

// scratch is memory for the values of one record.
type scratch struct {
	buf            []byte
	texts          []string
	ints           []int64
	aTexts, bTexts []string
	aNums, bNums   []number
}

// newPair checks a comparison of two attributes.
func newPair(t *Test) (*pair, error) {
	p := &pair{op: t.Op}
	ordered := t.Op >= Lt && t.Op <= Ge
	var err error
	if p.left, err = newSide(&t.Left, ordered || isInt(t.Right)); err != nil {
		return nil, err
	}
	if p.right, err = newSide(t.Right, ordered || isInt(&t.Left)); err != nil {
		return nil, err
	}
	l, r := p.left.integers(), p.right.integers()
	switch {
	case l != r:
		return nil, fmt.Errorf("an integer cannot be compared with a text")
	case l && t.Op != Eq && !ordered || !l && (ordered || t.Op == Exists || t.Op == Regex):
		return nil, fmt.Errorf("operator %d cannot compare two attributes of these types", t.Op)
	}
	p.numbers = l || t.Op == Eq && p.left.addresses() && p.right.addresses()
	return p, nil
}

// newSide returns how an operand is read; number says that of a text with an integer the integer is wanted.
func newSide(o *Operand, number bool) (side, error) {
	a := plain
	switch hasLen, many := slices.Contains(o.Apply, Len), o.many(); {
	case hasLen && many:
		a = count
	case o.Field.Type == field.Flags && number:
		a = asInt
	case o.Field.Type == field.Flags:
		a = asText
	case number && o.hasInt():
		a = asInt
	}
	r, err := newReader(o, a)
	s := side{reader: r, field: o.Field, apply: o.Apply}
	if err == nil && a != count && r.numeric() && !r.address && len(o.Apply) > 0 {
		err = fmt.Errorf("a transformer of texts cannot be applied to numbers")
	}
	return s, err
}

// isInt says whether an operand can be nothing but an integer or a boolean.
func isInt(o *Operand) bool {
	t := o.Field.Type
	return len(o.Apply) == 0 && o.Path == "" && (t == field.Int || t == field.Bool) || slices.Contains(o.Apply, Len)
}

// integers says whether the values of s are integers or booleans.
func (s *side) integers() bool {
	return s.counted || s.numeric() && !s.address || slices.Contains(s.apply, Len)
}

func (s *side) addresses() bool { return s.numeric() && s.address && len(s.apply) == 0 }

// applies says whether one of the two attributes may have a value on a type of record.
func (p *pair) applies(t int64) bool {
	return p.left.field.Applies.Has(t) || p.right.field.Applies.Has(t) || p.left.counter || p.right.counter
}

// holds evaluates the comparison.
func (p *pair) holds(r record, sc *scratch) bool {
	if p.numbers {
		sc.aNums = p.left.appendNumbers(sc.aNums[:0], r, sc)
		sc.bNums = p.right.appendNumbers(sc.bNums[:0], r, sc)
		for _, a := range sc.aNums {
			for _, b := range sc.bNums {
				if compareNumbers(p.op, a, b, p.left.addresses()) {
					return true
				}
			}
		}
		return false
	}
	sc.aTexts = p.left.appendTexts(sc.aTexts[:0], r, sc)
	sc.bTexts = p.right.appendTexts(sc.bTexts[:0], r, sc)
	holds := textOps[p.op]
	for _, a := range sc.aTexts {
		for _, b := range sc.bTexts {
			if holds(a, b) {
				return true
			}
		}
	}
	return false
}

// compareNumbers compares two numbers. A missing integer equals 0 and has no order; a missing address is like an empty
// text, and equals another missing one only.
func compareNumbers(op Op, a, b number, address bool) bool {
	if op == Eq {
		return a.v == b.v && (!address || a.ok == b.ok)
	}
	return a.ok && b.ok && inOrder(op, a.v, b.v)
}

// appendNumbers appends the values of a side whose values are numbers.
func (s *side) appendNumbers(dst []number, r record, sc *scratch) []number {
	switch {
	case s.counted:
		return append(dst, number{int64(s.count(r, sc)), true})
	case !s.numeric(): // len of a text
		sc.texts = s.rawTexts(sc.texts[:0], r, sc)
		for _, t := range sc.texts {
			dst = append(dst, number{int64(len(s.transform(t))), true})
		}
		return dst
	case s.address && len(s.apply) > 0: // len of an address
		return append(dst, number{int64(len(s.transform(s.dotted(r)))), true})
	}
	return s.rawNumbers(dst, r, sc)
}

// rawNumbers appends numbers as they are read.
func (s *side) rawNumbers(dst []number, r record, sc *scratch) []number {
	switch {
	case s.counter:
		return append(dst, number{r.num, true})
	case s.number != nil:
		v, ok := s.number(r.row)
		return append(dst, number{v, ok})
	}
	sc.ints = s.numbers(r.row, sc.ints[:0])
	for _, v := range sc.ints {
		dst = append(dst, number{v, true})
	}
	return dst
}

// dotted returns the text of a single address.
func (s *side) dotted(r record) string { return dotted(s.number(r.row)) }

// appendTexts appends the values of a side whose values are compared as texts.
func (s *side) appendTexts(dst []string, r record, sc *scratch) []string {
	n := len(dst)
	if s.numeric() {
		sc.bNums = s.rawNumbers(sc.bNums[:0], r, sc)
		for _, v := range sc.bNums {
			dst = append(dst, dotted(v.v, v.ok))
		}
	} else {
		dst = s.rawTexts(dst, r, sc)
	}
	for i := n; i < len(dst); i++ {
		dst[i] = s.transform(dst[i])
	}
	return dst
}

// rawTexts appends texts as they are read.
func (s *side) rawTexts(dst []string, r record, sc *scratch) []string {
	switch {
	case s.texts != nil:
		return s.texts(r.row, dst)
	case s.build != nil:
		sc.buf = s.build(r.row, sc.buf[:0])
		return append(dst, string(sc.buf))
	default:
		return append(dst, s.text(r.row))
	}
}

// transform applies the transformers of texts, which len may follow.
func (s *side) transform(t string) string {
	for _, f := range s.apply {
		if f != Len {
			t = transformText(f, t)
		}
	}
	return t
}

// count returns the number of values of a counting reader.
func (r *reader) count(rec record, sc *scratch) int {
	if r.texts != nil {
		sc.texts = r.texts(rec.row, sc.texts[:0])
		return len(sc.texts)
	}
	sc.ints = r.numbers(rec.row, sc.ints[:0])
	return len(sc.ints)
}
