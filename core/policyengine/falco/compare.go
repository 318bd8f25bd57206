package falco

import (
	"slices"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// operator is what an operator word means.
type operator struct {
	op     policy.Op
	class  class
	negate bool // !=
	lists  bool // it takes a list, in which names stand for lists
}

// class says which types an operator applies to.
type class uint8

const (
	equality class = iota + 1
	order          // numbers
	textual        // anything that can be taken as text
	bytewise       // buffers, which SysFlow data never has
)

var operators = map[string]operator{
	"=":           {op: policy.Eq, class: equality},
	"==":          {op: policy.Eq, class: equality},
	"!=":          {op: policy.Eq, class: equality, negate: true},
	"in":          {op: policy.Eq, class: equality, lists: true},
	"intersects":  {op: policy.Eq, class: equality, lists: true},
	"<":           {op: policy.Lt, class: order},
	"<=":          {op: policy.Le, class: order},
	">":           {op: policy.Gt, class: order},
	">=":          {op: policy.Ge, class: order},
	"contains":    {op: policy.Contains, class: textual},
	"icontains":   {op: policy.IContains, class: textual},
	"startswith":  {op: policy.StartsWith, class: textual},
	"endswith":    {op: policy.EndsWith, class: textual},
	"glob":        {op: policy.Glob, class: textual},
	"iglob":       {op: policy.IGlob, class: textual},
	"regex":       {op: policy.Regex, class: textual},
	"pmatch":      {op: policy.Contains, class: textual, lists: true}, // but see compare
	"bcontains":   {class: bytewise},
	"bstartswith": {class: bytewise},
}

// element is a literal on the right side of a comparison. One that a list stands for has the place of the list's name.
type element struct {
	span
	text string
}

// comparison resolves a comparison.
func (s *scope) comparison(x *comparison, negated bool) policy.Node {
	op := operators[x.op.text]
	if op.negate {
		negated = !negated
	}
	left, v := s.operand(x.left)
	if op.lists && v == known && s.falco && left.falcoName() && x.op.text == "pmatch" {
		op.op = policy.PathPrefix
	}
	right, elems, rv := s.right(x, op)
	switch {
	case v == wrong || rv == wrong:
		return policy.Const(false)
	case v == lacking || rv == lacking:
		return s.lacking(x, op, left, v, elems, negated)
	case !applies(op, &left):
		s.report("E401", x.op.span, "operator '%s' cannot be used with %s attribute '%s'", x.op.text, left.typ, left.label())
		return policy.Const(false)
	case right != nil:
		return s.compareOperands(x, op, left, *right)
	}
	return s.compareLiterals(x, op, left, elems, negated)
}

// applies says whether an operator can be used with an operand.
func applies(op operator, left *typed) bool {
	switch op.class {
	case equality:
		return true
	case order:
		return left.typ == field.Int || left.typ == field.Flags || left.hasNumber()
	case textual:
		return isText(left.typ)
	}
	return false
}

// hasNumber says whether the operand is a text that has an integer as well.
func (t *typed) hasNumber() bool { return t.typ == field.Str && t.plain() && t.Field.Int != nil }

// right resolves the right side of a comparison: an operand or literals.
func (s *scope) right(x *comparison, op operator) (*typed, []element, verdict) {
	switch x.form {
	case callForm:
		right, v := s.operand(*x.call)
		return &right, nil, v
	case listName:
		l := x.list[0]
		if s.lists[l.text] == nil {
			s.unknownList(l)
			return nil, nil, wrong
		}
		return nil, s.expand(nil, l), known
	case oneValue:
		return s.single(x)
	}
	if len(x.list) == 0 {
		s.report("W313", x.right, "list is empty and never matches")
	}
	var elems []element
	for _, l := range x.list {
		switch isList := !l.quoted && s.lists[l.text] != nil; {
		case isList && (op.lists || x.quant != ""):
			elems = s.expand(elems, l)
			continue
		case isList:
			s.warnName(l, "list", "in ("+l.text+")")
		case !l.quoted && s.attributeName(l.text):
			s.warnName(l, "attribute", "val("+l.text+")")
		}
		elems = append(elems, element{l.span, l.text})
	}
	return nil, elems, known
}

// single resolves one value: an attribute if it is written without quotes and there is one of that name, else text.
func (s *scope) single(x *comparison) (*typed, []element, verdict) {
	l := x.list[0]
	if !l.quoted {
		if name, sub, ok := splitSubscript(l); ok && s.attributeName(name.text) {
			right, v := s.operand(operand{span: l.span, attr: name, sub: sub})
			return &right, nil, v
		}
		if s.lists[l.text] != nil {
			s.warnName(l, "list", "in ("+l.text+")")
		}
	}
	return nil, []element{{l.span, l.text}}, known
}

// splitSubscript splits a value that may be an attribute into its name and what stands in brackets after it.
func splitSubscript(v value) (name word, sub *word, ok bool) {
	name = v.word
	i := strings.IndexByte(v.text, '[')
	if i < 0 {
		return name, nil, true
	}
	name.text, name.end = v.text[:i], v.start+i
	inner, closed := strings.CutSuffix(v.text[i+1:], "]")
	return name, &word{span{v.start + i + 1, v.end - 1}, inner}, closed && inner != "" && !strings.ContainsAny(inner, "[]")
}

func (s *scope) attributeName(text string) bool {
	_, ok := s.catalogue.Lookup(text, s.falco)
	return ok
}

func (s *scope) warnName(l value, kind, use string) {
	s.report("W308", l.span, "'%s' is compared as text, but %s of that name exists; use %s", l.text, article(kind), use)
}

func article(kind string) string {
	if kind == "attribute" {
		return "an attribute"
	}
	return "a " + kind
}

func (s *scope) unknownList(l value) {
	if s.macros[l.text] != nil {
		s.report("E303", l.span, "'%s' is a macro, not a list", l.text)
		return
	}
	d := s.report("E303", l.span, "unknown list '%s'", l.text)
	if d.Hints = didYouMean(l.text, sortedKeys(s.lists)); d.Hints == nil {
		d.Hints = []string{"write (" + l.text + ") for a list of one value"}
	}
}

// expand appends the values of the list that l names.
func (s *scope) expand(dst []element, l value) []element {
	for _, v := range s.values(l.text) {
		dst = append(dst, element{l.span, v})
	}
	return dst
}

// isNA says whether a literal asks for a missing value.
func isNA(text string) bool { return text == "<NA>" || text == "N/A" }

// lacking returns what a comparison is that SysFlow data cannot answer.
func (s *scope) lacking(x *comparison, op operator, left typed, v verdict, elems []element, negated bool) policy.Node {
	if op.class == bytewise && !s.checkHex(elems) {
		return policy.Const(false)
	}
	holds := v == lacking && op.op == policy.Eq && !op.negate && slices.ContainsFunc(elems, func(e element) bool { return isNA(e.text) })
	if v != lacking {
		left.name, left.span, left.unsupported = x.call.attr.text, x.call.span, x.call.unsupported
	}
	if op.negate {
		negated = !negated // the term as a whole is the constant, not its opposite
	}
	return s.never(left, negated, holds)
}

// checkHex reports literals that are not a string of bytes.
func (s *scope) checkHex(elems []element) bool {
	for _, e := range elems {
		ok := len(e.text)%2 == 0
		for i := range len(e.text) {
			ok = ok && isHex(e.text[i])
		}
		if !ok {
			s.report("E408", e.span, "'%s' is not a string of hexadecimal byte pairs", e.text)
			return false
		}
	}
	return true
}

// compareOperands resolves a comparison of two operands.
func (s *scope) compareOperands(x *comparison, op operator, left, right typed) policy.Node {
	if basic(left.typ) == 0 || basic(left.typ) != basic(right.typ) || op.class == order && left.typ != field.Int {
		s.report("E404", x.right, "'%s' (%s) cannot be compared with '%s' (%s)", left.label(), left.typ, right.label(), right.typ)
		return policy.Const(false)
	}
	if op.op == policy.Regex {
		s.report("E406", x.right, "invalid regular expression: it must be text, not an attribute")
		return policy.Const(false)
	}
	var node policy.Node = &policy.Test{Op: op.op, Left: left.Operand, Right: &right.Operand}
	if op.negate {
		return not(node)
	}
	return node
}

// basic returns a type that stands for all types comparable with each other, or 0 if there is none.
func basic(t field.Type) field.Type {
	switch {
	case isText(t):
		return field.Str
	case t == field.Net:
		return 0
	}
	return t
}

// compareLiterals resolves a comparison with literals.
func (s *scope) compareLiterals(x *comparison, op operator, left typed, elems []element, negated bool) policy.Node {
	if op.negate && x.form == explicitList && x.quant == "" && distinct(elems) > 1 {
		s.report("W310", x.op.span, "'!=' with several list elements is always true; use 'not %s in (…)'", left.shown)
	}
	lits := make([]policy.Literal, 0, len(elems))
	var never []element // literals that never match
	for _, e := range elems {
		lit, match := s.literal(op, &left, e)
		switch match {
		case known:
			lits = append(lits, lit)
		case wrong:
			return policy.Const(false)
		default:
			never = append(never, e)
		}
	}
	if len(never) > 0 && left.Field.Answers != nil && (len(lits) == 0 || op.negate) {
		s.unanswerable = union(s.unanswerable, []string{left.name})
		return s.never(left, negated != op.negate, false)
	}
	s.noteNever(&left, never, negated)
	t := policy.Test{Op: op.op, Left: left.Operand, Lits: lits}
	switch {
	case op.negate:
		return s.differs(x, t, len(never) > 0)
	case x.quant == "allof":
		if len(never) > 0 || len(lits) == 0 {
			return policy.Const(false)
		}
		t.Quant = policy.AllOf
	case len(lits) == 0:
		return policy.Const(false)
	case x.quant == "oneof":
		t.Quant = policy.OneOf
	case left.Field.Counter && left.plain():
		return s.counter(t)
	}
	return &t
}

// distinct returns the number of different texts.
func distinct(elems []element) int {
	seen := map[string]bool{}
	for _, e := range elems {
		seen[e.text] = true
	}
	return len(seen)
}

// noteNever records literals that SysFlow data cannot answer: event types that it never has, for example.
func (s *scope) noteNever(left *typed, never []element, negated bool) {
	if len(never) == 0 {
		return
	}
	switch {
	case left.Field.Name == evtType:
		for _, e := range never {
			s.unanswerable = union(s.unanswerable, []string{"event " + e.text})
		}
	case left.Field.Answers != nil:
		s.unanswerable = union(s.unanswerable, []string{left.name})
	default:
		return
	}
	s.inverted = s.inverted || negated
	s.upright = s.upright || !negated
}

// differs builds `!=`. With a list it holds if the value differs from any of the elements, or from as many as the
// quantifier says.
func (s *scope) differs(x *comparison, t policy.Test, never bool) policy.Node {
	tests := make([]policy.Node, 0, len(t.Lits)+1)
	for i := range t.Lits {
		one := t
		one.Lits = t.Lits[i : i+1]
		tests = append(tests, not(s.folded(one)))
	}
	switch {
	case x.quant == "oneof":
		return s.differsFromOne(t, tests, never)
	case x.quant == "allof":
		if len(tests) == 0 && !never {
			return policy.Const(false)
		}
		return and(tests)
	case never: // from which everything differs
		return policy.Const(true)
	}
	return or(tests)
}

// differsFromOne builds `!= oneof`: one element differs and all others are equal.
func (s *scope) differsFromOne(t policy.Test, tests []policy.Node, never bool) policy.Node {
	all := t
	all.Quant = policy.AllOf
	if never {
		if len(t.Lits) == 0 {
			return policy.Const(true)
		}
		return &all
	}
	for i := range tests {
		before, after := all, all
		before.Lits, after.Lits = t.Lits[:i], t.Lits[i+1:]
		parts := []policy.Node{tests[i]}
		for _, rest := range []policy.Test{before, after} {
			if len(rest.Lits) > 0 {
				parts = append(parts, &rest)
			}
		}
		tests[i] = and(parts)
	}
	return or(tests)
}

// folded returns a test with one literal, or the constant that it is.
func (s *scope) folded(t policy.Test) policy.Node {
	if t.Left.Field.Counter && len(t.Left.Apply) == 0 {
		return s.counter(t)
	}
	return &t
}

// counter decides tests of a counter, which begins with 1, as far as they can be decided.
func (s *scope) counter(t policy.Test) policy.Node {
	nodes := make([]policy.Node, len(t.Lits))
	for i, lit := range t.Lits {
		n := lit.Int
		switch {
		case lit.Missing, t.Op == policy.Eq && n < 1, t.Op == policy.Lt && n <= 1, t.Op == policy.Le && n < 1:
			nodes[i] = policy.Const(false)
		case t.Op == policy.Gt && n < 1, t.Op == policy.Ge && n <= 1:
			nodes[i] = policy.Const(true)
		default:
			one := t
			one.Lits = t.Lits[i : i+1]
			nodes[i] = &one
		}
	}
	return or(nodes)
}
