package author

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/ruletest"
)

func runTests(t *testing.T, opts ruletest.Options, paths ...string) TestReport {
	t.Helper()
	result, err := ruletest.Run(t.Context(), paths, opts)
	if err != nil {
		t.Fatal(err)
	}
	return TestReport{result}
}

func TestTestReport(t *testing.T) {
	r := runTests(t, ruletest.Options{Coverage: true}, "testdata/test/tests")
	if want := "4 files, 5 cases: 3 passed, 2 failed; 2 files broken"; r.Summary() != want || !r.Failed() {
		t.Errorf("got %s, failed %t; want %s", r.Summary(), r.Failed(), want)
	}
	golden(t, "test/report.txt", func(w *bytes.Buffer) error { return r.WriteTable(w, true) })
	data := golden(t, "test/report.json", func(w *bytes.Buffer) error { return r.WriteJSON(w) })
	var page testPage
	if err := json.Unmarshal(data, &page); err != nil || page.Failed != 2 || len(page.Coverage) != 1 {
		t.Errorf("%+v, %v", page, err)
	}
	validJUnit(t, golden(t, "test/report.xml", func(w *bytes.Buffer) error { return r.WriteJUnit(w) }), r)
}

// validJUnit wants the counts of the report to be those of its parts.
func validJUnit(t *testing.T, data []byte, r TestReport) {
	t.Helper()
	var all junitSuites
	if err := xml.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	cases, failed, broken := r.Counts()
	if all.Tests != cases+broken || all.Failures != failed || all.Errors != broken || len(all.Suites) != len(r.Files) {
		t.Errorf("%d tests, %d failures, %d errors in %d suites", all.Tests, all.Failures, all.Errors, len(all.Suites))
	}
	for _, s := range all.Suites {
		failures, errors := 0, 0
		for _, c := range s.Cases {
			if c.Name == "" || c.Class == "" || c.File == "" {
				t.Errorf("%+v", c)
			}
			if c.Failure != nil {
				failures++
			}
			if c.Error != nil {
				errors++
			}
		}
		if s.Tests != len(s.Cases) || s.Failures != failures || s.Errors != errors {
			t.Errorf("suite %s: %d tests, %d failures, %d errors; its cases are %d, %d, %d",
				s.Name, s.Tests, s.Failures, s.Errors, len(s.Cases), failures, errors)
		}
	}
	if all.Suites[1].Cases[0].Name != `rule 'Shell', of <nginx> & "co"` {
		t.Errorf("a name was not quoted well: %q", all.Suites[1].Cases[0].Name)
	}
}

// TestTestReportOfSuccess wants nothing but the table and a line where all is well.
func TestTestReportOfSuccess(t *testing.T) {
	r := runTests(t, ruletest.Options{}, "testdata/test/tests/1-good.yaml")
	if r.Failed() {
		t.Error(r.Failures())
	}
	var w bytes.Buffer
	if err := r.WriteTable(&w, false); err != nil {
		t.Fatal(err)
	}
	const want = `TESTS                            POLICIES                     CASES  FAILED
testdata/test/tests/1-good.yaml  testdata/test/policies.yaml  3      0

1 file, 3 cases: 3 passed, 0 failed
`
	if w.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &w, want)
	}
}
