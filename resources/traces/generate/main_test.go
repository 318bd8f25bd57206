package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const shell = "../scenarios/webshell.yaml"

// call runs the command and returns its exit code and what it said.
func call(args ...string) (int, string) {
	var stderr bytes.Buffer
	code := run(args, &stderr)
	return code, stderr.String()
}

func TestGenerateAndCheck(t *testing.T) {
	dir := t.TempDir()
	if code, said := call("-out", dir, "../scenarios"); code != 0 || said != "" {
		t.Fatalf("exit %d: %s", code, said)
	}
	made, err := filepath.Glob(dir + "/*")
	if err != nil || len(made) < 7 {
		t.Fatalf("made %v, %v", made, err)
	}
	for _, path := range made {
		have, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		shipped, err := os.ReadFile(filepath.Join("..", filepath.Base(path)))
		if err != nil || !bytes.Equal(have, shipped) {
			t.Errorf("%s is not what is shipped: %v", path, err)
		}
	}
	if code, said := call("-check", "-out", dir, "../scenarios"); code != 0 {
		t.Errorf("check: exit %d: %s", code, said)
	}
	if err := os.WriteFile(filepath.Join(dir, "tcp.sf"), []byte("Obj"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, said := call("-check", "-out", dir, "../scenarios"); code != 1 || !strings.Contains(said, "tcp.sf is not what its scenario gives") {
		t.Errorf("check of a changed trace: exit %d: %s", code, said)
	}
}

func TestOneTrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.sf")
	if code, said := call("-o", path, "-schema", "S2", "-codec", "null", "-seed", "7", shell); code != 0 {
		t.Fatalf("exit %d: %s", code, said)
	}
	have, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(have, []byte("null")) || bytes.Contains(have, []byte("cwd")) {
		t.Errorf("%v, %d bytes", err, len(have))
	}
	small, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if code, said := call("-o", path, "-bench", "9000", "../scenarios/database.yaml"); code != 0 {
		t.Fatalf("exit %d: %s", code, said)
	}
	if large, err := os.Stat(path); err != nil || large.Size() < 2*small.Size() || large.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", large, err)
	}
}

func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(bad, []byte("abuot: x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"flag":         {[]string{"-x"}, 2, "usage: generate"},
		"no file":      {[]string{"none.yaml"}, 1, "none.yaml"},
		"no scenario":  {[]string{"."}, 1, "no scenario (*.yaml) in ."},
		"scenario":     {[]string{"-out", dir, bad}, 1, `unknown key "abuot": did you mean "about"?`},
		"two into one": {[]string{"-o", dir + "/x", shell, shell}, 1, "-o takes one scenario, have 2"},
		"directory":    {[]string{"-out", dir + "/none", shell}, 1, "none"},
		"no mix":       {[]string{"-out", dir, "-bench", "5", shell}, 1, "it has no mix"},
		"missing":      {[]string{"-check", "-out", dir, shell}, 1, "webshell.sf"},
	} {
		t.Run(name, func(t *testing.T) {
			if code, said := call(tt.args...); code != tt.code || !strings.Contains(said, tt.want) {
				t.Errorf("exit %d: %s\nwant exit %d: %s", code, said, tt.code, tt.want)
			}
		})
	}
	if left, err := filepath.Glob(dir + "/.trace-*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
