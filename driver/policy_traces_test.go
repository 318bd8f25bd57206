package main

import (
	"os/exec"
	"testing"
)

// TestPolicyExamples runs the examples that the tools for rule authors show in their help, where a user would.
func TestPolicyExamples(t *testing.T) {
	c := policyCommand()
	for _, tool := range c.tools {
		if len(tool.examples) == 0 {
			t.Errorf("policy %s has no example", tool.name)
		}
		for _, example := range tool.examples {
			t.Run(tool.name, func(t *testing.T) {
				shell := exec.CommandContext(t.Context(), "sh", "-c", "sfprocessor policy "+tool.name+" "+example)
				shell.Dir = ".."
				if out, err := shell.CombinedOutput(); err != nil {
					t.Errorf("%s: %v\n%s", example, err, out)
				}
			})
		}
	}
}
