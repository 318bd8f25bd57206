package falco

import (
	"fmt"
	"strings"
	"testing"
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
