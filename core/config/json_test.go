package config

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestPositions(t *testing.T) {
	doc, diags := Parse("p.json", []byte("{\n  \"ä\": [1,\n\t\"x\" , {\"k\" : null}],\r\n \"b\":true }"))
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	var got []string
	var walk func(*Value)
	walk = func(v *Value) {
		got = append(got, v.Pos.String()+" "+v.Kind.String())
		for _, e := range v.Elems {
			walk(e)
		}
		for _, m := range v.Members {
			got = append(got, m.Pos.String()+" key "+m.Key)
			walk(m.Val)
		}
	}
	walk(doc)
	want := []string{
		"p.json:1:1 an object", "p.json:2:3 key ä", "p.json:2:8 an array", "p.json:2:9 a number", "p.json:3:2 a string",
		"p.json:3:8 an object", "p.json:3:9 key k", "p.json:3:15 null", "p.json:4:2 key b", "p.json:4:6 a boolean",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("places are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// FuzzParse checks Parse against encoding/json, and its places against the text.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{"a": 1, "A": [true, null, "x\u00e4"], "_c": {}}`, "\xef\xbb\xbf[1e400]", "{\"a\"\n:\t-0.5e3 , \"\":\"\"}", "[\xff]", `{"a"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, diags := Parse("f", data)
		text := bytes.TrimPrefix(data, byteOrderMark)
		if (v == nil) == (len(diags) == 0) && v == nil {
			t.Fatal("neither a value nor a problem")
		}
		if v == nil {
			return
		}
		if !json.Valid(text) {
			t.Fatalf("accepted %q", data)
		}
		lines := strings.Split(string(text), "\n")
		var walk func(*Value)
		walk = func(v *Value) {
			line := []rune(lines[v.Line-1])
			starts := map[Kind]string{Null: "n", Bool: "tf", Number: "-0123456789", String: `"`, Array: "[", Object: "{"}
			if !strings.ContainsRune(starts[v.Kind], line[v.Col-1]) {
				t.Fatalf("%v at %d:%d of %q", v.Kind, v.Line, v.Col, data)
			}
			for _, e := range v.Elems {
				walk(e)
			}
			for _, m := range v.Members {
				walk(m.Val)
			}
		}
		walk(v)
		if len(diags) > 0 || bytes.Contains(text, []byte(`"_`)) || bytes.Contains(text, []byte(`\u005`)) {
			return // duplicate keys; comments
		}
		var want any
		if json.Unmarshal(text, &want) == nil && !reflect.DeepEqual(v.Any(), want) {
			t.Fatalf("value of %q is %#v, want %#v", data, v.Any(), want)
		}
	})
}

// FuzzDecode gives an attribute of each type any text: nothing may panic, and a value that is accepted is in range.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"", "5e+6", " 514 ", "1h30m", "100MiB", "0660", "a,b", "1e999999999", "-0", "on", "NaN", "0x1p-2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, a := range NewSchema(new(sample)).attrs {
			if a.Compat {
				continue
			}
			cfg := new(sample)
			v := &Value{Kind: String, Text: text}
			e := &Entry{Instance: "x", Settings: []*Member{{Key: a.Name, Val: v}}}
			NewSchema(cfg).Decode(e)
			if cfg.Port < 1 || cfg.Port > 65535 || cfg.Buffer < 0 || cfg.Size < 1024 || cfg.Age < 0 || cfg.Perm < 0 || cfg.Perm > 0o777 {
				t.Fatalf("%s = %q gives %+v", a.Name, text, cfg)
			}
		}
	})
}
