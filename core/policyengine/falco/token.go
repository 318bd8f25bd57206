package falco

import "strings"

// token is a token of a condition.
type token struct {
	span
	kind tokenKind
	text string
}

// tokenKind is what a token is.
type tokenKind uint8

const (
	endToken          tokenKind = iota + 1 // the end of the condition
	andToken                               //
	orToken                                //
	notToken                               //
	existsToken                            //
	operatorToken                          // an operator that takes a value
	listOperatorToken                      // one that takes a list only
	transformerToken                       // its name; the bracket follows
	callToken                              // a transformer on the right side, with its bracket
	valToken                               // val with its bracket
	unsupportedToken                       // a function that is not supported, with its bracket
	reservedToken                          // a word that cannot be a name and has no meaning where it stands
	nameToken                              //
	subscriptToken                         // with its brackets
	quantifierToken                        // with the bracket of its list, and the blank before it
	quotedToken                            // with its quotes
	bareToken                              // text without quotes
	commaToken                             //
	openToken                              // a bracket of either shape
	closeToken                             //
	argumentToken                          // text in the call of a function that is not supported
	unterminatedToken                      // a string without end
	illegalToken                           // a character that fits nowhere
)

// opens says whether tokens of this kind end in an opening bracket.
func (k tokenKind) opens() bool {
	switch k {
	case openToken, quantifierToken, callToken, valToken, unsupportedToken:
		return true
	}
	return false
}

func (k tokenKind) isOperator() bool { return k == operatorToken || k == listOperatorToken }

// reserved are the words that cannot name a macro or a list.
var reserved = func() map[string]bool {
	words := map[string]bool{}
	for w := range strings.FieldsSeq("and or not exists contains icontains bcontains startswith bstartswith endswith glob iglob " +
		"regex in pmatch intersects oneof anyof allof val tolower toupper b64 basename len join concat getopt") {
		words[w] = true
	}
	return words
}()

// tooDeep returns the token that goes deeper than maxDepth, if there is one.
func tooDeep(toks []token) (int, bool) {
	depth, nots := 0, 0
	var outer []int // the number of `not` before each open bracket
	for i, t := range toks {
		switch {
		case t.kind == notToken:
			nots++
			depth++
		case t.kind.opens():
			outer = append(outer, nots)
			nots = 0
			depth++
		case t.kind == transformerToken: // its bracket follows
		default:
			if n := len(outer); t.kind == closeToken && n > 0 {
				depth -= 1 + outer[n-1]
				outer = outer[:n-1]
			}
			depth -= nots
			nots = 0
		}
		if depth > maxDepth {
			return i, true
		}
	}
	return 0, false
}
