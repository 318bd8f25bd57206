package policy

import (
	"strings"
	"unicode"
)

// glob says whether the whole of s matches the shell pattern: `*` any run of characters, slashes included, `?` one
// character, `[a-z]`, `[!a-z]` and `[^a-z]` one of a set, `[[:alpha:]]` one of a class (ASCII), backslash takes the
// special meaning from the character after it. A bracket that is never closed stands for itself. Time is bounded by
// the product of the lengths: only the last star is ever tried again.
func glob(s, pattern string, ignoreCase bool) bool {
	afterStar, retry := "", "" // the pattern after the last star, and the text it is tried on next
	starred := false
	for {
		if strings.HasPrefix(pattern, "*") {
			pattern = strings.TrimLeft(pattern, "*")
			if pattern == "" {
				return true
			}
			afterStar, retry, starred = pattern, s, true
			continue
		}
		if s == "" && pattern == "" {
			return true
		}
		if s != "" && pattern != "" {
			c, n := char(s)
			if rest, ok := matchOne(c, pattern, ignoreCase); ok {
				s, pattern = s[n:], rest
				continue
			}
		}
		if !starred || retry == "" {
			return false
		}
		_, n := char(retry) // the star takes one character more
		retry = retry[n:]
		s, pattern = retry, afterStar
	}
}

// matchOne says whether c matches the first element of pattern, which is not a star, and returns the rest of pattern.
func matchOne(c rune, pattern string, ignoreCase bool) (rest string, ok bool) {
	want, n := char(pattern)
	rest = pattern[n:]
	switch want {
	case '?':
		return rest, true
	case '[':
		if after, in, closed := matchSet(c, rest, ignoreCase); closed {
			return after, in
		}
	case '\\':
		if rest != "" {
			want, n = char(rest)
			rest = rest[n:]
		}
	}
	return rest, want == c || ignoreCase && fold(want) == fold(c)
}

// matchSet says whether c is in the set that pattern begins with, after its bracket, and returns what follows the set.
// closed is false if the bracket is never closed.
func matchSet(c rune, pattern string, ignoreCase bool) (rest string, in, closed bool) {
	negated := strings.HasPrefix(pattern, "!") || strings.HasPrefix(pattern, "^")
	if negated {
		pattern = pattern[1:]
	}
	for first := true; ; first = false {
		if pattern == "" {
			return "", false, false
		}
		if pattern[0] == ']' && !first {
			return pattern[1:], in != negated, true
		}
		if name, after, ok := cutClass(pattern); ok {
			in = in || inClass(c, name, ignoreCase)
			pattern = after
			continue
		}
		var lo, hi rune
		if lo, pattern = setMember(pattern); pattern == "" {
			return "", false, false
		}
		hi = lo
		if len(pattern) > 1 && pattern[0] == '-' && pattern[1] != ']' {
			hi, pattern = setMember(pattern[1:])
		}
		in = in || inRange(c, lo, hi, ignoreCase)
	}
}

// setMember returns the first character of a set, without the backslash that quotes it, and the rest of the pattern.
func setMember(pattern string) (rune, string) {
	c, n := char(pattern)
	if c == '\\' && len(pattern) > n {
		pattern = pattern[n:]
		c, n = char(pattern)
	}
	return c, pattern[n:]
}

// cutClass returns the name of the class, such as alpha, that pattern begins with.
func cutClass(pattern string) (name, rest string, ok bool) {
	if !strings.HasPrefix(pattern, "[:") {
		return "", pattern, false
	}
	name, rest, ok = strings.Cut(pattern[2:], ":]")
	if _, known := classes[name]; !ok || !known {
		return "", pattern, false
	}
	return name, rest, true
}

// classes are the character classes of POSIX, in its own locale: ASCII only.
var classes = map[string]func(c rune) bool{
	"alpha":  isAlpha,
	"digit":  isDigit,
	"alnum":  func(c rune) bool { return isAlpha(c) || isDigit(c) },
	"upper":  isUpper,
	"lower":  func(c rune) bool { return isAlpha(c) && !isUpper(c) },
	"blank":  func(c rune) bool { return c == ' ' || c == '\t' },
	"space":  func(c rune) bool { return c == ' ' || '\t' <= c && c <= '\r' },
	"cntrl":  func(c rune) bool { return c < ' ' || c == 0x7f },
	"print":  func(c rune) bool { return c == ' ' || isGraph(c) },
	"graph":  isGraph,
	"punct":  func(c rune) bool { return isGraph(c) && !isAlpha(c) && !isDigit(c) },
	"xdigit": func(c rune) bool { return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' },
}

func isAlpha(c rune) bool { return 'a' <= c && c <= 'z' || isUpper(c) }
func isUpper(c rune) bool { return 'A' <= c && c <= 'Z' }
func isDigit(c rune) bool { return '0' <= c && c <= '9' }
func isGraph(c rune) bool { return '!' <= c && c <= '~' }

// inClass says whether c, or with ignoreCase c in another case, is in a class.
func inClass(c rune, name string, ignoreCase bool) bool {
	return anyCase(c, ignoreCase, classes[name])
}

// inRange says whether c, or with ignoreCase c in another case, is between lo and hi.
func inRange(c, lo, hi rune, ignoreCase bool) bool {
	return anyCase(c, ignoreCase, func(c rune) bool { return lo <= c && c <= hi })
}

// anyCase says whether f holds for c or, with ignoreCase, for one of the characters that differ from it only in case.
func anyCase(c rune, ignoreCase bool, f func(rune) bool) bool {
	if f(c) {
		return true
	}
	if ignoreCase {
		for o := unicode.SimpleFold(c); o != c; o = unicode.SimpleFold(o) {
			if f(o) {
				return true
			}
		}
	}
	return false
}
