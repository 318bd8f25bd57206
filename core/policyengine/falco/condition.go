package falco

import (
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// What stands around a condition that is loaded on its own, so that it is read like any other.
const (
	conditionHead   = "- drop: condition on its own\n  condition: |2-\n"
	conditionLines  = 2 // of the head
	conditionIndent = "    "
)

// LoadCondition reads a condition that stands alone. It may use the macros and lists of the policy set at path; an empty
// path is no set. The diagnostics are those of the condition, by the name given and at places in its text, and the errors of
// the set. The condition is nil if there are errors.
func LoadCondition(name, text, path string, opts Options) (policy.Node, policy.Diagnostics) {
	l := newLoader(opts)
	if path != "" {
		l.files(path)
	}
	text = strings.TrimRight(text, " \t\r\n")
	l.source(Source{name, []byte(conditionHead + conditionIndent + strings.ReplaceAll(text, "\n", "\n"+conditionIndent))})
	p := newResolver(l).resolve()
	var ds policy.Diagnostics
	for _, d := range l.sorted() {
		if d.File == name {
			unwrap(d, text)
		} else if d.Severity != policy.Error {
			continue
		}
		ds = append(ds, d)
	}
	if ds.HasErrors() {
		return nil, ds
	}
	for _, d := range p.Drops {
		if d.Pos.File == name {
			return d.Cond, ds
		}
	}
	return nil, ds
}

// unwrap turns the place of a diagnostic into one in the text of a condition that stands alone.
func unwrap(d *policy.Diagnostic, text string) {
	lines := strings.Split(text, "\n")
	d.Line = min(max(1, d.Line-conditionLines), len(lines))
	d.Col = max(1, d.Col-len(conditionIndent))
	d.Source = lines[d.Line-1]
	d.Notes = nil // they would lead to the item made around it
}
