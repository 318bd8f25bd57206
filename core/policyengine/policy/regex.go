package policy

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// matchesAny returns the test whether a text matches any of lits. Most texts match none, and most that do not lack some
// text that every match has; looking for that first is many times cheaper than running the expression.
func matchesAny(lits []Literal) (func(s string) bool, error) {
	tests := make([]func(s string) bool, len(lits))
	for i, l := range lits {
		if l.Regexp == nil {
			return nil, fmt.Errorf("literal %q is not a compiled regular expression", l.Text)
		}
		tests[i] = l.Regexp.MatchString
		if need := required(l.Regexp); need != "" {
			match := l.Regexp
			tests[i] = func(s string) bool { return strings.Contains(s, need) && match.MatchString(s) }
		}
	}
	if len(tests) == 1 {
		return tests[0], nil
	}
	return func(s string) bool {
		return slices.ContainsFunc(tests, func(test func(string) bool) bool { return test(s) })
	}, nil
}

// required returns a text that occurs in whatever re matches, the longest that is easy to find; empty if there is none.
func required(re *regexp.Regexp) string {
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil { // what compiled parses
		return ""
	}
	return requiredBy(tree)
}

func requiredBy(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		// U+FFFD also matches a byte that is no UTF-8.
		if re.Flags&syntax.FoldCase == 0 && !slices.Contains(re.Rune, utf8.RuneError) {
			return string(re.Rune)
		}
	case syntax.OpCapture, syntax.OpPlus:
		return requiredBy(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return requiredBy(re.Sub[0])
		}
	case syntax.OpConcat:
		longest := ""
		for _, sub := range re.Sub {
			if text := requiredBy(sub); len(text) > len(longest) {
				longest = text
			}
		}
		return longest
	}
	return ""
}
