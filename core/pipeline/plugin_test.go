package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"plugin"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// fakeLibrary stands for an open library: what its symbols are. Package driver loads real ones.
type fakeLibrary map[string]any

func (l fakeLibrary) Lookup(name string) (plugin.Symbol, error) {
	if s, ok := l[name]; ok {
		return s, nil
	}
	return nil, errors.New("plugin: symbol not found")
}

// withLibraries makes files in a directory open as the given libraries: nil ones cannot be opened.
func withLibraries(t *testing.T, libs map[string]fakeLibrary) (dir string, change func(*Options)) {
	t.Helper()
	dir = t.TempDir()
	for name := range libs {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir, func(o *Options) {
		o.PluginDir, o.DriverDir = Dir{dir, true}, Dir{dir, true}
		o.open = func(path string) (library, error) {
			lib, ok := libs[filepath.Base(path)]
			if !ok || lib == nil {
				return nil, fmt.Errorf("plugin.Open(%q): plugin was built with a different version of package internal/cpu",
					strings.TrimSuffix(path, ".so"))
			}
			return lib, nil
		}
	}
}

// proc is a processor that plays tricks. As flat records pass it notes their executables.
type proc struct {
	name    string
	kind    string // of trick
	factory func() plugins.SFProcessor

	mu       sync.Mutex
	calls    []string
	conf     map[string]any
	seen     []string
	outs     []any
	inClosed bool
}

func (p *proc) note(call string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, call)
	if p.kind == "panic in "+call {
		panic("boom")
	}
}

func (p *proc) GetName() string { return p.name }

func (p *proc) Register(pc plugins.SFPluginCache) {
	p.note("Register")
	switch p.kind {
	case "wrong factory":
		pc.AddProcessor(p.name, func() int { return 1 })
	case "built-in name":
		pc.AddProcessor("exporter", p.factory)
		pc.AddProcessor(p.name, p.factory)
	case "no registration":
	default:
		pc.AddProcessor(p.name, p.factory)
	}
}

func (p *proc) Init(conf map[string]any) error {
	p.conf = conf
	p.note("Init")
	if p.kind == "refuses" {
		return errors.New("I do not like this")
	}
	return nil
}

func (p *proc) SetOutChan(ch []any) { p.note("SetOutChan"); p.outs = ch }

func (p *proc) Test() (bool, error) { p.note("Test"); return p.kind != "unfit", nil }

func (p *proc) Process(ch any, wg *sync.WaitGroup) {
	if p.kind != "forgets Done" {
		defer wg.Done()
	}
	if p.kind == "Done twice" {
		defer wg.Done()
	}
	if p.kind == "returns early" {
		return
	}
	p.note("Process")
	for r := range ch.(*flattener.FlatChannel).In {
		p.seen = append(p.seen, r.Strs[0][sfgo.PROC_EXE_STR])
		r.Strs[0][sfgo.PROC_EXE_STR] += "!" // its own
		for i, out := range p.outs {
			switch out := out.(type) {
			case *flattener.FlatChannel:
				if i > 0 {
					r = flattener.Own(r)
				}
				out.In <- r
				if p.kind == "sends nonsense" {
					out.In <- nil
					out.In <- &sfgo.FlatRecord{}
				}
			case *engine.RecordChannel:
				rec := engine.NewRecord(*r)
				rec.Ctx.AddTag("t")
				out.In <- rec
			}
		}
	}
	p.inClosed = true
}

func (p *proc) Cleanup() {
	p.note("Cleanup")
	if p.kind == "leaves channels open" {
		return
	}
	for _, out := range p.outs {
		switch out := out.(type) {
		case *flattener.FlatChannel:
			close(out.In)
		case *engine.RecordChannel:
			close(out.In)
		}
	}
}

// newProc returns a processor whose factory returns itself, and the library it comes from.
func newProc(name, kind string) (*proc, fakeLibrary) {
	p := &proc{name: name, kind: kind}
	p.factory = func() plugins.SFProcessor {
		if kind == "panic in constructor" {
			panic("boom")
		}
		if kind == "makes nothing" {
			return nil
		}
		return p
	}
	return p, fakeLibrary{plugins.PlugSym: p}
}

// withPlugin is a pipeline with a plugin between the reader and the policy engine.
const withPlugin = `{"pipeline": [
 {"processor": "sysflowreader", "handler": "flattener", "in": "sf sysflowchan", "out": "raw flattenerchan"},
 {"processor": "mine", "in": "raw flattenerchan", "out": "flat flattenerchan", "x": [1, "a"], "_c": 1},
 {"processor": "policyengine", "in": "flat flattenerchan", "out": "evt eventchan"},
 {"processor": "exporter", "in": "evt eventchan", "export": "terminal"}
]}`

func TestPluginBetweenBuiltins(t *testing.T) {
	for _, kind := range []string{"", "forgets Done", "Done twice", "leaves channels open", "sends nonsense"} {
		t.Run(kind, func(t *testing.T) {
			p, lib := newProc("mine", kind)
			_, change := withLibraries(t, map[string]fakeLibrary{"mine.so": lib})
			w := &world{produce: send(numbered(50)...)}
			pl := w.mustLoad(t, withPlugin, change, func(o *Options) {
				o.Injected, o.Environ = map[string]string{"version": "1.0"}, []string{"MINE_Y_Z=e"}
			})
			if err := pl.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !pl.HasPlugins() || new(world).mustLoad(t, chain).HasPlugins() {
				t.Error("only one of the pipelines has a plugin")
			}
			if r := pl.Run(t.Context(), ""); r != (Result{Drained: true}) {
				t.Errorf("result is %+v: %s", r, w.logText())
			}
			want := []string{"Register", "Init", "SetOutChan", "Test", "Process", "Cleanup"}
			if !slices.Equal(p.calls, want) {
				t.Errorf("calls are %v, want %v", p.calls, want)
			}
			if !slices.Equal(p.seen, numbered(50)) || !p.inClosed {
				t.Errorf("saw %v", p.seen)
			}
			var marked []string
			for _, n := range numbered(50) {
				marked = append(marked, n+"!")
			}
			if got := w.got("exporter"); !slices.Equal(got, marked) {
				t.Errorf("exported %v, want what the plugin made of it", got)
			}
			conf := map[string]any{
				"processor": "mine", "in": "raw flattenerchan", "out": "flat flattenerchan", "x": []any{1.0, "a"},
				"version": "1.0", "y.z": "e",
			}
			if fmt.Sprint(p.conf) != fmt.Sprint(conf) {
				t.Errorf("Init got %v, want %v", p.conf, conf)
			}
			if kind == "sends nonsense" && pl.edges[2].lost.Load() != 100 {
				t.Errorf("%d records refused, want 100", pl.edges[2].lost.Load())
			}
		})
	}
}

// TestPluginAtTheEnds has a plugin that makes events, one that reads them and a chain of plugins.
func TestPluginAtTheEnds(t *testing.T) {
	a, libA := newProc("a", "")
	b, libB := newProc("b", "")
	sink := &eventSink{}
	_, change := withLibraries(t, map[string]fakeLibrary{"a.so": libA, "b.so": libB, "sink.so": {plugins.PlugSym: sink}})
	w := &world{produce: send("x", "y")}
	pl := w.mustLoad(t, `{"pipeline": [
 {"processor": "sysflowreader", "handler": "flattener", "in": "sf sysflowchan", "out": ["f1 flattenerchan", "f2 flattenerchan"]},
 {"processor": "a", "in": "f1 flattenerchan", "out": "f3 flattenerchan"},
 {"processor": "b", "in": "f3 flattenerchan", "out": "e1 eventchan"},
 {"processor": "exporter", "in": "e1 eventchan", "export": "terminal"},
 {"processor": "policyengine", "in": "f2 flattenerchan", "out": "e2 eventchan"},
 {"processor": "sink", "in": "e2 eventchan"}
]}`, change)
	if r := pl.Run(t.Context(), ""); r != (Result{Drained: true}) {
		t.Errorf("result is %+v: %s", r, w.logText())
	}
	if want := []string{"x!!", "y!!"}; !slices.Equal(w.got("exporter"), want) {
		t.Errorf("exported %v, want %v", w.got("exporter"), want)
	}
	if !slices.Equal(a.seen, []string{"x", "y"}) || !slices.Equal(b.seen, []string{"x!", "y!"}) {
		t.Errorf("a saw %v, b saw %v", a.seen, b.seen)
	}
	if want := []string{"x r true", "y r true"}; !slices.Equal(sink.seen, want) {
		t.Errorf("the sink saw %v, want %v", sink.seen, want)
	}
}

// eventSink reads records with their verdicts.
type eventSink struct{ seen []string }

func (s *eventSink) GetName() string { return "sink" }
func (s *eventSink) Register(pc plugins.SFPluginCache) {
	pc.AddProcessor("sink", func() plugins.SFProcessor { return s })
}
func (s *eventSink) Init(map[string]any) error { return nil }
func (s *eventSink) SetOutChan([]any)          { panic("a sink has no outputs") }
func (s *eventSink) Cleanup()                  {}
func (s *eventSink) Process(ch any, wg *sync.WaitGroup) {
	defer wg.Done()
	for r := range ch.(*engine.RecordChannel).In {
		s.seen = append(s.seen, fmt.Sprint(r.GetStr(sfgo.PROC_EXE_STR, sfgo.SYSFLOW_SRC), " ", r.Ctx.GetRules()[0].Name, " ", r.Ctx.IsAlert()))
	}
}

// TestPluginLoadFaults checks what is said about libraries that cannot be used. DIR stands for their directory.
func TestPluginLoadFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		kind string
		lib  func(fakeLibrary) fakeLibrary
		want string
	}{
		"not loadable": {"", func(fakeLibrary) fakeLibrary { return nil },
			"P402 DIR/mine.so: cannot load: plugin was built with a different version of package internal/cpu"},
		"no symbol": {"", func(fakeLibrary) fakeLibrary { return fakeLibrary{"Plug": 1} },
			"P403 DIR/mine.so: symbol 'Plugin' not found"},
		"wrong symbol": {"", func(fakeLibrary) fakeLibrary { return fakeLibrary{"Plugin": new(int)} },
			"P404 DIR/mine.so: symbol 'Plugin' does not implement SFProcessor"},
		"wrong factory": {"wrong factory", nil,
			"P404 DIR/mine.so: factory of processor 'mine' is func() int, want func() plugins.SFProcessor"},
		"makes nothing":      {"makes nothing", nil, "P404 the factory of processor 'mine' returned nothing"},
		"another name":       {"", func(fakeLibrary) fakeLibrary { _, l := newProc("yours", ""); return l }, "P405 DIR/mine.so: plugin is named 'yours', expected 'mine'"},
		"not registered":     {"no registration", nil, "P405 DIR/mine.so: plugin is named 'mine' but registers no such processor"},
		"built-in name":      {"built-in name", nil, "P406 'exporter' is already registered (by the program)"},
		"Register panics":    {"panic in Register", nil, "P407 panic in Register of DIR/mine.so: boom"},
		"constructor panics": {"panic in constructor", nil, "P407 panic in constructor of mine: boom"},
	} {
		t.Run(name, func(t *testing.T) {
			_, lib := newProc("mine", tt.kind)
			if tt.lib != nil {
				lib = tt.lib(lib)
			}
			dir, change := withLibraries(t, map[string]fakeLibrary{"mine.so": lib})
			_, diags, err := new(world).load(t, withPlugin, change, func(o *Options) { o.DriverDir.Path = t.TempDir() })
			if err != nil || len(diags) != 1 {
				t.Fatalf("got %v, %v, want one problem", diags, err)
			}
			if got := strings.ReplaceAll(diags[0].Code+" "+diags[0].Message, dir, "DIR"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if diags[0].Line != 3 {
				t.Errorf("reported at %v, want line 3", diags[0].Pos)
			}
			if hint := strings.Join(diags[0].Hints, ""); (diags[0].Code == "P402") != strings.Contains(hint, "plugin-builder image") {
				t.Errorf("hint is %q", hint)
			}
		})
	}
}

// TestPluginBuildFaults checks what is said of plugins that refuse their entry, or die of it.
func TestPluginBuildFaults(t *testing.T) {
	for kind, want := range map[string]string{
		"refuses":             "mine: I do not like this",
		"panic in Init":       "p.json:3:16: error: panic in Init of mine: boom [P407]",
		"panic in SetOutChan": "p.json:3:16: error: panic in SetOutChan of mine: boom [P407]",
	} {
		p, lib := newProc("mine", kind)
		_, change := withLibraries(t, map[string]fakeLibrary{"mine.so": lib})
		pl, diags, err := new(world).load(t, withPlugin, change)
		var got []string
		for _, d := range diags {
			got = append(got, d.Error())
			if hint := strings.Join(d.Hints, ""); !strings.HasPrefix(hint, "calls: pipeline.(*proc).note plugin_test.go:") {
				t.Errorf("%s: hint is %q, want the calls", kind, hint)
			}
		}
		if err != nil {
			got = append(got, err.Error())
		}
		if pl != nil || !slices.Equal(got, []string{want}) {
			t.Errorf("%s: got %v, %v, want %s", kind, pl, got, want)
		}
		if cleaned := slices.Contains(p.calls, "Cleanup"); cleaned != (kind == "panic in SetOutChan") {
			t.Errorf("%s: calls are %v; what was initialized, and only that, is cleaned up", kind, p.calls)
		}
	}
}

func TestPluginTestFails(t *testing.T) {
	for kind, want := range map[string]string{
		"unfit":         "health check of mine: the test says no, without a reason",
		"panic in Test": "health check of mine: panic in Test of mine: boom [P407]",
	} {
		p, lib := newProc("mine", kind)
		_, change := withLibraries(t, map[string]fakeLibrary{"mine.so": lib})
		pl := new(world).mustLoad(t, withPlugin, change)
		if err := pl.Check(t.Context()); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", kind, err, want)
		}
		if err := pl.Close(); err != nil {
			t.Error(err)
		}
		if p.calls[len(p.calls)-1] != "Cleanup" {
			t.Errorf("%s: calls are %v, want Cleanup at the end", kind, p.calls)
		}
	}
}

// TestPluginDies wants a plugin that dies to take neither the process nor the other stages with it.
func TestPluginDies(t *testing.T) {
	for kind, wantLog := range map[string]string{
		"panic in Process": "panic in Process of mine: boom",
		"returns early":    "Process returned before its input ended",
		"panic in Cleanup": "panic in Cleanup of mine: boom",
	} {
		t.Run(kind, func(t *testing.T) {
			_, lib := newProc("mine", kind)
			_, change := withLibraries(t, map[string]fakeLibrary{"mine.so": lib})
			w := &world{produce: send("a", "b", "c")}
			r := w.mustLoad(t, withPlugin, change).Run(t.Context(), "")
			if !r.Failed || !r.Drained {
				t.Errorf("result is %+v", r)
			}
			log := w.logText()
			if !strings.Contains(log, wantLog) {
				t.Errorf("log is %s", log)
			}
			if strings.Contains(kind, "panic") != strings.Contains(log, "calls: pipeline.(*proc).note plugin_test.go:") {
				t.Errorf("the calls belong to a panic, and to nothing else: %s", log)
			}
		})
	}
}

// TestPluginHangs wants a stage that does not end to be left behind when the grace period is over.
func TestPluginHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		p, lib := newProc("mine", "")
		stuck := &stuckProc{p, gate}
		p.factory = func() plugins.SFProcessor { return stuck }
		_, change := withLibraries(t, map[string]fakeLibrary{"mine.so": lib})
		w := &world{produce: send("a")}
		pl := w.mustLoad(t, withPlugin, change)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		if r := pl.Run(ctx, ""); r.Drained || r.Failed {
			t.Errorf("result is %+v", r)
		}
		if took := time.Since(start); took != time.Second+time.Minute+lastChance {
			t.Errorf("took %v, want 1m1s and the last chance", took)
		}
		close(gate)
		synctest.Wait()
	})
}

// stuckProc does not end before its gate opens.
type stuckProc struct {
	*proc
	gate chan struct{}
}

func (s *stuckProc) Process(any, *sync.WaitGroup) { <-s.gate }

// declared declares its attributes.
type declared struct{ *proc }

func (d declared) Attributes() []string { return []string{"x.table"} }

func TestPluginAttributes(t *testing.T) {
	p, lib := newProc("mine", "")
	p.factory = func() plugins.SFProcessor { return declared{p} }
	_, change := withLibraries(t, map[string]fakeLibrary{"mine.so": lib})
	_, diags, _ := new(world).load(t, strings.Replace(withPlugin, `"x":`, `"x.tabel":`, 1), change)
	want := "p.json:3:80: error: mine: unknown attribute 'x.tabel'; did you mean 'x.table'? [P301]"
	if len(diags) != 1 || diags[0].Error() != want {
		t.Errorf("got %v, want %s", diags, want)
	}
}

// oldDriver is a driver of the documented kind.
type oldDriver struct {
	name     string
	kind     string
	pipeline plugins.SFPipeline
	stop     chan struct{}
	once     sync.Once
	path     string

	afterStop func() // called by Cleanup; may be nil
}

func (d *oldDriver) GetName() string { return d.name }
func (d *oldDriver) Register(pc plugins.SFPluginCache) {
	pc.AddDriver(d.name, func() plugins.SFDriver { return d })
}
func (d *oldDriver) Init(p plugins.SFPipeline) error { d.pipeline = p; return nil }

func (d *oldDriver) Run(path string, running *bool) error {
	d.path = path
	ch := d.pipeline.GetRootChannel().(*plugins.SFChannel)
	for i := range 3 {
		ch.In <- header(fmt.Sprint(d.name, i))
	}
	switch d.kind {
	case "waits":
		d.pipeline.Wait()
	case "closes and waits":
		close(ch.In)
		d.pipeline.Wait()
	case "panics":
		panic("boom")
	case "fails":
		return errors.New("no more")
	case "runs on":
		<-d.stop
		if *running {
			return errors.New("still running")
		}
	}
	return nil
}

func (d *oldDriver) Cleanup() {
	d.once.Do(func() { close(d.stop) })
	if d.afterStop != nil {
		d.afterStop()
	}
}

func newOldDriver(name, kind string) (*oldDriver, fakeLibrary) {
	d := &oldDriver{name: name, kind: kind, stop: make(chan struct{})}
	return d, fakeLibrary{plugins.DriverSym: d}
}

func TestOldDriver(t *testing.T) {
	for kind, wantLog := range map[string]string{
		"ends": "", "waits": "", "closes and waits": "",
		"panics": "panic in Run of old: boom", "fails": "no more",
	} {
		t.Run(kind, func(t *testing.T) {
			d, lib := newOldDriver("old", kind)
			_, change := withLibraries(t, map[string]fakeLibrary{"old.so": lib})
			w := new(world)
			pl := w.mustLoad(t, chain, change, func(o *Options) { o.Driver = "old" })
			r := pl.Run(t.Context(), "/arg")
			if r.Failed != (wantLog != "") || !strings.Contains(w.logText(), wantLog) {
				t.Errorf("result is %+v: %s", r, w.logText())
			}
			if got := w.got("exporter"); !slices.Equal(got, []string{"old0", "old1", "old2"}) {
				t.Errorf("exported %v", got)
			}
			if d.path != "/arg" {
				t.Errorf("path is %q", d.path)
			}
		})
	}
}

// TestOldDriverStops wants the flag to be cleared before Cleanup is called.
func TestOldDriverStops(t *testing.T) {
	_, lib := newOldDriver("old", "runs on")
	_, change := withLibraries(t, map[string]fakeLibrary{"old.so": lib})
	w := new(world)
	pl := w.mustLoad(t, chain, change, func(o *Options) { o.Driver = "old" })
	ctx, cancel := context.WithCancel(t.Context())
	w.evaluate = func(context.Context, int) error { cancel(); return nil }
	if r := pl.Run(ctx, ""); r != (Result{Drained: true}) {
		t.Errorf("result is %+v: %s", r, w.logText())
	}
}

// TestDriversTogether merges three drivers of all kinds; each keeps its order.
func TestDriversTogether(t *testing.T) {
	_, one := newOldDriver("one", "closes and waits")
	_, two := newOldDriver("two", "ends")
	_, change := withLibraries(t, map[string]fakeLibrary{"one.so": one, "two.so": two})
	w := &world{produce: send("file0", "file1", "file2")}
	pl := w.mustLoad(t, strings.Replace(chain, "{", `{"drivers": [{"driver": "one"}, {"driver": "two"}, {"driver": "file"}], `, 1), change)
	if r := pl.Run(t.Context(), ""); r != (Result{Drained: true}) {
		t.Errorf("result is %+v: %s", r, w.logText())
	}
	byDriver := map[string][]string{}
	for _, name := range w.got("exporter") {
		d := strings.TrimRight(name, "012")
		byDriver[d] = append(byDriver[d], name)
	}
	for d, got := range byDriver {
		if want := []string{d + "0", d + "1", d + "2"}; !slices.Equal(got, want) {
			t.Errorf("%s brought %v", d, got)
		}
	}
	if got := slices.Sorted(maps.Keys(byDriver)); len(got) != 3 {
		t.Errorf("records of %v, want all three", got)
	}
}

// TestBrokenDriverLibrary matters only if a driver is missing.
func TestBrokenDriverLibrary(t *testing.T) {
	dir, change := withLibraries(t, map[string]fakeLibrary{"broken.so": nil})
	w := new(world)
	pl := w.mustLoad(t, chain, change)
	if log := w.logText(); !strings.Contains(log, "driver library not loaded") || !strings.Contains(log, "[Error]") {
		t.Errorf("log is %s", log)
	}
	if err := pl.Close(); err != nil {
		t.Error(err)
	}
	_, diags, _ := w.load(t, chain, change, func(o *Options) { o.Driver = "mine" })
	if len(diags) != 1 || diags[0].Code != "P401" || !strings.Contains(strings.Join(diags[0].Hints, ""), dir+"/broken.so") {
		t.Errorf("got %v, want P401 that names the broken library", diags)
	}
}

// ownChannel is a channel type of a plugin.
type ownChannel struct{ In chan int }

// numbers writes, or reads, channels of a type of its own.
type numbers struct {
	name string
	out  *ownChannel
	sum  int
	bad  bool
}

func (n *numbers) GetName() string { return n.name }
func (n *numbers) Register(pc plugins.SFPluginCache) {
	pc.AddProcessor(n.name, func() plugins.SFProcessor { return n })
	if n.name == "writer" {
		pc.AddChannel("numberchan", func(size int) any {
			if n.bad {
				return ownChannel{}
			}
			return &ownChannel{make(chan int, size)}
		})
	}
}
func (n *numbers) Init(map[string]any) error { return nil }
func (n *numbers) SetOutChan(ch []any)       { n.out = ch[0].(*ownChannel) }
func (n *numbers) Cleanup()                  {}
func (n *numbers) Process(ch any, wg *sync.WaitGroup) {
	defer wg.Done()
	switch ch := ch.(type) {
	case *flattener.FlatChannel:
		for range ch.In {
			n.out.In <- 1
		}
	case *ownChannel:
		for v := range ch.In {
			n.sum += v
		}
	}
}

func TestChannelTypeOfPlugin(t *testing.T) {
	file := `{"pipeline": [
 {"processor": "sysflowreader", "handler": "flattener", "in": "sf sysflowchan", "out": "f flattenerchan"},
 {"processor": "writer", "in": "f flattenerchan", "out": "n numberchan"},
 {"processor": "reader", "in": "n numberchan"}
]}`
	reader := &numbers{name: "reader"}
	libs := map[string]fakeLibrary{"writer.so": {plugins.PlugSym: &numbers{name: "writer"}}, "reader.so": {plugins.PlugSym: reader}}
	_, change := withLibraries(t, libs)
	w := &world{produce: send("a", "b", "c")}
	if r := w.mustLoad(t, file, change).Run(t.Context(), ""); r != (Result{Drained: true}) {
		t.Errorf("result is %+v: %s", r, w.logText())
	}
	if reader.sum != 3 {
		t.Errorf("the reader got %d records, want 3", reader.sum)
	}

	libs["writer.so"] = fakeLibrary{plugins.PlugSym: &numbers{name: "writer", bad: true}}
	_, change = withLibraries(t, libs)
	_, _, err := new(world).load(t, file, change)
	want := "channel 'n' of type 'numberchan': its factory returned pipeline.ownChannel, want a pointer to a struct"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestLibrarySymbols accepts a variable of the interface's type, or of a pointer, as well as a value.
func TestLibrarySymbols(t *testing.T) {
	p, _ := newProc("mine", "")
	var asInterface plugins.SFProcessor = p
	for name, sym := range map[string]any{"value": p, "pointer": &p, "interface": &asInterface} {
		_, change := withLibraries(t, map[string]fakeLibrary{"mine.so": {plugins.PlugSym: sym}})
		if err := new(world).mustLoad(t, withPlugin, change).Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
