package falco

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// itemLine is the first line of an item, with its dash and its kind key; keyLine one that begins with another key.
var (
	itemLine = regexp.MustCompile(`^( *)-( *)(?:rule|macro|list|drop|filter|required_engine_version|required_plugin_versions):`)
	keyLine  = regexp.MustCompile(`^( *)([a-z_-]+):(?: |$)`)
	longText = regexp.MustCompile(`^ *(?:- )?(?:rule|drop|filter|desc|description|output): +`)
)

// repair returns lines as an author may have meant who never had them read by a YAML parser, where each character
// stood before, and how many lines differ. Lines keep their numbers.
func repair(lines []string) (repaired []string, moved []moves, changed int) {
	r := repairer{lines: lines, base: -1}
	repaired = make([]string, len(lines))
	moved = make([]moves, len(lines))
	for i, line := range lines {
		repaired[i], moved[i] = r.indent(strings.ReplaceAll(line, "\t", " "))
	}
	for i := range repaired {
		if !continued(repaired[i+1:], r.base) {
			repaired[i], moved[i] = quote(repaired[i], moved[i])
		}
		if repaired[i] != lines[i] {
			changed++
		}
	}
	return repaired, moved, changed
}

// repairer is the state of a repair between two lines.
type repairer struct {
	lines  []string
	base   int  // indentation of the items; -1 before the first
	inItem bool //
	block  int  // indentation of the key override or exceptions while in its value, else -1
}

// indent puts a line where it belongs.
func (r *repairer) indent(line string) (string, moves) {
	trimmed := strings.TrimLeft(line, " ")
	indent := len(line) - len(trimmed)
	if m := itemLine.FindStringSubmatch(line); m != nil {
		if r.base < 0 {
			r.base = len(m[1])
		}
		r.inItem, r.block = true, -1
		key := len(m[1]) + 1 + len(m[2])
		return spaces(r.base) + "- " + line[key:], moves{{r.base, r.base - len(m[1])}, {r.base + 2, r.base + 2 - key}}
	}
	switch {
	case trimmed == "" || trimmed[0] == '#':
		return line, nil
	case strings.HasPrefix(line, "---") || strings.HasPrefix(line, "..."):
		r.inItem = false
	}
	if !r.inItem {
		return line, nil
	}
	if r.block >= 0 && (indent > r.block || indent == r.block && trimmed[0] == '-') {
		return r.reindent(line, indent, r.base+4, indent < r.base+3)
	}
	r.block = -1
	if m := keyLine.FindStringSubmatch(line); m != nil && knownKeys[m[2]] && indent <= r.base+6 {
		if m[2] == "override" || m[2] == "exceptions" {
			r.block = indent
		}
		return r.reindent(line, indent, r.base+2, true)
	}
	return r.reindent(line, indent, r.base+4, indent < r.base+3)
}

// reindent changes the indentation of a line if wanted.
func (r *repairer) reindent(line string, from, to int, wanted bool) (string, moves) {
	if !wanted || from == to {
		return line, nil
	}
	return spaces(to) + line[from:], moves{{to, to - from}}
}

// continued says whether the line before rest goes on in it, as a scalar of several lines does.
func continued(rest []string, base int) bool {
	for _, line := range rest {
		trimmed := strings.TrimLeft(line, " ")
		if trimmed == "" {
			continue
		}
		return trimmed[0] != '#' && len(line)-len(trimmed) > base+2
	}
	return false
}

// quote puts the value of a text key into quotes if YAML would read a mapping in it.
func quote(line string, m moves) (string, moves) {
	at := len(longText.FindString(line))
	if at == 0 {
		return line, m
	}
	value, comment := line[at:], ""
	if i := strings.Index(value, " #"); i >= 0 {
		value, comment = value[:i], value[i:]
	}
	value = strings.TrimRight(value, " ")
	if value == "" || strings.ContainsRune("'\"|>[{&*!#%@`", rune(value[0])) ||
		!strings.Contains(value, ": ") && !strings.HasSuffix(value, ":") {
		return line, m
	}
	by := 0
	if len(m) > 0 {
		by = m[len(m)-1].by
	}
	var b strings.Builder
	b.WriteString(line[:at] + "'")
	col := utf8.RuneCountInString(line[:at]) + 1
	m = append(m, move{col, by + 1})
	by++
	for _, c := range value {
		b.WriteRune(c)
		if col++; c == '\'' {
			b.WriteRune(c)
			col++
			by++
			m = append(m, move{col, by})
		}
	}
	return b.String() + "'" + comment, m
}

func spaces(n int) string { return strings.Repeat(" ", n) }
