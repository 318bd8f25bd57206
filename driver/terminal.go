package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// showStatus shows the status on standard error if that is a terminal. If standard output is one as well, what writes
// records there has to know.
func (p *program) showStatus() {
	if !isTerminal(p.stderr) {
		return
	}
	p.sink.ShowStatus()
	if isTerminal(p.stdout) {
		p.stdout = p.sink.Records()
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
