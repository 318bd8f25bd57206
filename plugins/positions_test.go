package plugins_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// Entries that the pipelines here have in common.
const (
	readerEntry   = `{"processor": "sysflowreader", "handler": "flattener", "in": "s sysflowchan", "out": "f flattenerchan"}`
	exporterEntry = `{"processor": "exporter", "in": "e eventchan", "export": "terminal"}`
)

// policy writes a policy file that matches processes that are executed; it returns the keys of an entry that name it.
func (in *installation) policy(t *testing.T, actions string) string {
	t.Helper()
	text := "- rule: Exec\n  desc: a process is executed\n  condition: sf.opflags = EXEC\n  tags: [mitre]\n  actions: [" + actions + "]\n"
	if err := os.WriteFile(in.path("driver/policy.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return `"policies": "policy.yaml"`
}

// TestPositions has plugins read and write every type of channel, at every place of a pipeline.
func TestPositions(t *testing.T) {
	t.Parallel()
	in := install(t, map[string]string{"plugins/relay.so": "plugins/testdata/relay", "handlers/callbacks.so": "plugins/testdata/callbacks"})
	policies := in.policy(t, "")
	args := func(want ...string) func(*testing.T, []document) {
		return func(t *testing.T, docs []document) {
			var got []string
			for _, d := range docs {
				got = append(got, fmt.Sprintf("%s %s %q %v", d.Type, d.Proc.Exe, d.Proc.Args, d.Tags))
			}
			if !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		}
	}
	for name, tt := range map[string]struct {
		entries string
		check   func(*testing.T, []document)
		logged  []string // by relay.go
	}{
		"between the reader and the policy engine": {readerEntry + `,
{"processor": "relay", "in": "f flattenerchan", "out": "g flattenerchan", "mark": "M", "label": "a"},
{"processor": "policyengine", "in": "g flattenerchan", "out": "e eventchan", ` + policies + `},
` + exporterEntry,
			args(`PE ./server "M" [mitre]`, `PE ./client "M" [mitre]`), []string{"a passed 10"}},
		"between the policy engine and the exporter": {readerEntry + `,
{"processor": "policyengine", "in": "f flattenerchan", "out": "d eventchan", ` + policies + `},
{"processor": "relay", "in": "d eventchan", "out": "e eventchan", "mark": "M", "label": "a"},
` + exporterEntry,
			args(`PE ./server "" [M mitre]`, `PE ./client "" [M mitre]`), []string{"a passed 2"}},
		"instead of the policy engine": {readerEntry + `,
{"processor": "relay", "in": "f flattenerchan", "out": "n notechan", "label": "a"},
{"processor": "relay", "in": "n notechan", "out": "e eventchan", "mark": "M", "label": "b"},
` + exporterEntry,
			args(`PE ./server "M" [made by b own]`, `PE ./client "M" [made by b own]`, `PE ./client "M" [made by b own]`, `PE ./server "M" [made by b own]`),
			[]string{"a passed 10", "b passed 4"}},
		"in a chain, over a channel type of its own": {readerEntry + `,
{"processor": "relay", "in": "f flattenerchan", "out": "g flattenerchan", "mark": "M", "label": "a"},
{"processor": "relay", "in": "g flattenerchan", "out": "n notechan", "label": "b"},
{"processor": "relay", "in": "n notechan", "out": "h flattenerchan", "mark": "N", "label": "c"},
{"processor": "policyengine", "in": "h flattenerchan", "out": "e eventchan", ` + policies + `},
` + exporterEntry,
			args(`PE ./server "N" [mitre]`, `PE ./client "N" [mitre]`, `PE ./client "N" [mitre]`, `PE ./server "N" [mitre]`),
			[]string{"a passed 10", "b passed 10", "c passed 4"}},
		"with several outputs": {readerEntry + `,
{"processor": "relay", "in": "f flattenerchan", "out": ["g flattenerchan", "n notechan", "h flattenerchan"], "mark": "M", "label": "a"},
{"processor": "policyengine", "in": "g flattenerchan", "out": ["e eventchan", "i eventchan"], ` + policies + `},
` + exporterEntry + `,
{"processor": "relay", "in": "i eventchan", "label": "b"},
{"processor": "relay", "in": "n notechan", "label": "c"},
{"processor": "relay", "in": "h flattenerchan", "label": "d"}`,
			args(`PE ./server "M" [mitre]`, `PE ./client "M" [mitre]`), []string{"a passed 10", "b passed 2", "c passed 4", "d passed 10"}},
		"after the policy engine, as the last": {readerEntry + `,
{"processor": "policyengine", "in": "f flattenerchan", "out": "e eventchan", ` + policies + `},
{"processor": "relay", "in": "e eventchan", "label": "a"}`,
			nil, []string{"a passed 2"}},
		"behind a handler": {`{"processor": "sysflowreader", "handler": "callbacks", "in": "s sysflowchan", "out": "c ctxchan", "entities": "yes"},
{"processor": "relay", "in": "c ctxchan", "label": "a"}`,
			nil, []string{"a passed 23"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := in.run(t, nil, "-log=trace", in.pipeline(t, tt.entries), "../resources/traces/tcp.sf")
			o.mustExit(t, 0)
			lines := logLines(o.stderr)
			if tt.check == nil {
				lines = logLines(o.stdout)
			} else {
				tt.check(t, documents(t, o.stdout))
			}
			var passed []string
			for _, text := range from("relay.go", lines) {
				if strings.Contains(text, " passed ") {
					passed = append(passed, text)
				}
			}
			slices.Sort(passed)
			if !slices.Equal(passed, tt.logged) {
				t.Errorf("logged %q, want %q", passed, tt.logged)
			}
		})
	}
}

// TestKeptRecords wants what a plugin keeps to stay as it was, though the batches that it came from are used again.
func TestKeptRecords(t *testing.T) {
	t.Parallel()
	in := install(t, map[string]string{"plugins/relay.so": "plugins/testdata/relay"})
	config := in.pipeline(t, `{"processor": "sysflowreader", "handler": "flattener", "in": "s sysflowchan", "out": ["f flattenerchan", "g flattenerchan"]},
{"processor": "relay", "in": "f flattenerchan", "out": "h flattenerchan", "mark": "M", "label": "a", "keep": true},
{"processor": "policyengine", "in": "h flattenerchan", "out": ["d eventchan", "b eventchan"], "mode": "enrich", `+in.policy(t, "")+`},
{"processor": "relay", "in": "d eventchan", "out": "e eventchan", "mark": "N", "label": "b", "keep": true},
{"processor": "exporter", "in": "e eventchan", "export": "null"},
{"processor": "relay", "in": "b eventchan", "label": "c", "mark": "O", "keep": true},
{"processor": "relay", "in": "g flattenerchan", "label": "d", "keep": true}`)
	o := in.run(t, nil, "-log=trace", config, "../resources/traces/database.sf")
	o.mustExit(t, 0)
	got, kept := map[string][]string{}, map[string][]string{}
	for _, text := range from("relay.go", logLines(o.stderr)) {
		if label, rest, ok := strings.Cut(text, " got "); ok {
			got[label] = append(got[label], rest)
		} else if label, rest, ok := strings.Cut(text, " kept "); ok {
			kept[label] = append(kept[label], rest)
		}
	}
	for _, label := range []string{"a", "b", "c", "d"} {
		if n := len(got[label]); n != 2000 || !slices.Equal(got[label], kept[label]) {
			t.Errorf("%s got %d records and kept %d, want 2000 and the same", label, n, len(kept[label]))
		}
	}
	for i := range got["a"] {
		marked, plain, b, c := got["a"][i], got["d"][i], got["b"][i], got["c"][i]
		if strings.Contains(plain, "M") == strings.Contains(marked, "M") || strings.Contains(b, "O]") || strings.Contains(c, "N]") {
			t.Fatalf("a branch sees what another one did to its record:\n%s\n%s\n%s\n%s", marked, plain, b, c)
		}
	}
}

// TestConf looks at what Init is given, from the file, the environment and the program.
func TestConf(t *testing.T) {
	t.Parallel()
	in := install(t, map[string]string{"plugins/relay.so": "plugins/testdata/relay"})
	config := in.pipeline(t, readerEntry+`,
{"processor": "relay", "in": "f flattenerchan", "out": "g flattenerchan", "label": "a", "mark": "file", "n": 2.5, "on": true, "list": ["x", 1], "_comment": "no", "Version": "mine"},
{"processor": "relay", "in": "g flattenerchan", "label": "b", "name": "second", "Mark": "file"}`)
	env := []string{"RELAY_MARK=kind", "SECOND_MARK=instance", "RELAY_NEW_KEY=n", "RELAY_0_NEW_KEY=first", "CLUSTER_ID=c1", "RELAY_EMPTY=", "RELAY_IN=x y"}
	o := in.run(t, env, "-log=trace", "-test", config)
	o.mustExit(t, 0)
	var got []string
	for _, text := range from("relay.go", logLines(o.stdout)) {
		if strings.Contains(text, " conf ") {
			got = append(got, text)
		}
	}
	want := []string{
		"a conf map[buildnumber:4 cluster.id:c1 ecsversion:VERSION in:f flattenerchan jsonschemaversion:4 label:a list:[x 1] mark:kind n:2.5 new.key:first on:true out:g flattenerchan processor:relay version:1.2.3+4]",
		"b conf map[Mark:instance buildnumber:4 cluster.id:c1 ecsversion:VERSION in:g flattenerchan jsonschemaversion:4 label:b name:second new.key:n processor:relay version:1.2.3+4]",
	}
	for i, text := range got {
		_, rest, _ := strings.Cut(text, "ecsversion:")
		version, _, _ := strings.Cut(rest, " ")
		got[i] = strings.Replace(text, "ecsversion:"+version, "ecsversion:VERSION", 1)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, warning := range []string{"relay[0].Version: set by the program, this value has no effect [P308]", "RELAY_IN"} {
		if !strings.Contains(o.stderr, warning) {
			t.Errorf("no warning %q: %s", warning, o.stderr)
		}
	}
}
