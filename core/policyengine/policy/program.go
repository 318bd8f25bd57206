package policy

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

// program is what a set does with records of one type. What the type decides is gone from its conditions, and rules that
// cannot match are left out.
//
// Most records match nothing, and most rules fail because of one attribute: the operation, the name of the process, the
// path. So rules are not tried one by one at first. Every value of a column leaves a subset of the rules alive, those
// that it does not refute alone; for values seen before, this subset is known. The intersection over a few columns has
// hardly a rule left, and only for these conditions are evaluated.
type program struct {
	index int            // of the program in its set
	conds []int32        // gates; first those of drop rules
	rules []*engine.Rule // of conds; nil for drop rules
	words int            // of a set of conds
	all   subset

	filter    []filter
	ofProcess int // how many of filter, the first ones, follow from the process
	ofFile    int // how many of filter, those after them, follow from the file
}

// subset is a set of the conditions of a program.
type subset []uint64

func newSubset(words int) subset { return make(subset, words) }
func (s subset) add(i int)       { s[i>>6] |= 1 << (i & 63) }
func (s subset) remove(i int)    { s[i>>6] &^= 1 << (i & 63) }

func (s subset) count() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// keep removes what is not in t and says whether anything is left.
func (s subset) keep(t subset) bool {
	left := uint64(0)
	for i := range s {
		s[i] &= t[i]
		left |= s[i]
	}
	return left != 0
}

// any says whether s and t have an element in common.
func (s subset) any(t subset) bool {
	for i := range s {
		if s[i]&t[i] != 0 {
			return true
		}
	}
	return false
}

// severalIn says whether s and t have at least two elements in common.
func (s subset) severalIn(t subset) bool {
	one := false
	for i, w := range s {
		if w &= t[i]; w != 0 {
			if one || w&(w-1) != 0 {
				return true
			}
			one = true
		}
	}
	return false
}

// filter is a column whose values refute conditions.
type filter struct {
	column  int32
	affects subset // the conditions that it is likely to refute
}

// compile returns the program of s for a type of record.
func (s *Set) compile(index int, recordType int64, drops, rules []int32) program {
	p := program{index: index}
	byType := typeKnowledge{
		set: s, recordType: recordType, blank: record{row: blank(recordType), num: 1}, truths: map[int32]truth{},
	}
	done := map[int32]int32{}
	add := func(cond int32, rule *engine.Rule) {
		if cond = s.graph.restrict(cond, byType.leaf, done); cond != falseGate {
			p.conds = append(p.conds, cond)
			p.rules = append(p.rules, rule)
		}
	}
	for i, d := range s.policy.Drops {
		if d.Enabled {
			add(drops[i], nil)
		}
	}
	for i, r := range s.policy.Rules {
		if r.Enabled && (r.Prefilter == 0 || r.Prefilter.Has(recordType)) {
			add(rules[i], r.Rule)
		}
	}
	p.words = (len(p.conds) + 63) / 64
	p.all = newSubset(p.words)
	for i := range p.conds {
		p.all.add(i)
	}
	p.filter = s.filters(&p)
	for p.ofProcess < len(p.filter) && s.columns[p.filter[p.ofProcess].column].ofProcess >= 0 {
		p.ofProcess++
	}
	for rest := p.filter[p.ofProcess:]; p.ofFile < len(rest) && s.columns[rest[p.ofFile].column].ofFile >= 0; {
		p.ofFile++
	}
	return p
}

// typeKnowledge is what follows from the type of a record: the values of some attributes, and that others have none.
type typeKnowledge struct {
	set        *Set
	recordType int64
	blank      record // of that type
	truths     map[int32]truth
	scratch    scratch
}

// leaf returns the constant that a test or pair is on all records of the type, or else itself.
func (k *typeKnowledge) leaf(x int32) int32 {
	g := k.set.graph
	n := &g.gates[x]
	if n.op == opPair {
		if p := k.set.pairs[n.bit]; !p.applies(k.recordType) {
			return g.constant(p.holds(k.blank, &k.scratch))
		}
		return x
	}
	c := k.set.columns[n.column]
	if !c.constant(k.recordType) {
		return x
	}
	t, ok := k.truths[n.column]
	if !ok {
		t = c.test(k.blank, &k.scratch)
		k.truths[n.column] = t
	}
	return g.constant(t.has(n.bit))
}

// filters chooses the columns that a program looks at before it tries conditions one by one: first those that follow
// from the process, then those that follow from the file, since what they refute is remembered for each process and file;
// then the best first, those that refute many conditions and are cheap to look at.
func (s *Set) filters(p *program) []filter {
	byColumn := map[int32]subset{}
	refuters := map[int32]refuter{}
	for i, cond := range p.conds {
		for _, c := range s.refuters(cond, refuters).no {
			if byColumn[c] == nil {
				byColumn[c] = newSubset(p.words)
			}
			byColumn[c].add(i)
		}
	}
	var list []filter
	for c, affects := range byColumn {
		if affects.count() > 1 || s.columns[c].ofProcess >= 0 || s.columns[c].ofFile >= 0 {
			list = append(list, filter{c, affects})
		}
	}
	slices.SortFunc(list, func(a, b filter) int {
		return cmp.Or(
			cmp.Compare(min(s.columns[b.column].ofProcess, 0), min(s.columns[a.column].ofProcess, 0)),
			cmp.Compare(min(s.columns[b.column].ofFile, 0), min(s.columns[a.column].ofFile, 0)),
			cmp.Compare(b.affects.count()*s.columns[a.column].cost(), a.affects.count()*s.columns[b.column].cost()),
			cmp.Compare(a.column, b.column))
	})
	return list
}

// refuter says which columns are likely to decide a gate alone, each sorted.
type refuter struct {
	no  []int32 // those that make it false
	yes []int32 // those that make it true
}

// refuters returns what is likely to decide a gate. A test is likely to fail, so an And fails when one of its kids
// does, and an Or when its kids fail for the same reason. done holds what is known already.
func (s *Set) refuters(x int32, done map[int32]refuter) refuter {
	if r, ok := done[x]; ok {
		return r
	}
	var r refuter
	switch n := &s.graph.gates[x]; n.op {
	case opTest:
		r.no = []int32{n.column}
	case opNot:
		k := s.refuters(n.kids[0], done)
		r = refuter{no: k.yes, yes: k.no}
	case opAnd, opOr, opOne:
		for i, k := range n.kids {
			kid := s.refuters(k, done)
			switch {
			case i == 0:
				r = kid
			case n.op == opAnd:
				r = refuter{no: union(r.no, kid.no), yes: intersection(r.yes, kid.yes)}
			default:
				r = refuter{no: intersection(r.no, kid.no), yes: union(r.yes, kid.yes)}
			}
		}
	}
	done[x] = r
	return r
}

func union(a, b []int32) []int32 {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func intersection(a, b []int32) []int32 {
	var both []int32
	for _, x := range a {
		if _, found := slices.BinarySearch(b, x); found {
			both = append(both, x)
		}
	}
	return both
}

// alive returns the conditions of p that t, what is known of column c, does not refute.
func (s *Set) alive(p *program, c int32, t truth) subset {
	live := slices.Clone(p.all)
	i := slices.IndexFunc(p.filter, func(f filter) bool { return f.column == c })
	done := map[int32]ternary{}
	leaf := func(n *gate) ternary {
		if n.op != opTest || n.column != c {
			return unknown
		}
		return known(t.has(n.bit))
	}
	for w, word := range p.filter[i].affects {
		for ; word != 0; word &= word - 1 {
			k := w*64 + bits.TrailingZeros64(word)
			if s.graph.value(p.conds[k], leaf, done) == no {
				live.remove(k)
			}
		}
	}
	return live
}
