package author

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/ruletest"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/terms"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	webshell = "../../../resources/traces/webshell.sf"
	rules    = "testdata/traces/rules.yaml"
)

func openTraces(t *testing.T, paths ...string) *Traces {
	t.Helper()
	var warnings bytes.Buffer
	traces, err := OpenTraces(paths, &warnings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if warnings.Len() > 0 {
			t.Error(warnings.String())
		}
	})
	return traces
}

func TestExplain(t *testing.T) {
	for name, opts := range map[string]ExplainOptions{
		"shell":    {Rule: "Shell", Filter: "started_shell", Max: 1},
		"near":     {Rule: "Shell", Filter: "sf.proc.name = sh and sf.type = PE and not started", Max: 1},
		"or":       {Rule: "Reads passwords", Filter: "started_shell", Max: 2},
		"operands": {Rule: "First records", Filter: "sf.type = NF or evt.num = 1", Max: 2},
		"type":     {Rule: "Shell", Filter: "sf.type = FE", Max: 1},
		"off":      {Rule: "Off", Filter: "shell and started", Max: 1},
		"dropped":  {Rule: "First records", Record: 2, Max: 1},
		"drop":     {Rule: "Flows", Record: 2, Max: 1},
		"none":     {Rule: "Flows", Filter: "sf.type = KE", Max: 1},
	} {
		t.Run(name, func(t *testing.T) {
			opts.Policies, opts.Falco = rules, options()
			report, err := Explain(t.Context(), openTraces(t, webshell), opts)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "traces/explain_"+name+".txt", func(w *bytes.Buffer) error { return report.WriteText(w) })
			if name == "or" {
				golden(t, "traces/explain_or.json", func(w *bytes.Buffer) error { return report.WriteJSON(w) })
			}
		})
	}
}

// TestExplainAgrees wants explanations to say what the engine does, and trees to add up.
func TestExplainAgrees(t *testing.T) {
	const shipped = "../../../resources/policies/runtimeintegrity"
	set, p, err := compile(shipped, options())
	if err != nil {
		t.Fatal(err)
	}
	x := &explainer{policy: p, describer: newDescriber(options().Catalogue)}
	if x.terms, err = terms.New(p); err != nil {
		t.Fatal(err)
	}
	eval := set.NewEvaluator()
	matches := 0
	for at, err := range openTraces(t, webshell).rows(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if at.num < 180 || at.num > 230 {
			continue
		}
		matched, _ := eval.Eval(at.row, at.num)
		for _, r := range p.Rules {
			if err := x.find(r.Name); err != nil {
				t.Fatal(err)
			}
			got := x.record(at)
			want := slices.ContainsFunc(matched, func(m *engine.Rule) bool { return m == r.Rule })
			if got.Matches != want {
				t.Fatalf("%s on record %d: got %v, want %v", r.Name, at.num, got.Matches, want)
			}
			if want {
				matches++
			}
			addsUp(t, got.Condition)
		}
	}
	if matches == 0 {
		t.Error("no rule matched: nothing was compared")
	}
}

// addsUp wants the result of a condition to follow from those of its parts.
func addsUp(t *testing.T, n *ExplainedNode) {
	t.Helper()
	var results []string
	for _, c := range n.Conditions {
		results = append(results, c.Result)
		addsUp(t, c)
	}
	want := n.Result
	switch {
	case len(results) == 0:
	case n.Kind == "and":
		want = holds
		if slices.Contains(results, fails) {
			want = fails
		}
	case n.Kind == "or":
		want = fails
		if slices.Contains(results, holds) {
			want = holds
		}
	case n.Kind == "not":
		want = map[string]string{holds: fails, fails: holds}[results[0]]
	case n.Kind == "macro":
		want = results[0]
	}
	if n.Result != want {
		t.Fatalf("%s %s is %s, its parts %v", n.Kind, n.Text, n.Result, results)
	}
}

func TestExplainErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		opts ExplainOptions
		want string
	}{
		"rule misspelt":   {ExplainOptions{Rule: "Shel", Record: 1}, "the policies have no rule 'Shel': did you mean 'Shell'?"},
		"no such rule":    {ExplainOptions{Rule: "Something else", Record: 1}, "the policies have no rule 'Something else'"},
		"no such record":  {ExplainOptions{Rule: "Shell", Record: 1000}, "there is no record 1000: the last one is 273"},
		"filter is wrong": {ExplainOptions{Rule: "Shell", Filter: "shell and", Max: 1}, "filter:1:10: error: unexpected end of condition"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.opts.Policies, tt.opts.Falco = rules, options()
			_, err := Explain(t.Context(), openTraces(t, webshell), tt.opts)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	_, err := Explain(t.Context(), openTraces(t, webshell), ExplainOptions{Policies: "testdata/check/bad", Falco: options(), Rule: "R", Record: 1})
	if bad, ok := errors.AsType[*ruletest.PolicyError](err); !ok || !bad.Diagnostics.HasErrors() ||
		slices.ContainsFunc(bad.Diagnostics, func(d *policy.Diagnostic) bool { return d.Severity != policy.Error }) {
		t.Errorf("got %v, want the errors of the policies and nothing else", err)
	}
}
