package policy_test

import (
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// TestTypes wants the types of records that a rule may match to follow from its prefilter and from its condition.
func TestTypes(t *testing.T) {
	for _, tt := range []struct{ rule, want string }{
		{"condition: sf.proc.exe = /bin/sh", "PE PF FF FE NF"},
		{"condition: sf.proc.exe != /bin/sh", "all"},
		{"condition: sf.type in (PE, FE) and sf.proc.exe = /bin/sh", "PE FE"},
		{"condition: not sf.type = KE", "PE PF FF FE NF NE"},
		{"condition: sf.net.dport = 22 or sf.file.openflags = CREAT", "FF NF"},
		{"condition: sf.net.dport = val(sf.net.sport) and sf.net.dport != 0", "NF"},
		{"{condition: sf.proc.exe = /bin/sh, prefilter: [FE, ke]}", "FE"},
		{"{condition: sf.type = FF, prefilter: [NF]}", ""},
		{"{condition: sf.proc.exe = /bin/sh, enabled: false}", ""},
	} {
		text := tt.rule
		if text[0] == '{' {
			text = "{rule: R, desc: d, " + text[1:]
		} else {
			text = "rule: R\n  desc: d\n  " + text
		}
		p, ds := falco.LoadSources([]falco.Source{{Name: "t.yaml", Text: []byte("- drop: D\n  condition: sf.ret < 0\n- " + text)}},
			falco.Options{Catalogue: field.SysFlow()})
		if p == nil {
			t.Fatal(ds)
		}
		set, err := policy.Compile(p)
		if err != nil {
			t.Fatal(err)
		}
		if got := set.Types(); len(got) != 1 || got[0].String() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.rule, got, tt.want)
		}
	}
}
