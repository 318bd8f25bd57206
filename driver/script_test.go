package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sfprocessor": main})
}

// TestScripts runs the program as a user would. Each script is a file of testdata/script, and says what it is about in
// its first line. In scripts, $TRACES is the directory of our traces.
func TestScripts(t *testing.T) {
	traces, err := filepath.Abs("../resources/traces")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TRACES", traces)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exit":  exitCmd,
			"head":  headCmd,
			"flip":  flipCmd,
			"await": awaitCmd,
		},
	})
}

// exitCmd runs a program, the rest of its arguments, and checks the exit code, its first.
func exitCmd(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: exit code program args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if e, ok := err.(interface{ ExitCode() int }); ok {
		got = e.ExitCode()
	} else if err != nil {
		got = -1
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// headCmd copies the first bytes of a file; a negative number is counted from its end.
func headCmd(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 || neg {
		ts.Fatalf("usage: head bytes from to")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	data, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	if n < 0 {
		n += len(data)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), data[:n], 0o644))
}

// flipCmd inverts bytes of a file, as many as its first argument says, shortly before its end.
func flipCmd(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 || neg {
		ts.Fatalf("usage: flip bytes from to")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	data, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	at := len(data) * 19 / 20
	for i := at; i < at+n; i++ {
		data[i] ^= 0xff
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), data, 0o644))
}

// awaitCmd waits until a file has a text, for the script's sake not for ever.
func awaitCmd(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: await file text")
	}
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if data, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && strings.Contains(string(data), args[1]) {
			return
		}
		select {
		case <-deadline:
			ts.Fatalf("%s has no %q", args[0], args[1])
		case <-tick.C:
		}
	}
}
