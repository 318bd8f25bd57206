package encode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

func newECS(tb testing.TB) *ECS {
	tb.Helper()
	c, err := NewECS(field.SysFlow(), ECSOptions{AgentVersion: "0.4.0"})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// TestECSOfTCP compares the documents of a public trace with goldens, and its document ids with published ones.
func TestECSOfTCP(t *testing.T) {
	ids := []string{
		"c80d854a1e5f140dde96942323f9b6a5", "05ffde437a883ef83bb626d1b17b8ed8", "47ee6faf1369558e5f7717d48706e23e",
		"73397e400bf9265e29a42a76b44b0054", "0d124fa49e6c399e2da2033e816d4a18", "0118ac07a95a9e2f2a6cccf0f1b14365",
		"483ad5793c9e2662f83d6474e148b9a9", "ddf27372016a9ee78902d3ab5e904994", "e52ea37a06c3e410d90e60501e542dd2",
		"730ed41918576e2e47cd943a7331bf6d",
	}
	c := newECS(t)
	rows := traceRows(t, "tcp.sf")
	if len(rows) != len(ids) {
		t.Fatalf("got %d rows, want %d", len(rows), len(ids))
	}
	var docs, scratch []byte
	rule := &engine.Rule{Name: "Action example", Desc: "user-defined action example"}
	for i, r := range rows {
		ev := &engine.Event{Row: r}
		if i == 0 {
			ev = &engine.Event{Row: r, Alert: true, Rules: []*engine.Rule{rule}, Tags: []string{"now_in_nanos:1645409122055957900"}}
		}
		var id []byte
		if id, scratch = c.AppendID(nil, scratch, r); string(id) != ids[i] {
			t.Errorf("record %d: id %s, want %s (%q)", i+1, id, ids[i], scratch)
		}
		var err error
		if docs, err = c.Append(docs, ev); err != nil {
			t.Fatal(err)
		}
		docs = append(docs, '\n')
	}
	golden(t, "tcp.ecs.golden", docs)
}

// definition is what ECS says of a field.
type definition struct {
	kind    string
	array   bool
	allowed string
}

// definitions reads the official field definitions.
func definitions(t *testing.T) map[string]definition {
	t.Helper()
	text, err := os.ReadFile("testdata/ecs-8.11.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defs := map[string]definition{}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		defs[f[0]] = definition{f[1], f[2] == "array", f[3]}
	}
	return defs
}

// custom are the fields of ours that ECS does not define, with their types.
var custom = map[string]definition{
	"event.sf_type": {kind: "keyword"}, "event.sf_ret": {kind: "long"},
	"container.image.id": {kind: "keyword"}, "container.sf_privileged": {kind: "boolean"},
	"sf_file_action.bytes_read": {kind: "long"}, "sf_file_action.bytes_written": {kind: "long"},
	"sf_file_action.read_ops": {kind: "long"}, "sf_file_action.write_ops": {kind: "long"},
	"sf_net_action.bytes_read": {kind: "long"}, "sf_net_action.bytes_written": {kind: "long"},
	"sf_net_action.read_ops": {kind: "long"}, "sf_net_action.write_ops": {kind: "long"},
	"pod.id": {kind: "keyword"}, "pod.name": {kind: "keyword"}, "pod.namespace": {kind: "keyword"},
	"pod.nodename": {kind: "keyword"}, "pod.restartcnt": {kind: "long"}, "pod.ts": {kind: "date"},
	"pod.hostip": {kind: "ip", array: true}, "pod.internalip": {kind: "ip", array: true},
	"pod.services.id": {kind: "keyword"}, "pod.services.name": {kind: "keyword"}, "pod.services.namespace": {kind: "keyword"},
	"pod.services.clusterIP": {kind: "ip", array: true}, "pod.services.ports.port": {kind: "long"},
	"pod.services.ports.targetport": {kind: "long"}, "pod.services.ports.nodeport": {kind: "long"},
	"pod.services.ports.proto": {kind: "keyword"},
}

// TestECSIsValid holds each leaf of each document to ECS' definitions: known, of its type, an array where it must be, with
// an allowed value, and never empty.
func TestECSIsValid(t *testing.T) {
	defs := definitions(t)
	c := newECS(t)
	for _, trace := range []string{"tcp.sf", "k8s_small.sf", "runtime-1621959914.sf", "mon.1531776712.sf", "rename2at.sf",
		"setns.sf", "webserver.sf", "procflow.mon.1548965926.sf"} {
		t.Run(trace, func(t *testing.T) {
			var buf []byte
			rules := []*engine.Rule{
				{Name: "one", Desc: "d", Priority: engine.Low, Rank: engine.RankNotice, Tags: []engine.EnrichmentTag{"mitre:T1059", "x"}},
				{Name: "two", Priority: engine.High, Rank: engine.RankAlert, Tags: []engine.EnrichmentTag{"mitre:T1059.004", "mitre:T1"}},
			}
			for i, r := range sample(traceRows(t, trace)) {
				ev := &engine.Event{Row: r}
				if i%7 == 0 {
					ev.Rules, ev.Alert = rules, true
				}
				var err error
				if buf, err = c.Append(buf[:0], ev); err != nil {
					t.Fatal(err)
				}
				d := json.NewDecoder(bytes.NewReader(buf))
				d.UseNumber()
				var doc map[string]any
				if err := d.Decode(&doc); err != nil {
					t.Fatalf("%s: %v", buf, err)
				}
				for _, problem := range validate(defs, "", doc) {
					t.Fatalf("record %d: %s\n%s", i, problem, buf)
				}
				if problem := checkPair(defs, doc); problem != "" {
					t.Fatalf("record %d: %s\n%s", i, problem, buf)
				}
			}
		})
	}
}

// sample returns the first rows of a trace and every seventh of the others: traces repeat themselves, and the race
// detector makes checking each document slow.
func sample(rows []*sfgo.FlatRecord) []*sfgo.FlatRecord {
	const first, step = 300, 7
	some := slices.Clone(rows[:min(first, len(rows))])
	for i := first; i < len(rows); i += step {
		some = append(some, rows[i])
	}
	return some
}

// validate returns what is wrong with a value at a path of the document.
func validate(defs map[string]definition, path string, v any) (problems []string) {
	if m, ok := v.(map[string]any); ok {
		if len(m) == 0 {
			problems = append(problems, path+": empty object")
		}
		for k, x := range m {
			problems = append(problems, validate(defs, strings.TrimPrefix(path+"."+k, "."), x)...)
		}
		return problems
	}
	if list, ok := v.([]any); ok && len(list) > 0 {
		if _, ok := list[0].(map[string]any); ok {
			for _, x := range list {
				problems = append(problems, validate(defs, path, x)...)
			}
			return problems
		}
	}
	def, ok := defs[path]
	if !ok {
		if def, ok = custom[path]; !ok {
			return []string{path + ": neither ECS nor one of ours"}
		}
	}
	list, isList := v.([]any)
	if isList != def.array {
		return []string{fmt.Sprintf("%s: is a list: %v, must be: %v", path, isList, def.array)}
	}
	if !isList {
		list = []any{v}
	} else if len(list) == 0 && !strings.HasPrefix(path, "pod.services.") {
		return []string{path + ": empty list"}
	}
	for _, x := range list {
		if problem := checkType(def, x, strings.HasPrefix(path, "pod.services.")); problem != "" {
			problems = append(problems, path+": "+problem)
		}
	}
	return problems
}

// checkType returns what is wrong with a single value of a field.
func checkType(def definition, x any, mayBeEmpty bool) string {
	switch def.kind {
	case "keyword", "wildcard", "match_only_text", "constant_keyword":
		s, ok := x.(string)
		if !ok || s == "" && !mayBeEmpty {
			return fmt.Sprintf("%v is not a text that says something", x)
		}
		if def.allowed != "-" && def.allowed != "" {
			var names []string
			for a := range strings.SplitSeq(def.allowed, ",") {
				name, _, _ := strings.Cut(a, "=")
				names = append(names, name)
			}
			if !slices.Contains(names, s) {
				return fmt.Sprintf("%s is not one of %v", s, names)
			}
		}
	case "long", "integer":
		n, ok := x.(json.Number)
		if !ok {
			return fmt.Sprintf("%v is not a number", x)
		}
		if _, err := n.Int64(); err != nil {
			return err.Error()
		}
	case "boolean":
		if _, ok := x.(bool); !ok {
			return fmt.Sprintf("%v is not a boolean", x)
		}
	case "date":
		s, _ := x.(string)
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil || at.Year() < 1971 {
			return fmt.Sprintf("%v is not a time that can be (%v)", x, err)
		}
	case "ip":
		s, _ := x.(string)
		if _, err := netip.ParseAddr(s); err != nil {
			return err.Error()
		}
	default:
		return "the test does not know the type " + def.kind
	}
	return ""
}

// checkPair returns what is wrong with the pair of event.category and event.type.
func checkPair(defs map[string]definition, doc map[string]any) string {
	event := doc["event"].(map[string]any)
	for _, c := range event["category"].([]any) {
		for a := range strings.SplitSeq(defs["event.category"].allowed, ",") {
			name, types, _ := strings.Cut(a, "=")
			if name != c {
				continue
			}
			for _, ty := range event["type"].([]any) {
				if !slices.Contains(strings.Split(types, "|"), ty.(string)) {
					return fmt.Sprintf("event.type %v does not go with event.category %v", ty, c)
				}
			}
		}
	}
	return ""
}

// TestCommunityID checks against published vectors.
func TestCommunityID(t *testing.T) {
	for _, tt := range []struct {
		src, dst     string
		sport, dport uint16
		proto        byte
		want         string
	}{
		{"127.0.0.1", "127.0.0.1", 40556, 8080, 6, "1:n6PUx/cWKt2XUB9aMcXLTdGmiOQ="},
		{"127.0.0.1", "127.0.0.1", 8080, 40556, 6, "1:n6PUx/cWKt2XUB9aMcXLTdGmiOQ="},
		{"172.17.0.1", "172.17.0.2", 47200, 80, 6, "1:FyCYNj7ieXUf/6MVFQOoxgLvd/Q="},
		{"128.232.110.120", "66.35.250.204", 34855, 80, 6, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{"66.35.250.204", "128.232.110.120", 80, 34855, 6, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{"192.168.1.52", "8.8.8.8", 54585, 53, 17, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
		{"192.168.170.8", "192.168.170.56", 7, 7, 132, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="},
		{"10.1.12.1", "10.1.12.2", 0, 0, 46, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="},
		{"10.1.12.1", "10.1.12.2", 1, 2, 46, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="},
		{"2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25, 6, "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
	} {
		src, dst := netip.MustParseAddr(tt.src).AsSlice(), netip.MustParseAddr(tt.dst).AsSlice()
		if got := string(appendCommunityID(nil, src, dst, tt.sport, tt.dport, tt.proto)); got != tt.want {
			t.Errorf("%v: got %s", tt, got)
		}
	}
}

func BenchmarkECS(b *testing.B) {
	c, rows := newECS(b), traceRows(b, "k8s_small.sf")
	var buf []byte
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		for _, r := range rows {
			buf, _ = c.Append(buf[:0], &engine.Event{Row: r})
			n += len(buf)
		}
	}
	b.SetBytes(int64(n / b.N))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(rows)), "ns/record")
}

// TestECSOfPublishedRecord compares with the example of the documentation, byte for byte.
func TestECSOfPublishedRecord(t *testing.T) {
	const want = `{"@timestamp":"2022-03-17T19:14:20.950614275Z","agent":{"type":"SysFlow","version":"0.4.0"},"ecs":{"version":"8.11.0"},` +
		`"event":{"action":"file-rename","category":["file"],"duration":0,"end":"2022-03-17T19:14:20.950614275Z","kind":"event","module":"sysflow","outcome":"success","sf_ret":0,"sf_type":"FE","start":"2022-03-17T19:14:20.950614275Z","type":["change"]},` +
		`"host":{"id":"minikube","ip":["192.168.59.100"],"name":"minikube"},` +
		`"container":{"id":"4269f06be75a","image":{"hash":{"all":["sha256:621ddd7848a2327f471de8541d8b020d65a58a18a01429c0cc829f840917aba7"]},"id":"621ddd7848a2327f471de8541d8b020d65a58a18a01429c0cc829f840917aba7","name":"sha256:621ddd7848a2327f471de8541d8b020d65a58a18a01429c0cc829f840917aba7","tag":["latest"]},"name":"k8s_mongodb_mongodb-67c5456f4-ddhnf_robot-shop_4233549f-7458-4880-831f-468570fd386b_0","runtime":"docker","security_context":{"privileged":false},"sf_privileged":false},` +
		`"orchestrator":{"namespace":"robot-shop","resource":{"id":"4233549f-7458-4880-831f-468570fd386b","ip":["172.17.0.16"],"name":"mongodb-67c5456f4-ddhnf","type":"pod"},"type":"kubernetes"},` +
		`"pod":{"hostip":["192.168.59.100"],"id":"4233549f-7458-4880-831f-468570fd386b","internalip":["172.17.0.16"],"name":"mongodb-67c5456f4-ddhnf","namespace":"robot-shop","nodename":"minikube","restartcnt":0,"ts":"2022-03-17T19:05:15.026917Z"},` +
		`"file":{"directory":"/data/db","name":"WiredTiger.turtle.set","path":"/data/db/WiredTiger.turtle.set","target_path":"/data/db/WiredTiger.turtle","type":"file"},` +
		`"process":{"args":["/usr/bin/mongod","--bind_ip_all"],"args_count":2,"command_line":"/usr/bin/mongod --bind_ip_all","entity_id":"4c8c009569735d39","executable":"/usr/bin/mongod","interactive":false,"name":"mongod","pid":57312,"start":"2022-03-17T19:04:54.672412244Z","thread":{"id":57582}},` +
		`"user":{"group":{"id":"999","name":"input"},"id":"999","name":"systemd-coredump"}}`
	c := newECS(t)
	for _, r := range traceRows(t, "k8s_small.sf") {
		if r.Ints[0][sfgo.SF_REC_TYPE] != sfgo.FILE_EVT || r.Ints[0][sfgo.TS_INT] != 1647544460950614275 {
			continue
		}
		got, err := c.Append(nil, &engine.Event{Row: r})
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
		return
	}
	t.Error("the trace does not hold the record")
}
