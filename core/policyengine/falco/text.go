package falco

import (
	"sort"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v3"
)

// text is a decoded scalar that knows where in the files its characters stand.
type text struct {
	s    string
	runs []run // sorted by off; the first begins at 0
}

// run is a piece of a text whose characters stand in a row on one line.
type run struct {
	off       int // in the text
	src       *source
	line, col int // from 1, in the parsed text
	width     int // characters of the escape sequence that the run stands for; 0: the run stands for itself
}

// end returns the column after the first n characters of the run.
func (r run) end(n int) int {
	if r.width > 0 {
		return r.col + r.width
	}
	return r.col + n
}

// place returns the place of s[start:end]. If the piece goes over several lines, it is that of its first line.
func (t text) place(start, end int) place {
	first := t.run(start)
	line, col := first.line, first.col+utf8.RuneCountInString(t.s[first.off:start])
	if end <= start {
		return first.src.at(line, col, 1)
	}
	last := t.run(end - 1)
	if last.src != first.src || last.line != line {
		rest := utf8.RuneCountInString(first.src.parsed[line-1]) - (col - 1)
		return first.src.at(line, col, max(1, rest))
	}
	return first.src.at(line, col, max(1, last.end(utf8.RuneCountInString(t.s[last.off:end]))-col))
}

// all returns the place of the text.
func (t text) all() place { return t.place(0, len(t.s)) }

// run returns the run that holds the byte at off.
func (t text) run(off int) run {
	i := sort.Search(len(t.runs), func(i int) bool { return t.runs[i].off > off })
	return t.runs[max(0, i-1)]
}

// cut returns t.s[start:end].
func (t text) cut(start, end int) text {
	c := text{s: t.s[start:end]}
	for _, r := range t.runs {
		switch {
		case r.off >= end:
		case r.off > start:
			r.off -= start
			c.runs = append(c.runs, r)
		default: // only the last of these counts
			p := t.run(start)
			if p.off == r.off {
				if p.width == 0 {
					p.col += utf8.RuneCountInString(t.s[p.off:start])
				}
				p.off = 0
				c.runs = append(c.runs, p)
			}
		}
	}
	return c
}

// join returns old text, a blank, more text.
func join(t, more text) text {
	joined := text{s: t.s + " " + more.s, runs: append([]run(nil), t.runs...)}
	for _, r := range more.runs {
		r.off += len(t.s) + 1
		joined.runs = append(joined.runs, r)
	}
	return joined
}

// scalarText returns the text of a scalar node. The YAML library tells only where the node begins, so the scalar is
// read a second time from there. Where that does not give the library's text (the rare line ends of YAML 1.1, for
// example), everything stands at the beginning.
func scalarText(src *source, n *yaml.Node) text {
	w := walker{src: src, line: n.Line - 1, col: n.Column - 1, want: n.Value}
	w.properties()
	begin := run{src: src, line: w.line + 1, col: w.col + 1}
	var ok bool
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		ok = w.block(n.Style&yaml.FoldedStyle != 0)
	case n.Style&yaml.DoubleQuotedStyle != 0:
		ok = w.quoted('"')
	case n.Style&yaml.SingleQuotedStyle != 0:
		ok = w.quoted('\'')
	default:
		ok = w.plain()
	}
	if !ok || len(w.runs) == 0 {
		return text{n.Value, []run{begin}}
	}
	w.runs[0].off = 0
	return text{n.Value, w.runs}
}

// walker reads a scalar and notes where the characters of its decoded text, which is known, come from.
type walker struct {
	src       *source
	line, col int // the next character, from 0; col in characters
	rest      string
	want      string // the decoded text
	off       int    // how much of it was found
	runs      []run
	open      bool // the last run goes on
}

// load reads the line the walker is at, from its column on.
func (w *walker) load() bool {
	if w.line >= len(w.src.parsed) {
		return false
	}
	w.rest = w.src.parsed[w.line]
	for range w.col {
		_, n := utf8.DecodeRuneInString(w.rest)
		w.rest = w.rest[n:]
	}
	return true
}

// next goes to the beginning of the next line.
func (w *walker) next() bool {
	w.line++
	w.col = 0
	w.open = false
	return w.load()
}

// skip passes over n bytes of one character each.
func (w *walker) skip(n int) {
	w.col += utf8.RuneCountInString(w.rest[:n])
	w.rest = w.rest[n:]
	w.open = false
}

// emit notes that the next size bytes of the file stand for decoded: the same text, or one character or less.
func (w *walker) emit(size int, decoded string) bool {
	if !strings.HasPrefix(w.want[w.off:], decoded) {
		return false
	}
	verbatim := w.rest[:size] == decoded
	if !w.open || !verbatim {
		r := run{off: w.off, src: w.src, line: w.line + 1, col: w.col + 1}
		if !verbatim {
			r.width = utf8.RuneCountInString(w.rest[:size])
		}
		w.runs = append(w.runs, r)
	}
	w.off += len(decoded)
	w.skip(size)
	w.open = verbatim
	return true
}

// verbatim notes the next n bytes, or what is left of the decoded text if that is less: they stand for themselves.
func (w *walker) verbatim(n int) bool {
	n = min(n, len(w.want)-w.off)
	return n > 0 && w.emit(n, w.rest[:n])
}

// solid returns the length of what the line holds before the blanks at its end.
func (w *walker) solid() int { return len(strings.TrimRight(w.rest, " \t")) }

// blanks passes over blanks and tabs.
func (w *walker) blanks() {
	w.skip(len(w.rest) - len(strings.TrimLeft(w.rest, " \t")))
}

// properties passes over the anchor and the tag of a node, which its position includes.
func (w *walker) properties() {
	for w.load() {
		w.blanks()
		switch {
		case w.rest == "" || strings.HasPrefix(w.rest, "#"):
			if w.line+1 >= len(w.src.parsed) {
				return
			}
			w.next()
		case w.rest[0] == '&' || w.rest[0] == '!':
			end := strings.IndexAny(w.rest, " \t")
			if end < 0 {
				end = len(w.rest)
			}
			w.skip(end)
		default:
			return
		}
	}
}

// plain reads a plain scalar.
func (w *walker) plain() bool {
	for w.off < len(w.want) {
		if n := w.solid(); n == 0 {
			if !w.fold() {
				return false
			}
		} else if !w.verbatim(n) {
			return false
		}
	}
	return true
}

// quoted reads a quoted scalar.
func (w *walker) quoted(quote byte) bool {
	if w.rest == "" || w.rest[0] != quote {
		return false
	}
	w.skip(1)
	special := `'`
	if quote == '"' {
		special = `"\`
	}
	for {
		n := w.solid()
		switch {
		case n == 0:
			if !w.fold() {
				return false
			}
		case w.rest[0] == '\'' && quote == '\'':
			if !strings.HasPrefix(w.rest, "''") {
				return w.off == len(w.want)
			}
			if !w.emit(2, "'") {
				return false
			}
		case w.rest[0] == '"' && quote == '"':
			return w.off == len(w.want)
		case w.rest[0] == '\\' && quote == '"':
			if !w.escape() {
				return false
			}
		default:
			if i := strings.IndexAny(w.rest[:n], special); i >= 0 {
				n = i
			}
			if !w.verbatim(n) {
				return false
			}
		}
	}
}

// escape reads an escape sequence of a double-quoted scalar. What it stands for is taken from the decoded text: one
// character, whichever.
func (w *walker) escape() bool {
	if len(w.rest) == 1 { // an escaped line end
		if !w.next() {
			return false
		}
		for strings.Trim(w.rest, " \t") == "" {
			if !w.emit(0, "\n") || !w.next() {
				return false
			}
		}
		w.blanks()
		return true
	}
	size := 2
	switch w.rest[1] {
	case 'x':
		size = 4
	case 'u':
		size = 6
	case 'U':
		size = 10
	default:
		_, n := utf8.DecodeRuneInString(w.rest[1:])
		size = 1 + n
	}
	_, n := utf8.DecodeRuneInString(w.want[w.off:])
	return size <= len(w.rest) && w.emit(size, w.want[w.off:w.off+n])
}

// fold reads a line end in a plain or quoted scalar with the blanks around it: it is a blank, or as many line ends as
// there are empty lines after it.
func (w *walker) fold() bool {
	end := len(strings.TrimRight(w.src.parsed[w.line], " \t"))
	at := run{off: w.off, src: w.src, line: w.line + 1, col: 1 + utf8.RuneCountInString(w.src.parsed[w.line][:end])}
	empty := 0
	for {
		if !w.next() {
			return false
		}
		if strings.Trim(w.rest, " \t") != "" {
			break
		}
		empty++
	}
	w.blanks()
	decoded := " "
	if empty > 0 {
		decoded = strings.Repeat("\n", empty)
	}
	if !strings.HasPrefix(w.want[w.off:], decoded) {
		return false
	}
	w.runs = append(w.runs, at)
	w.off += len(decoded)
	return true
}

// block reads a literal or folded scalar.
func (w *walker) block(folded bool) bool {
	if !w.next() {
		return false
	}
	indent, ok := w.indentation()
	if !ok {
		return w.want == ""
	}
	previous := "" // the last line that was not empty
	empty := 0     // lines since
	for w.off < len(w.want) {
		line := w.rest
		if len(line) <= indent && strings.Trim(line, " ") == "" {
			empty++
			if !w.next() {
				break
			}
			continue
		}
		if len(line) < indent || strings.Trim(line[:indent], " ") != "" {
			break // the end of the scalar
		}
		w.skip(indent)
		if !w.breaks(folded, previous, w.rest, empty) {
			return false
		}
		previous, empty = w.rest, 0
		if w.rest != "" && w.off < len(w.want) && !w.verbatim(len(w.rest)) {
			return false
		}
		if !w.next() {
			break
		}
	}
	// What is left are the line ends that chomping keeps.
	return strings.Trim(w.want[w.off:], "\n") == ""
}

// indentation returns the number of blanks that begin every line of a block scalar.
func (w *walker) indentation() (int, bool) {
	first := strings.TrimLeft(w.want, "\n")
	for _, line := range w.src.parsed[w.line:] {
		if trimmed := strings.TrimLeft(line, " "); trimmed != "" {
			own := len(first) - len(strings.TrimLeft(first, " "))
			return len(line) - len(trimmed) - own, true
		}
	}
	return 0, false
}

// breaks notes the line ends between two lines of a block scalar that are not empty.
func (w *walker) breaks(folded bool, previous, next string, empty int) bool {
	decoded := strings.Repeat("\n", empty)
	if previous != "" {
		switch {
		case !folded || isBlank(previous[0]) || isBlank(next[0]):
			decoded += "\n"
		case empty == 0:
			decoded = " "
		}
	}
	if !strings.HasPrefix(w.want[w.off:], decoded) {
		return false
	}
	if decoded != "" {
		w.runs = append(w.runs, run{off: w.off, src: w.src, line: w.line + 1, col: w.col + 1})
		w.off += len(decoded)
	}
	return true
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
