package encode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// tester encodes events and compares the documents with those of the naive encoder.
type tester struct {
	options JSONOptions
	json    *JSON
	buf     []byte
}

func newTester(o JSONOptions) *tester { return &tester{options: o, json: NewJSON(field.SysFlow(), o)} }

// check returns the document for e.
func (c *tester) check(t testing.TB, e *engine.Event) string {
	t.Helper()
	var err error
	if c.buf, err = c.json.Append(append(c.buf[:0], "before"...), e); err != nil {
		t.Fatal(err)
	}
	line, ok := bytes.CutPrefix(c.buf, []byte("before"))
	if !ok {
		t.Fatalf("what was in the buffer is gone: %q", c.buf)
	}
	if !utf8.Valid(line) || bytes.ContainsAny(line, "\n\r\x00") {
		t.Fatalf("not a line of UTF-8: %q", line)
	}
	got, err := parse(line)
	if err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	text, err := json.Marshal(naive(e, c.options))
	if err != nil {
		t.Fatal(err)
	}
	want, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %s\nwant %s", line, text)
	}
	checkKeys(t, line)
	return string(line)
}

var order = strings.Fields(`version endts args opflags ret ts type container file flow k8s meta net node pf pod pproc proc policies
	tags`)

// checkKeys checks the order of the keys, and that there are no blanks.
func checkKeys(t testing.TB, line []byte) {
	t.Helper()
	var compact bytes.Buffer
	if err := json.Compact(&compact, line); err != nil || !bytes.Equal(compact.Bytes(), line) {
		t.Fatalf("not compact: %s", line)
	}
	top, _ := keysOf(t, line)
	if !slices.IsSortedFunc(top, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) }) ||
		slices.ContainsFunc(top, func(k string) bool { return !slices.Contains(order, k) }) {
		t.Fatalf("keys are %q", top)
	}
	_, values := keysOf(t, line)
	for name, section := range values {
		if section[0] != '{' {
			continue
		}
		if keys, _ := keysOf(t, section); !slices.IsSorted(keys) {
			t.Fatalf("keys of %s are %q", name, keys)
		}
	}
}

// keysOf returns the keys of an object, in order, and their values.
func keysOf(t testing.TB, text []byte) ([]string, map[string]json.RawMessage) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	var keys []string
	values := map[string]json.RawMessage{}
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		if _, ok := values[k.(string)]; ok {
			t.Fatalf("key %s is there twice", k)
		}
		keys = append(keys, k.(string))
		values[k.(string)] = v
	}
	return keys, values
}

func TestJSONOfTraces(t *testing.T) {
	dir := os.Getenv("SYSFLOW_TRACES")
	if dir == "" {
		t.Skip("SYSFLOW_TRACES does not name a folder of traces")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.sf"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no traces in %s: %v", dir, err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			plain, extended := newTester(JSONOptions{}), newTester(JSONOptions{Version: 5, Extended: true})
			rows := traceRows(t, filepath.Base(f))
			for i, r := range rows {
				e := &engine.Event{Row: r}
				// The naive encoder is slow: it sees about 60 records, evenly spread.
				if i%max(1, len(rows)/60) == 0 {
					plain.check(t, e)
					extended.check(t, e)
				} else if line, err := plain.json.Append(plain.buf[:0], e); err != nil || i%64 == 0 && !json.Valid(line) {
					t.Fatalf("record %d: %v, %s", i, err, line)
				}
			}
		})
	}
}

func TestJSONGolden(t *testing.T) {
	j := newTester(JSONOptions{})
	var out bytes.Buffer
	for _, r := range traceRows(t, "tcp.sf") {
		out.WriteString(j.check(t, &engine.Event{Row: r}) + "\n")
	}
	golden(t, "tcp.json.golden", out.Bytes())
}

// TestJSONOfPublishedRecords compares with the examples of the documentation, byte for byte.
func TestJSONOfPublishedRecords(t *testing.T) {
	examples, err := os.ReadFile("testdata/published.txt")
	if err != nil {
		t.Fatal(err)
	}
	for example := range bytes.Lines(examples) {
		trace, want, _ := strings.Cut(strings.TrimSpace(string(example)), " ")
		var key struct {
			TS       int64
			Type     string
			Tags     []string
			Policies []struct{ ID, Desc string }
			Proc     struct{ TID int64 }
		}
		if err := json.Unmarshal([]byte(want), &key); err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprint(trace, key.Type), func(t *testing.T) {
			found := false
			for _, r := range traceRows(t, trace) {
				in := r.Ints[0]
				if in[sfgo.TS_INT] != key.TS || field.TypeCode(in[sfgo.SF_REC_TYPE]) != key.Type || in[sfgo.TID_INT] != key.Proc.TID {
					continue
				}
				e := &engine.Event{Row: r, Tags: key.Tags}
				for _, p := range key.Policies {
					e.Rules = append(e.Rules, &engine.Rule{Name: p.ID, Desc: p.Desc})
				}
				got := newTester(JSONOptions{}).check(t, e)
				found = found || got == want
				if !found {
					t.Logf("got  %s\nwant %s", got, want)
				}
			}
			if !found {
				t.Error("no record has this document")
			}
		})
	}
}

// newRow returns a record of the given type with noise in the slots that mean something on other types only.
func newRow(typ int64) *sfgo.FlatRecord {
	r := &sfgo.FlatRecord{
		Sources: []sfgo.Source{sfgo.SYSFLOW_SRC},
		Ints:    [][]int64{make([]int64, sfgo.INT_ARRAY_SIZE)},
		Strs:    [][]string{make([]string, sfgo.STR_ARRAY_SIZE)},
		Anys:    [][]any{make([]any, sfgo.ANY_ARRAY_SIZE)},
	}
	in := r.Ints[0]
	for i := sfgo.TS_INT; i < sfgo.INT_ARRAY_SIZE; i++ {
		in[i] = 1000 + int64(i)
	}
	in[sfgo.SF_REC_TYPE] = typ
	in[sfgo.PROC_OID_HPID_INT], in[sfgo.PROC_OID_CREATETS_INT] = 13823, 7
	return r
}

func withTree(r *sfgo.FlatRecord) *sfgo.FlatRecord {
	p := &sfgo.Process{Oid: &sfgo.OID{Hpid: 13823, CreateTS: 7}, Exe: "/opt/srv/server", ExeArgs: "-p testat:foo:\"ibm 4 life!\"",
		Uid: -1, Gid: -1, UserName: "<NA>", Cwd: "/opt/", Env: []string{"A=b", "", "C=\xff"}}
	parent := &sfgo.Process{Oid: &sfgo.OID{Hpid: 7955}, Exe: "bash", ExeArgs: "line\nbreak\ttab \"quoted\"", Uid: 1000, Gid: 1000,
		UserName: "ann", GroupName: "users", Tty: true, Entry: true}
	r.Ptree = []*sfgo.Process{p, parent}
	in, st := r.Ints[0], r.Strs[0]
	in[sfgo.PROC_POID_HPID_INT], in[sfgo.PROC_UID_INT], in[sfgo.PROC_GID_INT] = 7955, -1, -1
	in[sfgo.PROC_TTY_INT] = 1
	st[sfgo.PROC_EXE_STR], st[sfgo.PROC_EXEARGS_STR], st[sfgo.PROC_USERNAME_STR] = p.Exe, p.ExeArgs, p.UserName
	return r
}

func withPod(r *sfgo.FlatRecord, ips []int64, services []*sfgo.Service) *sfgo.FlatRecord {
	in, st, an := r.Ints[0], r.Strs[0], r.Anys[0]
	st[sfgo.CONT_ID_STR], st[sfgo.CONT_NAME_STR], st[sfgo.CONT_IMAGE_STR] = "477216583b2f", "web", "httpd:latest"
	in[sfgo.CONT_TYPE_INT], in[sfgo.CONT_PRIVILEGED_INT] = 7, 1
	st[sfgo.POD_ID_STR], st[sfgo.POD_NAME_STR] = "4233549f", "mongo"
	in[sfgo.POD_TS_INT], in[sfgo.POD_RESTARTCOUNT_INT] = math.MaxInt64, 3
	an[sfgo.POD_HOSTIP_ANY], an[sfgo.POD_INTERNALIP_ANY], an[sfgo.POD_SERVICES_ANY] = ips, ips, services
	return r
}

var documentTypes = []int64{
	sfgo.PROC_EVT, sfgo.PROC_FLOW, sfgo.FILE_FLOW, sfgo.FILE_EVT, sfgo.NET_FLOW, sfgo.K8S_EVT,
}

// TestJSONOfMissingEntities encodes records of each type about whose process, file, container and pod nothing is known.
func TestJSONOfMissingEntities(t *testing.T) {
	j := newTester(JSONOptions{Extended: true})
	for _, typ := range documentTypes {
		line := j.check(t, &engine.Event{Row: newRow(typ)})
		if typ == sfgo.K8S_EVT {
			continue
		}
		for _, want := range []string{`"acmdline":[]`, `"apid":[]`, `"pid":13823`, `"oid":"` + naiveOID(13823, 7) + `"`} {
			if !strings.Contains(line, want) {
				t.Errorf("%s lacks %s", line, want)
			}
		}
		if typ == sfgo.FILE_FLOW && !strings.Contains(line, `"path":"","symlink":"","type":"?"}`) {
			t.Errorf("unknown file in %s", line)
		}
		if strings.Contains(line, `"pproc"`) || strings.Contains(line, `"container"`) || strings.Contains(line, `"pod"`) {
			t.Errorf("sections of what there is not in %s", line)
		}
	}
	orphan := newRow(sfgo.FILE_EVT)
	orphan.Ints[0][sfgo.PROC_POID_HPID_INT] = 99
	want := `"pproc":{"args":"","cmdline":"","createts":0,"entry":false,"exe":"","gid":0,"group":"","name":"","oid":"` +
		naiveOID(99, 0) + `","pid":99,"tty":false,"uid":0,"user":""}`
	if line := j.check(t, &engine.Event{Row: orphan}); !strings.Contains(line, want) {
		t.Errorf("%s lacks %s", line, want)
	}
}

func TestJSONValues(t *testing.T) {
	redis := &sfgo.Service{Name: "redis", Id: "81bc1a3e", Namespace: "shop", ClusterIP: []int64{0x0500000a},
		PortList: []*sfgo.Port{{Port: 6379, TargetPort: 6380, Proto: "TCP"}}}
	bare := &sfgo.Service{Name: "none"}
	file := func(typ int64, path, second string) *sfgo.FlatRecord {
		r := withTree(newRow(typ))
		r.Strs[0][sfgo.FILE_PATH_STR], r.Strs[0][sfgo.SEC_FILE_PATH_STR] = path, second
		r.Ints[0][sfgo.FILE_RESTYPE_INT] = 'u'
		return r
	}
	set := func(r *sfgo.FlatRecord, slots map[sfgo.Attribute]int64) *sfgo.FlatRecord {
		for a, v := range slots {
			r.Ints[0][a] = v
		}
		return r
	}
	header := withTree(newRow(sfgo.PROC_EVT))
	header.Strs[0][sfgo.SFHE_IP_STR], header.Strs[0][sfgo.SFHE_FILENAME_STR] = "NA", "/mnt/data/"
	for name, tt := range map[string]struct {
		row  *sfgo.FlatRecord
		want string
	}{
		"pod without addresses":  {withPod(newRow(sfgo.PROC_EVT), nil, nil), `"hostip":[],"id":"4233549f","internalip":[]`},
		"pod with one address":   {withPod(newRow(sfgo.PROC_EVT), []int64{1681631424}, nil), `"hostip":["192.168.59.100"]`},
		"pod with two addresses": {withPod(newRow(sfgo.PROC_EVT), []int64{1, 2}, nil), `"hostip":["1.0.0.0","2.0.0.0"]`},
		"one service": {withPod(newRow(sfgo.PROC_EVT), nil, []*sfgo.Service{redis}), `"services":[{"id":"81bc1a3e","name":"redis",` +
			`"namespace":"shop","clusterIP":["10.0.0.5"],"ports":[{"port":6379,"targetport":6380,"nodeport":0,"proto":"TCP"}]}]`},
		"two services": {withPod(newRow(sfgo.PROC_EVT), nil, []*sfgo.Service{redis, bare}),
			`]},{"id":"","name":"none","namespace":"","clusterIP":[],"ports":[]}],"ts":9223372036854775807}`},
		"container":         {withPod(newRow(sfgo.NET_FLOW), nil, nil), `"privileged":1,"type":"CONTAINERD"`},
		"unknown container": {set(withPod(newRow(sfgo.NET_FLOW), nil, nil), map[sfgo.Attribute]int64{sfgo.CONT_TYPE_INT: 12}), `"type":"unknown"`},
		"no user":           {withTree(newRow(sfgo.PROC_EVT)), `"uid":-1,"user":"<NA>"`},
		"arguments":         {withTree(newRow(sfgo.PROC_EVT)), `"args":"-p testat:foo:\"ibm 4 life!\"","cmdline":"/opt/srv/server -p testat:foo:\"ibm 4 life!\""`},
		"parent":            {withTree(newRow(sfgo.PROC_EVT)), `"args":"line\nbreak\ttab \"quoted\"","cmdline":"bash line\nbreak\ttab \"quoted\""`},
		"header":            {header, `"meta":{"schema":0,"tracename":"data"},"node":{"id":"","ip":"NA"}`},
		"protocol -1":       {set(newRow(sfgo.NET_FLOW), map[sfgo.Attribute]int64{sfgo.FL_NETW_PROTO_INT: -1}), `"proto":-1`},
		"addresses": {set(newRow(sfgo.NET_FLOW), map[sfgo.Attribute]int64{sfgo.FL_NETW_SIP_INT: 0, sfgo.FL_NETW_DIP_INT: -1120945910}),
			`"net":{"dip":"10.185.47.189","dport":1034,"ip":["0.0.0.0","10.185.47.189"],"port":[1032,1034],"proto":1035,"sip":"0.0.0.0","sport":1032}`},
		"received": {set(newRow(sfgo.NET_FLOW), map[sfgo.Attribute]int64{sfgo.OPFLAGS_INT: 1280}), `"opflags":["CLOSE","RECV"]`},
		"read":     {set(newRow(sfgo.FILE_FLOW), map[sfgo.Attribute]int64{sfgo.OPFLAGS_INT: 1280}), `"opflags":["CLOSE","READ"]`},
		"no operation": {set(newRow(sfgo.FILE_FLOW), map[sfgo.Attribute]int64{sfgo.OPFLAGS_INT: 0, sfgo.FL_FILE_OPENFLAGS_INT: 8192}),
			`"openflags":[]`},
		"exit":         {set(newRow(sfgo.PROC_EVT), map[sfgo.Attribute]int64{sfgo.OPFLAGS_INT: 4, sfgo.RET_INT: 1280}), `"opflags":["EXIT"],"ret":1280`},
		"rename":       {file(sfgo.FILE_EVT, "/a/b", "/c/d"), `"newdirectory":"/c","newname":"d","newoid":"","newpath":"/c/d"`},
		"file event":   {file(sfgo.FILE_EVT, "/a/b", ""), `"fd":0,"is_open_read":false,"is_open_write":false,"name":"b","newdirectory":"","newname":""`},
		"no new file":  {file(sfgo.FILE_EVT, "/a/b", ""), `"openflags":["NONE"]`},
		"read-write":   {set(file(sfgo.FILE_FLOW, "/a/b", ""), map[sfgo.Attribute]int64{sfgo.FL_FILE_OPENFLAGS_INT: 3}), `"openflags":["RDONLY","WRONLY","RDWR"]`},
		"socket":       {file(sfgo.FILE_FLOW, "0->ffff8803c9f45400 /dev/a log", ""), `"path":"/dev/a log","symlink":"0->ffff8803c9f45400","type":"u"`},
		"unclean path": {file(sfgo.FILE_FLOW, "//sys//a/b", ""), `"directory":"/sys/a"`},
		"bad UTF-8":    {file(sfgo.FILE_FLOW, "/a/\xff\xfe\xe2\x82", ""), "\"name\":\"\ufffd\ufffd\ufffd\ufffd\""},
		"process flow": {newRow(sfgo.PROC_FLOW), `"pf":{"nerrors":1029,"nexits":1028,"nthreads":1027}`},
		"its thread":   {newRow(sfgo.PROC_FLOW), `"tid":13823,`},
		"action":       {set(newRow(sfgo.K8S_EVT), map[sfgo.Attribute]int64{sfgo.K8SE_ACTION_INT: -1, sfgo.K8SE_KIND_INT: 10}), `"action":"K8S_COMPONENT_UNKNOWN","kind":"K8S_UNKNOWN"`},
	} {
		t.Run(name, func(t *testing.T) {
			if line := newTester(JSONOptions{}).check(t, &engine.Event{Row: tt.row}); !strings.Contains(line, tt.want) {
				t.Errorf("%s lacks %s", line, tt.want)
			}
		})
	}
}

func verdicts(row *sfgo.FlatRecord) *engine.Event {
	output := func(dst []byte, r *sfgo.FlatRecord) []byte {
		return fmt.Appendf(dst, "pid \"%d\"", r.Ints[0][sfgo.PROC_OID_HPID_INT])
	}
	return &engine.Event{Row: row, Tags: []string{"now:1", "b"}, Rules: []*engine.Rule{
		{Name: "Shell \"x\"", Desc: "a shell\nin a container", Tags: []engine.EnrichmentTag{"b", "mitre:T1059", 7}, Priority: engine.High, Output: output},
		{Name: "Other"},
	}}
}

func TestJSONVerdicts(t *testing.T) {
	row := newRow(sfgo.PROC_EVT)
	const policy = `"policies":[{"id":"Shell \"x\"","desc":"a shell\nin a container","priority":3`
	const rest = `},{"id":"Other","desc":"","priority":0}],"tags":["now:1","b","b","mitre:T1059","7"]}`
	for _, tt := range []struct {
		options JSONOptions
		want    string
	}{
		{JSONOptions{}, policy + rest},
		{JSONOptions{Output: true}, policy + `,"output":"pid \"13823\""` + rest},
	} {
		if line := newTester(tt.options).check(t, verdicts(row)); !strings.HasSuffix(line, ","+tt.want) {
			t.Errorf("%s does not end in %s", line, tt.want)
		}
	}
	tagged := newTester(JSONOptions{}).check(t, &engine.Event{Row: row, Tags: []string{"a"}})
	if !strings.HasSuffix(tagged, `},"tags":["a"]}`) {
		t.Errorf("%s does not end in its tag", tagged)
	}
	untagged := newTester(JSONOptions{}).check(t, &engine.Event{Row: row, Rules: []*engine.Rule{{Name: "r"}}})
	if !strings.HasSuffix(untagged, `"policies":[{"id":"r","desc":"","priority":0}]}`) {
		t.Errorf("%s does not end in its rule", untagged)
	}
}

func TestJSONOptions(t *testing.T) {
	row := withTree(newRow(sfgo.PROC_EVT))
	row.Anys[0][sfgo.EV_PROC_ARGS_ANY] = []string{"root"}
	line := newTester(JSONOptions{Version: 5, Extended: true}).check(t, &engine.Event{Row: row})
	for _, want := range []string{`{"version":5,"endts":0,"args":["root"],"opflags":`, `,"cwd":"/opt/","entry":false,"env":["A=b","C=` + "\ufffd" + `"],"exe":`} {
		if !strings.Contains(line, want) {
			t.Errorf("%s lacks %s", line, want)
		}
	}
	line = newTester(JSONOptions{}).check(t, &engine.Event{Row: row})
	for _, secret := range []string{"root", "A=b", "cwd"} {
		if strings.Contains(line, secret) {
			t.Errorf("%s shows %s", line, secret)
		}
	}
}

// TestJSONOfOtherTypes checks that a record without a document is an error, and leaves the buffer alone.
func TestJSONOfOtherTypes(t *testing.T) {
	j := NewJSON(field.SysFlow(), JSONOptions{})
	for _, typ := range []int64{sfgo.HEADER, sfgo.PROC, sfgo.NET_EVT, sfgo.UNKNOWN_TYPE, 99, -1} {
		got, err := j.Append([]byte("x"), &engine.Event{Row: newRow(typ)})
		if err == nil || string(got) != "x" {
			t.Errorf("type %d: %q, %v", typ, got, err)
		}
	}
}

// TestJSONHoldsTheCatalogue checks that every attribute with a place is written.
func TestJSONHoldsTheCatalogue(t *testing.T) {
	places := map[string]bool{}
	j := newTester(JSONOptions{})
	for _, typ := range documentTypes {
		line := j.check(t, &engine.Event{Row: withPod(withTree(newRow(typ)), nil, nil)})
		top, values := keysOf(t, []byte(line))
		for _, k := range top {
			if values[k][0] != '{' {
				places[k] = true
				continue
			}
			keys, _ := keysOf(t, values[k])
			for _, s := range keys {
				places[k+"."+s] = true
			}
		}
	}
	for f := range field.SysFlow().Fields() {
		if f.JSON != "" && !places[f.JSON] {
			t.Errorf("no document holds %s at %s", f.Name, f.JSON)
		}
		delete(places, f.JSON)
	}
	for p := range places {
		t.Errorf("the catalogue knows nothing of %s", p)
	}
}

func TestJSONDoesNotAllocate(t *testing.T) {
	j := NewJSON(field.SysFlow(), JSONOptions{Extended: true, Output: true})
	buf := make([]byte, 0, 1<<16)
	for _, typ := range documentTypes {
		row := withPod(withTree(newRow(typ)), []int64{1, 2}, []*sfgo.Service{{Name: "redis", ClusterIP: []int64{1}}})
		row.Strs[0][sfgo.FILE_PATH_STR] = "//sys//a/b"
		e := verdicts(row)
		e.Rules[0].Tags = e.Rules[0].Tags[:2]
		e.Rules[0].Output = func(dst []byte, _ *sfgo.FlatRecord) []byte { return append(dst, "text"...) }
		if n := testing.AllocsPerRun(100, func() { buf, _ = j.Append(buf[:0], e) }); n != 0 {
			t.Errorf("a record of type %s costs %v allocations", field.TypeCode(typ), n)
		}
	}
}

func FuzzJSON(f *testing.F) {
	f.Add(int64(6), "/a/b", "-c \"x\"\n", "0->1 /dev/log", int64(-1), uint8(2))
	f.Add(int64(11), "\xff", "", `{"kind":"Pod"}`, int64(1<<62), uint8(0))
	testers := []*tester{newTester(JSONOptions{}), newTester(JSONOptions{Extended: true})}
	f.Fuzz(func(t *testing.T, typ int64, a, b, c string, n int64, depth uint8) {
		typ = documentTypes[uint64(typ)%uint64(len(documentTypes))]
		r := newRow(typ)
		texts := []string{a, b, c}
		for i := range r.Strs[0] {
			r.Strs[0][i] = texts[i%3]
		}
		for i := 1; i < sfgo.INT_ARRAY_SIZE; i++ {
			if v := n >> (i % 16); v&1 != 0 {
				r.Ints[0][i] = v
			}
		}
		for i := range depth % 8 {
			r.Ptree = append(r.Ptree, &sfgo.Process{Oid: &sfgo.OID{Hpid: n}, Exe: texts[i%3], ExeArgs: texts[(i+1)%3],
				UserName: b, Cwd: c, Env: texts})
		}
		if depth > 0 {
			withPod(r, []int64{n, 1}, []*sfgo.Service{{Name: a, Id: b, Namespace: c}})
			r.Strs[0][sfgo.CONT_ID_STR] = a
		}
		e := &engine.Event{Row: r, Tags: []string{a}, Rules: []*engine.Rule{{Name: b, Desc: c, Tags: []engine.EnrichmentTag{a}}}}
		testers[depth%2].check(t, e)
	})
}
