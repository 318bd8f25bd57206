package author

import (
	"encoding/xml"
	"io"
	"strings"
)

// The report as JUnit's XML, of which there is no standard: the elements and attributes that Jenkins, GitLab and GitHub's
// test reporters agree on. There are no times, so that two runs give the same bytes.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr,omitempty"`
		Failure *junitProblem `xml:"failure"` // one at most, as some readers want it
		Error   *junitProblem `xml:"error"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the report as JUnit's XML: a suite for each test file, in which a file that is broken is a test case
// with an error.
func (r TestReport) WriteJUnit(w io.Writer) error {
	all := junitSuites{Name: "rule tests"}
	for _, f := range r.Files {
		suite := junitSuite{Name: f.Path, Tests: len(f.Cases)}
		for _, c := range f.Cases {
			v := junitCase{Class: f.Path, Name: c.String(), File: c.File, Line: c.Line}
			if len(c.Failures) > 0 {
				var messages, lines []string
				for _, x := range c.Failures {
					messages, lines = append(messages, x.Message), append(lines, x.Error())
				}
				v.Failure = &junitProblem{strings.Join(messages, "; "), strings.Join(lines, "\n")}
				suite.Failures++
			}
			suite.Cases = append(suite.Cases, v)
		}
		if f.Err != nil {
			suite.Tests++
			suite.Errors++
			suite.Cases = append(suite.Cases, junitCase{
				Class: f.Path, Name: "test file", File: f.Path, Error: &junitProblem{"the test file cannot be run", f.Err.Error()},
			})
		}
		all.Tests += suite.Tests
		all.Failures += suite.Failures
		all.Errors += suite.Errors
		all.Suites = append(all.Suites, suite)
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(append([]byte(xml.Header), text...), '\n'))
	return err
}
