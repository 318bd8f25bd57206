package field

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestPageIsCurrent(t *testing.T) {
	have, err := os.ReadFile("../../docs/attributes.md")
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := SysFlow().WritePage(&want); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want.Bytes()) {
		t.Error("docs/attributes.md is not what the catalogue says; run go generate in core/field")
	}
}

func TestTable(t *testing.T) {
	c := SysFlow()
	var b bytes.Buffer
	if err := c.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	n := 0
	for f := range c.Fields() {
		n++
		if !strings.HasPrefix(lines[n], f.Name+" ") {
			t.Errorf("line %d is %q, want it to be about %s", n, lines[n], f.Name)
		}
	}
	if len(lines) != n+1 {
		t.Errorf("%d lines for %d attributes and a heading", len(lines), n)
	}
	for _, want := range []string{"proc.ppid", "deprecated, use sf.proc.user"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %q", want)
		}
	}
}

func TestJSON(t *testing.T) {
	c := SysFlow()
	var b bytes.Buffer
	if err := c.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var page struct{ Attributes, FalcoMode []map[string]any }
	if err := json.Unmarshal(b.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	i := 0
	for f := range c.Fields() {
		got := page.Attributes[i]
		if got["name"] != f.Name || got["type"] != f.Type.String() || got["help"] != f.Help {
			t.Errorf("%s is shown as %v", f.Name, got)
		}
		i++
	}
	if i != len(page.Attributes) || len(page.FalcoMode) != len(c.variants) {
		t.Errorf("%d attributes and %d of Falco mode; want %d and %d", len(page.Attributes), len(page.FalcoMode), i, len(c.variants))
	}
}
