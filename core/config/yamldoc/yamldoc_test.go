package yamldoc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/config/yamldoc"
)

func ExampleParse() {
	doc, root := yamldoc.Parse("job.yaml", []byte("name: backup\nevry: 5m\nretries: many\n"))
	m := root.Map()
	name := m.Need("name").Text()
	every := m.Key("every").Duration()
	retries := m.Key("retries").Int()
	m.Done()
	fmt.Println(name, every, retries)
	fmt.Println(doc.Err())
	// Output:
	// backup 0s 0
	// job.yaml:2:1: unknown key "evry": did you mean "every"?
	// job.yaml:3:10: want a whole number, found "many"
}

// read asks for one key of each type.
func read(m *yamldoc.Map) []any {
	defer m.Done()
	return []any{m.Key("text").Text(), m.Key("int").Int(), m.Key("bool").Bool(), m.Key("time").Duration(),
		m.Key("word").OneOf("a", "b"), fmt.Sprint(m.Key("list").Texts()), len(m.Key("map").Map().All())}
}

func TestValues(t *testing.T) {
	for name, tt := range map[string]struct {
		src  string
		want []any
	}{
		"absent": {"{}", []any{"", int64(0), false, time.Duration(0), "", "[]", 0}},
		"all": {"text: 0755\nint: -0x10\nbool: true\ntime: 1m30s\nword: b\nlist: [1, x y]\nmap: {k: v}",
			[]any{"0755", int64(-16), true, 90 * time.Second, "b", "[1 x y]", 1}},
		"texts are not resolved": {"text: yes\nlist: no\nbool: false", []any{"yes", int64(0), false, time.Duration(0), "", "[no]", 0}},
		"aliases":                {"text: &t hello\nlist: [*t, *t]", []any{"hello", int64(0), false, time.Duration(0), "", "[hello hello]", 0}},
	} {
		t.Run(name, func(t *testing.T) {
			doc, root := yamldoc.Parse("f", []byte(tt.src))
			got := read(root.Map())
			if err := doc.Err(); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		src  string
		want string // all faults, a line each
	}{
		"not YAML":      {"a: [", "f: line 1: did not find expected node content"},
		"empty":         {"# nothing\n", "f: the document is empty"},
		"two":           {"text: a\n---\ntext: b", "f:2:1: want one document, found another"},
		"not a mapping": {"- a", "f:1:1: want a mapping, found a list"},
		"kinds": {"text: [a]\nint: {a: 1}\nbool: [true]\ntime: {}\nword: []\nlist: {}\nmap: x",
			"f:1:7: want a single value, found a list\nf:2:6: want a single value, found a mapping\n" +
				"f:3:7: want a single value, found a list\nf:4:7: want a single value, found a mapping\n" +
				"f:5:7: want a single value, found a list\nf:6:7: want a list, found a mapping\n" +
				"f:7:6: want a mapping, found a single value"},
		"values": {"int: 1.5\nbool: yes\ntime: 5\nword: c",
			"f:1:6: want a whole number, found \"1.5\"\nf:2:7: want true or false, found \"yes\"\n" +
				"f:3:7: want a duration such as 250ms or 1m30s, found \"5\"\nf:4:7: \"c\" is not one of a, b"},
		"empty value":  {"int:\nbool:", "f:1:5: want a whole number, found \"\"\nf:2:6: want true or false, found \"\""},
		"twice":        {"text: a\ntext: b", "f:2:1: key \"text\" is given twice"},
		"near unknown": {"txt: a", `f:1:1: unknown key "txt": did you mean "text"?`},
		"far unknown":  {"zzzzzz: a", `f:1:1: unknown key "zzzzzz": want one of bool, int, list, map, text, time, word`},
	} {
		t.Run(name, func(t *testing.T) {
			doc, root := yamldoc.Parse("f", []byte(tt.src))
			read(root.Map())
			err := doc.Err()
			if err == nil || err.Error() != tt.want {
				t.Errorf("got\n%v\nwant\n%s", err, tt.want)
			}
		})
	}
}

func TestNeed(t *testing.T) {
	doc, root := yamldoc.Parse("f", []byte("outer: {a: 1}"))
	inner := root.Map().Need("outer").Map()
	inner.Need("a")
	inner.Need("b")
	if err := doc.Err(); err == nil || err.Error() != `f:1:8: key "b" is missing` {
		t.Errorf("got %v", err)
	}
	doc, root = yamldoc.Parse("f", []byte("{}"))
	root.Map().Need("outer").Map().Need("a") // one fault is enough
	if err := doc.Err(); err == nil || err.Error() != `f:1:1: key "outer" is missing` {
		t.Errorf("got %v", err)
	}
}

func TestFaultsAreBounded(t *testing.T) {
	doc, root := yamldoc.Parse("f", []byte(strings.Repeat("- x\n", 1000)))
	for _, v := range root.List() {
		v.Int()
	}
	if n := strings.Count(doc.Err().Error(), "\n") + 1; n != yamldoc.MaxFaults {
		t.Errorf("%d faults, want %d", n, yamldoc.MaxFaults)
	}
}

// FuzzParse reads arbitrary documents in every way: nothing may panic or hang.
func FuzzParse(f *testing.F) {
	f.Add([]byte("a: &x {b: [1, *x]}\n"))
	f.Add([]byte("- 1\n- {int: 2}\n- !!binary aGk="))
	f.Add([]byte("a: *a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, root := yamldoc.Parse("f", data)
		budget := 1000 // an alias can make a small document large
		var walk func(v yamldoc.Value, depth int)
		walk = func(v yamldoc.Value, depth int) {
			if budget--; depth > 20 || budget < 0 {
				return
			}
			v.Int()
			v.Bool()
			v.Duration()
			for _, e := range v.List() {
				if e != v {
					walk(e, depth+1)
				}
			}
			m := v.Map()
			for _, k := range m.All() {
				walk(m.Key(k.Text()), depth+1)
			}
			m.Done()
		}
		walk(root, 0)
	})
}
