package policy

import (
	"regexp"
	"strings"
	"testing"
)

func TestRequiredText(t *testing.T) {
	for expr, want := range map[string]string{
		`/proc/\d+/mem`:             "/proc/",
		`(/var)?/run/secrets/.*x`:   "/run/secrets/",
		`(.*\s)?-p`:                 "-p",
		`a+b`:                       "a",
		`(abc){2,}x`:                "abc",
		`(abc){0,2}`:                "",
		`abc|abd`:                   "ab",
		`abc|xyz`:                   "",
		`(?i)abc`:                   "",
		`.*`:                        "",
		``:                          "",
		`x(curl|wget)\s.*(sudo)?sh`: "sh",
	} {
		if got := required(regexp.MustCompile(`\A(?:` + expr + `)\z`)); got != want {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
}

// FuzzRequiredText holds the test with the required text to the expression alone.
func FuzzRequiredText(f *testing.F) {
	f.Add(`/proc/\d+/mem`, "/proc/7/mem")
	f.Add(`(?i)abc`, "ABC")
	f.Add(`(ab){0,2}c|d`, "ababc")
	f.Add("a\\x{fffd}b", "a\xffb")
	f.Fuzz(func(t *testing.T, expr, s string) {
		re, err := regexp.Compile(`\A(?:` + expr + `)\z`)
		if err != nil || len(expr) > 200 {
			return
		}
		test, err := matchesAny([]Literal{{Text: expr, Regexp: re}})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := test(s), re.MatchString(s); got != want {
			t.Errorf("%q on %q: %v, want %v (required %q)", expr, s, got, want, required(re))
		}
		if re.MatchString(s) && !strings.Contains(s, required(re)) {
			t.Errorf("%q matches %q, which lacks %q", expr, s, required(re))
		}
	})
}
