package sysflow

import (
	"os"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
)

// trace is a file to read.
type trace struct {
	path    string
	size    int64 // 0 if not known
	pipe    bool  // a named pipe
	fromDir bool  // found in a directory
}

// list returns the traces of a directory in the order in which they were written, and the names of the other entries.
func list(dir string) (traces []trace, skipped []string, err error) {
	paths, skipped, err := codec.List(dir)
	for _, path := range paths {
		t := trace{path: path, fromDir: true}
		if info, err := os.Stat(path); err == nil { // if not, opening it will say why
			t.size = info.Size()
		}
		traces = append(traces, t)
	}
	return traces, skipped, err
}
