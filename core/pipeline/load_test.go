package pipeline

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// stages returns a pipeline file with the given entries, one a line from line 2 on.
func stages(entries ...string) string {
	return "{\"pipeline\": [\n" + strings.Join(entries, ",\n") + "\n]}"
}

// Entries of a sound pipeline.
const (
	readerEntry   = `{"processor": "sysflowreader", "handler": "flattener", "in": "sf sysflowchan", "out": "flat flattenerchan"}`
	engineEntry   = `{"processor": "policyengine", "in": "flat flattenerchan", "out": "evt eventchan"}`
	exporterEntry = `{"processor": "exporter", "in": "evt eventchan", "export": "terminal"}`
)

// TestDiagnostics has one mistake, and all of what is said about it, in each case.
func TestDiagnostics(t *testing.T) {
	for name, tt := range map[string]struct{ file, want string }{
		"sound": {stages(readerEntry, engineEntry, exporterEntry), ``},
		"byte-order mark and comments": {
			"\xef\xbb\xbf" + strings.Replace(chain, "{", `{"_comment": 1, "_comment": 2, `, 1), ``,
		},
		"keys in any case": {strings.NewReplacer("processor", "Processor", "pipeline", "PIPELINE", `"in"`, `"In"`).Replace(chain), ``},

		// P1xx: the file
		"not an object":  {`[]`, `p.json:1:1: error: the file must be an object [P104]`},
		"broken JSON":    {"{\"pipeline\": [\n  {]\n", `p.json:2:4: error: invalid JSON: invalid character ']' looking for beginning of object key string [P103]`},
		"cut JSON":       {"{\"pipeline\": [\n", `p.json:1:15: error: invalid JSON: unexpected end of JSON input [P103]`},
		"empty file":     {"", `p.json:1:1: error: invalid JSON: unexpected end of JSON input [P103]`},
		"more than JSON": {chain + " x", `p.json:5:4: error: invalid JSON: invalid character 'x' after top-level value [P103]`},
		"not UTF-8":      {"{\"pip\xff\": 1}", `p.json:1:6: error: invalid JSON: not UTF-8 [P103]`},
		"a key twice": {stages(strings.Replace(readerEntry, `"in"`, `"handler": "x", "in"`, 1), engineEntry, exporterEntry),
			`p.json:2:56: error: key 'handler' appears twice [P102]`},
		"a key twice but for case": {stages(strings.Replace(exporterEntry, `"export"`, `"Export": "x", "export"`, 1), readerEntry, engineEntry),
			`p.json:2:60: error: exporter.export: unknown value 'x'; allowed: terminal, syslog [P304]
p.json:2:65: error: key 'export' appears twice [P102]`},
		"pipeline is no array": {`{"pipeline": {}}`, `p.json:1:14: error: 'pipeline' must be an array [P104]`},
		"an entry is no object": {stages(readerEntry, engineEntry, exporterEntry, `"x"`),
			`p.json:5:1: error: 'pipeline[3]' must be an object [P104]`},
		"processor is no string": {stages(readerEntry, engineEntry, exporterEntry, `{"processor": 1, "in": "x sysflowchan"}`),
			`p.json:5:15: error: 'processor' must be a string [P104]`},
		"out is a number": {stages(readerEntry, engineEntry, strings.Replace(exporterEntry, `"in"`, `"out": 1, "in"`, 1)),
			`p.json:4:34: error: 'out' must be a string or an array of strings [P104]`},
		"out has a number": {stages(readerEntry, engineEntry, strings.Replace(exporterEntry, `"in"`, `"out": [1], "in"`, 1)),
			`p.json:4:35: error: 'out' must be a string [P104]`},
		"misspelt top-level key": {`{"pipelines": []}`, `p.json:1:1: error: no pipeline entries [P201]
p.json:1:2: error: pipeline: unknown attribute 'pipelines'; did you mean 'pipeline'? [P301]`},
		"channel.size too small": {strings.Replace(chain, "{", `{"channel.size": "5", `, 1),
			`p.json:1:18: error: pipeline.channel.size: 5 is outside 16..1000000 [P305]`},
		"channel.size no number": {strings.Replace(chain, "{", `{"channel.size": "big", `, 1),
			`p.json:1:18: error: pipeline.channel.size: 'big' is not an integer [P303]`},

		// P2xx: the shape
		"no pipeline":    {`{}`, `p.json:1:1: error: no pipeline entries [P201]`},
		"empty pipeline": {`{"pipeline": []}`, `p.json:1:14: error: no pipeline entries [P201]`},
		"no processor": {stages(readerEntry, engineEntry, exporterEntry, `{"export": "terminal", "in": "sf2 sysflowchan"}`),
			`p.json:5:1: error: pipeline[3]: key 'processor' is missing [P202]`},
		"no in": {stages(readerEntry, engineEntry, exporterEntry, `{"processor": "exporter", "export": "terminal"}`),
			`p.json:5:1: error: pipeline[3] (exporter): key 'in' is missing [P203]`},
		"empty in": {stages(readerEntry, engineEntry, exporterEntry, `{"processor": "exporter", "in": "", "export": "terminal"}`),
			`p.json:5:1: error: pipeline[3] (exporter): key 'in' is missing [P203]`},
		"one word": {stages(readerEntry, engineEntry, exporterEntry, `{"processor": "exporter", "in": "evt", "export": "terminal"}`),
			`p.json:5:33: error: channel 'evt' must have the form '<name> <type>' [P204]`},
		"three words": {stages(readerEntry, engineEntry, exporterEntry, `{"processor": "exporter", "in": "a b eventchan", "export": "terminal"}`),
			`p.json:5:33: error: channel 'a b eventchan' must have the form '<name> <type>' [P204]`},
		"bad channel name": {stages(readerEntry, engineEntry, exporterEntry, `{"processor": "exporter", "in": "ä eventchan", "export": "terminal"}`),
			`p.json:5:33: error: channel 'ä eventchan' must have the form '<name> <type>' [P204]
    hint: a name consists of letters, digits, '_', '.' and '-'`},
		"unknown type": {stages(readerEntry, strings.Replace(engineEntry, "flattenerchan", "flatenerchan", 1), exporterEntry),
			`p.json:3:37: error: unknown channel type 'flatenerchan' in channel 'flat'; known: sysflowchan, ctxchan, flattenerchan, eventchan [P205]
    hint: did you mean 'flattenerchan'?`},
		"two types": {stages(readerEntry, strings.Replace(engineEntry, "flattenerchan", "ctxchan", 1), exporterEntry),
			`p.json:3:37: error: channel 'flat' is used as 'flattenerchan' (pipeline[0]) and as 'ctxchan' (pipeline[1]) [P206]
p.json:3:37: error: policyengine cannot read 'ctxchan'; it reads: flattenerchan [P207]`},
		"type not read": {stages(readerEntry, `{"processor": "exporter", "in": "flat flattenerchan", "export": "terminal"}`),
			`p.json:3:33: error: exporter cannot read 'flattenerchan'; it reads: eventchan [P207]`},
		"type not written": {stages(strings.Replace(readerEntry, "flattenerchan", "eventchan", 1), `{"processor": "exporter", "in": "flat eventchan", "export": "terminal"}`),
			`p.json:2:87: error: sysflowreader cannot write 'eventchan'; it writes: flattenerchan [P207]`},
		"sink that writes": {stages(readerEntry, engineEntry, strings.Replace(exporterEntry, `"in"`, `"out": "x eventchan", "in"`, 1), `{"processor": "exporter", "in": "x eventchan", "export": "terminal"}`),
			`p.json:4:34: error: exporter cannot write 'eventchan'; it writes: nothing [P207]`},
		"read and not written": {stages(readerEntry, engineEntry, strings.Replace(exporterEntry, "evt", "evts", 1)),
			`p.json:3:66: error: channel 'evt' is written by policyengine but nothing reads it [P209]
    hint: did you mean 'evts'?
p.json:4:33: error: channel 'evts' is read by exporter but nothing writes it [P208]
    hint: did you mean 'evt'?`},
		"two readers": {stages(readerEntry, engineEntry, exporterEntry, exporterEntry),
			`p.json:5:33: error: channel 'evt' has two readers: exporter[0] and exporter[1]; list two channels in 'out' to duplicate the stream [P210]`},
		"two writers": {stages(strings.Replace(readerEntry, `"flat flattenerchan"`, `["flat flattenerchan", "flat2 flattenerchan"]`, 1), engineEntry,
			strings.Replace(engineEntry, "flat ", "flat2 ", 1), exporterEntry),
			`p.json:4:67: error: channel 'evt' has two writers: policyengine[0] and policyengine[1] [P211]`},
		"no root": {stages(`{"processor": "exporter", "in": "evt eventchan", "export": "terminal"}`),
			`p.json:1:2: error: no sysflowreader entry reads a channel of type 'sysflowchan' [P212]
p.json:2:33: error: channel 'evt' is read by exporter but nothing writes it [P208]`},
		"two roots": {stages(readerEntry, engineEntry, exporterEntry, `{"processor": "sysflowreader", "name": "other", "handler": "flattener", "in": "sf2 sysflowchan", "out": "flat2 flattenerchan"}`,
			`{"processor": "policyengine", "in": "flat2 flattenerchan", "out": "evt2 eventchan"}`, `{"processor": "exporter", "in": "evt2 eventchan", "export": "terminal"}`),
			`p.json:5:79: error: two root readers: sysflowreader[0] and other; exactly one is allowed [P213]`},
		"reader without out": {stages(`{"processor": "sysflowreader", "handler": "flattener", "in": "sf sysflowchan"}`),
			`p.json:2:1: warning: sysflowreader produces records but has no 'out' [P215]`},
		"two inputs": {stages(readerEntry, engineEntry, strings.Replace(exporterEntry, `"evt eventchan"`, `["evt eventchan", "evt2 eventchan"]`, 1)),
			`p.json:3:66: error: channel 'evt' is written by policyengine but nothing reads it [P209]
p.json:4:33: error: pipeline[2] (exporter): exactly one input channel is allowed [P216]`},
		"an array of one input": {stages(readerEntry, engineEntry, strings.Replace(exporterEntry, `"evt eventchan"`, `["evt eventchan"]`, 1)), ``},
		"out twice": {stages(strings.Replace(readerEntry, `"flat flattenerchan"`, `["flat flattenerchan", "flat flattenerchan"]`, 1), engineEntry, exporterEntry),
			`p.json:2:110: error: channel 'flat' is listed twice [P217]`},
		"name twice": {stages(readerEntry, strings.Replace(engineEntry, "{", `{"name": "x", `, 1), strings.Replace(exporterEntry, "{", `{"name": "x", `, 1)),
			`p.json:4:1: error: instance name 'x' is used twice [P218]`},
		"in is out": {stages(readerEntry, engineEntry, exporterEntry, `{"processor": "sysflowreader", "name": "r", "handler": "flattener", "in": "a sysflowchan", "out": "a sysflowchan"}`),
			`p.json:5:75: error: two root readers: sysflowreader[0] and r; exactly one is allowed [P213]
p.json:5:99: error: channel 'a' is listed twice [P217]`},

		"cycle": {stages(readerEntry, engineEntry, exporterEntry, `{"processor": "copy", "name": "a", "in": "x flattenerchan", "out": "y flattenerchan"}`,
			`{"processor": "copy", "name": "b", "in": "y flattenerchan", "out": "x flattenerchan"}`),
			`p.json:5:42: error: cycle: a -> b -> a [P214]`},

		// drivers
		"driver without a name": {strings.Replace(chain, "{", `{"drivers": [{"path": "x"}], `, 1),
			`p.json:1:14: error: drivers[0]: key 'driver' is missing [P202]`},
		"driver writes the root": {strings.Replace(chain, "{", `{"drivers": [{"driver": "file", "out": "sysflow sysflowchan"}], `, 1), ``},
		"driver writes nothing that is read": {strings.Replace(chain, "{", `{"drivers": [{"driver": "file", "out": "sf sysflowchan"}], `, 1),
			`p.json:1:40: error: channel 'sf' is written by file but nothing reads it [P209]
    hint: the root reader sysflowreader reads 'sysflow'`},
		"driver writes another type": {strings.Replace(chain, "{", `{"drivers": [{"driver": "file", "out": "flat flattenerchan"}], `, 1),
			`p.json:1:40: error: file cannot write 'flattenerchan'; it writes: sysflowchan [P207]`},
		"unknown driver": {strings.Replace(chain, "{", `{"drivers": [{"driver": "fil"}], `, 1),
			`p.json:1:25: error: driver 'fil' is neither built in nor found at drivers/fil.so [P401]
    hint: did you mean 'file'?`},
		"driver attribute": {strings.Replace(chain, "{", `{"drivers": [{"driver": "file", "pth": "x"}], `, 1),
			`p.json:1:33: error: file: unknown attribute 'pth'; did you mean 'path'? [P301]`},

		// P3xx and P401: attributes and names
		"misspelt attribute": {strings.Replace(chain, `"policies"`, `"polices"`, 1),
			`p.json:3:84: error: policyengine: unknown attribute 'polices'; did you mean 'policies'? [P301]`},
		"attribute of the handler": {strings.Replace(chain, `"handler": "flattener"`, `"handler": "flattener", "filter.enabled": "on"`, 1), ``},
		"handler missing": {strings.Replace(chain, `"handler": "flattener", `, ``, 1),
			`p.json:2:2: error: sysflowreader: required attribute 'handler' is missing [P302]`},
		"handler where there is none": {strings.Replace(chain, `"policies"`, `"handler": "flattener", "policies"`, 1),
			`p.json:3:84: error: policyengine: unknown attribute 'handler' [P301]`},
		"unknown handler": {strings.Replace(chain, `"handler": "flattener"`, `"handler": "flatener", "x.y": 1`, 1),
			`p.json:2:44: error: handler 'flatener' is neither built in nor found at plugins/flatener.so, ../resources/handlers/flatener.so, /usr/local/sysflow/resources/handlers/flatener.so [P401]
    hint: did you mean 'flattener'?`},
		"unknown processor": {strings.Replace(chain, `"policyengine"`, `"policyengin"`, 1),
			`p.json:3:16: error: processor 'policyengin' is neither built in nor found at plugins/policyengin.so [P401]
    hint: did you mean 'policyengine'?`},
		"required": {strings.Replace(chain, `, "export": "terminal"`, ``, 1),
			`p.json:4:2: error: exporter: required attribute 'export' is missing [P302]`},
		"of another release": {strings.Replace(chain, `"policies"`, `"language": "falco", "policies"`, 1),
			`p.json:3:84: warning: policyengine.language: accepted for compatibility, has no effect [P308]`},
		"injected": {strings.Replace(chain, `"policies"`, `"Version": "1", "policies"`, 1),
			`p.json:3:84: warning: policyengine.Version: set by the program, this value has no effect [P308]`},

		"everything at once": {`{"pipeline": [
 {"processor": "sysflowreader", "in": "sf sysflowchan", "out": "flat"},
 {"processor": "policyengine", "in": "flat flattenerchan", "out": "evt evntchan", "mod": 1, "mode": "alrt", "concurrency": 0},
 {"in": "x eventchan"},
 {"processor": "exporter", "in": "evt eventchan", "port": "70000", "exprt": "terminal"}
]}`, `p.json:2:2: error: sysflowreader: required attribute 'handler' is missing [P302]
p.json:2:64: error: channel 'flat' must have the form '<name> <type>' [P204]
p.json:3:38: error: channel 'flat' is read by policyengine but nothing writes it [P208]
p.json:3:67: error: unknown channel type 'evntchan' in channel 'evt'; known: sysflowchan, ctxchan, flattenerchan, eventchan [P205]
    hint: did you mean 'eventchan'?
p.json:3:83: warning: policyengine.mod: accepted for compatibility, has no effect [P308]
p.json:3:101: error: policyengine.mode: unknown value 'alrt'; allowed: alert, enrich [P304]
    hint: did you mean 'alert'?
p.json:3:124: error: policyengine.concurrency: 0 is outside 1..1024 [P305]
p.json:4:2: error: pipeline[2]: key 'processor' is missing [P202]
p.json:4:9: error: channel 'x' is read by pipeline[2] but nothing writes it [P208]
p.json:5:59: error: exporter.syslog.port: 70000 is outside 1..65535 [P305]
p.json:5:68: error: exporter: unknown attribute 'exprt'; did you mean 'export'? [P301]`},
	} {
		t.Run(name, func(t *testing.T) {
			w := new(world)
			p, diags, err := w.load(t, tt.file, func(o *Options) {
				o.PluginDir.Path, o.DriverDir.Path = "plugins", "drivers"
				o.Injected = map[string]string{"version": "1.0"}
			})
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, d := range diags {
				b.WriteString(d.Format())
			}
			if got := strings.TrimSuffix(b.String(), "\n"); got != tt.want {
				t.Errorf("diagnostics are\n%s\nwant\n%s", got, tt.want)
			}
			if (p == nil) != diags.HasErrors() {
				t.Errorf("pipeline is %v with %v", p, diags)
			}
			if p != nil {
				if err := p.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestMissingFile names the file that cannot be read.
func TestMissingFile(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		dir + "/none.json": dir + "/none.json: error: cannot read: no such file or directory [P101]",
		dir:                dir + ": error: cannot read: is a directory [P101]",
	} {
		_, diags, err := Load(Options{File: path})
		if err != nil || len(diags) != 1 || diags[0].Error() != want {
			t.Errorf("%s: got %v, %v, want %s", path, diags, err, want)
		}
	}
}

// TestOnlyTheNamedFile does not fall back to a file of another extension.
func TestOnlyTheNamedFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/a.json", []byte(chain), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, diags, _ := Load(Options{File: dir + "/a.conf"}); len(diags) != 1 || diags[0].Code != "P101" {
		t.Errorf("got %v, want P101", diags)
	}
}

// TestBuildFails wants the stages that were built to be cleaned up, and the error to name the one that was not.
func TestBuildFails(t *testing.T) {
	w := &world{exportErr: errors.New("no such luck")}
	p, diags, err := w.load(t, chain)
	if p != nil || len(diags) > 0 || err == nil || err.Error() != "exporter: no such luck" {
		t.Errorf("got %v, %v, %v", p, diags, err)
	}
}
