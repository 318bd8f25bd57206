package encode

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

// TestMappingIsThatOfTheEncoder holds the shipped index mapping and the encoder to each other: what the encoder writes is
// mapped, as the type it is, and what is mapped is a field that the encoder knows.
func TestMappingIsThatOfTheEncoder(t *testing.T) {
	type mappings map[string]any
	read := func(name string, into any) {
		t.Helper()
		text, err := os.ReadFile("../../../resources/mappings/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	var index struct{ Mappings mappings }
	var template struct {
		Template struct{ Mappings mappings }
	}
	read("ecs_mapping.json", &index)
	read("ecs_template.json", &template)
	if !reflect.DeepEqual(index.Mappings, template.Template.Mappings) {
		t.Error("ecs_mapping.json and ecs_template.json have different mappings")
	}

	mapped := map[string]string{}
	collect(mapped, "", index.Mappings)
	defs := definitions(t)
	for name, kind := range mapped {
		def, ok := defs[name]
		if !ok {
			def, ok = custom[name]
		}
		if !ok {
			t.Errorf("%s is mapped, but neither ECS nor ours", name)
			continue
		}
		if !fits(def.kind, kind) {
			t.Errorf("%s is mapped as %s, but is %s", name, kind, def.kind)
		}
	}

	written := map[string]bool{}
	c := newECS(t)
	c.opts.ClusterID = "cl1"
	rules := []*engine.Rule{{Name: "one", Desc: "d", Tags: []engine.EnrichmentTag{"mitre:T1059.004"}}}
	for _, trace := range []string{"k8s_small.sf", "rename2at.sf", "mon.1531776712.sf", "webserver.sf"} {
		for _, r := range sample(traceRows(t, trace)) {
			doc, err := c.Append(nil, &engine.Event{Row: r, Rules: rules})
			if err != nil {
				t.Fatal(err)
			}
			var m map[string]any
			if err := json.Unmarshal(doc, &m); err != nil {
				t.Fatal(err)
			}
			leaves(written, "", m)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(written)) {
		if mapped[name] == "" {
			t.Errorf("%s is written, but not mapped", name)
		}
	}
	rare := []string{"message"} // only with output texts of rules
	for _, name := range slices.Sorted(maps.Keys(mapped)) {
		if !written[name] && !slices.Contains(rare, name) {
			t.Errorf("%s is mapped, but no record has it", name)
		}
	}
}

// collect notes the type of each mapped leaf.
func collect(to map[string]string, path string, m map[string]any) {
	if props, ok := m["properties"].(map[string]any); ok {
		for k, v := range props {
			collect(to, strings.TrimPrefix(path+"."+k, "."), v.(map[string]any))
		}
		return
	}
	to[path], _ = m["type"].(string)
}

// leaves notes the path of each leaf of a document.
func leaves(to map[string]bool, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			leaves(to, strings.TrimPrefix(path+"."+k, "."), x)
		}
	case []any:
		for _, x := range v {
			leaves(to, path, x)
		}
	default:
		to[path] = true
	}
}

// fits says whether values of an ECS type can be indexed as a type of Elasticsearch.
func fits(ecs, index string) bool {
	switch ecs {
	case "date":
		return index == "date_nanos"
	case "long":
		return index == "long" || index == "integer"
	case "keyword", "wildcard":
		return index == "keyword" || index == "wildcard"
	default:
		return index == ecs
	}
}
