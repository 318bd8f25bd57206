package flattener

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// TestOwnShapes copies records of every shape that a plugin may have made; a copy is equal, and has no room that another
// copy, or the record, would share.
func TestOwnShapes(t *testing.T) {
	ints := func(n int) []int64 { return make([]int64, n) }
	strs := func(n int) []string { return make([]string, n) }
	anys := func(n int) []any { return make([]any, n) }
	full := func(change func(*sfgo.FlatRecord)) *sfgo.FlatRecord {
		r := &sfgo.FlatRecord{
			Sources: []sfgo.Source{sfgo.SYSFLOW_SRC},
			Ints:    [][]int64{ints(sfgo.INT_ARRAY_SIZE)}, Strs: [][]string{strs(sfgo.STR_ARRAY_SIZE)}, Anys: [][]any{anys(sfgo.ANY_ARRAY_SIZE)},
			GraphletID: 7,
		}
		r.Ints[0][5], r.Strs[0][6], r.Anys[0][sfgo.EV_PROC_ARGS_ANY] = 5, "6", []string{"a"}
		change(r)
		return r
	}
	tree := func(n int) []*sfgo.Process {
		list := make([]*sfgo.Process, n)
		for i := range list {
			list[i] = &sfgo.Process{Exe: fmt.Sprint(i)}
		}
		return list
	}
	for name, r := range map[string]*sfgo.FlatRecord{
		"ours":            full(func(*sfgo.FlatRecord) {}),
		"another source":  full(func(r *sfgo.FlatRecord) { r.Sources[0] = sfgo.PROCESS_SRC }),
		"short tree":      full(func(r *sfgo.FlatRecord) { r.Ptree = tree(3) }),
		"full tree":       full(func(r *sfgo.FlatRecord) { r.Ptree = tree(ownTree) }),
		"long tree":       full(func(r *sfgo.FlatRecord) { r.Ptree = tree(ownTree + 1) }),
		"longer integers": full(func(r *sfgo.FlatRecord) { r.Ints[0] = append(r.Ints[0], 9) }),
		"shorter strings": full(func(r *sfgo.FlatRecord) { r.Strs[0] = r.Strs[0][:9] }),
		"no others":       full(func(r *sfgo.FlatRecord) { r.Anys = [][]any{} }),
		"fewer others":    full(func(r *sfgo.FlatRecord) { r.Anys[0] = r.Anys[0][:1] }),
		"two sources": full(func(r *sfgo.FlatRecord) {
			r.Sources, r.Ints = append(r.Sources, sfgo.FILE_SRC), append(r.Ints, ints(2))
		}),
		"sources do not pair": full(func(r *sfgo.FlatRecord) { r.Strs = append(r.Strs, strs(3)) }),
		"nothing":             {Ints: [][]int64{}, Strs: [][]string{}, Anys: [][]any{}},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := Own(r), Own(r)
			if !reflect.DeepEqual(a, r) {
				t.Errorf("got  %+v\nwant %+v", a, r)
			}
			clear(a.Sources)
			clear(a.Ptree)
			for i := range a.Ints {
				clear(a.Ints[i])
				a.Ints[i] = append(a.Ints[i], 9)
			}
			for i := range a.Strs {
				clear(a.Strs[i])
				a.Strs[i] = append(a.Strs[i], "9")
			}
			for i := range a.Anys {
				clear(a.Anys[i])
				a.Anys[i] = append(a.Anys[i], 9)
			}
			a.Sources, a.Ptree = append(a.Sources, 9), append(a.Ptree, nil)
			a.Ints, a.Strs, a.Anys = append(a.Ints, nil), append(a.Strs, nil), append(a.Anys, nil)
			if !reflect.DeepEqual(b, r) {
				t.Errorf("a change to one copy shows in another, or in the record:\n%+v\n%+v", b, r)
			}
		})
	}
}

// TestOwnAllocates wants a copy of one of our rows to be a single piece of memory.
func TestOwnAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	rows := new(Pool).Get()
	row := rows.Next()
	row.Ptree = make([]*sfgo.Process, ownTree)
	var kept *sfgo.FlatRecord
	if n := testing.AllocsPerRun(100, func() { kept = Own(row) }); n != 1 {
		t.Errorf("a copy takes %v allocations, want 1", n)
	}
	if size := reflect.TypeFor[owned]().Size(); size > 1152 || kept == nil {
		t.Errorf("a copy has %d bytes, want at most 1152", size)
	}
}

// TestLoose wants a batch of other records to hold on to nothing once it is released.
func TestLoose(t *testing.T) {
	var p Pool
	b := p.Loose()
	if cap(b.Recs) < BatchSize || len(b.Recs) != 0 || b.Flattened() {
		t.Fatalf("got room for %d records, %d of them taken, flattened is %v", cap(b.Recs), len(b.Recs), b.Flattened())
	}
	b.Recs = append(b.Recs, sfgo.FlatRecord{Strs: [][]string{{"a"}}})
	kept := b.Recs
	b.Retain(1)
	b.Release()
	if kept[0].Strs == nil {
		t.Error("the records are gone while the batch has an owner")
	}
	b.Release()
	if kept[0].Strs != nil || len(b.Recs) != 0 {
		t.Errorf("the batch holds %v", kept)
	}
	if other := p.Get(); !other.Flattened() {
		t.Error("a loose batch was given out for one with a slab")
	}
}
