package config

import (
	"fmt"
	"strings"
)

// Pos is a place in a file. Line and Col count from 1, Col in characters; a Line of 0 stands for the file as a whole.
type Pos struct {
	File      string // or what else a value may come from, for example "environment EXPORTER_PORT"
	Line, Col int
}

// String returns file:line:column, as far as they are known.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Severity is how bad a problem is.
type Severity uint8

// Severities. A Warning never keeps a pipeline from starting.
const (
	Error Severity = iota
	Warning
)

// String returns the word that diagnostics show.
func (s Severity) String() string { return [...]string{"error", "warning"}[s] }

// Diagnostic is a problem in the configuration.
type Diagnostic struct {
	Pos
	Severity Severity
	Code     string // P301, without brackets
	Message  string
	Hints    []string // what to do about it
}

// Error returns the first line of the diagnostic, for example
// pipeline.json:4:12: error: exporter[0]: required attribute 'export' is missing [P302].
func (d *Diagnostic) Error() string {
	return fmt.Sprintf("%s: %s: %s [%s]", d.Pos, d.Severity, d.Message, d.Code)
}

// Format returns the diagnostic as it is printed, hints included, with a newline at the end of each line.
func (d *Diagnostic) Format() string {
	var b strings.Builder
	b.WriteString(d.Error())
	b.WriteByte('\n')
	for _, h := range d.Hints {
		fmt.Fprintf(&b, "    hint: %s\n", h)
	}
	return b.String()
}

// Diagnostics are the problems of a configuration. Used as an error, it is never empty.
type Diagnostics []*Diagnostic

// HasErrors says whether one of the problems keeps the pipeline from starting.
func (ds Diagnostics) HasErrors() bool {
	for _, d := range ds {
		if d.Severity == Error {
			return true
		}
	}
	return false
}

// Error returns the first lines of the problems, one a line.
func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}

// Errorf appends an error.
func (ds *Diagnostics) Errorf(at Pos, code, format string, args ...any) *Diagnostic {
	return ds.add(at, Error, code, format, args...)
}

// Warnf appends a warning.
func (ds *Diagnostics) Warnf(at Pos, code, format string, args ...any) *Diagnostic {
	return ds.add(at, Warning, code, format, args...)
}

func (ds *Diagnostics) add(at Pos, s Severity, code, format string, args ...any) *Diagnostic {
	d := &Diagnostic{Pos: at, Severity: s, Code: code, Message: fmt.Sprintf(format, args...)}
	*ds = append(*ds, d)
	return d
}

// Hint appends advice to the diagnostic.
func (d *Diagnostic) Hint(format string, args ...any) {
	d.Hints = append(d.Hints, fmt.Sprintf(format, args...))
}
