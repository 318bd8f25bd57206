package plugins_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tcpTraces are the traces that the examples are shown with: ours, and the public one if it is at hand.
func tcpTraces(t *testing.T, test func(t *testing.T, trace string)) {
	t.Run("tcp.sf", func(t *testing.T) { test(t, "../resources/traces/tcp.sf") })
	t.Run("public tcp.sf", func(t *testing.T) {
		dir := os.Getenv("SYSFLOW_TRACES")
		if dir == "" {
			t.Skip("SYSFLOW_TRACES does not name the folder of public traces")
		}
		test(t, filepath.Join(dir, "tcp.sf"))
	})
}

// started are the lines that announce the start, in order.
var started = []logLine{
	{"Health", "pipeline.go", "Health checks: passed"},
	{"Info", "pipeline.go", "Successfully loaded pipeline configuration"},
	{"Info", "run.go", "Starting the processing pipeline"},
}

// afterStart returns what a source file logged at Info after the lines that announce the start; it must log nothing else.
func afterStart(t *testing.T, o outcome, file string) []string {
	t.Helper()
	lines := logLines(o.stdout)
	at := slices.Index(lines, started[0])
	if at < 0 || len(lines) < at+3 || !slices.Equal(lines[at:at+3], started) {
		t.Fatalf("the start is not announced: %s", o.stdout)
	}
	if texts := from(file, lines[:at]); texts != nil {
		t.Errorf("logged before the start: %q", texts)
	}
	for _, l := range lines[at:] {
		if l.file == file && l.level != "Info" {
			t.Errorf("logged at %s: %s", l.level, l.text)
		}
	}
	return from(file, lines[at:])
}

func TestExampleProcessor(t *testing.T) {
	t.Parallel()
	want := []string{
		"Process Event: ./server, 13823",
		"Process Event: ./client, 13824",
		"Process Event: ./client, 13824",
		"Process Event: ./server, 13823",
	}
	for name, dir := range map[string]string{"ours": "plugins/processors/example", "documented": "plugins/testdata/documented"} {
		t.Run(name, func(t *testing.T) {
			in := install(t, map[string]string{"plugins/example.so": dir})
			tcpTraces(t, func(t *testing.T, trace string) {
				o := in.run(t, nil, "-log=info", "-config=../plugins/processors/example/pipeline.example.json", trace)
				o.mustExit(t, 0)
				if got := afterStart(t, o, "example.go"); !slices.Equal(got, want) {
					t.Errorf("got %q", got)
				}
			})
		})
	}
}

func TestPrinterHandler(t *testing.T) {
	t.Parallel()
	want := []string{
		"ProcEvt ./server, 13823", "FileFlow ./server, 3", "FileFlow ./server, 3", "ProcEvt ./client, 13824",
		"FileFlow ./client, 3", "FileFlow ./client, 3", "NetworkFlow ./client, 8080", "ProcEvt ./client, 13824",
		"NetworkFlow ./server, 8080", "ProcEvt ./server, 13823",
	}
	in := install(t, map[string]string{"handlers/printer.so": "plugins/handlers/printer"})
	tcpTraces(t, func(t *testing.T, trace string) {
		o := in.run(t, nil, "-log=info", "-config=../plugins/handlers/printer/pipeline.printer.json", trace)
		o.mustExit(t, 0)
		if got := afterStart(t, o, "printer.go"); !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
}

func TestNowAction(t *testing.T) {
	t.Parallel()
	in := install(t, map[string]string{"actions/now.so": "plugins/actions/example"})
	tag := regexp.MustCompile(`^now_in_nanos:\d{19}$`)
	tcpTraces(t, func(t *testing.T, trace string) {
		o := in.run(t, nil, "-log=quiet", "-config=../plugins/actions/example/pipeline.actions.json", trace)
		o.mustExit(t, 0)
		if o.stderr != "" {
			t.Errorf("logged %s", o.stderr)
		}
		docs := documents(t, o.stdout)
		var exes []string
		for _, d := range docs {
			exes = append(exes, d.Proc.Exe)
			if d.Version != 4 || d.Type != "PE" || len(d.Policies) != 1 || d.Policies[0].ID != "Action example" || d.Policies[0].Priority != 0 ||
				len(d.Tags) != 1 || !tag.MatchString(d.Tags[0]) {
				t.Errorf("got %+v", d)
			}
		}
		if want := []string{"./server", "./client"}; !slices.Equal(exes, want) {
			t.Errorf("got the events of %q, want %q", exes, want)
		}
	})
}

// TestActionOfTwoEngines wants each policy engine to have the actions of its folder.
func TestActionOfTwoEngines(t *testing.T) {
	t.Parallel()
	in := install(t, map[string]string{"actions/now.so": "plugins/actions/example"})
	const rest = `"policies": "../plugins/actions/example/policy.yaml"`
	config := in.pipeline(t, `{"processor": "sysflowreader", "handler": "flattener", "in": "s sysflowchan", "out": ["f flattenerchan", "g flattenerchan"]},
{"processor": "policyengine", "in": "f flattenerchan", "out": "d eventchan", `+rest+`},
{"processor": "policyengine", "in": "g flattenerchan", "out": "e eventchan", "actiondir": "../resources/actions", `+rest+`},
{"processor": "exporter", "in": "d eventchan", "export": "terminal"},
{"processor": "exporter", "in": "e eventchan", "export": "terminal"}`)
	o := in.run(t, nil, "-log=quiet", config, "../resources/traces/tcp.sf")
	o.mustExit(t, 0)
	if n := strings.Count(o.stdout, `"now_in_nanos:`); n != 4 {
		t.Errorf("%d tags, want 4: %s", n, o.stdout)
	}
}

// TestEnrichProcessor wants a rule on a user's name to match where only the processor's table knows the name.
func TestEnrichProcessor(t *testing.T) {
	t.Parallel()
	in := install(t, map[string]string{"plugins/enrich.so": "plugins/processors/enrich"})
	args := []string{"-log=quiet", "-config=../plugins/processors/enrich/pipeline.enrich.json", "../resources/traces/pod.sf"}
	o := in.run(t, nil, args...)
	o.mustExit(t, 0)
	docs := documents(t, o.stdout)
	if len(docs) == 0 {
		t.Error("no rule has matched")
	}
	for _, d := range docs {
		if d.Proc.User != "pause" {
			t.Errorf("got %+v", d)
		}
	}
	empty := filepath.Join(t.TempDir(), "users.csv")
	if err := os.WriteFile(empty, []byte("# uid,name\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	o = in.run(t, []string{"ENRICH_ENRICH_TABLE=" + empty}, args...)
	o.mustExit(t, 0)
	if o.stdout != "" {
		t.Errorf("a rule matches without the table: %s", o.stdout)
	}
}

// TestAuditlogDriver wants events from a log that is not SysFlow at all.
func TestAuditlogDriver(t *testing.T) {
	t.Parallel()
	in := install(t, map[string]string{"drivers/auditlog.so": "plugins/drivers/auditlog"})
	o := in.run(t, nil, "-log=quiet", "-config=../plugins/drivers/auditlog/pipeline.auditlog.json")
	o.mustExit(t, 0)
	var got []string
	for _, d := range documents(t, o.stdout) {
		got = append(got, d.Type+" "+d.Proc.Exe+" "+d.Proc.Args)
	}
	if want := []string{"PE /usr/bin/cat /etc/shadow", "PE /usr/bin/dash -c echo a > /tmp/a"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestMakefiles wants each example to be built where its pipeline looks for it.
func TestMakefiles(t *testing.T) {
	t.Parallel()
	for dir, out := range map[string]string{
		"plugins/processors/example": "resources/plugins/example.so",
		"plugins/processors/enrich":  "resources/plugins/enrich.so",
		"plugins/handlers/printer":   "resources/handlers/printer.so",
		"plugins/actions/example":    "resources/actions/now.so",
		"plugins/drivers/auditlog":   "resources/drivers/auditlog.so",
	} {
		want := "docker/build-plugin '" + dir + "' '" + out + "' -trimpath"
		for name, args := range map[string][]string{"alone": {"-n", "-C", dir}, "with all": {"-n", "plugins"}} {
			if got := makeOutput(t, args...); !strings.Contains(got, want) {
				t.Errorf("%s %s: make prints %s, want %s", dir, name, got, want)
			}
		}
	}
	for _, want := range []string{"build -trimpath -ldflags", "-o driver/sfprocessor ./driver"} {
		if got := makeOutput(t, "-n", "build"); !strings.Contains(got, want) {
			t.Errorf("make build prints %s, want the flags of the plugins, and the program where examples look for it: %s", got, want)
		}
	}
}
