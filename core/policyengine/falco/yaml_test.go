package falco

import "testing"

func TestYAMLErrorsNameTheOffendingPlace(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"indentation": {"- rule: a\n  desc: b\n condition: c\n",
			"x.yaml:3:2: error: not valid YAML: did not find expected '-' indicator [E103]"},
		"colon in a plain scalar": {"- rule: a\n  desc: x: y\n",
			"x.yaml:2:10: error: not valid YAML: mapping values are not allowed in this context [E103]"},
		"unknown anchor": {"- rule: a\n  desc: *nope\n  tags: []\n",
			"x.yaml:2:13: error: not valid YAML: unknown anchor 'nope' referenced [E103]"},
		"control character": {"- rule: a\x00b\n- rule: c",
			"x.yaml:1:10: error: not valid YAML: control characters are not allowed [E103]"},
		"item in an item": {"- rule: a\n- rule: b\n  desc: c\n  - rule: d\n",
			"x.yaml:4:3: error: not valid YAML: did not find expected key [E103]"},
		"not UTF-8": {"# \ufffd\n- rule: é\xff\n",
			"x.yaml:2:10: error: not valid YAML: not UTF-8 [E103]"},
		"mapping": {"rule: b",
			"x.yaml:1:1: error: a policy file must hold a list of items, found a mapping [E104]"},
		"scalar in the second document": {"---\n---\nfoo",
			"x.yaml:3:1: error: a policy file must hold a list of items, found a scalar [E104]"},
		"scalar item": {"- ~\n-\n- foo",
			"x.yaml:3:3: error: item is not a mapping [E105]"},
	} {
		t.Run(name, func(t *testing.T) {
			p, ds := LoadSources([]Source{{"x.yaml", []byte(tt.text)}}, Options{})
			if p != nil || len(ds) != 1 || ds[0].Error() != tt.want {
				t.Errorf("got %v, %v; want %s", p, ds, tt.want)
			}
		})
	}
}
