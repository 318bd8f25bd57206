package main

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// TestPolicyExamples runs the examples that the tools for rule authors show in their help.
func TestPolicyExamples(t *testing.T) {
	for _, tool := range policyCommand().tools {
		if len(tool.examples) == 0 {
			t.Errorf("policy %s has no example", tool.name)
		}
		for _, example := range tool.examples {
			t.Run(tool.name, func(t *testing.T) { runLine(t, "sfprocessor policy "+tool.name+" "+example) })
		}
	}
}

// TestPolicyPage runs the commands of the page on policies that look at traces.
func TestPolicyPage(t *testing.T) {
	page, err := os.ReadFile("../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^    (sfprocessor policy (explain|bench|repl) .*)$`).FindAllStringSubmatch(string(page), -1) {
		found[m[2]] = true
		t.Run(m[2], func(t *testing.T) { runLine(t, m[1]) })
	}
	for _, tool := range []string{"explain", "bench", "repl"} {
		if !found[tool] {
			t.Errorf("the page has no command with policy %s", tool)
		}
	}
}

// runLine runs a command line where a user would, with nothing to read, beside others.
func runLine(t *testing.T, line string) {
	t.Helper()
	t.Parallel()
	shell := exec.CommandContext(t.Context(), "sh", "-c", line)
	shell.Dir = ".."
	if out, err := shell.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", line, err, out)
	}
}
