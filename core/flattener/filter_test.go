package flattener

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cespare/xxhash/v2"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// filterRow returns a row with the attributes that a filter looks at.
func filterRow(typ, ts int64, exe, path string, sport, dport int64) *sfgo.FlatRecord {
	r := &sfgo.FlatRecord{
		Ints: [][]int64{make([]int64, sfgo.INT_ARRAY_SIZE)},
		Strs: [][]string{make([]string, sfgo.STR_ARRAY_SIZE)},
	}
	i, s := r.Ints[0], r.Strs[0]
	i[sfgo.SF_REC_TYPE], i[sfgo.TS_INT], i[sfgo.OPFLAGS_INT] = typ, ts, sfgo.OP_OPEN
	i[sfgo.PROC_UID_INT], i[sfgo.PROC_GID_INT], i[sfgo.PROC_TTY_INT] = 1000, -1, 1
	s[sfgo.PROC_EXE_STR], s[sfgo.PROC_EXEARGS_STR], s[sfgo.FILE_PATH_STR] = exe, "-a", path
	if typ == sfgo.NET_FLOW {
		i[sfgo.FL_NETW_SIP_INT], i[sfgo.FL_NETW_DIP_INT], i[sfgo.FL_NETW_PROTO_INT] = 1, 2, 6
		i[sfgo.FL_NETW_SPORT_INT], i[sfgo.FL_NETW_DPORT_INT] = sport, dport
	}
	return r
}

func TestFilter(t *testing.T) {
	const maxAge = 100
	type in struct {
		row  *sfgo.FlatRecord
		want bool // it repeats an earlier one
	}
	change := func(r *sfgo.FlatRecord, slot sfgo.Attribute) *sfgo.FlatRecord {
		r.Ints[0][slot]++
		return r
	}
	ff := func(ts int64) *sfgo.FlatRecord { return filterRow(sfgo.FILE_FLOW, ts, "sh", "/a", 0, 0) }
	nf := func(ts int64) *sfgo.FlatRecord { return filterRow(sfgo.NET_FLOW, ts, "sh", "", 4711, 80) }
	for name, rows := range map[string][]in{
		"the same":                  {{ff(0), false}, {ff(50), true}, {ff(99), true}},
		"age counts from the first": {{ff(0), false}, {ff(99), true}, {ff(100), false}, {ff(199), true}, {ff(200), false}},
		"earlier than the first":    {{ff(500), false}, {ff(10), true}},
		"another exe":               {{ff(0), false}, {filterRow(sfgo.FILE_FLOW, 1, "ls", "/a", 0, 0), false}},
		"another path":              {{ff(0), false}, {filterRow(sfgo.FILE_FLOW, 1, "sh", "/b", 0, 0), false}},
		"path of an event":          {{filterRow(sfgo.FILE_EVT, 1, "sh", "/a", 0, 0), false}, {filterRow(sfgo.FILE_EVT, 1, "sh", "/b", 0, 0), false}},
		"another user":              {{ff(0), false}, {change(ff(1), sfgo.PROC_UID_INT), false}},
		"another group":             {{ff(0), false}, {change(ff(1), sfgo.PROC_GID_INT), false}},
		"another operation":         {{ff(0), false}, {change(ff(1), sfgo.OPFLAGS_INT), false}},
		"another terminal":          {{ff(0), false}, {change(ff(1), sfgo.PROC_TTY_INT), false}},
		"another process":           {{ff(0), false}, {change(ff(1), sfgo.PROC_OID_HPID_INT), true}},
		"more bytes":                {{ff(0), false}, {change(ff(1), sfgo.NUMRRECVBYTES_INT), true}},
		"open flags":                {{ff(0), false}, {change(ff(1), sfgo.FL_FILE_OPENFLAGS_INT), true}},
		"another source port":       {{nf(0), false}, {change(nf(1), sfgo.FL_NETW_SPORT_INT), true}},
		"another port":              {{nf(0), false}, {change(nf(1), sfgo.FL_NETW_DPORT_INT), false}},
		"another source":            {{nf(0), false}, {change(nf(1), sfgo.FL_NETW_SIP_INT), false}},
		"another target":            {{nf(0), false}, {change(nf(1), sfgo.FL_NETW_DIP_INT), false}},
		"another protocol":          {{nf(0), false}, {change(nf(1), sfgo.FL_NETW_PROTO_INT), false}},
		"Kubernetes":                {{filterRow(sfgo.K8S_EVT, 0, "", "", 0, 0), false}, {filterRow(sfgo.K8S_EVT, 0, "", "", 0, 0), false}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFilter(maxAge, 16)
			for i, in := range rows {
				if got := f.repeats(in.row); got != in.want {
					t.Errorf("record %d: repeats is %v, want %v", i+1, got, in.want)
				}
			}
		})
	}
}

// The hash is that of the documented bytes.
func TestFilterHash(t *testing.T) {
	le := func(dst []byte, vs ...int64) []byte {
		for _, v := range vs {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(v))
		}
		return dst
	}
	f := newFilter(1, 1)
	common := le([]byte("sh-a"), 1000, -1, sfgo.OP_OPEN, 1)
	for typ, want := range map[int64][]byte{
		sfgo.PROC_EVT:  common,
		sfgo.FILE_FLOW: append(slices.Clone(common), "/p"...),
		sfgo.NET_FLOW:  le(slices.Clone(common), 1, 2, 80, 6),
	} {
		if got := f.hash(filterRow(typ, 0, "sh", "/p", 4711, 80)); got != xxhash.Sum64(want) {
			t.Errorf("type %d: hash %x, want %x", typ, got, xxhash.Sum64(want))
		}
	}
}

// TestFilterIsTheModel compares a filter with a list that is searched from start to end.
func TestFilterIsTheModel(t *testing.T) {
	type first struct{ id, ts int64 }
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		maxAge, maxHashes := rnd.Int64N(40), 1+rnd.IntN(10)
		f := newFilter(maxAge, maxHashes)
		var model []first // the oldest first
		now := int64(0)
		for range 2000 {
			now += rnd.Int64N(6) - 2
			id := rnd.Int64N(14)
			at := slices.IndexFunc(model, func(o first) bool { return o.id == id })
			want := at >= 0 && now-model[at].ts < maxAge
			if !want {
				if at >= 0 {
					model = slices.Delete(model, at, at+1)
				}
				model = append(model, first{id, now})
				model = model[max(0, len(model)-maxHashes):]
			}
			if got := f.repeats(filterRow(sfgo.NET_FLOW, now, "sh", "", 0, id)); got != want {
				t.Fatalf("seed %d, id %d at %d: repeats is %v, want %v", seed, id, now, got, want)
			}
			if len(f.index) != len(model) || len(f.seen) > maxHashes+1 {
				t.Fatalf("%d hashes in %d places, want %d", len(f.index), len(f.seen), len(model))
			}
		}
	}
}

// A filtered record is not in the output, and counted.
func TestFiltered(t *testing.T) {
	f, out := New(Config{FilterEnabled: true, FilterMaxAge: 10}), NewFlatChannel(1)
	f.Start([]*FlatChannel{out})
	if err := feed(t, f, t.Context(), 25); err != nil {
		t.Fatal(err)
	}
	if err := f.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := <-out.Batches()
	var times []int64
	for i := range b.Recs {
		times = append(times, b.Recs[i].Ints[0][sfgo.TS_INT])
	}
	if !slices.Equal(times, []int64{0, 10, 20}) || counted(f) != "filtered 22" {
		t.Errorf("records at %v, counted %s; want 0, 10, 20 and 22 filtered", times, counted(f))
	}
}
