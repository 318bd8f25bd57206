package encode

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "a\"b\\c/d", "\x00\x1f\x7f\b\f\n\r\t", "\xff\xc3", "é\u2028😀", "a\xe2\x82"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		enc := appendString([]byte("x"), s)[1:]
		if !utf8.Valid(enc) {
			t.Fatalf("%q: not UTF-8: %q", s, enc)
		}
		var got string
		if err := json.Unmarshal(enc, &got); err != nil {
			t.Fatalf("%q: %q: %v", s, enc, err)
		}
		if want := strings.ToValidUTF8(s, ""); strings.ReplaceAll(got, "\ufffd", "") != strings.ReplaceAll(want, "\ufffd", "") {
			t.Errorf("got %q, want %q", got, s)
		}
		if want := string([]rune(s)); got != want { // []rune makes U+FFFD of each bad byte
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestAllPlain(t *testing.T) {
	for c := range 256 {
		for at := range 8 {
			for _, other := range []byte{'a', 0x7f, ' ', '!', '#', '[', ']'} {
				s := bytes.Repeat([]byte{other}, 8)
				s[at] = byte(c)
				if got := allPlain(s); got != plain[c] {
					t.Errorf("%q is plain: %v", s, got)
				}
			}
		}
	}
}

func TestQuote(t *testing.T) {
	var scratch []byte
	for _, s := range []string{"", "plain", "exactly8", "more than eight", "quote\"", "0123456\"", "0123456789\n", "\xff"} {
		var got []byte
		if got, scratch = quote([]byte(`x"`+s), 1, scratch); string(got) != "x"+string(appendString(nil, s)) {
			t.Errorf("%q is quoted as %q", s, got)
		}
	}
}
