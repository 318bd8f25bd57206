package transport

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
)

// listen returns a listener on a free port and a configuration that leads there.
func listen(t *testing.T) (net.Listener, SyslogConfig) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	cfg := syslogConfig()
	cfg.Host, cfg.Port, cfg.Source = "127.0.0.1", l.Addr().(*net.TCPAddr).Port, "h"
	return l, cfg
}

func newStream(t *testing.T, cfg SyslogConfig) *SyslogStream {
	t.Helper()
	s, err := NewSyslogStream(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func accept(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// frames splits a stream of bytes into messages and cuts the records from them. The rest is what follows the last
// whole message.
func frames(t *testing.T, stream []byte, octet bool) (records []string, rest []byte) {
	t.Helper()
	for {
		message, rest, ok := bytes.Cut(stream, []byte("\n"))
		if octet {
			var digits []byte
			digits, rest, ok = bytes.Cut(stream, []byte(" "))
			size, _ := strconv.Atoi(string(digits))
			if ok = ok && size > 0 && size <= len(rest); ok {
				message, rest = rest[:size], rest[size:]
			}
		}
		if !ok {
			return records, stream
		}
		_, record, ok := strings.Cut(string(message), " SysFlow - ")
		if !ok {
			t.Fatalf("not a message: %q", message)
		}
		records, stream = append(records, record), rest
	}
}

func TestStreamFraming(t *testing.T) {
	pki := newPKI(t)
	for name, tt := range map[string]struct {
		proto, framing string
		octet          bool
	}{
		"tcp": {"tcp", "auto", false}, "tcp, octet": {"tcp", "octet", true},
		"tls": {"tls", "auto", true}, "tls, newline": {"tls", "newline", false},
	} {
		t.Run(name, func(t *testing.T) {
			l, cfg := listen(t)
			cfg.Proto, cfg.Framing, cfg.CA = tt.proto, tt.framing, pki.ca
			if tt.proto == "tls" {
				l = tls.NewListener(l, pki.server)
			}
			s := newStream(t, cfg)
			received := make(chan []byte, 1)
			go func() {
				c, err := l.Accept()
				if err != nil {
					t.Error(err)
					return
				}
				b, err := io.ReadAll(c)
				if err != nil {
					t.Error(err)
				}
				received <- b
				c.Close()
			}()
			want(t, "open", s.Open(t.Context()), nil)
			batch := append(numbered(0, 3000), encode.Item{Data: bytes.Repeat([]byte("x"), 100_000)}) // larger than a piece
			for _, b := range [][]encode.Item{batch[:1], batch[1:1000], batch[1000:]} {
				if err := s.Deliver(t.Context(), b); err != nil {
					t.Fatal(err)
				}
			}
			flush(t, s)
			want(t, "close", s.Close(), nil)
			records, rest := frames(t, <-received, tt.octet)
			same(t, records, batch)
			want(t, "rest", len(rest), 0)
		})
	}
}

// flush flushes until nothing is left.
func flush(t *testing.T, s *SyslogStream) {
	t.Helper()
	for {
		left, err := s.Flush(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if left == 0 {
			return
		}
	}
}

// TestStreamEnds has the receiver end the connection while nothing is sent: the next record goes to a new connection.
func TestStreamEnds(t *testing.T) {
	l, cfg := listen(t)
	s := newStream(t, cfg)
	defer s.Close()
	for i := range 3 {
		batch := numbered(10*i, 10)
		if err := s.Deliver(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		c := accept(t, l)
		r := bufio.NewReader(c)
		for n := range batch {
			line, err := r.ReadBytes('\n')
			if err != nil {
				t.Fatal(err)
			}
			records, _ := frames(t, line, false)
			same(t, records, batch[n:n+1])
		}
		flush(t, s) // the receiver has it, so its kernel has acknowledged it
		c.Close()
		<-s.Wake()
		want(t, "nothing to do", s.Deliver(t.Context(), nil), nil)
	}
}

// peek returns what the kernel has taken for c and c has not read, and leaves it there: reading would make room for
// more.
func peek(t *testing.T, c net.Conn) []byte {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1<<20)
	n := 0
	if err := raw.Control(func(fd uintptr) { n, _, err = unix.Recvfrom(int(fd), buf, unix.MSG_PEEK|unix.MSG_DONTWAIT) }); err != nil {
		t.Fatal(err)
	}
	return buf[:max(n, 0)]
}

// settled waits until the far side acknowledges no more.
func settled(t *testing.T, s *SyslogStream) {
	t.Helper()
	before := int64(-1)
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		n, err := s.conn.unacknowledged()
		if err != nil {
			t.Fatal(err)
		}
		if n == before {
			return
		}
		before = n
	}
}

// reset ends a connection as a crash of the receiver does.
func reset(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// TestStreamSendsAgain has a receiver that stops reading and then crashes. What its kernel had taken is on the first
// connection, all the rest on the second, without a new record to push it; a message that was cut off is repeated.
func TestStreamSendsAgain(t *testing.T) {
	l, cfg := listen(t)
	s := newStream(t, cfg)
	defer s.Close()
	batch := numbered(0, 20000)
	if err := s.Deliver(t.Context(), batch[:10000]); err != nil { // about a megabyte: the socket takes it
		t.Fatal(err)
	}
	c := accept(t, l)
	if err := s.Deliver(t.Context(), batch[10000:]); err != nil {
		t.Fatal(err)
	}
	settled(t, s)
	records, cut := frames(t, peek(t, c), false)
	if len(records) == 0 || len(records) == len(batch) {
		t.Fatalf("the receiver's kernel has taken %d records: no test", len(records))
	}
	reset(t, c)
	<-s.Wake()

	received := make(chan []byte, 1)
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
		received <- b
	}()
	want(t, "delivery of nothing new", s.Deliver(t.Context(), nil), nil)
	flush(t, s)
	want(t, "records in the outbox", len(s.Unsent()), 0)
	want(t, "close", s.Close(), nil)
	again, rest := frames(t, <-received, false)
	want(t, "rest", len(rest), 0)
	t.Logf("%d records and %d bytes of another on the first connection, %d on the second", len(records), len(cut), len(again))
	same(t, append(records, again...), batch)
}

// TestStreamSlow has a receiver that does not read at all. Deliver ends in time and says what it has not written; of
// what it has written, Unsent says what did not get across.
func TestStreamSlow(t *testing.T) {
	l, cfg := listen(t)
	cfg.Timeout = 200 * time.Millisecond
	s := newStream(t, cfg)
	defer s.Close()
	want(t, "open", s.Open(t.Context()), nil)
	c := accept(t, l)
	batch := large(2000) // more than sockets take
	err := s.Deliver(t.Context(), batch)
	if !errors.Is(err, syscall.ETIMEDOUT) && !isTimeout(err) {
		t.Fatalf("got %v, want a timeout", err)
	}
	rest := undelivered(t, batch, err)
	if len(rest) == 0 || len(rest) == len(batch) {
		t.Fatalf("%d of %d not written: no test", len(rest), len(batch))
	}
	written := batch[:len(batch)-len(rest)]
	unsent := s.Unsent()
	if len(unsent) == 0 || len(unsent) >= len(written) {
		t.Fatalf("%d of %d not acknowledged: no test", len(unsent), len(written))
	}
	records, _ := frames(t, peek(t, c), false)
	if len(records) > len(written)-len(unsent) {
		records = records[:len(written)-len(unsent)] // the kernel goes on after the connection has been given up
	}
	for _, it := range unsent {
		records = append(records, string(it.Data))
	}
	same(t, records, written)
}

// large makes n records of 8 kB.
func large(n int) []encode.Item {
	batch := numbered(0, n)
	for i := range batch {
		batch[i].Data = fmt.Appendf(nil, `{"n":%d,"pad":"%s"}`, i, bytes.Repeat([]byte("x"), 8000))
	}
	return batch
}

func isTimeout(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

// TestStreamInterrupted ends the context while the receiver does not read.
func TestStreamInterrupted(t *testing.T) {
	l, cfg := listen(t)
	s := newStream(t, cfg)
	defer s.Close()
	want(t, "open", s.Open(t.Context()), nil)
	accept(t, l)
	ctx, cancel := context.WithCancel(t.Context())
	begin := make(chan time.Time, 1)
	batch := large(2000)
	go func() {
		settled(t, s)
		begin <- time.Now()
		cancel()
	}()
	if err := s.Deliver(ctx, batch); err == nil {
		t.Error("everything was written: no test")
	}
	if d := time.Since(<-begin); d > cfg.Timeout/2 {
		t.Errorf("took %v", d)
	}
}

// TestStreamFlushStalls wants Flush to return although the receiver does not read, and to send again what it has not
// taken once it has crashed.
func TestStreamFlushStalls(t *testing.T) {
	l, cfg := listen(t)
	s := newStream(t, cfg)
	defer s.Close()
	batch := numbered(0, 20000)
	want(t, "deliver", s.Deliver(t.Context(), batch), nil)
	c := accept(t, l)
	left, err := s.Flush(t.Context())
	if left == 0 || err != nil {
		t.Fatalf("got %d left, %v", left, err)
	}
	settled(t, s)
	records, _ := frames(t, peek(t, c), false)
	reset(t, c)
	<-s.conn.broken
	l.Close()
	left, err = s.Flush(t.Context())
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("without a receiver: got %v, want %v", err, syscall.ECONNREFUSED)
	}
	want(t, "left", left, len(batch)-len(records))
}

// TestStreamRefused begins without a receiver.
func TestStreamRefused(t *testing.T) {
	l, cfg := listen(t)
	l.Close()
	s := newStream(t, cfg)
	defer s.Close()
	for what, err := range map[string]error{
		"probe": s.Probe(t.Context()), "open": s.Open(t.Context()), "deliver": s.Deliver(t.Context(), items("1")),
	} {
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: got %v, want %v", what, err, syscall.ECONNREFUSED)
		}
	}
	if left, err := s.Flush(t.Context()); left != 0 || err != nil {
		t.Errorf("flush: %d left, %v", left, err)
	}
	l, err := net.Listen("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	want(t, "probe", s.Probe(t.Context()), nil)
	want(t, "deliver", s.Deliver(t.Context(), items("1")), nil)
	probe := accept(t, l)
	if b, err := io.ReadAll(probe); len(b) != 0 || err != nil {
		t.Errorf("the health check has sent %q, %v", b, err)
	}
}

// TestStreamIPv6 takes an address with and without brackets.
func TestStreamIPv6(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("needs IPv6 on the loopback interface:", err)
	}
	defer l.Close()
	for _, host := range []string{"::1", "[::1]"} {
		cfg := syslogConfig()
		cfg.Host, cfg.Port = host, l.Addr().(*net.TCPAddr).Port
		want(t, host, newStream(t, cfg).Probe(t.Context()), nil)
	}
}

func TestStreamTLS(t *testing.T) {
	pki, other := newPKI(t), newPKI(t)
	mutual := pki.server.Clone()
	mutual.ClientAuth, mutual.ClientCAs = tls.RequireAndVerifyClientCert, pki.pool
	old := pki.server.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS11, tls.VersionTLS11
	mutual12 := mutual.Clone()
	mutual12.MaxVersion = tls.VersionTLS12

	for name, tt := range map[string]struct {
		server *tls.Config
		change func(*SyslogConfig)
		want   string // part of the error; empty: none
	}{
		"good":                     {pki.server, nil, ""},
		"name":                     {pki.server, func(c *SyslogConfig) { c.ServerName = "localhost" }, ""},
		"wrong name":               {pki.server, func(c *SyslogConfig) { c.ServerName = "log.example.com" }, "set syslog.tls.servername"},
		"unknown authority":        {pki.server, func(c *SyslogConfig) { c.CA = other.ca }, "set syslog.tls.ca"},
		"system's authorities":     {pki.server, func(c *SyslogConfig) { c.CA = "" }, "set syslog.tls.ca"},
		"insecure":                 {pki.server, func(c *SyslogConfig) { c.CA, c.ServerName, c.Insecure = "", "log.example.com", true }, ""},
		"old version":              {old, nil, "protocol version"},
		"client certificate":       {mutual, func(c *SyslogConfig) { c.Cert, c.Key = pki.cert, pki.key }, ""},
		"no client certificate":    {mutual, nil, "refused after the handshake"},
		"no client certificate, 2": {mutual12, nil, "handshake failure"},
		"another's certificate":    {mutual, func(c *SyslogConfig) { c.Cert, c.Key = other.cert, other.key }, "refused after the handshake"},
	} {
		t.Run(name, func(t *testing.T) {
			l, cfg := listen(t)
			cfg.Proto, cfg.CA = "tls", pki.ca
			if tt.change != nil {
				tt.change(&cfg)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				c, err := tls.NewListener(l, tt.server).Accept()
				if err == nil {
					_, _ = io.Copy(io.Discard, c) // an error is what some cases are about
					c.Close()
				}
			}()
			err := newStream(t, cfg).Probe(t.Context())
			<-done
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestStreamNotTLS speaks TLS to a receiver that does not.
func TestStreamNotTLS(t *testing.T) {
	l, cfg := listen(t)
	cfg.Proto, cfg.Timeout = "tls", 100*time.Millisecond
	if err := newStream(t, cfg).Probe(t.Context()); !errors.Is(err, context.DeadlineExceeded) && !isTimeout(err) {
		t.Errorf("got %v, want a timeout", err)
	}
	accept(t, l)
}

// TestStreamFiles wants missing certificates to be noticed when the stage is built.
func TestStreamFiles(t *testing.T) {
	pki := newPKI(t)
	for name, tt := range map[string]struct {
		change func(*SyslogConfig)
		want   string
	}{
		"no authority":        {func(c *SyslogConfig) { c.CA = "/nonexistent" }, "syslog.tls.ca: open /nonexistent"},
		"authority not a PEM": {func(c *SyslogConfig) { c.CA = "/dev/null" }, "syslog.tls.ca: /dev/null holds no certificate"},
		"no certificate":      {func(c *SyslogConfig) { c.Cert, c.Key = "/nonexistent", pki.key }, "syslog.tls.cert: open /nonexistent"},
		"no key":              {func(c *SyslogConfig) { c.Cert, c.Key = pki.cert, "/nonexistent" }, "syslog.tls.cert: open /nonexistent"},
	} {
		cfg := syslogConfig()
		cfg.Proto = "tls"
		tt.change(&cfg)
		if _, err := NewSyslogStream(cfg, nil); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

func TestStreamAdvice(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*SyslogConfig)
		want   []string
	}{
		"tcp":         {func(*SyslogConfig) {}, nil},
		"tls":         {func(c *SyslogConfig) { c.Proto = "tls" }, []string{"level=INFO", "port=514 registered=6514"}},
		"tls on 6514": {func(c *SyslogConfig) { c.Proto, c.Port = "tls", 6514 }, nil},
		"insecure":    {func(c *SyslogConfig) { c.Proto, c.Port, c.Insecure = "tls", 6514, true }, []string{"level=WARN", "syslog.tls.insecure"}},
	} {
		cfg := syslogConfig()
		tt.change(&cfg)
		var log bytes.Buffer
		if _, err := NewSyslogStream(cfg, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
			t.Fatal(err)
		}
		want(t, name+": something in the log", log.Len() > 0, len(tt.want) > 0)
		for _, part := range tt.want {
			if !strings.Contains(log.String(), part) {
				t.Errorf("%s: log %q lacks %q", name, log.String(), part)
			}
		}
	}
}

// BenchmarkSyslogStream writes to a receiver that reads as fast as it can.
func BenchmarkSyslogStream(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			_, _ = io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	cfg := syslogConfig()
	cfg.Host, cfg.Port = "127.0.0.1", l.Addr().(*net.TCPAddr).Port
	s, err := NewSyslogStream(cfg, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	batch := numbered(0, 1024)
	for i := range batch {
		batch[i].Data = fmt.Appendf(nil, `{"n":%d,"pad":"%s"}`, i, strings.Repeat("x", 1500))
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Deliver(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*1024/b.Elapsed().Seconds(), "records/s")
}
