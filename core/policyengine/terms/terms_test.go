package terms

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// row returns a process event of a program.
func row(exe string, pid int64) *sfgo.FlatRecord {
	ints, strs := make([]int64, sfgo.INT_ARRAY_SIZE), make([]string, sfgo.STR_ARRAY_SIZE)
	ints[sfgo.SF_REC_TYPE], ints[sfgo.PROC_OID_HPID_INT] = sfgo.PROC_EVT, pid
	strs[sfgo.PROC_EXE_STR] = exe
	return &sfgo.FlatRecord{
		Sources: []sfgo.Source{sfgo.SYSFLOW_SRC},
		Ints:    [][]int64{ints}, Strs: [][]string{strs}, Anys: [][]any{make([]any, sfgo.ANY_ARRAY_SIZE)},
	}
}

func load(t *testing.T, text string) (*policy.Policy, *Evaluator) {
	t.Helper()
	p, ds := falco.LoadSources([]falco.Source{{Name: "t.yaml", Text: []byte(text)}}, falco.Options{Catalogue: field.SysFlow()})
	if p == nil {
		t.Fatal(ds)
	}
	e, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	return p, e
}

// TestWalk wants the terms that decide, in order, and their values.
func TestWalk(t *testing.T) {
	const head = `
- macro: shell
  condition: sf.proc.name in (sh, bash) or sf.proc.name = zsh
- macro: many
  condition: shell and not shell
`
	for _, tt := range []struct {
		cond, want string
		holds      bool
	}{
		{"sf.proc.exe = /bin/sh", "1 sf.proc.exe = /bin/sh", true},
		{"sf.proc.pid = 8 and sf.proc.exe = /bin/sh", "0 sf.proc.pid = 8", false},
		{"sf.proc.pid = 7 or sf.proc.exe = /bin/sh", "1 sf.proc.pid = 7", true},
		{"sf.proc.pid != 8 and sf.proc.exe = /bin/ls", "1 sf.proc.pid != 8, 0 sf.proc.exe = /bin/ls", false},
		{"not (sf.proc.pid != 8)", "1 sf.proc.pid != 8", false},
		{"sf.proc.pid != [7, 8]", "1 sf.proc.pid != [7, 8]", true},
		{"shell and sf.proc.pid > 100", "1 sf.proc.name in (sh, bash), 1 shell, 0 sf.proc.pid > 100", false},
		{"many or sf.ret = 0", "1 sf.proc.name in (sh, bash), 1 shell, 1 sf.proc.name in (sh, bash), 1 shell, 0 many, 1 sf.ret = 0", true},
		{"evt.num = 3 and evt.num >= 0", "1 evt.num = 3", true}, // the constant is folded away
		{"evt.num >= 0", "", true},
	} {
		p, e := load(t, head+"- rule: R\n  desc: d\n  condition: "+tt.cond+"\n")
		e.Look(row("/bin/ls", 1), 1)
		e.Look(row("/bin/sh", 7), 3) // which must not remember the record before
		var got []string
		holds := e.Walk(p.Rules[0].Cond, func(t *policy.Term, holds bool) {
			got = append(got, map[bool]string{true: "1 ", false: "0 "}[holds]+t.Text)
		})
		if s := strings.Join(got, ", "); s != tt.want || holds != tt.holds {
			t.Errorf("%s: got %t after %s, want %t after %s", tt.cond, holds, s, tt.holds, tt.want)
		}
	}
}

// TestWalkAgreesWithEngine evaluates rules on their own and by the engine.
func TestWalkAgreesWithEngine(t *testing.T) {
	var text strings.Builder
	text.WriteString("- macro: low\n  condition: sf.proc.pid < 4\n")
	for i := range 60 {
		fmt.Fprintf(&text, "- rule: R%d\n  desc: d\n  condition: (low or not sf.proc.pid in (%d, %d)) and not (sf.proc.name = p%d or sf.proc.exe endswith %d and low)\n",
			i, i%7, i%5, i%4, i%3)
	}
	p, e := load(t, text.String())
	set, err := policy.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	eval := set.NewEvaluator()
	for i := range int64(200) {
		r := row(fmt.Sprintf("/bin/p%d", i%9), i%11)
		e.Look(r, i+1)
		matched, _ := eval.Eval(r, i+1)
		for _, rule := range p.Rules {
			want := slices.Contains(matched, rule.Rule)
			if got := e.Walk(rule.Cond, func(*policy.Term, bool) {}); got != want {
				t.Errorf("%s on record %d: got %t, the engine says %t", rule.Name, i, got, want)
			}
		}
	}
}

// TestMacrosThatMultiply walks macros that would take for ever if each use of each was walked anew.
func TestMacrosThatMultiply(t *testing.T) {
	var text strings.Builder
	text.WriteString("- macro: m0\n  condition: sf.proc.pid = 7\n")
	for i := range 100 {
		fmt.Fprintf(&text, "- macro: m%d\n  condition: m%d and m%d\n", i+1, i, i)
	}
	p, e := load(t, text.String()+"- rule: R\n  desc: d\n  condition: m100\n")
	e.Look(row("/bin/sh", 7), 1)
	terms := 0
	if !e.Walk(p.Rules[0].Cond, func(*policy.Term, bool) { terms++ }) || terms > 1000 {
		t.Errorf("%d terms", terms)
	}
}

func TestRuleThatCannotBeMade(t *testing.T) {
	if _, err := New(&policy.Policy{Rules: []*policy.Rule{{Cond: &policy.Test{}}}}); err == nil {
		t.Error("a test without an attribute is accepted")
	}
}
