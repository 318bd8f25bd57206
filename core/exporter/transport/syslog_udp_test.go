package transport

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
)

func listenUDP(t *testing.T) (net.PacketConn, SyslogConfig) {
	t.Helper()
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	cfg := syslogConfig()
	cfg.Proto, cfg.Host, cfg.Port, cfg.Source = "udp", "127.0.0.1", l.LocalAddr().(*net.UDPAddr).Port, "h"
	return l, cfg
}

func TestUDP(t *testing.T) {
	l, cfg := listenUDP(t)
	s := NewSyslogUDP(cfg)
	want(t, "probe", s.Probe(t.Context()), nil)
	overhead := s.format
	overhead.stamp(time.Now())
	largest := int(cfg.MaxSize) - overhead.size(&encode.Item{})
	batch := items("1", strings.Repeat("x", largest+1), strings.Repeat("x", largest), "4")
	err := s.Deliver(t.Context(), batch)
	e, ok := errors.AsType[*ItemErrors](err)
	if !ok || len(e.Items) != 1 || e.Items[0].Index != 1 || e.Items[0].Verdict != Undeliverable {
		t.Errorf("got %v, want the second item to be undeliverable", err)
	} else {
		want(t, "reason", e.Items[0].Reason().Error(), "message too large: 65508 bytes do not fit into a datagram of 65507")
	}
	buf := make([]byte, 1<<16)
	for _, i := range []int{0, 2, 3} {
		n, _, err := l.ReadFrom(buf)
		if err != nil {
			t.Fatal(err)
		}
		header, record, _ := strings.Cut(string(buf[:n]), " SysFlow - ")
		want(t, "header", strings.HasPrefix(header, "<30>1 ") && strings.Contains(header, " h SysFlow "), true)
		want(t, "record", record, string(batch[i].Data))
	}
	want(t, "close", s.Close(), nil)
	want(t, "close again", s.Close(), nil)
}

// TestUDPRefused has nobody receive: the second datagram shows it.
func TestUDPRefused(t *testing.T) {
	l, cfg := listenUDP(t)
	l.Close()
	s := NewSyslogUDP(cfg)
	defer s.Close()
	batch := items("1", "2", "3")
	err := s.Deliver(t.Context(), batch)
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("got %v, want %v", err, syscall.ECONNREFUSED)
	}
	want(t, "to be tried again", len(undelivered(t, batch, err)), 2)

	l, lerr := net.ListenPacket("udp", l.LocalAddr().String())
	if lerr != nil {
		t.Fatal(lerr)
	}
	defer l.Close()
	want(t, "deliver", s.Deliver(t.Context(), undelivered(t, batch, err)), nil)
}

// TestUDPUnknownHost cannot find the receiver.
func TestUDPUnknownHost(t *testing.T) {
	cfg := syslogConfig()
	cfg.Proto, cfg.Host = "udp", "host.invalid"
	s := NewSyslogUDP(cfg)
	for what, err := range map[string]error{"probe": s.Probe(t.Context()), "deliver": s.Deliver(t.Context(), items("1"))} {
		if _, ok := errors.AsType[*net.DNSError](err); !ok {
			t.Errorf("%s: got %v, want an error of the name service", what, err)
		}
	}
}
