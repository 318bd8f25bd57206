// Package pipelines_test checks the pipelines that come with the program.
package pipelines_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/config"
	"github.com/sysflow-telemetry/sf-processor/core/exporter"
	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine"
	"github.com/sysflow-telemetry/sf-processor/core/reader"
	"github.com/sysflow-telemetry/sf-processor/driver/sysflow"
)

//go:generate go test -run TestTemplate -update .

var update = flag.Bool("update", false, "write pipeline.template.json")

// entry is a JSON object whose keys keep their order.
type entry []pair

type pair struct {
	key   string
	value any
}

func (e entry) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, p := range e {
		b.WriteByte("{,"[min(i, 1)])
		key, err := encode(p.key)
		if err != nil {
			return nil, err
		}
		value, err := encode(p.value)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// encode encodes a value as people read it: < and > stay what they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// describe adds the attributes of Config structs to an entry, each with what it means as its value. Those that the entry
// has already stay as they are.
func describe(e entry, configs ...any) entry {
	for _, a := range config.Describe(configs...) {
		known := slices.ContainsFunc(e, func(p pair) bool { return p.key == a.Name })
		if known || a.Compat { // the latter are accepted for the sake of old files
			continue
		}
		text := a.Help + " [" + a.Type
		switch {
		case a.Required:
			text += ", required"
		case a.Default != "":
			text += ", default " + a.Default
		}
		text += "]"
		if a.When != "" {
			text = "with " + strings.NewReplacer(";", " or ", "|", " or ").Replace(a.When) + ": " + text
		}
		e = append(e, pair{a.Name, text})
	}
	return e
}

// template is a pipeline that lists every attribute there is.
func template() entry {
	general := func(kind, name, in, out string) entry {
		e := entry{{kind, name}, {"name", "name of the instance, for messages and the environment; default: the processor's"}, {"in", in}}
		if out != "" {
			e = append(e, pair{"out", out})
		}
		return e
	}
	reader := describe(append(general("processor", "sysflowreader", "sysflow sysflowchan", "flat flattenerchan, or a list of such channels"),
		pair{"handler", "what becomes of flows and events: flattener, or the name of a handler plugin [required]"},
		pair{"handlerlibpath", "directory of the handler plugin's library [dir]"}), &reader.Config{}, &flattener.Config{})
	return entry{
		{"_comment", "Lists every attribute, each with what it means as its value. It cannot be loaded: copy what you need."},
		{"channel.size", "records that a channel holds [int 16–1000000, default 4096]"},
		{"drivers", []entry{
			describe(entry{{"driver", "file"}, {"out", "channel to write to; default: the one that the reader reads"}}, &sysflow.FileConfig{}),
			describe(entry{{"driver", "socket"}, {"out", "channel to write to; default: the one that the reader reads"}}, &sysflow.SocketConfig{}),
		}},
		{"pipeline", []entry{
			reader,
			describe(general("processor", "policyengine", "flat flattenerchan", "evt eventchan, or a list of such channels"), &policyengine.Config{}),
			describe(general("processor", "exporter", "evt eventchan", ""), &exporter.Config{}),
		}},
	}
}

// TestTemplate wants the template to describe the attributes that the stages have.
func TestTemplate(t *testing.T) {
	raw, err := template().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Indent(&want, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	want.WriteByte('\n')
	if *update {
		if err := os.WriteFile("pipeline.template.json", want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("pipeline.template.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want.Bytes()) {
		t.Error("pipeline.template.json is not current: run go generate")
	}
}
