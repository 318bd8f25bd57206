package policy

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Pos is a place in a policy file; Line and Col count from 1, Col in characters.
type Pos struct {
	File      string
	Line, Col int
}

// String returns file:line.
func (p Pos) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Severity is how bad a problem is.
type Severity uint8

// Severities.
const (
	Info Severity = iota
	Warning
	Error
)

// String returns the word that diagnostics show.
func (s Severity) String() string { return [...]string{"info", "warning", "error"}[s] }

// Diagnostic is a problem in a policy file.
type Diagnostic struct {
	Pos
	Len      int // characters underlined, at least 1
	Severity Severity
	Code     string // E301, without brackets
	Message  string
	Source   string   // the line of the file, without its end; empty if there is none to show
	Hints    []string // what to do
	Notes    []string // what led here, for example: used by rule 'R' (file:line)
}

// Error returns the first line of the diagnostic, so that it can be used as an error.
func (d *Diagnostic) Error() string {
	if d.Line == 0 { // the file as a whole
		return fmt.Sprintf("%s: %s: %s [%s]", d.File, d.Severity, d.Message, d.Code)
	}
	return fmt.Sprintf("%s:%d:%d: %s: %s [%s]", d.File, d.Line, d.Col, d.Severity, d.Message, d.Code)
}

// Format returns the diagnostic as it is printed: the message, the source line with a caret below it, notes and hints.
func (d *Diagnostic) Format() string {
	var b strings.Builder
	b.WriteString(d.Error())
	b.WriteByte('\n')
	if d.Line > 0 && d.Source != "" {
		fmt.Fprintf(&b, "    %s\n    ", d.Source)
		n := 0
		for _, c := range d.Source { // tabs stay tabs, so that the caret lines up
			if n++; n >= d.Col {
				break
			}
			if c != '\t' {
				c = ' '
			}
			b.WriteRune(c)
		}
		tail := min(d.Len, utf8.RuneCountInString(d.Source)-d.Col+1) - 1
		b.WriteString("^" + strings.Repeat("~", max(0, tail)) + "\n")
	}
	for _, n := range d.Notes {
		fmt.Fprintf(&b, "    note: %s\n", n)
	}
	for _, h := range d.Hints {
		fmt.Fprintf(&b, "    hint: %s\n", h)
	}
	return b.String()
}

// Diagnostics are the problems of a policy set, in load order and position.
type Diagnostics []*Diagnostic

// HasErrors says whether one of the problems makes the set unloadable.
func (ds Diagnostics) HasErrors() bool {
	for _, d := range ds {
		if d.Severity == Error {
			return true
		}
	}
	return false
}
