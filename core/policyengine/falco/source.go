package falco

import (
	"strings"
	"unicode/utf8"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// source is a policy file while it is loaded.
type source struct {
	name  string
	order int      // position in load order
	lines []string // as in the file, without line ends and byte-order mark

	// What the YAML parser reads: the lines themselves, or those of the repair; moved then says where their characters
	// stand in the file.
	parsed []string
	moved  []moves
}

func newSource(order int, name, text string) *source {
	lines := splitLines(strings.TrimPrefix(text, "\ufeff"))
	return &source{name: name, order: order, lines: lines, parsed: lines}
}

// splitLines splits text where YAML sees a line end.
func splitLines(text string) []string {
	lines := make([]string, 0, 1+strings.Count(text, "\n"))
	start := 0 // of the line
	for i, c := range text {
		switch c {
		case '\n':
			if i > start || i == 0 || text[i-1] != '\r' {
				lines = append(lines, text[start:i])
			} // else: the carriage return before it ended the line
		case '\r', '\u0085', '\u2028', '\u2029':
			lines = append(lines, text[start:i])
		default:
			continue
		}
		start = i + utf8.RuneLen(c)
	}
	return append(lines, text[start:])
}

// moves are the changes a repair made to one line, from left to right.
type moves []move

type move struct {
	col int // from this column of the repaired line on, columns from 0
	by  int // a character stands this much further right than in the file
}

// original returns the column, from 0, that a column of the repaired line had in the file.
func (m moves) original(col int) int {
	by := 0
	for _, s := range m {
		if s.col > col {
			break
		}
		by = s.by
	}
	return max(0, col-by)
}

// place is a piece of a policy file: n characters from line and col on, which count from 1. Line 0 stands for the file
// as a whole.
type place struct {
	src       *source
	line, col int
	n         int
}

// String returns file:line.
func (p place) String() string { return policy.Pos{File: p.src.name, Line: p.line}.String() }

// at returns the place of n characters of the parsed text.
func (s *source) at(line, col, n int) place {
	if i := line - 1; i >= 0 && i < len(s.moved) {
		m := s.moved[i]
		from := m.original(col - 1)
		return place{s, line, from + 1, m.original(col-1+n) - from}
	}
	return place{s, line, col, n}
}
