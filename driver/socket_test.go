package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// fromSocket is the pipeline toFile with a driver entry for a socket.
func fromSocket(path string) string {
	return strings.Replace(toFile, "{", fmt.Sprintf(`{"drivers": [{"driver": "socket", "path": %q, "socket.mode": "0600"}], `, path), 1)
}

// lines returns the lines of a file.
func lines(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(strings.Lines(string(data)))
}

// TestSocket lets two collectors send a trace each, and stops the program: the records are those of the files.
func TestSocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "run", "s")
	rules := map[string]string{"rules.yaml": allRecords}
	p := start(t, fromSocket(socket), rules)
	p.await("listening for collectors")
	cmd := exec.Command("go", "run", "../resources/traces/send", "-connections", "2", socket, ourTrace(t, "webshell.sf"))
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), " on 2 connections, left out 0") {
		t.Fatalf("the sender: %v\n%s", err, out)
	}
	p.await("input stream ended")
	p.await("input stream ended")
	p.signal(syscall.SIGTERM)
	p.end(0)
	for _, line := range []string{"Successfully accepted new input stream", "Successfully read first record from input stream"} {
		re := regexp.MustCompile(`(?m)^\[Health\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d socket\.go:\d+: ` + line)
		if n := len(re.FindAllString(p.seen.String(), -1)); n != 2 {
			t.Errorf("the log has %d lines %q, want 2\n%s", n, line, p.seen.String())
		}
	}
	if _, err := os.Lstat(socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}

	out := filepath.Join(t.TempDir(), "out.json")
	if _, stderr, code := sfprocessor(t, strings.Replace(toFile, "out.json", out, 1), rules, ourTrace(t, "webshell.sf")); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	once := lines(t, out)
	want := slices.Concat(once, once)
	slices.Sort(want)
	have := lines(t, filepath.Join(p.cmd.Dir, "out.json"))
	slices.Sort(have)
	if len(once) < 10 || !slices.Equal(have, want) {
		t.Errorf("the socket gave %d lines, the file %d, want twice as many of the same", len(have), len(once))
	}
}

// TestSocketIsNotMade wants -test to make nothing.
func TestSocketIsNotMade(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "run", "s")
	_, stderr, code := sfprocessor(t, fromSocket(socket), map[string]string{"rules.yaml": allRecords}, "-test")
	if code != exitOK {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	if _, err := os.Lstat(filepath.Dir(socket)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a directory for the socket: %v", err)
	}
}

// TestSocketFaults wants a driver that cannot listen to end the program, and its configuration to be checked.
func TestSocketFaults(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "file", "precious")
	with := func(attrs string) string {
		return strings.Replace(fromSocket(filepath.Join(dir, "s")), `"socket.mode": "0600"`, attrs, 1)
	}
	for name, tt := range map[string]struct{ pipeline, want string }{
		"a file in the way": {fromSocket(filepath.Join(dir, "file")), "there is something else of that name, which is not removed"},
		"mode":              {with(`"socket.mode": "0999"`), "socket.mode: '0999' is not an octal number such as 0660 [P303]"},
		"policy":            {with(`"queue.full": "shed"`), "queue.full: unknown value 'shed'; allowed: drop, block"},
		"size":              {with(`"queue.size": 0`), "queue.size: 0 is outside 1..10000000 [P305]"},
		"unknown":           {with(`"queue.ful": "drop"`), "unknown attribute 'queue.ful'; did you mean 'queue.full'?"},
		"group":             {with(`"socket.group": "no-such-group"`), "socket.group: there is no group 'no-such-group'"},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, code := sfprocessor(t, tt.pipeline, map[string]string{"rules.yaml": allRecords})
			if code != exitError || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit code %d, want %d and %q\n%s", code, exitError, tt.want, stderr)
			}
		})
	}
	if data, err := os.ReadFile(filepath.Join(dir, "file")); err != nil || string(data) != "precious" {
		t.Errorf("the file is %q, %v", data, err)
	}
}
