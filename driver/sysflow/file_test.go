package sysflow

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// makeTrace returns a trace of several blocks, whose headers name the exporter.
func makeTrace(t *testing.T, exporter string, records int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := codec.NewWriter(&b, &codec.WriterConfig{BlockSize: 100, Codec: "null", Sync: [16]byte{1, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	for range records {
		rec := &sfgo.RecUnion{
			UnionType: sfgo.RecUnionTypeEnumSFHeader,
			SFHeader:  &sfgo.SFHeader{Version: 5, Exporter: exporter, Ip: "NA", Filename: strings.Repeat("f", 40)},
		}
		if err := w.Write(&sfgo.SysFlow{Rec: rec}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// consumer stands for the reader stage: it decodes what the driver brings.
type consumer struct {
	names   []string // of streams, as they end
	headers []string // exporters of the headers, in order
}

// consume takes blocks until the channel is closed.
func (c *consumer) consume(ch *plugins.SFChannel) {
	var decoders codec.Decoders
	for b := range ch.Batches() {
		dec, err := decoders.Get(b.Stream.Schema)
		if err != nil {
			panic(err)
		}
		var rec codec.Record
		at := 0
		for i := range b.Count {
			n, err := dec.Decode(b.Data[at:], &rec)
			if err != nil {
				b.Fault(i, err)
				break
			}
			at += n
			c.headers = append(c.headers, string(rec.Header.Exporter))
		}
		if b.Last {
			c.names = append(c.names, filepath.Base(b.Stream.Name))
		}
		if b.Release != nil {
			b.Release()
		}
	}
}

// outcome is what a run of the driver came to.
type outcome struct {
	consumer
	err error
	log string
}

// drive runs the driver on a path to its end.
func drive(t *testing.T, path string, stdin io.Reader) outcome {
	t.Helper()
	var log syncBuffer
	f := NewFile(stdin, slog.New(slog.NewTextHandler(&log, nil)))
	ch := plugins.NewChannel[*sfgo.SysFlow, *plugins.Block](4096, flattener.BatchSize)
	var o outcome
	var wg sync.WaitGroup
	wg.Go(func() { o.consume(ch) })
	o.err = f.RunContext(t.Context(), map[string]any{"path": path}, ch)
	ch.CloseBatches()
	wg.Wait()
	o.log = log.String()
	return o
}

// syncBuffer is a buffer that several goroutines write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// put writes files below a new directory.
func put(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func wantError(t *testing.T, err error, text string) {
	t.Helper()
	switch {
	case text == "" && err != nil:
		t.Errorf("unexpected error: %v", err)
	case text != "" && (err == nil || !strings.Contains(err.Error(), text)):
		t.Errorf("error is %v, want one with %q", err, text)
	}
}

func TestFile(t *testing.T) {
	good := makeTrace(t, "good", 10)
	// A flipped byte in the middle of a block: its last record has a length that runs past the end.
	bad := slices.Clone(good)
	bad[len(bad)-16-2*50] ^= 0xff
	for name, tt := range map[string]struct {
		data    []byte
		headers int // decoded
		err     string
		log     string
	}{
		"whole":               {good, 10, "", ""},
		"not a trace":         {[]byte("Obj?"), 0, "not a trace", ""},
		"empty":               {nil, 0, "not a trace", ""},
		"ends in its header":  {good[:40], 0, "", "ends inside its header"},
		"ends inside a block": {good[:len(good)-20], 8, "", "level=WARN msg=\"the trace ends inside a block\""},
		"damaged":             {bad, 8, "1 of 1 traces damaged", "level=ERROR msg=\"the trace is damaged\""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := put(t, map[string][]byte{"a.sf": tt.data})
			o := drive(t, filepath.Join(dir, "a.sf"), nil)
			wantError(t, o.err, tt.err)
			if len(o.headers) < tt.headers || tt.err == "" && len(o.headers) != tt.headers {
				t.Errorf("decoded %d records, want %d", len(o.headers), tt.headers)
			}
			if !strings.Contains(o.log, tt.log) || tt.log == "" && o.log != "" {
				t.Errorf("log is %q, want %q in it", o.log, tt.log)
			}
		})
	}
}

func TestFileMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nothing.sf")
	o := drive(t, path, nil)
	wantError(t, o.err, "open trace: stat "+path+": no such file or directory")
}

func TestNoPath(t *testing.T) {
	wantError(t, drive(t, "", nil).err, "no path")
}

func TestDirectory(t *testing.T) {
	trace := func(name string) []byte { return makeTrace(t, name, 3) }
	for name, tt := range map[string]struct {
		files map[string][]byte
		want  []string // names, in order
		err   string
		log   string
	}{
		"epochs": {
			map[string][]byte{"z.900": trace("1"), "a.1000": trace("2"), "b-1001.sf": trace("3")},
			[]string{"z.900", "a.1000", "b-1001.sf"}, "", "",
		},
		"names": {
			map[string][]byte{"z.900": trace("1"), "a.1000": trace("2"), "b": trace("3")},
			[]string{"a.1000", "b", "z.900"}, "", "",
		},
		"others are skipped": {
			map[string][]byte{"a": trace("1"), ".hidden": trace("2"), "sub/b": trace("3"), "notes": []byte("to do"), "empty": nil},
			[]string{"a"}, "", `entries=4 first=.hidden`,
		},
		"no trace": {map[string][]byte{"notes": nil}, nil, "there is no trace in it", "entries=1"},
		"a bad header costs one trace": {
			map[string][]byte{"a": append([]byte("Obj\x01"), 1, 1, 1, 1), "b": trace("2")},
			[]string{"b"}, "1 of 2 traces damaged or unreadable", "cannot read a trace",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := drive(t, put(t, tt.files), nil)
			wantError(t, o.err, tt.err)
			if !slices.Equal(o.names, tt.want) {
				t.Errorf("read %v, want %v", o.names, tt.want)
			}
			if !strings.Contains(o.log, tt.log) || tt.log == "" && o.log != "" {
				t.Errorf("log is %q, want %q in it", o.log, tt.log)
			}
		})
	}
}

func TestStdin(t *testing.T) {
	o := drive(t, Stdin, bytes.NewReader(makeTrace(t, "in", 10)))
	wantError(t, o.err, "")
	if len(o.headers) != 10 {
		t.Errorf("decoded %d records, want 10", len(o.headers))
	}
}

func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip("no named pipes here:", err)
	}
	data := makeTrace(t, "pipe", 10)
	var wg sync.WaitGroup
	wg.Go(func() {
		w, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer w.Close()
		if _, err := w.Write(data); err != nil {
			t.Error(err)
		}
	})
	o := drive(t, path, nil)
	wg.Wait()
	wantError(t, o.err, "")
	if len(o.headers) != 10 {
		t.Errorf("decoded %d records, want 10", len(o.headers))
	}
}

// TestStop ends the context while the driver waits for something that never comes.
func TestStop(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip("no named pipes here:", err)
	}
	file := filepath.Join(put(t, map[string][]byte{"a": makeTrace(t, "a", 5000)}), "a")
	idle, idleEnd := io.Pipe()
	defer idleEnd.Close()
	for name, tt := range map[string]struct {
		path  string
		stdin io.Reader
	}{
		"a pipe without a writer":     {fifo, nil},
		"standard input without data": {Stdin, idle},
		"a channel that is not read":  {file, nil},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			f := NewFile(tt.stdin, nil)
			ch := plugins.NewChannel[*sfgo.SysFlow, *plugins.Block](16, flattener.BatchSize)
			done := make(chan error, 1)
			go func() { done <- f.RunContext(ctx, map[string]any{"path": tt.path}, ch) }()
			cancel()
			if err := <-done; err != nil {
				t.Errorf("stopped with %v, want nil", err)
			}
		})
	}
}

func TestCounters(t *testing.T) {
	data := makeTrace(t, "a", 100)
	dir := put(t, map[string][]byte{"a.1": data, "b.2": data})
	f := NewFile(nil, nil)
	ch := plugins.NewChannel[*sfgo.SysFlow, *plugins.Block](4096, flattener.BatchSize)
	var wg sync.WaitGroup
	wg.Go(func() { new(consumer).consume(ch) })
	if err := f.RunContext(t.Context(), map[string]any{"path": dir}, ch); err != nil {
		t.Fatal(err)
	}
	ch.CloseBatches()
	wg.Wait()
	got := map[string]uint64{}
	f.Counters(func(name string, v uint64) { got[name] = v })
	if want := uint64(2 * len(data)); got["bytes"] != want || got["bytes.total"] != want {
		t.Errorf("counters are %v, want %d twice", got, want)
	}
}

func TestFollowIsRefused(t *testing.T) {
	wantError(t, (&FileConfig{Follow: true}).Validate(), "follow: ")
}

// TestRealTraces reads the public traces, if there are any, as one directory.
func TestRealTraces(t *testing.T) {
	dir := os.Getenv("SYSFLOW_TRACES")
	if dir == "" {
		t.Skip("SYSFLOW_TRACES is not set")
	}
	o := drive(t, dir, nil)
	wantError(t, o.err, "")
	if len(o.names) < 8 {
		t.Errorf("read %v, want 8 traces or more", o.names)
	}
}
