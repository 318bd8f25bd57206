package falco

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// maxWidth is the largest width of a placeholder; no line of a log is longer.
const maxWidth = 4096

// printsNothing is a field of old rule files that is accepted in output and prints nothing.
const printsNothing = "container.info"

// output compiles a rule's output text; nil if the rule has none. It returns what became known of its attributes.
func (r *resolver) output(it *item, u *user) (func(dst []byte, fr *sfgo.FlatRecord) []byte, facts) {
	v := it.values["output"]
	if v == nil || it.broken || v.text.s == "" {
		return nil, facts{}
	}
	o := outputParser{scope: scope{resolver: r, text: v.text, user: u}}
	o.parse()
	if o.broken {
		return nil, o.facts
	}
	t, err := policy.NewTemplate(o.pieces)
	if err != nil {
		o.report("E508", span{0, len(v.text.s)}, "%v", err)
		return nil, o.facts
	}
	return t.Append, o.facts
}

// outputParser turns an output text into pieces.
type outputParser struct {
	scope
	pieces []policy.Piece
	plain  strings.Builder // text since the last placeholder
}

func (o *outputParser) parse() {
	s := o.text.s
	at := 0
	if strings.HasPrefix(s, "*") {
		at = 1
	}
	for at < len(s) {
		next := strings.IndexByte(s[at:], '%')
		if next < 0 {
			break
		}
		o.plain.WriteString(s[at : at+next])
		at += next
		if strings.HasPrefix(s[at:], "%%") {
			o.plain.WriteByte('%')
			at += 2
			continue
		}
		at = o.placeholder(at)
	}
	o.plain.WriteString(s[at:])
	o.flush(policy.Piece{})
}

// flush adds the text since the last placeholder, and the placeholder.
func (o *outputParser) flush(p policy.Piece) {
	p.Text = o.plain.String()
	o.plain.Reset()
	if p != (policy.Piece{}) {
		o.pieces = append(o.pieces, p)
	}
}

// placeholder adds the placeholder that begins with the percent sign at an offset and returns where it ends.
func (o *outputParser) placeholder(start int) int {
	s := o.text.s
	at := start + 1
	digits := at
	for digits < len(s) && '0' <= s[digits] && s[digits] <= '9' {
		digits++
	}
	width := 0
	if digits > at {
		width, _ = strconv.Atoi(s[at:digits])
		if width == 0 || width > maxWidth {
			return o.bad(start, digits)
		}
	}
	x, end := o.operand(digits, 0)
	if end < 0 {
		return o.bad(start, digits)
	}
	if x.attr.text == printsNothing {
		return end
	}
	p := policy.Piece{Width: width}
	switch left, v := o.scope.operand(x); v {
	case known:
		p.Operand = &left.Operand
	default:
		p.Lacking = true
	}
	o.flush(p)
	return end
}

// bad reports a percent sign that begins no placeholder.
func (o *outputParser) bad(start, end int) int {
	rest := o.text.s[start:]
	if len(rest) > 20 {
		cut := 20
		for !utf8.RuneStart(rest[cut]) {
			cut--
		}
		rest = rest[:cut] + "…"
	}
	d := o.report("E508", span{start, max(end, start+1)}, "output: bad placeholder at %s", quoted(rest))
	d.Hints = []string{"write %% for a percent sign"}
	return max(end, start+1)
}

// quoted puts a text of one line into double quotes.
func quoted(s string) string { return fmt.Sprintf("%q", s) }

// operand parses an attribute, or transformers around one, of which there are depth already; end is negative if there
// is none.
func (o *outputParser) operand(at, depth int) (x operand, end int) {
	s := o.text.s
	run := at
	for run < len(s) && isNameByte(s[run]) {
		run++
	}
	if fn := s[at:run]; run < len(s) && s[run] == '(' && transformers[fn] != 0 && depth < maxDepth {
		x, end = o.operand(run+1, depth+1)
		if end < 0 || end >= len(s) || s[end] != ')' {
			return x, -1
		}
		x.apply = append(x.apply, word{span{at, run}, fn})
		x.span = span{at, end + 1}
		return x, end + 1
	}
	run = o.name(at, run)
	if run == at {
		return x, -1
	}
	x.attr = word{span{at, run}, s[at:run]}
	x.span = x.attr.span
	if sub, after := o.subscript(x.attr.text, run); after > 0 {
		x.sub, x.end = &sub, after
	}
	return x, x.end
}

// name returns the end of the longest name in s[at:end] that is one of an attribute; if there is none, of what looks
// like a name.
func (o *outputParser) name(at, end int) int {
	s := o.text.s
	for end > at && (s[end-1] == '.' || s[end-1] == '-') {
		end--
	}
	for cut := end; cut > at; cut-- {
		if name := s[at:cut]; o.attributeName(name) || o.catalogue.Unanswerable(name) {
			return cut
		}
	}
	return end
}

// subscript parses what stands in brackets after an attribute; after is 0 if the brackets are text.
func (o *outputParser) subscript(name string, at int) (sub word, after int) {
	s := o.text.s
	if at >= len(s) || s[at] != '[' {
		return sub, 0
	}
	if f, ok := o.catalogue.Lookup(name, o.falco); ok && f.Subscript == 0 {
		return sub, 0
	}
	n := strings.IndexByte(s[at:], ']')
	if n < 2 {
		return sub, 0
	}
	inner := s[at+1 : at+n]
	if q := inner[0]; q == '"' || q == '\'' {
		// A quoted argument may hold brackets.
		if stop := strings.Index(s[at+2:], string(q)+"]"); stop >= 0 {
			n = 2 + stop + 1
			inner = s[at+2 : at+2+stop]
		}
	}
	return word{span{at + 1, at + n}, inner}, at + n + 1
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '.' || c == '-'
}
