package policy

import (
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"strings"
)

// matcher is a positive test on one value. Of its functions the one that fits the values is set.
type matcher struct {
	text   func(s string) bool
	number func(v int64, ok bool) bool // ok is false if the value is missing
	none   bool                        // the result where there are no values at all
	cost   int                         // roughly, in comparisons of short texts
	index  indexed
}

// newMatcher returns the test that op holds between a value that r reads, transformed by apply, and any of lits.
func newMatcher(op Op, lits []Literal, apply []Transform, r *reader) (matcher, error) {
	missing := equalsMissing(lits)
	if missing && op != Eq {
		return matcher{}, fmt.Errorf("operator %d with a literal for missing values", op)
	}
	m := matcher{none: missing, cost: len(apply), index: indexable(op, lits, apply, r)}
	var err error
	switch n := slices.Index(apply, Len); {
	case r.counted:
		m.number, err = matchNumber(op, lits)
	case n >= 0 && n != len(apply)-1:
		err = fmt.Errorf("a transformer of texts cannot follow len")
	case n >= 0:
		var number func(v int64, ok bool) bool
		number, err = matchNumber(op, lits)
		m.text = func(s string) bool { return number(int64(len(s)), true) }
		apply = apply[:n]
	case r.numeric() && r.address && len(apply) == 0 && (op == Eq || op == Exists):
		m.number, err = matchAddress(op, lits)
	case r.numeric() && !r.address && len(apply) == 0:
		m.number, err = matchNumber(op, lits)
	case r.numeric() && !r.address:
		err = fmt.Errorf("a transformer of texts cannot be applied to numbers")
	default:
		m.text, err = matchText(op, lits)
		m.cost += textCost(op, len(lits))
	}
	if err != nil {
		return matcher{}, err
	}
	if m.text != nil {
		m.text = transformed(m.text, apply)
	}
	if m.text != nil && r.address && !r.counted { // the dotted text
		text := m.text
		m.text, m.cost = nil, m.cost+4
		m.number = func(v int64, ok bool) bool { return text(dotted(v, ok)) }
	}
	return m, nil
}

// indexable returns what an index needs to answer a test of a text or an integer as it is read. It does not know
// missing numbers, nor empty patterns.
func indexable(op Op, lits []Literal, apply []Transform, r *reader) indexed {
	texts := r.text != nil || r.build != nil || r.texts != nil && !r.counted
	if len(apply) > 0 || r.address || !texts && (op != Eq || equalsMissing(lits)) {
		return indexed{}
	}
	switch op {
	case Eq:
		if texts && equalsMissing(lits) {
			lits = append(slices.Clone(lits), Literal{})
		}
	case Contains, StartsWith, EndsWith:
		if slices.ContainsFunc(lits, func(l Literal) bool { return l.Text == "" }) {
			return indexed{}
		}
	default:
		return indexed{}
	}
	return indexed{op, lits}
}

// equalsMissing says whether one of lits stands for a missing value.
func equalsMissing(lits []Literal) bool {
	return slices.ContainsFunc(lits, func(l Literal) bool { return l.Missing })
}

// textCost estimates the cost of a text operator.
func textCost(op Op, lits int) int {
	switch op {
	case Exists, Eq:
		return 1
	case StartsWith, EndsWith:
		return lits
	case Contains, PathPrefix:
		return 3 * lits
	default:
		return 10 * lits
	}
}

// transformed returns a test that applies transformers first.
func transformed(test func(s string) bool, apply []Transform) func(s string) bool {
	if len(apply) == 0 {
		return test
	}
	return func(s string) bool {
		for _, t := range apply {
			s = transformText(t, s)
		}
		return test(s)
	}
}

// dotted returns the text of an address, or nothing if it is missing.
func dotted(v int64, ok bool) string {
	if !ok {
		return ""
	}
	return netip.AddrFrom4([4]byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)}).String()
}

// matchText returns the test of a text against any of lits.
func matchText(op Op, lits []Literal) (func(s string) bool, error) {
	switch op {
	case Exists:
		return func(s string) bool { return s != "" }, nil
	case Eq:
		return equalsAny(lits), nil
	case Regex:
		return matchesAny(lits)
	case Contains, IContains, StartsWith, EndsWith, Glob, IGlob, PathPrefix:
		holds := textOps[op]
		if len(lits) == 1 {
			want := lits[0].Text
			return func(s string) bool { return holds(s, want) }, nil
		}
		return func(s string) bool {
			return slices.ContainsFunc(lits, func(l Literal) bool { return holds(s, l.Text) })
		}, nil
	}
	return nil, fmt.Errorf("operator %d cannot be used with a text", op)
}

// textOps are the operators that compare two texts.
var textOps = [...]func(s, lit string) bool{
	Eq:         func(s, lit string) bool { return s == lit },
	Contains:   strings.Contains,
	IContains:  containsFold,
	StartsWith: strings.HasPrefix,
	EndsWith:   strings.HasSuffix,
	Glob:       func(s, lit string) bool { return glob(s, lit, false) },
	IGlob:      func(s, lit string) bool { return glob(s, lit, true) },
	PathPrefix: pathPrefix,
}

// equalsAny returns the test that a text equals one of lits.
func equalsAny(lits []Literal) func(s string) bool {
	if len(lits) == 1 && !lits[0].Missing {
		want := lits[0].Text
		return func(s string) bool { return s == want }
	}
	set := make(map[string]bool, len(lits))
	for _, l := range lits {
		set[l.Text] = true
		if l.Missing {
			set[""] = true
		}
	}
	return func(s string) bool { return set[s] }
}

// matchNumber returns the test of a number against any of lits. A missing number is 0, but has no order.
func matchNumber(op Op, lits []Literal) (func(v int64, ok bool) bool, error) {
	switch op {
	case Exists:
		return func(v int64, _ bool) bool { return v != 0 }, nil
	case Eq:
		return equalsNumber(lits), nil
	case Lt, Le, Gt, Ge:
		if len(lits) == 0 {
			return func(int64, bool) bool { return false }, nil
		}
		// What is less than any of several numbers is less than the greatest.
		bound := lits[0].Int
		for _, l := range lits[1:] {
			if (l.Int > bound) == (op == Lt || op == Le) {
				bound = l.Int
			}
		}
		return func(v int64, ok bool) bool { return ok && inOrder(op, v, bound) }, nil
	}
	return nil, fmt.Errorf("operator %d cannot be used with a number", op)
}

func equalsNumber(lits []Literal) func(v int64, ok bool) bool {
	set := make(map[int64]bool, len(lits))
	missing := false
	for _, l := range lits {
		if l.Missing {
			missing = true
		} else {
			set[l.Int] = true
		}
	}
	if len(lits) == 1 && !missing {
		want := lits[0].Int
		return func(v int64, _ bool) bool { return v == want }
	}
	return func(v int64, ok bool) bool { return set[v] || missing && !ok }
}

// inOrder says whether a and b are in the order that op wants.
func inOrder(op Op, a, b int64) bool {
	switch op {
	case Lt:
		return a < b
	case Le:
		return a <= b
	case Gt:
		return a > b
	default:
		return a >= b
	}
}

// network is a set of IPv4 addresses that agree in the bits of mask; the first octet is the highest byte.
type network struct{ addr, mask uint32 }

// matchAddress returns the test that an address exists, or is in one of the networks of lits. IPv6 networks hold none.
func matchAddress(op Op, lits []Literal) (func(v int64, ok bool) bool, error) {
	if op == Exists {
		return func(v int64, ok bool) bool { return ok && v != 0 }, nil
	}
	var networks []network
	missing := false
	for _, l := range lits {
		missing = missing || l.Missing
		if l.Prefix.IsValid() && l.Prefix.Addr().Is4() {
			a := l.Prefix.Masked().Addr().As4()
			mask := ^uint32(0) << (32 - l.Prefix.Bits())
			networks = append(networks, network{uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3]), mask})
		}
	}
	return func(v int64, ok bool) bool {
		if !ok {
			return missing
		}
		a := bits.ReverseBytes32(uint32(v))
		return slices.ContainsFunc(networks, func(n network) bool { return a&n.mask == n.addr })
	}, nil
}

// matchBitmap returns the test that flags, as they were recorded, are one of lits as a whole. Flags that are missing
// are no values, unlike a missing integer.
func matchBitmap(lits []Literal) matcher {
	equal := equalsNumber(lits)
	missing := equalsMissing(lits)
	return matcher{cost: 1, number: func(v int64, ok bool) bool { return ok && equal(v, true) || missing && !ok }}
}

// matchBits returns the test that a set of flags has any of the bits of lits.
func matchBits(lits []Literal) matcher {
	var mask int64
	for _, l := range lits {
		mask |= l.Int
	}
	return matcher{cost: 1, number: func(v int64, _ bool) bool { return v&mask != 0 }}
}
