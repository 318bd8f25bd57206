package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
)

// faulty is a writer that fails now and then, with part of the data written.
type faulty struct {
	bytes.Buffer
	rnd    *rand.Rand
	writes int
}

func (f *faulty) Write(b []byte) (int, error) {
	f.writes++
	if f.rnd != nil && f.rnd.IntN(2) == 0 {
		n, _ := f.Buffer.Write(b[:f.rnd.IntN(len(b))])
		return n, syscall.ENOSPC
	}
	return f.Buffer.Write(b)
}

func TestTerminal(t *testing.T) {
	var out faulty
	term := NewTerminal(&out)
	for _, batch := range [][]encode.Item{items(`{"a":1}`, `{"b":2}`), items(`{"c":3}`)} {
		if err := term.Deliver(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "close", term.Close(), nil)
	want(t, "output", out.String(), "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n")
	want(t, "writes", out.writes, 2)
}

// TestTerminalFaults interrupts writes anywhere: each record comes out whole, in order.
func TestTerminalFaults(t *testing.T) {
	for seed := range uint64(50) {
		out := faulty{rnd: rand.New(rand.NewPCG(seed, 0))}
		term := NewTerminal(&out)
		all := numbered(0, 40)
		for i := 0; i < len(all); i += 10 {
			batch := all[i : i+10]
			for len(batch) > 0 {
				err := term.Deliver(t.Context(), batch)
				if err != nil && !errors.Is(err, syscall.ENOSPC) {
					t.Fatal(err)
				}
				batch = undelivered(t, batch, err)
			}
		}
		want(t, "close", term.Close(), nil)
		same(t, wholeLines(t, out.String(), true), all)
	}
}

// TestTerminalClosedPipe has the reader of standard output go away.
func TestTerminalClosedPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	term := NewTerminal(w)
	err = term.Deliver(t.Context(), items("{}"))
	if !errors.Is(err, ErrGone) || !errors.Is(err, syscall.EPIPE) {
		t.Errorf("got %v, want %v", err, ErrGone)
	}
	want(t, "close", term.Close(), nil)
}

// TestTerminalStuck has nobody read standard output, and the program end.
func TestTerminalStuck(t *testing.T) {
	r, w := io.Pipe()
	term := NewTerminal(w)
	cause := errors.New("time is up")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if err := term.Deliver(ctx, items("{}")); !errors.Is(err, cause) {
		t.Errorf("got %v, want %v", err, cause)
	}
	if err := term.Deliver(t.Context(), items("{}")); err == nil {
		t.Error("a second write began while the first one blocks")
	}
	want(t, "close", term.Close(), nil)
	r.Close()
	<-term.results // the goroutine ends with the write
	<-term.results
}

func TestCloseUnused(t *testing.T) {
	want(t, "terminal", NewTerminal(io.Discard).Close(), nil)
	want(t, "file", NewFile(FileConfig{Path: "/nonexistent"}, nil).Close(), nil)
	want(t, "null", Null{}.Close(), nil)
	want(t, "null", Null{}.Deliver(t.Context(), items("{}")), nil)
}

func BenchmarkTerminal(b *testing.B) {
	term := NewTerminal(io.Discard)
	defer term.Close()
	batch := numbered(0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		if err := term.Deliver(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
}
