package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
)

// Terminal writes records as lines to standard output. Each batch is one write.
type Terminal struct {
	w     io.Writer
	lines lines
	torn  bool // part of a line has been written

	// A goroutine does the writing: nothing can interrupt a write to a terminal whose user has stopped the output, or
	// to a pipe that nobody reads, and the program must end all the same.
	jobs    chan []byte // nil before the first Deliver
	results chan written
	stuck   bool // a write did not return before its context ended
}

type written struct {
	n   int
	err error
}

// NewTerminal returns a transport that writes to w.
func NewTerminal(w io.Writer) *Terminal { return &Terminal{w: w} }

// Deliver writes the batch. If that fails within a line, the next write ends this line first. A reader that has gone
// away is [ErrGone].
func (t *Terminal) Deliver(ctx context.Context, batch []encode.Item) error {
	if t.stuck {
		return errors.New("standard output: the previous write still waits")
	}
	t.lines.reset(t.torn)
	for i := range batch {
		t.lines.add(batch[i].Data)
	}
	n, err := t.write(ctx, t.lines.buf)
	if err == nil {
		t.torn = false
		return nil
	}
	count, size := t.lines.whole(n)
	if n > 0 {
		t.torn = n > size
	}
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err // the path says no more than the cause
	}
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		err = fmt.Errorf("%w: %w", err, ErrGone)
	}
	return fail(count, len(batch), "write to standard output", err)
}

// write writes b, and returns early if ctx ends.
func (t *Terminal) write(ctx context.Context, b []byte) (int, error) {
	if t.jobs == nil {
		t.jobs = make(chan []byte)
		t.results = make(chan written, 1) // the goroutine ends even if nobody waits for the result any more
		go t.work()
	}
	t.jobs <- b
	select {
	case r := <-t.results:
		return r.n, r.err
	case <-ctx.Done():
	}
	select { // what succeeded all the same must not be reported as lost
	case r := <-t.results:
		return r.n, r.err
	default:
		t.stuck = true
		return 0, context.Cause(ctx)
	}
}

func (t *Terminal) work() {
	defer close(t.results)
	for b := range t.jobs {
		n, err := t.w.Write(b)
		t.results <- written{n, err}
	}
}

// Close ends the transport's goroutine; one that is stuck in a write ends with that write. Standard output stays open.
func (t *Terminal) Close() error {
	if t.jobs == nil {
		return nil
	}
	close(t.jobs)
	if !t.stuck {
		<-t.results
	}
	return nil
}
