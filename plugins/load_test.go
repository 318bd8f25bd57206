package plugins_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// pattern returns a regular expression for a text in which … stands for anything on one line.
func pattern(text string) *regexp.Regexp {
	return regexp.MustCompile(strings.ReplaceAll(regexp.QuoteMeta(text), "…", ".*"))
}

// TestLoadFailures wants every way in which a library cannot be used to be told with its code, at the place that names
// the plugin, with what helps.
func TestLoadFailures(t *testing.T) {
	t.Parallel()
	const (
		processor = readerEntry + ",\n" + `{"processor": "NAME", "in": "f flattenerchan"}`
		handler   = `{"processor": "sysflowreader", "handler": "NAME", "in": "s sysflowchan"}`
		driver    = `{"processor": "sysflowreader", "handler": "flattener", "in": "s sysflowchan"}`
		action    = readerEntry + `,
{"processor": "policyengine", "in": "f flattenerchan", "policies": "policy.yaml"}`
		build = "hint: build it in the plugin-builder image of this release (sysflowtelemetry/plugin-builder), or in the source tree of the program with: make plugin DIR="
	)
	for name, tt := range map[string]struct {
		entries string
		plugin  string            // NAME, or the driver
		libs    map[string]string // path below resources, and what is there: a folder of the tree, or a text
		env     []string
		want    []string // on standard error
	}{
		"processor missing": {processor, "exampel", nil, nil, []string{
			"pipeline.json:3:15: error: processor 'exampel' is neither built in nor found at ../resources/plugins/exampel.so [P401]"}},
		"processor almost named right": {processor, "export", nil, nil, []string{"[P401]", "hint: did you mean 'exporter'?"}},
		"no name of a file": {processor, "../drivers/x", map[string]string{"drivers/x.so": "plugins/processors/example"}, nil, []string{
			"processor '../drivers/x' is neither built in nor found at", "[P401]"}},
		"handler missing": {handler, "nosuch", nil, nil, []string{
			"pipeline.json:2:43: error: handler 'nosuch' is neither built in nor found at ../resources/plugins/nosuch.so, ../resources/handlers/nosuch.so, /usr/local/sysflow/resources/handlers/nosuch.so [P401]"}},
		"driver missing": {driver, "nosuch", nil, nil, []string{
			"-driver: error: driver 'nosuch' is neither built in nor found at ../resources/drivers/nosuch.so [P401]"}},

		"no library": {processor, "example", map[string]string{"plugins/example.so": "a text"}, nil, []string{
			"pipeline.json:3:15: error: ../resources/plugins/example.so: cannot load: file too short [P402]", "hint: it does not look like a Go plugin", build + "path/to/example OUT=/…/resources/plugins/example.so"}},
		"driver is no library": {driver, "x", map[string]string{"drivers/x.so": "a text"}, nil, []string{
			"[Error] …driver library not loaded path=../resources/drivers/x.so err=\"../resources/drivers/x.so: cannot load: file too short [P402]\" hint=\"it does not look like a Go plugin\" hint=\"build it in the plugin-builder image…\"",
			"hint: these libraries could not be loaded: ../resources/drivers/x.so"}},
		"handler is no library": {handler, "x", map[string]string{"handlers/x.so": "a text"}, nil, []string{"pipeline.json:2:43: error: ../resources/handlers/x.so: cannot load: file too short [P402]"}},
		"action is no library": {action, "file", map[string]string{"actions/x.so": "a text"}, nil, []string{
			"[Error] …action library not loaded path=../resources/actions/x.so err=\"../resources/actions/x.so: cannot load: file too short [P402]\"",
			"error: unknown action 'faulty' in rule 'Exec'; registered: none [E501]", "hint: these action libraries could not be loaded: ../resources/actions/x.so"}},

		"no symbol":        {processor, "printer", map[string]string{"plugins/printer.so": "plugins/handlers/printer"}, nil, []string{"pipeline.json:3:15: error: ../resources/plugins/printer.so: symbol 'Plugin' not found [P403]"}},
		"handler symbol":   {handler, "example", map[string]string{"handlers/example.so": "plugins/processors/example"}, nil, []string{"pipeline.json:2:43: error: ../resources/handlers/example.so: symbol 'Handler' not found [P403]"}},
		"driver symbol":    {driver, "example", map[string]string{"drivers/example.so": "plugins/processors/example"}, nil, []string{`err="../resources/drivers/example.so: symbol 'Driver' not found [P403]"`, "[P401]"}},
		"action symbol":    {action, "file", map[string]string{"actions/example.so": "plugins/processors/example"}, nil, []string{`err="../resources/actions/example.so: symbol 'Action' not found [P403]"`, "[E501]"}},
		"processor's type": {processor, "mistyped", map[string]string{"plugins/mistyped.so": "plugins/testdata/mistyped"}, nil, []string{"pipeline.json:3:15: error: ../resources/plugins/mistyped.so: symbol 'Plugin' does not implement SFProcessor [P404]"}},
		"handler's type":   {handler, "mistyped", map[string]string{"handlers/mistyped.so": "plugins/testdata/mistyped"}, nil, []string{"pipeline.json:2:43: error: ../resources/handlers/mistyped.so: symbol 'Handler' does not implement SFHandler [P404]"}},
		"driver's type":    {driver, "mistyped", map[string]string{"drivers/mistyped.so": "plugins/testdata/mistyped"}, nil, []string{`err="../resources/drivers/mistyped.so: symbol 'Driver' does not implement SFDriver [P404]"`, "[P401]"}},
		"action's type":    {action, "file", map[string]string{"actions/mistyped.so": "plugins/testdata/mistyped"}, nil, []string{`err="../resources/actions/mistyped.so: symbol 'Action' does not implement Action [P404]"`, "[E501]"}},
		"factory's type": {processor, "faulty", map[string]string{"plugins/faulty.so": "plugins/testdata/faulty"}, []string{"FAULT=registers a wrong factory"}, []string{
			"pipeline.json:3:15: error: ../resources/plugins/faulty.so: factory of processor 'faulty' is func() *main.Processor, want func() plugins.SFProcessor [P404]"}},

		"another name": {processor, "other", map[string]string{"plugins/other.so": "plugins/processors/example"}, nil, []string{"pipeline.json:3:15: error: ../resources/plugins/other.so: plugin is named 'example', expected 'other' [P405]"}},
		"handler's other name": {handler, "other", map[string]string{"handlers/other.so": "plugins/handlers/printer"}, nil, []string{
			"pipeline.json:2:43: error: ../resources/handlers/other.so: plugin is named 'other' but registers no such handler [P405]"}},

		"name of a built-in": {processor, "faulty", map[string]string{"plugins/faulty.so": "plugins/testdata/faulty"}, []string{"FAULT=registers a built-in"}, []string{
			"pipeline.json:3:15: error: 'exporter' is already registered (by the program) [P406]"}},
		"channel type of a built-in": {processor, "faulty", map[string]string{"plugins/faulty.so": "plugins/testdata/faulty"}, []string{"FAULT=registers a built-in channel type"}, []string{
			"pipeline.json:3:15: error: 'eventchan' is already registered (by the program) [P406]"}},
		"name of an earlier driver": {driver, "faulty", map[string]string{"drivers/faulty.so": "plugins/testdata/faulty", "drivers/auditlog.so": "plugins/drivers/auditlog"}, []string{"FAULT_DRIVERS=auditlog"}, []string{
			"err=\"'auditlog' is already registered (by ../resources/drivers/auditlog.so) [P406]\"", "-driver: error: driver 'faulty' is neither built in", "hint: these libraries could not be loaded: ../resources/drivers/faulty.so"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := install(t, nil)
			for path, what := range tt.libs {
				if strings.HasPrefix(what, "plugins/") {
					in.copy(t, path, workshop.library(t, what))
				} else if err := os.WriteFile(in.path("resources/"+path), []byte(what), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			in.policy(t, "faulty")
			args := []string{"-test", in.pipeline(t, strings.Replace(tt.entries, "NAME", tt.plugin, 1))}
			if tt.entries == driver {
				args = append([]string{"-driver=" + tt.plugin}, args...)
			}
			o := in.run(t, tt.env, args...)
			o.mustExit(t, 1)
			text := o.stdout + o.stderr // without an exporter, the log is on standard output until the entries are known
			for _, want := range tt.want {
				if !pattern(want).MatchString(text) {
					t.Errorf("no %s in: %s", want, text)
				}
			}
		})
	}
}

// TestMissingFolders wants a folder that somebody asked for to be missed, and no other.
func TestMissingFolders(t *testing.T) {
	t.Parallel()
	in := install(t, nil)
	for _, dir := range []string{"plugins", "drivers", "actions", "handlers"} {
		if err := os.Remove(in.path("resources/" + dir)); err != nil {
			t.Fatal(err)
		}
	}
	entries := readerEntry + `,
{"processor": "policyengine", "in": "f flattenerchan", "out": "e eventchan", "mode": "enrich"DIR},
` + exporterEntry
	run := func(more string, args ...string) outcome {
		config := in.pipeline(t, strings.Replace(entries, "DIR", more, 1))
		return in.run(t, nil, append(args, "-test", "-log=warn", config)...)
	}
	if o := run(""); o.code != 0 || strings.Contains(o.stderr, "[Warn]") {
		t.Errorf("exit code %d: %s", o.code, o.stderr)
	}
	o := run(`, "actiondir": "no/actions"`, "-plugdir=no/plugins", "-driverdir=no/drivers")
	o.mustExit(t, 0)
	for _, kind := range []string{"actions", "plugins", "drivers"} {
		if want := "directory does not exist kind=" + kind + " path=no/" + kind; !strings.Contains(o.stderr, want) {
			t.Errorf("no warning %s: %s", want, o.stderr)
		}
	}
}

// TestSamePackageTwice wants a second copy of a library to be refused, and the first to work.
func TestSamePackageTwice(t *testing.T) {
	t.Parallel()
	in := install(t, map[string]string{"actions/now.so": "plugins/actions/example", "actions/now2.so": "plugins/actions/example"})
	o := in.run(t, nil, "-log=error", "-config=../plugins/actions/example/pipeline.actions.json", "../resources/traces/tcp.sf")
	o.mustExit(t, 0)
	if n := len(documents(t, o.stdout)); n != 2 {
		t.Errorf("got %d records", n)
	}
	want := `path=../resources/actions/now2.so err="../resources/actions/now2.so: cannot load: plugin already loaded [P402]" hint="a library of the same package is loaded under another name; give each plugin a package of its own"`
	if !strings.Contains(o.stderr, want) {
		t.Errorf("logged %s", o.stderr)
	}
}

// TestBuiltOtherwise loads a library that was built from other sources, and one that another release of Go has built.
func TestBuiltOtherwise(t *testing.T) {
	t.Parallel()
	in := install(t, nil)
	config := in.pipeline(t, readerEntry+`,
{"processor": "example", "in": "f flattenerchan"}`)
	check := func(want ...string) {
		t.Helper()
		o := in.run(t, nil, "-test", config)
		o.mustExit(t, 1)
		for _, w := range want {
			if !pattern(w).MatchString(o.stderr) {
				t.Errorf("no %s in: %s", w, o.stderr)
			}
		}
	}
	flags := "-trimpath"
	if workshop.race() {
		flags = "-race -trimpath"
	}
	command := "hint: build it in the plugin-builder image of this release (sysflowtelemetry/plugin-builder), or in the source tree of the program with: " +
		"make plugin DIR=plugins/processors/example OUT=" + in.path("resources/plugins/example.so")
	if workshop.race() {
		command += " BUILDFLAGS='" + flags + "'"
	}

	const file = "core/sfgo/doc.go"
	source, err := os.ReadFile("../" + file)
	if err != nil {
		t.Fatal(err)
	}
	changed := filepath.Join(t.TempDir(), "doc.go")
	if err := os.WriteFile(changed, append(source, "\n// Changed tells this package from the program's.\nconst Changed = true\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(workshop.tree, file): changed}})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(list, overlay, 0o644); err != nil {
		t.Fatal(err)
	}
	lib := in.path("resources/plugins/example.so")
	if err := workshop.command("docker/build-plugin", append([]string{"plugins/processors/example", lib, "-overlay=" + list}, workshop.flags...)...); err != nil {
		t.Fatal(err)
	}
	check("pipeline.json:3:15: error: ../resources/plugins/example.so: cannot load: plugin was built with a different version of package github.com/sysflow-telemetry/sf-processor/core/… [P402]",
		"hint: plugin and program were built with the same Go release, flags and modules, so their sources must differ", command)

	data, err := os.ReadFile(workshop.library(t, "plugins/processors/example"))
	if err != nil {
		t.Fatal(err)
	}
	release := runtime.Version()
	other := release[:len(release)-1] + string(release[len(release)-1]^1)
	if err := os.WriteFile(lib, bytes.ReplaceAll(data, []byte(release), []byte(other)), 0o644); err != nil {
		t.Fatal(err)
	}
	check("../resources/plugins/example.so: cannot load: it was built by "+other+", the program by "+release+" [P402]",
		"hint: Go release is "+other+" for the plugin and "+release+" for the program", command)
}

// TestAttributes wants the keys of plugins that declare theirs to be checked, in the file and in the environment.
func TestAttributes(t *testing.T) {
	t.Parallel()
	in := install(t, map[string]string{"plugins/faulty.so": "plugins/testdata/faulty", "drivers/scripted.so": "plugins/testdata/scripted"})
	run := func(key string, env ...string) outcome {
		return in.run(t, env, "-test", in.pipeline(t, readerEntry+`,
{"processor": "faulty", "in": "f flattenerchan", `+key+`: "x"}`, `"drivers": [{"driver": "scripted", "_note": 1}]`))
	}
	for key, want := range map[string]string{
		`"mode"`: "", `"Rate.Limit"`: "", `"_mod"`: "", `"handler"`: "",
		`"mde"`:  "pipeline.json:4:50: error: faulty: unknown attribute 'mde'; did you mean 'mode'? [P301]",
		`"rate"`: "pipeline.json:4:50: error: faulty: unknown attribute 'rate'… [P301]",
	} {
		o := run(key)
		if (o.code != 0) != (want != "") || !pattern(want).MatchString(o.stderr) {
			t.Errorf("%s: exit code %d, want %q: %s", key, o.code, want, o.stderr)
		}
	}
	o := run(`"mode"`, "FAULTY_RATE_LIMIT=5", "FAULTY_RATE=5")
	o.mustExit(t, 0)
	if !strings.Contains(o.stderr, "environment FAULTY_RATE: warning: ") || strings.Contains(o.stderr, "FAULTY_RATE_LIMIT") {
		t.Errorf("got %s", o.stderr)
	}
	o = in.run(t, nil, "-test", in.pipeline(t, readerEntry+`,
{"processor": "faulty", "in": "f flattenerchan"}`, `"drivers": [{"driver": "scripted", "prefx": "p"}]`))
	o.mustExit(t, 1)
	if want := "pipeline.json:1:37: error: scripted: unknown attribute 'prefx'; did you mean 'prefix'? [P301]"; !strings.Contains(o.stderr, want) {
		t.Errorf("got %s, want %s", o.stderr, want)
	}
}

// TestVersion wants -version to say what a plugin has to match.
func TestVersion(t *testing.T) {
	t.Parallel()
	o := install(t, nil).run(t, nil, "-version")
	o.mustExit(t, 0)
	want := []string{`^Version: 1\.2\.3\+4, Avro Schema Version: 5, Export Schema Version: 4 \(JSON\), \d+\.\d+\.\d+ \(ECS\)\n`,
		`\nGo: ` + regexp.QuoteMeta(runtime.Version()) + ` ` + runtime.GOOS + `/` + runtime.GOARCH + `\n`,
		`\nBuild: .*-trimpath=true.*CGO_ENABLED=1`,
		`\nModule: github\.com/cespare/xxhash/v2 v2\.\d+\.\d+\n`,
		`\nModule: golang\.org/x/sync v`}
	if workshop.race() {
		want = append(want, `\nBuild: .*-race=true`)
	}
	for _, w := range want {
		if !regexp.MustCompile(w).MatchString(o.stdout) {
			t.Errorf("no %s in: %s", w, o.stdout)
		}
	}
	if strings.Contains(o.stdout, "-ldflags") || o.stderr != "" {
		t.Errorf("got %s%s", o.stdout, o.stderr)
	}
}
