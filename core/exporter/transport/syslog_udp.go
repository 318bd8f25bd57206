package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
)

// SyslogUDP sends each record in a datagram. What is sent counts as delivered.
type SyslogUDP struct {
	cfg    SyslogConfig
	format *syslogFormat
	conn   net.Conn // nil before the first Deliver, and after an error
	buf    []byte
}

// NewSyslogUDP returns a transport to the receiver of cfg.
func NewSyslogUDP(cfg SyslogConfig) *SyslogUDP {
	return &SyslogUDP{cfg: cfg, format: newSyslogFormat(cfg)}
}

// Probe looks up the receiver's address. Whether anybody receives there cannot be known.
func (s *SyslogUDP) Probe(ctx context.Context) error {
	conn, err := s.dial(ctx)
	if err != nil {
		return err
	}
	return conn.Close()
}

func (s *SyslogUDP) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: s.cfg.Timeout}
	conn, err := d.DialContext(ctx, "udp", s.cfg.address())
	if err != nil {
		return nil, fmt.Errorf("syslog receiver: %w", err)
	}
	return conn, nil
}

// Deliver sends the batch. That nobody receives shows, if at all, when the next datagram is sent: one record is lost
// with each attempt. Records that do not fit into a datagram are undeliverable.
func (s *SyslogUDP) Deliver(ctx context.Context, batch []encode.Item) error {
	if s.conn == nil {
		conn, err := s.dial(ctx)
		if err != nil {
			return err
		}
		s.conn = conn
	}
	defer context.AfterFunc(ctx, expire(s.conn))()
	s.format.stamp(time.Now())
	var failed ItemErrors
	for i := range batch {
		err := s.send(&batch[i])
		if _, tooLarge := errors.AsType[*sizeError](err); tooLarge {
			failed.Items = append(failed.Items, ItemError{Index: i, Verdict: Undeliverable, Cause: "message too large", Err: err})
		} else if err != nil {
			_ = s.Close() // the receiver may have moved to another address
			for j := i; j < len(batch); j++ {
				failed.Items = append(failed.Items, ItemError{Index: j, Verdict: Retry, Cause: "send", Err: err})
			}
			break
		}
	}
	if len(failed.Items) > 0 {
		return &failed
	}
	return nil
}

// expire returns a function that makes writing to conn fail.
func expire(conn net.Conn) func() {
	return func() { _ = conn.SetWriteDeadline(time.Unix(1, 0)) } // an error means that the connection is closed
}

// sizeError says that a message does not fit into a datagram.
type sizeError struct {
	size  int
	limit int64
}

func (e *sizeError) Error() string {
	return fmt.Sprintf("%d bytes do not fit into a datagram of %d", e.size, e.limit)
}

// send sends a record.
func (s *SyslogUDP) send(it *encode.Item) error {
	if size := s.format.size(it); int64(size) > s.cfg.MaxSize {
		return &sizeError{size, s.cfg.MaxSize}
	}
	s.buf = s.format.append(s.buf[:0], it)
	_, err := s.conn.Write(s.buf)
	if errors.Is(err, syscall.EMSGSIZE) { // the network takes less than the configuration says
		return &sizeError{len(s.buf), s.cfg.MaxSize}
	}
	return err
}

// Close closes the socket.
func (s *SyslogUDP) Close() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}
