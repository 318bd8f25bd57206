package codec_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

var marker = [16]byte{0: 1, 15: 0xFF}

// flow is the n-th of many file flows of a process.
func flow(n int64) *sfgo.SysFlow {
	return &sfgo.SysFlow{Rec: &sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumFileFlow, FileFlow: &sfgo.FileFlow{
		ProcOID: &sfgo.OID{CreateTS: 1553543280704111050, Hpid: 13823}, Ts: 1553543280704111050 + n*50_000, Tid: 13823,
		OpFlags: 1408, OpenFlags: 4097, EndTs: 1553543280704111050 + n*51_000, FileOID: sfgo.FOID{byte(n), byte(n >> 8)},
		Fd: int32(n % 30), NumRRecvOps: 1 + n%3, NumRRecvBytes: n * 832 % 10_000}}}
}

// block is a block of a container as its frame says.
type block struct{ count, size int64 }

// blocks walks a container and checks its frame: magic, metadata, markers.
func blocks(t *testing.T, trace []byte, sync [16]byte) []block {
	t.Helper()
	if !bytes.HasPrefix(trace, []byte("Obj\x01\x04\x14avro.codec")) {
		t.Fatalf("head is %q", trace[:20])
	}
	at := bytes.Index(trace, sync[:])
	if at < 0 || trace[at-1] != 0 {
		t.Fatal("no marker after the metadata")
	}
	var all []block
	for rest := trace[at+16:]; len(rest) > 0; {
		count, n := binary.Varint(rest)
		size, m := binary.Varint(rest[n:])
		end := n + m + int(size)
		if n <= 0 || m <= 0 || end+16 > len(rest) || !bytes.Equal(rest[end:end+16], sync[:]) {
			t.Fatalf("block %d: no marker where it ends", len(all))
		}
		all = append(all, block{count, size})
		rest = rest[end+16:]
	}
	return all
}

func TestWriterReadBack(t *testing.T) {
	s := sample{rand.New(rand.NewPCG(1, 2))}
	for _, name := range []string{"null", "deflate", "snappy"} { // what the general library can read
		t.Run(name, func(t *testing.T) {
			var trace bytes.Buffer
			w, err := codec.NewWriter(&trace, &codec.WriterConfig{Codec: name, BlockSize: 2000, Sync: marker})
			if err != nil {
				t.Fatal(err)
			}
			var want []*sfgo.SysFlow
			for range 20 {
				want = append(want, s.records()...)
			}
			for _, rec := range want {
				if err := w.Write(rec); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}

			if n := len(blocks(t, trace.Bytes(), marker)); n < 3 {
				t.Errorf("%d blocks", n)
			}
			r, err := goavro.NewOCFReader(&trace)
			if err != nil {
				t.Fatal(err)
			}
			g := newGeneric(t, "S11")
			for i, rec := range want {
				if !r.Scan() {
					t.Fatalf("record %d: %v", i, r.Err())
				}
				native, err := r.Read()
				if err != nil {
					t.Fatalf("record %d: %v", i, err)
				}
				br := g.branches[rec.Rec.UnionType]
				got := native.(map[string]any)["rec"].(map[string]any)[br.name]
				if expect := g.expect(br, of(rec), 11); !reflect.DeepEqual(got, any(expect)) {
					t.Fatalf("record %d:\n got %v\nwant %v", i, got, expect)
				}
			}
			if r.Scan() {
				t.Error("there are more records than were written")
			}
		})
	}
}

func TestWriterBlocks(t *testing.T) {
	var trace bytes.Buffer
	w, err := codec.NewWriter(&trace, &codec.WriterConfig{Codec: "null", Sync: marker})
	if err != nil {
		t.Fatal(err)
	}
	e, err := codec.NewEncoder("S11")
	if err != nil {
		t.Fatal(err)
	}
	// The model: a record opens a new block if the one before it holds 80,000 bytes or more.
	var want []block
	for n := range int64(5000) {
		rec := flow(n)
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
		if len(want) == 0 || want[len(want)-1].size >= 80_000 {
			want = append(want, block{})
		}
		b, err := e.Append(nil, rec)
		if err != nil {
			t.Fatal(err)
		}
		want[len(want)-1].count++
		want[len(want)-1].size += int64(len(b))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := blocks(t, trace.Bytes(), marker); !reflect.DeepEqual(got, want) {
		t.Errorf("blocks are %v, want %v", got, want)
	}
}

func TestWriterFlush(t *testing.T) {
	var trace bytes.Buffer
	w, err := codec.NewWriter(&trace, &codec.WriterConfig{Sync: marker})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Write(flow(1)); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Flush(), w.Flush()); err != nil { // the second has nothing to do
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := blocks(t, trace.Bytes(), marker); len(got) != 2 || got[0].count != 1 || got[1].count != 1 {
		t.Errorf("blocks are %v", got)
	}
	size := trace.Len()
	if err := w.Write(flow(2)); err == nil {
		t.Error("a closed trace took a record")
	}
	if trace.Len() != size {
		t.Error("a closed trace grew")
	}
}

func TestWriterIsDeterministic(t *testing.T) {
	for _, name := range []string{"null", "deflate", "snappy", "zstandard"} {
		var first []byte
		for range 2 {
			var trace bytes.Buffer
			w, err := codec.NewWriter(&trace, &codec.WriterConfig{Codec: name, Sync: marker})
			if err != nil {
				t.Fatal(err)
			}
			for n := range int64(3000) {
				if err := w.Write(flow(n)); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if first != nil && !bytes.Equal(first, trace.Bytes()) {
				t.Errorf("%s: two runs differ", name)
			}
			first = trace.Bytes()
		}
	}
}

func TestWriterRandomMarker(t *testing.T) {
	var a, b bytes.Buffer
	for _, out := range []io.Writer{&a, &b} {
		if _, err := codec.NewWriter(out, nil); err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two traces have the same marker")
	}
	schema, _ := codec.Schema(codec.CurrentSchema)
	if !bytes.Contains(a.Bytes(), []byte(schema)) || !bytes.Contains(a.Bytes(), []byte("deflate")) {
		t.Errorf("head is %q", a.Bytes())
	}
}

// TestWriterSkipsWhatItCannotExpress leaves a record out and goes on.
func TestWriterSkipsWhatItCannotExpress(t *testing.T) {
	var trace bytes.Buffer
	w, err := codec.NewWriter(&trace, &codec.WriterConfig{Schema: "S1", Sync: marker})
	if err != nil {
		t.Fatal(err)
	}
	header := sample{rand.New(rand.NewPCG(3, 4))}.records()[0]
	if err := w.Write(header); err != nil {
		t.Fatal(err)
	}
	if err := w.Write(flow(1)); !errors.Is(err, codec.ErrNotInSchema) {
		t.Errorf("a file flow in S1: %v", err)
	}
	if err := errors.Join(w.Write(header), w.Close()); err != nil {
		t.Fatal(err)
	}
	if got := blocks(t, trace.Bytes(), marker); len(got) != 1 || got[0].count != 2 {
		t.Errorf("blocks are %v", got)
	}
}

// stingy is a writer that fails after n calls.
type stingy struct{ n int }

var errFull = errors.New("disk full")

func (s *stingy) Write(b []byte) (int, error) {
	if s.n--; s.n < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriterErrors(t *testing.T) {
	if _, err := codec.NewWriter(&stingy{}, nil); !errors.Is(err, errFull) {
		t.Errorf("head: %v", err)
	}
	if _, err := codec.NewWriter(io.Discard, &codec.WriterConfig{Codec: "bzip2"}); err == nil || !strings.Contains(err.Error(), "zstandard") {
		t.Errorf("codec bzip2: %v", err)
	}
	if _, err := codec.NewWriter(io.Discard, &codec.WriterConfig{Schema: "5"}); err == nil || !strings.Contains(err.Error(), "S11") {
		t.Errorf("schema 5: %v", err)
	}
	w, err := codec.NewWriter(&stingy{1}, &codec.WriterConfig{BlockSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(flow(1)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first call fails to write the block, the second must not pretend that all is well
		if err := w.Write(flow(2)); !errors.Is(err, errFull) {
			t.Errorf("write: %v", err)
		}
	}
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Errorf("close: %v", err)
	}
}

func BenchmarkWriter(b *testing.B) {
	for _, name := range []string{"null", "deflate"} {
		b.Run(name, func(b *testing.B) {
			w, err := codec.NewWriter(io.Discard, &codec.WriterConfig{Codec: name})
			if err != nil {
				b.Fatal(err)
			}
			rec := flow(1)
			b.ReportAllocs()
			for n := int64(0); b.Loop(); n++ {
				rec.Rec.FileFlow.Ts += 50_000
				if err := w.Write(rec); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkGenericWriter is what the same costs with the general library, and why [codec.Encoder] exists.
func BenchmarkGenericWriter(b *testing.B) {
	g := newGeneric(b, codec.CurrentSchema)
	rec := flow(1).Rec.FileFlow
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		rec.Ts += 50_000
		datum := map[string]any{"rec": map[string]any{"sysflow.flow.FileFlow": map[string]any{
			"procOID": map[string]any{"createTS": rec.ProcOID.CreateTS, "hpid": rec.ProcOID.Hpid},
			"ts":      rec.Ts, "tid": rec.Tid, "opFlags": rec.OpFlags, "openFlags": rec.OpenFlags, "endTs": rec.EndTs,
			"fileOID": rec.FileOID[:], "fd": rec.Fd, "numRRecvOps": rec.NumRRecvOps, "numWSendOps": rec.NumWSendOps,
			"numRRecvBytes": rec.NumRRecvBytes, "numWSendBytes": rec.NumWSendBytes}}}
		var err error
		if buf, err = g.codec.BinaryFromNative(buf[:0], datum); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
