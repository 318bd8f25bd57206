package falco

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// maxCondition bounds the memory that a syntax tree takes, which is some hundred times that of the text; nobody writes
// a condition of that length.
const maxCondition = 256 << 10

// resolver turns the items of a set into rules. Each macro is resolved once, when it is first needed.
type resolver struct {
	*loader
	falco     bool // Falco mode
	catalogue *field.Catalogue
	parser    *parser
	macros    map[string]*macro
	lists     map[string]*listState
	path      []string // the macros that are being resolved, each used by the one before
}

// macro is a macro with what became of it.
type macro struct {
	item *item
	busy bool    // being resolved: a reference to it closes a cycle
	done *result // nil: not yet resolved
	used bool    // by a rule or drop
}

// result is a resolved condition.
type result struct {
	node   policy.Node
	height int // levels of the tree, macros included
	facts
}

// facts are what became known of a condition while it was resolved.
type facts struct {
	unanswerable []string // fields and event types that SysFlow data never has
	unknown      []string // names that no attribute has
	inverted     bool     // one of the unanswerable terms stands under an odd number of `not`
	upright      bool     // one of them does not
	broken       bool     // an error was reported
}

// add adds the facts of a part, which stands under `not` or does not.
func (f *facts) add(part facts, negated bool) {
	f.unanswerable = union(f.unanswerable, part.unanswerable)
	f.unknown = union(f.unknown, part.unknown)
	if negated {
		part.inverted, part.upright = part.upright, part.inverted
	}
	f.inverted = f.inverted || part.inverted
	f.upright = f.upright || part.upright
	f.broken = f.broken || part.broken
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(slices.Clip(a), s)
		}
	}
	return a
}

// user is the rule or drop for which a condition is resolved.
type user struct {
	kind, name string
	at         place
	lenient    bool // unknown attributes are not errors, because nothing that counts uses them
	silent     bool // unknown and unanswerable attributes are not reported: the rule is left out if it has some
}

// scope is a condition that is being resolved.
type scope struct {
	*resolver
	text    text
	scalars bool // the text is put together from scalars, so that only those parts of it mean something
	macro   bool // the condition is that of a macro
	user    *user
	depth   int // levels of syntax tree above this one, also those of conditions that use this one
	facts
}

// summarised says whether the one warning that a rule gets is all that is told of what SysFlow data cannot answer. That
// is so in Falco mode, where rules are not written for SysFlow and name such things at every turn, and for rules that are
// left out for it.
func (s *scope) summarised() bool {
	return s.user.silent || s.falco && s.user.kind == "rule"
}

// report adds a problem at a piece of the condition.
func (s *scope) report(code string, at span, format string, args ...any) *policy.Diagnostic {
	d := s.resolver.report(code, s.text.place(at.start, at.end), format, args...)
	if s.macro && s.user.name != "" {
		d.Notes = append(d.Notes, "used by "+s.user.kind+" '"+s.user.name+"' ("+s.user.at.String()+")")
	}
	if code[0] == 'E' {
		s.broken = true
	}
	return d
}

// condition parses and resolves the condition of an item. Of an item that is broken elsewhere, it only tells what is wrong
// with the condition as well.
func (r *resolver) condition(it *item, u *user, depth int) *result {
	v := it.values["condition"]
	if v == nil || strings.TrimSpace(v.text.s) == "" {
		return &result{node: policy.Const(false), facts: facts{broken: true}}
	}
	s := &scope{resolver: r, text: v.text, macro: it.kind == macroKind, user: u, depth: depth}
	if n := len(v.text.s); n > maxCondition {
		s.report("E110", span{0, 1}, "value of 'condition' must be text of at most %d bytes, found %d", maxCondition, n)
		return &result{node: policy.Const(false), facts: s.facts}
	}
	x, err := r.parser.parse(v.text.s)
	if err == nil {
		err = joints(v.text.s, v.joints)
	}
	if err != nil {
		s.syntax(err)
		return &result{node: policy.Const(false), facts: s.facts}
	}
	s.warnPrecedence(x, v.joints)
	node, height := s.expr(x, false)
	if it.broken {
		return &result{node: policy.Const(false), facts: facts{broken: true}}
	}
	return &result{node, height, s.facts}
}

// joints checks that the parts that were appended to a condition begin with a conjunction.
func joints(cond string, joints []int) *syntaxError {
	for _, at := range joints {
		at += len(cond[at:]) - len(strings.TrimLeft(cond[at:], " \t\r\n"))
		word := cond[at:endOfWord(cond, at)]
		if i := strings.IndexByte(word, '('); i > 0 {
			word = word[:i]
		}
		if word != "and" && word != "or" {
			return &syntaxError{
				span: span{at, at + len(word)}, code: "E201",
				message: "unexpected '" + word + "', expected 'and' or 'or'",
				hint:    "what is appended to a condition is joined to its text",
			}
		}
	}
	return nil
}

// warnPrecedence warns where `and …` was appended to alternatives, since it binds to the last one only.
func (s *scope) warnPrecedence(x expr, joints []int) {
	or, ok := x.(*logical)
	if !ok || !or.or {
		return
	}
	for _, at := range joints {
		at += len(s.text.s[at:]) - len(strings.TrimLeft(s.text.s[at:], " \t\r\n"))
		if or.xs[1].where().start < at && strings.HasPrefix(s.text.s[at:], "and") {
			s.report("W507", span{at, at + len("and")}, "appended 'and …' binds only to the last alternative of 'or'; add parentheses")
		}
	}
}

// syntax reports a syntax error.
func (s *scope) syntax(err *syntaxError) {
	msg := err.message
	if err.opened != nil {
		p := s.text.place(err.opened.start, err.opened.end)
		msg += fmt.Sprintf("%d:%d", p.line, p.col)
	}
	d := s.report(err.code, err.span, "%s", msg)
	if err.hint != "" {
		d.Hints = append(d.Hints, err.hint)
	}
	if err.code == "E209" {
		d.Hints = append(d.Hints, didYouMean(s.text.s[err.start:err.end], sortedKeys(s.macros))...)
	}
}

// expr resolves an expression; negated says whether it stands under an odd number of `not`.
func (s *scope) expr(x expr, negated bool) (policy.Node, int) {
	s.depth++
	defer func() { s.depth-- }()
	switch x := x.(type) {
	case *logical:
		return s.logical(x, negated)
	case *negation:
		node, height := s.expr(x.x, !negated)
		return not(node), height + 1
	case *reference:
		node, height := s.reference(x, negated)
		return s.term(x, node), height
	case *exists:
		return s.term(x, s.exists(x, negated)), 1
	default:
		return s.term(x, s.comparison(x.(*comparison), negated)), 1
	}
}

// term returns a node with what its author wrote for it.
func (s *scope) term(x expr, n policy.Node) policy.Node {
	if _, constant := n.(policy.Const); constant {
		return n
	}
	at := x.where()
	t := &policy.Term{X: n, Text: s.text.s[at.start:at.end]}
	switch x := x.(type) {
	case *reference:
		t.Macro = true
	case *comparison:
		if s.scalars {
			at, t.Text = x.right, s.joined(x)
		}
	}
	if strings.ContainsAny(t.Text, "\n\t") {
		t.Text = strings.Join(strings.Fields(t.Text), " ")
	}
	first := s.text.place(at.start, at.start)
	t.Pos = policy.Pos{File: first.src.name, Line: first.line, Col: first.col}
	return t
}

func (s *scope) logical(x *logical, negated bool) (policy.Node, int) {
	nodes := make([]policy.Node, len(x.xs))
	height := 0
	for i, x := range x.xs {
		var h int
		nodes[i], h = s.expr(x, negated)
		height = max(height, h)
	}
	if x.or {
		return or(nodes), height + 1
	}
	return and(nodes), height + 1
}

// reference resolves a macro's name.
func (s *scope) reference(x *reference, negated bool) (policy.Node, int) {
	m := s.macros[x.name]
	if m == nil {
		s.unknownMacro(x)
		return policy.Const(false), 1
	}
	m.used = true
	if m.busy {
		s.report("E304", x.span, "macros form a cycle: %s", s.cycle(x.name))
		return policy.Const(false), 1
	}
	if m.done == nil {
		if s.depth > maxDepth {
			s.tooDeep(x.span)
			return policy.Const(false), 1
		}
		m.busy = true
		s.path = append(s.path, x.name)
		m.done = s.condition(m.item, s.user, s.depth)
		s.path = s.path[:len(s.path)-1]
		m.busy = false
	}
	s.add(m.done.facts, negated)
	if s.depth+m.done.height > maxDepth && !m.done.broken {
		s.tooDeep(x.span)
		return policy.Const(false), 1
	}
	return m.done.node, m.done.height
}

// cycle shows the macros from name to the one that refers back to it.
func (r *resolver) cycle(name string) string {
	i := slices.Index(r.path, name)
	return strings.Join(append(slices.Clone(r.path[i:]), name), " → ")
}

func (s *scope) tooDeep(at span) {
	s.report("E208", at, "condition is nested deeper than 1000 levels")
}

func (s *scope) unknownMacro(x *reference) {
	if s.lists[x.name] != nil {
		s.report("E302", x.span, "'%s' is a list, not a macro", x.name)
		return
	}
	d := s.report("E302", x.span, "unknown macro '%s'", x.name)
	d.Hints = didYouMean(x.name, sortedKeys(s.macros))
}

// sortedKeys yields the keys of m in order.
func sortedKeys[V any](m map[string]V) iter.Seq[string] {
	return slices.Values(slices.Sorted(maps.Keys(m)))
}
