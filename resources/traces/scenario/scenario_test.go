package scenario_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
	"github.com/sysflow-telemetry/sf-processor/resources/traces/scenario"
)

// load loads one of the scenarios that come with the program.
func load(t testing.TB, name string) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Load(filepath.Join("..", "scenarios", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func names(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../scenarios/*.yaml")
	if err != nil || len(files) < 7 {
		t.Fatalf("scenarios: %v %v", files, err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".yaml")
	}
	return files
}

// trace returns the bytes of a scenario's trace.
func trace(t testing.TB, s *scenario.Scenario, opts scenario.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.WriteTrace(&b, opts); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestShippedTracesAreCurrent(t *testing.T) {
	for _, name := range names(t) {
		have, err := os.ReadFile("../" + name + ".sf")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(have, trace(t, load(t, name), scenario.Options{})) {
			t.Errorf("%s.sf is not what its scenario gives: run go generate", name)
		}
		if len(have) > 100_000 {
			t.Errorf("%s.sf has %d bytes: too large to ship", name, len(have))
		}
	}
}

// TestTCP holds tcp.sf to the document ids that its capture is known by.
func TestTCP(t *testing.T) {
	files := map[sfgo.FOID]string{}
	var ids []string
	err := load(t, "tcp").Records(scenario.Options{}, func(rec *sfgo.SysFlow) error {
		var fields []any
		switch u := rec.Rec; u.UnionType {
		case sfgo.RecUnionTypeEnumSFHeader:
			if u.SFHeader.Exporter != "tests" || u.SFHeader.Version != 1000 {
				t.Errorf("header is %+v", u.SFHeader)
			}
			return nil
		case sfgo.RecUnionTypeEnumFile:
			files[u.File.Oid] = u.File.Path
			return nil
		case sfgo.RecUnionTypeEnumProcess:
			return nil
		case sfgo.RecUnionTypeEnumProcessEvent:
			v := u.ProcessEvent
			fields = []any{1, "PE", "tests", "", v.Ts, 0, v.ProcOID.Hpid, v.ProcOID.CreateTS, v.Tid, v.OpFlags, v.Ret}
		case sfgo.RecUnionTypeEnumFileFlow:
			v := u.FileFlow
			fields = []any{1, "FF", "tests", "", v.Ts, v.EndTs, v.ProcOID.Hpid, v.ProcOID.CreateTS, v.Tid, v.OpFlags,
				fmt.Sprintf("%x", v.FileOID), v.Fd}
		case sfgo.RecUnionTypeEnumNetworkFlow:
			v := u.NetworkFlow
			fields = []any{1, "NF", "tests", "", v.Ts, v.EndTs, v.ProcOID.Hpid, v.ProcOID.CreateTS, v.Tid, v.OpFlags,
				dotted(v.Sip), v.Sport, dotted(v.Dip), v.Dport, v.Proto}
		}
		text := strings.ReplaceAll(strings.Trim(fmt.Sprint(joined(fields)), "[]"), "␟", "\x1f")
		sum := sha256.Sum256([]byte(text))
		ids = append(ids, fmt.Sprintf("%x", sum[:16]))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"c80d854a1e5f140dde96942323f9b6a5", "05ffde437a883ef83bb626d1b17b8ed8", "47ee6faf1369558e5f7717d48706e23e",
		"73397e400bf9265e29a42a76b44b0054", "0d124fa49e6c399e2da2033e816d4a18", "0118ac07a95a9e2f2a6cccf0f1b14365",
		"483ad5793c9e2662f83d6474e148b9a9", "ddf27372016a9ee78902d3ab5e904994", "e52ea37a06c3e410d90e60501e542dd2",
		"730ed41918576e2e47cd943a7331bf6d",
	}
	if !slices.Equal(ids, want) {
		t.Errorf("document ids:\n got %v\nwant %v", ids, want)
	}
	wantFiles := map[sfgo.FOID]string{sha1.Sum([]byte("/etc/ld.so.cache")): "/etc/ld.so.cache", sha1.Sum([]byte("/lib64/libc.so.6")): "/lib64/libc.so.6"}
	if !reflect.DeepEqual(files, wantFiles) {
		t.Errorf("files: %v", files)
	}
}

func dotted(ip int32) string {
	return fmt.Sprintf("%d.%d.%d.%d", uint8(ip), uint8(ip>>8), uint8(ip>>16), uint8(ip>>24))
}

func joined(fields []any) string {
	texts := make([]string, len(fields))
	for i, f := range fields {
		texts[i] = fmt.Sprint(f)
	}
	return strings.Join(texts, "␟")
}

// TestTCPAgainstCapture compares tcp.sf with the capture whose facts it repeats, record by record.
func TestTCPAgainstCapture(t *testing.T) {
	dir := os.Getenv("SYSFLOW_TRACES")
	if dir == "" {
		t.Skip("SYSFLOW_TRACES, the directory of the public traces, is not set")
	}
	capture, err := os.ReadFile(filepath.Join(dir, "tcp.sf"))
	if err != nil {
		t.Fatal(err)
	}
	want, got := natives(t, capture), natives(t, trace(t, load(t, "tcp"), scenario.Options{}))
	if len(got) != len(want) {
		t.Fatalf("%d records, the capture has %d", len(got), len(want))
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("record %d:\n got %v\nwant %v", i, got[i], want[i])
		}
	}
}

// natives reads a trace with a general library.
func natives(t *testing.T, trace []byte) []any {
	t.Helper()
	r, err := goavro.NewOCFReader(bytes.NewReader(trace))
	if err != nil {
		t.Fatal(err)
	}
	var all []any
	for r.Scan() {
		rec, err := r.Read()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rec)
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// checker holds a trace to what readers of real ones rely on.
type checker struct {
	t     *testing.T
	procs map[sfgo.OID]*sfgo.OID // the parent of each
	boxes map[string]bool
	files map[sfgo.FOID]bool
	pods  map[string]bool
	last  int64 // end of the flow or event before
	kinds map[sfgo.RecUnionTypeEnum]int
	ops   int32
}

func (c *checker) proc(oid *sfgo.OID) {
	if _, ok := c.procs[*oid]; !ok {
		c.t.Errorf("process %+v acts before it is written", *oid)
	}
}

func (c *checker) event(at int64, ops int32) {
	if at < c.last {
		c.t.Errorf("a record of %d comes after one of %d", at, c.last)
	}
	c.last = at
	c.ops |= ops
}

// flow checks that the bits of an operation agree with its counters.
func (c *checker) flow(ts, end int64, ops int32, rops, wops, rbytes, wbytes int64) {
	c.event(end, ops)
	if ts > end || ops == 0 || ops == sfgo.OP_TRUNCATE {
		c.t.Errorf("flow from %d to %d, operations %b", ts, end, ops)
	}
	if (ops&sfgo.OP_READ_RECV != 0) != (rops > 0) || (ops&sfgo.OP_WRITE_SEND != 0) != (wops > 0) || rops == 0 && rbytes > 0 || wops == 0 && wbytes > 0 {
		c.t.Errorf("operations %b with %d reads (%d bytes), %d writes (%d bytes)", ops, rops, rbytes, wops, wbytes)
	}
}

func (c *checker) box(id *sfgo.ContainerIdUnion) string {
	if id == nil {
		return ""
	}
	if !c.boxes[id.String] {
		c.t.Errorf("container %s is used before it is written", id.String)
	}
	return id.String
}

func (c *checker) record(rec *sfgo.SysFlow) {
	u := rec.Rec
	if c.kinds[u.UnionType]++; c.kinds[sfgo.RecUnionTypeEnumSFHeader] == 0 {
		c.t.Error("the trace does not begin with a header")
	}
	switch {
	case u.SFHeader != nil:
		c.procs, c.boxes, c.files, c.pods = map[sfgo.OID]*sfgo.OID{}, map[string]bool{}, map[sfgo.FOID]bool{}, map[string]bool{}
	case u.Pod != nil:
		c.pods[u.Pod.Id] = true
	case u.Container != nil:
		if id := u.Container.PodId; id != nil && !c.pods[id.String] {
			c.t.Errorf("pod %s is used before it is written", id.String)
		}
		c.boxes[u.Container.Id] = true
	case u.Process != nil:
		c.box(u.Process.ContainerId)
		c.procs[*u.Process.Oid] = nil
		if u.Process.Poid != nil {
			c.procs[*u.Process.Oid] = u.Process.Poid.OID
		}
	case u.File != nil:
		if want := sha1.Sum([]byte(c.box(u.File.ContainerId) + u.File.Path)); u.File.Oid != want {
			c.t.Errorf("id of file %q", u.File.Path)
		}
		if c.files[u.File.Oid] && u.File.Path != "" {
			c.t.Errorf("file %q is written twice under one header", u.File.Path)
		}
		c.files[u.File.Oid] = true
	case u.ProcessEvent != nil:
		c.proc(u.ProcessEvent.ProcOID)
		c.event(u.ProcessEvent.Ts, u.ProcessEvent.OpFlags)
	case u.FileEvent != nil:
		v := u.FileEvent
		c.proc(v.ProcOID)
		two := v.OpFlags&(sfgo.OP_LINK|sfgo.OP_SYMLINK|sfgo.OP_RENAME) != 0
		if !c.files[v.FileOID] || two != (v.NewFileOID != nil) || two && !c.files[v.NewFileOID.FOID] {
			c.t.Errorf("files of %+v", v)
		}
		c.event(v.Ts, v.OpFlags)
	case u.FileFlow != nil:
		v := u.FileFlow
		c.proc(v.ProcOID)
		if !c.files[v.FileOID] {
			c.t.Errorf("file of %+v is not written", v)
		}
		c.flow(v.Ts, v.EndTs, v.OpFlags, v.NumRRecvOps, v.NumWSendOps, v.NumRRecvBytes, v.NumWSendBytes)
	case u.NetworkFlow != nil:
		v := u.NetworkFlow
		c.proc(v.ProcOID)
		c.flow(v.Ts, v.EndTs, v.OpFlags, v.NumRRecvOps, v.NumWSendOps, v.NumRRecvBytes, v.NumWSendBytes)
	case u.ProcessFlow != nil:
		c.proc(u.ProcessFlow.ProcOID)
		c.event(u.ProcessFlow.EndTs, u.ProcessFlow.OpFlags)
	case u.NetworkEvent != nil:
		c.proc(u.NetworkEvent.ProcOID)
		c.event(u.NetworkEvent.Ts, u.NetworkEvent.OpFlags)
	case u.K8sEvent != nil:
		c.event(u.K8sEvent.Ts, 0)
	default:
		c.t.Errorf("an empty record: %+v", u)
	}
}

// TestTracesAreSound holds every scenario to the rules of real traces, and all of them together to showing everything.
func TestTracesAreSound(t *testing.T) {
	all := &checker{kinds: map[sfgo.RecUnionTypeEnum]int{}}
	missing := map[string]int{"everything": 1} // parents that are not written
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			c := &checker{t: t, kinds: map[sfgo.RecUnionTypeEnum]int{}}
			lost := map[sfgo.OID]bool{}
			err := load(t, name).Records(scenario.Options{}, func(rec *sfgo.SysFlow) error {
				c.record(rec)
				if p := rec.Rec.Process; p != nil && p.Poid != nil {
					if _, ok := c.procs[*p.Poid.OID]; !ok {
						lost[*p.Poid.OID] = true
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(lost) != missing[name] {
				t.Errorf("parents that are not written: %v, want %d", lost, missing[name])
			}
			for k, n := range c.kinds {
				all.kinds[k] += n
			}
			all.ops |= c.ops
		})
	}
	for k := sfgo.RecUnionTypeEnumSFHeader; k <= sfgo.RecUnionTypeEnumK8sEvent; k++ {
		if all.kinds[k] == 0 {
			t.Errorf("no scenario has a record of type %d", k)
		}
	}
	if want := int32(sfgo.OP_PTRACE-1) &^ sfgo.OP_DIGEST; all.ops&^sfgo.OP_PTRACE != want { // no collector writes these two
		t.Errorf("operations %b, want %b", all.ops, want)
	}
}

// TestMixIsReal compares the benchmark's trace with what was measured on real ones.
func TestMixIsReal(t *testing.T) {
	enc, err := codec.NewEncoder(codec.CurrentSchema)
	if err != nil {
		t.Fatal(err)
	}
	var count, size [sfgo.UNKNOWN_TYPE]float64
	var total float64
	var buf []byte
	s := load(t, "database")
	err = s.Records(scenario.Options{Records: 25_000}, func(rec *sfgo.SysFlow) error {
		if buf, err = enc.Append(buf[:0], rec); err != nil {
			return err
		}
		count[rec.Rec.UnionType]++
		size[rec.Rec.UnionType] += float64(len(buf))
		total++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if total < 25_000 || total > 26_500 {
		t.Errorf("%v records, want about 25,000", total)
	}
	var bytes float64
	for _, n := range size {
		bytes += n
	}
	within := func(what string, got, lo, hi float64) {
		t.Helper()
		if got < lo || got > hi {
			t.Errorf("%s: %.1f, want %v to %v", what, got, lo, hi)
		}
	}
	within("file flows, %", 100*count[sfgo.FILE_FLOW]/total, 78, 82)
	within("files, %", 100*count[sfgo.FILE]/total, 7, 10)
	within("network flows, %", 100*count[sfgo.NET_FLOW]/total, 4, 6)
	within("process events, %", 100*count[sfgo.PROC_EVT]/total, 3.3, 4.7)
	within("processes, %", 100*count[sfgo.PROC]/total, 1.5, 2.5)
	within("file flow, bytes", size[sfgo.FILE_FLOW]/count[sfgo.FILE_FLOW], 55, 67)
	within("file, bytes", size[sfgo.FILE]/count[sfgo.FILE], 65, 110)
	within("network flow, bytes", size[sfgo.NET_FLOW]/count[sfgo.NET_FLOW], 45, 63)
	within("process event, bytes", size[sfgo.PROC_EVT]/count[sfgo.PROC_EVT], 20, 36)
	within("process, bytes", size[sfgo.PROC]/count[sfgo.PROC], 100, 250)
	within("compression", bytes/float64(len(trace(t, s, scenario.Options{Records: 25_000}))), 2.1, 3.5)
}

func TestOptions(t *testing.T) {
	s := load(t, "webshell")
	first := trace(t, s, scenario.Options{})
	if !bytes.Equal(first, trace(t, s, scenario.Options{})) {
		t.Error("two plays differ")
	}
	if bytes.Equal(first, trace(t, s, scenario.Options{Seed: 99})) {
		t.Error("another seed gives the same trace")
	}
	if plain := trace(t, s, scenario.Options{Codec: "null"}); len(plain) < 2*len(first) {
		t.Errorf("%d bytes without compression, %d with", len(plain), len(first))
	}
	for _, id := range codec.SchemaIDs() {
		for _, name := range []string{"webshell", "everything", "pod"} {
			old := trace(t, load(t, name), scenario.Options{Schema: id})
			if schema, _ := codec.Schema(id); !bytes.Contains(old, []byte(schema)) {
				t.Errorf("%s in %s has another schema", name, id)
			}
		}
	}
	if n := len(natives(t, trace(t, load(t, "everything"), scenario.Options{Schema: "S1"}))); n < 20 {
		t.Errorf("%d records of everything in S1", n)
	}
	if err := s.Records(scenario.Options{Records: 10}, func(*sfgo.SysFlow) error { return nil }); err == nil ||
		!strings.Contains(err.Error(), "webshell.yaml: it has no mix") {
		t.Errorf("records without a mix: %v", err)
	}
	if err := s.WriteTrace(io.Discard, scenario.Options{Schema: "S0"}); err == nil || !strings.Contains(err.Error(), "S11") {
		t.Errorf("schema S0: %v", err)
	}
}

func TestErrorsStopThePlay(t *testing.T) {
	errFull := errors.New("full")
	n := 0
	err := load(t, "webshell").Records(scenario.Options{}, func(*sfgo.SysFlow) error {
		if n++; n == 10 {
			return errFull
		}
		return nil
	})
	if !errors.Is(err, errFull) || n != 10 || !strings.Contains(err.Error(), "webshell.yaml:") {
		t.Errorf("after %d records: %v", n, err)
	}
	// A record that the scenario's own schema has no place for is the author's mistake.
	s, err := scenario.Parse("old.yaml", []byte("about: x\nschema: S1\nstart: 2026-01-01T00:00:00Z\nnode: {id: n}\nprocesses: {p: {exe: /x}}\n"+
		"steps:\n  - read: {proc: p, path: /a}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.WriteTrace(io.Discard, scenario.Options{}); !errors.Is(err, codec.ErrNotInSchema) || !strings.Contains(err.Error(), "old.yaml:7") {
		t.Errorf("a file in S1: %v", err)
	}
}

func BenchmarkDatabase(b *testing.B) {
	s := load(b, "database")
	b.ReportAllocs()
	const records = 100_000
	for b.Loop() {
		if err := s.WriteTrace(io.Discard, scenario.Options{Records: records}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*records/b.Elapsed().Seconds(), "records/s")
}
