package entity_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/entity"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// compare feeds records to a table and the model.
type compare struct {
	table *entity.Table
	model *model
	n     int

	// Some chains as they were when they were returned, to see that they never change.
	kept   [][]*sfgo.Process
	copies [][]sfgo.Process
}

func newCompare(o entity.Options) *compare {
	return &compare{table: entity.NewTable(o), model: newModel(o)}
}

func isEntity(rec *codec.Record) bool {
	switch rec.Type {
	case sfgo.HEADER, sfgo.CONT, sfgo.PROC, sfgo.FILE, sfgo.POD:
		return true
	}
	return false
}

func (c *compare) feed(t *testing.T, rec *codec.Record) {
	t.Helper()
	c.n++
	if isEntity(rec) {
		c.table.Put(rec)
		c.model.put(rec)
	} else {
		want := c.model.resolve(rec)
		got := c.table.Resolve(rec)
		if d := want.diff(got); d != "" {
			t.Fatalf("record %d, of type %d: wrong %s\nchain %v\nwant  %v", c.n, rec.Type, d, names(got.Ptree), names(want.chain))
		}
		if c.n%97 == 0 {
			c.kept = append(c.kept, got.Ptree)
			var copies []sfgo.Process
			for _, p := range got.Ptree {
				copies = append(copies, *p)
			}
			c.copies = append(c.copies, copies)
		}
	}
	if got, want := c.table.Stats(), c.model.total(); got != want {
		t.Fatalf("after record %d, of type %d:\n got %+v\nwant %+v", c.n, rec.Type, got, want)
	}
}

// unchanged checks the chains that were kept.
func (c *compare) unchanged(t *testing.T) {
	t.Helper()
	for i, chain := range c.kept {
		for j, p := range chain {
			if !reflect.DeepEqual(*p, c.copies[i][j]) {
				t.Fatalf("process %v changed after it was returned", *p.Oid)
			}
		}
	}
}

func names(chain []*sfgo.Process) []string {
	var s []string
	for _, p := range chain {
		s = append(s, fmt.Sprint(*p.Oid, p.Exe))
	}
	return s
}

func TestTableIsTheModelOnTraces(t *testing.T) {
	dir := os.Getenv("SYSFLOW_TRACES")
	if dir == "" {
		t.Skip("SYSFLOW_TRACES is not set: no real traces")
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.sf"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no traces in %s: %v", dir, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			c := newCompare(entity.Options{Max: 30000, TTL: 300 * time.Second})
			eachRecord(t, data, func(rec *codec.Record) { c.feed(t, rec) })
			c.unchanged(t)
		})
	}
}

// eachRecord decodes a trace. The records' bytes are overwritten after each call, so that nothing may hold on to them.
func eachRecord(t *testing.T, trace []byte, f func(*codec.Record)) {
	t.Helper()
	r, err := codec.NewReader(bytes.NewReader(trace), t.Name(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	dec, err := codec.NewDecoder(r.Stream().Schema)
	if err != nil {
		t.Fatal(err)
	}
	var rec codec.Record
	for {
		b, err := r.Next(context.Background())
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		data := b.Data
		for range b.Count {
			n, err := dec.Decode(data, &rec)
			if err != nil {
				t.Fatal(err)
			}
			f(&rec)
			for i := range data[:n] {
				data[i] = 0xee
			}
			data = data[n:]
		}
	}
}

// TestTableIsTheModel feeds random records, of few ids, so that everything meets everything: with and without limits
// that matter, with ids that come late, cycles, headers, exits, and times that go back and forth.
func TestTableIsTheModel(t *testing.T) {
	for name, o := range map[string]entity.Options{
		"no limits":  {Max: 100000, TTL: time.Hour},
		"short ttl":  {Max: 100000, TTL: 50},
		"few":        {Max: 12, TTL: time.Hour},
		"few, short": {Max: 20, TTL: 30},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(8) {
				rnd := rand.New(rand.NewPCG(seed, 1))
				c := newCompare(o)
				g := generator{Rand: rnd, ids: 3 + rnd.Int64N(60), header: rnd.IntN(2) == 0}
				for range 1200 {
					c.feed(t, g.next())
				}
				c.unchanged(t)
			}
		})
	}
}

// TestManyContainers is like TestTableIsTheModel, with more containers and pods than are held.
func TestManyContainers(t *testing.T) {
	for seed := range uint64(1) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		c := newCompare(entity.Options{Max: 400, TTL: time.Hour})
		g := generator{Rand: rnd, ids: 900, header: false}
		for range 5000 {
			c.feed(t, g.next())
		}
		if s := c.table.Stats(); s.Evicted[entity.Container] == 0 || s.Evicted[entity.Pod] == 0 {
			t.Errorf("nothing evicted: %+v", s)
		}
	}
}

// generator makes random records.
type generator struct {
	*rand.Rand
	ids    int64
	header bool // there are headers
	now    int64
	past   []codec.Process
}

func (g *generator) oid() sfgo.OID {
	n := g.Int64N(g.ids)
	return sfgo.OID{CreateTS: n / 5, Hpid: n % 5} // (0,0) is one of them
}

func (g *generator) foid() (f sfgo.FOID) {
	f[19], f[0] = byte(g.Int64N(g.ids)), byte(g.IntN(2))
	return f
}

func (g *generator) text(prefix string) []byte {
	return fmt.Appendf(nil, "%s%d", prefix, g.Int64N(g.ids))
}

// optional returns null, an empty or another id.
func (g *generator) optional(prefix string) codec.Optional {
	switch g.IntN(4) {
	case 0:
		return codec.Optional{}
	case 1:
		return codec.Optional{Bytes: []byte{}, Valid: true} // not the same as null
	}
	return codec.Optional{Bytes: g.text(prefix), Valid: true}
}

func (g *generator) next() *codec.Record {
	g.now += g.Int64N(8) - 2
	switch n := g.IntN(100); {
	case n == 0 && g.header:
		return &codec.Record{Type: sfgo.HEADER, Header: codec.Header{Version: g.Int64N(6), Exporter: g.text("node")}}
	case n < 8:
		return &codec.Record{Type: sfgo.CONT, Container: codec.Container{
			ID: g.text("c"), Name: []byte(" name\n"), Image: g.text("image"), Type: g.Int32N(10),
			Privileged: g.IntN(2) == 0, PodID: g.optional("p"),
		}}
	case n < 15:
		return &codec.Record{Type: sfgo.POD, Pod: codec.Pod{TS: g.now, ID: g.text("p"), Name: g.text(" pod")}}
	case n < 40:
		return g.process()
	case n < 50:
		return &codec.Record{Type: sfgo.FILE, File: codec.File{
			OID: g.foid(), TS: g.Int64N(3), ResType: 'f', Path: g.text("\t/file"), ContainerID: g.optional("c"),
		}}
	}
	return g.event()
}

// process returns a new process, or one that was there before, with at most one thing changed.
func (g *generator) process() *codec.Record {
	if len(g.past) > 0 && g.IntN(2) == 0 {
		p := g.past[g.IntN(len(g.past))]
		fresh := g.newProcess()
		switch g.IntN(17) {
		case 0:
			p.State = fresh.State
		case 1:
			p.POID = fresh.POID
		case 2:
			p.HasPOID = fresh.HasPOID
		case 3:
			p.TS = fresh.TS
		case 4:
			p.Exe = fresh.Exe
		case 5:
			p.ExeArgs = fresh.ExeArgs
		case 6:
			p.UID = fresh.UID
		case 7:
			p.UserName = fresh.UserName
		case 8:
			p.GID = fresh.GID
		case 9:
			p.GroupName = fresh.GroupName
		case 10:
			p.TTY = fresh.TTY
		case 11:
			p.Entry = fresh.Entry
		case 12, 15:
			p.ContainerID = fresh.ContainerID
		case 13:
			p.Cwd = fresh.Cwd
		case 14:
			p.Env = fresh.Env
		}
		return &codec.Record{Type: sfgo.PROC, Process: p}
	}
	p := g.newProcess()
	g.past = append(g.past, p)
	return &codec.Record{Type: sfgo.PROC, Process: p}
}

func (g *generator) newProcess() codec.Process {
	p := codec.Process{
		State: g.Int32N(3), OID: g.oid(), POID: g.oid(), HasPOID: g.IntN(10) > 0, TS: g.Int64N(2),
		Exe: g.text(" /bin/exe"), ExeArgs: slices.Concat(g.text("-a"), []byte(" ")), UID: g.Int32N(2) - 1,
		UserName: g.text("u"), GID: g.Int32N(2), GroupName: g.text("g"), TTY: g.IntN(2) == 0, Entry: g.IntN(2) == 0,
		ContainerID: g.optional("c"), Cwd: g.text("/"),
	}
	for range g.IntN(4) {
		p.Env = append(p.Env, [][]byte{nil, []byte("A=1"), []byte("B=2")}[g.IntN(3)])
	}
	return p
}

func (g *generator) event() *codec.Record {
	types := []int64{
		sfgo.PROC_EVT, sfgo.NET_FLOW, sfgo.FILE_FLOW, sfgo.FILE_EVT, sfgo.NET_EVT, sfgo.PROC_FLOW, sfgo.K8S_EVT,
	}
	rec := &codec.Record{Type: types[g.IntN(len(types))]}
	ev := &rec.Event
	oid := g.oid()
	ev.Ints[sfgo.TS_INT] = g.now
	ev.Ints[sfgo.PROC_OID_CREATETS_INT], ev.Ints[sfgo.PROC_OID_HPID_INT] = oid.CreateTS, oid.Hpid
	ev.Ints[sfgo.TID_INT] = oid.Hpid + g.Int64N(2)
	ev.Ints[sfgo.OPFLAGS_INT] = 1 << (1 + g.IntN(2)) // EXEC or EXIT
	ev.FileOID, ev.NewFileOID, ev.HasNewFile = g.foid(), g.foid(), g.IntN(2) == 0
	return rec
}
