package codec_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

func newDecoder(t testing.TB, schema string) *codec.Decoder {
	t.Helper()
	d, err := codec.NewDecoder(schema)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// schemaText returns one of the known schemas.
func schemaText(t testing.TB, id string) string {
	t.Helper()
	s, ok := codec.Schema(id)
	if !ok {
		t.Fatalf("no schema %s", id)
	}
	return s
}

// realCounts are the records of each type in the public traces, as the description of the format states them.
var realCounts = map[string]map[int64]int{
	"tcp.sf": {sfgo.HEADER: 1, sfgo.PROC: 10, sfgo.FILE: 2, sfgo.PROC_EVT: 4, sfgo.NET_FLOW: 2, sfgo.FILE_FLOW: 4},
	"k8s_small.sf": {sfgo.HEADER: 1, sfgo.CONT: 23, sfgo.POD: 19, sfgo.PROC: 217, sfgo.FILE: 666, sfgo.PROC_EVT: 341,
		sfgo.NET_FLOW: 1511, sfgo.FILE_FLOW: 3383, sfgo.FILE_EVT: 8, sfgo.K8S_EVT: 4},
	"runtime-1621959914.sf": {sfgo.HEADER: 1, sfgo.CONT: 1, sfgo.PROC: 68, sfgo.FILE: 2905, sfgo.PROC_EVT: 127,
		sfgo.NET_FLOW: 3, sfgo.FILE_FLOW: 5609, sfgo.FILE_EVT: 83},
	"mon.1531776712.sf": {sfgo.HEADER: 1, sfgo.CONT: 1, sfgo.PROC: 143, sfgo.FILE: 926, sfgo.PROC_EVT: 234,
		sfgo.NET_FLOW: 86, sfgo.FILE_FLOW: 6002, sfgo.FILE_EVT: 3},
	"procflow.mon.1548965926.sf": {sfgo.HEADER: 1, sfgo.CONT: 4, sfgo.PROC: 143, sfgo.PROC_EVT: 237},
	"rename2at.sf": {sfgo.HEADER: 1, sfgo.PROC: 6, sfgo.FILE: 11, sfgo.PROC_EVT: 2, sfgo.FILE_FLOW: 9,
		sfgo.FILE_EVT: 1},
	"setns.sf": {sfgo.HEADER: 1, sfgo.PROC: 54, sfgo.FILE: 85, sfgo.PROC_EVT: 83, sfgo.NET_FLOW: 3,
		sfgo.FILE_FLOW: 322},
	"webserver.sf": {sfgo.HEADER: 1, sfgo.CONT: 1, sfgo.PROC: 15, sfgo.FILE: 99, sfgo.PROC_EVT: 198, sfgo.NET_FLOW: 50,
		sfgo.FILE_FLOW: 4405, sfgo.FILE_EVT: 27},
}

// TestRealTraces compares every field of every record of the public traces with a second opinion.
func TestRealTraces(t *testing.T) {
	dir := traces(t)
	g := newGeneric(t, codec.CurrentSchema)
	for name, wantCounts := range realCounts {
		t.Run(name, func(t *testing.T) {
			trace, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			schema, blocks := readAll(t, trace)
			d, o := newDecoder(t, schema), newOpinion(t, schema)
			counts := map[int64]int{}
			var rec codec.Record
			for _, b := range blocks {
				for i := range b.Count {
					typ, want, size, err := o.decode(b.Data)
					if err != nil {
						t.Fatal(err)
					}
					n, err := d.Decode(b.Data, &rec)
					if err != nil || n != size {
						t.Fatalf("record %d of the block at %d: %d bytes, want %d; %v", i, b.Offset, n, size, err)
					}
					if compareRecord(t, &rec, typ, want); i%16 == 0 { // the structures of all take long
						compare(t, g, &rec, typ, want)
					}
					counts[typ]++
					b.Data = b.Data[n:]
				}
				if len(b.Data) > 0 {
					t.Errorf("%d bytes are left over in the block at %d", len(b.Data), b.Offset)
				}
			}
			if !reflect.DeepEqual(counts, wantCounts) {
				t.Errorf("records by type: %v, want %v", counts, wantCounts)
			}
		})
	}
}

// TestSchemas compares random records of every schema and type with a second opinion. Each is decoded twice: alone, and
// with bytes behind it, for which there is a faster path.
func TestSchemas(t *testing.T) {
	g := newGeneric(t, codec.CurrentSchema)
	for i, id := range codec.SchemaIDs() {
		t.Run(id, func(t *testing.T) {
			e, err := codec.NewEncoder(id)
			if err != nil {
				t.Fatal(err)
			}
			d, o := newDecoder(t, schemaText(t, id)), newOpinion(t, schemaText(t, id))
			s := sample{rand.New(rand.NewPCG(2, uint64(i)))}
			seen := map[int64]bool{}
			var rec codec.Record
			for range 60 {
				for _, sf := range s.records() {
					b, err := e.Append(nil, sf)
					if err != nil {
						continue // the schema has no such record
					}
					typ, want, _, err := o.decode(b)
					if err != nil {
						t.Fatal(err)
					}
					seen[typ] = true
					n := len(b)
					for _, data := range [][]byte{b, append(b, make([]byte, 200)...)} {
						if got, err := d.Decode(data, &rec); got != n || err != nil {
							t.Fatalf("%d bytes, want %d; %v", got, n, err)
						}
						compare(t, g, &rec, typ, want)
					}
				}
			}
			if want := len(newGeneric(t, id).branches); len(seen) != want {
				t.Errorf("%d types of records, want %d", len(seen), want)
			}
		})
	}
}

// TestDecodeAllocates decodes records of all types over and over: once a Record has grown, that takes no memory.
func TestDecodeAllocates(t *testing.T) {
	e, err := codec.NewEncoder(codec.CurrentSchema)
	if err != nil {
		t.Fatal(err)
	}
	s := sample{rand.New(rand.NewPCG(9, 9))}
	d := newDecoder(t, schemaText(t, codec.CurrentSchema))
	var rec codec.Record
	var data [][]byte
	for range 50 {
		for _, sf := range s.records() {
			b, err := e.Append(nil, sf)
			if err != nil {
				t.Fatal(err)
			}
			if d.DecodeDatum(b, &rec) == nil { // not a header of long ago
				data = append(data, b)
			}
		}
	}
	n := testing.AllocsPerRun(10, func() {
		for _, b := range data {
			if _, err := d.Decode(b, &rec); err != nil {
				t.Fatal(err)
			}
			if err := d.DecodeDatum(b, &rec); err != nil {
				t.Fatal(err)
			}
		}
	})
	if n > 0 {
		t.Errorf("%d records take %v allocations", len(data), n)
	}
}
