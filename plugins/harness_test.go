// Package plugins_test builds the program and real plugins, with the flags of the running test, and runs them.
//
// It is a package of its own, since the test binary of a package that plugins import could not load one; the program
// could be loaded into no test either. What is built is built once per run, when a test first needs it, into a folder
// that is deleted in the end; nothing is written to the source tree.
package plugins_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a run of the program may take before its test fails.
const patience = 2 * time.Minute

// workshop is where things are built; TestMain makes it.
var workshop *shop

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "plugins")
	if err == nil {
		workshop, err = newShop(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// shop builds things, each once.
type shop struct {
	tree  string // the source tree
	dir   string
	flags []string

	mu    sync.Mutex // covers built
	built map[string]func() (string, error)
}

func newShop(dir string) (*shop, error) {
	tree, err := filepath.Abs("..")
	if err != nil {
		return nil, err
	}
	s := &shop{tree: tree, dir: dir, flags: []string{"-trimpath", "-buildvcs=false"}, built: map[string]func() (string, error){}}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		s.flags = append(s.flags, "-race")
	}
	return s, nil
}

// race says whether programs and plugins are built with the race detector.
func (s *shop) race() bool { return slices.Contains(s.flags, "-race") }

// once returns what build has made, which it is called for once.
func (s *shop) once(t testing.TB, what string, build func() (string, error)) string {
	t.Helper()
	s.mu.Lock()
	f := s.built[what]
	if f == nil {
		f = sync.OnceValues(build)
		s.built[what] = f
	}
	s.mu.Unlock()
	path, err := f()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// program returns the path of the program.
func (s *shop) program(t testing.TB) string {
	t.Helper()
	return s.once(t, "program", func() (string, error) {
		out := filepath.Join(s.dir, "bin", "sfprocessor")
		args := append([]string{"build"}, s.flags...)
		return out, s.command("go", append(args, "-ldflags=-X main.version=v1.2.3 -X main.buildNumber=4", "-o", out, "./driver")...)
	})
}

// library returns the path of a plugin whose sources are in a folder of the tree.
func (s *shop) library(t testing.TB, dir string) string {
	t.Helper()
	return s.once(t, dir, func() (string, error) {
		out := filepath.Join(s.dir, "lib", strings.ReplaceAll(dir, "/", "_")+".so")
		return out, s.command("docker/build-plugin", append([]string{dir, out}, s.flags...)...)
	})
}

// command runs a command in the source tree.
func (s *shop) command(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = s.tree
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// installation is the program with plugins, laid out as in a source tree: driver/, resources/, plugins/.
type installation struct{ root string }

// install lays out the program with plugins: libs are the folders of their sources by their path below resources.
func install(t testing.TB, libs map[string]string) *installation {
	t.Helper()
	in := &installation{t.TempDir()}
	for _, dir := range []string{"driver", "resources/plugins", "resources/handlers", "resources/drivers", "resources/actions"} {
		if err := os.MkdirAll(in.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{
		"driver/sfprocessor":  workshop.program(t),
		"resources/traces":    filepath.Join(workshop.tree, "resources/traces"),
		"resources/pipelines": filepath.Join(workshop.tree, "resources/pipelines"),
		"resources/policies":  filepath.Join(workshop.tree, "resources/policies"),
		"plugins":             filepath.Join(workshop.tree, "plugins"),
	} {
		if err := os.Symlink(to, in.path(link)); err != nil {
			t.Fatal(err)
		}
	}
	for path, dir := range libs {
		in.copy(t, path, workshop.library(t, dir))
	}
	return in
}

func (in *installation) path(rel string) string {
	return filepath.Join(in.root, filepath.FromSlash(rel))
}

// copy copies a file to resources. It is no link: a library is what it is by its file.
func (in *installation) copy(t testing.TB, rel, from string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in.path("resources/"+rel), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// pipeline writes a pipeline file with these entries, and other keys, and returns the flag that names it.
func (in *installation) pipeline(t testing.TB, entries string, more ...string) string {
	t.Helper()
	text := "{" + strings.Join(append(more, `"pipeline": [`+"\n"+entries+"\n]"), ",\n") + "}\n"
	if err := os.WriteFile(in.path("driver/pipeline.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return "-config=pipeline.json"
}

// outcome is how a run of the program ended, and what it printed.
type outcome struct {
	code           int
	stdout, stderr string
}

// run runs the program in driver/; env is added to a small environment.
func (in *installation) run(t testing.TB, env []string, args ...string) outcome {
	t.Helper()
	return in.start(t, env, args...).wait(t)
}

// process is a run of the program.
type process struct {
	cmd            *exec.Cmd
	cancel         context.CancelFunc
	stdout, stderr watched
}

func (in *installation) start(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	p := &process{cmd: exec.CommandContext(ctx, "./sfprocessor", args...), cancel: cancel}
	p.cmd.Dir = in.path("driver")
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + in.root}, env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *process) wait(t testing.TB) outcome {
	t.Helper()
	err := p.cmd.Wait()
	o := outcome{p.cmd.ProcessState.ExitCode(), p.stdout.String(), p.stderr.String()}
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok || o.code < 0 {
		t.Fatalf("%v: %v\nstdout: %s\nstderr: %s", p.cmd.Args, err, o.stdout, o.stderr)
	}
	return o
}

// signal sends a signal once the program has printed a text.
func (p *process) signal(t testing.TB, after string, sig syscall.Signal) {
	t.Helper()
	for !strings.Contains(p.stdout.String()+p.stderr.String(), after) {
		select {
		case <-p.stdout.more():
		case <-p.stderr.more():
		case <-time.After(patience):
			t.Fatalf("%q was not printed: %s%s", after, p.stdout.String(), p.stderr.String())
		}
	}
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// watched is a buffer that others may read while it is written.
type watched struct {
	mu     sync.Mutex // covers the rest
	buf    bytes.Buffer
	change chan struct{} // closed with the next write; nil if nobody waits
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.change != nil {
		close(w.change)
		w.change = nil
	}
	return w.buf.Write(p)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// more returns a channel that is closed when more is written.
func (w *watched) more() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.change == nil {
		w.change = make(chan struct{})
	}
	return w.change
}

// logLine is a line of the log.
type logLine struct{ level, file, text string }

var logForm = regexp.MustCompile(`(?m)^\[(\w+)\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d (\S+):\d+: (.*)$`)

// logLines returns the lines of the log in a text.
func logLines(text string) (list []logLine) {
	for _, m := range logForm.FindAllStringSubmatch(text, -1) {
		list = append(list, logLine{m[1], m[2], m[3]})
	}
	return list
}

// from returns the texts of the lines that a source file logged, at any level.
func from(file string, lines []logLine) (texts []string) {
	for _, l := range lines {
		if l.file == file {
			texts = append(texts, l.text)
		}
	}
	return texts
}

// document is an exported record.
type document struct {
	Version int
	Type    string
	Ts      int64
	Node    struct{ ID string }
	Proc    struct {
		Exe, Args, User string
		Pid, Tid        int64
	}
	Policies []struct {
		ID       string
		Priority int
	}
	Tags   []string
	Hashes json.RawMessage
}

// documents returns the JSON lines of a text.
func documents(t testing.TB, text string) (list []document) {
	t.Helper()
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if line == "" {
			continue
		}
		var d document
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		list = append(list, d)
	}
	return list
}

// mustExit fails the test if a run did not end with a code.
func (o outcome) mustExit(t testing.TB, code int) {
	t.Helper()
	if o.code != code {
		t.Fatalf("exit code is %d, want %d\nstdout: %s\nstderr: %s", o.code, code, o.stdout, o.stderr)
	}
}
