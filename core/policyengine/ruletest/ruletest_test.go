package ruletest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const policies = `
- rule: Shell
  desc: a shell runs
  condition: sf.opflags = EXEC and sf.proc.name in (sh, bash)
  tags: [exec, mitre:T1059]
  output: "%proc.name started after %proc.duration"
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
	result, err := Run(t.Context(), []string{dir + "/t"}, Options{Coverage: true, Now: time.Unix(1_000_000_000, 5)})
	if err != nil {
		t.Fatal(err)
	}
	file := result.Files[0]
	if len(result.Files) != 1 || file.Path != dir+"/t/t.yaml" {
		t.Fatalf("files %+v", result.Files)
	}
	for _, f := range result.Failures() {
		f.File = strings.TrimPrefix(f.File, dir+"/")
		f.Message = strings.ReplaceAll(f.Message, trace, "TRACE")
	}
	for _, u := range result.Untested {
		u.File = strings.TrimPrefix(u.File, dir+"/")
	}
	if file.Err != nil {
		return result, errors.New(strings.ReplaceAll(strings.ReplaceAll(file.Err.Error(), dir+"/", ""), trace, "TRACE"))
	}
	return result, nil
}

// TestCases wants one record to be tested on several rules.
func TestCases(t *testing.T) {
	result, err := run(t, `policies: ../p.yaml
records:
  exec: {sf.type: PE, sf.opflags: EXEC, sf.proc.exe: /bin/sh}
cases:
  - case: a shell
    record: {like: exec, sf.ts: now, sf.proc.createts: now-1m}
    fires:
      - rule: Shell
        tags: [exec, mitre:T1059]
        output: sh started after 60000000000
    silent: others
    dropped: false
  - {case: no shell, record: {like: exec, sf.proc.exe: /bin/ls}, silent: others}
  - {case: of a trace, record: {trace: TRACE, where: sf.proc.name = sh and sf.opflags = EXEC}, fires: Shell, silent: [Secret, Off]}
  - {case: noise, record: {like: exec, sf.proc.exe: atd}, dropped: true}
rules:
  - rule: Shell
    matches: {said: {like: exec, tags: [exec, mitre:T1059], output: sh started after <NA>}}
`)
	if err != nil {
		t.Fatal(err)
	}
	if cases, _, _ := result.Counts(); cases != 5 || len(result.Failures()) > 0 {
		t.Errorf("%d cases, %v", cases, result.Failures())
	}
	var names []string
	for _, c := range result.Files[0].Cases {
		names = append(names, fmt.Sprintf("%d %s", c.Line, c))
	}
	want := []string{"18 rule 'Shell', said", "5 a shell", "13 no shell", "14 of a trace", "15 noise"}
	if !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}

// TestTimes reads times, which may be relative to now.
func TestTimes(t *testing.T) {
	const now = 1_700_000_000_000_000_007
	for text, want := range map[string]int64{
		"5":                              5,
		"-5":                             -5,
		"now":                            now,
		"now-5m":                         now - 300e9,
		"now - 1h30m":                    now - 5400e9,
		"now+250ms":                      now + 250e6,
		"1970-01-01T00:00:02.000000001Z": 2e9 + 1,
		"1970-01-01T02:00:00+02:00":      0,
	} {
		if got, err := parseTime(text, now); got != want || err != nil {
			t.Errorf("%s: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "nowhere", "now5m", "now-", "now-5", "-5m", "2026-01-31", "1e9"} {
		if got, err := parseTime(text, now); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}

// TestCoverage wants to know which rules no record fired, and which terms had only one value where they decide.
func TestCoverage(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"p.yaml": `- macro: started
  condition: sf.type = PE and sf.opflags = EXEC
- drop: Noise
  condition: sf.proc.name = cron
- rule: Shell
  desc: d
  condition: started and sf.proc.name in (sh, bash) and not sf.proc.user = root
- rule: Files
  desc: d
  condition: sf.file.path startswith /etc and sf.file.path endswith .conf
  prefilter: [FF]
- rule: Off
  desc: d
  condition: sf.proc.pid = 77
  enabled: false
`,
		"t.yaml": `policies: p.yaml
rules:
  - rule: Shell
    matches: {sh: {sf.type: PE, sf.opflags: EXEC, sf.proc.exe: /bin/sh}}
    ignores:
      clone: {sf.type: PE, sf.opflags: CLONE, sf.proc.exe: /bin/sh}
      ls: {sf.type: PE, sf.opflags: EXEC, sf.proc.exe: /bin/ls}
  - rule: Files
    ignores:
      another type: {sf.type: FE, sf.opflags: UNLINK, sf.file.path: /etc/a.conf}
      a dropped one: {sf.type: FF, sf.opflags: OPEN, sf.file.path: /etc/a.conf, sf.proc.exe: cron}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	result, err := Run(t.Context(), []string{dir}, Options{Coverage: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Files) != 2 || result.Files[0].Err == nil || result.Files[1].Err != nil || len(result.Coverage) != 1 {
		t.Fatalf("%+v", result) // p.yaml is no test file
	}
	c := result.Coverage[0]
	var got []string
	for _, s := range c.Subjects {
		got = append(got, fmt.Sprintf("%d %s %t", s.Line, s.Subject, s.Fired))
	}
	for _, x := range c.Terms {
		got = append(got, fmt.Sprintf("%d:%d %s %t %t", x.Line, x.Col, x.Text, x.True, x.False))
	}
	want := []string{
		"3 drop 'Noise' true", "5 rule 'Shell' true", "8 rule 'Files' false",
		"2:14 sf.type = PE true true", "2:31 sf.opflags = EXEC true true", "4:14 sf.proc.name = cron true true",
		"7:14 started true true", "7:26 sf.proc.name in (sh, bash) true true", "7:61 sf.proc.user = root false true",
		"10:14 sf.file.path startswith /etc false false", "10:47 sf.file.path endswith .conf false false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if result, err = Run(t.Context(), []string{dir + "/t.yaml"}, Options{}); err != nil || result.Coverage != nil {
		t.Errorf("coverage that nobody asked for: %v, %v", result, err)
	}
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
	if cases, failed, broken := result.Counts(); cases != 11 || failed+broken > 0 || len(result.Untested) > 0 {
		t.Errorf("%d cases, %v, %v", cases, result.Failures(), result.Untested)
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
		"tags": {head + "rules:\n  - rule: Shell\n    matches: {one: {sf.type: PE, sf.opflags: EXEC, sf.proc.exe: /bin/sh, tags: [mitre:T1059, exec]}}",
			[]string{`t/t.yaml:4:80: rule 'Shell', one: has the tags ["exec" "mitre:T1059"], want ["mitre:T1059" "exec"]`}},
		"output": {head + "rules:\n  - rule: Shell\n    matches: {one: {sf.type: PE, sf.opflags: EXEC, sf.proc.exe: /bin/sh, output: sh}}",
			[]string{`t/t.yaml:4:82: rule 'Shell', one: says "sh started after <NA>", want "sh"`}},
		"no output": {head + "rules:\n  - rule: Secret\n    matches: {one: {sf.type: FF, sf.opflags: READ, sf.file.path: /secret, output: x, tags: [x]}}",
			[]string{`t/t.yaml:4:92: rule 'Secret', one: has the tags [], want ["x"]`, `t/t.yaml:4:83: rule 'Secret', one: says "", want "x"`}},
		"case": {head + "cases:\n  - case: one\n    record: {sf.type: PE, sf.opflags: EXEC, sf.proc.exe: /bin/sh}\n    fires: [Secret, {rule: Shell, tags: []}]\n    silent: [Shell]\n    dropped: true",
			[]string{"t/t.yaml:5:13: one, rule 'Secret': does not match; what does: 'Shell'", `t/t.yaml:5:41: one, rule 'Shell': has the tags ["exec" "mitre:T1059"], want []`,
				"t/t.yaml:6:14: one, rule 'Shell': matches", "t/t.yaml:7:14: one: the record is not dropped"}},
		"case of a dropped record": {head + "cases:\n  - case: one\n    record: {sf.type: PE, sf.opflags: EXEC, sf.proc.exe: /bin/cron}\n    fires: Shell\n    dropped: false",
			[]string{"t/t.yaml:5:12: one, rule 'Shell': does not match: the record is dropped", "t/t.yaml:6:14: one: the record is dropped"}},
		"others": {head + "cases:\n  - case: one\n    record: {sf.type: PE, sf.opflags: EXEC, sf.proc.exe: /bin/sh}\n    silent: others",
			[]string{"t/t.yaml:3:11: one, rule 'Shell': matches"}},
		"not listed": {head + "traces:\n  - {trace: TRACE, matches: {}}", []string{"t/t.yaml:3:5: rule 'Shell': matches 5 records of TRACE, want none"}},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := run(t, tt.text)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range result.Failures() {
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
		"p.yaml:14: drop 'Noise' has no test with a record that matches",
		"p.yaml:16: drop 'Other noise' has no test with a record that matches",
		"p.yaml:16: drop 'Other noise' has no test with a record that is ignored",
		"p.yaml:2: rule 'Shell' has no test with a record that is ignored",
		"p.yaml:7: rule 'Secret' has no test with a record that matches",
		"p.yaml:7: rule 'Secret' has no test with a record that is ignored",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestFaults(t *testing.T) {
	const head = "policies: ../p.yaml\nrules:\n  - rule: Shell\n    matches: {one: "
	for name, tt := range map[string]struct{ text, want string }{
		"no policies":        {"rules: []", `t/t.yaml:1:1: key "policies" is missing`},
		"unknown key":        {"policies: ../p.yaml\nrule: []", `t/t.yaml:2:1: unknown key "rule": did you mean "rules"?`},
		"no rule":            {"policies: ../p.yaml\ncases:\n  - {case: c, record: {sf.type: PE}, fires: [{tags: [x]}]}", `t/t.yaml:3:46: key "rule" is missing`},
		"unknown rule fires": {"policies: ../p.yaml\ncases:\n  - {case: c, record: {sf.type: PE}, fires: [Shel]}", `t/t.yaml:3:46: the policies have no rule 'Shel': did you mean 'Shell'?`},
		"unknown silence":    {"policies: ../p.yaml\ncases:\n  - {case: c, record: {sf.type: PE}, silent: Shel}", `t/t.yaml:3:46: the policies have no rule 'Shel'`},
		"case of nothing":    {"policies: ../p.yaml\ncases:\n  - {case: c, record: {sf.type: PE}}", `t/t.yaml:3:5: say which rules fire, which are silent, or whether the record is dropped`},
		"case without name":  {"policies: ../p.yaml\ncases:\n  - {record: {sf.type: PE}, fires: Shell}", `t/t.yaml:3:5: key "case" is missing`},
		"case without data":  {"policies: ../p.yaml\ncases:\n  - {case: c, fires: Shell}", `t/t.yaml:3:5: key "record" is missing`},
		"tags of a drop":     {"policies: ../p.yaml\ndrops:\n  - drop: Noise\n    matches: {a: {sf.type: PE, tags: [x]}}", `t/t.yaml:4:32: unknown attribute 'tags'`},
		"output to ignore":   {"policies: ../p.yaml\nrules:\n  - rule: Shell\n    ignores: {a: {sf.type: PE, output: x}}", `t/t.yaml:4:32: unknown attribute 'output'`},
		"time":               {head + "{sf.type: PE, sf.ts: yesterday}}", `t/t.yaml:4:41: want a time such as now-5m, 2026-01-31T12:00:00Z or nanoseconds since 1970, found "yesterday"`},
		"nothing said":       {"policies: ../p.yaml\nrules:\n  - rule: Shell", `t/t.yaml:3:5: say what the rule matches or ignores`},
		"unknown rule":       {"policies: ../p.yaml\nrules:\n  - rule: Shel\n    matches: {a: {sf.type: PE}}", `t/t.yaml:4:15: the policies have no rule 'Shel': did you mean 'Shell'?`},
		"unknown drop":       {"policies: ../p.yaml\ndrops:\n  - drop: zzzzzzzz\n    matches: {a: {sf.type: PE}}", `t/t.yaml:4:15: the policies have no drop 'zzzzzzzz'`},
		"rule of a trace":    {"policies: ../p.yaml\ntraces: [{trace: TRACE, matches: {Shall: 1}}]", `the policies have no rule 'Shall': did you mean 'Shell'?`},
		"no type":            {head + "{sf.proc.exe: sh}}", `t/t.yaml:4:20: sf.type is missing`},
		"unknown type":       {head + "{sf.type: XX}}", `t/t.yaml:4:30: 'XX' is no value of 'sf.type': want PE, PF`},
		"unknown attribute":  {head + "{sf.type: PE, sf.proc.nmae: x}}", `unknown attribute 'sf.proc.nmae': did you mean sf.proc.name?`},
		"odd attribute":      {head + "{sf.type: PE, zzzzzzzzzz: x}}", `unknown attribute 'zzzzzzzzzz': did you mean like, trace, where or an attribute?`},
		"unanswerable":       {head + "{sf.type: PE, evt.latency: 1}}", `SysFlow data never has 'evt.latency'`},
		"derived":            {head + "{sf.type: PE, sf.proc.name: x}}", `'sf.proc.name' follows from other attributes: give sf.proc.exe, sf.proc.args, sf.proc.pid or sf.proc.aexe`},
		"derived by Falco":   {head + "{sf.type: PE, evt.type: x}}", `'evt.type' follows from other attributes: give those`},
		"other type":         {head + "{sf.type: PE, sf.file.path: x}}", `a record of type PE has no 'sf.file.path': it is for FF FE`},
		"flag":               {head + "{sf.type: PE, sf.opflags: RUN}}", `'RUN' is no value of 'sf.opflags': want MKDIR`},
		"flag of a type":     {head + "{sf.type: PE, sf.opflags: RECV}}", `a record of type PE never has RECV`},
		"address":            {head + "{sf.type: NF, sf.net.sip: here}}", `want an IPv4 address, found 'here'`},
		"number":             {head + "{sf.type: NF, sf.net.sport: many}}", `want a whole number, found "many"`},
		"no container":       {head + "{sf.type: PE, sf.container.name: x}}", `'sf.container.name' is given without sf.container.id`},
		"no pod":             {head + "{sf.type: PE, sf.container.id: c, sf.pod.name: x}}", `'sf.pod.name' is given without sf.pod.id`},
		"like":               {head + "{like: nobody}}", `no record is called "nobody" before this line`},
		"where alone":        {head + "{sf.type: PE, where: sf.type = PE}}", `where goes with trace`},
		"where":              {head + "{where: sf.typ = PE, trace: TRACE}}", `t/t.yaml:4:28: unknown attribute 'sf.typ' [E301]`},
		"nowhere":            {head + "{trace: TRACE, where: sf.proc.name = nobody}}", `t/t.yaml:4:20: no record of TRACE is like that`},
		"no trace":           {head + "{trace: none.sf}}", `t/t.yaml:4:15: open trace: open t/none.sf: no such file`},
		"no trace to count":  {"policies: ../p.yaml\ntraces: [{trace: none.sf, matches: {}}]", `t/t.yaml:2:10: open trace: open t/none.sf: no such file`},
		"not a trace":        {head + "{trace: t.yaml}}", `open trace t/t.yaml: `},
		"no policy":          {"policies: ../none.yaml", "load policies none.yaml:\nnone.yaml: error: cannot read policy file"},
		"policies":           {policies, "t/t.yaml:2:1: this is a list, as policies are; tests are a mapping, in files of their own"},
		"no YAML":            {"policies: [", "t/t.yaml: line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(t, tt.text)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got\n%v\nwant\n%s", err, tt.want)
			}
		})
	}
	if _, err := Run(t.Context(), []string{t.TempDir()}, Options{}); err == nil || !strings.Contains(err.Error(), "no test files (*.yaml, *.yml) at") {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := Run(t.Context(), []string{"missing"}, Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing directory: %v", err)
	}
}

// TestOtherPolicies runs a test file on policies that it does not name.
func TestOtherPolicies(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "t.yml")
	other := filepath.Join(dir, "other.yaml")
	if err := os.WriteFile(other, []byte("- rule: R\n  desc: d\n  condition: sf.type = PE\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"policies: none\n", ""} {
		if err := os.WriteFile(file, []byte(text+"rules: [{rule: R, matches: {a: {sf.type: PE}}}]"), 0o600); err != nil {
			t.Fatal(err)
		}
		result, err := Run(t.Context(), []string{file}, Options{Policies: other})
		if err != nil {
			t.Fatal(err)
		}
		if cases, failed, _ := result.Counts(); cases != 1 || failed != 0 || result.Files[0].Err != nil || result.Files[0].Policies != other {
			t.Errorf("%+v", result.Files[0])
		}
	}
	var bad *PolicyError
	if err := os.WriteFile(other, []byte("- rule: R\n  desc: d\n  condition: sf.tpye = PE\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	result, err := Run(t.Context(), []string{file, file}, Options{Policies: other})
	if err != nil {
		t.Fatal(err)
	}
	if again := result.Files[1].Err; again == nil || errors.As(again, &bad) || !strings.Contains(again.Error(), "the first file") {
		t.Errorf("the same policies again: %v", again)
	}
	if err := result.Files[0].Err; !errors.As(err, &bad) || !strings.Contains(bad.Error(), "^~~~~~~") {
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
			row := p.record(p.root).build(nil, 0)
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
		for _, c := range p.file("").cases {
			c.record.build(nil, 0)
		}
	})
}
