package sysflow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// patience is how long tests wait for what should happen at once.
const patience = 20 * time.Second

// listening is a driver that runs.
type listening struct {
	*Socket
	path string
	out  *plugins.SFChannel
	log  *syncBuffer

	stop, kill context.CancelFunc
	err        chan error // of RunUntil
}

// startSocket runs a driver until the test ends, whose out is closed then. Changes to the defaults are made by change.
func startSocket(t testing.TB, change func(*SocketConfig)) *listening {
	t.Helper()
	cfg := SocketConfig{Mode: 0o660, QueueSize: 100_000, QueueFull: "drop"}
	if change != nil {
		change(&cfg)
	}
	l := &listening{
		path: filepath.Join(shortDir(t), "s"), log: new(syncBuffer), err: make(chan error, 1),
		out: plugins.NewChannel[*sfgo.SysFlow, *plugins.Block](4096, flattener.BatchSize),
	}
	var err error
	if l.Socket, err = NewSocket(cfg, slog.New(slog.NewTextHandler(l.log, nil))); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	hard, kill := context.WithCancel(context.Background())
	l.stop, l.kill = stop, kill
	go func() {
		l.err <- l.RunUntil(ctx, hard, map[string]any{"path": l.path}, l.out)
		l.out.CloseBatches()
		close(l.err)
	}()
	t.Cleanup(func() {
		stop()
		kill()
		for range l.out.Batches() {
		}
		if err := <-l.err; err != nil {
			t.Errorf("the driver failed: %v", err)
		}
	})
	return l
}

// dial connects, as soon as the driver listens.
func (l *listening) dial(t testing.TB) *net.UnixConn {
	t.Helper()
	await(t, "the socket", func() bool {
		return strings.Contains(l.log.String(), "listening for collectors")
	})
	conn, err := net.DialUnix(network, nil, &net.UnixAddr{Name: l.path, Net: network})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// await waits for something that other goroutines do.
func await(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

func (l *listening) counters() map[string]uint64 {
	got := map[string]uint64{}
	l.Counters(func(name string, v uint64) { got[name] = v })
	return got
}

func send(t testing.TB, conn net.Conn, msgs ...[]byte) {
	t.Helper()
	for _, msg := range msgs {
		if _, err := conn.Write(msg); err != nil {
			t.Fatal(err)
		}
	}
}

// encoded is a record as a message.
func encoded(t testing.TB, rec *sfgo.RecUnion) []byte {
	t.Helper()
	enc, err := codec.NewEncoder(codec.CurrentSchema)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := enc.Append(nil, &sfgo.SysFlow{Rec: rec})
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func header(t testing.TB, exporter string) []byte {
	return encoded(t, &sfgo.RecUnion{
		UnionType: sfgo.RecUnionTypeEnumSFHeader, SFHeader: &sfgo.SFHeader{Version: 5, Exporter: exporter, Ip: "NA"},
	})
}

// received is what came out of a driver, by stream.
type received map[string][][]byte

// collect takes blocks until as many streams have ended.
func collect(t testing.TB, out *plugins.SFChannel, streams int) received {
	t.Helper()
	got := received{}
	deadline := time.After(patience)
	for streams > 0 {
		select {
		case b := <-out.Batches():
			if b == nil {
				t.Fatal("the driver has ended")
			}
			got.take(t, b)
			if b.Last {
				streams--
			}
		case <-deadline:
			t.Fatalf("%d streams have not ended", streams)
		}
	}
	return got
}

// take copies the messages of a block and releases it.
func (r received) take(t testing.TB, b *plugins.Block) {
	t.Helper()
	if b.Count != len(b.Ends) || b.Count > blockRecords {
		t.Errorf("block of %d records has %d ends", b.Count, len(b.Ends))
	}
	at := 0
	for _, end := range b.Ends {
		r[b.Stream.Name] = append(r[b.Stream.Name], bytes.Clone(b.Data[at:end]))
		at = end
	}
	if at != len(b.Data) {
		t.Errorf("block has %d bytes, the last record ends at %d", len(b.Data), at)
	}
	b.Release()
}

func TestSocketDelivers(t *testing.T) {
	l := startSocket(t, nil)
	conn := l.dial(t)
	var want [][]byte
	for i := range 3000 {
		want = append(want, header(t, fmt.Sprint("exporter ", i)))
	}
	go func() {
		defer conn.Close()
		send(t, conn, want...)
	}()
	got := collect(t, l.out, 1)
	if !slices.EqualFunc(got[l.path+"#1"], want, bytes.Equal) {
		t.Errorf("got %d messages of streams %v, want the %d sent", len(got[l.path+"#1"]), slices.Collect(maps.Keys(got)), len(want))
	}
	if c := l.counters(); c["messages"] != 3000 || c["connections.accepted"] != 1 || c["connections.ended"] != 1 {
		t.Errorf("counters are %v", c)
	}
	for _, line := range []string{"Successfully accepted new input stream", "Successfully read first record from input stream"} {
		if n := strings.Count(l.log.String(), line); n != 1 {
			t.Errorf("the log has %d times %q, want once", n, line)
		}
	}
}

// TestSocketStops stops a driver while collectors are idle, or sending: what they could send is delivered.
func TestSocketStops(t *testing.T) {
	l := startSocket(t, nil)
	l.dial(t) // and say nothing
	conn := l.dial(t)
	sent := make(chan int)
	go func() {
		msg, n := header(t, "busy"), 0
		for {
			if _, err := conn.Write(msg); err != nil {
				if !errors.Is(err, syscall.EPIPE) {
					t.Errorf("sending ended with %v", err)
				}
				sent <- n
				return
			}
			n++
		}
	}()
	got := received{}
	for range 10 {
		got.take(t, <-l.out.Batches())
	}
	l.stop()
	for b := range l.out.Batches() {
		got.take(t, b)
	}
	if n, have := <-sent, len(got[l.path+"#2"]); n != have {
		t.Errorf("%d messages were sent, %d delivered", n, have)
	}
	if _, err := os.Lstat(l.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}
