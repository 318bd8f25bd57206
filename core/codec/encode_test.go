package codec_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// generic is a second opinion on a schema: a general Avro library and the fields of each branch. Logical types are
// removed, since they say of nanoseconds that they are milliseconds.
type generic struct {
	codec    *goavro.Codec
	branches []branch
	symbols  map[string][]string // of the enums, by name
}

type branch struct {
	name   string
	fields []string
}

func newGeneric(t testing.TB, id string) *generic {
	t.Helper()
	schema, ok := codec.Schema(id)
	if !ok {
		t.Fatalf("no schema %s", id)
	}
	schema = strings.ReplaceAll(schema, `{"type":"long","logicalType":"timestamp-millis"}`, `"long"`)
	g := &generic{symbols: map[string][]string{}}
	var err error
	if g.codec, err = goavro.NewCodec(schema); err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal([]byte(schema), &doc); err != nil {
		t.Fatal(err)
	}
	root := doc.(map[string]any)["fields"].([]any)[0].(map[string]any)
	for _, b := range root["type"].([]any) {
		rec := b.(map[string]any)
		br := branch{name: rec["namespace"].(string) + "." + rec["name"].(string)}
		for _, f := range rec["fields"].([]any) {
			field := f.(map[string]any)
			br.fields = append(br.fields, field["name"].(string))
			if e, ok := field["type"].(map[string]any); ok && e["type"] == "enum" {
				for _, s := range e["symbols"].([]any) {
					g.symbols[e["name"].(string)] = append(g.symbols[e["name"].(string)], s.(string))
				}
			}
		}
		g.branches = append(g.branches, br)
	}
	return g
}

// decode decodes one datum and returns the branch's name and its fields.
func (g *generic) decode(t testing.TB, b []byte) (string, map[string]any) {
	t.Helper()
	native, rest, err := g.codec.NativeFromBinary(b)
	if err != nil || len(rest) != 0 {
		t.Fatalf("decode %x: %v, %d bytes left", b, err, len(rest))
	}
	for name, v := range native.(map[string]any)["rec"].(map[string]any) {
		return name, v.(map[string]any)
	}
	t.Fatal("the union is empty")
	return "", nil
}

// enumOf names the enum of a field.
var enumOf = map[reflect.Type]string{
	reflect.TypeFor[sfgo.ContainerType](): "ContainerType",
	reflect.TypeFor[sfgo.K8sComponent]():  "K8sComponent",
	reflect.TypeFor[sfgo.K8sAction]():     "K8sAction",
}

// native is what the generic library makes of a value of package sfgo.
func (g *generic) native(v reflect.Value) any {
	if name := enumOf[v.Type()]; name != "" {
		return g.symbols[name][v.Int()]
	}
	switch x := v.Interface().(type) {
	case sfgo.SFObjectState:
		return [...]string{"CREATED", "MODIFIED", "REUP"}[x]
	case sfgo.FOID:
		return x[:]
	case sfgo.OID:
		return map[string]any{"createTS": x.CreateTS, "hpid": x.Hpid}
	case *sfgo.PoidUnion:
		return optional(x != nil && x.UnionType == 1, "sysflow.type.OID", func() any { return g.native(reflect.ValueOf(*x.OID)) })
	case *sfgo.ContainerIdUnion:
		return optional(x != nil && x.UnionType == 1, "string", func() any { return x.String })
	case *sfgo.PodIdUnion:
		return optional(x != nil && x.UnionType == 1, "string", func() any { return x.String })
	case *sfgo.NewFileOIDUnion:
		return optional(x != nil && x.UnionType == 1, "sysflow.type.FOID", func() any { return x.FOID[:] })
	}
	switch v.Kind() {
	case reflect.Pointer:
		return g.native(v.Elem())
	case reflect.Slice:
		s := []any{}
		for i := range v.Len() {
			s = append(s, g.native(v.Index(i)))
		}
		return s
	case reflect.Map:
		m := map[string]any{}
		for _, k := range v.MapKeys() {
			m[k.String()] = v.MapIndex(k).Interface()
		}
		return m
	case reflect.Struct: // Service, Port
		m := map[string]any{}
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			m[strings.ToLower(name[:1])+name[1:]] = g.native(v.Field(i))
		}
		return m
	}
	return v.Interface()
}

func optional(valid bool, branch string, value func() any) any {
	if !valid {
		return nil
	}
	return map[string]any{branch: value()}
}

// expect is what a record must look like in the generic library's terms: each field of the branch, taken from the
// field of the structure that has its name.
func (g *generic) expect(br branch, rec any, age int) map[string]any {
	m := map[string]any{}
	v := reflect.ValueOf(rec).Elem()
	for _, f := range br.fields {
		member := v.FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, f) })
		switch {
		case f == "imagerepo":
			m[f] = "NA"
		case f == "type" && br.name == "sysflow.entity.Process":
			m[f] = g.native(v.FieldByName("State"))
		case f == "type" && br.name == "sysflow.flow.ProcessFlow":
			m[f] = map[int64]string{1: "CLONE", 2: "EXEC", 4: "EXIT"}[v.FieldByName("OpFlags").Int()]
		case f == "opFlags" && age == 2:
			var old int32 // bit by bit, as an independent description of the numbering
			for now, then := range map[int]int{0: 0, 1: 1, 2: 2, 5: 3, 6: 4, 7: 5, 8: 6, 9: 7, 10: 8, 11: 9} {
				old |= int32(member.Int()) >> now & 1 << then
			}
			m[f] = old
		default:
			m[f] = g.native(member)
		}
	}
	return m
}

// sample makes random records of every type, of values that every schema can express.
type sample struct{ *rand.Rand }

func (s sample) text() string {
	return [...]string{"", "NA", "a", "/usr/bin/python3.11", "tab\tand\nnewline ", "\xff\xfe", strings.Repeat("ü", 70)}[s.IntN(7)]
}

func (s sample) num() int64 {
	return [...]int64{0, 1, -1, 63, 64, -65, 1553543280704111050, math.MaxInt64, math.MinInt64}[s.IntN(9)]
}

func (s sample) small() int32 {
	return [...]int32{0, 1, -1, 80, 16777343, -1120945910, math.MaxInt32, math.MinInt32}[s.IntN(8)]
}

func (s sample) oid() *sfgo.OID { return &sfgo.OID{CreateTS: s.num(), Hpid: s.num()} }

func (s sample) foid() (f sfgo.FOID) {
	for i := range f {
		f[i] = byte(s.IntN(256))
	}
	return f
}

func (s sample) containerID() *sfgo.ContainerIdUnion {
	return []*sfgo.ContainerIdUnion{nil, {}, {String: s.text(), UnionType: 1}}[s.IntN(3)]
}

func (s sample) texts() []string {
	return [][]string{{}, {""}, {s.text(), s.text(), s.text()}}[s.IntN(3)]
}

func (s sample) longs() []int64 { return [][]int64{{}, {s.num()}, {1, 2, 3}}[s.IntN(3)] }

// flowBits are operation flags that every schema with flows has.
func (s sample) flowBits() int32 { return int32(s.IntN(1<<7)<<5 | s.IntN(8)) }

func (s sample) records() []*sfgo.SysFlow {
	service := &sfgo.Service{Name: s.text(), Id: s.text(), Namespace: s.text(), ClusterIP: s.longs(),
		PortList: []*sfgo.Port{{Port: s.small(), TargetPort: s.small(), NodePort: s.small(), Proto: s.text()}, {}}[:s.IntN(3)]}
	oneBit := [...]int32{1, 2, 4}[s.IntN(3)]
	union := []*sfgo.RecUnion{
		{SFHeader: &sfgo.SFHeader{Version: s.num(), Exporter: s.text(), Ip: s.text(), Filename: s.text()}},
		{Container: &sfgo.Container{Id: s.text(), Name: s.text(), Image: s.text(), Imageid: s.text(),
			Type: sfgo.ContainerType(s.IntN(6)), Privileged: s.IntN(2) == 0,
			PodId: []*sfgo.PodIdUnion{nil, {}, {String: s.text(), UnionType: 1}}[s.IntN(3)]}},
		{Process: &sfgo.Process{State: sfgo.SFObjectState(s.IntN(3)), Oid: s.oid(), Ts: s.num(), Exe: s.text(), ExeArgs: s.text(),
			Poid: []*sfgo.PoidUnion{nil, {}, {OID: s.oid(), UnionType: 1}}[s.IntN(3)],
			Uid:  s.small(), UserName: s.text(), Gid: s.small(), GroupName: s.text(), Tty: s.IntN(2) == 0,
			ContainerId: s.containerID(), Entry: s.IntN(2) == 0, Cwd: s.text(), Env: s.texts()}},
		{File: &sfgo.File{State: sfgo.SFObjectState(s.IntN(3)), Oid: s.foid(), Ts: s.num(), Restype: s.small(), Path: s.text(),
			ContainerId: s.containerID()}},
		{ProcessEvent: &sfgo.ProcessEvent{ProcOID: s.oid(), Ts: s.num(), Tid: s.num(), OpFlags: oneBit, Args: s.texts(), Ret: s.small()}},
		{NetworkFlow: &sfgo.NetworkFlow{ProcOID: s.oid(), Ts: s.num(), Tid: s.num(), OpFlags: s.flowBits(), EndTs: s.num(),
			Sip: s.small(), Sport: s.small(), Dip: s.small(), Dport: s.small(), Proto: s.small(), Fd: s.small(),
			NumRRecvOps: s.num(), NumWSendOps: s.num(), NumRRecvBytes: s.num(), NumWSendBytes: s.num()}},
		{FileFlow: &sfgo.FileFlow{ProcOID: s.oid(), Ts: s.num(), Tid: s.num(), OpFlags: s.flowBits(), OpenFlags: s.small(),
			EndTs: s.num(), FileOID: s.foid(), Fd: s.small(),
			NumRRecvOps: s.num(), NumWSendOps: s.num(), NumRRecvBytes: s.num(), NumWSendBytes: s.num()}},
		{FileEvent: &sfgo.FileEvent{ProcOID: s.oid(), Ts: s.num(), Tid: s.num(), OpFlags: s.small(), FileOID: s.foid(), Ret: s.small(),
			NewFileOID: []*sfgo.NewFileOIDUnion{nil, {}, {FOID: s.foid(), UnionType: 1}}[s.IntN(3)]}},
		{NetworkEvent: &sfgo.NetworkEvent{ProcOID: s.oid(), Ts: s.num(), Tid: s.num(), OpFlags: s.small(),
			Sip: s.small(), Sport: s.small(), Dip: s.small(), Dport: s.small(), Proto: s.small(), Ret: s.small()}},
		{ProcessFlow: &sfgo.ProcessFlow{ProcOID: s.oid(), Ts: s.num(), NumThreadsCloned: s.num(), OpFlags: s.small(), EndTs: s.num(),
			NumThreadsExited: s.num(), NumCloneErrors: s.num()}},
		{Pod: &sfgo.Pod{Ts: s.num(), Id: s.text(), Name: s.text(), NodeName: s.text(), HostIP: s.longs(), InternalIP: s.longs(),
			Namespace: s.text(), RestartCount: s.num(), Labels: map[string]string{"app": s.text(), "": "x", "tier": "db"},
			Selectors: map[string]string{}, Services: []*sfgo.Service{service, service}[:s.IntN(3)]}},
		{K8sEvent: &sfgo.K8sEvent{Kind: sfgo.K8sComponent(s.IntN(10)), Action: sfgo.K8sAction(s.IntN(6)), Ts: s.num(), Message: s.text()}},
	}
	var recs []*sfgo.SysFlow
	for i, u := range union {
		u.UnionType = sfgo.RecUnionTypeEnum(i)
		recs = append(recs, &sfgo.SysFlow{Rec: u})
	}
	return recs
}

// of returns the structure that a record holds.
func of(rec *sfgo.SysFlow) any {
	return reflect.ValueOf(*rec.Rec).Field(int(rec.Rec.UnionType)).Interface()
}

// TestEncoderAgainstGeneric encodes random records for every schema, decodes them with a general library and compares
// field by field.
func TestEncoderAgainstGeneric(t *testing.T) {
	// The branch of each record type, in the order of the schema's union, for each generation of the union.
	order := map[string][]int64{"S1": {sfgo.HEADER, sfgo.CONT, sfgo.PROC, sfgo.PROC_EVT}}
	for _, id := range codec.SchemaIDs()[1:] {
		for typ := range newGeneric(t, id).branches {
			order[id] = append(order[id], int64(typ))
		}
	}
	for i, id := range codec.SchemaIDs() {
		t.Run(id, func(t *testing.T) {
			g := newGeneric(t, id)
			e, err := codec.NewEncoder(id)
			if err != nil {
				t.Fatal(err)
			}
			s := sample{rand.New(rand.NewPCG(1, uint64(i)))}
			for range 200 {
				recs := s.records()
				for n, typ := range order[id] {
					b, err := e.Append([]byte("kept"), recs[typ])
					if err != nil {
						t.Fatalf("type %d: %v", typ, err)
					}
					if !strings.HasPrefix(string(b), "kept") {
						t.Fatalf("type %d: what was in the buffer is gone", typ)
					}
					name, got := g.decode(t, b[4:])
					want := g.expect(g.branches[n], of(recs[typ]), i+1)
					if name != g.branches[n].name || !reflect.DeepEqual(got, want) {
						t.Fatalf("type %d:\n got %s %v\nwant %s %v", typ, name, got, g.branches[n].name, want)
					}
				}
			}
		})
	}
}

func TestEncoderRefuses(t *testing.T) {
	rec := func(u sfgo.RecUnion, typ int64) *sfgo.SysFlow {
		u.UnionType = sfgo.RecUnionTypeEnum(typ)
		return &sfgo.SysFlow{Rec: &u}
	}
	oid := &sfgo.OID{Hpid: 1}
	process := func(change func(*sfgo.Process)) *sfgo.SysFlow {
		p := &sfgo.Process{Oid: oid}
		change(p)
		return rec(sfgo.RecUnion{Process: p}, sfgo.PROC)
	}
	for name, tt := range map[string]struct {
		schema   string
		rec      *sfgo.SysFlow
		noSchema bool // whether another schema could express it
		want     string
	}{
		"nil":               {"S11", nil, false, "it is nil"},
		"no union":          {"S11", &sfgo.SysFlow{}, false, "it is nil"},
		"unknown type":      {"S11", rec(sfgo.RecUnion{}, 12), false, "unknown type 12"},
		"negative type":     {"S11", rec(sfgo.RecUnion{}, -1), false, "unknown type -1"},
		"branch is nil":     {"S11", rec(sfgo.RecUnion{File: &sfgo.File{}}, sfgo.PROC), false, "UnionType"},
		"no process id":     {"S11", rec(sfgo.RecUnion{FileFlow: &sfgo.FileFlow{}}, sfgo.FILE_FLOW), false, "process id is nil"},
		"no parent id":      {"S11", process(func(p *sfgo.Process) { p.Poid = &sfgo.PoidUnion{UnionType: 1} }), false, "process id is nil"},
		"state":             {"S11", process(func(p *sfgo.Process) { p.State = 3 }), true, "state 3"},
		"nil service":       {"S11", rec(sfgo.RecUnion{Pod: &sfgo.Pod{Services: []*sfgo.Service{nil}}}, sfgo.POD), false, "service is nil"},
		"nil port":          {"S11", rec(sfgo.RecUnion{Pod: &sfgo.Pod{Services: []*sfgo.Service{{PortList: []*sfgo.Port{nil}}}}}, sfgo.POD), false, "port is nil"},
		"component":         {"S11", rec(sfgo.RecUnion{K8sEvent: &sfgo.K8sEvent{Kind: 10}}, sfgo.K8S_EVT), true, "component 10"},
		"action":            {"S11", rec(sfgo.RecUnion{K8sEvent: &sfgo.K8sEvent{Action: -1}}, sfgo.K8S_EVT), true, "action -1"},
		"container type":    {"S11", rec(sfgo.RecUnion{Container: &sfgo.Container{Type: 10}}, sfgo.CONT), true, "container type 10"},
		"new type, old age": {"S5", rec(sfgo.RecUnion{Container: &sfgo.Container{Type: 6}}, sfgo.CONT), true, "container type 6"},
		"file in S1":        {"S1", rec(sfgo.RecUnion{File: &sfgo.File{}}, sfgo.FILE), true, "type 3 for S1"},
		"file event in S2":  {"S2", rec(sfgo.RecUnion{FileEvent: &sfgo.FileEvent{ProcOID: oid}}, sfgo.FILE_EVT), true, "type 7 for S2"},
		"pod in S9":         {"S9", rec(sfgo.RecUnion{Pod: &sfgo.Pod{}}, sfgo.POD), true, "type 10 for S9"},
		"setuid in S1":      {"S1", rec(sfgo.RecUnion{ProcessEvent: &sfgo.ProcessEvent{ProcOID: oid, OpFlags: 8}}, sfgo.PROC_EVT), true, "flags 8"},
		"setuid in S2":      {"S2", rec(sfgo.RecUnion{ProcessEvent: &sfgo.ProcessEvent{ProcOID: oid, OpFlags: 8}}, sfgo.PROC_EVT), true, "flags 8"},
		"setns in S2":       {"S2", rec(sfgo.RecUnion{FileFlow: &sfgo.FileFlow{ProcOID: oid, OpFlags: 144}}, sfgo.FILE_FLOW), true, "flags 144"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := codec.NewEncoder(tt.schema)
			if err != nil {
				t.Fatal(err)
			}
			b, err := e.Append([]byte("kept"), tt.rec)
			if err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, codec.ErrNotInSchema) != tt.noSchema {
				t.Errorf("got %v, want %q, ErrNotInSchema %v", err, tt.want, tt.noSchema)
			}
			if string(b) != "kept" {
				t.Errorf("the buffer was changed to %q", b)
			}
		})
	}
	if _, err := codec.NewEncoder("S12"); err == nil || !strings.Contains(err.Error(), "S11") {
		t.Errorf("schema S12: %v", err)
	}
}
