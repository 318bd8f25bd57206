package falco

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// TestLimits loads sets that would exhaust stack or memory if there were no limits.
func TestLimits(t *testing.T) {
	const deep = "condition is nested deeper than 1000 levels [E208]"
	repeat := strings.Repeat
	cond := func(c string) string { return "- drop: d\n  condition: " + c + "\n" }
	for name, tt := range map[string]struct{ text, want string }{
		"parentheses":          {cond(repeat("(", 1000) + "sf.type = PE" + repeat(")", 1000)), ""},
		"too many parentheses": {cond(repeat("(", 1001) + "sf.type = PE" + repeat(")", 1001)), "2:1014: error: " + deep},
		"not":                  {cond(repeat("not ", 1000) + "sf.type = PE"), ""},
		"too many not":         {cond(repeat("not ", 5_000) + "sf.type = PE"), deep},
		"not and parentheses":  {cond(repeat("not (", 501) + "sf.type = PE" + repeat(")", 501)), deep},
		"not side by side":     {cond(repeat("not sf.type = PE and ", 2000) + "sf.type = PE"), ""},
		"lists":                {cond("sf.proc.name in " + repeat("(", 1001) + "a" + repeat(")", 1001)), deep},
		"calls":                {cond(repeat("tolower(", 1001) + "sf.proc.name" + repeat(")", 1001) + " = a"), deep},
		"unsupported calls":    {cond("join" + repeat("(", 5_000)), deep},
		"only open":            {cond(repeat("(", 20_000)), deep},
		"long":                 {cond(repeat("sf.type = PE or ", 3000) + "sf.type = PE"), ""},
		"too long": {cond(repeat("sf.type = PE or ", 20_000) + "sf.type = PE"),
			"2:14: error: value of 'condition' must be text of at most 262144 bytes, found 320012 [E110]"},
		"macros downwards": {macros(1200, -1), deep},
		"macros upwards":   {macros(1200, +1), deep},
		"doubling macros":  {macros(200, -1) + "- rule: r\n  desc: d\n  condition: m0 and m0\n", ""},
		"lists of lists":   {lists(2000), ""},
		"transformers in output": {"- rule: r\n  desc: d\n  condition: sf.type = PE\n  output: \"" +
			repeat("%tolower("+repeat("tolower(", 2000), 10) + "\"\n", "output: bad placeholder"},
		"merge of itself": {"- &a\n  drop: d\n  condition: sf.type = PE\n  <<: *a\n", ""},
		"merge of merges": {merges(), ""},
		"alias of itself": {"- rule: r\n  desc: d\n  condition: sf.type = PE\n  exceptions: &e\n    - name: a\n" +
			"      fields: [sf.proc.name]\n      values: &v [*v, *e]\n", "value of 'values' must be"},
		"flow": {repeat("[", 10_500), "not valid YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			p, ds := LoadSources([]Source{{"x.yaml", []byte(tt.text)}}, Options{Catalogue: catalogue})
			switch {
			case tt.want == "" && p == nil:
				i := slices.IndexFunc(ds, func(d *policy.Diagnostic) bool { return d.Severity == policy.Error })
				t.Error(ds[i].Error())
			case tt.want == "":
				if _, err := policy.Compile(p); err != nil {
					t.Error(err)
				}
			case tt.want != "" && (p != nil || !ds.HasErrors()):
				t.Error("loaded without error")
			case tt.want != "":
				for _, d := range ds {
					if strings.Contains(d.Error(), tt.want) {
						return
					}
				}
				t.Errorf("got %s, want %s", ds[0].Error(), tt.want)
			}
		})
	}
}

// macros returns n macros, each of which uses the next one or the one before twice, and a rule that uses the last.
func macros(n, step int) string {
	var b strings.Builder
	for i := range n {
		next := (i + step + n) % n
		if step < 0 && i == 0 || step > 0 && i == n-1 {
			fmt.Fprintf(&b, "- macro: m%d\n  condition: sf.type = PE\n", i)
			continue
		}
		fmt.Fprintf(&b, "- macro: m%d\n  condition: not (m%d and sf.proc.pid = %d) or m%d\n", i, next, i, next)
	}
	fmt.Fprintf(&b, "- drop: first\n  condition: m0\n- drop: last\n  condition: m%d\n", n-1)
	if step < 0 {
		for i := range n / 10 { // resolved from the bottom, so that no chain of references is long
			fmt.Fprintf(&b, "- drop: d%d\n  condition: m%d\n", i, i*10)
		}
	}
	return b.String()
}

// lists returns n lists, each of which names the next.
func lists(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "- list: l%d\n  items: [a%d, l%d, l%d]\n", i, i%7, i+1, i+1)
	}
	return b.String() + "- drop: d\n  condition: sf.proc.name in l0\n"
}

// merges returns mappings of which each merges the one before twice.
func merges() string {
	var b strings.Builder
	b.WriteString("- &a0\n  drop: d\n  condition: sf.type = PE\n")
	for i := range 100 {
		fmt.Fprintf(&b, "- &a%d\n  <<: [*a%d, *a%d]\n", i+1, i, i)
	}
	return b.String()
}

// TestErrorsAreCapped wants the first errors of a set that has very many, in order.
func TestErrorsAreCapped(t *testing.T) {
	var srcs []Source
	for i := range 3 {
		srcs = append(srcs, Source{fmt.Sprintf("%d.yaml", i), []byte(strings.Repeat("- drop: d\n  condition: x\n- foo\n", 20))})
	}
	_, ds := LoadSources(srcs, Options{Catalogue: catalogue})
	errors := 0
	for i, d := range ds {
		if d.Severity == policy.Error {
			errors++
		}
		if i > 0 && (d.File < ds[i-1].File || d.File == ds[i-1].File && d.Line < ds[i-1].Line) {
			t.Errorf("%s comes after %s", d.Error(), ds[i-1].Error())
		}
	}
	if last := ds[len(ds)-1]; errors != MaxErrors || last.Severity != policy.Error {
		t.Errorf("%d errors, the last problem is %s", errors, last.Error())
	}
}
