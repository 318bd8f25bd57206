package author

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/ruletest"
)

// TestReport is what came of rule tests, to be written.
type TestReport struct{ *ruletest.Result }

// Failed says whether a test failed or could not be run.
func (r TestReport) Failed() bool {
	_, failed, broken := r.Counts()
	return failed+broken > 0
}

// Summary returns the counts in one line.
func (r TestReport) Summary() string {
	cases, failed, broken := r.Counts()
	s := fmt.Sprintf("%s, %s: %d passed, %d failed", count(len(r.Files), "file"), count(cases, "case"), cases-failed, failed)
	if broken > 0 {
		s += fmt.Sprintf("; %s broken", count(broken, "file"))
	}
	return s
}

// WriteTable writes what failed, a table of the test files, the coverage if there is one, and a line that sums all up. If
// verbose is set, it begins with a line for each case.
func (r TestReport) WriteTable(w io.Writer, verbose bool) error {
	var b strings.Builder
	for _, f := range r.Files {
		for _, c := range f.Cases {
			if verbose && len(c.Failures) == 0 {
				fmt.Fprintf(&b, "ok    %s: %s\n", c.Place, c)
			}
			for _, failure := range c.Failures {
				fmt.Fprintf(&b, "FAIL  %s\n", failure)
			}
		}
		if f.Err != nil {
			fmt.Fprintf(&b, "ERROR %s\n", strings.ReplaceAll(f.Err.Error(), "\n", "\n      "))
		}
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TESTS\tPOLICIES\tCASES\tFAILED")
	for _, f := range r.Files {
		failed := 0
		for _, c := range f.Cases {
			if len(c.Failures) > 0 {
				failed++
			}
		}
		row := fmt.Sprintf("%s\t%s\t%d\t%d", f.Path, orDash(f.Policies), len(f.Cases), failed)
		if f.Err != nil {
			row = fmt.Sprintf("%s\t%s\t%d\tbroken", f.Path, orDash(f.Policies), len(f.Cases))
		}
		fmt.Fprintln(t, row)
	}
	flushed := t.Flush()
	b.WriteByte('\n')
	if len(r.Coverage) > 0 {
		r.coverage(&b)
	}
	b.WriteString(r.Summary() + "\n")
	_, err := io.WriteString(w, b.String())
	return errors.Join(flushed, err)
}

// coverage writes what no test has tried.
func (r TestReport) coverage(b *strings.Builder) {
	for _, c := range r.Coverage {
		fired, both := 0, 0
		var silent, terms []string
		for _, s := range c.Subjects {
			if s.Fired {
				fired++
			} else {
				silent = append(silent, fmt.Sprintf("%s: %s", s.Pos, s.Subject))
			}
		}
		for _, t := range c.Terms {
			if t.True && t.False {
				both++
			} else {
				terms = append(terms, fmt.Sprintf("%s:%d: never %s: %s", t.Pos, t.Col, untried(t), shorten(t.Text)))
			}
		}
		fmt.Fprintf(b, "Coverage of %s: %d of %d rules and drops fired, %d of %s were both true and false where they decide.\n",
			c.Policies, fired, len(c.Subjects), both, count(len(c.Terms), "term"))
		section(b, "Never fired", silent)
		section(b, "Not tried", terms)
	}
	var gaps []string
	for _, u := range r.Untested {
		gaps = append(gaps, u.String())
	}
	section(b, "Not tested", gaps)
	b.WriteByte('\n')
}

// section writes lines under a heading, if there are any.
func section(b *strings.Builder, heading string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "%s:\n", heading)
	for _, line := range lines {
		fmt.Fprintf(b, "  %s\n", line)
	}
}

// untried says which value a term did not have.
func untried(t *ruletest.Tried) string {
	switch {
	case t.False:
		return "true"
	case t.True:
		return "false"
	}
	return "evaluated"
}

// shorten cuts a long term off: its place says where the rest is.
func shorten(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// The report as WriteJSON shows it.
type (
	testPage struct {
		Cases    int            `json:"cases"`
		Failed   int            `json:"failed"`
		Broken   int            `json:"broken"` // files
		Files    []testFile     `json:"files"`
		Untested []testSubject  `json:"untested,omitempty"`
		Coverage []testCoverage `json:"coverage,omitempty"`
	}
	testFile struct {
		Path     string     `json:"path"`
		Policies string     `json:"policies"`
		Error    string     `json:"error,omitempty"`
		Cases    []testCase `json:"cases"`
	}
	testCase struct {
		Line     int           `json:"line"`
		Column   int           `json:"column"`
		Subject  string        `json:"subject"`
		Name     string        `json:"name,omitempty"`
		Passed   bool          `json:"passed"`
		Failures []testFailure `json:"failures,omitempty"`
	}
	testFailure struct {
		Line    int    `json:"line"`
		Column  int    `json:"column"`
		Case    string `json:"case"`
		Message string `json:"message"`
	}
	testSubject struct {
		File    string `json:"file"`
		Line    int    `json:"line"`
		Subject string `json:"subject"`
		Missing string `json:"missing,omitempty"`
		Fired   *bool  `json:"fired,omitempty"`
	}
	testCoverage struct {
		Policies string        `json:"policies"`
		Rules    []testSubject `json:"rules"` // and drops
		Terms    []testTerm    `json:"terms"`
	}
	testTerm struct {
		File   string `json:"file"`
		Line   int    `json:"line"`
		Column int    `json:"column"`
		Text   string `json:"text"`
		True   bool   `json:"true"`
		False  bool   `json:"false"`
	}
)

// WriteJSON writes the report as a JSON object. What lacks tests is there if coverage was asked for.
func (r TestReport) WriteJSON(w io.Writer) error {
	page := testPage{Files: []testFile{}}
	page.Cases, page.Failed, page.Broken = r.Counts()
	for _, f := range r.Files {
		file := testFile{Path: f.Path, Policies: f.Policies, Cases: []testCase{}}
		if f.Err != nil {
			file.Error = f.Err.Error()
		}
		for _, c := range f.Cases {
			v := testCase{Line: c.Line, Column: c.Col, Subject: c.Subject, Name: c.Name, Passed: len(c.Failures) == 0}
			for _, x := range c.Failures {
				v.Failures = append(v.Failures, testFailure{x.Line, x.Col, x.Case, x.Message})
			}
			file.Cases = append(file.Cases, v)
		}
		page.Files = append(page.Files, file)
	}
	for _, c := range r.Coverage {
		v := testCoverage{Policies: c.Policies, Rules: []testSubject{}, Terms: []testTerm{}}
		for _, s := range c.Subjects {
			v.Rules = append(v.Rules, testSubject{File: s.File, Line: s.Line, Subject: s.Subject, Fired: &s.Fired})
		}
		for _, t := range c.Terms {
			v.Terms = append(v.Terms, testTerm{t.File, t.Line, t.Col, t.Text, t.True, t.False})
		}
		page.Coverage = append(page.Coverage, v)
	}
	if page.Coverage != nil {
		for _, u := range r.Untested {
			page.Untested = append(page.Untested, testSubject{File: u.File, Line: u.Line, Subject: u.Subject, Missing: u.Missing})
		}
	}
	return writeJSON(w, page)
}
