package falco

// span is a piece of a condition, in bytes.
type span struct{ start, end int }

// expr is a node of the syntax tree of a condition: *logical, *negation, *reference, *exists or *comparison.
type expr interface{ where() span }

func (s span) where() span { return s }

// logical is a chain of at least two conditions joined by `and` or by `or`.
type logical struct {
	span
	or bool
	xs []expr
}

// negation is `not` with what it applies to.
type negation struct {
	span
	x expr
}

// reference names a macro.
type reference struct {
	span
	name string
}

// exists asks whether an attribute has a value.
type exists struct {
	span
	x operand
}

// comparison is a test with an operator; of the members for the right side, those that its form names are set.
type comparison struct {
	span
	left  operand
	op    word
	quant string   // oneof, anyof, allof or nothing
	form  form     // of the right side
	list  []value  // list: its elements; single and name: one
	call  *operand // call
	right span
}

// form is the form of the right side of a comparison.
type form uint8

const (
	oneValue     form = iota + 1 // text, quoted or not
	explicitList                 // lists in it are flattened
	listName                     // without parentheses, after in, pmatch and intersects
	callForm                     // val(…) or a transformer
)

// word is a piece of a condition with its text.
type word struct {
	span
	text string
}

// value is text on the right side of a comparison, or in a list.
type value struct {
	word        // without quotes, escapes processed
	quoted bool //
}

// operand is an attribute, or what transformers make of it.
type operand struct {
	span
	attr        word   // of an unsupported function: its name
	sub         *word  // what stands in brackets
	apply       []word // transformers, innermost first
	unsupported bool
}
