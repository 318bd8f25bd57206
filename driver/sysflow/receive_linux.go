package sysflow

import (
	"fmt"
	"io"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchMessages is how many messages are received at a time. A collector can have some 278 under way.
const batchMessages = 32

// batchReceiver receives several messages with one system call.
//
// Its buffers are memory of the system, not the heap: a page becomes real when a message first reaches it, so that a
// connection of small messages costs some hundred KiB, not all 8 MiB.
type batchReceiver struct {
	raw    syscall.RawConn
	memory []byte
	slots  [batchMessages]unix.Iovec
	heads  [batchMessages]unix.Mmsghdr
	msgs   [batchMessages][]byte

	attempt func(fd uintptr) bool // kept because making it costs an allocation
	wait    bool                  // what attempt should do if there is nothing, and what came of it
	n       int
	errno   syscall.Errno
}

// newReceiver returns a receiver for a connection, which has to be closed.
func newReceiver(conn *net.UnixConn) (receiver, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("receive in batches: %w", err)
	}
	memory, err := unix.Mmap(-1, 0, batchMessages*maxMessage, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("map memory for messages: %w", err)
	}
	_ = unix.Madvise(memory, unix.MADV_NOHUGEPAGE) // large pages would make all of it real; there may be none
	r := &batchReceiver{raw: raw, memory: memory}
	r.attempt = r.try
	for i := range batchMessages {
		r.slots[i].Base = &memory[i*maxMessage]
		r.slots[i].SetLen(maxMessage)
		r.heads[i].Hdr.Iov = &r.slots[i]
		r.heads[i].Hdr.SetIovlen(1)
	}
	return r, nil
}

// receive is that of receiver.
func (r *batchReceiver) receive(wait bool) (msgs [][]byte, truncated int, more bool, err error) {
	r.wait = wait
	if err := r.raw.Read(r.attempt); err != nil {
		return nil, 0, false, err
	}
	switch r.errno {
	case 0:
	case unix.EAGAIN:
		return nil, 0, false, nil
	default:
		return nil, 0, false, fmt.Errorf("receive messages: %w", r.errno)
	}
	msgs = r.msgs[:0]
	for i := range r.n {
		h := &r.heads[i]
		switch {
		case h.Len == 0:
			return msgs, truncated, false, io.EOF
		case h.Hdr.Flags&unix.MSG_TRUNC != 0:
			truncated++
		default:
			at := i * maxMessage
			msgs = append(msgs, r.memory[at:at+int(h.Len)])
		}
	}
	return msgs, truncated, r.n == batchMessages, nil
}

// try receives what there is. It returns false if there is nothing and the caller wants to wait for something. The
// socket does not block.
func (r *batchReceiver) try(fd uintptr) bool {
	for {
		// The conversion to uintptr is in the call itself, which keeps r where it is and alive; what heads point to is
		// part of r, or memory of the system.
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.heads[0])), batchMessages, 0, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		r.n, r.errno = int(n), errno
		return errno != unix.EAGAIN || !r.wait
	}
}

// close gives the memory back.
func (r *batchReceiver) close() error {
	if err := unix.Munmap(r.memory); err != nil {
		return fmt.Errorf("unmap memory for messages: %w", err)
	}
	return nil
}
