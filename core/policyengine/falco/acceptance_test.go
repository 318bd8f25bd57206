package falco

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// acceptance is a policy set with every construct of the rule files that are published for Falco.
const acceptance = "testdata/acceptance"

// TestAcceptance compares what is told of the set and what becomes of its rules with rules.golden.
func TestAcceptance(t *testing.T) {
	p, ds := Load(acceptance, Options{Catalogue: catalogue, Actions: []string{"log", "notify"}})
	var b strings.Builder
	for _, d := range ds {
		fmt.Fprintln(&b, filepath.ToSlash(d.Error()))
	}
	if p == nil {
		t.Fatal(b.String())
	}
	for _, r := range p.Rules {
		fmt.Fprintf(&b, "\nrule %s\n  enabled %t, evaluable %s, %s, tags %v, actions %v\n", r.Name, r.Enabled,
			[...]string{"fully", "partly", "not"}[r.Evaluable], rankName(r), r.Tags, r.Actions)
		writeNode(&b, r.Cond, "  ")
	}
	for _, d := range p.Drops {
		fmt.Fprintf(&b, "\ndrop %s\n  enabled %t\n", d.Name, d.Enabled)
		writeNode(&b, d.Cond, "  ")
	}
	for _, m := range p.Macros {
		fmt.Fprintf(&b, "\nmacro %s\n", m.Name)
		writeNode(&b, m.Cond, "  ")
	}
	golden := filepath.Join(acceptance, "rules.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// rankName returns the first of the labels that stand for the rank of a rule.
func rankName(r *policy.Rule) string {
	for _, label := range []string{"debug", "informational", "notice", "warning", "error", "critical", "alert", "emergency"} {
		if ranks[label] == r.Rank {
			return label
		}
	}
	return "no priority"
}

// writeNode writes a condition, one term a line. Macros are written by their names.
func writeNode(b *strings.Builder, n policy.Node, indent string) {
	switch n := n.(type) {
	case policy.And:
		fmt.Fprintf(b, "%sand\n", indent)
		for _, k := range n {
			writeNode(b, k, indent+"  ")
		}
	case policy.Or:
		fmt.Fprintf(b, "%sor\n", indent)
		for _, k := range n {
			writeNode(b, k, indent+"  ")
		}
	case policy.Not:
		fmt.Fprintf(b, "%snot\n", indent)
		writeNode(b, n.X, indent+"  ")
	case policy.Const:
		fmt.Fprintf(b, "%s%t\n", indent, bool(n))
	case *policy.Term:
		fmt.Fprintf(b, "%s%s\n", indent, n.Text)
		if !n.Macro {
			writeNode(b, n.X, indent+"  ")
		}
	case *policy.Test:
		if len(n.Lits) < 2 {
			return // the text of the term says it
		}
		texts := make([]string, len(n.Lits))
		for i, l := range n.Lits {
			texts[i] = l.Text
		}
		fmt.Fprintf(b, "%s%q\n", indent, texts)
	}
}

// TestAcceptanceRecords evaluates the set: which rules match which records.
func TestAcceptanceRecords(t *testing.T) {
	p, ds := Load(acceptance, Options{Catalogue: catalogue, Actions: []string{"log", "notify"}})
	if p == nil {
		t.Fatal(ds)
	}
	set, err := policy.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	const written = 1<<1 | 1<<2 // WRONLY, CREAT
	inside := func(r record) record {
		r.container, r.containerType, r.image = "0123456789ab", 0, "example/image:1"
		return r
	}
	exec := func(exe, args string) record {
		return record{typ: sfgo.PROC_EVT, ops: opExec, exe: exe, args: args, user: "ann", uid: 1000, tty: true}
	}
	write := func(path string) record {
		return record{typ: sfgo.FILE_FLOW, ops: opOpen | opWrit | opClos, open: written, exe: "/bin/cp", user: "ann", path: path}
	}
	connect := func(port int64) record {
		return record{typ: sfgo.NET_FLOW, ops: opConn, exe: "/usr/bin/ssh",
			sip: ip(10, 0, 0, 5), sport: 51514, dip: ip(8, 8, 8, 8), dport: port}
	}
	below := func(r record, tree ...string) record {
		r.tree = tree
		return r
	}
	for name, tt := range map[string]struct {
		rec  record
		want string
	}{
		"shell in a container":      {inside(below(exec("/bin/bash", ""), "/bin/sshd")), ""},
		"shell without parent":      {inside(exec("/bin/ksh", "")), "Shell with a terminal"},
		"shell on the host":         {exec("/bin/bash", ""), ""},
		"not a tool":                {exec("/bin/ls", ""), "Tool below another tool"},
		"built":                     {record{typ: sfgo.PROC_EVT, ops: opExec, exe: "/bin/ls", user: "builder"}, ""},
		"tool with a cut name":      {exec("/sbin/dpkg-preconfigure", ""), ""},
		"quoted item of a list":     {exec("/usr/bin/(hg)", ""), ""},
		"below a trusted directory": {write("/opt/trusted/a/b"), "Written below a trusted directory"},
		"beside it":                 {write("/opt/trusted2/b"), ""},
		"by the updater":            {below(write("/opt/b"), "/bin/sh", "/bin/sh", "/sbin/updater"), ""},
		"with a known line":         {func() record { r := write("/opt/b"); r.exe, r.args = "/bin/sh", "-c uname -a 2> /dev/null"; return r }(), ""},
		"a web port":                {connect(8443), "Contact with unusual ports"},
		"a node port":               {connect(30000), "Contact with unusual ports"},
		"another port":              {connect(22), ""},
		"sudo":                      {exec("/usr/bin/sudo", `-s x\`), "Tool below another tool, Sudo with a trailing backslash"},
		"noise":                     {exec("/bin/noise", ""), "dropped"},
		"hiss":                      {exec("/bin/hiss", ""), "Tool below another tool"},
	} {
		t.Run(name, func(t *testing.T) {
			rules, dropped := matches(set, tt.rec)
			var got []string
			for _, r := range rules {
				got = append(got, r.Name)
			}
			if dropped {
				got = []string{"dropped"}
			}
			if text := strings.Join(got, ", "); text != tt.want {
				t.Errorf("got %q, want %q", text, tt.want)
			}
		})
	}
}
