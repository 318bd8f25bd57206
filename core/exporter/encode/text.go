package encode

import "unicode/utf8"

// plain says of each byte whether it stands for itself inside a JSON string.
var plain = func() (t [256]bool) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string.
func appendString[T string | []byte](dst []byte, s T) []byte {
	return append(appendText(append(dst, '"'), s), '"')
}

// appendText appends s as part of a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendText[T string | []byte](dst []byte, s T) []byte {
	from := 0 // what comes before is appended
	for i := 0; i < len(s); {
		if i+8 <= len(s) && allPlain(s[i:i+8]) {
			i += 8
			continue
		}
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if r == utf8.RuneError && n == 1 {
				dst = append(append(dst, s[from:i]...), "\ufffd"...)
				from = i + 1
			}
			i += n
			continue
		}
		dst = append(dst, s[from:i]...)
		dst = appendEscape(dst, c)
		i++
		from = i
	}
	return append(dst, s[from:]...)
}

// allPlain says whether 8 bytes stand for themselves: it looks at all of them at once.
func allPlain[T string | []byte](s T) bool {
	const (
		ones = 0x0101010101010101
		tops = ones << 7
	)
	_ = s[7]
	x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | // one load
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	// A byte's top bit is set in x if it is no ASCII; after the subtraction if it was less than a blank; in the others, if
	// it was a quote or a backslash. A borrow from a byte that is not plain may set more, which does no harm.
	return (x|(x-ones*' ')|(x^ones*'"'-ones)|(x^ones*'\\'-ones))&tops == 0
}

// appendEscape appends the escape for a quote, a backslash or a control character.
func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	default:
		return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
	}
}

// quote makes a JSON string of what stands in dst from start on, a quote and raw text behind it. Text that needs no
// escapes, as most does not, stays where it is. scratch is reused memory, returned for the next call.
func quote(dst []byte, start int, scratch []byte) (quoted, scratchOut []byte) {
	text := dst[start+1:]
	i := 0
	for i+8 <= len(text) && allPlain(text[i:i+8]) {
		i += 8
	}
	for i < len(text) && plain[text[i]] {
		i++
	}
	if i == len(text) {
		return append(dst, '"'), scratch
	}
	scratch = append(scratch[:0], text...)
	return appendString(dst[:start], scratch), scratch
}
