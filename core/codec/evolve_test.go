package codec_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// TestUnknownFields decodes records of a schema that has fields of every Avro type between all that we know, fields
// around the record, and branches that we do not know, and expects what is known to come out unharmed.
func TestUnknownFields(t *testing.T) {
	f := newFuture(t)
	theirs, err := goavro.NewCodec(f.schema)
	if err != nil {
		t.Fatal(err)
	}
	d := newDecoder(t, f.schema)
	g := newGeneric(t, codec.CurrentSchema)
	o := newOpinion(t, schemaText(t, codec.CurrentSchema))
	e, err := codec.NewEncoder(codec.CurrentSchema)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 3))
	var rec codec.Record
	for range 100 {
		for _, sf := range (sample{rng}).records() {
			known, err := e.Append(nil, sf)
			if err != nil {
				t.Fatal(err)
			}
			typ, want, _, err := o.decode(known)
			if err != nil {
				t.Fatal(err)
			}
			name, fields := g.decode(t, known)
			datum := map[string]any{"rec": map[string]any{name: f.widen(name, fields, rng)}}
			data, err := theirs.BinaryFromNative(nil, f.widen("sysflow.SysFlow", datum, rng))
			if err != nil {
				t.Fatal(err)
			}
			if n, err := d.Decode(data, &rec); err != nil || n != len(data) {
				t.Fatalf("%d bytes, want %d; %v", n, len(data), err)
			}
			compare(t, g, &rec, typ, want)
		}
	}
	for name, value := range map[string]any{
		"null":                 nil,
		"string":               map[string]any{"string": "x"},
		"sysflow.event.Future": map[string]any{"sysflow.event.Future": map[string]any{"when": int64(7)}},
	} {
		data, err := theirs.BinaryFromNative(nil, f.widen("sysflow.SysFlow", map[string]any{"rec": value}, rng))
		if err != nil {
			t.Fatal(err)
		}
		n, err := d.Decode(data, &rec)
		if err != nil || n != len(data) || rec.Type != sfgo.UNKNOWN_TYPE || rec.SysFlow() != nil {
			t.Errorf("branch %s: type %d, %d of %d bytes, %v", name, rec.Type, n, len(data), err)
		}
	}
}

// future is the current schema with more fields.
type future struct {
	schema string
	added  map[string][]addition // by full name of the record
	names  int
}

// addition is a field that was added.
type addition struct {
	name  string
	value func(*rand.Rand) any
}

func newFuture(t *testing.T) *future {
	t.Helper()
	var tree map[string]any
	if err := json.Unmarshal([]byte(schemaText(t, codec.CurrentSchema)), &tree); err != nil {
		t.Fatal(err)
	}
	f := &future{added: map[string][]addition{}}
	f.add(tree)
	for _, field := range tree["fields"].([]any) {
		if field := field.(map[string]any); field["name"] == "rec" {
			branches := field["type"].([]any)
			for _, b := range branches {
				f.add(b.(map[string]any))
			}
			field["type"] = append(branches, "null", "string", map[string]any{"type": "record", "name": "Future",
				"namespace": "sysflow.event", "fields": []any{map[string]any{"name": "when", "type": "long"}}})
		}
	}
	text, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	f.schema = string(text)
	return f
}

// add puts a field of another type in front of each field of a record, and one behind the last.
func (f *future) add(record map[string]any) {
	name := record["namespace"].(string) + "." + record["name"].(string)
	var fields []any
	for _, field := range append(record["fields"].([]any), nil) {
		schema, value := f.typ()
		a := addition{fmt.Sprintf("added%d", f.names), value}
		f.added[name] = append(f.added[name], a)
		fields = append(fields, map[string]any{"name": a.name, "type": schema})
		if field != nil {
			fields = append(fields, field)
		}
	}
	record["fields"] = fields
}

// typ returns a type, each time another one, and random values of it.
func (f *future) typ() (schema any, value func(*rand.Rand) any) {
	f.names++
	named := func(schema string) any {
		var tree any
		if err := json.Unmarshal([]byte(strings.ReplaceAll(schema, "NAME", fmt.Sprintf("Added%d", f.names))), &tree); err != nil {
			panic(err)
		}
		return tree
	}
	own := fmt.Sprintf("sysflow.later.Added%d", f.names)
	text := func(r *rand.Rand) any { return strings.Repeat("x", r.IntN(200)) }
	switch f.names % 15 {
	case 0:
		return "null", func(*rand.Rand) any { return nil }
	case 1:
		return "boolean", func(r *rand.Rand) any { return r.IntN(2) == 0 }
	case 2:
		return "int", func(r *rand.Rand) any { return int32(r.Uint32()) }
	case 3:
		return "long", func(r *rand.Rand) any { return int64(r.Uint64()) }
	case 4:
		return "float", func(r *rand.Rand) any { return r.Float32() }
	case 5:
		return "double", func(r *rand.Rand) any { return r.Float64() }
	case 6:
		return "bytes", func(r *rand.Rand) any { return []byte(text(r).(string)) }
	case 7:
		return named(`{"type":"string","logicalType":"uuid-of-sorts"}`), text
	case 8:
		return named(`{"type":"fixed","name":"NAME","namespace":"sysflow.later","size":7}`),
			func(r *rand.Rand) any { return []byte("7 bytes") }
	case 9:
		return named(`{"type":"enum","name":"NAME","namespace":"sysflow.later","symbols":["A","B","C"]}`),
			func(r *rand.Rand) any { return []string{"A", "B", "C"}[r.IntN(3)] }
	case 10:
		return named(`{"type":"array","items":"double"}`), func(r *rand.Rand) any {
			return []any{0.5, 1.5, 2.5}[:r.IntN(4)]
		}
	case 11:
		return named(`{"type":"map","values":{"type":"array","items":["null","int"]}}`), func(r *rand.Rand) any {
			return map[string]any{"a": []any{nil, map[string]any{"int": 1}}, "b": []any{}}
		}
	case 12:
		return named(`["null","string",{"type":"map","values":"bytes"}]`), func(r *rand.Rand) any {
			return []any{nil, map[string]any{"string": "x"},
				map[string]any{"map": map[string]any{"k": []byte("v")}}}[r.IntN(3)]
		}
	case 13: // a list of values in values
		return named(`{"type":"record","name":"NAME","namespace":"sysflow.later","fields":[
				{"name":"n","type":"int"},{"name":"next","type":["null","NAME"]}]}`), func(r *rand.Rand) any {
				node := map[string]any{"n": 0, "next": nil}
				for n := range r.IntN(5) {
					node = map[string]any{"n": n, "next": map[string]any{own: node}}
				}
				return node
			}
	default: // values of no bytes at all
		return named(`{"type":"array","items":{"type":"record","name":"NAME","namespace":"sysflow.later","fields":[
				{"name":"nothing","type":"null"}]}}`), func(r *rand.Rand) any {
				return []any{map[string]any{"nothing": nil}}[:r.IntN(2)]
			}
	}
}

// widen adds random values for the fields that were added to a record.
func (f *future) widen(name string, fields map[string]any, rng *rand.Rand) map[string]any {
	for _, a := range f.added[name] {
		fields[a.name] = a.value(rng)
	}
	return fields
}

// small is a schema of one branch with the given fields, and of whatever named types these need.
func small(record string, fields ...string) string {
	dot := strings.LastIndexByte(record, '.')
	return fmt.Sprintf(`{"type":"record","name":"SysFlow","namespace":"sysflow","fields":[{"name":"rec","type":[
		{"type":"record","namespace":%q,"name":%q,"fields":[%s]}]}]}`, record[:dot], record[dot+1:], strings.Join(fields, ","))
}

// field is the JSON of a field.
func field(name, typ string) string { return fmt.Sprintf(`{"name":%q,"type":%s}`, name, typ) }

const oidType = `{"type":"record","name":"OID","namespace":"sysflow.type","fields":[
	{"name":"createTS","type":"long"},{"name":"hpid","type":"long"}]}`

// zig is the encoding of numbers.
func zig(vs ...int64) []byte {
	var b []byte
	for _, v := range vs {
		for u := uint64(v<<1) ^ uint64(v>>63); ; u >>= 7 {
			if u < 0x80 {
				b = append(b, byte(u))
				break
			}
			b = append(b, byte(u)|0x80)
		}
	}
	return b
}

// text is the encoding of strings.
func text(vs ...string) []byte {
	var b []byte
	for _, v := range vs {
		b = append(append(b, zig(int64(len(v)))...), v...)
	}
	return b
}

func join(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// TestOtherTypes decodes fields whose writer has another type for them than the current schema, as far as the two
// agree, and in another order.
func TestOtherTypes(t *testing.T) {
	const process, container, pod = "sysflow.entity.Process", "sysflow.entity.Container", "sysflow.entity.Pod"
	oid, id := field("oid", oidType), field("id", `"string"`)
	key := zig(0, 1, 2) // branch, createTS, hpid
	for name, tt := range map[string]struct {
		schema string
		data   []byte
		got    func(*codec.Record) any
		want   any
	}{
		"int for long": {small(process, oid, field("ts", `"int"`)), join(key, zig(-7)),
			func(r *codec.Record) any { return r.Process.TS }, int64(-7)},
		"long for int": {small(process, oid, field("uid", `"long"`)), join(key, zig(-1)),
			func(r *codec.Record) any { return r.Process.UID }, int32(-1)},
		"long for int of an event": {small("sysflow.event.ProcessEvent", field("procOID", oidType), field("ret", `"long"`)), join(key, zig(-2)),
			func(r *codec.Record) any { return r.Event.Ints[sfgo.RET_INT] }, int64(-2)},
		"int for long of an event": {small("sysflow.event.ProcessEvent", field("ts", `"int"`), field("procOID", oidType)), zig(0, 9, 1, 2),
			func(r *codec.Record) any { return r.Event.Ints[sfgo.TS_INT] }, int64(9)},
		"nullable string, null": {small(process, oid, field("exe", `["null","string"]`)), join(key, zig(0)),
			func(r *codec.Record) any { return string(r.Process.Exe) }, ""},
		"nullable string": {small(process, oid, field("exe", `["null","string"]`)), join(key, zig(1), text("sh")),
			func(r *codec.Record) any { return string(r.Process.Exe) }, "sh"},
		"null last": {small(process, oid, field("containerId", `["string","null"]`)), join(key, zig(0), text("c")),
			func(r *codec.Record) any { return nullable(r.Process.ContainerID) }, any("c")},
		"not nullable": {small(process, oid, field("containerId", `"string"`)), join(key, text("c")),
			func(r *codec.Record) any { return nullable(r.Process.ContainerID) }, any("c")},
		"parent that is not nullable": {small(process, oid, field("poid", `"sysflow.type.OID"`)), join(key, zig(3, 4)),
			func(r *codec.Record) any {
				return r.Process.HasPOID && r.Process.POID == sfgo.OID{CreateTS: 3, Hpid: 4}
			}, true},
		"union with a branch of no use": {small(process, oid, field("exe", `["string","double"]`), field("uid", `"int"`)), join(key, zig(1), make([]byte, 8), zig(5)),
			func(r *codec.Record) any { return r.Process.UID }, int32(5)},
		"OID the other way round": {small(process, field("oid", `{"type":"record","name":"OID","namespace":"sysflow.type","fields":[
			{"name":"hpid","type":"int"},{"name":"boot","type":"string"},{"name":"createTS","type":"long"}]}`)), join(zig(0, 2), text("x"), zig(1)),
			func(r *codec.Record) any { return r.Process.OID }, sfgo.OID{CreateTS: 1, Hpid: 2}},
		"symbols in another order": {small(process, oid, field("state", `{"type":"enum","name":"SFObjectState","symbols":["GONE","REUP","CREATED"]}`)), join(key, zig(1)),
			func(r *codec.Record) any { return r.Process.State }, int32(sfgo.SFObjectStateREUP)},
		"symbol that is not known": {small(process, oid, field("state", `{"type":"enum","name":"SFObjectState","symbols":["GONE","REUP"]}`)), join(key, zig(0)),
			func(r *codec.Record) any { return r.Process.State }, int32(-1)},
		"container type past the symbols": {small(container, id, field("type", `{"type":"enum","name":"ContainerType","symbols":["CT_LXC"]}`)), join(zig(0), text("c"), zig(10)),
			func(r *codec.Record) any { return r.Container.Type }, int32(-1)},
		"container type that is not known": {small(container, id, field("type", `{"type":"enum","name":"ContainerType","symbols":["CT_PODMAN","CT_LXC"]}`)), join(zig(0), text("c"), zig(0)),
			func(r *codec.Record) any { return r.Container.Type }, int32(-1)},
		"component that is not known": {small("sysflow.event.K8sEvent", field("kind", `{"type":"enum","name":"K8sComponent","symbols":["K8S_JOBS"]}`)), zig(0, 0),
			func(r *codec.Record) any { return r.Event.Ints[sfgo.K8SE_KIND_INT] }, int64(sfgo.K8sComponentK8S_UNKNOWN)},
		"no version": {small("sysflow.entity.SFHeader", field("exporter", `"string"`)), join(zig(0), text("node")),
			func(r *codec.Record) any { return r.Header.Version }, int64(5)},
		"IPs as ints": {small(pod, id, field("hostIP", `{"type":"array","items":"int"}`)), join(zig(0), text("p"), zig(2, -1, 7, 0)),
			func(r *codec.Record) any { return fmt.Sprint(r.Pod.HostIP) }, "[-1 7]"},
		"services of less": {small(pod, id, field("services", `{"type":"array","items":{"type":"record","name":"Service","fields":[
			{"name":"weight","type":"int"},{"name":"name","type":"string"}]}}`)), join(zig(0), text("p"), zig(2, 9), text("a"), zig(9), text("b"), zig(0)),
			func(r *codec.Record) any {
				return fmt.Sprintf("%d %s %s", len(r.Pod.Services), r.Pod.Services[0].Name, r.Pod.Services[1].Name)
			}, "2 a b"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDecoder(t, tt.schema)
			for _, data := range [][]byte{tt.data, join(tt.data, make([]byte, 200))} {
				var rec codec.Record
				n, err := d.Decode(data, &rec)
				if err != nil || n != len(tt.data) {
					t.Fatalf("%d bytes, want %d; %v", n, len(tt.data), err)
				}
				if got := tt.got(&rec); got != tt.want {
					t.Errorf("got %v, want %v", got, tt.want)
				}
			}
		})
	}
}

// TestRuns decodes arrays and maps in several runs, and with lengths in bytes.
func TestRuns(t *testing.T) {
	d := newDecoder(t, small("sysflow.entity.Pod", field("id", `"string"`), field("labels", `{"type":"map","values":"string"}`),
		field("hostIP", `{"type":"array","items":"long"}`),
		field("services", `{"type":"array","items":{"type":"record","name":"Service","fields":[{"name":"name","type":"string"}]}}`)))
	ab := text("a", "b")
	labels := join(zig(1), text("k", "v"), zig(-1, int64(len(ab))), ab, zig(0))
	ips := join(zig(-2, 3, 1, 300, 1, 5, 0))
	names := join(zig(-2, 4), text("s", "t"), zig(1), text("u"), zig(0))
	data := join(zig(0), text("p"), labels, ips, names)
	var rec codec.Record
	n, err := d.Decode(data, &rec)
	if err != nil || n != len(data) {
		t.Fatalf("%d bytes, want %d; %v", n, len(data), err)
	}
	var services []string
	for _, s := range rec.Pod.Services {
		services = append(services, string(s.Name))
	}
	got := fmt.Sprintf("%s %v %s", rec.Pod.Labels, rec.Pod.HostIP, services)
	if want := "[k v a b] [1 300 5] [s t u]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
