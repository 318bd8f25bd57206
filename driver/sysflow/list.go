package sysflow

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

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
// A file that cannot be opened is returned as a trace: opening it again will say why.
func list(dir string) (traces []trace, skipped []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("read directory: %w", err)
	}
	for _, e := range entries {
		t := trace{path: filepath.Join(dir, e.Name()), fromDir: true}
		info, err := os.Stat(t.path) // follows links
		if err != nil || !info.Mode().IsRegular() || strings.HasPrefix(e.Name(), ".") || !mayBeTrace(t.path) {
			skipped = append(skipped, e.Name())
			continue
		}
		t.size = info.Size()
		traces = append(traces, t)
	}
	sortTraces(traces)
	return traces, skipped, nil
}

// mayBeTrace says whether a file begins like a trace, or cannot be looked at.
func mayBeTrace(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return true
	}
	defer f.Close()
	var head [4]byte
	n, err := io.ReadFull(f, head[:])
	return err == nil && codec.IsTrace(head[:n])
}

// epoch finds the second at which a collector created a file, in its name.
var epoch = regexp.MustCompile(`(\d+)(\.sf)?$`)

// sortTraces orders traces by the times in their names, if all have one, else byte-wise by name.
func sortTraces(traces []trace) {
	times := make(map[string]uint64, len(traces))
	for _, t := range traces {
		m := epoch.FindStringSubmatch(filepath.Base(t.path))
		if m == nil {
			break
		}
		n, err := strconv.ParseUint(m[1], 10, 64)
		if err != nil {
			break
		}
		times[t.path] = n
	}
	slices.SortFunc(traces, func(a, b trace) int {
		if len(times) == len(traces) {
			if c := cmp.Compare(times[a.path], times[b.path]); c != 0 {
				return c
			}
		}
		return cmp.Compare(a.path, b.path)
	})
}
