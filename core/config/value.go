package config

import (
	"errors"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// parser turns the text of a value into a value of its field's type. Its error says what was wanted, as in
// "'abc' is not an integer".
type parser func(text string) (any, error)

// What a text is not, if it cannot be parsed.
var (
	errInt      = errors.New("an integer")
	errBool     = errors.New("a boolean (true, false, on, off, yes, no, 1, 0)")
	errDuration = errors.New("a duration such as 30s")
	errSize     = errors.New("a size such as 100MB or 1GiB")
	errOctal    = errors.New("an octal number such as 0660")
	errString   = errors.New("a string")
	errList     = errors.New("a list of strings")
)

// parserOf returns the parser for a field, or nil if there is none.
func parserOf(t reflect.Type, kind, unit string) parser {
	switch t {
	case reflect.TypeFor[string]():
		return func(s string) (any, error) { return s, nil }
	case reflect.TypeFor[bool]():
		return func(s string) (any, error) { return parseBool(s) }
	case reflect.TypeFor[time.Duration]():
		u := map[string]time.Duration{"": time.Second, "s": time.Second, "m": time.Minute, "ms": time.Millisecond}[unit]
		if u == 0 {
			return nil
		}
		return func(s string) (any, error) { return parseDuration(s, u) }
	case reflect.TypeFor[[]string]():
		return func(s string) (any, error) { return words(s), nil }
	case reflect.TypeFor[int](), reflect.TypeFor[int64]():
		switch kind {
		case "":
			return func(s string) (any, error) { return parseInt(s) }
		case "size":
			return func(s string) (any, error) { return parseSize(s) }
		case "octal":
			return func(s string) (any, error) { return parseOctal(s) }
		}
	}
	return nil
}

// parseInt reads a number without fraction, in any notation: 5000000, 5e+6, 5.0.
func parseInt(s string) (int64, error) {
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	// A big exponent would make an equally big number; none that fits needs more than two digits.
	if _, exp, ok := strings.Cut(strings.ToLower(s), "e"); ok && len(strings.TrimLeft(exp, "+-0")) > 2 {
		return 0, errInt
	}
	if strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, errInt // big.Rat also knows fractions and other bases
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || !r.IsInt() || !r.Num().IsInt64() {
		return 0, errInt
	}
	return r.Num().Int64(), nil
}

func parseBool(s string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "on", "yes", "1":
		return true, nil
	case "false", "off", "no", "0":
		return false, nil
	}
	return false, errBool
}

// parseDuration reads a number of units or a text such as 1h30m.
func parseDuration(s string, unit time.Duration) (time.Duration, error) {
	s = strings.TrimSpace(s)
	if d, err := time.ParseDuration(s); err == nil {
		return d, nil
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || math.Abs(n)*float64(unit) >= math.MaxInt64 || math.IsNaN(n) {
		return 0, errDuration
	}
	return time.Duration(n * float64(unit)), nil
}

// sizeUnits are the suffixes of a size; the longer come first.
var sizeUnits = []struct {
	suffix string
	bytes  int64
}{
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40},
	{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12}, {"b", 1},
}

// parseSize reads a number of bytes, with or without a unit.
func parseSize(s string) (int64, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	factor := int64(1)
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(s, u.suffix); ok {
			s, factor = rest, u.bytes
			break
		}
	}
	n, err := parseInt(s)
	if err != nil || n > math.MaxInt64/factor || n < math.MinInt64/factor {
		return 0, errSize
	}
	return n * factor, nil
}

// parseOctal reads the permissions of a file: 660 and 0660 mean the same.
func parseOctal(s string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 8, 32)
	if err != nil {
		return 0, errOctal
	}
	return n, nil
}

// text returns what a parser is given for v: numbers and booleans as the file has them, a list with commas.
func (v *Value) text() (string, bool) {
	switch v.Kind {
	case String, Number, Bool:
		return v.Text, true
	case Array:
		var parts []string
		for _, e := range v.Elems {
			t, ok := e.text()
			if !ok || e.Kind == Array {
				return "", false
			}
			parts = append(parts, t)
		}
		return strings.Join(parts, ","), true
	}
	return "", false
}

// show returns v as a message quotes it.
func (v *Value) show() string {
	if t, ok := v.text(); ok {
		return t
	}
	return v.Kind.String()
}
