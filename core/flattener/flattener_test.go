package flattener

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/config"
	"github.com/sysflow-telemetry/sf-processor/core/entity"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/reader"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soil writes something into every slot of the rows of a batch.
func soil(b *Batch) {
	for i := range b.slab.recs {
		r := &b.slab.recs[i]
		for j := range r.Ints[0] {
			r.Ints[0][j] = -7777
		}
		for j := range r.Strs[0] {
			r.Strs[0][j] = "stale"
		}
		for j := range r.Anys[0] {
			r.Anys[0][j] = "stale"
		}
		r.Ptree, r.GraphletID = []*sfgo.Process{nil}, 7777
	}
}

// flatten runs blocks through a reader with a flattener, and calls each for every row that comes out of each of its
// outputs. Rows of released batches are soiled.
func flatten(t *testing.T, f *Flattener, outputs int, blocks []*plugins.Block, each func(output int, r *sfgo.FlatRecord)) {
	t.Helper()
	s, err := reader.New[FlatChannel](reader.Config{EntityMax: limits.Max, EntityTTL: limits.TTL}, f, nil)
	if err != nil {
		t.Fatal(err)
	}
	in := plugins.NewChannel[*sfgo.SysFlow, *plugins.Block](1, 1)
	var outs []*FlatChannel
	for range outputs {
		outs = append(outs, NewFlatChannel(1))
	}
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() {
		defer in.CloseBatches()
		for _, b := range blocks {
			if err := in.Send(t.Context(), b); err != nil {
				t.Error(err)
				return
			}
		}
	})
	var mu sync.Mutex
	users := map[*Batch]int{}
	for i, out := range outs {
		all.Go(func() {
			for b := range out.Batches() {
				for j := range b.Recs {
					each(i, &b.Recs[j])
				}
				mu.Lock()
				if users[b]++; users[b] == outputs {
					delete(users, b)
					soil(b)
				}
				mu.Unlock()
				b.Release()
			}
		})
	}
	f.batch = f.pool.Get()
	soil(f.batch)
	if err := s.Run(t.Context(), in, outs); err != nil {
		t.Error(err)
	}
	for _, out := range outs {
		out.CloseBatches()
	}
}

func traceNames(t *testing.T) []string {
	t.Helper()
	dir := os.Getenv("SYSFLOW_TRACES")
	if dir == "" {
		t.Skip("SYSFLOW_TRACES is not set: no real traces")
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.sf"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no traces in %s: %v", dir, err)
	}
	for i := range paths {
		paths[i] = filepath.Base(paths[i])
	}
	return paths
}

// naiveRows returns the rows that blocks should become.
func naiveRows(t *testing.T, blocks []*plugins.Block) []*sfgo.FlatRecord {
	t.Helper()
	n := newNaive()
	var rows []*sfgo.FlatRecord
	for _, b := range blocks {
		dec, err := codec.NewDecoder(b.Stream.Schema)
		if err != nil {
			t.Fatal(err)
		}
		var rec codec.Record
		for data := b.Data; len(data) > 0; {
			used, err := dec.Decode(data, &rec)
			if err != nil {
				t.Fatal(err)
			}
			data = data[used:]
			if r := n.row(rec.SysFlow().Rec); r != nil {
				rows = append(rows, r)
			}
		}
	}
	return rows
}

// On real traces each row is, slot by slot, what the naive way makes of the record.
func TestRowsOfTraces(t *testing.T) {
	for _, name := range traceNames(t) {
		t.Run(name, func(t *testing.T) {
			blocks := trace(t, name)
			want := naiveRows(t, blocks)
			for _, b := range blocks { // what was decoded must not be needed any more
				data := b.Data
				b.Data = slices.Clone(data)
				b.Release = func() { clear(b.Data) }
			}
			var n [2]int
			flatten(t, New(Config{}), 2, blocks, func(output int, r *sfgo.FlatRecord) {
				if d := rowDiff(r, want[n[output]]); d != "" && !t.Failed() {
					t.Errorf("row %d of output %d, of type %d: %s", n[output], output, r.Ints[0][0], d)
				}
				n[output]++
			})
			if n != [2]int{len(want), len(want)} {
				t.Errorf("%d rows, want %d", n, len(want))
			}
		})
	}
}

func TestSumsOfTraces(t *testing.T) {
	_ = traceNames(t)
	for name, want := range map[string]string{
		"tcp.sf":                "10 PE4 FF4 NF2 in container 0 pod 0 read 1824 written 160 in 5 and 2",
		"runtime-1621959914.sf": "5822 PE127 FF5609 NF3 FE83 in container 135 pod 0 read 21153228 written 28149232 in 89069 and 149470",
		"k8s_small.sf":          "5247 PE341 FF3383 NF1511 FE8 KE4 in container 5243 pod 4640 read 5151191 written 2333358 in 17544 and 11644",
		"mon.1531776712.sf":     "6325 PE234 FF6002 NF86 FE3 in container 6303 pod 0 read 46006875 written 409515 in 11244 and 4322",
	} {
		t.Run(name, func(t *testing.T) {
			var rows, conts, pods, rbytes, wbytes, rops, wops int64
			types := map[int64]int{}
			flatten(t, New(Config{}), 1, trace(t, name), func(_ int, r *sfgo.FlatRecord) {
				i, s := r.Ints[0], r.Strs[0]
				typ := i[sfgo.SF_REC_TYPE]
				rows++
				types[typ]++
				if s[sfgo.CONT_ID_STR] != "" {
					conts++
				}
				if s[sfgo.POD_ID_STR] != "" {
					pods++
				}
				if typ == sfgo.FILE_FLOW || typ == sfgo.NET_FLOW {
					rops += i[sfgo.NUMRRECVOPS_INT]
					wops += i[sfgo.NUMWSENDOPS_INT]
					rbytes += i[sfgo.NUMRRECVBYTES_INT]
					wbytes += i[sfgo.NUMWSENDBYTES_INT]
				}
			})
			got := fmt.Sprint(rows)
			for _, typ := range []struct {
				typ  int64
				code string
			}{{sfgo.PROC_EVT, "PE"}, {sfgo.FILE_FLOW, "FF"}, {sfgo.NET_FLOW, "NF"}, {sfgo.FILE_EVT, "FE"}, {sfgo.K8S_EVT, "KE"}} {
				if types[typ.typ] > 0 {
					got += fmt.Sprint(" ", typ.code, types[typ.typ])
				}
			}
			got += fmt.Sprintf(" in container %d pod %d read %d written %d in %d and %d", conts, pods, rbytes, wbytes, rops, wops)
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// record returns the record that a structure is decoded to.
func record(t *testing.T, u sfgo.RecUnion) *codec.Record {
	t.Helper()
	enc, err := codec.NewEncoder(codec.CurrentSchema)
	if err != nil {
		t.Fatal(err)
	}
	schema, _ := codec.Schema(codec.CurrentSchema)
	dec, err := codec.NewDecoder(schema)
	if err != nil {
		t.Fatal(err)
	}
	data, err := enc.Append(nil, &sfgo.SysFlow{Rec: &u})
	if err != nil {
		t.Fatal(err)
	}
	rec := new(codec.Record)
	if _, err := dec.Decode(data, rec); err != nil {
		t.Fatal(err)
	}
	return rec
}

// everything is one record of each type, the entities first; the second process has no parent, and the events after
// that are of a process and files that are not known.
func everything() []sfgo.RecUnion {
	oid, lost := &sfgo.OID{CreateTS: 100, Hpid: 7}, &sfgo.OID{CreateTS: 1, Hpid: 404}
	foid, second, gone := sfgo.FOID{0xaa, 19: 1}, sfgo.FOID{0xbb}, sfgo.FOID{0xcc, 19: 0x0f}
	inK := &sfgo.ContainerIdUnion{String: "k", UnionType: sfgo.ContainerIdUnionTypeEnumString}
	null := &sfgo.NewFileOIDUnion{}
	union := func(f sfgo.FOID) *sfgo.NewFileOIDUnion {
		return &sfgo.NewFileOIDUnion{FOID: f, UnionType: sfgo.NewFileOIDUnionTypeEnumFOID}
	}
	recs := []sfgo.RecUnion{
		{UnionType: sfgo.RecUnionTypeEnumSFHeader,
			SFHeader: &sfgo.SFHeader{Version: 5, Exporter: " node ", Ip: "NA", Filename: "/mnt/x "}},
		{UnionType: sfgo.RecUnionTypeEnumPod, Pod: &sfgo.Pod{Ts: 9, Id: "p", Name: " pod ", NodeName: "\tn", HostIP: []int64{1},
			InternalIP: []int64{1, 2}, Namespace: "ns ", RestartCount: 2, Labels: map[string]string{}, Selectors: map[string]string{},
			Services: []*sfgo.Service{{Name: "s", PortList: []*sfgo.Port{{Port: 1}}, ClusterIP: []int64{-1}}}}},
		{UnionType: sfgo.RecUnionTypeEnumContainer, Container: &sfgo.Container{Id: "k", Name: " c", Image: "i ", Imageid: "x",
			Type: sfgo.ContainerTypeCT_CRIO, Privileged: true,
			PodId: &sfgo.PodIdUnion{String: "p", UnionType: sfgo.PodIdUnionTypeEnumString}}},
		{UnionType: sfgo.RecUnionTypeEnumProcess, Process: &sfgo.Process{State: 2, Oid: oid,
			Poid: &sfgo.PoidUnion{OID: lost, UnionType: sfgo.PoidUnionTypeEnumOID}, Ts: 101, Exe: " /bin/sh ", ExeArgs: "-c x\n",
			Uid: -1, UserName: " u", Gid: 5, GroupName: "g ", Tty: true, ContainerId: inK, Entry: true, Cwd: "/", Env: []string{"", "A=b"}}},
		{UnionType: sfgo.RecUnionTypeEnumProcess, Process: &sfgo.Process{Oid: &sfgo.OID{Hpid: 8}, Poid: &sfgo.PoidUnion{},
			ContainerId: &sfgo.ContainerIdUnion{}}},
		{UnionType: sfgo.RecUnionTypeEnumFile, File: &sfgo.File{State: 1, Oid: foid, Ts: 11, Restype: 'f', Path: " /a b ", ContainerId: inK}},
		{UnionType: sfgo.RecUnionTypeEnumFile, File: &sfgo.File{State: 2, Oid: second, Ts: 12, Restype: '?', Path: "/n",
			ContainerId: &sfgo.ContainerIdUnion{}}},
	}
	for _, p := range []*sfgo.OID{oid, {Hpid: 8}, lost} {
		recs = append(recs,
			sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumFileEvent, FileEvent: &sfgo.FileEvent{ProcOID: p, Ts: 1, Tid: 2, OpFlags: 4,
				FileOID: foid, Ret: -5, NewFileOID: union(second)}},
			sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumNetworkFlow, NetworkFlow: &sfgo.NetworkFlow{ProcOID: p, Ts: 1, Tid: 2,
				OpFlags: 3, EndTs: 4, Sip: -5, Sport: 6, Dip: 7, Dport: 8, Proto: -9, Fd: -10, NumRRecvOps: 11, NumWSendOps: 12,
				NumRRecvBytes: 13, NumWSendBytes: 14}},
			sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumFileEvent, FileEvent: &sfgo.FileEvent{ProcOID: p, FileOID: gone, NewFileOID: union(gone)}},
			sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumK8sEvent, K8sEvent: &sfgo.K8sEvent{Kind: 2, Action: 3, Ts: 4, Message: "{}\n\n\x00"}},
			sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumFileEvent, FileEvent: &sfgo.FileEvent{ProcOID: p, FileOID: second, NewFileOID: null}},
			sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumNetworkEvent, NetworkEvent: &sfgo.NetworkEvent{ProcOID: p, Sip: 1}},
			sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumProcessEvent, ProcessEvent: &sfgo.ProcessEvent{ProcOID: p, Ts: 1, Tid: 2,
				OpFlags: 8, Args: []string{"root", ""}, Ret: 3}},
			sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumFileFlow, FileFlow: &sfgo.FileFlow{ProcOID: p, Ts: 1, Tid: 2, OpFlags: 3,
				OpenFlags: 4, EndTs: 5, FileOID: foid, Fd: 6, NumRRecvOps: 7, NumWSendOps: 8, NumRRecvBytes: 9, NumWSendBytes: 10}},
			sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumProcessFlow, ProcessFlow: &sfgo.ProcessFlow{ProcOID: p, Ts: 1,
				NumThreadsCloned: 2, OpFlags: 3, EndTs: 4, NumThreadsExited: 5, NumCloneErrors: 6}},
			sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumFileFlow, FileFlow: &sfgo.FileFlow{ProcOID: p, FileOID: gone}},
			sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumProcessEvent, ProcessEvent: &sfgo.ProcessEvent{ProcOID: p}},
		)
	}
	return recs
}

// Every slot of a row is written, for each type after each other, whatever is missing and whatever the row held.
func TestNoStaleSlots(t *testing.T) {
	recs := everything()
	for _, withEntities := range []bool{true, false} {
		n, table := newNaive(), entity.NewTable(limits)
		b := new(Pool).Get()
		for _, u := range recs {
			isEntity := u.UnionType <= sfgo.RecUnionTypeEnumFile || u.UnionType == sfgo.RecUnionTypeEnumPod
			if isEntity && !withEntities {
				continue
			}
			rec := record(t, u)
			want := n.row(rec.SysFlow().Rec)
			if want == nil {
				table.Put(rec)
				continue
			}
			b.Recs = b.Recs[:0]
			row := b.Next()
			for range 2 { // on a soiled row, and on its own
				fill(row, rec, table.Resolve(rec))
				if d := rowDiff(row, want); d != "" {
					t.Errorf("type %d, entities %v: %s", u.UnionType, withEntities, d)
				}
			}
			soil(b)
		}
	}
}

// The naive way shares its authors with the fast one, so some rows are spelled out.
func TestRows(t *testing.T) {
	table, b := entity.NewTable(limits), new(Pool).Get()
	var got []string
	for _, u := range everything() {
		rec := record(t, u)
		switch rec.Type {
		case sfgo.HEADER, sfgo.CONT, sfgo.PROC, sfgo.FILE, sfgo.POD:
			table.Put(rec)
			continue
		case sfgo.NET_EVT:
			continue
		}
		row := b.Next()
		fill(row, rec, table.Resolve(rec))
		tree := ""
		for _, p := range row.Ptree {
			tree += fmt.Sprintf(" %d%q%q", p.Oid.Hpid, p.Exe, p.Env)
		}
		got = append(got, fmt.Sprintf("%v %q %v%s", row.Ints[0], row.Strs[0], row.Anys[0][3], tree))
	}
	const (
		head   = `" node " "NA" "/mnt/x " `
		cont   = `"k" "c" "i" "x" "p" `
		pod    = `"p" "pod" "n" "[\"1.0.0.0\"]" "[\"1.0.0.0\",\"2.0.0.0\"]" "ns" "[{\"clusterip\":[\"255.255.255.255\"],\"name\":\"s\",\"id\":\"\",\"namespace\":\"\",\"portList\":[{\"port\":1,\"targetPort\":0,\"nodePort\":0,\"proto\":\"\"}]}]" `
		proc   = `"/bin/sh" "-c x" " u" "g " "k" `
		none7  = `"" "" "" "" "" "" "" `
		none5  = `"" "" "" "" "" `
		none3  = `"" "" ""`
		first  = `"aa00000000000000000000000000000000000001" "/a b" "k" `
		second = `"bb00000000000000000000000000000000000000" "/n" ""`
		gone   = `"cc0000000000000000000000000000000000000f" "" ""`
		tree   = ` 7"/bin/sh"["A=b"]`
	)
	for i, want := range map[int]string{
		0:  `[7 5 8 1 9 2 0 0 0 2 100 7 1 404 101 -1 5 1 1 1 11 102 1 2 4 -5 2 12 63 0 0 0 0 0 0 0] [` + head + cont + pod + `"" ` + proc + first + second + `] <nil>` + tree,
		1:  `[5 5 8 1 9 2 0 0 0 2 100 7 1 404 101 -1 5 1 1 0 0 0 1 2 3 4 -10 11 12 13 14 -5 6 7 8 -9] [` + head + cont + pod + `"" ` + proc + none3 + ` ` + none3 + `] <nil>` + tree,
		2:  `[7 5 8 1 9 2 0 0 0 2 100 7 1 404 101 -1 5 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0] [` + head + cont + pod + `"" ` + proc + gone + ` ` + gone + `] <nil>` + tree,
		3:  `[11 5 0 0 0 0 2 3 0 0 0 0 0 0 0 0 0 0 0 0 0 0 4 0 0 0 0 0 0 0 0 0 0 0 0 0] [` + head + none5 + none7 + `"{}" ` + none5 + none3 + ` ` + none3 + `] <nil>`,
		5:  `[4 5 8 1 9 2 0 0 0 2 100 7 1 404 101 -1 5 1 1 0 0 0 1 2 8 3 0 0 0 0 0 0 0 0 0 0] [` + head + cont + pod + `"" ` + proc + none3 + ` ` + none3 + `] [root ]` + tree,
		6:  `[6 5 8 1 9 2 0 0 0 2 100 7 1 404 101 -1 5 1 1 1 11 102 1 2 3 5 6 7 8 9 10 4 0 0 0 0] [` + head + cont + pod + `"" ` + proc + first + none3 + `] <nil>` + tree,
		7:  `[9 5 8 1 9 2 0 0 0 2 100 7 1 404 101 -1 5 1 1 0 0 0 1 7 3 4 0 2 5 6 0 0 0 0 0 0] [` + head + cont + pod + `"" ` + proc + none3 + ` ` + none3 + `] <nil>` + tree,
		27: `[9 5 0 0 0 0 0 0 0 0 1 404 0 0 0 0 0 0 0 0 0 0 1 404 3 4 0 2 5 6 0 0 0 0 0 0] [` + head + none5 + none7 + `"" ` + none5 + none3 + ` ` + none3 + `] <nil>`,
	} {
		if got[i] != want {
			t.Errorf("row %d:\n got %s\nwant %s", i, got[i], want)
		}
	}
}

// feed hands a flattener n flows, with times from 0 up.
func feed(t *testing.T, f *Flattener, ctx context.Context, n int) error {
	t.Helper()
	table := entity.NewTable(limits)
	rec := record(t, sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumNetworkFlow, NetworkFlow: &sfgo.NetworkFlow{ProcOID: &sfgo.OID{Hpid: 1}}})
	for i := range n {
		rec.Event.Ints[sfgo.TS_INT] = int64(i)
		if err := f.Handle(ctx, rec, table.Resolve(rec)); err != nil {
			return err
		}
	}
	return nil
}

func counted(f *Flattener) string {
	var s []string
	f.Counters(func(name string, v uint64) {
		if v > 0 {
			s = append(s, fmt.Sprint(name, " ", v))
		}
	})
	return strings.Join(s, ", ")
}

// A full batch goes at once, the rest with Flush, and an empty one never.
func TestBatches(t *testing.T) {
	f, out := New(Config{}), NewFlatChannel(10*BatchSize)
	f.Start([]*FlatChannel{out})
	ctx := t.Context()
	if err := feed(t, f, ctx, 2*BatchSize+5); err != nil {
		t.Fatal(err)
	}
	if n, _ := out.Depth(); n != 2 {
		t.Errorf("%d batches before Flush, want 2", n)
	}
	for range 3 {
		if err := f.Flush(ctx); err != nil {
			t.Fatal(err)
		}
	}
	out.CloseBatches()
	var sizes []int
	next := int64(0)
	for b := range out.Batches() {
		sizes = append(sizes, len(b.Recs))
		for i := range b.Recs {
			if ts := b.Recs[i].Ints[0][sfgo.TS_INT]; ts != next {
				t.Fatalf("record %d, want %d", ts, next)
			}
			next++
		}
		b.Release()
	}
	if want := []int{BatchSize, BatchSize, 5}; !slices.Equal(sizes, want) {
		t.Errorf("batches of %d, want %d", sizes, want)
	}
}

// A batch has as many owners as outputs, all with the same rows, and is free when the last has released it.
func TestTee(t *testing.T) {
	for _, outputs := range []int{0, 1, 3} {
		f := New(Config{})
		var outs []*FlatChannel
		for range outputs {
			outs = append(outs, NewFlatChannel(1))
		}
		f.Start(outs)
		if err := feed(t, f, t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		b := f.batch
		if err := f.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := b.refs.Load(); int(n) != outputs {
			t.Errorf("%d outputs: %d owners", outputs, n)
		}
		for i, out := range outs {
			if got := <-out.Batches(); got != b || len(got.Recs) != 2 {
				t.Errorf("output %d of %d has another batch", i, outputs)
			}
			b.Release()
		}
		if n := b.refs.Load(); n != 0 {
			t.Errorf("%d outputs: %d owners in the end", outputs, n)
		}
	}
}

// When the program ends while an output is full, the batch belongs to those who have it already, and counts as lost.
func TestSendIsInterrupted(t *testing.T) {
	f := New(Config{})
	outs := []*FlatChannel{NewFlatChannel(1), NewFlatChannel(1), NewFlatChannel(1)}
	f.Start(outs)
	full := new(Pool).Get()
	if err := outs[1].Send(t.Context(), full); err != nil {
		t.Fatal(err)
	}
	stop := errors.New("time is up")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if err := feed(t, f, ctx, 3); err != nil {
		t.Fatal(err)
	}
	b := f.batch
	if err := f.Flush(ctx); !errors.Is(err, stop) {
		t.Errorf("got %v, want %v", err, stop)
	}
	if n := b.refs.Load(); n != 1 {
		t.Errorf("%d owners, want the first output", n)
	}
	if got := counted(f); got != "lost.unsent 3" {
		t.Errorf("counted %q", got)
	}
	if err := f.Flush(ctx); err != nil {
		t.Errorf("flush of nothing: %v", err)
	}
}

func TestConfig(t *testing.T) {
	for text, tt := range map[string]struct {
		want Config
		err  string
	}{
		`{}`: {Config{FilterMaxAge: 24 * time.Hour}, ""},
		`{"filter.enabled": "on", "filter.maxage": "60"}`: {Config{true, time.Minute}, ""},
		`{"filter.enabled": true, "filter.maxage": "2h"}`: {Config{true, 2 * time.Hour}, ""},
		`{"filter.enabled": "maybe"}`:                     {err: "P303"},
	} {
		doc, _ := config.Parse("pipeline.json", []byte(text))
		var c Config
		diags := config.NewSchema(&c).Decode(&config.Entry{Instance: "sysflowreader", Settings: doc.Members})
		if tt.err != "" && (len(diags) != 1 || !strings.Contains(diags[0].Error(), tt.err)) || tt.err == "" && (len(diags) > 0 || c != tt.want) {
			t.Errorf("%s: got %+v, %v", text, c, diags)
		}
	}
}

// Once all entities are known, a flow or event costs no allocation, but for arguments and messages; and with the entities
// that change or come again, a trace of many flows costs less than one per twenty records.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	manyFlows := []string{"runtime-1621959914.sf", "mon.1531776712.sf", "webserver.sf", "tcp.sf"}
	for _, name := range traceNames(t) {
		blocks := trace(t, name)
		dec, err := codec.NewDecoder(blocks[0].Stream.Schema)
		if err != nil {
			t.Fatal(err)
		}
		for _, filtered := range []bool{false, true} {
			flat := New(Config{FilterEnabled: filtered, FilterMaxAge: 1})
			p := pass{dec: dec, blocks: blocks, table: entity.NewTable(limits), flat: flat}
			records := p.run(t)
			perRecord := func() float64 { return testing.AllocsPerRun(5, func() { p.run(t) }) / float64(records) }
			if n := perRecord(); n > 0.05 && slices.Contains(manyFlows, name) {
				t.Errorf("%s, filter %v: %.3f allocations per record, want at most 0.05", name, filtered, n)
			}
			p.events = true
			p.run(t)
			if n := perRecord(); n > 0.01 && name != "setns.sf" || n > 0.1 { // where one record in 50 has arguments
				t.Errorf("%s, filter %v, flows and events: %.3f allocations per record, want at most 0.01", name, filtered, n)
			}
		}
	}
}

// What Own returns can be changed without a trace in the row it was made from, the tree's processes excepted.
func TestOwn(t *testing.T) {
	table, b := entity.NewTable(limits), new(Pool).Get()
	for _, u := range everything() {
		rec := record(t, u)
		if u.UnionType != sfgo.RecUnionTypeEnumProcessEvent {
			table.Put(rec)
			continue
		}
		row := b.Next()
		fill(row, rec, table.Resolve(rec))
		own := Own(row)
		if d := rowDiff(own, row); d != "" {
			t.Fatal(d)
		}
		before := asJSON(t, row)
		own.Sources[0] = sfgo.FILE_SRC
		own.Ints[0][sfgo.TS_INT]++
		own.Strs[0][0] += "!"
		for i, v := range own.Anys[0] {
			switch v := v.(type) {
			case []int64:
				v[0]++
			case []string:
				v[0] += "!"
			case []*sfgo.Service:
				v[0].Name += "!"
				v[0].PortList[0].Port++
				v[0].ClusterIP[0]++
			case nil:
			default:
				t.Fatalf("any %d is %T", i, v)
			}
			own.Anys[0][i] = 0
		}
		if len(own.Ptree) > 0 {
			own.Ptree[0] = nil
		}
		if after := asJSON(t, row); after != before {
			t.Errorf("the row has changed:\n%s\n%s", before, after)
		}
	}
	if len(b.Recs) == 0 {
		t.Fatal("nothing tested")
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
