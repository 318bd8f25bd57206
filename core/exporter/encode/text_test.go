package encode

import (
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
