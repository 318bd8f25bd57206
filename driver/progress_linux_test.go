package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal returns the two ends of a pseudo terminal: that of the user, and that of programs.
func openTerminal(t *testing.T) (user, programs *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo terminals here:", err)
	}
	t.Cleanup(func() { user.Close() })
	conn, err := user.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number int
	var failed error
	err = conn.Control(func(fd uintptr) {
		number, failed = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		failed = errors.Join(failed, unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0))
	})
	if err := errors.Join(err, failed); err != nil {
		t.Fatal(err)
	}
	programs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { programs.Close() })
	return user, programs
}

// TestProgress runs the program on a terminal, where records and log go as well, and feeds it a trace that takes its
// time. The terminal has to show how far the program has come.
func TestProgress(t *testing.T) {
	user, programs := openTerminal(t)
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no named pipes here:", err)
	}
	cmd := exec.Command("sfprocessor", "-config="+enrichPipeline(t, 1), pipe)
	cmd.Stdout, cmd.Stderr = programs, programs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	input, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	trace, err := os.Open(ourTrace(t, "tcp.sf"))
	if err != nil {
		t.Fatal(err)
	}
	defer trace.Close()
	if _, err := io.Copy(input, trace); err != nil {
		t.Fatal(err)
	}

	if err := user.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	var screen strings.Builder
	for r := bufio.NewReader(user); !strings.Contains(screen.String(), " kB, 10 records, 0 alerts, "); {
		b, err := r.ReadByte()
		if err != nil {
			t.Fatalf("%v after:\n%s", err, &screen)
		}
		screen.WriteByte(b)
	}
	for _, want := range []string{"Starting the processing pipeline\r\n", `{"version":4,`} {
		if !strings.Contains(screen.String(), want) {
			t.Errorf("the terminal does not show %q:\n%s", want, &screen)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, user)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
