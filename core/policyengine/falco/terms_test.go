package falco

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// TestTerms wants each term of a condition with the text and the place that its author knows it by.
func TestTerms(t *testing.T) {
	const text = `- list: shells
  items: [bash, zsh]
- macro: started
  condition: sf.type = PE and exists sf.proc.exe
- rule: R
  desc: d
  condition: started and not (sf.proc.name in (shells) or evt.num = 0
    or sf.proc.args != ["a",
    b]) and sf.proc.pid > 1
  exceptions:
    - name: rows
      fields: [sf.proc.name, sf.proc.args]
      comps: [=, startswith]
      values:
        - [cron, "'-c x'"]
    - name: one
      fields: sf.proc.user
      values: [root, adm]
- drop: D
  condition: |
    started
    and sf.proc.pid
      = 7
`
	p, ds := LoadSources([]Source{{"t.yaml", []byte(text)}}, Options{Catalogue: catalogue})
	if p == nil {
		t.Fatal(ds)
	}
	var got []string
	var list func(n policy.Node, indent string)
	list = func(n policy.Node, indent string) {
		switch n := n.(type) {
		case policy.And:
			for _, k := range n {
				list(k, indent)
			}
		case policy.Or:
			for _, k := range n {
				list(k, indent)
			}
		case policy.Not:
			list(n.X, indent)
		case *policy.Term:
			got = append(got, fmt.Sprintf("%s%s:%d %s", indent, n.Pos, n.Pos.Col, n.Text))
			if n.Macro {
				list(n.X, indent+"  ")
			}
		default:
			t.Errorf("%T outside a term", n)
		}
	}
	list(p.Rules[0].Cond, "")
	list(p.Drops[0].Cond, "")
	want := []string{
		"t.yaml:7:14 started",
		"  t.yaml:4:14 sf.type = PE",
		"  t.yaml:4:31 exists sf.proc.exe",
		"t.yaml:7:31 sf.proc.name in (shells)",
		`t.yaml:8:8 sf.proc.args != ["a", b]`,
		"t.yaml:9:13 sf.proc.pid > 1",
		"t.yaml:15:12 sf.proc.name = cron",
		"t.yaml:15:19 sf.proc.args startswith '-c x'",
		"t.yaml:18:16 sf.proc.user in (root, adm)",
		"t.yaml:21:5 started",
		"  t.yaml:4:14 sf.type = PE",
		"  t.yaml:4:31 exists sf.proc.exe",
		"t.yaml:22:9 sf.proc.pid = 7",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
