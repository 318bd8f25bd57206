package falco

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// write makes files with their directories.
func write(t *testing.T, dir string, files ...string) {
	t.Helper()
	for _, name := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("- drop: "+name+"\n  condition: sf.type = PE\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFilesInLoadOrder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "z.yaml", "b.yaml", "a.yml", "B.YAML", "sub/z.yaml", "sub/deep/a.yml", "sub.yaml", "note.txt", "yaml",
		".hidden.yaml", ".dots/x.yaml", "c/.more/y.yaml", "é.yaml")
	elsewhere := t.TempDir()
	write(t, elsewhere, "target.txt", "x.yaml")
	for link, target := range map[string]string{"link.yaml": "target.txt", "linked": ".", "dir.yaml": "."} {
		if err := os.Symlink(filepath.Join(elsewhere, target), filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	want := "B.YAML a.yml b.yaml link.yaml sub/deep/a.yml sub/z.yaml sub.yaml z.yaml é.yaml"
	for _, path := range []string{dir, dir + "/"} {
		files, err := Files(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range files {
			files[i], _ = filepath.Rel(dir, f)
		}
		if got := strings.Join(files, " "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestConfigMap mounts policies as Kubernetes does: each file behind two symbolic links, and once more in a directory
// whose name begins with dots.
func TestConfigMap(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "..2026_11_21/rules.yaml")
	for link, target := range map[string]string{"..data": "..2026_11_21", "rules.yaml": "..data/rules.yaml"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Files(dir)
	if want := []string{filepath.Join(dir, "rules.yaml")}; err != nil || !slices.Equal(files, want) {
		t.Errorf("got %v, %v; want %v", files, err, want)
	}
	linked := filepath.Join(t.TempDir(), "policies")
	if err := os.Symlink(dir, linked); err != nil {
		t.Fatal(err)
	}
	files, err = Files(linked)
	if want := []string{filepath.Join(linked, "rules.yaml")}; err != nil || !slices.Equal(files, want) {
		t.Errorf("the directory itself behind a link: got %v, %v; want %v", files, err, want)
	}
}

func TestLoadReportsFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "empty/x.txt", "good/a.yaml", "bad/a.yaml")
	if err := os.Symlink("nowhere", filepath.Join(dir, "bad/b.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "bad/c.yml"), 0o644); err != nil {
		t.Fatal(err)
	}
	big, err := os.Create(filepath.Join(dir, "bad/d.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := big.Truncate(maxFileSize + 1); err != nil {
		t.Fatal(err)
	}
	if err := big.Close(); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"empty":       "empty: error: no policy files (*.yaml, *.yml) under 'empty' [E102]",
		"empty/x.txt": "empty/x.txt: error: no policy files (*.yaml, *.yml) under 'empty/x.txt' [E102]",
		"missing":     "missing: error: cannot read policy file: no such file or directory [E101]",
		"bad": "bad/b.yaml: error: cannot read policy file: no such file or directory [E101]\n" +
			"bad/c.yml: error: cannot read policy file: not a regular file [E101]\n" +
			"bad/d.yml: error: cannot read policy file: larger than 16 MiB [E101]",
		"good": "",
	} {
		t.Chdir(dir)
		p, ds := Load(path, Options{Catalogue: catalogue})
		var got []string
		for _, d := range ds {
			got = append(got, d.Error())
		}
		if strings.Join(got, "\n") != want || (p == nil) != (want != "") {
			t.Errorf("%s: got %s", path, strings.Join(got, "\n"))
		}
	}
}

// TestLoadAll wants what several paths hold to be one set, in the order of the paths.
func TestLoadAll(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "b.yaml", "a/y.yaml", "a/x.yaml")
	p, ds := LoadAll([]string{dir + "/b.yaml", dir + "/a"}, Options{Catalogue: catalogue})
	if p == nil {
		t.Fatal(ds)
	}
	var got []string
	for _, d := range p.Drops {
		got = append(got, d.Name)
	}
	if want := []string{"b.yaml", "a/x.yaml", "a/y.yaml"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, ds := LoadAll([]string{dir + "/b.yaml", dir + "/none.yaml"}, Options{Catalogue: catalogue}); len(ds) != 1 || ds[0].Code != "E101" {
		t.Errorf("a missing path: %v", ds)
	}
}
