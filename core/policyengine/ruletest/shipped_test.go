package ruletest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/flattener/trace"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

const resources = "../../../resources"

// TestShippedPolicies runs the tests of the policies that come with the program; each rule must have both kinds.
func TestShippedPolicies(t *testing.T) {
	result, err := Run(t.Context(), []string{resources + "/policytests"}, Options{Falco: falco.Options{Checks: falco.Strict}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Files {
		if f.Err != nil {
			t.Error(f.Err)
		}
	}
	for _, f := range result.Failures() {
		t.Error(f)
	}
	for _, u := range result.Untested {
		t.Error(u)
	}
	if cases, _, _ := result.Counts(); cases < 370 {
		t.Errorf("%d cases", cases)
	}
}

// TestFilterPassesEverything wants each record of each trace to be dropped or matched by the default policy.
func TestFilterPassesEverything(t *testing.T) {
	r := newRunner(Options{})
	set, err := r.policies(resources + "/policies/distribution")
	if err != nil {
		t.Fatal(err)
	}
	if len(set.rules) != 21 || len(set.drops) != 1 {
		t.Errorf("%d rules and %d drops, want 21 and 1", len(set.rules), len(set.drops))
	}
	dirs := []string{resources + "/traces"}
	if public := os.Getenv("SYSFLOW_TRACES"); public != "" {
		dirs = append(dirs, public)
	}
	for _, dir := range dirs {
		traces, err := filepath.Glob(dir + "/*.sf")
		if err != nil || len(traces) == 0 {
			t.Fatalf("traces in %s: %v, %v", dir, traces, err)
		}
		for _, path := range traces {
			for row, err := range trace.Rows(t.Context(), path, trace.Options{}) {
				if err != nil {
					t.Fatal(err)
				}
				if matched, dropped := set.eval.Eval(row, 1); len(matched) == 0 && !dropped {
					t.Errorf("%s: no rule matches a record of type %d, operations %b", path, row.Ints[0][sfgo.SF_REC_TYPE], row.Ints[0][sfgo.OPFLAGS_INT])
				}
			}
		}
	}
}

// TestNoFalseAlarms wants the integrity rules to be silent on public traces of ordinary work.
func TestNoFalseAlarms(t *testing.T) {
	dir := os.Getenv("SYSFLOW_TRACES")
	if dir == "" {
		t.Skip("SYSFLOW_TRACES, the directory of the public traces, is not set")
	}
	r := newRunner(Options{})
	set, err := r.policies(resources + "/policies/runtimeintegrity")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"k8s_small.sf", "rename2at.sf", "runtime-1621959914.sf", "setns.sf", "tcp.sf", "webserver.sf"} {
		for row, err := range trace.Rows(t.Context(), filepath.Join(dir, name), trace.Options{}) {
			if err != nil {
				t.Fatal(err)
			}
			if matched, _ := set.eval.Eval(row, 1); len(matched) > 0 {
				t.Errorf("%s: %s on %s %s", name, quoted(matched), row.Strs[0][sfgo.PROC_EXE_STR], row.Strs[0][sfgo.FILE_PATH_STR])
			}
		}
	}
}

// TestOverlays loads the examples of changes that the policies and their README show, after the policies themselves.
func TestOverlays(t *testing.T) {
	for doc, prefix := range map[string]string{"README.md": "    ", "distribution/filter.yaml": "#   ", "runtimeintegrity/common.yaml": "#   "} {
		text, err := os.ReadFile(resources + "/policies/" + doc)
		if err != nil {
			t.Fatal(err)
		}
		var example strings.Builder
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, prefix); ok {
				example.WriteString(rest)
			}
		}
		if !strings.HasPrefix(example.String(), "- ") {
			t.Fatalf("%s has no example", doc)
		}
		srcs, err := sources(resources + "/policies")
		if err != nil {
			t.Fatal(err)
		}
		srcs = append(srcs, falco.Source{Name: doc, Text: []byte(example.String())})
		_, ds := falco.LoadSources(srcs, falco.Options{Checks: falco.Strict, Catalogue: field.SysFlow()})
		for _, d := range ds {
			t.Errorf("%s", d.Format())
		}
	}
}

// sources returns the policy files below a directory.
func sources(dir string) ([]falco.Source, error) {
	var srcs []falco.Source
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		srcs = append(srcs, falco.Source{Name: path, Text: text})
		return err
	})
	return srcs, err
}
