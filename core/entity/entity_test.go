package entity_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/entity"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

var roomy = entity.Options{Max: 1000, TTL: 300}

// proc is a process record. A parent of 0 is none.
func proc(pid, parent int64, exe string) *codec.Record {
	return &codec.Record{Type: sfgo.PROC, Process: codec.Process{
		OID: sfgo.OID{CreateTS: 1, Hpid: pid}, POID: sfgo.OID{CreateTS: 1, Hpid: parent}, HasPOID: parent != 0,
		Exe: []byte(exe),
	}}
}

func in(rec *codec.Record, id string) *codec.Record {
	rec.Process.ContainerID = codec.Optional{Bytes: []byte(id), Valid: true}
	return rec
}

func cont(id, name, pod string) *codec.Record {
	return &codec.Record{Type: sfgo.CONT, Container: codec.Container{
		ID: []byte(id), Name: []byte(name), PodID: codec.Optional{Bytes: []byte(pod), Valid: pod != ""},
	}}
}

func pod(id, name string) *codec.Record {
	return &codec.Record{Type: sfgo.POD, Pod: codec.Pod{ID: []byte(id), Name: []byte(name)}}
}

func file(id byte, path string) *codec.Record {
	return &codec.Record{Type: sfgo.FILE, File: codec.File{OID: sfgo.FOID{id}, Path: []byte(path)}}
}

// flow is a network flow of a process.
func flow(pid, ts int64) *codec.Record {
	rec := &codec.Record{Type: sfgo.NET_FLOW}
	rec.Event.Ints[sfgo.PROC_OID_CREATETS_INT], rec.Event.Ints[sfgo.PROC_OID_HPID_INT] = 1, pid
	rec.Event.Ints[sfgo.TS_INT] = ts
	return rec
}

// exit is the exit of a thread of a process.
func exit(pid, tid, ts int64) *codec.Record {
	rec := flow(pid, ts)
	rec.Type = sfgo.PROC_EVT
	rec.Event.Ints[sfgo.TID_INT], rec.Event.Ints[sfgo.OPFLAGS_INT] = tid, sfgo.OP_EXIT
	return rec
}

func put(t *entity.Table, recs ...*codec.Record) {
	for _, rec := range recs {
		t.Put(rec)
	}
}

// exes returns the executables along the chain of a process.
func exes(t *entity.Table, pid int64) string {
	var s []string
	for _, p := range t.Resolve(flow(pid, 0)).Ptree {
		s = append(s, p.Exe)
	}
	return strings.Join(s, " ")
}

func TestChain(t *testing.T) {
	for name, tt := range map[string]struct {
		recs    []*codec.Record
		want    string // of process 3
		missing uint64
	}{
		"unknown process":     {nil, "", 0},
		"alone":               {[]*codec.Record{proc(3, 0, "c")}, "c", 0},
		"to the root":         {[]*codec.Record{proc(1, 0, "a"), proc(2, 1, "b"), proc(3, 2, "c")}, "c b a", 0},
		"children first":      {[]*codec.Record{proc(3, 2, "c"), proc(2, 1, "b"), proc(1, 0, "a")}, "c b a", 0},
		"parent unknown":      {[]*codec.Record{proc(1, 0, "a"), proc(3, 2, "c")}, "c", 1},
		"grandpa unknown":     {[]*codec.Record{proc(3, 2, "c"), proc(2, 1, "b")}, "c b", 1},
		"own parent":          {[]*codec.Record{proc(3, 3, "c")}, "c", 0},
		"cycle":               {[]*codec.Record{proc(3, 2, "c"), proc(2, 1, "b"), proc(1, 2, "a")}, "c b a", 0},
		"cycle through it":    {[]*codec.Record{proc(3, 2, "c"), proc(2, 3, "b")}, "c b", 0},
		"no longer a cycle":   {[]*codec.Record{proc(3, 3, "c"), proc(3, 2, "c"), proc(2, 0, "b")}, "c b", 0},
		"last record wins":    {[]*codec.Record{proc(3, 0, "c"), proc(3, 0, "C"), proc(3, 0, "d")}, "d", 0},
		"another parent":      {[]*codec.Record{proc(1, 0, "a"), proc(2, 0, "b"), proc(3, 1, "c"), proc(3, 2, "c")}, "c b", 0},
		"trimmed":             {[]*codec.Record{proc(3, 0, " \u00a0c\n\t")}, "c", 0},
		"a header in the way": {[]*codec.Record{proc(2, 0, "b"), {Type: sfgo.HEADER}, proc(3, 2, "c")}, "c", 1},
	} {
		t.Run(name, func(t *testing.T) {
			table := entity.NewTable(roomy)
			put(table, tt.recs...)
			if got := exes(table, 3); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := table.Stats().MissingParent; got != tt.missing {
				t.Errorf("%d missing parents, want %d", got, tt.missing)
			}
		})
	}
}

// The kernel's process (0,0) has no record: chains end there, and nothing is missing.
func TestKernelIsRoot(t *testing.T) {
	table := entity.NewTable(roomy)
	rec := proc(3, 2, "c")
	rec.Process.POID = sfgo.OID{}
	put(table, rec)
	if got := exes(table, 3); got != "c" || table.Stats().MissingParent != 0 {
		t.Errorf("got %q, %d missing", got, table.Stats().MissingParent)
	}
	if p := table.Resolve(flow(3, 0)).Process; p.Poid.OID == nil || *p.Poid.OID != (sfgo.OID{}) {
		t.Errorf("parent %+v, want (0,0)", p.Poid)
	}
}

// Whatever changes up the tree shows in the next chain, and earlier ones stay as they were.
func TestChainFollowsChanges(t *testing.T) {
	table := entity.NewTable(roomy)
	put(table, proc(4, 3, "d"), proc(3, 2, "c"))
	before := table.Resolve(flow(4, 0)).Ptree
	for _, step := range []struct {
		rec  *codec.Record
		want string
	}{
		{proc(2, 1, "b"), "d c b"},
		{proc(1, 0, "a"), "d c b a"},
		{proc(2, 1, "B"), "d c B a"},
		{proc(9, 4, "x"), "d c B a"},
		{proc(3, 1, "c"), "d c a"},
		{proc(4, 0, "d"), "d"},
	} {
		put(table, step.rec)
		if got := exes(table, 4); got != step.want {
			t.Errorf("got %q, want %q", got, step.want)
		}
	}
	if len(before) != 2 || before[0].Exe != "d" || before[1].Exe != "c" {
		t.Errorf("the first chain has changed: %v", before)
	}
}

func TestChainIsKept(t *testing.T) {
	table := entity.NewTable(roomy)
	put(table, proc(1, 0, "a"), proc(2, 1, "b"), proc(3, 2, "c"))
	first := table.Resolve(flow(3, 0)).Ptree
	put(table, proc(2, 1, "b"), proc(8, 2, "other"))
	if again := table.Resolve(flow(3, 0)).Ptree; &again[0] != &first[0] {
		t.Error("a chain was made anew though nothing in it had changed")
	}
}

func TestDepthIsLimited(t *testing.T) {
	table := entity.NewTable(roomy)
	for pid := int64(1); pid <= 200; pid++ {
		put(table, proc(pid, pid-1, "p"))
	}
	if n := len(table.Resolve(flow(200, 0)).Ptree); n != 64 {
		t.Errorf("chain of %d, want 64", n)
	}
	if n := table.Stats().MissingParent; n != 0 {
		t.Errorf("%d missing parents, want 0", n)
	}
}

// A container or pod that comes after the first record that refers to it is there for the second one.
func TestLateContainerAndPod(t *testing.T) {
	table := entity.NewTable(roomy)
	put(table, in(proc(3, 0, "c"), "k"))
	show := func() string {
		r := table.Resolve(flow(3, 0))
		s := r.Process.ContainerId.String
		if r.Container != nil {
			s += " " + r.Container.Strs[1]
		}
		if r.Pod != nil {
			s += " " + r.Pod.Strs[1]
		}
		return s
	}
	for _, step := range []struct {
		rec  *codec.Record
		want string
	}{
		{&codec.Record{Type: sfgo.UNKNOWN_TYPE}, "k"},
		{cont("k", "incomplete", ""), "k incomplete"},
		{cont("k", "web", "p"), "k web"},
		{pod("p", "shop"), "k web shop"},
		{pod("p", "store"), "k web store"},
		{cont("k", "web", "q"), "k web"},
		{in(proc(3, 0, "c"), "other"), "other"},
	} {
		put(table, step.rec)
		if got := show(); got != step.want {
			t.Errorf("got %q, want %q", got, step.want)
		}
	}
	want := entity.Stats{Held: [entity.Kinds]int{1, 0, 1, 1}, MissingHeader: 7}
	want.Missing[entity.Container], want.Missing[entity.Pod] = 2, 2
	if got := table.Stats(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestFiles(t *testing.T) {
	table := entity.NewTable(roomy)
	put(table, proc(3, 0, "c"), file(0xab, " /etc/x \n"))
	rec := flow(3, 0)
	rec.Type = sfgo.FILE_EVT
	rec.Event.FileOID, rec.Event.NewFileOID, rec.Event.HasNewFile = sfgo.FOID{0xab}, sfgo.FOID{0xcd}, true
	r := table.Resolve(rec)
	if r.NewFile != nil || table.Stats().Missing[entity.File] != 1 {
		t.Errorf("new file %v, %d missing", r.NewFile, table.Stats().Missing[entity.File])
	}
	if r.File.Strs != [3]string{"ab" + strings.Repeat("0", 38), "/etc/x", ""} {
		t.Errorf("file %q", r.File.Strs)
	}
	f := r.File.SysFlow()
	if f.Path != " /etc/x \n" || f != r.File.SysFlow() {
		t.Errorf("file %+v, want it as it came, and one", f)
	}
	put(table, file(0xab, "/etc/y"))
	if r := table.Resolve(rec); r.File.Strs[1] != "/etc/y" || r.File.SysFlow().Path != "/etc/y" || f.Path != " /etc/x \n" {
		t.Error("the last record of a file does not win, or changes what was returned before")
	}
}

func TestImageName(t *testing.T) {
	for image, want := range map[string]string{
		"alpine:latest:latest": "alpine:latest:latest", " repo@sha256:12:": "repo@sha256:12:", ":": "", "/": "", " ": "",
		"incomplete:incomplete": "incomplete:incomplete",
	} {
		table := entity.NewTable(roomy)
		rec := cont("k", "n", "")
		rec.Container.Image = []byte(image)
		put(table, rec, in(proc(3, 0, "c"), "k"))
		r := table.Resolve(flow(3, 0))
		if got := r.Container.Strs[2]; got != want {
			t.Errorf("%q: got %q, want %q", image, got, want)
		}
		if got := r.Container.SysFlow.Image; got != image {
			t.Errorf("structure: got %q, want %q", got, image)
		}
	}
}

func TestPodRow(t *testing.T) {
	table := entity.NewTable(roomy)
	rec := pod("p", "  shop ")
	p := &rec.Pod
	p.TS, p.RestartCount = 17, 3
	p.NodeName, p.Namespace = []byte("node\n"), []byte(" ns")
	p.HostIP = []int64{1681631424}
	p.InternalIP = []int64{16777343, 546092854 - 1<<32} // an address is 32 bits, however it was extended
	p.Labels = [][]byte{[]byte("app"), []byte("web")}
	p.Services = []codec.Service{
		{Name: []byte("a\"\xff\n"), ID: []byte("i"), Namespace: []byte("n"), ClusterIP: []int64{16777343, 0},
			Ports: []codec.Port{{Port: 80, TargetPort: 8080, NodePort: 1, Proto: []byte("TCP")}, {Proto: []byte("<")}}},
		{},
	}
	put(table, rec, cont("k", "c", "p"), in(proc(3, 0, "c"), "k"))
	got := table.Resolve(flow(3, 0)).Pod
	want := [7]string{
		"p", "shop", "node", `["192.168.59.100"]`, `["127.0.0.1","54.183.140.32"]`, "ns", got.Strs[6],
	}
	if got.Strs != want || got.Ints != [2]int64{17, 3} {
		t.Errorf("got %q %v", got.Strs, got.Ints)
	}
	const services = `[{"clusterip":["127.0.0.1","0.0.0.0"],"name":"a\"�\n","id":"i","namespace":"n","portList":[` +
		`{"port":80,"targetPort":8080,"nodePort":1,"proto":"TCP"},{"port":0,"targetPort":0,"nodePort":0,"proto":"<"}]},` +
		`{"clusterip":[],"name":"","id":"","namespace":"","portList":[]}]`
	if !sameJSON(t, got.Strs[6], services) {
		t.Errorf("services %s\nwant     %s", got.Strs[6], services)
	}
	if ips, ok := got.Anys[1].([]int64); !ok || !slices.Equal(ips, p.InternalIP) {
		t.Errorf("internal addresses %v", got.Anys[1])
	}
	if s, ok := got.Anys[2].([]*sfgo.Service); !ok || len(s) != 2 || s[0].PortList[0].TargetPort != 8080 {
		t.Errorf("services %v", got.Anys[2])
	}
	if got.SysFlow.Labels["app"] != "web" || got.SysFlow.Name != "  shop " {
		t.Errorf("structure %+v", got.SysFlow)
	}

	put(table, pod("p", "empty"))
	if got := table.Resolve(flow(3, 0)).Pod; got.Strs[3] != "[]" || got.Strs[4] != "[]" || got.Strs[6] != "[]" {
		t.Errorf("without addresses and services: %q", got.Strs)
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var v, w any
	if err := json.Unmarshal([]byte(a), &v); err != nil {
		t.Fatalf("%s: %v", a, err)
	}
	if err := json.Unmarshal([]byte(b), &w); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return fmt.Sprint(v) == fmt.Sprint(w)
}

// alive says which of the processes 1 to 9 are known.
func alive(t *entity.Table, ts int64) string {
	t.Resolve(&codec.Record{Type: sfgo.K8S_EVT, Event: flow(0, ts).Event})
	s := ""
	for pid := int64(1); pid < 10; pid++ {
		if t.Entity(proc(pid, 0, "")).Process != nil {
			s += fmt.Sprint(pid)
		}
	}
	return s
}

func TestExpiry(t *testing.T) {
	const ttl = 300 // ns, see roomy
	for name, tt := range map[string]struct {
		recs []*codec.Record
		at   int64
		want string
	}{
		"not before its time": {[]*codec.Record{proc(1, 0, "a"), exit(1, 1, 1000)}, 1000 + ttl, "1"},
		"after its time":      {[]*codec.Record{proc(1, 0, "a"), exit(1, 1, 1000)}, 1001 + ttl, ""},
		"another thread":      {[]*codec.Record{proc(1, 0, "a"), exit(1, 7, 1000)}, 9000, "1"},
		"not an exit":         {[]*codec.Record{proc(1, 0, "a"), flow(1, 1000)}, 9000, "1"},
		"needed by a child": {
			[]*codec.Record{proc(1, 0, "a"), proc(2, 1, "b"), exit(1, 1, 1000)}, 9000, "12"},
		"until the child goes": {
			[]*codec.Record{proc(1, 0, "a"), proc(2, 1, "b"), proc(3, 2, "c"), exit(1, 1, 1000), exit(2, 2, 1100), exit(3, 3, 1200)},
			9000, ""},
		"the child is younger": {
			[]*codec.Record{proc(1, 0, "a"), proc(2, 1, "b"), exit(1, 1, 1000), exit(2, 2, 2000)}, 2000 + ttl, "12"},
		"the child gets another parent": {
			[]*codec.Record{proc(1, 0, "a"), proc(2, 1, "b"), exit(1, 1, 1000), flow(2, 5000), proc(2, 5, "b"), proc(5, 0, "e")},
			5001, "25"},
		"threads that outlive the first one": {
			[]*codec.Record{proc(1, 0, "a"), exit(1, 1, 1000), flow(1, 1200)}, 1200 + ttl, "1"},
		"not for ever": {
			[]*codec.Record{proc(1, 0, "a"), exit(1, 1, 1000), flow(1, 1200), flow(1, 900)}, 1201 + ttl, ""},
		"one lives on, the next does not": {
			[]*codec.Record{proc(1, 0, "a"), proc(2, 0, "b"), exit(1, 1, 1000), exit(2, 2, 1100), flow(1, 1300)}, 1101 + ttl, "1"},
		"a new record": {
			[]*codec.Record{proc(1, 0, "a"), exit(1, 1, 1000), proc(1, 0, "A")}, 9000, "1"},
		"the same record says nothing": {
			[]*codec.Record{proc(1, 0, "a"), exit(1, 1, 1000), proc(1, 0, "a")}, 9000, ""},
		"time in disorder": {
			[]*codec.Record{proc(1, 0, "a"), proc(2, 0, "b"), exit(1, 1, 5000), exit(2, 2, 1000)}, 4000, "1"},
		"exit far in the future": {
			[]*codec.Record{proc(1, 0, "a"), proc(2, 0, "b"), exit(1, 1, 1<<63-1), exit(2, 2, 1000)}, 4000, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			table := entity.NewTable(roomy)
			for _, rec := range tt.recs {
				if rec.Type == sfgo.PROC {
					table.Put(rec)
				} else {
					table.Resolve(rec)
				}
			}
			if got := alive(table, tt.at); got != tt.want {
				t.Errorf("%q are known, want %q", got, tt.want)
			}
		})
	}
}

func TestLeastRecentlyUsedGoFirst(t *testing.T) {
	table := entity.NewTable(entity.Options{Max: 3, TTL: time.Hour})
	put(table, proc(1, 0, "a"), proc(2, 0, "b"), proc(3, 1, "c"))
	table.Resolve(flow(3, 0)) // uses its parent, too
	put(table, proc(4, 0, "d"))
	if got := alive(table, 0); got != "134" {
		t.Errorf("%q are known, want 134", got)
	}
	put(table, proc(5, 0, "e"))
	if got := alive(table, 0); got != "145" {
		t.Errorf("%q are known, want 145: a child goes before its parent", got)
	}
	if got := table.Stats().Evicted[entity.Process]; got != 2 {
		t.Errorf("%d evicted, want 2", got)
	}
}

// A parent outlives its children, but not in a cycle. What is evicted there comes back under the children it had.
func TestEvictedParentComesBack(t *testing.T) {
	table := entity.NewTable(entity.Options{Max: 2, TTL: time.Hour})
	put(table, proc(1, 2, "a"), proc(2, 1, "b"), proc(3, 0, "c"))
	if got := exes(table, 1); got != "a" || table.Stats().MissingParent != 1 {
		t.Errorf("got %q, %d missing parents; want a and 1", got, table.Stats().MissingParent)
	}
	put(table, proc(2, 1, "B"))
	if got := exes(table, 1); got != "a B" {
		t.Errorf("got %q, want a B", got)
	}
}

// Text is shared after a fork and after an exec, and each process has its own all the same.
func TestEnvironmentIsShared(t *testing.T) {
	env := [][]byte{[]byte("PATH=/bin"), nil, []byte("HOME=/root")}
	with := func(rec *codec.Record, env [][]byte) *codec.Record {
		rec.Process.Env, rec.Process.Cwd = env, []byte("/root/")
		return rec
	}
	table := entity.NewTable(roomy)
	put(table,
		with(proc(1, 0, "sh"), env),
		with(proc(2, 1, "sh"), env),
		with(proc(2, 1, "ls"), env),
		with(proc(3, 1, "sh"), append(env[:2:2], []byte("HOME=/"))),
		with(proc(4, 1, "sh"), env[:1]),
		with(proc(5, 1, "sh"), nil),
	)
	want := []string{"PATH=/bin", "HOME=/root"}
	get := func(pid int64) *sfgo.Process { return table.Resolve(flow(pid, 0)).Process }
	for pid, want := range map[int64][]string{1: want, 2: want, 3: {"PATH=/bin", "HOME=/"}, 4: want[:1], 5: nil} {
		if got := get(pid); !slices.Equal(got.Env, want) || got.Cwd != "/root/" {
			t.Errorf("process %d: %q in %q, want %q", pid, got.Env, got.Cwd, want)
		}
	}
	if &get(1).Env[0] != &get(2).Env[0] {
		t.Error("parent and child have the same environment twice")
	}
}

// A full table of processes that each have an environment of their own, of the largest size there is, takes no more
// memory than its options promise.
func TestMemoryIsBounded(t *testing.T) {
	const maxEntities = 1000
	heap := func() int {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	for name, rec := range map[string]func(i int64) *codec.Record{
		"processes": func(i int64) *codec.Record { return proc(i, i-1, fmt.Sprintf("/usr/bin/process-%d", i)) },
		"environments": func(i int64) *codec.Record {
			r := proc(i, i-1, "exe")
			for v := range 40 {
				r.Process.Env = append(r.Process.Env, fmt.Appendf(nil, "VARIABLE_%d=%0*d", v, 80, i))
			}
			return r
		},
		"arguments": func(i int64) *codec.Record {
			r := proc(i, i-1, "exe")
			r.Process.ExeArgs = fmt.Appendf(nil, "%04000d", i)
			return r
		},
		// Each child was last used when its ancestors were other images than now.
		"changing ancestors": func(i int64) *codec.Record {
			if i%40 == 0 {
				return proc(i, 39, "child")
			}
			r := proc(i%40, i%40-1, "exe")
			r.Process.ExeArgs = fmt.Appendf(nil, "%0400d", i)
			return r
		},
		"names": func(i int64) *codec.Record {
			r := proc(i, 0, "exe")
			r.Process.UserName = fmt.Appendf(nil, "%04000d", i)
			return r
		},
		"container ids": func(i int64) *codec.Record { return in(proc(i, 0, "exe"), fmt.Sprintf("%04000d", i)) },
		"files": func(i int64) *codec.Record {
			r := file(0, fmt.Sprintf("/usr/lib/python3/%d", i))
			copy(r.File.OID[:], fmt.Sprint(i))
			return r
		},
		"paths": func(i int64) *codec.Record {
			r := file(0, fmt.Sprintf("%04000d", i))
			copy(r.File.OID[:], fmt.Sprint(i))
			return r
		},
		"pods": func(i int64) *codec.Record {
			r := pod(fmt.Sprint(i), "pod")
			for range 50 {
				r.Pod.Labels = append(r.Pod.Labels, fmt.Appendf(nil, "%0100d", i))
			}
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := heap()
			table := entity.NewTable(entity.Options{Max: maxEntities, TTL: time.Hour})
			for i := int64(1); i <= 10*maxEntities; i++ {
				r := rec(i)
				table.Put(r)
				if pid := r.Process.OID.Hpid; pid >= 40 {
					table.Resolve(flow(pid, 0))
				}
			}
			used, limit := heap()-before, 1200*maxEntities
			if used > limit {
				t.Errorf("%d bytes, want at most %d: %+v", used, limit, table.Stats())
			}
			t.Logf("%d KiB, %d bytes each: %+v", used>>10, used/maxEntities, table.Stats().Held)
			runtime.KeepAlive(table)
		})
	}
}

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	table := entity.NewTable(roomy)
	recs := []*codec.Record{
		proc(1, 0, "a"), proc(2, 1, "b"), in(proc(3, 2, "c"), "k"), cont("k", "c", "p"), file(1, "/x"),
	}
	put(table, append(recs, pod("p", "pod"))...)
	ev := flow(3, 0)
	ev.Type, ev.Event.FileOID = sfgo.FILE_FLOW, sfgo.FOID{1}
	table.Resolve(ev)
	if n := testing.AllocsPerRun(100, func() {
		put(table, recs...)
		table.Resolve(ev)
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestEntity(t *testing.T) {
	table := entity.NewTable(roomy)
	header := &codec.Record{Type: sfgo.HEADER, Header: codec.Header{Version: 5, Exporter: []byte("node")}}
	recs := []*codec.Record{
		header, pod("p", "pod"), cont("k", "cont", "p"), proc(1, 0, "a"), in(proc(2, 1, "b"), "k"), file(1, "/x"),
	}
	for _, rec := range recs {
		table.Put(rec)
		r := table.Entity(rec)
		if r.Header.SysFlow.Exporter != "node" {
			t.Errorf("type %d: header %+v", rec.Type, r.Header)
		}
		var got string
		switch rec.Type {
		case sfgo.HEADER:
			got = fmt.Sprint(r.Header.Version)
		case sfgo.POD:
			got = r.Pod.Strs[1]
		case sfgo.CONT:
			got = r.Container.Strs[1] + " in " + r.Pod.Strs[1]
		case sfgo.PROC:
			got = r.Process.Exe + fmt.Sprint(len(r.Ptree), r.Container != nil, r.Pod != nil)
		case sfgo.FILE:
			got = r.File.Strs[1]
		}
		want := map[*codec.Record]string{
			recs[0]: "5", recs[1]: "pod", recs[2]: "cont in pod", recs[3]: "a1 false false", recs[4]: "b2 true true", recs[5]: "/x",
		}[rec]
		if got != want {
			t.Errorf("type %d: got %q, want %q", rec.Type, got, want)
		}
	}
	for _, rec := range []*codec.Record{pod("q", ""), cont("l", "", ""), proc(9, 0, ""), file(9, "")} {
		if r := table.Entity(rec); r.Pod != nil || r.Container != nil || r.Process != nil || r.File != nil {
			t.Errorf("type %d: got %+v, want nothing", rec.Type, r)
		}
	}
	if s := table.Stats(); s.Missing != [entity.Kinds]uint64{} || s.MissingHeader != 0 {
		t.Errorf("something counts as missing: %+v", s)
	}
}

func TestKinds(t *testing.T) {
	var got []string
	for k := range entity.Kinds {
		got = append(got, k.String())
	}
	if want := []string{"process", "file", "container", "pod"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
