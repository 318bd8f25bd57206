package falco

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

func TestLoadCondition(t *testing.T) {
	set := filepath.Join(t.TempDir(), "set.yaml")
	text := "- list: shells\n  items: [sh, bash]\n- macro: shell\n  condition: sf.proc.name in (shells)\n"
	if err := os.WriteFile(set, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		text, path string
		want       string // the first diagnostic; empty: there is none, and the condition holds for bash only
	}{
		"alone":           {"sf.proc.name = bash", "", ""},
		"with macro":      {"shell and sf.type = PE", set, ""},
		"with list":       {"sf.proc.name in (shells)\n", set, ""},
		"indented":        {"  sf.proc.name = bash", "", ""},
		"several lines":   {"sf.proc.name = bash\n  and\nsf.type = PE", "", ""},
		"no such macro":   {"sf.type = PE and shell", "", "query:1:18: error: unknown macro 'shell' [E302]\n    sf.type = PE and shell\n                     ^~~~~\n"},
		"misspelt":        {"sf.type = PE\nand sf.proc.nmae = x", "", "query:2:5: error: unknown attribute 'sf.proc.nmae' [E301]\n    and sf.proc.nmae = x\n        ^~~~~~~~~~~~\n"},
		"cut short":       {"sf.type =", "", "query:1:9: error: a value is missing after '=' [E204]\n    sf.type =\n            ^\n"},
		"empty":           {" ", "", "query:1:1: error: "},
		"not YAML":        {"sf.type = \x01", "", "query:1:11: error: not valid YAML"},
		"set is not fine": {"sf.type = PE", "none.yaml", "none.yaml: error: cannot read policy file"},
	} {
		t.Run(name, func(t *testing.T) {
			cond, ds := LoadCondition("query", tt.text, tt.path, Options{Catalogue: catalogue})
			if tt.want != "" {
				if cond != nil || len(ds) == 0 || !strings.HasPrefix(ds[0].Format(), tt.want) {
					t.Fatalf("got %v and\n%s\nwant\n%s", cond, ds[0].Format(), tt.want)
				}
				return
			}
			if cond == nil || len(ds) > 0 {
				t.Fatal(cond, ds)
			}
			compiled, err := policy.Compile(&policy.Policy{Drops: []*policy.Drop{{Name: "x", Enabled: true, Cond: cond}}})
			if err != nil {
				t.Fatal(err)
			}
			for exe, want := range map[string]bool{"/bin/bash": true, "/bin/cat": false} {
				if _, drop := matches(compiled, record{typ: sfgo.PROC_EVT, exe: exe}); drop != want {
					t.Errorf("%s: got %v", exe, drop)
				}
			}
		})
	}
}
