package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// run feeds a log to the driver and returns the records it sends.
func run(t *testing.T, log string) []*sfgo.RecUnion {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(path, []byte(log), 0o644); err != nil {
		t.Fatal(err)
	}
	out := plugins.NewChannel[*sfgo.SysFlow, *plugins.Block](100, 100)
	if err := new(AuditLog).RunContext(t.Context(), map[string]interface{}{"path": path}, out); err != nil {
		t.Fatal(err)
	}
	close(out.In)
	var recs []*sfgo.RecUnion
	for r := range out.In {
		recs = append(recs, r.Rec)
	}
	return recs
}

func TestExecBecomesProcessAndEvent(t *testing.T) {
	recs := run(t, `type=SYSCALL msg=audit(1553543280.704:101): arch=c000003e syscall=59 success=yes exit=0 ppid=7955 pid=13823 uid=1000 gid=100 tty=pts1 comm="cat" exe="/usr/bin/cat" key=(null)
type=EXECVE msg=audit(1553543280.704:101): argc=3 a0="cat" a1="/etc/ssh/sshd_config" a2=612062
type=CWD msg=audit(1553543280.704:101): cwd="/root"
`)
	if len(recs) != 3 {
		t.Fatalf("got %d records, want header, process and event", len(recs))
	}
	if recs[0].SFHeader == nil {
		t.Errorf("the first record is not a header")
	}
	p := recs[1].Process
	if p.Exe != "/usr/bin/cat" || p.ExeArgs != "/etc/ssh/sshd_config a b" || p.Uid != 1000 || p.Gid != 100 || !p.Tty ||
		*p.Oid != (sfgo.OID{Hpid: 13823}) || *p.Poid.OID != (sfgo.OID{Hpid: 7955}) || p.Ts != 1553543280704000000 {
		t.Errorf("process: %+v", p)
	}
	e := recs[2].ProcessEvent
	if e.OpFlags != sfgo.OP_EXEC || e.Tid != 13823 || e.Ts != 1553543280704000000 || *e.ProcOID != *p.Oid {
		t.Errorf("event: %+v", e)
	}
}

func TestWhatIsNotASuccessfulExec(t *testing.T) {
	for name, log := range map[string]string{
		"failed":        `type=SYSCALL msg=audit(1.000:1): arch=c000003e syscall=59 success=no exit=-2 pid=1 exe="/bin/sh"`,
		"other call":    `type=SYSCALL msg=audit(1.000:1): arch=c000003e syscall=2 success=yes pid=1 exe="/bin/sh"`,
		"other machine": `type=SYSCALL msg=audit(1.000:1): arch=c00000b7 syscall=59 success=yes pid=1 exe="/bin/sh"`,
		"no audit line": `Nov 21 10:00:00 host sshd[1]: type=SYSCALL`,
		"bad time":      `type=SYSCALL msg=audit(x.000:1): arch=c000003e syscall=59 success=yes`,
	} {
		t.Run(name, func(t *testing.T) {
			if recs := run(t, log+"\n"); len(recs) != 1 {
				t.Errorf("got %d records, want the header only", len(recs))
			}
		})
	}
}

func TestEachEventOfItsOwnSerial(t *testing.T) {
	var pids []int64
	for _, r := range run(t, `type=SYSCALL msg=audit(1.000:1): arch=c000003e syscall=59 success=yes pid=1 exe="/a"
type=SYSCALL msg=audit(1.000:2): arch=c000003e syscall=59 success=yes pid=2 exe="/b"
type=SYSCALL msg=audit(1.000:3): arch=c000003e syscall=59 success=yes pid=3 exe="/c"
`) {
		if r.ProcessEvent != nil {
			pids = append(pids, r.ProcessEvent.Tid)
		}
	}
	if !slices.Equal(pids, []int64{1, 2, 3}) {
		t.Errorf("got pids %v", pids)
	}
}

func TestStopsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(path, []byte(strings.Repeat("x\n", 10)), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := &plugins.SFChannel{In: make(chan *sfgo.SysFlow)} // nobody reads it
	if err := new(AuditLog).RunContext(ctx, map[string]interface{}{"path": path}, out); err != nil {
		t.Errorf("got %v", err)
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add(`type=SYSCALL msg=audit(1553543280.704:101): arch=c000003e a="b c" d=6120`)
	f.Add(`type=X msg=audit(:):`)
	f.Fuzz(func(t *testing.T, s string) {
		l, err := parseLine(s)
		if err != nil {
			return
		}
		var j joiner
		j.add(l)
		for _, v := range l.fields {
			decode(v)
		}
	})
}
