package plugins_test

import (
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// step is a block of docs/plugins.md: a file that the reader is to write, or commands and what they print.
type step struct {
	line     int
	file     string // its path, or "" for commands
	language string
	text     string
	prints   string
}

var fileLabel = regexp.MustCompile("^\\*\\*`([^`]+)`\\*\\*$")

// steps returns the blocks of a page, in order. A block after a line that is only a file's name in bold is that file; one
// without a language after commands is what they print.
func steps(t *testing.T, page string) (list []*step) {
	t.Helper()
	file, last := "", (*step)(nil)
	var open *step
	for i, line := range strings.Split(page, "\n") {
		switch {
		case open == nil && strings.HasPrefix(line, "```"):
			open = &step{line: i + 1, file: file, language: line[3:]}
		case open == nil && strings.TrimSpace(line) != "":
			file, last = "", nil
			if m := fileLabel.FindStringSubmatch(line); m != nil {
				file = m[1]
			}
		case open == nil:
		case line != "```":
			open.text += line + "\n"
		case open.file == "" && open.language == "" && last != nil:
			last.prints, open = open.text, nil
		default:
			if open.language == "go" && open.file == "" {
				t.Errorf("line %d: Go code that belongs to no file", open.line)
			}
			list = append(list, open)
			file, last, open = "", open, nil
		}
	}
	return list
}

// TestPage does what docs/plugins.md tells its reader to do.
func TestPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/plugins.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	tree := sourceTree(t)
	files, plugins, commands := map[string]bool{}, map[string]bool{}, 0
	blocks := steps(t, string(page))
	for _, s := range blocks {
		if s.file == "" {
			continue
		}
		path := filepath.Join(dir, s.file)
		mkdir(t, filepath.Dir(path))
		if err := os.WriteFile(path, []byte(s.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if s.language == "go" {
			if formatted, err := format.Source([]byte(s.text)); err != nil || string(formatted) != s.text {
				t.Errorf("line %d: %s is not formatted: %v", s.line, s.file, err)
			}
			plugins[filepath.Dir(s.file)] = true
		}
		files[s.file] = true
	}
	for _, s := range blocks {
		if s.language != "sh" || strings.HasPrefix(s.text, "export SFP=") {
			continue
		}
		commands++
		sfp := tree
		if strings.Contains(s.text, "go work") {
			sfp = workshop.tree
		}
		cmd := exec.Command("bash", "-euc", s.text)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "SFP="+sfp, "GOFLAGS=-buildvcs=false", "MAKEFLAGS=", "MAKELEVEL=")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("line %d: %v\n%s\n%s", s.line, err, s.text, out)
		}
		printsInOrder(t, s, string(out))
	}
	for name := range plugins {
		if !strings.Contains(string(page), "DIR=$PWD/"+name+" ") {
			t.Errorf("the page does not build %s", name)
		}
	}
	if len(plugins) != 4 || commands < 7 || !files["go.mod"] {
		t.Errorf("found %d plugins, %d blocks of commands and %d files", len(plugins), commands, len(files))
	}
}

// printsInOrder wants each line that a page shows, in which … stands for anything, among those that were printed.
func printsInOrder(t *testing.T, s *step, out string) {
	t.Helper()
	rest := out
	for _, want := range strings.Split(strings.TrimSuffix(s.prints, "\n"), "\n") {
		at := pattern(want).FindStringIndex(rest)
		if at == nil {
			t.Errorf("line %d: no %s in what is printed: %s", s.line, want, out)
			return
		}
		rest = rest[at[1]:]
	}
}

// sourceTree returns a folder that stands for the source tree of the program, without anything being built in the real one:
// make plugin goes to the real one, with the flags of this run.
func sourceTree(t *testing.T) string {
	t.Helper()
	in := install(t, nil)
	makefile := "plugin:\n\t$(MAKE) -C '" + workshop.tree + "' plugin DIR='$(DIR)' OUT='$(OUT)' BUILDFLAGS='" + strings.Join(workshop.flags, " ") + "'\n"
	if err := os.WriteFile(in.path("Makefile"), []byte(makefile), 0o644); err != nil {
		t.Fatal(err)
	}
	return in.root
}
