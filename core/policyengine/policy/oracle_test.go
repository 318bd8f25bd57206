package policy

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

// The oracle interprets conditions as the language is specified, word by word and without a thought for speed. A
// compiled set must agree with it on every record.

// oracle returns what Eval returns.
func oracle(p *Policy, r record) (matched []*engine.Rule, drop bool) {
	for _, d := range p.Drops {
		if d.Enabled && holds(d.Cond, r) {
			return nil, true
		}
	}
	for _, rule := range p.Rules {
		if rule.Enabled && (rule.Prefilter == 0 || rule.Prefilter.Has(recordType(r.row))) && holds(rule.Cond, r) {
			matched = append(matched, rule.Rule)
		}
	}
	return matched, false
}

func holds(n Node, r record) bool {
	switch n := n.(type) {
	case And:
		for _, x := range n {
			if !holds(x, r) {
				return false
			}
		}
		return true
	case Or:
		for _, x := range n {
			if holds(x, r) {
				return true
			}
		}
		return false
	case Not:
		return !holds(n.X, r)
	case Const:
		return bool(n)
	case *Term:
		return holds(n.X, r)
	default:
		return testHolds(n.(*Test), r)
	}
}

func testHolds(t *Test, r record) bool {
	ordered := slices.Contains([]Op{Lt, Le, Gt, Ge}, t.Op)
	if t.Right != nil {
		a := read(&t.Left, r, ordered || isInteger(t.Right))
		b := read(t.Right, r, ordered || isInteger(&t.Left))
		return anyPair(t.Op, a, b)
	}
	if t.Op == Exists {
		return exists(read(&t.Left, r, false))
	}
	n := 0
	for _, lit := range t.Lits {
		if matches(read(&t.Left, r, ordered || lit.Number), t.Op, lit) {
			n++
		}
	}
	switch t.Quant {
	case OneOf:
		return n == 1
	case AllOf:
		return n > 0 && n == len(t.Lits)
	default:
		return n > 0
	}
}

func isInteger(o *Operand) bool {
	if len(o.Apply) > 0 {
		return o.Apply[len(o.Apply)-1] == Len
	}
	return o.Path == "" && (o.Field.Type == field.Int || o.Field.Type == field.Bool)
}

// one is a value. Of an integer or an address that is missing, ok is false; a missing text is empty.
type one struct {
	text string
	num  int64
	ok   bool
}

// values are what an operand stands for on a record. Of flags, texts are the names.
type values struct {
	typ  field.Type // Str for whatever is text
	list []one
	many bool

	bitmap int64 // of flags, as recorded
	bits   int64
	ok     bool
}

func read(o *Operand, r record, number bool) values {
	v := raw(o, r, number)
	for _, t := range o.Apply {
		v = apply(v, o, t)
	}
	return v
}

func raw(o *Operand, r record, number bool) values {
	f := o.Field
	switch {
	case f.Counter:
		return values{typ: field.Int, list: []one{{num: r.num, ok: true}}}
	case o.Path != "":
		return texts(false, gjson.Get(f.Str(r.row), o.Path).String())
	case f.Subscript == field.Index && o.Index >= 0 && f.AtInt != nil:
		n, ok := f.AtInt(r.row, o.Index)
		return values{typ: field.Int, list: []one{{num: n, ok: ok}}}
	case f.Subscript == field.Index && o.Index >= 0 && f.AtStrs != nil:
		return texts(true, f.AtStrs(r.row, o.Index, nil)...)
	case f.Subscript == field.Index && o.Index >= 0:
		s, _ := f.AtStr(r.row, o.Index)
		return texts(false, s)
	case f.Type == field.Bool:
		v := values{typ: field.Bool, list: []one{{ok: f.Applies.Has(recordType(r.row))}}}
		if f.Bool(r.row) {
			v.list[0] = one{num: 1, ok: true}
		}
		return v
	case f.Type == field.Flags:
		v := texts(true, f.Strs(r.row, nil)...)
		v.typ = field.Flags
		v.bitmap, v.ok = f.Int(r.row)
		v.bits = f.Bits(r.row)
		if number && len(o.Apply) == 0 {
			v = values{typ: field.Int, list: []one{{num: v.bitmap, ok: v.ok}}}
		}
		return v
	case f.Type == field.Str && f.Int != nil && number && len(o.Apply) == 0:
		n, ok := f.Int(r.row)
		return values{typ: field.Int, list: []one{{num: n, ok: ok}}}
	case f.Multi && f.Ints != nil:
		v := values{typ: f.Type, many: true}
		for _, n := range f.Ints(r.row, nil) {
			v.list = append(v.list, one{num: n, ok: true})
		}
		return v
	case f.Type == field.Int || f.Type == field.IP:
		n, ok := f.Int(r.row)
		return values{typ: f.Type, list: []one{{num: n, ok: ok}}}
	case f.Multi:
		return texts(true, f.Strs(r.row, nil)...)
	default:
		return texts(false, f.Str(r.row))
	}
}

func texts(many bool, ss ...string) values {
	v := values{typ: field.Str, many: many}
	for _, s := range ss {
		v.list = append(v.list, one{text: s, ok: s != ""})
	}
	return v
}

// asTexts returns addresses in dotted form, and whatever else is text as it is.
func asTexts(v values) []string {
	var out []string
	for _, x := range v.list {
		switch {
		case v.typ != field.IP && v.typ != field.Net:
			out = append(out, x.text)
		case x.ok:
			out = append(out, addr(x.num).String())
		default:
			out = append(out, "")
		}
	}
	return out
}

func addr(n int64) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})
}

func apply(v values, o *Operand, t Transform) values {
	in := asTexts(v)
	if t == Len {
		n := len(v.list)
		if n > 0 && (!v.many || o.Field.Forms || o.at()) { // one value, or forms of one
			n = len(in[0])
		}
		return values{typ: field.Int, list: []one{{num: int64(n), ok: true}}}
	}
	var out []string
	for _, s := range in {
		switch t {
		case ToLower:
			s = caseOf(unicode.ToLower, s)
		case ToUpper:
			s = caseOf(unicode.ToUpper, s)
		case Basename:
			parts := strings.Split(s, "/")
			s = parts[len(parts)-1]
		case B64:
			b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
			if err != nil {
				b = nil
			}
			s = string(b)
		}
		out = append(out, s)
	}
	return texts(v.many, out...)
}

// caseOf maps characters and leaves bytes that are not part of one alone.
func caseOf(f func(rune) rune, s string) string {
	var out []byte
	for i, c := range s {
		if c == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)) {
			out = append(out, s[i])
		} else {
			out = utf8.AppendRune(out, f(c))
		}
	}
	return string(out)
}

func exists(v values) bool {
	if v.typ == field.Flags {
		return v.bitmap != 0
	}
	return slices.ContainsFunc(v.list, func(x one) bool { return x.text != "" || x.num != 0 })
}

func matches(v values, op Op, lit Literal) bool {
	if lit.Missing {
		missing := len(v.list) == 0 || slices.ContainsFunc(v.list, func(x one) bool { return !x.ok })
		if v.typ == field.Flags {
			missing = !v.ok
		}
		if missing || v.typ != field.Str {
			return missing
		}
	}
	if v.typ == field.Flags && op == Eq {
		if lit.Bitmap {
			return v.ok && v.bitmap == lit.Int
		}
		return v.bits&lit.Int != 0
	}
	addresses := v.typ == field.IP || v.typ == field.Net
	if addresses && op == Eq {
		return slices.ContainsFunc(v.list, func(x one) bool {
			return x.ok && lit.Prefix.IsValid() && lit.Prefix.Contains(addr(x.num))
		})
	}
	if v.typ == field.Int || v.typ == field.Bool {
		return slices.ContainsFunc(v.list, func(x one) bool { return numbersHold(op, x, one{num: lit.Int, ok: true}) })
	}
	return slices.ContainsFunc(asTexts(v), func(s string) bool {
		if op == Regex {
			return lit.Regexp.MatchString(s)
		}
		return textsHold(op, s, lit.Text)
	})
}

func anyPair(op Op, a, b values) bool {
	aNum := a.typ == field.Int || a.typ == field.Bool
	bothAddr := (a.typ == field.IP || a.typ == field.Net) && (b.typ == field.IP || b.typ == field.Net)
	if aNum || bothAddr && op == Eq {
		for _, x := range a.list {
			for _, y := range b.list {
				if aNum && numbersHold(op, x, y) || bothAddr && x == y {
					return true
				}
			}
		}
		return false
	}
	for _, x := range asTexts(a) {
		for _, y := range asTexts(b) {
			if textsHold(op, x, y) {
				return true
			}
		}
	}
	return false
}

func numbersHold(op Op, a, b one) bool {
	switch op {
	case Eq:
		return a.num == b.num
	case Lt:
		return a.ok && b.ok && a.num < b.num
	case Le:
		return a.ok && b.ok && a.num <= b.num
	case Gt:
		return a.ok && b.ok && a.num > b.num
	case Ge:
		return a.ok && b.ok && a.num >= b.num
	}
	panic("not an operator on numbers")
}

func textsHold(op Op, a, b string) bool {
	switch op {
	case Eq:
		return a == b
	case Contains:
		return strings.Contains(a, b)
	case IContains:
		return naiveContainsFold(a, b)
	case StartsWith:
		return strings.HasPrefix(a, b)
	case EndsWith:
		return strings.HasSuffix(a, b)
	case Glob:
		return naiveGlob(b, false).MatchString(a)
	case IGlob:
		return naiveGlob(b, true).MatchString(a)
	case PathPrefix:
		return naivePathPrefix(a, b)
	}
	panic("not an operator on texts")
}

// naiveContainsFold tries all parts of s that begin and end between characters.
func naiveContainsFold(s, sub string) bool {
	for i := 0; i <= len(s); i++ {
		for j := i; j <= len(s); j++ {
			if strings.EqualFold(s[i:j], sub) {
				return true
			}
		}
	}
	return false
}

// naiveGlobs holds the regular expressions made by naiveGlob, which would take most of the time.
var naiveGlobs = map[string]*regexp.Regexp{}

// naiveGlob translates a pattern into a regular expression. It knows the sets that the tests use.
func naiveGlob(pattern string, ignoreCase bool) *regexp.Regexp {
	key := fmt.Sprint(pattern, ignoreCase)
	if naiveGlobs[key] == nil {
		naiveGlobs[key] = regexp.MustCompile(globExpr(pattern, ignoreCase))
	}
	return naiveGlobs[key]
}

func globExpr(pattern string, ignoreCase bool) string {
	expr := "(?s)^"
	if ignoreCase {
		expr = "(?si)^"
	}
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		end := strings.IndexByte(pattern[min(i+2, len(pattern)):], ']') + i + 2
		switch {
		case c == '*':
			expr += ".*"
		case c == '?':
			expr += "."
		case c == '[' && end >= i+2:
			set := pattern[i+1 : end]
			if strings.Contains(set, "[:") {
				end = strings.Index(pattern[i:], ":]]") + i + 2
				set = pattern[i+1 : end]
			}
			if strings.HasPrefix(set, "!") {
				set = "^" + set[1:]
			}
			expr += "[" + set + "]"
			i = end
		case c == '\\' && i+1 < len(pattern):
			i++
			expr += regexp.QuoteMeta(pattern[i : i+1])
		default:
			expr += regexp.QuoteMeta(string(c))
		}
	}
	return expr + "$"
}

func naivePathPrefix(p, pattern string) bool {
	split := func(s string) []string {
		return strings.FieldsFunc(s, func(c rune) bool { return c == '/' })
	}
	want, have := split(pattern), split(p)
	if len(want) > len(have) {
		return false
	}
	for i, w := range want {
		if ok, err := path.Match(w, have[i]); err != nil || !ok {
			return false
		}
	}
	return true
}
