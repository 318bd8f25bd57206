package ruletest

import (
	"fmt"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/config/yamldoc"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// Result is what came of a run.
type Result struct {
	Files    []*File
	Untested []*Untested
	Coverage []*Coverage // of each policy set, in the order of their first use, if it was asked for
}

// File is what came of a test file.
type File struct {
	Path     string
	Policies string // path of the policy set
	Cases    []*Case

	// Err says what is wrong with the test file, with the policies (a [PolicyError]) or with a trace. Cases are those
	// that were run before it was found.
	Err error
}

// Case is a record or a trace, and whether it comes out as its test file says.
type Case struct {
	yamldoc.Place
	Subject  string // what is tested, for example rule 'R'
	Name     string // of the record
	Failures []*Failure
}

// String returns what is tested, with the name of the record.
func (c *Case) String() string {
	if c.Name == "" {
		return c.Subject
	}
	return c.Subject + ", " + c.Name
}

// Failure is an outcome that is another than the test file says.
type Failure struct {
	yamldoc.Place
	Case    string // for example rule 'R', near miss
	Message string
}

// Error returns the failure after its place.
func (f *Failure) Error() string { return fmt.Sprintf("%s: %s: %s", f.Place, f.Case, f.Message) }

// Untested is an enabled rule or drop that lacks cases of a kind.
type Untested struct {
	policy.Pos
	Subject string // for example rule 'R'
	Missing string // "a record that matches" or "a record that is ignored"
}

// String returns the gap after the place of the rule.
func (u *Untested) String() string {
	return fmt.Sprintf("%s: %s has no test with %s", u.Pos, u.Subject, u.Missing)
}

// PolicyError says that the policies to test cannot be loaded.
type PolicyError struct {
	Path        string
	Diagnostics policy.Diagnostics
}

// Error returns the diagnostics as they are printed.
func (e *PolicyError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "load policies %s:", e.Path)
	for _, d := range e.Diagnostics {
		b.WriteString("\n" + strings.TrimSuffix(d.Format(), "\n"))
	}
	return b.String()
}

// Failures returns the failures of all cases.
func (r *Result) Failures() []*Failure {
	var all []*Failure
	for _, f := range r.Files {
		for _, c := range f.Cases {
			all = append(all, c.Failures...)
		}
	}
	return all
}

// Counts returns the number of cases, of those that failed, and of the files that could not be run to their end.
func (r *Result) Counts() (cases, failed, broken int) {
	for _, f := range r.Files {
		cases += len(f.Cases)
		for _, c := range f.Cases {
			if len(c.Failures) > 0 {
				failed++
			}
		}
		if f.Err != nil {
			broken++
		}
	}
	return cases, failed, broken
}
