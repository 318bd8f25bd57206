package scenario_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
	"github.com/sysflow-telemetry/sf-processor/resources/traces/scenario"
)

// head is what the scenarios of these tests begin with.
const head = `about: test
start: 2026-01-01T00:00:00Z
node: {id: n, ip: 10.0.0.1}
users: {ann: 7}
pods: {pod: {id: pod-1, name: p}}
containers: {box: {id: box-1, pod: pod}}
processes:
  init: {pid: 1, exe: /init}
  app: {pid: 100, parent: init, exe: /app, container: box}
`

const start = 1767225600_000_000_000 // ns

// play returns a line per record: its type and what the tests look at, times in ms since the start.
func play(t *testing.T, steps string) ([]string, error) {
	t.Helper()
	s, err := scenario.Parse("t.yaml", []byte(head+"steps:\n"+steps))
	if err != nil {
		t.Fatal(err)
	}
	ms := func(ts int64) string { return fmt.Sprintf("%g", float64(ts-start)/1e6) }
	var lines []string
	err = s.Records(scenario.Options{}, func(rec *sfgo.SysFlow) error {
		var line string
		switch u := rec.Rec; {
		case u.SFHeader != nil:
			line = fmt.Sprintf("H %s", u.SFHeader.Ip)
		case u.Pod != nil:
			line = fmt.Sprintf("PD %s", u.Pod.Id)
		case u.Container != nil:
			line = fmt.Sprintf("C %s", u.Container.Id)
		case u.Process != nil:
			line = fmt.Sprintf("P %d %s%s %s %s", u.Process.Oid.Hpid, u.Process.Exe, u.Process.ExeArgs, u.Process.UserName,
				[]string{"created", "modified", "reup"}[u.Process.State])
		case u.File != nil:
			line = fmt.Sprintf("F %c %s", u.File.Restype, u.File.Path)
		case u.ProcessEvent != nil:
			line = fmt.Sprintf("PE %d %d %v %d", u.ProcessEvent.Tid, u.ProcessEvent.OpFlags, u.ProcessEvent.Args, u.ProcessEvent.Ret)
		case u.FileFlow != nil:
			v := u.FileFlow
			line = fmt.Sprintf("FF %s..%s ops %d open %d r %d/%d w %d/%d", ms(v.Ts), ms(v.EndTs), v.OpFlags, v.OpenFlags,
				v.NumRRecvBytes, v.NumRRecvOps, v.NumWSendBytes, v.NumWSendOps)
		case u.NetworkFlow != nil:
			v := u.NetworkFlow
			line = fmt.Sprintf("NF %s..%s ops %d %s:%d>%s:%d/%d r %d/%d w %d/%d", ms(v.Ts), ms(v.EndTs), v.OpFlags, dotted(v.Sip), v.Sport,
				dotted(v.Dip), v.Dport, v.Proto, v.NumRRecvBytes, v.NumRRecvOps, v.NumWSendBytes, v.NumWSendOps)
		case u.FileEvent != nil:
			line = fmt.Sprintf("FE %d %d", u.FileEvent.OpFlags, u.FileEvent.Ret)
		case u.ProcessFlow != nil:
			line = fmt.Sprintf("PF %d %d/%d/%d", u.ProcessFlow.OpFlags, u.ProcessFlow.NumThreadsCloned, u.ProcessFlow.NumThreadsExited,
				u.ProcessFlow.NumCloneErrors)
		case u.K8sEvent != nil:
			line = fmt.Sprintf("KE %d %d %q", u.K8sEvent.Kind, u.K8sEvent.Action, u.K8sEvent.Message)
		}
		lines = append(lines, line)
		return nil
	})
	return lines, err
}

func TestPlay(t *testing.T) {
	// What every play begins with, in the order that TestEntityOrder checks.
	entities := []string{"H 10.0.0.1", "PD pod-1", "C box-1", "P 1 /init root reup", "P 100 /app root reup"}
	for name, tt := range map[string]struct {
		steps string
		want  []string // without entities
	}{
		"a flow is written when it ends": {`
  - {at: 1ms, read: {proc: app, path: /slow, bytes: 10, for: 5ms}}
  - {at: 2ms, write: {proc: app, path: /fast, bytes: 70000, for: 1ms}}`,
			[]string{"F f /fast", "FF 2..3 ops 1664 open 262 r 0/0 w 70000/2", "F f /slow", "FF 1..6 ops 1408 open 4097 r 10/1 w 0/0"}},
		"a long flow is written in parts": {`
  - {at: 0s, read: {proc: app, path: /a, bytes: 90, ops: 9, for: 70s}}`,
			[]string{"F f /a", "FF 0..30000 ops 384 open 4097 r 30/3 w 0/0", "FF 30000..60000 ops 256 open 4097 r 30/3 w 0/0",
				"FF 60000..70000 ops 1280 open 4097 r 30/3 w 0/0"}},
		"a part without an operation is not written": {`
  - {at: 0s, open: {proc: app, path: /a, for: 65s}}`,
			[]string{"F f /a", "FF 0..30000 ops 128 open 4097 r 0/0 w 0/0", "FF 60000..65000 ops 1024 open 4097 r 0/0 w 0/0"}},
		"exit cuts flows off": {`
  - {at: 0s, read: {proc: app, path: /a, bytes: 5, for: 9s}}
  - {at: 1s, connect: {proc: app, from: "10.0.0.1:5000", to: "1.2.3.255:80", send: 7, until: exit}}
  - {at: 2s, exit: {proc: app, code: 3}}`,
			[]string{"F f /a", "FF 0..2000 ops 2432 open 4097 r 5/1 w 0/0", "NF 1000..2000 ops 2624 10.0.0.1:5000>1.2.3.255:80/6 r 0/0 w 7/1",
				"PE 100 4 [] 768"}},
		"the end of the story cuts flows off": {`
  - {at: 0s, accept: {proc: app, from: "10.0.0.2:5000", to: "10.0.0.1:80", recv: 7, until: exit}}
  - {at: 1s, read: {proc: app, path: /a, bytes: 5, for: 1s}}`,
			[]string{"F f /a", "FF 1000..2000 ops 1408 open 4097 r 5/1 w 0/0", "NF 0..2000 ops 2336 10.0.0.2:5000>10.0.0.1:80/6 r 7/1 w 0/0"}},
		"clone and exec": {`
  - run: {parent: app, as: child, exe: /bin/x, args: " -v", user: ann}
  - exec: {proc: child, exe: /bin/y}
  - exit: {proc: child, signal: 9}`,
			[]string{"PE 100 1 [] 1002", "P 1002 /app ann created", "PE 1002 1 [] 0", "P 1002 /bin/x -v ann modified", "PE 1002 2 [] 0",
				"P 1002 /bin/y ann modified", "PE 1002 2 [] 0", "PE 1002 4 [] 9"}},
		"setuid": {`
  - setuid: {proc: app, user: ann, ret: -1}
  - setuid: {proc: app, user: ann}`,
			[]string{"PE 100 8 [ann] -1", "P 100 /app ann modified", "PE 100 8 [ann] 0"}},
		"a new header": {`
  - exec: {proc: app}
  - rotate: {}
  - exec: {proc: app}`,
			[]string{"P 100 /app root modified", "PE 100 2 [] 0", "H 10.0.0.1", "PD pod-1", "C box-1", "P 1 /init root reup", "P 100 /app root modified", "PE 100 2 [] 0"}},
		"file events": {`
  - rename: {proc: app, path: /a, to: /b}
  - unlink: {proc: app, path: /b, ret: -2}
  - mkdir: {proc: app, path: /d}`,
			[]string{"F ? /a", "F ? /b", "FE 1048576 0", "FE 262144 -2", "F d /d", "FE 32768 0"}},
		"other records": {`
  - threads: {proc: app, created: 2, exited: 1, errors: 1, for: 1s}
  - k8s: {kind: services, action: deleted, message: '{ "a": [1, 2] }'}
  - {at: 2s, unix: {proc: app, path: /s, send: 3, for: 1ms}}
  - {at: 3s, write: {proc: app, path: "pipe:[1]", type: p, inherited: true, bytes: 1, for: 1ms}}
  - {at: 4s, write: {proc: app, path: /l, append: true, bytes: 1, for: 1ms}}
  - {at: 5s, connect: {proc: app, from: 0.0.0.0, to: "0.0.0.0:0", proto: raw, inherited: true, recv: 9, recvs: 2, for: 1ms}}`,
			[]string{"PF 5 2/1/1", `KE 4 2 "{\"a\":[1,2]}\n\x00"`, "F u /s", "FF 2000..2001 ops 1600 open 0 r 0/0 w 3/1", "F p pipe:[1]",
				"FF 3000..3001 ops 1536 open 0 r 0/0 w 1/1", "F f /l", "FF 4000..4001 ops 1664 open 14 r 0/0 w 1/1",
				"NF 5000..5001 ops 1280 0.0.0.0:0>0.0.0.0:0/254 r 9/2 w 0/0"}},
		"counts and repetition": {`
  - repeat: {times: 2, steps: [unlink: {proc: app, path: "/%{n}"}, unlink: {proc: app, path: "/%{n}"}, unlink: {proc: app, path: "/x%{5..5}%{a|a}"}]}`,
			[]string{"F ? /1", "FE 262144 0", "FE 262144 0", "F ? /x5a", "FE 262144 0", "F ? /2", "FE 262144 0", "FE 262144 0", "FE 262144 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := play(t, tt.steps)
			if err != nil {
				t.Fatal(err)
			}
			known := func(line string) bool { return slices.Contains(entities, line) }
			got, want := slices.DeleteFunc(got, known), slices.DeleteFunc(tt.want, known)
			if !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// TestEntityOrder wants a pod, its container, the ancestors and the process before an event, and once.
func TestEntityOrder(t *testing.T) {
	got, err := play(t, "  - {at: 1ms, read: {proc: app, path: /a, bytes: 1, for: 1ms}}\n  - {at: 5ms, read: {proc: app, path: /a, bytes: 1, for: 1ms}}")
	want := []string{"H 10.0.0.1", "PD pod-1", "C box-1", "P 1 /init root reup", "P 100 /app root reup", "F f /a",
		"FF 1..2 ops 1408 open 4097 r 1/1 w 0/0", "FF 5..6 ops 1408 open 4097 r 1/1 w 0/0"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, got\n%s", err, strings.Join(got, "\n"))
	}
}

// TestFilesAreForgotten opens more files than are remembered, then the first of them: it is written again.
func TestFilesAreForgotten(t *testing.T) {
	got, err := play(t, `
  - repeat: {times: 32769, steps: [unlink: {proc: app, path: "/%{n}"}]}
  - unlink: {proc: app, path: /1}
  - unlink: {proc: app, path: /32769}`)
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]int{}
	for _, line := range got {
		written[line]++
	}
	if written["F ? /1"] != 2 || written["F ? /32769"] != 1 {
		t.Errorf("the first file was written %d times, the last %d times", written["F ? /1"], written["F ? /32769"])
	}
}

func TestPlayErrors(t *testing.T) {
	for name, tt := range map[string]struct{ steps, want string }{
		"exited":       {"  - exit: {proc: app}\n  - exec: {proc: app}", "t.yaml:12: the process has exited"},
		"backwards":    {"  - at: 2s\n    exec: {proc: app}\n  - at: 1s\n    exec: {proc: app}", "t.yaml:13: the step is earlier"},
		"drawn badly":  {"  - repeat: {times: 99, steps: [connect: {proc: app, to: \"10.0.0.%{1..300}:1\"}]}", "t.yaml:11: want an IPv4 address"},
		"never cloned": {"  - repeat: {times: 0, steps: [clone: {proc: app, as: x}]}\n  - exec: {proc: x}", "t.yaml:12: the process has exited, or was not started"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := play(t, tt.steps); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for name, tt := range map[string]struct{ src, want string }{
		"nothing":            {"{}", "t.yaml:1:1: key \"about\" is missing\nt.yaml:1:1: key \"start\" is missing\nt.yaml:1:1: key \"node\" is missing\nt.yaml:1:1: key \"steps\" is missing"},
		"time":               {"start: noon", `1:8: want a time such as`},
		"schema":             {"schema: S12", `1:9: "S12" is not one of S1, S2`},
		"unknown verb":       {"steps: [raed: {proc: app}]", `unknown key "raed": did you mean "read"?`},
		"unknown key":        {"steps: [read: {proc: app, pth: /a}]", `unknown key "pth": did you mean "path"?`},
		"unknown process":    {"steps: [exec: {proc: apps}]", `no process is called "apps": did you mean "app"?`},
		"process too late":   {"steps: [exec: {proc: zzzz}]", `no process is called "zzzz" before this line: there are app, init`},
		"unknown pod":        {"steps: [pod: {pod: pud}]", `no pod is called "pud": did you mean "pod"?`},
		"unknown container":  {"steps: [container: {container: bix}]", `no container is called "bix": did you mean "box"?`},
		"unknown user":       {"steps: [setuid: {proc: app, user: bob}]", `the number of "bob" is not known`},
		"uid alone":          {"steps: [clone: {proc: app, as: x, uid: 5}]", `uid goes with user`},
		"gid alone":          {"steps: [clone: {proc: app, as: x, gid: 5}]", `gid goes with group`},
		"two verbs":          {"steps: [{exec: {proc: app}, exit: {proc: app}}]", `a step does one thing`},
		"no verb":            {"steps: [{}]", `an empty step`},
		"at and wait":        {"steps: [{at: 1s, wait: 1s}]", `give at or wait, not both`},
		"wait":               {"steps: [{wait: 5}]", `want a duration such as 20ms, or a range of two around .., found "5"`},
		"past":               {"steps: [{wait: -1s}]", `want no time before now`},
		"range":              {"steps: [read: {proc: app, path: /a, bytes: 9..1}]", `want a whole number, or a range of two around .., found "9..1"`},
		"negative":           {"steps: [read: {proc: app, path: /a, bytes: -1}]", `want 0 or more, found -1`},
		"until":              {"steps: [read: {proc: app, path: /a, until: noon}]", `"noon" is not one of exit`},
		"open flag":          {"steps: [open: {proc: app, path: /a, flags: [RDONLY, ODD]}]", `"ODD" is not one of RDWR, RDONLY`},
		"bytes of an open":   {"steps: [open: {proc: app, path: /a, bytes: 3}]", `unknown key "bytes"`},
		"type":               {"steps: [open: {proc: app, path: /a, type: x}]", `"x" is not one of f, d, u, p, ?`},
		"template":           {"steps: [open: {proc: app, path: \"%{1..a}\"}]", `%{1..a} is not a range of numbers`},
		"open template":      {"steps: [open: {proc: app, path: \"%{1..2\"}]", `%{1..2 has no } after it`},
		"odd template":       {"steps: [open: {proc: app, path: \"%{x}\"}]", `%{x} is none of %{n}, %{1..9}, %{a|b}`},
		"no port":            {"steps: [connect: {proc: app, to: 10.0.0.1}]", `want an IPv4 address and a port such as 10.0.0.5:443, found "10.0.0.1"`},
		"drawn address":      {"steps: [connect: {proc: app, to: \"10.0.%{1..2}.1.1:80\"}]", `want an IPv4 address and a port`},
		"IPv6":               {"steps: [connect: {proc: app, to: \"[::1]:80\"}]", `want an IPv4 address and a port`},
		"pod IP":             {"pods: {p: {id: a, name: b, ip: x}}", `want an IPv4 address, found "x"`},
		"threads":            {"processes: {p: {exe: /a, threads: 0}}", `a process has at least one thread`},
		"parent after child": {"processes: {p: {exe: /a, parent: q}, q: {exe: /b}}", `no process is called "q"`},
		"message":            {"steps: [k8s: {kind: pods, action: added, message: '{'}]", `want JSON: unexpected end of JSON input`},
		"weight":             {"steps: [mix: {records: 1, of: [{weight: 0, steps: []}]}]", `a weight is at least 1`},
		"empty mix":          {"steps: [mix: {records: 1, of: []}]", `nothing to draw from`},
	} {
		t.Run(name, func(t *testing.T) {
			src := tt.src
			if strings.HasPrefix(src, "steps") {
				src = head + src
			}
			_, err := scenario.Parse("t.yaml", []byte(src))
			if err == nil || !strings.HasPrefix(err.Error(), "load scenario: t.yaml:") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got\n%v\nwant\n%s", err, tt.want)
			}
		})
	}
	if _, err := scenario.Load("missing.yaml"); err == nil || !strings.Contains(err.Error(), "missing.yaml") {
		t.Errorf("missing file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(head + "steps:\n  - run: {parent: app, as: x, exe: /bin/sh}\n"))
	f.Add([]byte(head + "steps: [mix: {records: 10, of: [{weight: 1, steps: [read: {proc: app, path: \"%{n}\"}]}]}]"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = scenario.Parse("f.yaml", data) // an error or a scenario, never a panic
	})
}
