package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// sfprocessor runs the program in a directory with a pipeline file, and returns what it wrote.
func sfprocessor(t *testing.T, pipeline string, files map[string]string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "pipeline.json", pipeline)
	for name, text := range files {
		put(t, dir, name, text)
	}
	cmd := exec.Command("sfprocessor", args...)
	cmd.Dir = dir
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// ourTrace returns the path of one of our traces.
func ourTrace(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../resources/traces", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// process is the program as a process of its own, reading a pipe that the test holds open.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	log   *bufio.Reader
	seen  strings.Builder // of the log
	input *os.File
}

// start runs the program with a pipeline, in a directory where it finds the other files as well.
func start(t *testing.T, pipeline string, files map[string]string, flags ...string) *process {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "pipeline.json", pipeline)
	for name, text := range files {
		put(t, dir, name, text)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Skip("no named pipes here:", err)
	}
	p := &process{t: t, cmd: exec.Command("sfprocessor", append(flags, "pipe")...)}
	p.cmd.Dir = dir
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.log = bufio.NewReader(stderr)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if p.input, err = os.OpenFile(filepath.Join(dir, "pipe"), os.O_RDWR, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.input.Close()
		if p.cmd.ProcessState == nil {
			p.cmd.Process.Kill()
			p.cmd.Wait()
		}
	})
	return p
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// feed writes a trace into the pipe.
func (p *process) feed(trace string) {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join("../resources/traces", trace))
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.input.Write(data); err != nil {
		p.t.Fatal(err)
	}
}

// await reads the log until a line has the text.
func (p *process) await(text string) {
	p.t.Helper()
	for {
		line, err := p.log.ReadString('\n')
		p.seen.WriteString(line)
		if strings.Contains(line, text) {
			return
		}
		if err != nil {
			p.t.Fatalf("the log has no %q: %v\n%s", text, err, p.seen.String())
		}
	}
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// end waits for the process and checks its exit code.
func (p *process) end(want int) {
	p.t.Helper()
	rest, err := io.ReadAll(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	p.seen.Write(rest)
	p.cmd.Wait()
	if got := p.cmd.ProcessState.ExitCode(); got != want {
		p.t.Errorf("exit code %d, want %d\n%s", got, want, p.seen.String())
	}
}
