package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// buildPlugin builds a plugin of this module as the running test was built, and returns the directory it is in.
func buildPlugin(t *testing.T, source, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("building plugins takes long")
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		t.Skip("how this test was built is not known")
	}
	dir := t.TempDir()
	args := []string{"build", "-buildmode=plugin", "-o", filepath.Join(dir, name+".so")}
	for _, s := range info.Settings {
		switch {
		case s.Key == "-race" && s.Value == "true":
			args = append(args, "-race")
		case s.Key == "-trimpath" && s.Value == "true":
			args = append(args, "-trimpath")
		case s.Key == "-cover" && s.Value == "true":
			t.Skip("a plugin does not match a program that measures coverage")
		case s.Key == "CGO_ENABLED" && s.Value != "1":
			t.Skip("this program was built without cgo and cannot load plugins")
		}
	}
	cmd := exec.Command("go", append(args, "./"+source)...)
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return dir
}

// sfprocessor runs the program in a directory with a pipeline file, and returns what it wrote.
func sfprocessor(t *testing.T, pipeline string, files map[string]string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "pipeline.json", pipeline)
	for name, text := range files {
		put(t, dir, name, text)
	}
	cmd := exec.Command("sfprocessor", args...)
	cmd.Dir = dir
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// ourTrace returns the path of one of our traces.
func ourTrace(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../resources/traces", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// startLines are the lines that come before what a plugin logs.
var startLines = []string{
	"[Health] Health checks: passed",
	"[Info] Successfully loaded pipeline configuration",
	"[Info] Starting the processing pipeline",
}

// logLine matches the time and place of a line.
var logLine = regexp.MustCompile(`^(\[\w+\]) \d{4}/\d\d/\d\d \d\d:\d\d:\d\d (\w+\.go):\d+: `)

// afterStart returns the lines that follow the start lines, without time and place, up to the closing summary.
func afterStart(t *testing.T, log, file string) []string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(log) {
		m := logLine.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("line %q", line)
		}
		text := strings.TrimSpace(m[1] + " " + line[len(m[0]):])
		if slices.Contains(startLines, text) || m[2] == file {
			lines = append(lines, text)
		}
	}
	if len(lines) < len(startLines) || !slices.Equal(lines[:len(startLines)], startLines) {
		t.Fatalf("log is\n%s\nwant the start lines first", log)
	}
	return lines[len(startLines):]
}

func TestExampleProcessor(t *testing.T) {
	dir := buildPlugin(t, "plugins/processors/example", "example")
	stdout, stderr, code := sfprocessor(t, `{"pipeline": [
 {"processor": "sysflowreader", "handler": "flattener", "in": "sysflow sysflowchan", "out": "flat flattenerchan"},
 {"processor": "example", "in": "flat flattenerchan"}]}`, nil, "-plugdir", dir, ourTrace(t, "tcp.sf"))
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	want := []string{
		"[Info] Process Event: ./server, 13823", "[Info] Process Event: ./client, 13824",
		"[Info] Process Event: ./client, 13824", "[Info] Process Event: ./server, 13823",
	}
	if got := afterStart(t, stdout, "example.go"); !slices.Equal(got, want) {
		t.Errorf("logged %q, want %q", got, want)
	}
}

func TestPrinterHandler(t *testing.T) {
	dir := buildPlugin(t, "plugins/handlers/printer", "printer")
	stdout, stderr, code := sfprocessor(t, fmt.Sprintf(`{"pipeline": [
 {"processor": "sysflowreader", "handler": "printer", "handlerlibpath": %q, "in": "sysflow sysflowchan"}]}`, dir),
		nil, ourTrace(t, "tcp.sf"))
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	want := []string{
		"[Info] ProcEvt ./server, 13823", "[Info] FileFlow ./server, 3", "[Info] FileFlow ./server, 3",
		"[Info] ProcEvt ./client, 13824", "[Info] FileFlow ./client, 3", "[Info] FileFlow ./client, 3",
		"[Info] NetworkFlow ./client, 8080", "[Info] ProcEvt ./client, 13824",
		"[Info] NetworkFlow ./server, 8080", "[Info] ProcEvt ./server, 13823",
	}
	if got := afterStart(t, stdout, "printer.go"); !slices.Equal(got, want) {
		t.Errorf("logged %q, want %q", got, want)
	}
}

func TestExampleAction(t *testing.T) {
	dir := buildPlugin(t, "plugins/actions/example", "now")
	rules, err := os.ReadFile("../plugins/actions/example/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := sfprocessor(t, fmt.Sprintf(`{"pipeline": [
 {"processor": "sysflowreader", "handler": "flattener", "in": "sysflow sysflowchan", "out": "flat flattenerchan"},
 {"processor": "policyengine", "in": "flat flattenerchan", "out": "evt eventchan", "policies": "policy.yaml", "actiondir": %q},
 {"processor": "exporter", "in": "evt eventchan", "export": "terminal"}]}`, dir),
		map[string]string{"policy.yaml": string(rules)}, "-log=quiet", ourTrace(t, "tcp.sf"))
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if len(lines) != 2 {
		t.Errorf("%d records, want 2:\n%s", len(lines), stdout)
	}
	record := regexp.MustCompile(`^{"version":4,.*"opflags":\["EXEC"\].*"priority":0.*"tags":\["now_in_nanos:\d{19}"\]`)
	for _, line := range lines {
		if !record.MatchString(line) {
			t.Errorf("record is %s", line)
		}
	}
}

// TestEnrichProcessor runs a plugin that stands between two built-in stages.
func TestEnrichProcessor(t *testing.T) {
	dir := buildPlugin(t, "plugins/processors/enrich", "enrich")
	stdout, stderr, code := sfprocessor(t, `{"pipeline": [
 {"processor": "sysflowreader", "handler": "flattener", "in": "sysflow sysflowchan", "out": "raw flattenerchan"},
 {"processor": "enrich", "in": "raw flattenerchan", "out": "flat flattenerchan", "enrich.table": "users.csv"},
 {"processor": "policyengine", "mode": "enrich", "in": "flat flattenerchan", "out": "evt eventchan"},
 {"processor": "exporter", "in": "evt eventchan", "export": "terminal"}]}`,
		map[string]string{"users.csv": "-1,somebody\n"}, "-plugdir", dir, "-log=quiet", ourTrace(t, "tcp.sf"))
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if got := strings.Count(stdout, `"uid":-1,"user":"somebody"`); got != 10 {
		t.Errorf("%d records have the user's name, want 10:\n%s", got, stdout)
	}
}

// TestAuditLogDriver runs a driver that brings in structures rather than bytes.
func TestAuditLogDriver(t *testing.T) {
	dir := buildPlugin(t, "plugins/drivers/auditlog", "auditlog")
	stdout, stderr, code := sfprocessor(t, `{"pipeline": [
 {"processor": "sysflowreader", "handler": "flattener", "in": "sysflow sysflowchan", "out": "flat flattenerchan"},
 {"processor": "policyengine", "mode": "enrich", "in": "flat flattenerchan", "out": "evt eventchan"},
 {"processor": "exporter", "in": "evt eventchan", "export": "terminal"}]}`,
		map[string]string{"audit.log": `type=SYSCALL msg=audit(1553543280.704:101): arch=c000003e syscall=59 success=yes exit=0 items=2 ppid=7955 pid=13823 auid=1000 uid=1000 gid=1000 euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=pts0 ses=1 comm="ls" exe="/bin/ls" key=(null)
type=EXECVE msg=audit(1553543280.704:101): argc=2 a0="ls" a1="-l"
type=EOE msg=audit(1553543280.704:101):
`}, "-driver=auditlog", "-driverdir", dir, "-log=quiet", "audit.log")
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if strings.Count(stdout, "\n") != 1 || !strings.Contains(stdout, `"exe":"/bin/ls"`) || !strings.Contains(stdout, `"pid":13823`) {
		t.Errorf("records are %s", stdout)
	}
}

// TestForeignPlugin wants a library that does not match the program to be refused with advice.
func TestForeignPlugin(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "example.so", "this is no library")
	_, stderr, code := sfprocessor(t, `{"pipeline": [
 {"processor": "sysflowreader", "handler": "flattener", "in": "sysflow sysflowchan", "out": "flat flattenerchan"},
 {"processor": "example", "in": "flat flattenerchan"}]}`, nil, "-plugdir", dir, "-log=quiet", ourTrace(t, "tcp.sf"))
	want := regexp.MustCompile(`^pipeline.json:3:16: error: ` + regexp.QuoteMeta(dir) + `/example.so: cannot load: .* \[P402\]\n`)
	if code != 1 || !want.MatchString(stderr) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
