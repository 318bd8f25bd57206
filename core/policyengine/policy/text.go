package policy

import (
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is compared byte by byte. Where characters matter (? and classes of a glob, letter case) a byte that is not part
// of valid UTF-8 is a character of its own, different from all others.

// char returns the first character of s, which must not be empty, and its length in bytes.
func char(s string) (rune, int) {
	if c := s[0]; c < utf8.RuneSelf {
		return rune(c), 1
	}
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && n == 1 {
		return unicode.MaxRune + 1 + rune(s[0]), 1
	}
	return r, n
}

// fold returns the same character for all those that differ only in letter case: Unicode's simple case folding.
func fold(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if least < utf8.RuneSelf { // the long s, the sign of the kelvin
		return fold(least)
	}
	return least
}

// containsFold says whether sub occurs in s, ignoring case.
func containsFold(s, sub string) bool {
	if sub == "" {
		return true
	}
	first, n := char(sub)
	first, sub = fold(first), sub[n:]
	for s != "" {
		c, n := char(s)
		s = s[n:]
		if fold(c) == first && hasPrefixFold(s, sub) {
			return true
		}
	}
	return false
}

// hasPrefixFold says whether s begins with prefix, ignoring case.
func hasPrefixFold(s, prefix string) bool {
	for prefix != "" {
		if s == "" {
			return false
		}
		a, n := char(s)
		b, m := char(prefix)
		if a != b && fold(a) != fold(b) {
			return false
		}
		s, prefix = s[n:], prefix[m:]
	}
	return true
}

// pathPrefix says whether pattern is a prefix of path, component by component. Empty components do not count; one that
// holds a wildcard is matched as a glob.
func pathPrefix(path, pattern string) bool {
	for {
		var want, have string
		if want, pattern = component(pattern); want == "" {
			return true
		}
		if have, path = component(path); have == "" {
			return false
		}
		if strings.ContainsAny(want, "*?[") {
			if !glob(have, want, false) {
				return false
			}
		} else if have != want {
			return false
		}
	}
}

// component returns the first component of a path that is not empty, and what follows it.
func component(path string) (first, rest string) {
	path = strings.TrimLeft(path, "/")
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return path[:i], path[i:]
	}
	return path, ""
}

// transformText returns what a transformer other than Len makes of a text.
func transformText(t Transform, s string) string {
	switch t {
	case ToLower:
		return mapValid(strings.ToLower, s)
	case ToUpper:
		return mapValid(strings.ToUpper, s)
	case B64:
		return decodeBase64(s)
	default: // Basename
		return s[strings.LastIndexByte(s, '/')+1:]
	}
}

// mapValid applies f, which would replace bytes that are not valid UTF-8, to the parts of s that are valid.
func mapValid(f func(string) string, s string) string {
	if utf8.ValidString(s) {
		return f(s)
	}
	var b strings.Builder
	for s != "" {
		n := 0
		for n < len(s) {
			c, size := char(s[n:])
			if c > unicode.MaxRune {
				break
			}
			n += size
		}
		b.WriteString(f(s[:n]))
		if n < len(s) {
			b.WriteByte(s[n])
			n++
		}
		s = s[n:]
	}
	return b.String()
}

// decodeBase64 returns the text that s encodes, with or without padding, or nothing.
func decodeBase64(s string) string {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		b, err = base64.RawStdEncoding.DecodeString(s)
	}
	if err != nil {
		return ""
	}
	return string(b)
}
