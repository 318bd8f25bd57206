package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadme follows the README's first policy: the files it shows are written, checked and run, and the mistake it
// shows is reported as it shows it.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	trace, err := filepath.Abs("../resources/traces/webshell.sf")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.Mkdir("policies", 0o755); err != nil {
		t.Fatal(err)
	}
	policy := block(t, readme, "```yaml\n")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("policies/shells.yaml", policy)
	write("pipeline.json", block(t, readme, "```json\n"))

	var stdout, stderr bytes.Buffer
	if code := run([]string{"-test", "-config", "pipeline.json"}, os.Stdin, &stdout, &stderr); code != 0 {
		t.Fatalf("check: exit code %d\n%s", code, &stderr)
	}
	if code := run([]string{"-config", "pipeline.json", trace}, os.Stdin, &stdout, &stderr); code != 0 {
		t.Fatalf("replay: exit code %d\n%s", code, &stderr)
	}
	if !strings.Contains(stdout.String(), `"policies":[{"id":"Server starts a shell"`) {
		t.Errorf("the policy has not fired:\n%s", &stdout)
	}

	write("policies/shells.yaml", strings.Replace(policy, "sf.proc.name in (shells)", "sf.proc.nmae in (shells)", 1))
	stderr.Reset()
	if code := run([]string{"-test", "-config", "pipeline.json"}, os.Stdin, &stdout, &stderr); code != 1 {
		t.Errorf("mistake: exit code %d, want 1", code)
	}
	if want := block(t, readme, "```\npolicies"); !strings.Contains(stderr.String(), want) {
		t.Errorf("the README shows\n%s\nthe program says\n%s", want, &stderr)
	}
}

// block returns the README's fenced block that begins with start.
func block(t *testing.T, readme []byte, start string) string {
	t.Helper()
	_, rest, ok := strings.Cut(string(readme), start)
	if !ok {
		t.Fatalf("no block %q", start)
	}
	text, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatalf("block %q does not end", start)
	}
	if lang := regexp.MustCompile("^```(yaml|json)\n"); !lang.MatchString(start) {
		text = strings.TrimPrefix(start, "```\n") + text
	}
	return text
}
