package author

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
)

var update = flag.Bool("update", false, "write golden files")

// golden compares a report with testdata/name.
func golden(t *testing.T, name string, write func(w *bytes.Buffer) error) []byte {
	t.Helper()
	var got bytes.Buffer
	if err := write(&got); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got.Bytes(), want)
	}
	return got.Bytes()
}

func options() falco.Options { return falco.Options{Catalogue: field.SysFlow()} }

func check(t *testing.T, opts falco.Options, paths ...string) *CheckReport {
	t.Helper()
	r, err := Check(paths, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCheck(t *testing.T) {
	r := check(t, options(), "testdata/check/bad", "testdata/check/more")
	if !r.Failed() {
		t.Error("the policies pass")
	}
	golden(t, "check/bad.txt", func(w *bytes.Buffer) error { return r.WriteText(w) })
	golden(t, "check/bad.json", func(w *bytes.Buffer) error { return r.WriteJSON(w) })
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	log := golden(t, "check/bad.sarif", func(w *bytes.Buffer) error { return r.WriteSARIF(w, root, "1.2.3") })
	validSARIF(t, log, len(r.Diagnostics))
}

// TestCheckLevels wants flags to change what fails.
func TestCheckLevels(t *testing.T) {
	for _, tt := range []struct {
		opts   falco.Options
		paths  []string
		failed bool
		want   string
	}{
		{falco.Options{}, []string{"testdata/check/more"}, false, "1 file, 1 rule, 0 drops, 0 macros, 0 lists: 0 errors, 2 warnings"},
		{falco.Options{Checks: falco.Strict}, []string{"testdata/check/more"}, true, "1 file: 1 error, 1 warning"},
		{falco.Options{Checks: falco.Lenient, Actions: []string{"hash"}}, []string{"testdata/check/bad"}, false,
			"2 files, 4 rules, 0 drops, 1 macro, 1 list: 0 errors, 4 warnings, 2 infos"},
		{falco.Options{Actions: []string{"hash"}}, []string{"testdata/check/bad/20-rules.yml"}, true, "1 file: 5 errors, 1 warning"},
		{falco.Options{}, []string{"testdata/none"}, true, "0 files: 1 error, 0 warnings"},
	} {
		tt.opts.Catalogue = field.SysFlow()
		r := check(t, tt.opts, tt.paths...)
		if got := r.Summary(); got != tt.want || r.Failed() != tt.failed {
			t.Errorf("%v %+v: got %s, failed %t; want %s, failed %t", tt.paths, tt.opts, got, r.Failed(), tt.want, tt.failed)
		}
	}
}

// TestManyErrors wants the summary to admit that it does not know them all.
func TestManyErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "many.yaml")
	text := strings.Repeat("- drop: D\n  condition: no = 1\n", 60)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, want := check(t, options(), path).Summary(), "; there may be more"; strings.HasSuffix(got, want) {
		t.Errorf("one fault is one error: %s", got)
	}
	text = ""
	for i := range 60 {
		text += fmt.Sprintf("- drop: D%d\n  condition: no = 1\n", i)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, want := check(t, options(), path).Summary(), "1 file: 50 errors, 0 warnings; there may be more"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// validSARIF checks what the standard demands of a log beyond being JSON: required properties, references between its
// parts, the ranges of regions and the form of URIs.
func validSARIF(t *testing.T, data []byte, results int) {
	t.Helper()
	in := json.NewDecoder(bytes.NewReader(data))
	in.DisallowUnknownFields()
	var log sarifLog
	if err := in.Decode(&log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 {
		t.Fatalf("version %q, %d runs", log.Version, len(log.Runs))
	}
	run := log.Runs[0]
	if run.Tool.Driver.Name == "" || run.ColumnKind != "unicodeCodePoints" || len(run.Results) != results {
		t.Errorf("tool %q, columns in %s, %d results, want %d", run.Tool.Driver.Name, run.ColumnKind, len(run.Results), results)
	}
	levels := []string{"error", "warning", "note"}
	used := map[string]bool{}
	for _, res := range run.Results {
		used[res.RuleID] = true
		if res.Message.Text == "" || !slices.Contains(levels, res.Level) || len(res.Locations) != 1 {
			t.Errorf("result %+v", res)
			continue
		}
		if res.RuleIndex >= len(run.Tool.Driver.Rules) || run.Tool.Driver.Rules[res.RuleIndex].ID != res.RuleID {
			t.Errorf("result of %s refers to rule %d", res.RuleID, res.RuleIndex)
		}
		at := res.Locations[0].PhysicalLocation
		if uri := at.ArtifactLocation; uri.URIBaseID != sourceRoot || strings.ContainsAny(uri.URI, " #\\:") || strings.HasPrefix(uri.URI, "/") {
			t.Errorf("location %+v is not relative to the sources", uri)
		}
		if r := at.Region; r != nil && (r.StartLine < 1 || r.StartColumn < 1 || r.EndColumn <= r.StartColumn) {
			t.Errorf("region %+v", *r)
		}
	}
	for _, rule := range run.Tool.Driver.Rules {
		if !used[rule.ID] || rule.ShortDescription.Text == "" || !slices.Contains(levels, rule.DefaultConfiguration.Level) {
			t.Errorf("rule %+v, used %t", rule, used[rule.ID])
		}
	}
}

// TestSARIFLocations wants files outside the sources to be found as well, and files as a whole to have no region.
func TestSARIFLocations(t *testing.T) {
	for name, want := range map[string]sarifArtifact{
		"a/b c.yaml":      {"a/b%20c.yaml", sourceRoot},
		"/src/p/x.yaml":   {"x.yaml", sourceRoot},
		"../q/x.yaml":     {"file:///src/q/x.yaml", ""},
		"/etc/p/x%2.yaml": {"file:///etc/p/x%252.yaml", ""},
		"a:b.yaml":        {"./a:b.yaml", sourceRoot},
	} {
		if got := artifact("/src/p", name); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	var w bytes.Buffer
	if err := check(t, options(), "testdata/none").WriteSARIF(&w, "/", ""); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(w.String(), "region") || strings.Contains(w.String(), `"version": ""`) {
		t.Errorf("%s", &w)
	}
}

// TestEveryCodeIsDescribed looks for codes in the source of the front end, so that a new one is not forgotten here.
func TestEveryCodeIsDescribed(t *testing.T) {
	files, err := filepath.Glob("../falco/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("the front end: %v, %v", files, err)
	}
	used := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range regexp.MustCompile(`"([EWI]\d{3})"`).FindAllSubmatch(text, -1) {
			used[string(code[1])] = true
		}
	}
	for code := range used {
		if codes[code] == "" {
			t.Errorf("%s has no description", code)
		}
	}
	for code := range codes {
		if !used[code] {
			t.Errorf("%s is described and never reported", code)
		}
	}
}

// thousand writes a policy set of a thousand rules.
func thousand(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("- list: shells\n  items: [bash, zsh, sh, dash]\n- macro: started\n  condition: evt.type in (execve, execveat)\n")
	for i := range 1000 {
		fmt.Fprintf(&b, `- rule: Rule number %d
  desc: a rule of the size of published ones
  condition: >
    started and sf.container.type != host and proc.name in (shells, prog%d) and not proc.pname in (runc, containerd-shim)
    and (proc.cmdline contains "--opt=%d" or proc.args startswith -i or fd.name pmatch (/etc, /usr/lib%d))
  output: Process %%proc.name started in a container (user=%%user.name command=%%proc.cmdline)
  priority: warning
  tags: [container, mitre:T1059.004]
`, i, i, i, i)
	}
	path := filepath.Join(t.TempDir(), "thousand.yaml")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestThousandRules wants large sets to be checked while the author waits. The bound is far from what it takes, so that
// a busy machine does not break it.
func TestThousandRules(t *testing.T) {
	path := thousand(t)
	begin := time.Now()
	r := check(t, options(), path)
	if took := time.Since(begin); r.Failed() || r.Rules != 1000 || took > 20*time.Second {
		t.Errorf("%s in %s", r.Summary(), took)
	}
}

func BenchmarkCheck1000Rules(b *testing.B) {
	path := thousand(b)
	opts := options()
	b.ReportAllocs()
	for b.Loop() {
		if r, err := Check([]string{path}, opts); err != nil || r.Failed() {
			b.Fatal(r, err)
		}
	}
}
