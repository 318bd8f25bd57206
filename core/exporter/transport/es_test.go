package transport

import (
	"strings"
	"testing"
)

func TestIndexNames(t *testing.T) {
	for name, legal := range map[string]bool{
		"sysflow": true, "sysflow-2026.01.02": true, ".hidden": true, "": true, strings.Repeat("x", 255): true,
		strings.Repeat("x", 256): false, ".": false, "..": false, "-x": false, "_x": false, "+x": false, "Sysflow": false,
		"a b": false, "a,b": false, "a*": false, "a?": false, `a"b`: false, "a<b": false, "a|b": false, "a/b": false,
		`a\b`: false, "a#b": false, "a:b": false,
	} {
		if err := checkIndex(name); (err == nil) != legal {
			t.Errorf("%q: %v, want legal %v", name, err, legal)
		}
	}
}
