package author

import (
	"fmt"
	"io"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// CheckReport is what came of a check.
type CheckReport struct {
	Paths       []string
	Files       int // policy files read
	Diagnostics policy.Diagnostics
	Errors      int // of the diagnostics, as many as are of this severity; so are the others
	Warnings    int
	Infos       int

	// What the set holds; zero if one of the diagnostics is an error.
	Rules  int
	Drops  int
	Macros int
	Lists  int
}

// Check loads the policy set that files and directories make up, in the order of paths, as the policy engine does at
// start-up. The error says that it can be loaded and not be compiled, which is a fault of ours and not of the author.
func Check(paths []string, opts falco.Options) (*CheckReport, error) {
	p, ds := falco.LoadAll(paths, opts)
	r := &CheckReport{Paths: paths, Diagnostics: ds}
	for _, path := range paths {
		files, err := falco.Files(path)
		if err == nil { // else it is among the diagnostics
			r.Files += len(files)
		}
	}
	for _, d := range ds {
		switch d.Severity {
		case policy.Error:
			r.Errors++
		case policy.Warning:
			r.Warnings++
		default:
			r.Infos++
		}
	}
	if p == nil {
		return r, nil
	}
	r.Rules, r.Drops, r.Macros, r.Lists = len(p.Rules), len(p.Drops), len(p.Macros), len(p.Lists)
	if _, err := policy.Compile(p); err != nil {
		return nil, fmt.Errorf("compile policies %s: %w", strings.Join(paths, " "), err)
	}
	return r, nil
}

// Failed says whether the policy engine would refuse the policies.
func (r *CheckReport) Failed() bool { return r.Errors > 0 }

// Summary returns the counts in one line.
func (r *CheckReport) Summary() string {
	parts := []string{count(r.Files, "file")}
	if !r.Failed() {
		parts = append(parts, count(r.Rules, "rule"), count(r.Drops, "drop"), count(r.Macros, "macro"), count(r.Lists, "list"))
	}
	problems := []string{count(r.Errors, "error"), count(r.Warnings, "warning")}
	if r.Infos > 0 {
		problems = append(problems, count(r.Infos, "info"))
	}
	s := strings.Join(parts, ", ") + ": " + strings.Join(problems, ", ")
	if r.Errors == falco.MaxErrors {
		s += "; there may be more"
	}
	return s
}

// count returns a number with what is counted.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// WriteText writes the diagnostics as the program prints them at start-up, and a line that sums them up.
func (r *CheckReport) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, d := range r.Diagnostics {
		b.WriteString(d.Format())
	}
	b.WriteString(r.Summary() + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// diagnosticJSON is a diagnostic as WriteJSON shows it.
type diagnosticJSON struct {
	File      string   `json:"file"`
	Line      int      `json:"line,omitempty"` // from 1; absent if the file as a whole is meant
	Column    int      `json:"column,omitempty"`
	EndColumn int      `json:"endColumn,omitempty"` // that after the last one
	Severity  string   `json:"severity"`
	Code      string   `json:"code"`
	Message   string   `json:"message"`
	Source    string   `json:"source,omitempty"`
	Notes     []string `json:"notes,omitempty"`
	Hints     []string `json:"hints,omitempty"`
}

// WriteJSON writes the report as a JSON object.
func (r *CheckReport) WriteJSON(w io.Writer) error {
	page := struct {
		Paths       []string         `json:"paths"`
		Files       int              `json:"files"`
		Rules       int              `json:"rules"`
		Drops       int              `json:"drops"`
		Macros      int              `json:"macros"`
		Lists       int              `json:"lists"`
		Errors      int              `json:"errors"`
		Warnings    int              `json:"warnings"`
		Infos       int              `json:"infos"`
		Diagnostics []diagnosticJSON `json:"diagnostics"`
	}{r.Paths, r.Files, r.Rules, r.Drops, r.Macros, r.Lists, r.Errors, r.Warnings, r.Infos, []diagnosticJSON{}}
	for _, d := range r.Diagnostics {
		v := diagnosticJSON{
			File: d.File, Line: d.Line, Column: d.Col, Severity: d.Severity.String(), Code: d.Code, Message: d.Message,
			Source: d.Source, Notes: d.Notes, Hints: d.Hints,
		}
		if d.Line > 0 {
			v.EndColumn = d.Col + d.Len
		}
		page.Diagnostics = append(page.Diagnostics, v)
	}
	return writeJSON(w, page)
}
