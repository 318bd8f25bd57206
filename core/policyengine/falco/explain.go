package falco

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// otherOperators are operators that other languages have, and how their meaning is written here.
var otherOperators = map[string]string{
	"iequals":     "tolower(A) = x",
	"equals":      "A = x",
	"istartswith": "tolower(A) startswith x",
	"iendswith":   "tolower(A) endswith x",
	"like":        "A glob x",
	"matches":     "A regex x",
	"not in":      "not A in (…)",
	"!in":         "not A in (…)",
}

// otherWords are symbols for which this language has words.
var otherWords = map[string]string{"&&": "and", "||": "or", "!": "not", "&": "and", "|": "or"}

// backslashHint goes with escapes that are none.
const backslashHint = `write \\ for a backslash`

// mistake is a token that does not fit, with what stands around it.
type mistake struct {
	cond string
	toks []token
	at   int
	open []int // the brackets that are open at the token, by index
}

// explain says what is wrong where the token at the given index does not fit.
func explain(cond string, toks []token, at int) *syntaxError {
	if toks[at].kind == quantifierToken {
		toks = slices.Clone(toks)
		toks[at] = bare(toks[at])
	}
	m := mistake{cond, toks, at, openBrackets(toks[:at])}
	for _, f := range []func() *syntaxError{
		m.illFormed, m.upperCase, m.missingValue, m.unquoted, m.symbol, m.operator, m.unclosed,
	} {
		if err := f(); err != nil {
			return err
		}
	}
	return &syntaxError{span: m.tok().span, code: "E201", message: "unexpected " + m.shown() + ", expected " + m.expected()}
}

// bare returns a quantifier without the blank before and the bracket behind it, which are part of its token.
func bare(t token) token {
	word := strings.Trim(t.text, " \t\r\n([")
	t.start += strings.Index(t.text, word)
	t.end = t.start + len(word)
	t.text = word
	return t
}

// openBrackets returns the indices of the tokens that open a bracket which none of toks closes.
func openBrackets(toks []token) []int {
	var open []int
	for i, t := range toks {
		if t.kind.opens() {
			open = append(open, i)
		} else if t.kind == closeToken && len(open) > 0 {
			open = open[:len(open)-1]
		}
	}
	return open
}

// tok returns the token that does not fit.
func (m *mistake) tok() token { return m.toks[m.at] }

// before returns the nth token before it; past the beginning, one of no kind.
func (m *mistake) before(n int) token {
	if m.at < n {
		return token{}
	}
	return m.toks[m.at-n]
}

// shown returns the token as messages show it.
func (m *mistake) shown() string {
	if m.tok().kind == endToken {
		return "end of condition"
	}
	return "'" + m.tok().text + "'"
}

// illFormed explains a string without end.
func (m *mistake) illFormed() *syntaxError {
	if m.tok().kind != unterminatedToken {
		return nil
	}
	err := &syntaxError{span: span{m.tok().start, m.tok().start + 1}, code: "E202", message: "unterminated string"}
	if strings.HasSuffix(m.tok().text, `\`+m.tok().text[:1]) {
		err.hint = backslashHint
	}
	return err
}

// upperCase explains a keyword in capitals.
func (m *mistake) upperCase() *syntaxError {
	for n := range 2 {
		t := m.before(n)
		if lower := strings.ToLower(t.text); t.kind == nameToken && lower != t.text && reserved[lower] {
			return &syntaxError{span: t.span, code: "E206", message: "keywords are lower case: write '" + lower + "'"}
		}
	}
	return nil
}

// missingValue explains an operator at the end of the condition or of a parenthesis.
func (m *mistake) missingValue() *syntaxError {
	op := m.before(1)
	if !op.kind.isOperator() || m.tok().kind != endToken && m.tok().text != ")" && m.tok().text != "]" {
		return nil
	}
	return &syntaxError{span: op.span, code: "E204", message: "a value is missing after '" + op.text + "'"}
}

// unquoted explains text that runs into a character it may hold only in quotes.
func (m *mistake) unquoted() *syntaxError {
	t, prev := m.tok(), m.before(1)
	at := span{t.start, endOfWord(m.cond, t.start)}
	switch {
	case t.text == "" || !strings.ContainsAny(t.text[:1], "=,(!<>"):
		return nil
	case prev.kind == bareToken && prev.end == t.start && t.text != ")":
		at.start = prev.start
	case prev.kind.isOperator() && (t.text == "=" || t.text == ","):
	default:
		return nil
	}
	at.end = max(t.end, at.start+len(trimEnd(m.cond[at.start:at.end])))
	return &syntaxError{
		span: at, code: "E210",
		message: "text holding '=' , ',' or parentheses must be quoted",
	}
}

// trimEnd cuts off what ends the list that the text stands in.
func trimEnd(s string) string {
	for s != "" {
		last := s[len(s)-1:]
		if last != "," && !(last == ")" && strings.Count(s, ")") > strings.Count(s, "(")) &&
			!(last == "]" && strings.Count(s, "]") > strings.Count(s, "[")) {
			break
		}
		s = s[:len(s)-1]
	}
	return s
}

// symbol explains characters that have no meaning, and those for which there are words.
func (m *mistake) symbol() *syntaxError {
	t := m.tok()
	at := span{t.start, t.end}
	if prev := m.before(1); (prev.kind == bareToken || t.kind == illegalToken) &&
		strings.ContainsAny(prev.text+t.text, "“”„‘’‚«»") {
		return &syntaxError{
			span: at, code: "E201", message: "unexpected " + m.shown() + ", expected " + m.expected(),
			hint: "use a plain quote",
		}
	}
	if t.kind != illegalToken || t.text == "[" {
		return nil
	}
	for i := m.at + 1; m.toks[i].kind == illegalToken && m.toks[i].start == at.end; i++ {
		at.end = m.toks[i].end
	}
	symbol := m.cond[at.start:at.end]
	if next := m.toks[m.at+1]; symbol == "!" && next.text == "in" && next.start == at.end {
		return m.unknownOperator(span{at.start, next.end})
	}
	if w, ok := otherWords[symbol]; ok {
		return &syntaxError{
			span: at, code: "E201", message: "unexpected '" + symbol + "', expected " + m.expected(),
			hint: "write '" + w + "'",
		}
	}
	if m.afterOperand() {
		return m.unknownOperator(at)
	}
	return nil
}

// afterOperand says whether what stands before the token may be the left side of a comparison.
func (m *mistake) afterOperand() bool {
	prev := m.before(1)
	return prev.kind == nameToken || prev.kind == subscriptToken
}

// operator explains a word where an operator should be.
func (m *mistake) operator() *syntaxError {
	t, prev := m.tok(), m.before(1)
	if !m.afterOperand() || t.kind == endToken {
		return nil
	}
	next := m.toks[min(m.at+1, len(m.toks)-1)]
	switch {
	case t.kind == notToken && next.text == "in":
		return m.unknownOperator(span{t.start, next.end})
	case t.kind != nameToken:
		return nil
	case otherOperators[t.text] != "":
		return m.unknownOperator(t.span)
	case prev.kind == nameToken && !strings.Contains(prev.text, "."):
		return nil // two macros with nothing between them
	case next.kind == endToken || next.kind == closeToken || next.kind == andToken ||
		next.kind == orToken:
		return &syntaxError{span: prev.span, code: "E209", message: "operator missing after attribute '" + prev.text + "'"}
	default:
		return m.unknownOperator(t.span)
	}
}

// unknownOperator reports an operator that this language does not have.
func (m *mistake) unknownOperator(at span) *syntaxError {
	op := strings.Join(strings.Fields(m.cond[at.start:at.end]), " ")
	err := &syntaxError{span: at, code: "E205", message: "unknown operator '" + op + "'"}
	if w, ok := otherOperators[op]; ok {
		err.hint = "write: " + strings.Replace(w, "A", m.left(), 1)
	}
	return err
}

// left returns the operand before the token.
func (m *mistake) left() string {
	if m.before(1).kind == subscriptToken {
		return m.cond[m.before(2).start:m.before(1).end]
	}
	return m.before(1).text
}

// unclosed explains a bracket that is open at the end of the condition.
func (m *mistake) unclosed() *syntaxError {
	if m.tok().kind != endToken || len(m.open) == 0 || !m.complete() {
		return nil
	}
	t := m.toks[m.open[len(m.open)-1]]
	bracket := span{t.end - 1, t.end}
	shut := ")"
	if m.cond[bracket.start] == '[' {
		shut = "]"
	}
	end := len(strings.TrimRightFunc(m.cond, unicode.IsSpace))
	_, n := utf8.DecodeLastRuneInString(m.cond[:end])
	return &syntaxError{
		span: span{end - n, end}, code: "E207",
		message: "missing '" + shut + "' for '" + m.cond[bracket.start:bracket.end] + "' at ",
		opened:  &bracket,
	}
}

// complete says whether what stands before the token could be the end of what it belongs to.
func (m *mistake) complete() bool {
	switch m.before(1).kind {
	case nameToken, subscriptToken, bareToken, quotedToken, closeToken, argumentToken:
		return true
	case existsToken:
		return m.before(2).kind == nameToken || m.before(2).kind == subscriptToken || m.before(2).kind == closeToken
	case commaToken, openToken, quantifierToken:
		return m.inList()
	}
	return false
}

// inList says whether the innermost open bracket is that of a list.
func (m *mistake) inList() bool {
	for n := len(m.open) - 1; n >= 0; n-- {
		i := m.open[n]
		switch {
		case m.toks[i].kind == quantifierToken || m.cond[m.toks[i].end-1] == '[':
			return true
		case m.toks[i].kind != openToken || i == 0:
			return false
		case m.toks[i-1].kind.isOperator():
			return true
		}
		// A bracket in a list opens a list.
	}
	return false
}

// expected names what could stand in the place of the token.
func (m *mistake) expected() string {
	switch prev := m.before(1).kind; {
	case m.inList():
		shut := "')'"
		if t := m.toks[m.open[len(m.open)-1]]; m.cond[t.end-1] == '[' {
			shut = "']'"
		}
		if m.complete() && prev != commaToken && !prev.opens() {
			return "',' or " + shut
		}
		return "a value or " + shut
	case prev == listOperatorToken:
		return "a list"
	case prev.isOperator():
		return "a value"
	case prev == transformerToken:
		return "'('"
	case m.inCall():
		if m.complete() {
			return "')'"
		}
		return "an attribute"
	case prev == existsToken && !m.complete():
		return "an attribute"
	case m.complete():
		end := "the end of the condition"
		if len(m.open) > 0 {
			end = "')'"
		}
		if m.afterOperand() && m.before(2).kind != existsToken {
			return "an operator, 'and', 'or' or " + end
		}
		return "'and', 'or' or " + end
	default:
		return "a condition"
	}
}

// inCall says whether the innermost open bracket is that of a call.
func (m *mistake) inCall() bool {
	if len(m.open) == 0 {
		return false
	}
	i := m.open[len(m.open)-1]
	return m.toks[i].kind != openToken || i > 0 && m.toks[i-1].kind == transformerToken
}
