package ruletest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const policies = `
- rule: Shell
  desc: a shell runs
  condition: sf.opflags = EXEC and sf.proc.name in (sh, bash)
- rule: Secret
  desc: a secret is read
  condition: sf.opflags = READ and sf.file.path startswith /secret
- rule: Off
  desc: switched off
  enabled: false
  condition: sf.type = PE
- drop: Noise
  condition: sf.proc.name = cron
- drop: Other noise
  condition: sf.proc.name = atd
`

// run runs a test file beside the policies above.
func run(t *testing.T, text string) (*Result, error) {
	t.Helper()
	dir := t.TempDir()
	trace, err := filepath.Abs(resources + "/traces/webshell.sf")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"p.yaml": policies, "t/t.yaml": strings.ReplaceAll(text, "TRACE", trace)} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	result, err := Run(t.Context(), dir+"/t", Options{})
	if err != nil {
		err = errors.New(strings.ReplaceAll(strings.ReplaceAll(err.Error(), dir+"/", ""), trace, "TRACE"))
	} else {
		for _, f := range result.Failures {
			f.File = strings.TrimPrefix(f.File, dir+"/")
			f.Message = strings.ReplaceAll(f.Message, trace, "TRACE")
		}
		for _, u := range result.Untested {
			u.File = strings.TrimPrefix(u.File, dir+"/")
		}
	}
	return result, err
}

// all is a file in which every rule is tested on both kinds of records.
const all = `policies: ../p.yaml
records:
  exec: {sf.type: PE, sf.opflags: EXEC, sf.proc.exe: /bin/sh}
rules:
  - rule: Shell
    matches: {plain: {like: exec}, of a trace: {trace: TRACE, where: sf.proc.name = sh and sf.opflags = EXEC}}
    ignores: {cloned: {like: exec, sf.opflags: CLONE}, changed: {trace: TRACE, where: sf.proc.name = sh, sf.proc.aexe: [/bin/ls]}}
  - rule: Secret
    matches: {read: {sf.type: FF, sf.opflags: [OPEN, READ], sf.file.path: /secret/a}}
    ignores: {opened: {sf.type: FF, sf.opflags: [OPEN], sf.file.path: /secret/a}}
drops:
  - drop: Noise
    matches: {cron: {like: exec, sf.proc.exe: /usr/sbin/cron}}
    ignores: {other noise: {like: exec, sf.proc.exe: /usr/sbin/atd}}
  - drop: Other noise
    matches: {atd: {like: exec, sf.proc.exe: /usr/sbin/atd}}
    ignores: {cron: {like: exec, sf.proc.exe: /usr/sbin/cron}}
traces:
  - trace: TRACE
    matches: {Shell: 5}
    dropped: 0
`

func TestAllIsWell(t *testing.T) {
	result, err := run(t, all)
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Failures) > 0 || len(result.Untested) > 0 || result.Cases != 11 || len(result.Files) != 1 {
		t.Errorf("%+v", result)
	}
}

func TestFailures(t *testing.T) {
	const head = "policies: ../p.yaml\n"
	for name, tt := range map[string]struct {
		text string
		want []string
	}{
		"does not match": {head + "rules:\n  - rule: Shell\n    matches: {one: {sf.type: PE, sf.opflags: EXEC, sf.proc.exe: /bin/ls}}",
			[]string{"t/t.yaml:4:15: rule 'Shell', one: does not match, nor does any other rule"}},
		"another does": {head + "rules:\n  - rule: Secret\n    matches: {one: {sf.type: PE, sf.opflags: EXEC, sf.proc.exe: /bin/sh}}",
			[]string{"t/t.yaml:4:15: rule 'Secret', one: does not match; what does: 'Shell'"}},
		"dropped": {head + "rules:\n  - rule: Shell\n    matches: {one: {sf.type: PE, sf.opflags: EXEC, sf.proc.exe: /bin/cron}}",
			[]string{"t/t.yaml:4:15: rule 'Shell', one: does not match: the record is dropped"}},
		"matches": {head + "rules:\n  - rule: Shell\n    ignores: {one: {sf.type: PE, sf.opflags: EXEC, sf.proc.exe: /bin/sh}}",
			[]string{"t/t.yaml:4:15: rule 'Shell', one: matches"}},
		"another drop": {head + "drops:\n  - drop: Noise\n    matches: {one: {sf.type: PE, sf.proc.exe: atd}}\n    ignores: {two: {sf.type: PE, sf.proc.exe: cron}}",
			[]string{"t/t.yaml:4:15: drop 'Noise', one: does not match: the record is dropped", "t/t.yaml:5:15: drop 'Noise', two: matches"}},
		"counts": {head + "traces:\n  - {matches: {Shell: 4, Secret: 1}, dropped: 2, trace: TRACE}",
			[]string{"t/t.yaml:3:16: rule 'Shell': matches 5 records of TRACE, want 4", "t/t.yaml:3:26: rule 'Secret': matches 0 records of TRACE, want 1",
				"t/t.yaml:3:5: drops: 0 records of TRACE, want 2"}},
		"not listed": {head + "traces:\n  - {trace: TRACE, matches: {}}", []string{"t/t.yaml:3:5: rule 'Shell': matches 5 records of TRACE, want none"}},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := run(t, tt.text)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range result.Failures {
				got = append(got, f.Error())
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func TestUntested(t *testing.T) {
	result, err := run(t, "policies: ../p.yaml\nrules:\n  - rule: Shell\n    matches: {one: {sf.type: PE, sf.opflags: EXEC, sf.proc.exe: /bin/sh}}\n"+
		"drops:\n  - drop: Noise\n    ignores: {one: {sf.type: PE}}")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range result.Untested {
		got = append(got, u.String())
	}
	want := []string{
		"p.yaml:12: drop 'Noise' has no test with a record that matches",
		"p.yaml:14: drop 'Other noise' has no test with a record that matches",
		"p.yaml:14: drop 'Other noise' has no test with a record that is ignored",
		"p.yaml:2: rule 'Shell' has no test with a record that is ignored",
		"p.yaml:5: rule 'Secret' has no test with a record that matches",
		"p.yaml:5: rule 'Secret' has no test with a record that is ignored",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestFaults(t *testing.T) {
	const head = "policies: ../p.yaml\nrules:\n  - rule: Shell\n    matches: {one: "
	for name, tt := range map[string]struct{ text, want string }{
		"no policies":       {"rules: []", `t/t.yaml:1:1: key "policies" is missing`},
		"unknown key":       {"policies: ../p.yaml\nrule: []", `t/t.yaml:2:1: unknown key "rule": did you mean "rules"?`},
		"nothing said":      {"policies: ../p.yaml\nrules:\n  - rule: Shell", `t/t.yaml:3:5: say what the rule matches or ignores`},
		"unknown rule":      {"policies: ../p.yaml\nrules:\n  - rule: Shel\n    matches: {a: {sf.type: PE}}", `t/t.yaml:4:15: the policies have no rule 'Shel': did you mean 'Shell'?`},
		"unknown drop":      {"policies: ../p.yaml\ndrops:\n  - drop: zzzzzzzz\n    matches: {a: {sf.type: PE}}", `t/t.yaml:4:15: the policies have no drop 'zzzzzzzz'`},
		"rule of a trace":   {"policies: ../p.yaml\ntraces: [{trace: TRACE, matches: {Shall: 1}}]", `the policies have no rule 'Shall': did you mean 'Shell'?`},
		"no type":           {head + "{sf.proc.exe: sh}}", `t/t.yaml:4:20: sf.type is missing`},
		"unknown type":      {head + "{sf.type: XX}}", `t/t.yaml:4:30: 'XX' is no value of 'sf.type': want PE, PF`},
		"unknown attribute": {head + "{sf.type: PE, sf.proc.nmae: x}}", `unknown attribute 'sf.proc.nmae': did you mean sf.proc.name?`},
		"odd attribute":     {head + "{sf.type: PE, zzzzzzzzzz: x}}", `unknown attribute 'zzzzzzzzzz': did you mean like, trace, where or an attribute?`},
		"unanswerable":      {head + "{sf.type: PE, evt.latency: 1}}", `SysFlow data never has 'evt.latency'`},
		"derived":           {head + "{sf.type: PE, sf.proc.name: x}}", `'sf.proc.name' follows from other attributes: give sf.proc.exe, sf.proc.args, sf.proc.pid or sf.proc.aexe`},
		"derived by Falco":  {head + "{sf.type: PE, evt.type: x}}", `'evt.type' follows from other attributes: give those`},
		"other type":        {head + "{sf.type: PE, sf.file.path: x}}", `a record of type PE has no 'sf.file.path': it is for FF FE`},
		"flag":              {head + "{sf.type: PE, sf.opflags: RUN}}", `'RUN' is no value of 'sf.opflags': want MKDIR`},
		"flag of a type":    {head + "{sf.type: PE, sf.opflags: RECV}}", `a record of type PE never has RECV`},
		"address":           {head + "{sf.type: NF, sf.net.sip: here}}", `want an IPv4 address, found 'here'`},
		"number":            {head + "{sf.type: NF, sf.net.sport: many}}", `want a whole number, found "many"`},
		"no container":      {head + "{sf.type: PE, sf.container.name: x}}", `'sf.container.name' is given without sf.container.id`},
		"no pod":            {head + "{sf.type: PE, sf.container.id: c, sf.pod.name: x}}", `'sf.pod.name' is given without sf.pod.id`},
		"like":              {head + "{like: nobody}}", `no record is called "nobody" before this line`},
		"where alone":       {head + "{sf.type: PE, where: sf.type = PE}}", `where goes with trace`},
		"where":             {head + "{where: sf.typ = PE, trace: TRACE}}", `t/t.yaml:4:28: unknown attribute 'sf.typ' [E301]`},
		"nowhere":           {head + "{trace: TRACE, where: sf.proc.name = nobody}}", `t/t.yaml:4:20: no record of TRACE is like that`},
		"no trace":          {head + "{trace: none.sf}}", `t/t.yaml:4:15: open trace: open t/none.sf: no such file`},
		"no trace to count": {"policies: ../p.yaml\ntraces: [{trace: none.sf, matches: {}}]", `t/t.yaml:2:10: open trace: open t/none.sf: no such file`},
		"not a trace":       {head + "{trace: t.yaml}}", `open trace t/t.yaml: `},
		"no policy":         {"policies: ../none.yaml", "load policies none.yaml:\nnone.yaml: error: cannot read policy file"},
		"no YAML":           {"policies: [", "t/t.yaml: line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(t, tt.text)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got\n%v\nwant\n%s", err, tt.want)
			}
		})
	}
	if _, err := Run(t.Context(), t.TempDir(), Options{}); err == nil || !strings.Contains(err.Error(), "no test files (*.yaml, *.yml) at") {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := Run(t.Context(), "missing", Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing directory: %v", err)
	}
}

// TestOtherPolicies runs a test file on policies that it does not name.
func TestOtherPolicies(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "t.yml")
	if err := os.WriteFile(file, []byte("policies: none\nrules: [{rule: R, matches: {a: {sf.type: PE}}}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other.yaml")
	if err := os.WriteFile(other, []byte("- rule: R\n  desc: d\n  condition: sf.type = PE\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	result, err := Run(t.Context(), file, Options{Policies: other})
	if err != nil || result.Cases != 1 || len(result.Failures) != 0 {
		t.Errorf("%+v, %v", result, err)
	}
	var bad *PolicyError
	if err := os.WriteFile(other, []byte("- rule: R\n  desc: d\n  condition: sf.tpye = PE\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), file, Options{Policies: other}); !errors.As(err, &bad) || !strings.Contains(bad.Error(), "^~~~~~~") {
		t.Errorf("got %v", err)
	}
}

// TestEveryAttributeCanBeSet gives each stored attribute of the catalogue a value and reads it back.
func TestEveryAttributeCanBeSet(t *testing.T) {
	cat := field.SysFlow()
	for f := range cat.Fields() {
		if !strings.HasPrefix(f.Name, "sf.") || f.Query && setters[f.Name] == nil || f.Deprecated != "" || f.Name == "sf.version" {
			continue // derived, or a constant
		}
		t.Run(f.Name, func(t *testing.T) {
			typ := f.Applies.Codes()[0]
			value, want := valueOf(f)
			text := fmt.Sprintf("%s: %s", f.Name, quote(value))
			if f.Name != "sf.type" {
				text = fmt.Sprintf("sf.type: %s\n%s", typ, text)
			}
			if strings.HasPrefix(f.Name, "sf.container.") && f.Name != "sf.container.id" {
				text += "\nsf.container.id: abc"
			}
			if strings.HasPrefix(f.Name, "sf.pod.") && f.Name != "sf.pod.id" {
				text += "\nsf.pod.id: abc"
			}
			p := newParser("r.yaml", []byte(text), cat)
			row := p.record(p.root.Value).build(nil)
			if err := p.doc.Err(); err != nil {
				t.Fatal(err)
			}
			if got := read(f, row); got != want {
				t.Errorf("set to %s, reads as %s, want %s", value, got, want)
			}
		})
	}
}

// quote quotes what YAML would not take as a text or list.
func quote(value string) string {
	if value == "?" {
		return `"?"`
	}
	return value
}

// valueOf returns a value for an attribute, as a test file and as read has it.
func valueOf(f *field.Field) (value, want string) {
	switch {
	case f.Name == "sf.opflags":
		return "[EXEC, SETUID]", "[EXEC SETUID]"
	case f.Name == "sf.file.openflags":
		return "[O_RDWR, CREAT]", "[RDONLY WRONLY RDWR CREAT]"
	case f.Name == "sf.proc.acmdline":
		return "[/bin/sh -c x, /bin/y]", "[/bin/sh -c x /bin/y]"
	case f.Type == field.Enum:
		for name := range f.Names.All() {
			value = name // the last
		}
		if f.Name == "sf.container.type" {
			value = "CT_CRIO"
			return value, "CRIO"
		}
		return value, value
	case f.Multi && f.Type == field.IP:
		return "[10.0.0.1, 10.185.47.189]", "[16777226 3174021386]"
	case f.Type == field.IP:
		return "10.185.47.189", "3174021386"
	case f.Multi:
		return "[a, b]", "[a b]"
	case f.Type == field.Int:
		return "7", "7"
	case f.Type == field.Bool:
		return "true", "true"
	}
	return "text", "text"
}

// read returns the value of an attribute as text.
func read(f *field.Field, row *sfgo.FlatRecord) string {
	switch {
	case f.Strs != nil:
		return fmt.Sprint(f.Strs(row, nil))
	case f.Ints != nil:
		return fmt.Sprint(f.Ints(row, nil))
	case f.Bool != nil:
		return fmt.Sprint(f.Bool(row))
	case f.Str != nil:
		return f.Str(row)
	}
	n, ok := f.Int(row)
	if !ok {
		return "missing"
	}
	return fmt.Sprint(n)
}

// FuzzFile reads arbitrary test files: faults, never a panic.
func FuzzFile(f *testing.F) {
	f.Add([]byte(all))
	f.Add([]byte("rules: [{rule: R, matches: {a: {sf.type: NF, sf.net.proto: tcp, sf.opflags: SEND, fd.sport: 4}}}]"))
	cat := field.SysFlow()
	f.Fuzz(func(_ *testing.T, data []byte) {
		p := newParser("f.yaml", data, cat)
		for _, c := range p.file().cases {
			c.record.build(nil)
		}
	})
}
