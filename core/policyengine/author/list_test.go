package author

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/ruletest"
)

const shipped = "../../../resources/policies"

func list(t *testing.T, opts falco.Options, paths ...string) *Listing {
	t.Helper()
	l, err := List(paths, opts)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestList(t *testing.T) {
	opts := options()
	opts.Actions = []string{"hash"}
	l := list(t, opts, "testdata/list/policies")
	golden(t, "list/table.txt", func(w *bytes.Buffer) error { return l.WriteTable(w) })
	golden(t, "list/list.json", func(w *bytes.Buffer) error { return l.WriteJSON(w) })
	golden(t, "list/matrix.md", func(w *bytes.Buffer) error { return l.WriteMatrix(w) })
	validLayer(t, golden(t, "list/layer.json", func(w *bytes.Buffer) error { return l.WriteNavigator(w) }))
}

// validLayer checks what the layer format demands of values.
func validLayer(t *testing.T, data []byte) {
	t.Helper()
	var l layer
	if err := json.Unmarshal(data, &l); err != nil {
		t.Fatal(err)
	}
	if l.Name == "" || l.Domain != "enterprise-attack" || l.Versions.Layer != "4.5" || l.Versions.Navigator < "4.9.0" ||
		len(l.Gradient.Colors) < 2 || l.Gradient.MaxValue <= l.Gradient.MinValue {
		t.Errorf("%+v", l)
	}
	for i, x := range l.Techniques {
		if x.Score < 1 || x.Score > l.Gradient.MaxValue || x.Comment == "" || !techniqueTag.MatchString(x.ID) {
			t.Errorf("%+v", x)
		}
		if i > 0 && x.ID <= l.Techniques[i-1].ID {
			t.Errorf("%s after %s", x.ID, l.Techniques[i-1].ID)
		}
	}
}

// TestListOfShippedPolicies wants the table to know every technique that the shipped rules name.
func TestListOfShippedPolicies(t *testing.T) {
	l := list(t, options(), shipped+"/runtimeintegrity")
	c := l.coverage()
	if len(c.rules) != 87 || len(c.byID) < 50 || len(c.other) > 0 || len(c.untagged) > 0 {
		t.Errorf("%d rules, %d techniques, %d in no tactic, %d untagged", len(c.rules), len(c.byID), len(c.other), len(c.untagged))
	}
	for id := range c.byID {
		if c.technique(id).name == "" {
			t.Errorf("%s has no name", id)
		}
	}
	for _, r := range l.Rules {
		if len(r.Attributes) == 0 || len(r.Records) == 0 {
			t.Errorf("%s reads %q of %q", r.Name, r.Attributes, r.Records)
		}
	}
}

func TestListOfNothing(t *testing.T) {
	l := &Listing{}
	var table, matrix, layer bytes.Buffer
	if err := errors.Join(l.WriteTable(&table), l.WriteMatrix(&matrix), l.WriteNavigator(&layer)); err != nil {
		t.Fatal(err)
	}
	if strings.Count(table.String(), "\n") != 1 {
		t.Errorf("table:\n%s", &table)
	}
	if !strings.Contains(matrix.String(), "| Execution | 0 |  |\n") || strings.Contains(matrix.String(), "Reconnaissance") {
		t.Errorf("matrix:\n%s", &matrix)
	}
	validLayer(t, layer.Bytes())
}

func TestListOfBrokenPolicies(t *testing.T) {
	_, err := List([]string{"testdata/check/bad"}, options())
	broken, ok := errors.AsType[*ruletest.PolicyError](err)
	if !ok || !strings.Contains(broken.Error(), "load policies testdata/check/bad:\ntestdata/check/bad/10-macros.yaml:4:44: warning: ") {
		t.Errorf("%v", err)
	}
}

// TestAttackTable reads the table as strictly as its users rely on it.
func TestAttackTable(t *testing.T) {
	all := techniques()
	if n := strings.Count(attackTable, "\nT"); len(all) != n || n < 300 {
		t.Errorf("%d techniques on %d lines", len(all), n)
	}
	for id, x := range all {
		if !techniqueTag.MatchString(id) || x.name == "" || len(x.tactics) == 0 {
			t.Errorf("%s: %+v", id, x)
		}
		at := -1
		for _, short := range x.tactics {
			i := slices.IndexFunc(tactics, func(t tactic) bool { return t.short == short })
			if i <= at {
				t.Errorf("%s: %s is unknown or out of order", id, short)
			}
			at = i
		}
	}
}

func TestLabels(t *testing.T) {
	for tag, want := range map[string]string{
		"mitre:T1059.004":             "T1059.004 ",
		"T1059":                       "T1059 ",
		"t1059":                       "T1059 ",
		"attack.t1059.004":            "T1059.004 ",
		"MITRE_T1059":                 "T1059 ",
		"mitre_execution":             " execution",
		"mitre_command_and_control":   " command-and-control",
		"mitre:TA0011":                " command-and-control",
		"attack.privilege_escalation": " privilege-escalation",
		"Mitre:Initial Access":        " initial-access",
		"execution":                   " ",
		"TA0011":                      " ",
		"T105":                        " ",
		"T1059.04":                    " ",
		"T10590":                      " ",
		"mitre:":                      " ",
		"mitre_remote":                " ",
	} {
		ids, shorts := labels([]string{tag, tag})
		if got := strings.Join(ids, ",") + " " + strings.Join(shorts, ","); got != want {
			t.Errorf("%s: got %q, want %q", tag, got, want)
		}
	}
}
