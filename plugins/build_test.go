package plugins_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// makeOutput runs make in the source tree and returns what it prints.
func makeOutput(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("make", args...)
	cmd.Dir = workshop.tree
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("make %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestPluginElsewhere builds a plugin that is kept outside the source tree.
func TestPluginElsewhere(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("processors/example/example.go")
	if err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string]map[string]string{
		"with a go.mod":    {"go.mod": "module example.com/elsewhere\n\ngo 1.26\n", "word/word.go": "// Package word is part of the plugin.\npackage word\n\n// Greeting is logged.\nconst Greeting = \"Elsewhere\"\n"},
		"without a go.mod": {"word.go": "package main\n\nconst greeting = \"Elsewhere\"\n", "word_test.go": "package main_test\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			text := strings.ReplaceAll(string(source), `"example"`, `"elsewhere"`)
			if _, module := files["go.mod"]; module {
				text = strings.Replace(text, `"sync"`, "\"sync\"\n\n\t\"example.com/elsewhere/word\"", 1)
				text = strings.Replace(text, `"Process Event:`, `word.Greeting+":`, 1)
			} else {
				text = strings.Replace(text, `"Process Event:`, `greeting+":`, 1)
			}
			files["elsewhere.go"] = text
			for name, text := range files {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			in := install(t, nil)
			makeOutput(t, "plugin", "DIR="+dir, "OUT="+in.path("resources/plugins/elsewhere.so"), "BUILDFLAGS="+strings.Join(workshop.flags, " "))
			config := in.pipeline(t, `{"processor": "sysflowreader", "handler": "flattener", "in": "s sysflowchan", "out": "f flattenerchan"},
{"processor": "elsewhere", "in": "f flattenerchan"}`)
			o := in.run(t, nil, config, "../resources/traces/tcp.sf")
			o.mustExit(t, 0)
			if !strings.Contains(o.stdout, "Elsewhere: ./server, 13823") {
				t.Errorf("got %s", o.stdout)
			}
		})
	}
}
