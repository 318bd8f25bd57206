package encode

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// TestJSONRemembersProcesses encodes records of few processes that differ in everything else, and sometimes in what a
// plugin may have changed of the process: the naive encoder, which remembers nothing, says the same.
func TestJSONRemembersProcesses(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var trees [][]*sfgo.Process
	for i := range 4 {
		r := withTree(newRow(sfgo.PROC_EVT))
		r.Ptree[0].ExeArgs = fmt.Sprint("process ", i)
		trees = append(trees, r.Ptree)
	}
	// The same process under another parent, and without any.
	trees = append(trees, []*sfgo.Process{trees[0][0], trees[1][0]}, trees[0][:1])
	testers := []*tester{newTester(JSONOptions{}), newTester(JSONOptions{Extended: true})}
	for range 500 {
		typ := documentTypes[rnd.IntN(len(documentTypes)-1)] // all but Kubernetes events
		r := newRow(typ)
		for a := sfgo.TS_INT; a < sfgo.INT_ARRAY_SIZE; a++ {
			r.Ints[0][a] = rnd.Int64N(1000)
		}
		r.Strs[0][sfgo.FILE_PATH_STR] = fmt.Sprint("/tmp/", rnd.IntN(9))
		r.Ptree = slices.Clone(trees[rnd.IntN(len(trees))])
		p := r.Ptree[0]
		r.Strs[0][sfgo.PROC_EXE_STR], r.Strs[0][sfgo.PROC_EXEARGS_STR] = p.Exe, p.ExeArgs
		r.Ints[0][sfgo.PROC_POID_HPID_INT] = int64(7955 * (len(r.Ptree) - 1))
		switch rnd.IntN(8) {
		case 0:
			r.Ints[0][sfgo.PROC_UID_INT] = rnd.Int64N(3)
		case 1:
			r.Strs[0][sfgo.PROC_USERNAME_STR] = fmt.Sprint("user", rnd.IntN(3))
		case 2:
			r.Ptree = nil
		}
		testers[rnd.IntN(2)].check(t, &engine.Event{Row: r})
	}
	for i, j := range testers {
		if n := len(j.json.procs.procs); n != 4 {
			t.Errorf("encoder %d remembers %d processes, want 4", i, n)
		}
	}
}

func TestJSONForgetsProcesses(t *testing.T) {
	for name, tt := range map[string]struct {
		args  int // bytes
		procs int
	}{
		"many":      {10, 3 * maxProcs},
		"large":     {3000, 1000},
		"too large": {maxProcText, 10},
	} {
		t.Run(name, func(t *testing.T) {
			j := newTester(JSONOptions{})
			args := strings.Repeat("x", tt.args)
			for i := range tt.procs {
				r := newRow(sfgo.PROC_FLOW)
				r.Ints[0][sfgo.PROC_OID_HPID_INT] = int64(i)
				r.Ptree = []*sfgo.Process{{Oid: &sfgo.OID{Hpid: int64(i)}, Exe: "/bin/x", ExeArgs: args}}
				e := &engine.Event{Row: r}
				if i%100 == 0 {
					j.check(t, e)
				} else if _, err := j.json.Append(j.buf[:0], e); err != nil {
					t.Fatal(err)
				}
				m := &j.json.procs
				if len(m.procs) > maxProcs || m.size > maxProcMemo {
					t.Fatalf("after %d processes, %d bytes of %d are remembered", i+1, m.size, len(m.procs))
				}
				size := 0
				if i%500 != 0 {
					continue
				}
				for _, p := range m.procs {
					for _, text := range p.texts {
						size += len(text)
					}
				}
				if size != m.size {
					t.Fatalf("%d bytes are remembered, counted as %d", size, m.size)
				}
			}
		})
	}
}
