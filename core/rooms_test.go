// Package core_test holds the tests on the structure of the program as a whole.
package core_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/sysflow-telemetry/sf-processor/"

// rooms are the packages from top to bottom, with everything below them: a room imports only itself and rooms after
// it. Those in one line are of the same height and do not know each other.
var rooms = [][]string{
	{"driver"},
	{"driver/sysflow"},
	{"core/pipeline"},
	{"core/exporter"},
	{"core/policyengine"},
	{"core/flattener"},
	{"core/reader"},
	{"core/entity"},
	{"core/field"},
	{"core/codec"},
	{"core/config"},
	{"core/plugins", "core/logger"},
	{"core/sfgo"},
}

// TestImportsPointDown holds the program to the order of its rooms.
func TestImportsPointDown(t *testing.T) {
	for file, imports := range sources(t, false) {
		from, ok := floor(filepath.ToSlash(filepath.Dir(file)))
		if !ok {
			continue
		}
		for _, imp := range imports {
			to, ok := floor(strings.TrimPrefix(imp, module))
			if !strings.HasPrefix(imp, module) || !ok {
				continue
			}
			if to < from {
				t.Errorf("%s imports %s, which is above it", file, imp)
			}
		}
	}
}

// TestOneTourPerPackage wants exactly one package comment in each directory.
func TestOneTourPerPackage(t *testing.T) {
	tours := map[string]int{}
	for file := range sources(t, true) {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", file), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Dir(file)
		tours[dir] += 0
		if f.Doc != nil {
			tours[dir]++
		}
	}
	for dir, n := range tours {
		if n != 1 {
			t.Errorf("%s: %d package comments, want 1", dir, n)
		}
	}
}

// floor returns the height of the room that a directory belongs to, counted from the top.
func floor(dir string) (int, bool) {
	height, longest := 0, -1
	for i, names := range rooms {
		for _, name := range names {
			if (dir == name || strings.HasPrefix(dir, name+"/")) && len(name) > longest {
				height, longest = i, len(name)
			}
		}
	}
	return height, longest >= 0
}

// sources returns the Go files of the module, without tests, and what each imports.
func sources(t *testing.T, skipGenerated bool) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		if skipGenerated && strings.Contains(path, "/internal/gen/") && !strings.HasSuffix(path, "doc.go") {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, src, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel("..", path)
		if err != nil {
			return err
		}
		files[rel] = nil
		for _, imp := range f.Imports {
			name, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			files[rel] = append(files[rel], name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
