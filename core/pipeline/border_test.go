package pipeline

import (
	"reflect"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// fullRecord returns a record with everything that a context can hold.
func fullRecord(exe string) *engine.Record {
	rows := new(flattener.Pool).Get()
	row := rows.Next()
	row.Strs[0][sfgo.PROC_EXE_STR] = exe
	r := engine.NewRecord(*flattener.Own(row))
	r.Ctx.AddRule(engine.Rule{
		Name: "rule of " + exe, Actions: []string{"a"}, Tags: []engine.EnrichmentTag{"t"}, Prefilter: []string{"PE"}, Priority: engine.High,
	})
	r.Ctx.AddTags("tag of "+exe, "second")
	r.Ctx.SetAlert(true)
	r.Ctx.SetHashes(engine.HASH_TYPE_PROC, &engine.HashSet{Md5: "md5 of " + exe})
	return r
}

// TestRecordsCross takes records over the border and back: they stay as they are, and each crossing makes them somebody's
// own.
func TestRecordsCross(t *testing.T) {
	var rb recordBorder
	for round := range 3 { // the batches are used again
		b := rb.begin()
		var sent []*engine.Record
		for _, exe := range []string{"/bin/a", "/bin/b", "/bin/c"} {
			r := fullRecord(exe)
			sent = append(sent, r)
			var ok bool
			if b, ok = rb.add(b, r); !ok {
				t.Fatal("a record is refused")
			}
		}
		for _, bad := range []*engine.Record{nil, {}, engine.NewRecord(sfgo.FlatRecord{Sources: []sfgo.Source{sfgo.FILE_SRC}})} {
			if _, ok := rb.add(b, bad); ok {
				t.Errorf("%v is taken", bad)
			}
		}
		if n := rb.count(b); n != len(sent) {
			t.Fatalf("round %d: %d records", round, n)
		}
		b.Retain(1)
		var got []*engine.Record
		rb.split(b, func(r *engine.Record) bool { got = append(got, r); return true })
		if !reflect.DeepEqual(got, sent) {
			t.Errorf("round %d: got %+v, want %+v", round, got, sent)
		}
		for _, r := range got { // do what a plugin may do
			rule := r.Ctx.GetRules()[0]
			rule.Actions[0], rule.Tags[0], rule.Prefilter[0] = "x", "x", "x"
			r.Ctx.GetRules()[0].Name = "x"
			r.Ctx.GetTags()[0] = "x"
			r.Ctx.GetHash(engine.HASH_TYPE_PROC).Md5 = "x"
			r.Fr.Strs[0][sfgo.PROC_EXE_STR] = "x"
		}
		for i, e := range b.Events {
			if back := recordOf(&e); !reflect.DeepEqual(back, sent[i]) {
				t.Errorf("round %d: a plugin's change shows in the event: %+v", round, back)
			}
		}
		rb.release(b)
	}
}

// TestAdmit wants what a plugin leaves out of a record to be zero, and a record without SysFlow's source to be refused.
func TestAdmit(t *testing.T) {
	row, ok := admit(&sfgo.FlatRecord{
		Sources: []sfgo.Source{sfgo.NETWORK_SRC, sfgo.SYSFLOW_SRC},
		Ints:    [][]int64{{1, 2}, {sfgo.SF_REC_TYPE: sfgo.PROC_EVT, sfgo.TID_INT: 7}},
		Strs:    [][]string{nil, {sfgo.PROC_EXE_STR: "/bin/a"}},
		Ptree:   []*sfgo.Process{{Exe: "/bin/a"}},
	})
	if !ok || len(row.Sources) != 1 || row.Sources[0] != sfgo.SYSFLOW_SRC || len(row.Ints[0]) != sfgo.INT_ARRAY_SIZE ||
		len(row.Strs[0]) != sfgo.STR_ARRAY_SIZE || len(row.Anys[0]) != sfgo.ANY_ARRAY_SIZE || len(row.Ptree) != 1 ||
		row.Ints[0][sfgo.TID_INT] != 7 || row.Strs[0][sfgo.PROC_EXE_STR] != "/bin/a" {
		t.Errorf("got %+v, %v", row, ok)
	}
	for name, r := range map[string]*sfgo.FlatRecord{
		"nil": nil, "empty": {}, "other source": {Sources: []sfgo.Source{sfgo.FILE_SRC}, Ints: [][]int64{{1}}, Strs: [][]string{{"a"}}},
		"no strings": {Sources: []sfgo.Source{sfgo.SYSFLOW_SRC}, Ints: [][]int64{{1}}},
	} {
		if _, ok := admit(r); ok {
			t.Errorf("%s is taken", name)
		}
	}
}
