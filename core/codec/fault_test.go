package codec_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// long10 is a number of ten bytes whose last one says more than 64 bits can.
var long10 = []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}

// TestFaults decodes bad data. Each is tried alone, where it ends, and with bytes behind it, for which there is a faster
// path, unless the fault is that it ends.
func TestFaults(t *testing.T) {
	const process, event, pod = "sysflow.entity.Process", "sysflow.event.FileEvent", "sysflow.entity.Pod"
	oid, id := field("oid", oidType), field("id", `"string"`)
	head, proc := join(zig(0, 1, 2)), field("procOID", oidType)
	fixed := field("fileOID", `{"type":"fixed","name":"FOID","namespace":"sysflow.type","size":20}`)
	node := field("deep", `{"type":"record","name":"Node","fields":[{"name":"next","type":["null","Node"]}]}`)
	for name, tt := range map[string]struct {
		schema string
		data   []byte
		ends   bool // the fault is the end of the data
		offset int
		field  string
		want   string
	}{
		"no data":               {small(process, oid), nil, true, 0, "rec", "ends inside"},
		"union below":           {small(process, oid), zig(-1), false, 0, "rec", "union index out of range"},
		"union above":           {small(process, oid), zig(1), false, 0, "rec", "union index out of range"},
		"union of 33 bits":      {small(process, oid), zig(1 << 32), false, 0, "rec", "more than 32 bits"},
		"long of 65 bits":       {small(process, oid), join(zig(0), long10), false, 1, "sysflow.type.OID.createTS", "more than 64 bits"},
		"slot of 65 bits":       {small(event, proc, fixed), join(zig(0, 1), long10), false, 2, "sysflow.type.OID.hpid", "more than 64 bits"},
		"number without end":    {small(process, oid), []byte{0, 0x80, 0x80}, true, 1, "sysflow.type.OID.createTS", "ends inside"},
		"int of 33 bits":        {small(process, oid, field("uid", `"int"`)), join(head, zig(1<<31)), false, 3, process + ".uid", "more than 32 bits"},
		"slot of 33 bits":       {small(event, proc, field("opFlags", `"int"`), fixed), join(head, zig(-1<<31-1)), false, 3, event + ".opFlags", "more than 32 bits"},
		"string below":          {small(process, oid, field("exe", `"string"`)), join(head, zig(-1)), false, 3, process + ".exe", "length is negative"},
		"string past the end":   {small(process, oid, field("exe", `"string"`)), join(head, zig(3), []byte("ab")), true, 3, process + ".exe", "past the end"},
		"string of 2^62":        {small(process, oid, field("exe", `"string"`)), join(head, zig(1<<62)), false, 3, process + ".exe", "past the end"},
		"optional past the end": {small(process, oid, field("containerId", `["null","string"]`)), join(head, zig(1, 5)), true, 4, process + ".containerId", "past the end"},
		"optional's union":      {small(process, oid, field("containerId", `["null","string"]`)), join(head, zig(2)), false, 3, process + ".containerId", "union index"},
		"boolean of 2":          {small(process, oid, field("tty", `"boolean"`)), join(head, []byte{2}), false, 3, process + ".tty", "neither 0 nor 1"},
		"no boolean":            {small(process, oid, field("tty", `"boolean"`)), head, true, 3, process + ".tty", "ends inside"},
		"enum":                  {small(process, oid, field("state", `{"type":"enum","name":"S","symbols":["REUP"]}`)), join(head, zig(1)), false, 3, process + ".state", "enum index"},
		"FOID":                  {small(event, proc, fixed), join(head, make([]byte, 19)), true, 3, event + ".fileOID", "ends inside"},
		"count":                 {small(process, oid, field("env", `{"type":"array","items":"string"}`)), join(head, zig(1000)), false, 3, process + ".env", "more than the data"},
		"count of -2^63":        {small(process, oid, field("env", `{"type":"array","items":"string"}`)), join(head, zig(-1<<63, 0)), false, 3, process + ".env", "more than the data"},
		"count, size below":     {small(process, oid, field("env", `{"type":"array","items":"string"}`)), join(head, zig(-1, -1)), false, 3, process + ".env", "not end where"},
		"count, size above":     {small(process, oid, field("env", `{"type":"array","items":"string"}`)), join(head, zig(-1, 999)), false, 3, process + ".env", "not end where"},
		"count, size wrong":     {small(process, oid, field("env", `{"type":"array","items":"string"}`)), join(head, zig(-1, 1), text("a"), zig(0)), false, 3, process + ".env", "not end where"},
		"item":                  {small(process, oid, field("env", `{"type":"array","items":"string"}`)), join(head, zig(1, -5)), false, 3, process + ".env", "length is negative"},
		"longs, size wrong":     {small(pod, id, field("hostIP", `{"type":"array","items":"long"}`)), join(zig(0), text("p"), zig(-1, 2, 1, 0)), false, 3, pod + ".hostIP", "not end where"},
		"longs":                 {small(pod, id, field("hostIP", `{"type":"array","items":"long"}`)), join(zig(0), text("p"), zig(1), long10), false, 3, pod + ".hostIP", "more than 64 bits"},
		"map's value":           {small(pod, id, field("labels", `{"type":"map","values":"string"}`)), join(zig(0), text("p"), zig(1), text("k"), zig(-5)), false, 3, pod + ".labels", "length is negative"},
		"list's size":           {small(pod, id, field("services", `{"type":"array","items":{"type":"record","name":"Service","fields":[{"name":"name","type":"string"}]}}`)), join(zig(0), text("p"), zig(-1, 1), text("s"), zig(0)), false, 3, pod + ".services", "not end where"},
		"list's item":           {small(pod, id, field("services", `{"type":"array","items":{"type":"record","name":"Service","fields":[{"name":"name","type":"string"}]}}`)), join(zig(0), text("p"), zig(2), text("s"), zig(-1)), false, 6, "sysflow.entity.Service.name", "length is negative"},
		"skipped boolean":       {small(process, oid, field("new", `"boolean"`)), join(head, []byte{7}), false, 3, process + ".new", "neither 0 nor 1"},
		"skipped int":           {small(process, oid, field("new", `"int"`)), join(head, zig(1<<40)), false, 3, process + ".new", "more than 32 bits"},
		"skipped long":          {small(process, oid, field("new", `"long"`)), join(head, long10), false, 3, process + ".new", "more than 64 bits"},
		"skipped float":         {small(process, oid, field("new", `"float"`)), join(head, make([]byte, 3)), true, 3, process + ".new", "ends inside"},
		"skipped double":        {small(process, oid, field("new", `"double"`)), join(head, make([]byte, 7)), true, 3, process + ".new", "ends inside"},
		"skipped bytes":         {small(process, oid, field("new", `"bytes"`)), join(head, zig(-2)), false, 3, process + ".new", "length is negative"},
		"skipped fixed":         {small(process, oid, field("new", `{"type":"fixed","name":"X","size":9}`)), join(head, make([]byte, 8)), true, 3, process + ".new", "ends inside"},
		"skipped enum":          {small(process, oid, field("new", `{"type":"enum","name":"X","symbols":["A"]}`)), join(head, zig(1)), false, 3, process + ".new", "enum index"},
		"skipped union":         {small(process, oid, field("new", `["null","int"]`)), join(head, zig(2)), false, 3, process + ".new", "union index"},
		"skipped array":         {small(process, oid, field("new", `{"type":"array","items":"int"}`)), join(head, zig(500)), false, 3, process + ".new", "more than the data"},
		"skipped array's size":  {small(process, oid, field("new", `{"type":"array","items":"int"}`)), join(head, zig(-1, 3, 1, 0, 0)), false, 3, process + ".new", "not end where"},
		"skipped map's key":     {small(process, oid, field("new", `{"type":"map","values":"int"}`)), join(head, zig(1, -1)), false, 3, process + ".new", "length is negative"},
		"many items of nothing": {small(process, oid, field("new", `{"type":"array","items":"null"}`)), join(head, zig(1<<40)), false, 3, process + ".new", "more than the data"},
		"values without end":    {small(process, oid, node), join(head, []byte(strings.Repeat("\x02", 1000))), false, 3, process + ".deep", "nest deeper"},
		"bad field after":       {small(process, oid)[:len(small(process, oid))-2] + `,{"name":"crc","type":"boolean"}]}`, join(head, []byte{2}), false, 3, "sysflow.SysFlow.crc", "neither 0 nor 1"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDecoder(t, tt.schema)
			data := [][]byte{tt.data}
			if !tt.ends {
				data = append(data, join(tt.data, make([]byte, 200)))
			}
			for _, b := range data {
				var rec codec.Record
				_, err := d.Decode(b, &rec)
				bad, ok := errors.AsType[*codec.DecodeError](err)
				if !ok {
					t.Fatalf("got %v, want a DecodeError", err)
				}
				if bad.Offset != tt.offset || bad.Field != tt.field || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want byte %d, %s: … %s …", err, tt.offset, tt.field, tt.want)
				}
			}
		})
	}
}

// TestTooManyItems decodes a record that would take twenty times its size in memory.
func TestTooManyItems(t *testing.T) {
	d := newDecoder(t, small("sysflow.entity.Process", field("oid", oidType), field("env", `{"type":"array","items":"string"}`)))
	var rec codec.Record
	for n, ok := range map[int]bool{1 << 20: true, 1<<20 + 1: false} {
		data := join(zig(0, 1, 2, int64(n)), make([]byte, n), zig(0))
		_, err := d.Decode(data, &rec)
		if ok && (err != nil || len(rec.Process.Env) != n) {
			t.Errorf("%d items: %d, %v", n, len(rec.Process.Env), err)
		}
		if !ok && (err == nil || !strings.Contains(err.Error(), "more than 1048576 items")) {
			t.Errorf("%d items: %v", n, err)
		}
	}
}

// TestDatum decodes messages that have fewer or more fields than the schema they are decoded with.
func TestDatum(t *testing.T) {
	d := newDecoder(t, schemaText(t, codec.CurrentSchema))
	foid := "20 bytes of identity"
	process := join(zig(2), zig(0), zig(11, 12), zig(1, 13, 14), zig(15), text("exe", "args"), zig(-1), text("u"), zig(-1), text("g"))
	for name, tt := range map[string]struct {
		data []byte
		want *sfgo.RecUnion
	}{
		"header of version 2": {join(zig(0, 2), text("node", "10.0.0.1")),
			&sfgo.RecUnion{SFHeader: &sfgo.SFHeader{Version: 2, Exporter: "node", Ip: "10.0.0.1"}}},
		"header of versions alone": {zig(0, 3),
			&sfgo.RecUnion{SFHeader: &sfgo.SFHeader{Version: 3, Ip: "NA"}}},
		"container of version 3": {join(zig(1), text("c", "n", "i", "d"), zig(1), []byte{1}),
			&sfgo.RecUnion{Container: &sfgo.Container{Id: "c", Name: "n", Image: "i", Imageid: "d", Type: 1, Privileged: true, PodId: &sfgo.PodIdUnion{}}}},
		"process of version 4": {join(process, []byte{1}, zig(0), []byte{1}),
			&sfgo.RecUnion{Process: &sfgo.Process{Oid: &sfgo.OID{CreateTS: 11, Hpid: 12}, Poid: &sfgo.PoidUnion{OID: &sfgo.OID{CreateTS: 13, Hpid: 14}, UnionType: 1},
				Ts: 15, Exe: "exe", ExeArgs: "args", Uid: -1, UserName: "u", Gid: -1, GroupName: "g", Tty: true, ContainerId: &sfgo.ContainerIdUnion{}, Entry: true}}},
		"process of version 6": {join(process, []byte{0}, zig(1), text("c"), []byte{0}, text("/"), zig(1), text("A=1"), zig(0), text("more", "of it")),
			&sfgo.RecUnion{Process: &sfgo.Process{Oid: &sfgo.OID{CreateTS: 11, Hpid: 12}, Poid: &sfgo.PoidUnion{OID: &sfgo.OID{CreateTS: 13, Hpid: 14}, UnionType: 1},
				Ts: 15, Exe: "exe", ExeArgs: "args", Uid: -1, UserName: "u", Gid: -1, GroupName: "g",
				ContainerId: &sfgo.ContainerIdUnion{String: "c", UnionType: 1}, Cwd: "/", Env: []string{"A=1"}}}},
		"file without container": {join(zig(3), zig(2), []byte(foid), zig(9, 'f'), text("/etc")),
			&sfgo.RecUnion{File: &sfgo.File{State: 2, Oid: sfgo.FOID([]byte(foid)), Ts: 9, Restype: 'f', Path: "/etc", ContainerId: &sfgo.ContainerIdUnion{}}}},
		"process flow without errors": {zig(9, 11, 12, 1, 2, 3, 4, 5),
			&sfgo.RecUnion{ProcessFlow: &sfgo.ProcessFlow{ProcOID: &sfgo.OID{CreateTS: 11, Hpid: 12}, Ts: 1, NumThreadsCloned: 2, OpFlags: 3, EndTs: 4, NumThreadsExited: 5}}},
		"event of Kubernetes": {join(zig(11, 2, 1, 7), text("{}\n\x00")),
			&sfgo.RecUnion{K8sEvent: &sfgo.K8sEvent{Kind: 2, Action: 1, Ts: 7, Message: "{}"}}},
	} {
		t.Run(name, func(t *testing.T) {
			var rec codec.Record
			if err := d.DecodeDatum(tt.data, &rec); err != nil {
				t.Fatal(err)
			}
			tt.want.UnionType = sfgo.RecUnionTypeEnum(rec.Type)
			g := newGeneric(t, codec.CurrentSchema)
			compare(t, g, &rec, rec.Type, structFields(g, &sfgo.SysFlow{Rec: tt.want}))
		})
	}
}

// TestBadDatum decodes messages that cannot be read, or whose sender cannot.
func TestBadDatum(t *testing.T) {
	d := newDecoder(t, schemaText(t, codec.CurrentSchema))
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":                  {nil, "ends inside"},
		"record type to come":      {zig(12, 1), "union index out of range"},
		"inside a string":          {join(zig(0, 2), []byte("\x08nod")), "sysflow.entity.SFHeader.exporter: length"},
		"inside a number":          {join(zig(0, 2), text("n", "i"), []byte{0x80}), "sysflow.entity.SFHeader.filename: the data ends"},
		"inside the process id":    {zig(6, 1), "sysflow.type.OID.hpid: the data ends"},
		"before the process id":    {zig(2, 0), "sysflow.type.OID.createTS: the data ends"},
		"before the container id":  {zig(1), "sysflow.entity.Container.id: the data ends"},
		"before the file id":       {zig(6, 1, 2, 3, 4, 5, 6, 7), "FileFlow.fileOID: the data ends"},
		"long before the file id":  {zig(6, 1, 2), "FileFlow.ts: the data ends"},
		"inside the parent's id":   {zig(2, 0, 1, 2, 1, 3), "sysflow.type.OID.hpid: the data ends"},
		"header of schema 1":       {join(zig(0, 1000), text("node")), "schema version 1"},
		"header of schema 1, late": {join(zig(0, 1001), text("node", "NA")), "schema version 1"},
	} {
		t.Run(name, func(t *testing.T) {
			var rec codec.Record
			err := d.DecodeDatum(tt.data, &rec)
			if _, ok := errors.AsType[*codec.DecodeError](err); !ok || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a DecodeError: … %s …", err, tt.want)
			}
			if old := errors.Is(err, codec.ErrOldWriter); old != strings.Contains(tt.want, "version 1") {
				t.Errorf("is ErrOldWriter: %v", old)
			}
		})
	}
	var rec codec.Record
	if _, err := d.Decode(join(zig(0, 1000), text("node", "NA", "f")), &rec); err != nil {
		t.Errorf("a file's header of version 1000: %v", err)
	}
}

// TestDatumAgrees cuts whole messages anywhere: what is read must be what a whole record has, up to the cut.
func TestDatumAgrees(t *testing.T) {
	d := newDecoder(t, schemaText(t, codec.CurrentSchema))
	whole := join(zig(6), zig(1621959914000000000, 4711, 1621959914000000001, 4712, 1408, 4097, 1621959914000000002),
		[]byte("20 bytes of identity"), zig(7, 100, 200, 300, 400))
	var full codec.Record
	if n, err := d.Decode(whole, &full); err != nil || n != len(whole) {
		t.Fatal(n, err)
	}
	slots := []sfgo.Attribute{10, 11, 22, 23, 24, 31, 25, 26, 27, 28, 29, 30}
	good := 0
	for cut := range len(whole) {
		var rec codec.Record
		if err := d.DecodeDatum(whole[:cut], &rec); err != nil {
			continue
		}
		good++
		missing := false
		for _, s := range slots {
			if rec.Event.Ints[s] == 0 {
				missing = true
			} else if rec.Event.Ints[s] != full.Event.Ints[s] || missing {
				t.Fatalf("cut at %d: slot %d is %d", cut, s, rec.Event.Ints[s])
			}
		}
		if rec.Event.FileOID != full.Event.FileOID {
			t.Fatalf("cut at %d: file is %s", cut, rec.Event.FileOID)
		}
	}
	if good != 5 { // behind the file and each of the numbers that follow, but for the last, where nothing is cut
		t.Errorf("%d cuts are at the border of a field behind the keys, want 5", good)
	}
}
