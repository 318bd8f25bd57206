package falco

import (
	"strconv"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// typed is an operand whose name is known, with the type of its values.
type typed struct {
	span
	policy.Operand
	name  string // of the attribute, as it is written
	shown string // the operand with its transformers
	typ   field.Type
	multi bool

	unsupported bool // a function that is known, but not supported
}

// sysflowPrefix begins SysFlow names; all others are Falco names.
const sysflowPrefix = "sf."

// falcoName says whether the attribute is written with a Falco name.
func (t *typed) falcoName() bool { return !strings.HasPrefix(t.name, sysflowPrefix) }

// label returns what messages call the operand.
func (t *typed) label() string {
	if len(t.Apply) > 0 {
		return t.shown
	}
	return t.name
}

// plain says whether the values are those of the field itself.
func (t *typed) plain() bool { return len(t.Apply) == 0 && t.Index < 0 && t.Path == "" }

// verdict says what is known of an operand or a term.
type verdict uint8

const (
	known   verdict = iota // it can be evaluated
	wrong                  // something is wrong with it, which was reported
	lacking                // SysFlow data never has it
)

// transformers are the functions on operands.
var transformers = map[string]policy.Transform{
	"tolower": policy.ToLower, "toupper": policy.ToUpper, "b64": policy.B64, "basename": policy.Basename, "len": policy.Len,
}

// operand resolves the names in an operand.
func (s *scope) operand(x operand) (typed, verdict) {
	name := x.attr.text
	t := typed{span: x.span, name: name, shown: s.text.s[x.attr.start:x.attr.end], Operand: policy.Operand{Index: -1}}
	if x.unsupported {
		if !s.user.silent {
			s.report("W409", x.attr.span, "%s() is not supported; the comparison is always false", name)
		}
		s.unanswerable = union(s.unanswerable, []string{name + "()"})
		t.unsupported = true
		return t, lacking
	}
	f, ok := s.catalogue.Lookup(name, s.falco)
	if !ok {
		return t, s.noAttribute(x)
	}
	if f.Deprecated != "" {
		s.deprecated(x.attr, f.Deprecated)
	}
	t.Field, t.typ, t.multi = f, f.Type, f.Multi
	if x.sub != nil && !s.subscript(&t, *x.sub) {
		return t, wrong
	}
	for _, fn := range x.apply {
		if !s.transform(&t, fn) {
			return t, wrong
		}
	}
	return t, known
}

// deprecated tells of a name that has a better one. Rule files made for Falco use some such names all over, and whoever
// loads them cannot change that: one notice is enough.
func (s *scope) deprecated(name word, better string) {
	const format = "'%s' is deprecated; use '%s'"
	if strings.HasPrefix(name.text, sysflowPrefix) {
		s.report("W312", name.span, format, name.text, better)
		return
	}
	s.reportOnce("W312", s.text.place(name.start, name.end), format, name.text, better)
}

// noAttribute reports a name that is not in the catalogue.
func (s *scope) noAttribute(x operand) verdict {
	name := x.attr.text
	if s.catalogue.Unanswerable(name) {
		s.unanswerable = union(s.unanswerable, []string{name})
		return lacking
	}
	s.unknown = union(s.unknown, []string{name})
	if s.user.silent {
		return wrong
	}
	d := s.report("E301", x.attr.span, "unknown attribute '%s'", name)
	if s.user.lenient {
		d.Severity = policy.Warning
	}
	if s.lists[name] != nil {
		d.Hints = []string{"'" + name + "' is a list: write A in (" + name + ")"}
		return wrong
	}
	d.Hints = didYouMean(name, s.catalogue.Names())
	return wrong
}

// subscript applies what stands in brackets after an attribute.
func (s *scope) subscript(t *typed, sub word) bool {
	switch t.Field.Subscript {
	case field.Index:
		n, err := strconv.ParseUint(sub.text, 10, 31)
		if err != nil {
			s.report("E305", sub.span, "argument '%s' must be a non-negative integer", sub.text)
			return false
		}
		t.Index, t.multi = int(n), false
		t.shown += "[" + sub.text + "]"
	case field.Path:
		t.Path, t.typ, t.multi = sub.text, field.Str, false
		t.shown += "[" + sub.text + "]"
	default:
		s.report("E305", sub.span, "attribute '%s' takes no argument", t.name)
		return false
	}
	return true
}

// transform applies a transformer.
func (s *scope) transform(t *typed, fn word) bool {
	f := transformers[fn.text]
	if !isText(t.typ) && !(f == policy.Len && t.multi) {
		s.report("E405", fn.span, "%s() cannot be applied to %s attribute '%s'", fn.text, t.typ, t.label())
		return false
	}
	t.Apply = append(t.Apply, f)
	t.shown = fn.text + "(" + t.shown + ")"
	t.typ = field.Str
	if f == policy.Len {
		t.typ, t.multi = field.Int, false
	}
	return true
}

// isText says whether values of a type can be taken as text.
func isText(t field.Type) bool {
	switch t {
	case field.Str, field.JSON, field.Enum, field.Flags, field.IP:
		return true
	}
	return false
}

// exists resolves a test for a value.
func (s *scope) exists(x *exists, negated bool) policy.Node {
	left, v := s.operand(x.x)
	switch {
	case v == lacking:
		return s.never(left, negated, false)
	case v == wrong:
		return policy.Const(false)
	case left.Field.Counter && left.plain():
		return policy.Const(true) // the first record has number 1
	}
	return &policy.Test{Op: policy.Exists, Left: left.Operand}
}

// never returns what a term that SysFlow data cannot answer is: false, or true if it asks whether the value is missing.
func (s *scope) never(x typed, negated, holds bool) policy.Node {
	if negated {
		s.inverted = true
	} else {
		s.upright = true
	}
	if !s.summarised() && !x.unsupported {
		s.report("W307", x.span, "SysFlow data never has '%s'; the comparison is always %t", x.name, holds)
	}
	return policy.Const(holds)
}
