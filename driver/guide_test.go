package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	guideBlock   = regexp.MustCompile("(?ms)^```\\w+\n.*?^```$")
	guideFile    = regexp.MustCompile("(?ms)^```yaml\n(# (\\S+\\.yaml)\n.*?)^```$")
	guideConsole = regexp.MustCompile("(?ms)^```console\n(.*?)^```$")
)

// TestPolicyGuide follows the guide for rule authors: the files that it shows are written, and the commands say what it
// says that they say.
func TestPolicyGuide(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	resources, err := filepath.Abs("../resources")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(resources, filepath.Join(dir, "resources")); err != nil {
		t.Fatal(err)
	}
	files, sessions := 0, 0
	for _, block := range guideBlock.FindAll(guide, -1) { // a command does not know the files that come after it
		if m := guideFile.FindSubmatch(block); m != nil {
			path := filepath.Join(dir, string(m[2]))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, m[1], 0o644); err != nil {
				t.Fatal(err)
			}
			files++
		} else if m := guideConsole.FindSubmatch(block); m != nil {
			session(t, dir, string(m[1]))
			sessions++
		}
	}
	if files < 4 || sessions < 8 {
		t.Errorf("the guide has %d files and %d sessions", files, sessions)
	}
}

// session runs the lines of a console that begin with a dollar sign, and wants the others to be what comes out.
func session(t *testing.T, dir, text string) {
	t.Helper()
	var commands, want strings.Builder
	for line := range strings.Lines(text) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			commands.WriteString(command)
		} else {
			want.WriteString(line)
		}
	}
	shell := exec.CommandContext(t.Context(), "sh", "-c", "set -e\n"+commands.String())
	shell.Dir = dir
	got, err := shell.CombinedOutput()
	if err != nil || string(got) != want.String() {
		t.Errorf("%s%v, printed\n%s\nwant\n%s", &commands, err, got, &want)
	}
}
