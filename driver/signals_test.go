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

// toFile is a pipeline that writes records to a file.
const toFile = `{"pipeline": [
 {"processor": "sysflowreader", "handler": "flattener", "in": "sysflow sysflowchan", "out": "flat flattenerchan"},
 {"processor": "policyengine", "in": "flat flattenerchan", "out": "evt eventchan", "policies": "rules.yaml"},
 {"processor": "exporter", "in": "evt eventchan", "export": "file", "file.path": "out.json"}]}`

const allRecords = "- rule: All\n  desc: all\n  condition: sf.type exists\n"

// TestGracefulStop wants everything that was read to be delivered, and exit code 0.
func TestGracefulStop(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			p := start(t, toFile, map[string]string{"rules.yaml": allRecords})
			p.await("Starting the processing pipeline")
			p.feed("tcp.sf")
			p.signal(sig)
			p.await("stopping")
			p.end(0)
			if log := p.seen.String(); !strings.Contains(log, "reason=\"signal: "+sig.String()+`"`) {
				t.Errorf("log is %s", log)
			}
		})
	}
}

// toNowhere is a pipeline whose target never answers.
const toNowhere = `{"pipeline": [
 {"processor": "sysflowreader", "handler": "flattener", "in": "sysflow sysflowchan", "out": "flat flattenerchan"},
 {"processor": "policyengine", "mode": "enrich", "in": "flat flattenerchan", "out": "evt eventchan"},
 {"processor": "exporter", "in": "evt eventchan", "export": "file", "file.path": "/dev/full", "retry.initial": "10ms"}]}`

// TestSecondSignal wants the end at once, although the exporter has records that it cannot deliver.
func TestSecondSignal(t *testing.T) {
	for sig, code := range map[syscall.Signal]int{syscall.SIGTERM: 143, syscall.SIGINT: 130} {
		t.Run(sig.String(), func(t *testing.T) {
			p := start(t, toNowhere, nil)
			p.await("Starting the processing pipeline")
			p.feed("tcp.sf")
			p.await("deliveries are failing")
			p.signal(sig)
			p.await("stopping")
			p.signal(sig)
			p.end(code)
		})
	}
}

// TestDrainDeadline wants exit code 3 when records are given up.
func TestDrainDeadline(t *testing.T) {
	t.Setenv("SHUTDOWN_TIMEOUT", "100ms")
	p := start(t, toNowhere, nil)
	p.await("Starting the processing pipeline")
	p.feed("tcp.sf")
	p.await("deliveries are failing")
	p.signal(syscall.SIGTERM)
	p.end(3)
	if log := p.seen.String(); !strings.Contains(log, "records were lost records=10") {
		t.Errorf("log is %s", log)
	}
}

// TestHangup wants policies to be read again, and bad ones to be refused.
func TestHangup(t *testing.T) {
	p := start(t, toFile, map[string]string{"rules.yaml": allRecords})
	p.await("Starting the processing pipeline")
	p.signal(syscall.SIGHUP)
	p.await("policies loaded")
	p.await("reloaded stage=policyengine")
	put(t, p.cmd.Dir, "rules.yaml", "- rule: Bad\n  desc: bad\n  condition: sf.proc.nmae = a\n")
	p.signal(syscall.SIGHUP)
	p.await("[Error]")
	p.signal(syscall.SIGTERM)
	p.end(0)
}
