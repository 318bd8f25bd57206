package codec_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// FuzzReader plays files of any content. They have to end, without more damage than bytes.
func FuzzReader(f *testing.F) {
	schema := small("sysflow.entity.Process", field("oid", oidType), field("exe", `"string"`))
	rec := join(zig(0, 1621959914000000000, 4711), text("/bin/sh"))
	for _, compression := range codecs {
		m := makeTrace(f, compression, 3, 4)
		f.Add(m.bytes)
	}
	f.Add(container("null", schema, frame(1, rec), frame(2, join(rec, rec)), frame(0, nil)))
	f.Add(container("null", schema, frame(1, rec), frame(3, join(rec, rec)), zig(4), frame(1, rec)))
	f.Add(container("null", schema, zig(1, int64(len(rec))), rec, make([]byte, 16), frame(1, rec)))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := play(t, bytes.NewReader(b), 2)
		if len(p.records) > len(b)*2000 || len(p.damages) > len(b) || p.skipped > int64(len(b)) {
			t.Errorf("%d bytes made %d records, %d damages", len(b), len(p.records), len(p.damages))
		}
		if p.openErr == nil && p.err != nil {
			t.Errorf("reading from memory failed: %v", p.err)
		}
	})
}

// FuzzDecoder decodes any bytes as a record of any of the schemas. What we take for good, a general Avro library has to,
// too, and see the same in it.
func FuzzDecoder(f *testing.F) {
	g := newGeneric(f, codec.CurrentSchema)
	var ds []*codec.Decoder
	var opinions []*opinion
	for i, id := range codec.SchemaIDs() {
		ds, opinions = append(ds, newDecoder(f, schemaText(f, id))), append(opinions, newOpinion(f, schemaText(f, id)))
		e, err := codec.NewEncoder(id)
		if err != nil {
			f.Fatal(err)
		}
		for _, sf := range (sample{rand.New(rand.NewPCG(7, uint64(i)))}).records() {
			if b, err := e.Append(nil, sf); err == nil {
				f.Add(uint8(i), b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, schema uint8, b []byte) {
		i := int(schema) % len(ds)
		var rec codec.Record
		n, err := ds[i].Decode(b, &rec)
		padded := append(bytes.Clone(b), make([]byte, 300)...)
		var again codec.Record
		if m, errAgain := ds[i].Decode(padded, &again); err == nil && (errAgain != nil || m != n) {
			t.Fatalf("%d bytes, with more behind them %d, %v", n, m, errAgain)
		}
		if ds[i].DecodeDatum(b, &again) == nil && err == nil && again.Type != rec.Type {
			t.Fatalf("type %d, as a message %d", rec.Type, again.Type)
		}
		if err != nil {
			checkRefusal(t, opinions[i], b, err)
			return
		}
		if rec.Type == sfgo.CONT && rec.Container.Type < 0 {
			return // we tolerate that, others need not
		}
		typ, want, size, err := opinions[i].decode(b[:n])
		if err != nil || size != n {
			t.Fatalf("%d bytes, want %d; %v", n, size, err)
		}
		compare(t, g, &rec, typ, want)
	})
}

// checkRefusal checks that others do not take for good what we do not, but for what they do not look at. To ask them about
// counts is not wise: they make room first.
func checkRefusal(t *testing.T, o *opinion, b []byte, err error) {
	t.Helper()
	for _, ours := range []string{"number of items", "do not end where", "bits", "items in one record"} {
		if strings.Contains(err.Error(), ours) {
			return
		}
	}
	if _, _, _, theirs := o.decode(b); theirs == nil {
		t.Fatalf("we refuse %x, others do not: %v", b, err)
	}
}

// FuzzSchema makes decoders for any schema, and decodes bytes with those that can be made.
func FuzzSchema(f *testing.F) {
	for _, id := range codec.SchemaIDs() {
		f.Add(schemaText(f, id), []byte("\x00\x01\x02\x03"))
	}
	f.Add(small("sysflow.entity.Process", field("oid", oidType), field("x", `["null",{"type":"array","items":{"type":"map","values":"double"}}]`)), zig(0, 1, 2, 1, 1, 1, 0))
	f.Add(small("sysflow.entity.Process", field("oid", oidType), field("x", `{"type":"record","name":"R","fields":[{"name":"r","type":["null","R"]}]}`)), zig(0, 1, 2, 1, 1, 0))
	f.Fuzz(func(t *testing.T, schema string, b []byte) {
		d, err := codec.NewDecoder(schema)
		if err != nil {
			return
		}
		var rec codec.Record
		for len(b) > 0 {
			n, err := d.Decode(b, &rec)
			if err != nil {
				return
			}
			if n <= 0 || n > len(b) {
				t.Fatalf("%d of %d bytes", n, len(b))
			}
			if sf := rec.SysFlow(); (sf == nil) != (rec.Type == sfgo.UNKNOWN_TYPE) {
				t.Fatalf("type %d became %v", rec.Type, sf)
			}
			b = b[n:]
		}
	})
}

// TestRealFlips changes bits of real traces at random. About half of them only change a value.
func TestRealFlips(t *testing.T) {
	dir := traces(t)
	rng := rand.New(rand.NewPCG(8, 8))
	for _, name := range []string{"setns.sf", "procflow.mon.1548965926.sf"} {
		trace, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		whole := play(t, bytes.NewReader(trace), 1)
		const tries = 300
		silent, from := 0, len(trace)-min(len(trace)/4, 4000) // where the blocks are
		for range tries {
			at, bit := from+rng.IntN(len(trace)-from), rng.IntN(8)
			trace[at] ^= 1 << bit
			p := play(t, bytes.NewReader(trace), 1)
			trace[at] ^= 1 << bit
			if p.openErr != nil || p.err != nil {
				t.Fatal(p.openErr, p.err)
			}
			if len(p.damages) == 0 && p.surplus == 0 {
				silent++
				if len(p.records) != len(whole.records) {
					t.Errorf("%s: byte %d, bit %d: %d records of %d, nothing reported", name, at, bit, len(p.records), len(whole.records))
				}
			} else if len(p.records)+p.lost < len(whole.records) && p.lost > 0 {
				t.Errorf("%s: byte %d, bit %d: %d records and %d lost of %d", name, at, bit, len(p.records), p.lost, len(whole.records))
			}
		}
		if silent < tries/5 || silent > tries*4/5 {
			t.Errorf("%s: %d of %d changes go unnoticed, want about half", name, silent, tries)
		}
		if again := play(t, bytes.NewReader(trace), 3); !reflect.DeepEqual(again, whole) {
			t.Errorf("%s: not the same after all", name)
		}
	}
}
