package falco

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v3"
)

// documents parses a policy file. If it is not YAML, it is repaired and parsed again; if that does not help, the first
// fault is reported.
func (l *loader) documents(src *source) ([]*yaml.Node, bool) {
	for i, line := range src.lines {
		if !utf8.ValidString(line) {
			col := 1 + utf8.RuneCountInString(line[:invalidUTF8(line)])
			l.report("E103", place{src, i + 1, col, 1}, "not valid YAML: not UTF-8")
			return nil, false
		}
	}
	docs, err := parseYAML(src.lines)
	if err == nil {
		return docs, true
	}
	line, col := locate(src.lines, err)
	at := place{src, line, col, 1}
	repaired, moved, n := repair(src.lines)
	if docs, err := parseYAML(repaired); err == nil {
		src.parsed, src.moved = repaired, moved
		l.report("W121", at, "not well-formed YAML; repaired %d lines", n)
		return docs, true
	}
	l.report("E103", at, "not valid YAML: %s", detail(err))
	return nil, false
}

// invalidUTF8 returns the index of the first byte that is not UTF-8.
func invalidUTF8(s string) int {
	for i, c := range s {
		if c == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd") {
			return i
		}
	}
	return len(s)
}

// parseYAML returns the documents of a file.
func parseYAML(lines []string) (docs []*yaml.Node, err error) {
	dec := yaml.NewDecoder(strings.NewReader(strings.Join(lines, "\n")))
	for {
		doc := new(yaml.Node)
		err := dec.Decode(doc)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
}

// detail returns the library's message without its prefix and line, which is often that of the enclosing collection.
func detail(err error) string {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	var line int
	if n, _ := fmt.Sscanf(msg, "line %d:", &line); n == 1 {
		_, msg, _ = strings.Cut(msg, ": ")
	}
	return msg
}

// locate returns the place where err arises when lines are parsed. The library gives the line of the enclosing
// collection or none at all, so the shortest beginning of the text that fails in the same way is looked for.
func locate(lines []string, err error) (line, col int) {
	fails := func(lines []string) bool {
		_, e := parseYAML(lines)
		return e != nil && e.Error() == err.Error()
	}
	i := sort.Search(len(lines)-1, func(i int) bool { return fails(lines[:i+1]) })
	head := slices.Clip(lines[:i])
	last := []rune(lines[i])
	j := sort.Search(len(last), func(j int) bool { return fails(append(head, string(last[:j]))) })
	return i + 1, max(1, j)
}
