package codec

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
)

// List returns the paths of the traces in a directory, in the order in which they were written as far as their names tell
// it, and the names of the other entries. It does not enter directories. A file that cannot be opened is returned as a
// trace: opening it again will say why.
func List(dir string) (traces, skipped []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("read directory: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path) // follows links
		if err != nil || !info.Mode().IsRegular() || strings.HasPrefix(e.Name(), ".") || !mayBeTrace(path) {
			skipped = append(skipped, e.Name())
			continue
		}
		traces = append(traces, path)
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
	return err == nil && IsTrace(head[:n])
}

// epoch finds the second at which a collector created a file, in its name.
var epoch = regexp.MustCompile(`(\d+)(\.sf)?$`)

// sortTraces orders traces by the times in their names, if all have one, else byte-wise by name.
func sortTraces(paths []string) {
	times := make(map[string]uint64, len(paths))
	for _, path := range paths {
		m := epoch.FindStringSubmatch(filepath.Base(path))
		if m == nil {
			break
		}
		n, err := strconv.ParseUint(m[1], 10, 64)
		if err != nil {
			break
		}
		times[path] = n
	}
	slices.SortFunc(paths, func(a, b string) int {
		if len(times) == len(paths) {
			if c := cmp.Compare(times[a], times[b]); c != 0 {
				return c
			}
		}
		return cmp.Compare(a, b)
	})
}
