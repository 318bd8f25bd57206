package codec_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
)

// TestBadSchemas makes decoders for schemas that are malformed, or not SysFlow's.
func TestBadSchemas(t *testing.T) {
	const process = "sysflow.entity.Process"
	oid := field("oid", oidType)
	rec := func(branch string) string {
		return fmt.Sprintf(`{"type":"record","name":"SysFlow","fields":[{"name":"rec","type":[%s]}]}`, branch)
	}
	deep := `"int"`
	for range 70 {
		deep = `{"type":"array","items":` + deep + `}`
	}
	for name, tt := range map[string]struct{ schema, want string }{
		"empty":             {``, "not JSON"},
		"not JSON":          {`{"type":`, "not JSON"},
		"long":              {`"` + strings.Repeat("x", 1<<20) + `"`, "want at most 1048576"},
		"number":            {`7`, "7 is not a type"},
		"null":              {`null`, "is not a type"},
		"no type":           {`{"name":"x"}`, "a type without 'type'"},
		"other top":         {`"string"`, "string is not SysFlow"},
		"no rec":            {`{"type":"record","name":"Log","fields":[{"name":"line","type":"string"}]}`, "record Log is not SysFlow"},
		"rec is no union":   {`{"type":"record","name":"SysFlow","fields":[{"name":"rec","type":"string"}]}`, "is not SysFlow"},
		"nothing known":     {rec(`"null","string",{"type":"record","name":"Foo","fields":[]}`), "none of its records"},
		"other namespace":   {small("sysflow.Process", oid), "none of its records"},
		"empty union":       {rec(``), "without branches"},
		"union in union":    {rec(`["null"]`), "directly in a union"},
		"undefined":         {small(process, oid, field("x", `"Foo"`)), `field x: type "Foo" is not defined`},
		"defined later":     {small(process, field("poid", `"sysflow.type.OID"`), oid), "is not defined"},
		"defined twice":     {small(process, oid, field("poid", oidType)), "type sysflow.type.OID is defined twice"},
		"no name":           {rec(`{"type":"record","fields":[]}`), "record without a name"},
		"no fields":         {rec(`{"type":"record","name":"X"}`), "'fields' is not a list"},
		"nameless field":    {rec(`{"type":"record","name":"X","fields":[{"type":"int"}]}`), "a field without a name"},
		"field twice":       {small(process, oid, field("oid", `"int"`)), "two fields are called oid"},
		"no symbols":        {small(process, oid, field("x", `{"type":"enum","name":"E"}`)), "'symbols' is not a list"},
		"symbol":            {small(process, oid, field("x", `{"type":"enum","name":"E","symbols":[1]}`)), "symbol 1 is not text"},
		"no size":           {small(process, oid, field("x", `{"type":"fixed","name":"F"}`)), "size is <nil>"},
		"size below":        {small(process, oid, field("x", `{"type":"fixed","name":"F","size":-1}`)), "size is -1"},
		"size of 1e300":     {small(process, oid, field("x", `{"type":"fixed","name":"F","size":1e300}`)), "size is 1e+300"},
		"half a byte":       {small(process, oid, field("x", `{"type":"fixed","name":"F","size":0.5}`)), "size is 0.5"},
		"no items":          {small(process, oid, field("x", `{"type":"array"}`)), "items of array"},
		"no values":         {small(process, oid, field("x", `{"type":"map"}`)), "values of map"},
		"contains itself":   {small(process, oid, field("x", `{"type":"record","name":"R","fields":[{"name":"r","type":"R"}]}`)), "contains itself"},
		"deep":              {small(process, oid, field("x", deep)), "deeper than 64"},
		"no process id":     {small(process, field("exe", `"string"`)), "has no field oid"},
		"no file id":        {small("sysflow.flow.FileFlow", field("procOID", oidType)), "has no field fileOID"},
		"half a process id": {small(process, field("oid", `{"type":"record","name":"OID","fields":[{"name":"hpid","type":"long"}]}`)), "has no field createTS"},
		"OID is text":       {small(process, field("oid", `"string"`)), "Process.oid: is of type string, want a record"},
		"exe is bytes":      {small(process, oid, field("exe", `"bytes"`)), "Process.exe: is of type bytes, want string"},
		"ts is text":        {small(process, oid, field("ts", `"string"`)), "want long"},
		"uid is double":     {small(process, oid, field("uid", `"double"`)), "want int"},
		"tty is int":        {small(process, oid, field("tty", `"int"`)), "want boolean"},
		"state is int":      {small(process, oid, field("state", `"int"`)), "want enum"},
		"env of ints":       {small(process, oid, field("env", `{"type":"array","items":"int"}`)), "want an array of strings"},
		"no branch fits":    {small(process, oid, field("exe", `["null","int"]`)), "is of type int, want string"},
		"short FOID":        {small("sysflow.entity.File", field("oid", `{"type":"fixed","name":"FOID","size":16}`)), "fixed sysflow.entity.FOID, want a fixed of 20 bytes"},
		"event's number":    {small("sysflow.event.ProcessEvent", field("procOID", oidType), field("ts", `"float"`)), "want long"},
		"labels of ints":    {small("sysflow.entity.Pod", field("id", `"string"`), field("labels", `{"type":"map","values":"int"}`)), "want a map of strings"},
		"IPs as text":       {small("sysflow.entity.Pod", field("id", `"string"`), field("hostIP", `"string"`)), "want an array of longs"},
		"service":           {small("sysflow.entity.Pod", field("id", `"string"`), field("services", `"string"`)), "want an array of records"},
		"services of text":  {small("sysflow.entity.Pod", field("id", `"string"`), field("services", `{"type":"array","items":"string"}`)), "want a record"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := codec.NewDecoder(tt.schema)
			if err == nil || !strings.HasPrefix(err.Error(), "writer schema: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want … %s …", err, tt.want)
			}
		})
	}
}

// TestNames resolves names of types in the ways a schema may spell them.
func TestNames(t *testing.T) {
	for name, fields := range map[string][]string{
		"full name":           {field("oid", `{"type":"record","name":"sysflow.type.OID","fields":[{"name":"createTS","type":"long"},{"name":"hpid","type":"long"}]}`), field("poid", `"sysflow.type.OID"`)},
		"space of the record": {field("oid", `{"type":"record","name":"OID","fields":[{"name":"createTS","type":"long"},{"name":"hpid","type":"long"}]}`), field("poid", `"OID"`)},
		"type in type":        {field("oid", oidType), field("exe", `{"type":{"type":"string"}}`), field("ts", `{"type":"long","logicalType":"timestamp-millis"}`)},
		"list of itself":      {field("oid", oidType), field("x", `{"type":"record","name":"R","fields":[{"name":"more","type":{"type":"array","items":"R"}}]}`)},
	} {
		t.Run(name, func(t *testing.T) { newDecoder(t, small("sysflow.entity.Process", fields...)) })
	}
}

// TestDecoders checks that a decoder is made once for a schema, and that not all of them are kept.
func TestDecoders(t *testing.T) {
	var ds codec.Decoders
	schema := func(n int) string {
		return small("sysflow.entity.Process", field("oid", oidType), field(fmt.Sprintf("f%d", n), `"int"`))
	}
	get := func(n int) *codec.Decoder {
		d, err := ds.Get(schema(n))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	first := get(0)
	if get(0) != first || get(1) == first {
		t.Error("want one decoder for each schema")
	}
	for n := range 100 {
		get(n + 1)
	}
	if get(0) == first {
		t.Error("a decoder is kept for ever")
	}
	if _, err := ds.Get("nonsense"); err == nil {
		t.Error("nonsense is a schema")
	}
}
