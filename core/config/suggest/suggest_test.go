package suggest

import (
	"slices"
	"testing"
)

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"name", "name", 0},
		{"nmae", "name", 1},      // swap
		{"nam", "name", 1},       // insertion
		{"namee", "name", 1},     // deletion
		{"nime", "name", 1},      // replacement
		{"ca", "abc", 3},         // the restricted form touches no byte twice
		{"rul", "rule", 1},       //
		{"kitten", "sitting", 3}, //
	} {
		if got := Distance(tt.a, tt.b); got != tt.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestNames(t *testing.T) {
	known := []string{"sf.proc.name", "sf.pproc.name", "sf.proc.aname", "sf.file.name", "sf.ts", "queue.size", "queue.full"}
	for name, tt := range map[string]struct {
		given string
		max   int
		want  []string
	}{
		"swap":                         {"sf.proc.nmae", 3, []string{"sf.proc.name"}},
		"component":                    {"sf.process.name", 3, []string{"sf.proc.name"}},
		"only the last component fits": {"k8s_pod.name", 3, []string{"sf.proc.name", "sf.pproc.name"}},
		"several at one distance":      {"sf.fproc.name", 3, []string{"sf.proc.name", "sf.pproc.name"}},
		"at most max":                  {"sf.fproc.name", 1, []string{"sf.proc.name"}},
		"case":                         {"SF.Proc.Name", 3, []string{"sf.proc.name"}},
		"short":                        {"qs", 3, nil},
		"nothing near":                 {"colour", 3, nil},
		"empty":                        {"", 3, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Names(tt.given, slices.Values(known), tt.max); !slices.Equal(got, tt.want) {
				t.Errorf("Names(%q) = %q, want %q", tt.given, got, tt.want)
			}
		})
	}
	if got := Names("nam", slices.Values([]string{"name", "name"}), 3); !slices.Equal(got, []string{"name"}) {
		t.Errorf("a name known twice is suggested as %q", got)
	}
}

func FuzzDistance(f *testing.F) {
	f.Add("sf.proc.nmae", "sf.proc.name")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > maxLen || len(b) > maxLen {
			return
		}
		d := Distance(a, b)
		if d != Distance(b, a) {
			t.Errorf("the distance of %q and %q depends on their order", a, b)
		}
		if (d == 0) != (a == b) || d > max(len(a), len(b)) || d < max(len(a)-len(b), len(b)-len(a)) {
			t.Errorf("Distance(%q, %q) = %d", a, b, d)
		}
	})
}
