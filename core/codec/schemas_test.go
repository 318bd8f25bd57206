package codec_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
)

// realSchemas says which writer schema the public traces embed.
var realSchemas = map[string]string{
	"procflow.mon.1548965926.sf": "S1",
	"tcp.sf":                     "S6",
	"mon.1531776712.sf":          "S6",
	"runtime-1621959914.sf":      "S9",
	"k8s_small.sf":               "S10",
	"rename2at.sf":               "S11",
	"setns.sf":                   "S11",
	"webserver.sf":               "S11",
}

// traces returns the directory of the public traces.
func traces(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SYSFLOW_TRACES")
	if dir == "" {
		t.Skip("SYSFLOW_TRACES, the directory of the public traces, is not set")
	}
	return dir
}

// branches returns the branches of a schema's union, each as name(field field …).
func branches(t *testing.T, schema string) []string {
	t.Helper()
	var s struct {
		Fields []struct {
			Type []struct {
				Namespace, Name string
				Fields          []struct{ Name string }
			}
		}
	}
	if err := json.Unmarshal([]byte(schema), &s); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, b := range s.Fields[0].Type {
		var names []string
		for _, f := range b.Fields {
			names = append(names, f.Name)
		}
		all = append(all, b.Namespace+"."+b.Name+"("+strings.Join(names, " ")+")")
	}
	return all
}

func TestSchemasOfRealTraces(t *testing.T) {
	dir := traces(t)
	for name, id := range realSchemas {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		r, err := goavro.NewOCFReader(f)
		f.Close()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		ours, ok := codec.Schema(id)
		if !ok {
			t.Fatalf("no schema %s", id)
		}
		var got, want any
		if err := json.Unmarshal([]byte(ours), &got); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		if err := json.Unmarshal(r.MetaData()["avro.schema"], &want); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("schema %s differs from the one in %s", id, name)
		}
	}
}

// TestSchemaHistory holds the schemas without a real trace to the list of changes from one to the next.
func TestSchemaHistory(t *testing.T) {
	count := []int{4, 7, 8, 9, 9, 9, 10, 10, 10, 12, 12}
	for i, id := range codec.SchemaIDs() {
		schema, ok := codec.Schema(id)
		if !ok {
			t.Fatalf("no schema %s", id)
		}
		if _, err := goavro.NewCodec(schema); err != nil {
			t.Errorf("%s is not a schema: %v", id, err)
		}
		if n := len(branches(t, schema)); n != count[i] {
			t.Errorf("%s: %d branches, want %d", id, n, count[i])
		}
		if got, want := strings.Count(schema, "timestamp-millis"), map[bool]int{true: 10}[id == "S5" || id == "S6"]; got != want {
			t.Errorf("%s: %d logical types, want %d", id, got, want)
		}
		if got, want := strings.Contains(schema, "CT_BPM"), i >= 5; got != want {
			t.Errorf("%s: ten container types: %v, want %v", id, got, want)
		}
		if got, want := strings.Contains(schema, `"name":"imagerepo","type":"string","default":"NA"`), id == "S7"; got != want {
			t.Errorf("%s: imagerepo: %v, want %v", id, got, want)
		}
	}

	const oldProcess = "sysflow.entity.Process(state oid poid ts exe exeArgs uid userName gid groupName tty containerId)"
	for id, want := range map[string][]string{
		"S2": {"sysflow.entity.SFHeader(version exporter)",
			"sysflow.entity.Container(id name image imageid type privileged)",
			oldProcess,
			"sysflow.entity.File(state oid ts restype path containerId)",
			"sysflow.flow.ProcessFlow(procOID ts tid opFlags args ret)",
			"sysflow.flow.NetworkFlow(procOID ts tid opFlags endTs sip sport dip dport proto numRRecvOps numWSendOps numRRecvBytes numWSendBytes)",
			"sysflow.flow.FileFlow(procOID ts tid opFlags endTs fileOID fd numRRecvOps numWSendOps numRRecvBytes numWSendBytes)"},
		"S3": {"", "", oldProcess, "", "sysflow.event.ProcessEvent(procOID ts tid opFlags args ret)", "",
			"sysflow.flow.FileFlow(procOID ts tid opFlags openFlags endTs fileOID fd numRRecvOps numWSendOps numRRecvBytes numWSendBytes)",
			"sysflow.event.FileEvent(procOID ts tid opFlags fileOID ret newFileOID)"},
		"S4": {"", "", oldProcess, "", "",
			"sysflow.flow.NetworkFlow(procOID ts tid opFlags endTs sip sport dip dport proto fd numRRecvOps numWSendOps numRRecvBytes numWSendBytes)",
			"", "", "sysflow.event.NetworkEvent(procOID ts tid opFlags sip sport dip dport proto ret)"},
		"S7": {"sysflow.entity.SFHeader(version exporter ip)",
			"sysflow.entity.Container(id name image imageid type privileged imagerepo)",
			strings.TrimSuffix(oldProcess, ")") + " entry)", "", "", "", "", "", "",
			"sysflow.flow.ProcessFlow(procOID ts numThreadsCloned opFlags endTs numThreadsExited numCloneErrors)"},
		"S8": {"sysflow.entity.SFHeader(version exporter ip)",
			"sysflow.entity.Container(id name image imageid type privileged)",
			strings.TrimSuffix(oldProcess, ")") + " entry)"},
	} {
		schema, _ := codec.Schema(id)
		got := branches(t, schema)
		for i, w := range want {
			if w != "" && got[i] != w {
				t.Errorf("%s, branch %d:\n got %s\nwant %s", id, i, got[i], w)
			}
		}
	}
}

func TestUnknownSchema(t *testing.T) {
	for _, id := range []string{"", "S0", "S12", "../schemas/S1", "s1"} {
		if _, ok := codec.Schema(id); ok {
			t.Errorf("there is a schema %q", id)
		}
	}
}
