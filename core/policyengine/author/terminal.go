package author

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"
)

// terminal reads lines that the user edits. The terminal is in raw mode only while a line is read, so that a key can
// interrupt what the line asks for.
type terminal struct {
	editor *term.Terminal
	raw    func() (restore func() error, err error)
}

// newTerminal returns a terminal that completes words, which are sorted.
func newTerminal(in, out *os.File, words []string) *terminal {
	t := newEditor(struct {
		io.Reader
		io.Writer
	}{in, out}, words)
	t.raw = func() (func() error, error) {
		old, err := term.MakeRaw(int(in.Fd()))
		if err != nil {
			return nil, err
		}
		if width, height, err := term.GetSize(int(out.Fd())); err == nil && width > 0 {
			err = t.editor.SetSize(width, height)
			if err != nil {
				return nil, fmt.Errorf("draw the line: %w", err)
			}
		}
		return func() error { return term.Restore(int(in.Fd()), old) }, nil
	}
	return t
}

// newEditor returns a terminal that is what keys are read from, and nothing that has modes.
func newEditor(keys io.ReadWriter, words []string) *terminal {
	t := &terminal{editor: term.NewTerminal(keys, "> "), raw: func() (func() error, error) { return func() error { return nil }, nil }}
	t.editor.AutoCompleteCallback = func(line string, pos int, key rune) (string, int, bool) {
		if key != '\t' {
			return "", 0, false
		}
		line, pos, several := complete(line, pos, words)
		if len(several) > 0 {
			fmt.Fprintln(t.editor, strings.Join(several, "  ")) // an error comes back from ReadLine
		}
		return line, pos, true
	}
	return t
}

// next returns the next line, or io.EOF.
func (t *terminal) next() (line string, err error) {
	restore, err := t.raw()
	if err != nil {
		return "", err
	}
	line, err = t.editor.ReadLine()
	if e := restore(); err == nil {
		err = e
	}
	return line, err
}

// maxSeveral is how many words are shown to choose from.
const maxSeveral = 50

// complete completes the word before a position in a line, as far as the words that begin with it agree. If that adds
// nothing it returns those words, unless there are too many to choose from.
func complete(line string, pos int, words []string) (newLine string, newPos int, several []string) {
	start := pos
	for start > 0 && isWord(line[start-1]) {
		start--
	}
	word := line[start:pos]
	if word == "" {
		return line, pos, nil
	}
	first, _ := slices.BinarySearch(words, word)
	last := first
	for last < len(words) && strings.HasPrefix(words[last], word) {
		last++
	}
	candidates := words[first:last]
	if len(candidates) == 0 {
		return line, pos, nil
	}
	added := candidates[0]
	if len(candidates) > 1 {
		added = commonPrefix(candidates[0], candidates[len(candidates)-1]) // of sorted words, of all
	} else if pos == len(line) {
		added += " "
	}
	if added == word && len(candidates) <= maxSeveral {
		several = candidates
	}
	return line[:start] + added + line[pos:], start + len(added), several
}

// isWord says whether a character may be part of a name or a command.
func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("_.-:", c) >= 0
}

func commonPrefix(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return a[:n]
}
