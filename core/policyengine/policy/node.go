package policy

import (
	"net/netip"
	"regexp"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

// Node is a condition: And, Or, Not, Const, *Test or *Term. Nodes may be shared, by macros used in several places for example;
// they form a graph without cycles and never change once built.
type Node interface{ node() }

// And holds if all of its nodes hold; evaluation goes from left to right and stops at the first that does not.
type And []Node

// Or holds if any of its nodes holds; evaluation goes from left to right and stops at the first that does.
type Or []Node

// Not holds if X does not.
type Not struct{ X Node }

// Const holds always or never.
type Const bool

// Term is a condition as it is written: a comparison, a test whether a value exists, or the name of a macro. It holds if X
// does; it is here for tools, which want to speak of conditions as their author does.
type Term struct {
	X     Node   // not a Const, since constants are folded away
	Text  string // in one line
	Macro bool   // Text is the name of a macro, and X its condition
	Pos   Pos
}

func (And) node()   {}
func (Or) node()    {}
func (Not) node()   {}
func (Const) node() {}
func (*Test) node() {}
func (*Term) node() {}

// Op is a positive operator; `!=` is a Not around Eq.
type Op uint8

// Operators.
const (
	Exists     Op = iota + 1 // the value is not its type's zero value
	Eq                       // =, ==, in, intersects
	Lt                       // <
	Le                       // <=
	Gt                       // >
	Ge                       // >=
	Contains                 // contains, and pmatch on sf.* names
	IContains                // contains, after simple case folding of both sides
	StartsWith               // text prefix
	EndsWith                 // text suffix
	Glob                     // the whole text matches a shell pattern
	IGlob                    // the same, ignoring case
	Regex                    // the whole text matches an RE2 expression
	PathPrefix               // Falco's pmatch: a path prefix, component by component
)

// Quant says how many of a test's literals must satisfy the operator.
type Quant uint8

// Quantifiers.
const (
	AnyOf Quant = iota // at least one: in, explicit lists, anyof, and the plain comparison with one literal
	OneOf              // exactly one
	AllOf              // every one, and there is one
)

// Test compares an attribute with literals or with another attribute. On an attribute with several values, an operator
// holds for a literal if it holds for at least one of the values, and for another attribute if it holds for at least one
// pair of values. Regex needs literals. The operators of order take a Str that has an integer as well as that.
type Test struct {
	Op    Op
	Left  Operand
	Right *Operand  // compare with this operand; nil: with Lits
	Lits  []Literal // of the type of Left; empty for Exists
	Quant Quant
}

// Operand is an attribute, or what transformers make of it.
type Operand struct {
	Field *field.Field
	Index int         // subscript of a field whose Subscript is field.Index; -1: none
	Path  string      // subscript of a field whose Subscript is field.Path; "": none
	Apply []Transform // innermost first
}

// Transform is a function on an operand.
type Transform uint8

// Transformers.
const (
	ToLower  Transform = iota + 1
	ToUpper            //
	B64                // base64 decoding, padding optional; what cannot be decoded is missing
	Basename           // text after the last slash
	Len                // bytes of text, or number of values
)

// Literal is a value of a condition, converted to the type it is compared as. Which member counts follows from the type
// of the test's left operand and its operator.
type Literal struct {
	Text    string         // text operators on anything textual; Eq on Str, JSON and Enum (canonical name)
	Int     int64          // Int; Bool (0 or 1); Flags: a mask on Field.Bits that holds if any of its bits is set
	Bitmap  bool           // Flags: Int is compared with the whole bitmap as it was recorded
	Number  bool           // Str that has an integer as well (Field.Int): compare that with Int
	Prefix  netip.Prefix   // IP and Net: network, a single address being /32
	Regexp  *regexp.Regexp // Regex, anchored at both ends
	Missing bool           // Falco's <NA>: with Eq, also equals a missing value; if not textual, nothing else
}

// Rule is a rule ready to be compiled.
type Rule struct {
	*engine.Rule
	Prefilter    field.Types // record types it looks at; 0: all
	Cond         Node
	Pos          Pos
	Evaluable    Evaluable
	Unanswerable []string // what its condition names that the data never has: attributes, and event types as `event x`
}

// Evaluable says how much of a rule's condition the data can answer.
type Evaluable uint8

// How much can be answered.
const (
	FullyEvaluable  Evaluable = iota
	PartlyEvaluable           // some terms are constant
	NotEvaluable              // so many that it never holds; the rule is not enabled
)

// Macro is a named condition. Rules do not refer to it: it is here for tools that list what a policy set holds.
type Macro struct {
	Name string
	Cond Node
	Pos  Pos
}

// List is a named list of values, for tools.
type List struct {
	Name  string
	Items []string // as written: names of other lists are not replaced by their values
	Pos   Pos
}

// Drop discards the records for which its condition holds.
type Drop struct {
	Name    string
	Enabled bool
	Cond    Node
	Pos     Pos
}

// Policy is a policy set, in evaluation order.
type Policy struct {
	Rules []*Rule
	Drops []*Drop

	// For tools.
	Macros []*Macro
	Lists  []*List
	Falco  bool // Falco names have Falco's meaning
}
