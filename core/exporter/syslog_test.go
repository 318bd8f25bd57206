package exporter

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// syslogRig is a stage that exports to a receiver of ours.
func syslogRig(t *testing.T, l net.Listener, attrs string, drain time.Duration) *rig {
	t.Helper()
	r := newRig(t, nil, `{"export": "null"}`)
	env := Env{Name: "exporter[0]", Kinds: Builtin(), Drain: drain}
	env.Kinds.Encoders = r.kinds.Encoders
	cfg := settings(t, fmt.Sprintf(`{"export": "syslog", "host": "127.0.0.1", "port": %d%s}`, l.Addr().(*net.TCPAddr).Port, attrs))
	s, err := New(cfg, nil, env)
	if err != nil {
		t.Fatal(err)
	}
	r.stage = s
	return r
}

// listenSmall returns a listener whose connections buffer little, so that records wait on the sender's side.
func listenSmall(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var inner error
	err = raw.Control(func(fd uintptr) { inner = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4096) })
	if err = errors.Join(err, inner); err != nil {
		t.Fatal(err)
	}
	return l
}

// taken returns what the kernel has taken for a connection that nobody reads, once it takes no more.
func taken(t *testing.T, c net.Conn) []byte {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Error(err)
		return nil
	}
	buf := make([]byte, 1<<20)
	before := -1
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		n := 0
		if err := raw.Control(func(fd uintptr) { n, _, _ = unix.Recvfrom(int(fd), buf, unix.MSG_PEEK|unix.MSG_DONTWAIT) }); err != nil {
			t.Error(err)
			return nil
		}
		if n = max(n, 0); n == before {
			return buf[:n]
		}
		before = n
	}
	return nil
}

// record is a record in a message.
var record = regexp.MustCompile(`\{"n":\d+\}`)

// records returns the records of the whole messages in a stream.
func records(stream []byte) []string {
	return record.FindAllString(string(stream[:bytes.LastIndexByte(stream, '\n')+1]), -1)
}

// numbersTo returns the records from 1 to n.
func numbersTo(n int64) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"n":%d}`, i+1))
	}
	return all
}

// TestSyslogCrashes has a receiver that crashes anywhere, again and again. What its kernel had taken until then is not
// sent again, everything else is: each record arrives once, in order.
func TestSyslogCrashes(t *testing.T) {
	l := listenSmall(t)
	const crashes = 6
	rnd := rand.New(rand.NewPCG(4, 2))
	arrived := make(chan []string, 1)
	go func() {
		var all []string
		for i := 0; ; i++ {
			c, err := l.Accept()
			if err != nil {
				t.Error(err)
				break
			}
			if i == crashes {
				b, err := io.ReadAll(c)
				if err != nil {
					t.Error(err)
				}
				c.Close()
				all = append(all, records(b)...)
				break
			}
			b := make([]byte, 1+rnd.IntN(100_000))
			n, err := io.ReadFull(c, b)
			if err != nil {
				t.Error("the input is too short for so many crashes: ", err)
			}
			b = append(b[:n], taken(t, c)...)
			all = append(all, records(b)...)
			_ = c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
		arrived <- all
	}()
	r := syslogRig(t, l, `, "buffer": 100, "retry.initial": "1ms"`, 0)
	r.start(t.Context())
	for range 50 {
		r.send(400)
	}
	want(t, "result", r.finish(), nil)
	got := <-arrived
	if all := numbersTo(r.next); !slices.Equal(got, all) {
		t.Errorf("%d records, want %d", len(got), len(all))
		for i := range min(len(got), len(all)) {
			if got[i] != all[i] {
				t.Fatalf("record %d is %s", i+1, got[i])
			}
		}
	}
	want(t, "delivered", r.stage.count.delivered.Load(), uint64(r.next))
	want(t, "lost", r.stage.Lost(), 0)
}

// TestSyslogNeverReads has a receiver that takes what its kernel buffers and no more. The rest is dead at the end, also
// what had been written to the connection.
func TestSyslogNeverReads(t *testing.T) {
	l := listenSmall(t)
	conns := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
		}
		conns <- c
	}()
	path := filepath.Join(t.TempDir(), "dead")
	r := syslogRig(t, l, `, "deadletter.path": "`+path+`"`, 500*time.Millisecond)
	r.start(t.Context())
	r.send(5000)
	if err := r.finish(); !errors.Is(err, ErrDrain) {
		t.Errorf("result %v, want %v", err, ErrDrain)
	}
	c := <-conns
	defer c.Close()
	got := records(taken(t, c))
	dead := record.FindAllString(readFile(t, path), -1)
	if len(got) == 0 || len(dead) == 0 {
		t.Fatalf("%d arrived, %d dead: no test", len(got), len(dead))
	}
	want(t, "delivered", r.stage.count.delivered.Load()+uint64(len(dead)), uint64(r.next))
	want(t, "dead", r.stage.count.dead.Load(), uint64(len(dead)))
	if first := len(numbersTo(r.next)) - len(dead); !slices.Equal(dead, numbersTo(r.next)[first:]) {
		t.Errorf("the dead are not the last %d", len(dead))
	}
	if !strings.Contains(readFile(t, path), `"id":"id5000"`) {
		t.Error("the dead have no ids")
	}
}

// TestMessageText exports the rules' texts instead of documents.
func TestMessageText(t *testing.T) {
	l := listenSmall(t)
	arrived := make(chan []byte, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		b, err := io.ReadAll(c)
		if err != nil {
			t.Error(err)
		}
		arrived <- b
	}()
	r := syslogRig(t, l, `, "rule.output": "message"`, 0)
	r.start(t.Context())
	b := r.pool.Get(nil)
	b.Add(row(1), []*engine.Rule{{Name: "a", Output: text("shell in container")}, {Name: "b"}, {Name: "c", Rank: engine.RankAlert, Output: text("two\nlines")}})
	b.Add(row(2), []*engine.Rule{{Name: "b"}})
	if err := r.in.Send(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	want(t, "result", r.finish(), nil)
	lines := strings.Split(string(<-arrived), "\n")
	for i, wanted := range []struct{ priority, text string }{{"<25>1 ", " - shell in container two lines"}, {"<30>1 ", ` - {"n":2}`}} {
		if !strings.HasPrefix(lines[i], wanted.priority) || !strings.HasSuffix(lines[i], wanted.text) {
			t.Errorf("message %d: %s", i, lines[i])
		}
	}
}

// text is an output text without placeholders.
func text(s string) func([]byte, *sfgo.FlatRecord) []byte {
	return func(dst []byte, _ *sfgo.FlatRecord) []byte { return append(dst, s...) }
}
