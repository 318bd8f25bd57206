package falco

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// An exception becomes a syntax tree, so that its values need no quoting. Its tree refers to a text that is put together
// from its scalars, as the tree of a condition refers to the condition.

// exempt resolves a rule's exceptions and returns the condition without what they except.
func (r *resolver) exempt(it *item, cond *result, u *user) *result {
	v := it.values["exceptions"]
	if v == nil || it.broken {
		return cond
	}
	nodes := []policy.Node{cond.node}
	all := result{height: cond.height, facts: cond.facts}
	for i, e := range v.exceptions {
		if slices.ContainsFunc(v.exceptions[:i], func(o *exception) bool { return o.name.s == e.name.s }) {
			r.report("W503", e.name.all(), "exception '%s' is defined twice in rule '%s'", e.name.s, it.name.s)
		}
		b := exceptionBuilder{resolver: r, e: e}
		x := b.build()
		all.broken = all.broken || b.failed
		if x == nil || b.failed {
			continue
		}
		s := &scope{resolver: r, text: b.text, scalars: true, user: u}
		node, height := s.expr(x, true)
		nodes = append(nodes, not(node))
		all.height = max(all.height, height+1)
		all.add(s.facts, false) // expr knew that it was negated
	}
	all.node = and(nodes)
	return &all
}

// exceptionBuilder builds the syntax tree of an exception.
type exceptionBuilder struct {
	*resolver
	e      *exception
	text   text
	failed bool // something is wrong with it, which was reported
}

// fail reports what is wrong with the exception.
func (b *exceptionBuilder) fail(at place, format string, args ...any) {
	b.failed = true
	b.report("E502", at, "exception '%s': %s", b.e.name.s, fmt.Sprintf(format, args...))
}

// build returns the tree, or nil if the exception has no effect.
func (b *exceptionBuilder) build() expr {
	if b.e.fields == nil || len(b.e.fields.words) == 0 {
		b.fail(b.e.name.all(), "fields missing")
		return nil
	}
	fields := make([]operand, len(b.e.fields.words))
	for i, f := range b.e.fields.words {
		fields[i] = b.operand(f)
	}
	if b.e.fields.isList {
		return b.tuples(fields)
	}
	return b.set(fields[0])
}

// tuples returns the tree of an exception with several fields: any of its rows holds, that is, all of the row's cells.
func (b *exceptionBuilder) tuples(fields []operand) expr {
	comps := b.comparators(len(fields))
	if b.failed {
		return nil
	}
	var rows []expr
	for _, r := range b.e.values {
		if len(r.cells) != len(fields) {
			b.fail(r.at, "row has %d cells, expected %d", len(r.cells), len(fields))
			continue
		}
		var cells []expr
		for i, c := range r.cells {
			cells = append(cells, b.comparison(fields[i], comps[i], c.words, c.isList))
		}
		rows = append(rows, chainOf(false, cells))
	}
	if len(rows) == 0 {
		return nil
	}
	return chainOf(true, rows)
}

// set returns the tree of an exception with one field: it is compared with all values at once.
func (b *exceptionBuilder) set(field operand) expr {
	comp := comparator{op: word{text: "in"}}
	if b.e.comps != nil {
		if b.e.comps.isList || len(b.e.comps.words) != 1 {
			b.fail(b.e.comps.at, "fields and comps differ in length")
			return nil
		}
		comp = b.comparator(b.e.comps.words[0])
		if op := operators[comp.op.text]; !b.failed && !op.lists && comp.quant == "" {
			b.fail(b.e.comps.words[0].all(), "'%s' is not allowed", b.e.comps.words[0].s)
		}
	}
	var values []text
	for _, r := range b.e.values {
		if r.isList {
			b.report("E110", r.at, "value of 'values' must be text, found a list")
			b.failed = true
			continue
		}
		values = append(values, r.cells[0].words[0])
	}
	if b.failed || len(values) == 0 {
		return nil
	}
	return b.comparison(field, comp, values, true)
}

// chainOf joins conditions; a single one stands for itself.
func chainOf(or bool, xs []expr) expr {
	if len(xs) == 1 {
		return xs[0]
	}
	return &logical{span{xs[0].where().start, xs[len(xs)-1].where().end}, or, xs}
}

// comparator is an operator with its quantifier.
type comparator struct {
	op    word
	quant string
}

// comparators returns the operators of the columns.
func (b *exceptionBuilder) comparators(n int) []comparator {
	if b.e.comps == nil {
		return slices.Repeat([]comparator{{op: word{text: "="}}}, n)
	}
	if !b.e.comps.isList || len(b.e.comps.words) != n {
		b.fail(b.e.comps.at, "fields and comps differ in length")
		return nil
	}
	comps := make([]comparator, n)
	for i, w := range b.e.comps.words {
		comps[i] = b.comparator(w)
	}
	return comps
}

// comparator returns the operator that a text stands for.
func (b *exceptionBuilder) comparator(t text) comparator {
	words := strings.Fields(t.s)
	c := comparator{}
	if len(words) > 0 {
		c.op.text = words[0]
	}
	op, ok := operators[c.op.text]
	switch {
	case !ok || len(words) > 2:
		ok = false
	case len(words) == 2:
		c.quant = words[1]
		ok = (c.quant == "oneof" || c.quant == "anyof" || c.quant == "allof") && !op.lists && op.class != order
	}
	if !ok {
		b.fail(t.all(), "'%s' is not allowed", t.s)
	}
	c.op.span = b.add(t)
	return c
}

// comparison returns the comparison of a field with a value or, if isList is set, with values.
func (b *exceptionBuilder) comparison(field operand, c comparator, values []text, isList bool) expr {
	x := &comparison{left: field, op: c.op, quant: c.quant}
	lists := operators[c.op.text].lists || c.quant != ""
	if !isList && c.quant == "" && isExpression(values[0].s) {
		if x.call = b.call(values[0]); x.call != nil {
			x.form, x.right = callForm, x.call.span
		}
	} else {
		x.form = oneValue
		if isList || lists {
			x.form = explicitList
		}
		for _, v := range values {
			x.list = append(x.list, b.value(v, lists))
		}
		if n := len(x.list); n > 0 {
			x.right = span{x.list[0].start, x.list[n-1].end}
		} else {
			x.right = field.span
		}
	}
	x.span = span{field.start, x.right.end}
	return x
}

// joined returns a comparison that stands in an exception as it would stand in a condition, though without quotes.
func (s *scope) joined(x *comparison) string {
	words := []string{s.text.s[x.left.start:x.left.end], x.op.text}
	if x.quant != "" {
		words = append(words, x.quant)
	}
	if x.form != explicitList {
		return strings.Join(append(words, s.text.s[x.right.start:x.right.end]), " ")
	}
	values := make([]string, len(x.list))
	for i, v := range x.list {
		values[i] = s.text.s[v.start:v.end]
	}
	return strings.Join(words, " ") + " (" + strings.Join(values, ", ") + ")"
}

// value returns a literal. It is text and nothing else, unless names may stand for lists and it is the name of one.
func (b *exceptionBuilder) value(t text, lists bool) value {
	literal, quoted := literalItem(t.s)
	v := value{word: word{b.add(t), literal}, quoted: true}
	if lists && !quoted && b.lists[t.s] != nil {
		v.quoted = false
	}
	return v
}

// add adds a scalar to the text that the tree refers to and returns where it stands there.
func (b *exceptionBuilder) add(t text) span {
	if b.text.runs == nil {
		b.text = t
		return span{0, len(t.s)}
	}
	start := len(b.text.s) + 1
	b.text = join(b.text, t)
	return span{start, start + len(t.s)}
}

// isExpression says whether the text of a value is a call.
func isExpression(s string) bool {
	i := strings.IndexByte(s, '(')
	return i > 0 && strings.HasSuffix(s, ")") && (s[:i] == "val" || transformers[s[:i]] != 0)
}

// operand parses the name of a field.
func (b *exceptionBuilder) operand(t text) operand {
	x, err := b.parser.parse(t.s + " exists")
	if e, ok := x.(*exists); err == nil && ok {
		return e.x.shifted(b.add(t).start)
	}
	b.report("E201", t.all(), "unexpected '%s', expected an attribute", t.s)
	b.failed = true
	return operand{}
}

// call parses a value that is a call.
func (b *exceptionBuilder) call(t text) *operand {
	const before = "x = "
	x, err := b.parser.parse(before + t.s)
	if c, ok := x.(*comparison); err == nil && ok && c.call != nil {
		call := c.call.shifted(b.add(t).start - len(before))
		return &call
	}
	b.report("E201", t.all(), "unexpected '%s', expected an attribute in a call", t.s)
	b.failed = true
	return nil
}

// shifted returns the operand as it is by bytes further on in the text.
func (x operand) shifted(by int) operand {
	x.span = x.span.shifted(by)
	x.attr.span = x.attr.span.shifted(by)
	if x.sub != nil {
		x.sub = &word{x.sub.span.shifted(by), x.sub.text}
	}
	x.apply = slices.Clone(x.apply)
	for i := range x.apply {
		x.apply[i].span = x.apply[i].span.shifted(by)
	}
	return x
}

func (s span) shifted(by int) span { return span{s.start + by, s.end + by} }
