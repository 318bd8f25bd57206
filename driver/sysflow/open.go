package sysflow

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
)

// open opens a trace for reading. It returns when ctx ends, even if the trace is a pipe that nobody writes.
func (f *File) open(ctx context.Context, t trace) (io.ReadCloser, error) {
	switch {
	case t.path == Stdin:
		return newInterruptible(f.stdin), nil
	case t.pipe:
		return openPipe(ctx, t.path)
	}
	file, err := os.Open(t.path)
	if err != nil {
		return nil, fmt.Errorf("open trace: %w", err)
	}
	return file, nil
}

// openPipe opens a named pipe, which waits for somebody to write it.
func openPipe(ctx context.Context, path string) (io.ReadCloser, error) {
	type result struct {
		file *os.File
		err  error
	}
	opened := make(chan result, 1)
	go func() {
		file, err := os.Open(path)
		opened <- result{file, err}
	}()
	select {
	case r := <-opened:
		if r.err != nil {
			return nil, fmt.Errorf("open pipe: %w", r.err)
		}
		return r.file, nil
	case <-ctx.Done():
	}
	// A writer lets our own Open return.
	if w, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0); err == nil {
		defer w.Close()
		if r := <-opened; r.err == nil {
			r.file.Close()
		}
	}
	return nil, context.Cause(ctx)
}

// interruptible reads from a reader whose Read cannot be interrupted, such as standard input, so that Close ends a
// Read that waits. The goroutine that waits in the other reader's stead ends with that reader's next Read.
type interruptible struct {
	data   chan []byte // what was read
	used   chan struct{}
	closed chan struct{}
	rest   []byte // of the last data
	err    error  // written before data is closed
	once   sync.Once
}

// stdinBuffer is how much of standard input is read at a time.
const stdinBuffer = 256 << 10

func newInterruptible(r io.Reader) *interruptible {
	i := &interruptible{data: make(chan []byte), used: make(chan struct{}), closed: make(chan struct{})}
	go i.pump(r)
	return i
}

// pump reads into one buffer, which is used up before the next read.
func (i *interruptible) pump(r io.Reader) {
	defer close(i.data)
	buf := make([]byte, stdinBuffer)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			select {
			case i.data <- buf[:n]:
			case <-i.closed:
				return
			}
			select {
			case <-i.used:
			case <-i.closed:
				return
			}
		}
		if err != nil {
			i.err = err
			return
		}
	}
}

// Read reads what there is.
func (i *interruptible) Read(p []byte) (int, error) {
	if len(i.rest) == 0 {
		select {
		case data, ok := <-i.data:
			if !ok {
				return 0, i.err
			}
			i.rest = data
		case <-i.closed:
			return 0, os.ErrClosed
		}
	}
	n := copy(p, i.rest)
	if i.rest = i.rest[n:]; len(i.rest) == 0 {
		select {
		case i.used <- struct{}{}:
		case <-i.closed:
		}
	}
	return n, nil
}

// Close ends a Read that waits. It may be called more than once.
func (i *interruptible) Close() error {
	i.once.Do(func() { close(i.closed) })
	return nil
}
