package falco

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/antlr4-go/antlr/v4"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco/internal/gen"
)

// maxDepth bounds how deep parentheses, lists, calls and `not` nest in each other, and with it the stack that parsing
// and everything after it takes.
const maxDepth = 1000

// syntaxError is the first mistake in a condition.
type syntaxError struct {
	span
	code, message string
	hint          string
	opened        *span // the message ends with the place of this bracket
}

// parser parses conditions. It may be used many times, by one goroutine at a time.
type parser struct {
	lexer  *gen.ConditionLexer
	parser *gen.ConditionParser
	first  *firstError
	toks   []token // those of the condition, which nothing keeps
}

func newParser() *parser {
	p := &parser{lexer: gen.NewConditionLexer(nil), first: &firstError{DefaultErrorStrategy: antlr.NewDefaultErrorStrategy()}}
	p.lexer.RemoveErrorListeners()
	p.parser = gen.NewConditionParser(nil)
	p.parser.RemoveErrorListeners()
	p.parser.SetErrorHandler(p.first)
	p.parser.GetInterpreter().SetPredictionMode(antlr.PredictionModeSLL)
	return p
}

// parse returns the syntax tree of a condition, or the first mistake in it.
func (p *parser) parse(cond string) (expr, *syntaxError) {
	p.lexer.SetInputStream(antlr.NewInputStream(cond))
	stream := antlr.NewCommonTokenStream(p.lexer, antlr.TokenDefaultChannel)
	stream.Fill()
	p.toks = tokensOf(p.toks[:0], cond, stream.GetAllTokens())
	toks := p.toks
	if at, ok := tooDeep(toks); ok {
		return nil, &syntaxError{span: toks[at].span, code: "E208", message: "condition is nested deeper than 1000 levels"}
	}
	p.first.at = -1
	p.parser.SetTokenStream(stream)
	tree := p.parser.Condition()
	if p.first.at >= 0 {
		return nil, explain(cond, toks, p.first.at)
	}
	b := builder{cond: cond, toks: toks}
	x := b.orExpr(tree.OrExpr())
	if b.err != nil {
		return nil, b.err
	}
	return x, nil
}

// firstError is ANTLR's error handling without any repair: it remembers the first token that does not fit and passes
// over all that follow, so that the parser returns.
type firstError struct {
	*antlr.DefaultErrorStrategy
	at int // index of the token, or -1
}

func (f *firstError) Sync(antlr.Parser) {}

func (f *firstError) ReportMatch(antlr.Parser) {}

func (f *firstError) InErrorRecoveryMode(antlr.Parser) bool { return f.at >= 0 }

func (f *firstError) ReportError(p antlr.Parser, _ antlr.RecognitionException) {
	if f.at < 0 {
		f.at = p.GetCurrentToken().GetTokenIndex()
	}
}

func (f *firstError) Recover(p antlr.Parser, e antlr.RecognitionException) {
	f.ReportError(p, e)
	p.GetInputStream().Seek(p.GetInputStream().Size() - 1)
}

func (f *firstError) RecoverInline(p antlr.Parser) antlr.Token {
	f.Recover(p, nil)
	p.SetError(antlr.NewInputMisMatchException(p))
	return nil
}

// tokenKinds are our kinds of ANTLR's tokens.
var tokenKinds = [...]tokenKind{
	gen.ConditionLexerAND: andToken, gen.ConditionLexerOR: orToken, gen.ConditionLexerNOT: notToken,
	gen.ConditionLexerEXISTS: existsToken, gen.ConditionLexerORDER_OP: operatorToken,
	gen.ConditionLexerTEXT_OP: operatorToken, gen.ConditionLexerLIST_OP: listOperatorToken,
	gen.ConditionLexerTRANSFORMER: transformerToken, gen.ConditionLexerUNSUPPORTED: unsupportedToken,
	gen.ConditionLexerCALL_UNSUPPORTED: unsupportedToken, gen.ConditionLexerCALL: callToken,
	gen.ConditionLexerVAL: valToken, gen.ConditionLexerRESERVED: reservedToken, gen.ConditionLexerNAME: nameToken,
	gen.ConditionLexerSUBSCRIPT: subscriptToken, gen.ConditionLexerQUANTIFIER_ROUND: quantifierToken,
	gen.ConditionLexerQUANTIFIER_SQUARE: quantifierToken, gen.ConditionLexerQUOTED: quotedToken,
	gen.ConditionLexerBARE: bareToken, gen.ConditionLexerCOMMA: commaToken, gen.ConditionLexerLPAREN: openToken,
	gen.ConditionLexerLBRACK: openToken, gen.ConditionLexerRPAREN: closeToken, gen.ConditionLexerRBRACK: closeToken,
	gen.ConditionLexerARGUMENT: argumentToken, gen.ConditionLexerUNTERMINATED: unterminatedToken,
	gen.ConditionLexerILLEGAL: illegalToken,
}

// tokensOf converts ANTLR's tokens, whose positions count characters, and appends them to toks.
func tokensOf(toks []token, cond string, all []antlr.Token) []token {
	var offsets []int // of characters, unless each is one byte
	if n := utf8.RuneCountInString(cond); n != len(cond) {
		offsets = make([]int, 0, n+1)
		for i := range cond {
			offsets = append(offsets, i)
		}
		offsets = append(offsets, len(cond))
	}
	toks = slices.Grow(toks, len(all))
	for _, t := range all {
		start, end := t.GetStart(), t.GetStop()+1
		if t.GetTokenType() == antlr.TokenEOF {
			toks = append(toks, token{span{len(cond), len(cond)}, endToken, ""})
			continue
		}
		if offsets != nil {
			start, end = offsets[start], offsets[end]
		}
		toks = append(toks, token{span{start, end}, tokenKinds[t.GetTokenType()], cond[start:end]})
	}
	return toks
}

// builder turns ANTLR's parse tree into ours. What the grammar lets through is refused here, the first mistake only.
type builder struct {
	cond string
	toks []token
	err  *syntaxError
}

func (b *builder) fail(at span, code, message, hint string) {
	if b.err == nil {
		b.err = &syntaxError{span: at, code: code, message: message, hint: hint}
	}
}

// token returns the token of a leaf of the tree.
func (b *builder) token(leaf antlr.Tree) token {
	return b.toks[leaf.(antlr.TerminalNode).GetSymbol().GetTokenIndex()]
}

func (b *builder) word(leaf antlr.Tree) word {
	t := b.token(leaf)
	return word{t.span, t.text}
}

// chain builds a chain whose links are every second child of ctx.
func (b *builder) chain(ctx antlr.Tree, or bool, link func(antlr.Tree) expr) expr {
	children := ctx.GetChildren()
	first := link(children[0])
	if len(children) == 1 {
		return first
	}
	xs := make([]expr, 1, 1+len(children)/2)
	xs[0] = first
	for i := 2; i < len(children); i += 2 {
		xs = append(xs, link(children[i]))
	}
	return &logical{span{first.where().start, xs[len(xs)-1].where().end}, or, xs}
}

func (b *builder) orExpr(ctx antlr.Tree) expr  { return b.chain(ctx, true, b.andExpr) }
func (b *builder) andExpr(ctx antlr.Tree) expr { return b.chain(ctx, false, b.unary) }

func (b *builder) unary(ctx antlr.Tree) expr {
	children := ctx.GetChildren()
	if _, ok := children[0].(antlr.TerminalNode); !ok {
		return b.primary(children)
	}
	switch first := b.token(children[0]); first.kind {
	case notToken:
		x := b.unary(children[1])
		return &negation{span{first.start, x.where().end}, x}
	case openToken:
		return b.orExpr(children[1])
	default:
		x := b.operand(children[1].GetChildren())
		return &exists{span{first.start, x.end}, x}
	}
}

// primary builds what begins with an operand.
func (b *builder) primary(children []antlr.Tree) expr {
	x := b.operand(children[0].GetChildren())
	if len(children) == 1 {
		if x.sub != nil || len(x.apply) > 0 || x.unsupported || strings.Contains(x.attr.text, ".") {
			b.fail(x.span, "E209", "operator missing after attribute '"+b.cond[x.start:x.end]+"'", "")
		}
		return &reference{x.span, x.attr.text}
	}
	if c, ok := children[1].(*gen.ComparisonContext); ok {
		return b.comparison(x, c)
	}
	return &exists{span{x.start, b.token(children[1]).end}, x}
}

// operand builds an operand from the parts of an operand or a call.
func (b *builder) operand(parts []antlr.Tree) operand {
	first, last := b.token(parts[0]), b.token(parts[len(parts)-1])
	if first.kind == nameToken {
		return b.attribute(parts)
	}
	at := span{first.start, last.end}
	fn := word{first.span, strings.TrimRight(first.text, " \t\r\n(")}
	fn.end = fn.start + len(fn.text)
	switch first.kind {
	case unsupportedToken:
		return operand{span: at, attr: fn, unsupported: true}
	case valToken:
		x := b.attribute(parts[1 : len(parts)-1])
		x.span = at
		return x
	default:
		x := b.operand(parts[len(parts)-2].GetChildren())
		x.span = at
		x.apply = append(x.apply, fn)
		return x
	}
}

// attribute builds an operand from a name and what may stand in brackets after it.
func (b *builder) attribute(parts []antlr.Tree) operand {
	attr := b.word(parts[0])
	x := operand{span: attr.span, attr: attr}
	if len(parts) == 1 {
		return x
	}
	t := b.token(parts[1])
	if t.start != attr.end {
		b.fail(span{t.start, t.start + 1}, "E201", "unexpected '[', expected an operator",
			"an argument follows its attribute without a blank")
	}
	inner := token{span{t.start + 1, t.end - 1}, bareToken, t.text[1 : len(t.text)-1]}
	if c := inner.text[0]; c == '"' || c == '\'' {
		inner.kind = quotedToken
	}
	sub := b.value(inner).word
	x.sub = &sub
	x.end = t.end
	return x
}

func (b *builder) comparison(left operand, ctx *gen.ComparisonContext) expr {
	children := ctx.GetChildren()
	c := &comparison{left: left, op: b.word(children[0])}
	b.checkOperator(c.op)
	switch right := children[1].(type) {
	case *gen.CallContext:
		x := b.operand(right.GetChildren())
		c.form, c.call, c.right = callForm, &x, x.span
	case *gen.QuantifiedContext:
		quant := b.token(right.GetChild(0))
		c.quant = strings.Trim(quant.text, " \t\r\n([")
		c.form = explicitList
		c.right = b.elements(right, &c.list)
		c.right.start = quant.end - 1
	case *gen.ListContext:
		c.form = explicitList
		c.right = b.elements(right, &c.list)
	default:
		c.form = oneValue
		if b.token(children[0]).kind == listOperatorToken {
			c.form = listName
		}
		c.list = []value{b.value(b.token(right))}
		c.right = c.list[0].span
	}
	c.span = span{left.start, c.right.end}
	return c
}

// checkOperator refuses a word operator that what follows runs into.
func (b *builder) checkOperator(op word) {
	if c := op.text[0]; c < 'a' || c > 'z' || op.end == len(b.cond) || strings.IndexByte(" \t\r\n([\"'", b.cond[op.end]) >= 0 {
		return
	}
	at := span{op.start, endOfWord(b.cond, op.end)}
	b.fail(at, "E205", "unknown operator '"+b.cond[at.start:at.end]+"'", "write a blank after '"+op.text+"'")
}

// elements appends the elements of a list, and of the lists in it, to dst and returns where the list stands.
func (b *builder) elements(ctx antlr.Tree, dst *[]value) span {
	children := ctx.GetChildren()
	at := span{b.token(children[0]).start, b.token(children[len(children)-1]).end}
	if len(children) == 2 {
		return at
	}
	afterComma := false
	for _, c := range children[1].GetChildren() {
		if nested, ok := c.(*gen.ListContext); ok {
			b.elements(nested, dst)
			afterComma = false
			continue
		}
		t := b.token(c)
		if t.kind != commaToken {
			*dst = append(*dst, b.value(t))
		} else if afterComma {
			b.fail(t.span, "E201", "unexpected ',', expected a value", "")
		}
		afterComma = t.kind == commaToken
	}
	return at
}

// value returns the text a QUOTED or BARE token stands for.
func (b *builder) value(t token) value {
	v := value{word: word{t.span, t.text}, quoted: t.kind == quotedToken}
	if v.quoted {
		var bad int
		if v.text, bad = unquote(t.text); bad >= 0 {
			message, end := badEscape(t.text, bad)
			b.fail(span{t.start + bad, t.start + end}, "E203", message, backslashHint)
		}
	}
	return v
}

// badEscape describes the escape sequence at an offset in a quoted string, and says where it ends.
func badEscape(s string, at int) (message string, end int) {
	_, n := utf8.DecodeRuneInString(s[at+1:])
	end = at + 1 + n
	return "unsupported escape '" + s[at:end] + "' in string", end
}

// unquote returns the text of a quoted string, quotes included. bad is the offset of the first escape sequence that is
// not supported, or -1.
func unquote(s string) (text string, bad int) {
	quote, inner := s[0], s[1:len(s)-1]
	if !strings.Contains(inner, `\`) {
		return inner, -1
	}
	var out strings.Builder
	for i := 0; i < len(inner); i++ {
		if inner[i] != '\\' {
			out.WriteByte(inner[i])
			continue
		}
		i++
		switch c := inner[i]; {
		case c == '\\' || c == '/' || c == quote:
			out.WriteByte(c)
		case c == ' ': // as old Falco rules write it
			out.WriteString(`\`)
		case c == 'x' && i+2 < len(inner) && isHex(inner[i+1]) && isHex(inner[i+2]):
			out.WriteByte(fromHex(inner[i+1])<<4 | fromHex(inner[i+2]))
			i += 2
		default:
			control := strings.IndexByte("bfnrt", c)
			if control < 0 {
				return "", i
			}
			out.WriteByte("\b\f\n\r\t"[control])
		}
	}
	return out.String(), -1
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func fromHex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	default:
		return c - 'a' + 10
	}
}

// endOfWord returns where the text at off ends: at a blank or at the end of the condition.
func endOfWord(cond string, off int) int {
	if n := strings.IndexAny(cond[off:], " \t\r\n"); n >= 0 {
		return off + n
	}
	return len(cond)
}
