package falco

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// ruleSet is a policy set of n rules of about the size of published ones.
func ruleSet(n int) string {
	var b strings.Builder
	b.WriteString("- list: shells\n  items: [bash, zsh, sh, dash]\n" +
		"- macro: spawned_process\n  condition: evt.type in (execve, execveat)\n" +
		"- macro: container\n  condition: sf.container.type != host\n")
	for i := range n {
		fmt.Fprintf(&b, `- rule: Rule number %d
  desc: a rule that looks like those of published policies
  condition: >
    spawned_process and container
    and proc.name in (shells, prog%d) and not proc.pname in (runc, "runc:[1:CHILD]", containerd-shim)
    and (proc.cmdline contains "--opt=%d" or proc.args startswith -i or fd.name pmatch (/etc, /usr/lib%d))
    and not (user.name = root and sf.proc.tty = true)
  output: Process %%proc.name started in a container (user=%%user.name command=%%proc.cmdline)
  priority: warning
  tags: [container, shell, mitre_execution]
`, i, i, i, i)
	}
	return b.String()
}

func BenchmarkLoad1000Rules(b *testing.B) {
	src := []Source{{"bench.yaml", []byte(ruleSet(1000))}}
	b.ReportAllocs()
	b.SetBytes(int64(len(src[0].Text)))
	for b.Loop() {
		if p, ds := LoadSources(src, Options{Catalogue: catalogue}); p == nil {
			b.Fatal(ds)
		}
	}
}

// BenchmarkStart1000Rules measures what a program does with its policies before the first record.
func BenchmarkStart1000Rules(b *testing.B) {
	src := []Source{{"bench.yaml", []byte(ruleSet(1000))}}
	b.ReportAllocs()
	for b.Loop() {
		p, ds := LoadSources(src, Options{Catalogue: catalogue})
		if p == nil {
			b.Fatal(ds)
		}
		if _, err := policy.Compile(p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseCondition(b *testing.B) {
	const cond = `spawned_process and container and proc.name in (shells, bash) and not proc.pname in (runc, "runc:[1:CHILD]") ` +
		`and (proc.cmdline contains "--opt=1" or fd.name pmatch (/etc, /usr/lib)) and not (user.name = root and sf.proc.tty = true)`
	p := newParser()
	b.ReportAllocs()
	b.SetBytes(int64(len(cond)))
	for b.Loop() {
		if _, err := p.parse(cond); err != nil {
			b.Fatal(err)
		}
	}
}
