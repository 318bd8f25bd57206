package policy

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"/bin/*", "/bin/a/b", true}, // slashes are nothing special
		{"*", ".hidden", true},       // nor are dots
		{"*sh", "bash", true},
		{"*sh", "bashful", false},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-b-b-", false},
		{"?", "ä", true}, // one character
		{"?", "\xff", true},
		{"??", "\xe4\xff", true}, // each broken byte is one
		{"[abc]x", "bx", true},
		{"[a-c]x", "dx", false},
		{"[!a-c]x", "dx", true},
		{"[^a-c]x", "ax", false},
		{"[]a]", "]", true},
		{"[!]a]", "b", true},
		{"[a-]", "-", true},
		{"[-a]", "-", true},
		{"[z-a]", "m", false},
		{"[a\\-c]", "b", false},
		{"[a\\-c]", "-", true},
		{"[\\]]", "]", true},
		{"[[:alpha:]][[:digit:]]", "x7", true},
		{"[[:alpha:]]", "ä", false}, // classes are ASCII
		{"[![:space:]x]", "y", true},
		{"[![:space:]x]", "\t", false},
		{"[[:nope:]]", ":]", true}, // not a class: a set of characters, then a bracket
		{"[[:upper:][:punct:]]", "!", true},
		{"[abc", "[abc", true}, // never closed
		{"[abc", "a", false},
		{"[a-", "[a-", true},
		{"[[:alpha:]", "[[:alpha:]", false},
		{"[[:alpha:]", "x", false},
		{"\\*", "*", true},
		{"\\*", "x", false},
		{"\\?\\[", "?[", true},
		{"a\\", "a\\", true}, // nothing to quote
		{"[ä-ü]", "ö", true},
	} {
		if got := glob(tt.text, tt.pattern, false); got != tt.want {
			t.Errorf("%q on %q: got %t", tt.pattern, tt.text, got)
		}
	}
}

func TestGlobIgnoringCase(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"*.EXE", "a.exe", true},
		{"[a-c]", "B", true},
		{"[!a-c]", "B", false},
		{"[[:upper:]]", "b", true},
		{"straße", "STRAßE", true},
		{"\u212a", "k", true}, // the sign of the kelvin
		{"ä", "Ö", false},
	} {
		if got := glob(tt.text, tt.pattern, true); got != tt.want {
			t.Errorf("%q on %q: got %t", tt.pattern, tt.text, got)
		}
	}
}

// TestGlobIsNotExponential would not end if every star were tried again.
func TestGlobIsNotExponential(t *testing.T) {
	if glob(strings.Repeat("a", 5000), strings.Repeat("a*", 500)+"b", false) {
		t.Error("matched")
	}
}

func TestContainsFold(t *testing.T) {
	for _, tt := range []struct {
		text, sub string
		want      bool
	}{
		{"", "", true},
		{"abc", "", true},
		{"", "a", false},
		{"/usr/SBIN/x", "sbin/", true},
		{"aab", "AB", true},
		{"ÄÖÜ", "öü", true},
		{"4 \u212a", "k", true},
		{"mi\u017f\u017fing", "SS", true}, // the long s
		{"straße", "STRASSE", false},      // simple folding keeps the number of characters
		{"a\xffb", "A\xffB", true},
		{"a\xfeb", "A\xffB", false},
		{"a\xffb", "a\ufffdb", false},
	} {
		if got := containsFold(tt.text, tt.sub); got != tt.want {
			t.Errorf("%q in %q: got %t", tt.sub, tt.text, got)
		}
	}
}

func TestPathPrefix(t *testing.T) {
	for _, tt := range []struct {
		pattern, path string
		want          bool
	}{
		{"/etc", "/etc/ssh/x", true},
		{"/etc", "/etcetera/x", false},
		{"/etc", "/home/etc/x", false},
		{"/etc/ssh", "/etc", false},
		{"/etc/", "/etc", true},
		{"etc", "//etc//ssh/", true},
		{"/home/*/.ssh", "/home/ann/.ssh/id", true},
		{"/home/*/.ssh", "/home/ann/bob/.ssh", false},
		{"/home/a??", "/home/ann", true},
		{"/home/[a-c]*", "/home/dan", false},
		{"bash", "rbash", false},
		{"/", "/etc", true},
		{"", "", true},
		{"/etc", "", false},
		{"/a[", "/a[/b", true},
	} {
		if got := pathPrefix(tt.path, tt.pattern); got != tt.want {
			t.Errorf("%q on %q: got %t", tt.pattern, tt.path, got)
		}
	}
}

func TestTransformers(t *testing.T) {
	for _, tt := range []struct {
		f        Transform
		in, want string
	}{
		{ToLower, "/ÄB\xffC", "/äb\xffc"},
		{ToUpper, "aß\xc3", "Aß\xc3"},
		{Basename, "/bin/sh", "sh"},
		{Basename, "sh", "sh"},
		{Basename, "/bin/", ""},
		{B64, "aGVsbG8=", "hello"},
		{B64, "aGVsbG8", "hello"},
		{B64, "aGVsbG8==", ""},
		{B64, "a b", ""},
		{B64, "", ""},
	} {
		if got := transformText(tt.f, tt.in); got != tt.want {
			t.Errorf("%d of %q: got %q, want %q", tt.f, tt.in, got, tt.want)
		}
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("[a-c]*?\\*", "bxx*", true)
	f.Add("[[:alpha:]", "x", false)
	f.Fuzz(func(t *testing.T, pattern, text string, ignoreCase bool) {
		got := glob(text, pattern, ignoreCase)
		if got && !ignoreCase && !glob(text, pattern, true) {
			t.Errorf("%q matches %q, but not when case is ignored", pattern, text)
		}
		if !glob(text, "*"+pattern, ignoreCase) && got {
			t.Errorf("%q matches %q, but not after a star", pattern, text)
		}
		if quoted := quoteGlob(text); !glob(text, quoted, ignoreCase) {
			t.Errorf("%q does not match %q", quoted, text)
		}
		// The oracle knows all but sets and broken text.
		if utf8.ValidString(pattern+text) && !strings.Contains(pattern, "[") && !(strings.Contains(pattern, `\`) && !isASCII(pattern)) {
			if want := naiveGlob(pattern, ignoreCase).MatchString(text); got != want {
				t.Errorf("%q on %q: got %t, want %t", pattern, text, got, want)
			}
		}
	})
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c >= utf8.RuneSelf })
}

// quoteGlob returns the pattern that matches s alone.
func quoteGlob(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte(`*?[\`, s[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func FuzzContainsFold(f *testing.F) {
	f.Add("mi\u017f\u017fing", "SS")
	f.Fuzz(func(t *testing.T, text, sub string) {
		got := containsFold(text, sub)
		if !utf8.ValidString(text) || !utf8.ValidString(sub) {
			return // the oracle does not tell broken bytes apart
		}
		if len(text) < 64 && got != naiveContainsFold(text, sub) {
			t.Errorf("%q in %q: got %t", sub, text, got)
		}
		if !containsFold(text+sub, sub) {
			t.Errorf("%q is not in %q", sub, text+sub)
		}
	})
}

func FuzzPathPrefix(f *testing.F) {
	f.Add("/home/ann", "/home/*/")
	f.Fuzz(func(t *testing.T, path, pattern string) {
		got := pathPrefix(path, pattern)
		if again := pathPrefix("//"+path+"/", "/"+pattern+"//"); again != got {
			t.Errorf("%q on %q: slashes matter", pattern, path)
		}
		if !strings.ContainsAny(pattern, `*?[\`) && got != naivePathPrefix(path, pattern) {
			t.Errorf("%q on %q: got %t", pattern, path, got)
		}
		if got && !pathPrefix(path+"/x", pattern) {
			t.Errorf("%q matches %q, but nothing below it", pattern, path)
		}
	})
}
