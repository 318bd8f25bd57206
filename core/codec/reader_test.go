package codec_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

var codecs = []string{"null", "deflate", "snappy", "zstandard"}

// TestReader reads traces of all compressions, with any number of workers and through readers of many habits.
func TestReader(t *testing.T) {
	for _, compression := range codecs {
		m := makeTrace(t, compression, 20, 7)
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"whole":       func(r io.Reader) io.Reader { return r },
			"byte wise":   iotest.OneByteReader,
			"half":        iotest.HalfReader,
			"end at once": iotest.DataErrReader,
		} {
			for _, workers := range []int{0, 1, 100} {
				t.Run(fmt.Sprint(compression, " ", name, " ", workers), func(t *testing.T) {
					p := play(t, wrap(bytes.NewReader(m.bytes)), workers)
					if p.openErr != nil || p.err != nil || len(p.damages) > 0 || p.surplus > 0 {
						t.Fatalf("%v, %v, %v, %d", p.openErr, p.err, p.damages, p.surplus)
					}
					if !reflect.DeepEqual(p.records, m.all()) {
						t.Error("other records")
					}
					if p.offset != int64(len(m.bytes)) {
						t.Errorf("offset is %d at the end, want %d", p.offset, len(m.bytes))
					}
				})
			}
		}
	}
}

// TestNotTraces opens what cannot be read.
func TestNotTraces(t *testing.T) {
	schema := schemaText(t, codec.CurrentSchema)
	whole := container("deflate", schema)
	broken := errors.New("the disk is gone")
	for name, tt := range map[string]struct {
		in   io.Reader
		is   error
		want string
	}{
		"empty":             {strings.NewReader(""), codec.ErrNotTrace, "open trace trace.sf: "},
		"text":              {strings.NewReader("hello, world"), codec.ErrNotTrace, ""},
		"part of the magic": {strings.NewReader("Ob"), codec.ErrNotTrace, ""},
		"other version":     {strings.NewReader("Obj\x02\x00"), codec.ErrNotTrace, ""},
		"magic alone":       {strings.NewReader("Obj\x01"), codec.ErrTruncated, "metadata"},
		"inside a key":      {bytes.NewReader(whole[:8]), codec.ErrTruncated, "metadata"},
		"inside the schema": {bytes.NewReader(whole[:1000]), codec.ErrTruncated, "metadata"},
		"inside the marker": {bytes.NewReader(whole[:len(whole)-1]), codec.ErrTruncated, "sync marker"},
		"disk, at once":     {iotest.ErrReader(broken), broken, ""},
		"disk, later":       {io.MultiReader(bytes.NewReader(whole[:1000]), iotest.ErrReader(broken)), broken, ""},
		"codec":             {bytes.NewReader(container("bzip2", schema)), nil, `codec "bzip2" is not supported: want null, deflate, snappy or zstandard`},
		"no schema":         {bytes.NewReader(join([]byte("Obj\x01"), zig(1), text("avro.codec", "null"), zig(0), marker[:])), nil, "no avro.schema"},
		"no metadata":       {bytes.NewReader(join([]byte("Obj\x01"), zig(0), marker[:])), nil, "no avro.schema"},
		"other schema":      {bytes.NewReader(container("null", `"string"`)), nil, "is not SysFlow"},
		"long schema":       {bytes.NewReader(container("null", strings.Repeat(" ", 5<<20))), nil, "more than 4194304 bytes"},
		"endless schema":    {bytes.NewReader(join([]byte("Obj\x01"), zig(1), text("avro.schema"), zig(1<<62))), nil, "more than 4194304 bytes"},
		"negative length":   {bytes.NewReader(join([]byte("Obj\x01"), zig(1, -1))), nil, "length is negative"},
		"bad number":        {bytes.NewReader(join([]byte("Obj\x01"), long10)), nil, "more than 64 bits"},
		"count of -2^63":    {bytes.NewReader(join([]byte("Obj\x01"), zig(-1<<63, 0))), nil, "number of items"},
	} {
		t.Run(name, func(t *testing.T) {
			err := play(t, tt.in, 1).openErr
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("got %v, want %v … %s …", err, tt.is, tt.want)
			}
		})
	}
	if codec.IsTrace([]byte("Obj")) || !codec.IsTrace(whole) {
		t.Error("IsTrace is wrong")
	}
}

// TestMetadata reads headers in the forms that the format allows.
func TestMetadata(t *testing.T) {
	m := makeTrace(t, "null", 1, 3)
	schema := text("avro.schema", m.schema)
	null, other := text("avro.codec", "null"), text("user.note", "anything")
	for name, metadata := range map[string][]byte{
		"no codec":        join(zig(1), schema, zig(0)),
		"more keys":       join(zig(3), other, null, schema, zig(0)),
		"two runs":        join(zig(1), null, zig(2), schema, other, zig(0)),
		"length in bytes": join(zig(-2, int64(len(null)+len(schema))), null, schema, zig(0)),
	} {
		t.Run(name, func(t *testing.T) {
			p := play(t, bytes.NewReader(join([]byte("Obj\x01"), metadata, marker[:], m.bytes[m.blocks[0].head:])), 1)
			if p.openErr != nil || !reflect.DeepEqual(p.records, m.all()) {
				t.Errorf("%v, %d records", p.openErr, len(p.records))
			}
		})
	}
}

// process is a process with an environment of size bytes.
func process(size int) *sfgo.SysFlow {
	return &sfgo.SysFlow{Rec: &sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumProcess, Process: &sfgo.Process{
		Oid: &sfgo.OID{Hpid: int64(size)}, Env: []string{strings.Repeat("x", size)}}}}
}

// TestBigBlocks reads blocks of all sizes, some of which are too big to be inflated ahead, and expects them in order.
func TestBigBlocks(t *testing.T) {
	sizes := []int{10, 2 << 20, 20, 1<<20 - 100, 1 << 20, 1<<20 + 1, 30, 1 << 20}
	for _, compression := range codecs {
		t.Run(compression, func(t *testing.T) {
			var buf bytes.Buffer
			w, err := codec.NewWriter(&buf, &codec.WriterConfig{Codec: compression, BlockSize: 1})
			if err != nil {
				t.Fatal(err)
			}
			for _, size := range sizes {
				if err := w.Write(process(size)); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			schema, blocks := readAll(t, buf.Bytes())
			d := newDecoder(t, schema)
			var got []int
			var rec codec.Record
			for _, b := range blocks {
				if b.Last {
					break
				}
				if _, err := d.Decode(b.Data, &rec); err != nil {
					t.Fatal(err)
				}
				got = append(got, int(rec.Process.OID.Hpid))
				b.Release()
			}
			if !reflect.DeepEqual(got, sizes) {
				t.Errorf("got blocks of %d, want %d", got, sizes)
			}
		})
	}
}

// TestPipe gives a reader a block and not a byte more: it must come out.
func TestPipe(t *testing.T) {
	m := makeTrace(t, "deflate", 3, 5)
	in, out := io.Pipe()
	go func() {
		for i, b := range m.blocks {
			start := b.head
			if i == 0 {
				start = 0
			}
			out.Write(m.bytes[start:b.end])
			<-release
		}
		out.Close()
	}()
	r, err := codec.NewReader(in, "pipe", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, want := range m.blocks {
		b, err := r.Next(context.Background())
		if err != nil || b.Offset != int64(want.head) || b.Count != want.count {
			t.Fatalf("%+v, %v", b, err)
		}
		if got := r.Offset(); got != int64(want.end) {
			t.Errorf("offset is %d, want %d", got, want.end)
		}
		b.Release()
		release <- struct{}{}
	}
	if b, err := r.Next(context.Background()); err != nil || !b.Last {
		t.Fatalf("%+v, %v", b, err)
	}
}

// release lets the writer of TestPipe go on.
var release = make(chan struct{})

// TestReadError reads from a disk that fails: what was read before comes out.
func TestReadError(t *testing.T) {
	m := makeTrace(t, "deflate", 3, 5)
	broken := errors.New("the disk is gone")
	for name, cut := range map[string]int{
		"between blocks": m.blocks[1].end, "inside a head": m.blocks[2].head + 1, "inside data": m.blocks[2].data + 5,
		"inside a marker": m.blocks[2].mark + 5,
	} {
		t.Run(name, func(t *testing.T) {
			p := play(t, io.MultiReader(bytes.NewReader(m.bytes[:cut]), iotest.ErrReader(broken)), 0)
			if !errors.Is(p.err, broken) || !strings.Contains(p.err.Error(), "read trace trace.sf: ") || !p.lastSeen {
				t.Errorf("got %v, last block %v", p.err, p.lastSeen)
			}
			if want := m.records(0, 1); !reflect.DeepEqual(p.records[:min(len(p.records), len(want))], want) || len(p.damages) > 0 && cut != m.blocks[2].mark+5 {
				t.Errorf("%d records, %v", len(p.records), p.damages)
			}
		})
	}
	p := play(t, io.MultiReader(bytes.NewReader(m.bytes), neverReader{}), 0)
	if !errors.Is(p.err, io.ErrNoProgress) || len(p.records) != len(m.all()) {
		t.Errorf("a reader that never reads: %d records, %v", len(p.records), p.err)
	}
}

type neverReader struct{}

func (neverReader) Read([]byte) (int, error) { return 0, nil }

// TestCancel ends a context while Next waits, and goes on.
func TestCancel(t *testing.T) {
	m := makeTrace(t, "deflate", 2, 5)
	in, out := io.Pipe()
	opened := make(chan *codec.Reader)
	go func() {
		r, err := codec.NewReader(in, "pipe", nil)
		if err != nil {
			t.Error(err)
		}
		opened <- r
	}()
	out.Write(m.bytes[:m.blocks[0].head])
	r := <-opened
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	if _, err := r.Next(ctx); !errors.Is(err, cause) {
		t.Errorf("got %v, want %v", err, cause)
	}
	go func() {
		out.Write(m.bytes[m.blocks[0].head:])
		out.Close()
	}()
	if b, err := r.Next(context.Background()); err != nil || b.Count != 5 {
		t.Errorf("%+v, %v", b, err)
	}
	r.Close()
}

// TestClose closes a reader early, also while the file has nothing to give; no goroutine may stay (TestMain looks).
func TestClose(t *testing.T) {
	m := makeTrace(t, "deflate", 100, 5)
	r, err := codec.NewReader(bytes.NewReader(m.bytes), "trace", &codec.ReaderOptions{Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	r.Close()
	b.Release()
	for err == nil {
		_, err = r.Next(context.Background())
	}
	if !errors.Is(err, fs.ErrClosed) {
		t.Errorf("got %v, want %v", err, fs.ErrClosed)
	}

	in, out := io.Pipe()
	go out.Write(m.bytes[:m.blocks[0].end-3])
	if r, err = codec.NewReader(in, "pipe", nil); err != nil {
		t.Fatal(err)
	}
	in.Close() // the way to end a Read that waits
	r.Close()
}

// TestLimits reads blocks that claim or are too much.
func TestLimits(t *testing.T) {
	m := makeTrace(t, "snappy", 1, 5)
	good := m.bytes[m.blocks[0].head:]
	for name, tt := range map[string]struct {
		block []byte
		lost  int
		want  string
	}{
		"records":   {join(zig(1<<20+1, 3), []byte("abc"), marker[:]), 0, "out of range"},
		"size":      {join(zig(1, 64<<20+1), []byte("abc"), marker[:]), 0, "out of range"},
		"inflating": {frame(7, join([]byte{0x81, 0x80, 0x80, 0x20}, []byte("1234"))), 7, "inflates to too many bytes"}, // 64 MiB and a byte
	} {
		t.Run(name, func(t *testing.T) {
			p := play(t, bytes.NewReader(container("snappy", m.schema, tt.block, good)), 1)
			if !reflect.DeepEqual(p.records, m.all()) {
				t.Errorf("%d records", len(p.records))
			}
			if p.damaged != 1 || p.lost != tt.lost || !strings.Contains(p.damages[0].Err.Error(), tt.want) {
				t.Errorf("got %v, want %d lost, … %s …", p.damages, tt.lost, tt.want)
			}
		})
	}
}

// TestReadersShare reads a trace by several readers at once that share their decoders.
func TestReadersShare(t *testing.T) {
	m := makeTrace(t, "deflate", 10, 10)
	var shared codec.Decoders
	done := make(chan int)
	for range 4 {
		go func() {
			n := 0
			defer func() { done <- n }()
			r, err := codec.NewReader(bytes.NewReader(m.bytes), "trace", &codec.ReaderOptions{Decoders: &shared})
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Close()
			d, err := shared.Get(r.Stream().Schema)
			if err != nil {
				t.Error(err)
				return
			}
			p := &played{}
			var rec codec.Record
			for {
				b, err := r.Next(context.Background())
				if err != nil {
					break
				}
				p.block(d, b, &rec)
			}
			n = len(p.records)
		}()
	}
	for range 4 {
		if n := <-done; n != 100 {
			t.Errorf("%d records, want 100", n)
		}
	}
}
