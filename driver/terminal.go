package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// watchable says whether somebody watches standard error on a terminal that no records are written to.
func watchable(stdout, stderr io.Writer) bool {
	return isTerminal(stderr) && !isTerminal(stdout)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
