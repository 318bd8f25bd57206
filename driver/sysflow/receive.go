package sysflow

import (
	"net"
	"syscall"
)

// maxMessage is how long a message may be, in bytes: more than a sender with the usual limits can send.
const maxMessage = 256 << 10

// receiver receives messages of a connection. It is for one goroutine.
type receiver interface {
	// receive returns one or more messages, which hold until the next call, and how many more were longer than
	// maxMessage. If there is none at hand, it waits for one, or returns none. more says that others are probably at
	// hand. At the end of the stream the error is io.EOF; the messages that it comes with are good.
	receive(wait bool) (msgs [][]byte, truncated int, more bool, err error)

	// close frees what the receiver holds, but not the connection.
	close() error
}

// plainReceiver receives messages one by one, for systems that cannot do better.
type plainReceiver struct {
	conn *net.UnixConn
	buf  []byte
	msg  [1][]byte
}

func newPlainReceiver(conn *net.UnixConn) receiver {
	return &plainReceiver{conn: conn, buf: make([]byte, maxMessage)}
}

// receive is that of receiver. It never says more, and so is never asked not to wait.
func (r *plainReceiver) receive(bool) (msgs [][]byte, truncated int, more bool, err error) {
	n, _, flags, _, err := r.conn.ReadMsgUnix(r.buf, nil)
	switch {
	case err != nil:
		return nil, 0, false, err
	case flags&syscall.MSG_TRUNC != 0:
		return nil, 1, false, nil
	}
	r.msg[0] = r.buf[:n]
	return r.msg[:], 0, false, nil
}

func (r *plainReceiver) close() error { return nil }
