package falco

import (
	"fmt"
	"testing"
)

func TestYAMLErrorsNameTheOffendingPlace(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"indentation": {"- rule: a\n  desc: b\n condition: c\n",
			"3:2: did not find expected '-' indicator"},
		"colon in a plain scalar": {"- rule: a\n  desc: x: y\n",
			"2:10: mapping values are not allowed in this context"},
		"item in an item": {"- rule: a\n- rule: b\n  desc: c\n  - rule: d\n",
			"4:3: did not find expected key"},
		"unknown anchor": {"- rule: a\n  desc: *nope\n  tags: []\n",
			"2:13: unknown anchor 'nope' referenced"},
		"control character": {"- rule: a\x00b\n- rule: c",
			"1:10: control characters are not allowed"},
		"tab": {"- rule: é\n\tdesc: b\n",
			"2:1: found a tab character that violates indentation"},
		"list without end": {"- rule: a\n  tags: [a, b\n  desc: c\n- rule: b\n",
			"2:10: did not find expected ',' or ']'"},
		"string without end": {"- rule: a\n- rule: \"b\n  desc: c\n",
			"2:9: found unexpected end of stream"},
	} {
		t.Run(name, func(t *testing.T) {
			lines := splitLines(tt.text)
			_, err := parseYAML(lines)
			if err == nil {
				t.Fatal("parsed without error")
			}
			line, col := locate(lines, err)
			if got := fmt.Sprintf("%d:%d: %s", line, col, detail(err)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
