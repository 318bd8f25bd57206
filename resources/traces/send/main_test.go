package main

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// processor listens, and counts what it gets by type.
type processor struct {
	path string
	l    *net.UnixListener

	mu       sync.Mutex // covers the rest
	types    map[int64]int
	versions map[int64]int // of headers
}

func listen(t *testing.T) *processor {
	t.Helper()
	p := &processor{path: filepath.Join(t.TempDir(), "s"), types: map[int64]int{}, versions: map[int64]int{}}
	var err error
	if p.l, err = net.ListenUnix("unixpacket", &net.UnixAddr{Name: p.path, Net: "unixpacket"}); err != nil {
		t.Skip("no such sockets here:", err)
	}
	t.Cleanup(func() { p.l.Close() })
	return p
}

// serve takes connections until each has ended.
func (p *processor) serve(t *testing.T, connections int) {
	schema, _ := codec.Schema(codec.CurrentSchema)
	dec, err := codec.NewDecoder(schema)
	if err != nil {
		t.Error(err)
		return
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	for range connections {
		conn, err := p.l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		wg.Go(func() {
			defer conn.Close()
			p.receive(t, conn, dec)
		})
	}
}

func (p *processor) receive(t *testing.T, conn net.Conn, dec *codec.Decoder) {
	buf := make([]byte, 1<<16)
	for {
		n, err := conn.Read(buf)
		if errors.Is(err, io.EOF) {
			return
		}
		var rec codec.Record
		if err == nil {
			var used int
			if used, err = dec.Decode(buf[:n], &rec); err == nil && used != n {
				err = errors.New("the message is longer than its record")
			}
		}
		if err != nil {
			t.Error(err)
			return
		}
		p.mu.Lock()
		p.types[rec.Type]++
		if rec.Type == sfgo.HEADER {
			p.versions[rec.Header.Version]++
		}
		p.mu.Unlock()
	}
}

func TestSend(t *testing.T) {
	p := listen(t)
	var serving sync.WaitGroup
	serving.Go(func() { p.serve(t, 3) })
	var stderr strings.Builder
	code := run(t.Context(), []string{"-repeat", "2", "-connections", "3", p.path, "../tcp.sf", "../pod.sf"}, &stderr)
	serving.Wait()
	if code != 0 {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
	if want := 3 * 2 * 3; p.types[sfgo.HEADER] != want || p.versions[headerVersion] != want { // one trace has two
		t.Errorf("%d headers of versions %v, want %d of version %d", p.types[sfgo.HEADER], p.versions, want, headerVersion)
	}
	for typ, n := range p.types {
		if n%6 != 0 {
			t.Errorf("%d records of type %d, want a multiple of 6", n, typ)
		}
	}
	if p.types[sfgo.POD] == 0 || p.types[sfgo.NET_FLOW] == 0 {
		t.Errorf("types are %v, want pods and network flows among them", p.types)
	}
}

func TestFaults(t *testing.T) {
	nobody := filepath.Join(t.TempDir(), "nobody")
	p := listen(t)
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no arguments":  {nil, 2, "want a socket and one trace or more"},
		"no trace":      {[]string{"s"}, 2, "want a socket and one trace or more"},
		"negative rate": {[]string{"-rate", "-1", "s", "t"}, 2, "-rate -1 is no rate"},
		"no connection": {[]string{"-connections", "0", "s", "t"}, 2, "have to be 1 or more"},
		"unknown flag":  {[]string{"-fast", "s", "t"}, 2, "-fast"},
		"nobody there":  {[]string{nobody, "../tcp.sf"}, 1, "connect to the processor"},
		"missing trace": {[]string{p.path, "nothing.sf"}, 1, "open trace: open nothing.sf"},
		"not a trace":   {[]string{p.path, "main.go"}, 1, "not a trace"},
		"help":          {[]string{"-h"}, 0, "usage: send"},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr strings.Builder
			if code := run(t.Context(), tt.args, &stderr); code != tt.code || !strings.Contains(stderr.String(), tt.want) {
				t.Errorf("exit code %d, %q; want %d and %q", code, &stderr, tt.code, tt.want)
			}
		})
	}
}

// TestStop ends the context while the processor takes nothing.
func TestStop(t *testing.T) {
	p := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	accepted := make(chan struct{})
	var serving sync.WaitGroup
	serving.Go(func() {
		conn, err := p.l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		close(accepted)
		<-ctx.Done()
		conn.Close()
	})
	code := make(chan int)
	go func() { code <- run(ctx, []string{"-repeat", "1000", p.path, "../tcp.sf"}, io.Discard) }()
	<-accepted
	cancel()
	if c := <-code; c != 1 {
		t.Errorf("exit code %d, want 1", c)
	}
	serving.Wait()
}

func TestPace(t *testing.T) {
	start := time.Now()
	for name, tt := range map[string]struct {
		rate    float64
		sent    int
		elapsed time.Duration
		want    time.Duration
	}{
		"no rate":       {0, 1000, 0, 0},
		"the first":     {10, 0, 0, 0},
		"the second":    {10, 1, 0, 100 * time.Millisecond},
		"half the time": {10, 1, 50 * time.Millisecond, 50 * time.Millisecond},
		"late":          {10, 1, time.Second, 0},
		"almost due":    {10, 1, 99*time.Millisecond + grain/2, 0},
		"rare":          {0.1, 1, time.Second, 9 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (pace{tt.rate, start}).delay(tt.sent, start.Add(tt.elapsed)); got != tt.want {
				t.Errorf("delay is %v, want %v", got, tt.want)
			}
		})
	}
}
