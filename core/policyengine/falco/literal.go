package falco

import (
	"errors"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/config/suggest"
	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// evtType is the attribute whose literals are names of system calls, of which SysFlow records some.
const evtType = "evt.type"

// literal converts an element to what it is compared as. The verdict is lacking for one that can never match.
func (s *scope) literal(op operator, left *typed, e element) (policy.Literal, verdict) {
	lit := policy.Literal{Text: e.text}
	if op.op == policy.Eq && left.falcoName() && isNA(e.text) {
		lit.Missing = true
		return lit, known
	}
	if op.class == textual {
		return s.textLiteral(op, e, lit)
	}
	if op.class == order {
		return s.orderLiteral(left, e, lit)
	}
	switch left.typ {
	case field.Int:
		return s.intLiteral(left, e, lit)
	case field.Bool:
		return s.boolLiteral(left, e, lit)
	case field.Enum:
		return s.enumLiteral(left, e, lit)
	case field.Flags:
		return s.flagLiteral(left, e, lit)
	case field.IP, field.Net:
		return s.addressLiteral(left, e, lit)
	}
	if left.hasNumber() {
		if n, err := parseInt(e.text); err == nil {
			lit.Int, lit.Number = n, true
		}
	}
	return lit, known
}

// textLiteral checks the text that a text operator compares with.
func (s *scope) textLiteral(op operator, e element, lit policy.Literal) (policy.Literal, verdict) {
	if op.lists && op.op == policy.Contains && e.text == "" {
		s.report("W313", e.span, "empty text in pmatch matches everything")
	}
	if op.op != policy.Regex {
		return lit, known
	}
	_, err := regexp.Compile(e.text)
	if err == nil {
		lit.Regexp, err = regexp.Compile(`\A(?:` + e.text + `)\z`)
	}
	if err != nil {
		detail := err.Error()
		if se, ok := errors.AsType[*syntax.Error](err); ok {
			detail = se.Code.String() + ": `" + se.Expr + "`"
		}
		s.report("E406", e.span, "invalid regular expression: %s", detail)
		return lit, wrong
	}
	return lit, known
}

// orderLiteral converts the integer that an operator of order compares with.
func (s *scope) orderLiteral(left *typed, e element, lit policy.Literal) (policy.Literal, verdict) {
	if left.typ == field.Int {
		lit, v := s.intLiteral(left, e, lit)
		if left.Field.Answers != nil && left.plain() && v == known {
			v = lacking // one known value does not order
		}
		return lit, v
	}
	n, ok := s.integer(left, e)
	if !ok {
		return lit, wrong
	}
	lit.Int = n
	lit.Bitmap = left.typ == field.Flags
	lit.Number = left.typ == field.Str
	return lit, known
}

// integer parses an integer and reports what is none.
func (s *scope) integer(left *typed, e element) (int64, bool) {
	n, err := parseInt(e.text)
	switch {
	case errors.Is(err, strconv.ErrRange):
		s.report("E403", e.span, "integer '%s' is out of range", e.text)
	case err != nil:
		s.report("E402", e.span, "'%s' is not an integer (attribute '%s')", e.text, left.label())
	}
	return n, err == nil
}

var integerForm = regexp.MustCompile(`^[+-]?(0[xX][0-9A-Fa-f]+|[0-9]+)$`)

// parseInt parses a decimal or hexadecimal integer.
func parseInt(text string) (int64, error) {
	if !integerForm.MatchString(text) {
		return 0, strconv.ErrSyntax
	}
	sign, digits := "", text
	if text[0] == '-' || text[0] == '+' {
		sign, digits = text[:1], text[1:]
	}
	if len(digits) > 1 && (digits[1] == 'x' || digits[1] == 'X') {
		return strconv.ParseInt(sign+digits[2:], 16, 64)
	}
	return strconv.ParseInt(sign+digits, 10, 64)
}

func (s *scope) intLiteral(left *typed, e element, lit policy.Literal) (policy.Literal, verdict) {
	if left.plain() && left.Field.Names != nil {
		if n, ok := left.Field.Names.Find(e.text); ok {
			lit.Int = n.Value
			return lit, known
		}
	}
	n, ok := s.integer(left, e)
	if !ok {
		return lit, wrong
	}
	lit.Int = n
	if left.plain() && left.Field.Answers != nil && !slices.Contains(left.Field.Answers, n) {
		return lit, lacking
	}
	return lit, known
}

func (s *scope) boolLiteral(left *typed, e element, lit policy.Literal) (policy.Literal, verdict) {
	switch strings.ToLower(e.text) {
	case "true", "1":
		lit.Int = 1
		return lit, known
	case "false", "0":
		return lit, known
	}
	if left.Field.Truthy {
		if n, err := parseInt(e.text); err == nil {
			if n != 0 {
				lit.Int = 1
			}
			return lit, known
		}
	}
	s.report("E402", e.span, "'%s' is not true or false (attribute '%s')", e.text, left.label())
	return lit, wrong
}

func (s *scope) enumLiteral(left *typed, e element, lit policy.Literal) (policy.Literal, verdict) {
	if e.text == "" && !left.multi { // a missing value
		return lit, known
	}
	n, ok := left.Field.Names.Find(e.text)
	if !ok {
		s.notPossible(left, e)
		return lit, lacking
	}
	lit.Text = n.Text
	return lit, known
}

func (s *scope) flagLiteral(left *typed, e element, lit policy.Literal) (policy.Literal, verdict) {
	if n, ok := left.Field.Names.Find(e.text); ok {
		lit.Int = n.Value
		return lit, known
	}
	n, err := parseInt(e.text)
	switch {
	case errors.Is(err, strconv.ErrRange):
		s.report("E403", e.span, "integer '%s' is out of range", e.text)
		return lit, wrong
	case err == nil:
		lit.Int, lit.Bitmap = n, true
		return lit, known
	}
	s.notPossible(left, e)
	return lit, lacking
}

// notPossible warns of a literal outside the closed set of an attribute's values.
func (s *scope) notPossible(left *typed, e element) {
	near := suggest.Names(e.text, left.Field.Names.All(), 3)
	var d *policy.Diagnostic
	if left.Field.Name == evtType {
		if s.user.silent || s.summarised() && near == nil {
			return
		}
		d = s.report("W309", e.span, "event '%s' is never recorded by SysFlow", e.text)
	} else {
		d = s.report("W309", e.span, "'%s' is not a possible value of '%s' and never matches", e.text, left.label())
	}
	if len(near) > 0 {
		d.Hints = []string{"did you mean '" + strings.Join(near, "' or '") + "'?"}
	}
}

func (s *scope) addressLiteral(left *typed, e element, lit policy.Literal) (policy.Literal, verdict) {
	if e.text == "" && left.typ == field.IP {
		if left.multi {
			return lit, lacking // no value is empty
		}
		lit.Missing = true
		return lit, known
	}
	if left.typ == field.IP {
		switch n, err := parseInt(e.text); {
		case errors.Is(err, strconv.ErrRange) || err == nil && (n < 0 || n >= 1<<32):
			s.report("E403", e.span, "integer '%s' is out of range", e.text)
			return lit, wrong
		case err == nil:
			lit.Prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}), 32)
			return lit, known
		}
	}
	prefix, err := netip.ParsePrefix(e.text)
	if err != nil {
		var addr netip.Addr
		if addr, err = netip.ParseAddr(e.text); err == nil {
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
	}
	switch {
	case err != nil:
		s.report("E402", e.span, "'%s' is not an IPv4 address or network (attribute '%s')", e.text, left.label())
		return lit, wrong
	case !prefix.Addr().Is4():
		s.report("W309", e.span, "'%s' is not a possible value of '%s' and never matches", e.text, left.label())
		return lit, lacking
	}
	lit.Prefix = prefix.Masked()
	return lit, known
}
