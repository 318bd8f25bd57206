package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
)

const (
	// pieceSize is how many bytes are written at once. It is also the size of a TLS record, the finest grain at which
	// can be told what the far side has.
	pieceSize = 16 << 10

	// settleTime is how long a TLS connection is watched before it is used: with TLS 1.3 the receiver refuses a client
	// after the handshake has succeeded, and what had been sent by then would be lost.
	settleTime = 200 * time.Millisecond

	// flushTime is how long one call of Flush waits.
	flushTime = time.Second

	// registeredTLSPort is the port of syslog over TLS, RFC 5425.
	registeredTLSPort = 6514
)

// SyslogStream sends records over TCP, with or without TLS. Receivers acknowledge nothing. What is known is what the
// kernel at the other end has taken; the rest is sent again if the connection breaks.
type SyslogStream struct {
	cfg    SyslogConfig
	log    *slog.Logger
	format *syslogFormat
	octet  bool        // framing by octet counting
	tls    *tlsOptions // nil without TLS

	conn *stream // nil if there is no connection
	out  outbox
	wake chan struct{}
}

// stream is a connection.
type stream struct {
	net.Conn // TCP, or TLS above it
	tcp      *countedConn

	broken chan struct{} // closed when the far side has ended the connection
	err    error         // why; set before
}

// countedConn counts the bytes written to a connection.
type countedConn struct {
	*net.TCPConn
	written atomic.Int64
}

func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.TCPConn.Write(b)
	c.written.Add(int64(n))
	return n, err
}

// NewSyslogStream returns a transport to the receiver of cfg. It reads certificates, to see whether they are there.
func NewSyslogStream(cfg SyslogConfig, log *slog.Logger) (*SyslogStream, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &SyslogStream{
		cfg: cfg, log: log, format: newSyslogFormat(cfg),
		octet: cfg.Framing == "octet" || cfg.Framing == "auto" && cfg.Proto == "tls",
		wake:  make(chan struct{}, 1),
	}
	if cfg.Proto != "tls" {
		return s, nil
	}
	s.tls = &tlsOptions{
		attr: "syslog.tls", ca: cfg.CA, cert: cfg.Cert, key: cfg.Key, serverName: cfg.ServerName, insecure: cfg.Insecure,
	}
	if s.tls.serverName == "" {
		s.tls.serverName = cfg.hostname()
	}
	if _, err := s.tls.config(); err != nil {
		return nil, err
	}
	if cfg.Insecure {
		log.Warn("syslog.tls.insecure is set: whoever answers is trusted")
	}
	if cfg.Port != registeredTLSPort {
		log.Info("the registered port of syslog over TLS is another one", "port", cfg.Port, "registered", registeredTLSPort)
	}
	return s, nil
}

// Probe connects to the receiver and hangs up.
func (s *SyslogStream) Probe(ctx context.Context) error {
	conn, err := s.dial(ctx)
	if err != nil {
		return err
	}
	return conn.hangUp()
}

// Open connects to the receiver. Deliver does the same if need be.
func (s *SyslogStream) Open(ctx context.Context) error { return s.connect(ctx) }

// dial makes a connection.
func (s *SyslogStream) dial(ctx context.Context) (*stream, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true}}
	conn, err := d.DialContext(ctx, "tcp", s.cfg.address())
	if err != nil {
		return nil, fmt.Errorf("syslog receiver: %w", err)
	}
	tcp := conn.(*net.TCPConn)
	c := &stream{tcp: &countedConn{TCPConn: tcp}, broken: make(chan struct{})}
	c.Conn = c.tcp
	settle := time.Duration(0)
	err = c.limitSilence(s.cfg.Timeout)
	if err == nil && s.tls != nil {
		start := time.Now()
		err = c.secure(ctx, s.tls)
		settle = settleTime + time.Since(start) // an answer takes as long as the handshake did
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("syslog receiver %s: %w", s.cfg.address(), err), tcp.Close())
	}
	go s.watch(c)
	if settle > 0 {
		if err := c.settle(ctx, settle); err != nil {
			return nil, errors.Join(fmt.Errorf("syslog receiver %s: %w", s.cfg.address(), err), c.hangUp())
		}
	}
	return c, nil
}

// limitSilence makes the kernel give the connection up if what it has sent is not acknowledged for so long. Otherwise
// that takes a quarter of an hour.
func (c *stream) limitSilence(d time.Duration) error {
	return c.control(func(fd int) error {
		return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(max(d.Milliseconds(), 1)))
	})
}

// control calls f with the socket.
func (c *stream) control(f func(fd int) error) error {
	raw, err := c.tcp.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) { inner = f(int(fd)) })
	return errors.Join(err, inner)
}

// secure puts TLS above the connection.
func (c *stream) secure(ctx context.Context, o *tlsOptions) error {
	cfg, err := o.config()
	if err != nil {
		return err
	}
	conn := tls.Client(c.tcp, cfg)
	if err := conn.HandshakeContext(ctx); err != nil {
		return o.explain(err)
	}
	c.Conn = conn
	return nil
}

// settle waits for d and says whether the receiver has ended the connection meanwhile.
func (c *stream) settle(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-c.broken:
		return fmt.Errorf("the connection was refused after the handshake: %w", c.err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// watch waits for the far side to end the connection. What receivers send is of no interest.
func (s *SyslogStream) watch(c *stream) {
	_, err := io.Copy(io.Discard, c.Conn)
	if err == nil {
		err = io.EOF
	}
	c.err = err
	close(c.broken)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Wake has a value when the connection has ended. Deliver, even without a batch, then sends again what must be.
func (s *SyslogStream) Wake() <-chan struct{} { return s.wake }

// unacknowledged returns how many of the bytes written to the connection the far side has not acknowledged. It works
// on a broken connection as well, until it is closed.
func (c *stream) unacknowledged() (int64, error) {
	n := 0
	err := c.control(func(fd int) (err error) {
		n, err = unix.IoctlGetInt(fd, unix.SIOCOUTQ)
		return err
	})
	return int64(n), err
}

// hangUp closes the connection, without ceremony: the far side may not listen any more.
func (c *stream) hangUp() error {
	err := c.tcp.Close()
	<-c.broken
	return err
}

// Deliver writes the batch to the connection.
func (s *SyslogStream) Deliver(ctx context.Context, batch []encode.Item) error {
	if s.conn != nil {
		s.look()
	}
	if len(batch) == 0 && len(s.out.frames) == 0 {
		return nil
	}
	if err := s.connect(ctx); err != nil {
		return err
	}
	first := len(s.out.frames)
	s.format.stamp(time.Now())
	for i := range batch {
		s.out.add(s.format, s.octet, &batch[i])
	}
	err := s.write(ctx)
	if err == nil {
		return nil
	}
	done := s.out.written - first
	s.out.takeBack()
	s.leave()
	return fail(done, len(batch), "write", err)
}

// look notes what the far side has acknowledged, and whether it has ended the connection.
func (s *SyslogStream) look() {
	select {
	case <-s.conn.broken:
		s.log.Info("the syslog receiver has ended the connection", "err", s.conn.err)
		s.leave()
	default:
		s.acknowledge()
	}
}

func (s *SyslogStream) acknowledge() {
	written := s.conn.tcp.written.Load() // before the question: with TLS the reading side writes, too
	if n, err := s.conn.unacknowledged(); err == nil {
		s.out.acknowledged(written - n)
	}
}

// leave gives up the connection. What the far side has not acknowledged is to be written to the next one.
func (s *SyslogStream) leave() {
	s.acknowledge()
	s.out.written = 0
	_ = s.conn.hangUp() // it is of no use any more
	s.conn = nil
}

// connect makes a connection unless there is one, and writes to it what an earlier one has left.
func (s *SyslogStream) connect(ctx context.Context) error {
	if s.conn != nil {
		return nil
	}
	conn, err := s.dial(ctx)
	if err != nil {
		return err
	}
	s.conn = conn
	if len(s.out.frames) == 0 {
		return nil
	}
	s.log.Info("sending again what the last connection did not get across", "records", len(s.out.frames))
	if err := s.write(ctx); err != nil {
		s.leave()
		return err
	}
	return nil
}

// write writes the frames that have not been written.
func (s *SyslogStream) write(ctx context.Context) error {
	defer context.AfterFunc(ctx, expire(s.conn))()
	for s.out.written < len(s.out.frames) {
		if err := s.conn.SetWriteDeadline(time.Now().Add(s.cfg.Timeout)); err != nil {
			return err
		}
		if ctx.Err() != nil { // the deadline may have replaced the one that its end has set
			return context.Cause(ctx)
		}
		piece, before := s.out.next(pieceSize), s.conn.tcp.written.Load()
		n, err := s.conn.Write(piece)
		switch {
		case s.tls == nil:
			s.out.wrote(n, func(end int) int64 { return before + int64(end) })
		case err == nil:
			after := s.conn.tcp.written.Load() // where within the records each frame ends is not known
			s.out.wrote(n, func(int) int64 { return after })
		}
		if err != nil {
			return err
		}
	}
	return s.conn.SetWriteDeadline(time.Time{}) // with TLS the reading side writes, too
}

// Flush waits a moment for the far side to acknowledge what Deliver has written, and sends it again if the connection
// has ended. It returns how many records are not acknowledged yet; after an error there is no connection.
func (s *SyslogStream) Flush(ctx context.Context) (left int, err error) {
	if err := s.Deliver(ctx, nil); err != nil {
		return len(s.out.frames), err
	}
	end := time.Now().Add(flushTime)
	for pause := time.Millisecond; len(s.out.frames) > 0 && time.Now().Before(end); pause = min(2*pause, 50*time.Millisecond) {
		select {
		case <-time.After(pause):
			s.acknowledge()
		case <-s.conn.broken:
			err := s.conn.err
			s.leave()
			if len(s.out.frames) == 0 {
				return 0, nil
			}
			return len(s.out.frames), err
		case <-ctx.Done():
			return len(s.out.frames), context.Cause(ctx)
		}
	}
	return len(s.out.frames), nil
}

// Unsent returns the records that Deliver has taken and the far side has not acknowledged. They are valid until the
// next call of another method.
func (s *SyslogStream) Unsent() []encode.Item {
	if s.conn != nil {
		s.acknowledge()
	}
	return s.out.items()
}

// Close closes the connection.
func (s *SyslogStream) Close() error {
	if s.conn == nil {
		return nil
	}
	var err error
	if len(s.out.frames) > 0 {
		err = s.conn.hangUp() // TLS would wait to say goodbye until the far side takes the rest
	} else {
		err = s.conn.Close()
		<-s.conn.broken
	}
	s.conn = nil
	return err
}
