// Package suggest finds the names that somebody who mistyped one may have meant.
//
// Start reading at [Names].
package suggest

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// maxLen bounds what is compared: nobody types a longer name, and the work grows with the square of the length.
const maxLen = 128

// Names returns the names of known that are closest to name: at most max of them, all at the same, smallest distance,
// in the order of known. A name is close if [Distance] is at most one more than a quarter of the length of name, or if
// its last component, the text after the last dot, is the same. Upper and lower case count as equal. A name that known
// yields twice is returned once.
func Names(name string, known iter.Seq[string], max int) []string {
	if name == "" || len(name) > maxLen {
		return nil
	}
	type candidate struct {
		name string
		dist int
	}
	var near []candidate
	lower := strings.ToLower(name)
	for k := range known {
		if len(k) > maxLen {
			continue
		}
		l := strings.ToLower(k)
		d := Distance(lower, l)
		if d <= 1+len(name)/4 || sameLast(lower, l) {
			near = append(near, candidate{k, d})
		}
	}
	if len(near) == 0 {
		return nil
	}
	best := slices.MinFunc(near, func(a, b candidate) int { return cmp.Compare(a.dist, b.dist) }).dist
	var out []string
	for _, c := range near {
		if c.dist == best && len(out) < max && !slices.Contains(out, c.name) {
			out = append(out, c.name)
		}
	}
	return out
}

// sameLast says whether both names have dots and the same text after the last one.
func sameLast(a, b string) bool {
	i, j := strings.LastIndexByte(a, '.'), strings.LastIndexByte(b, '.')
	return i >= 0 && j >= 0 && a[i:] == b[j:]
}

// Distance is the Damerau-Levenshtein distance in its restricted form: how many insertions, deletions, replacements and
// swaps of neighbouring bytes turn a into b, no byte being touched twice.
func Distance(a, b string) int {
	// Three rows of the matrix are enough: a swap looks two rows back.
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}
