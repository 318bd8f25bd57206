package pipeline

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sysflow-telemetry/sf-processor/core/config"
	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/logger"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a registry of small stages, and what they did.
type world struct {
	mu        sync.Mutex // covers what follows
	exported  []string   // executables of the records that exporters got, by exporter
	reloaded  []string
	log       bytes.Buffer
	produce   func(ctx context.Context, out *plugins.SFChannel) error // what the driver does
	evaluate  func(ctx context.Context, n int) error                  // what the policy engine does with its nth batch
	export    func(ctx context.Context, n int) error
	testErr   error
	exportErr error // of the constructor
	lost      atomic.Uint64
}

// Write takes the log.
func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func (w *world) logText() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

type readerConfig struct {
	EntityMax int `attr:"entity.max" default:"30000" min:"1000"`
}

type flattenerConfig struct {
	FilterEnabled bool `attr:"filter.enabled"`
}

type engineConfig struct {
	Policies    string        `attr:"policies" kind:"path"`
	Mode        string        `attr:"mode" enum:"alert,enrich" default:"alert"`
	Interval    time.Duration `attr:"monitor.interval" min:"1s" default:"30s"`
	Concurrency int           `attr:"concurrency" min:"1" max:"1024" default:"5"`
}

type exporterConfig struct {
	Export string `attr:"export" enum:"terminal,syslog" required:"true"`
	Host   string `attr:"syslog.host" alias:"host"`
	Port   int    `attr:"syslog.port" alias:"port" min:"1" max:"65535" default:"514"`
	Key    string `attr:"key" secret:"true"`
}

type driverConfig struct {
	Path string `attr:"path" kind:"path"`
}

// fakeReader makes a row of each record, named after the exporter of the header.
type fakeReader struct{ w *world }

func (r *fakeReader) Run(ctx context.Context, in *plugins.SFChannel, outs []*flattener.FlatChannel) error {
	var pool flattener.Pool
	for b := range in.Batches() {
		rows := pool.Get()
		for _, rec := range b.Records {
			row := rows.Next()
			row.Ints[sfgo.SYSFLOW_IDX][sfgo.SF_REC_TYPE] = sfgo.PROC_EVT
			row.Strs[sfgo.SYSFLOW_IDX][sfgo.PROC_EXE_STR] = rec.Rec.SFHeader.Exporter
		}
		if len(outs) == 0 || len(rows.Recs) == 0 {
			rows.Release()
			continue
		}
		rows.Retain(len(outs) - 1)
		for _, out := range outs {
			if err := out.Send(ctx, rows); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *fakeReader) Counters(yield func(string, uint64)) {
	yield("records.PE", 7)
	yield("records.H", 1)
	yield("anomalies.no_header", 2)
}

// fakeEngine passes every row on.
type fakeEngine struct {
	w    *world
	name string
	pool engine.Pool
}

func (e *fakeEngine) Run(ctx context.Context, in *flattener.FlatChannel, outs []*engine.RecordChannel) error {
	n := 0
	for {
		var rows *flattener.Batch
		select {
		case rows = <-in.Batches():
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if rows == nil {
			return nil
		}
		if e.w.evaluate != nil {
			if err := e.w.evaluate(ctx, n); err != nil {
				return err
			}
		}
		n++
		b := e.pool.Get(rows)
		for i := range rows.Recs {
			b.Add(&rows.Recs[i], []*engine.Rule{{Name: "r"}}).Alert = true
		}
		if len(outs) == 0 {
			b.Release()
			continue
		}
		b.Retain(len(outs) - 1)
		for _, out := range outs {
			if err := out.Send(ctx, b); err != nil {
				return err
			}
		}
	}
}

func (e *fakeEngine) Test(context.Context) error { return e.w.testErr }

func (e *fakeEngine) Reload() error {
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	e.w.reloaded = append(e.w.reloaded, e.name)
	return e.w.testErr
}

// copier passes batches on, and has nothing that a stage need not have.
type copier struct{}

func (copier) Run(ctx context.Context, in *flattener.FlatChannel, outs []*flattener.FlatChannel) error {
	for b := range in.Batches() {
		if err := outs[0].Send(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// fakeExporter notes what it gets.
type fakeExporter struct {
	w    *world
	name string
}

func (e *fakeExporter) Run(ctx context.Context, in *engine.RecordChannel, _ []*engine.RecordChannel) error {
	n := 0
	for b := range in.Batches() {
		if e.w.export != nil {
			if err := e.w.export(ctx, n); err != nil {
				return err
			}
		}
		n++
		e.w.mu.Lock()
		for _, ev := range b.Events {
			e.w.exported = append(e.w.exported, e.name+":"+ev.Row.Strs[0][sfgo.PROC_EXE_STR])
		}
		e.w.mu.Unlock()
		b.Release()
	}
	return nil
}

func (e *fakeExporter) Lost() uint64 { return e.w.lost.Load() }

// fakeDriver does what the test says.
type fakeDriver struct {
	w    *world
	name string
}

func (d *fakeDriver) Init(plugins.SFPipeline) error  { return nil }
func (d *fakeDriver) Run(string, *bool) error        { return errors.New("not called") }
func (d *fakeDriver) GetName() string                { return d.name }
func (d *fakeDriver) Register(plugins.SFPluginCache) {}
func (d *fakeDriver) Cleanup()                       {}
func (d *fakeDriver) RunContext(ctx context.Context, conf map[string]any, out *plugins.SFChannel) error {
	if d.w.produce == nil {
		return nil
	}
	return d.w.produce(context.WithValue(ctx, pathKey{}, conf["path"]), out)
}

// pathKey finds the path of the driver in the context of produce.
type pathKey struct{}

// header is a record that carries a name.
func header(name string) *sfgo.SysFlow {
	return &sfgo.SysFlow{Rec: &sfgo.RecUnion{SFHeader: &sfgo.SFHeader{Exporter: name}}}
}

// send sends one block per name.
func send(names ...string) func(context.Context, *plugins.SFChannel) error {
	return func(ctx context.Context, out *plugins.SFChannel) error {
		st := &plugins.Stream{Name: "test"}
		for _, n := range names {
			if err := out.Send(ctx, &plugins.Block{Stream: st, Count: 1, Records: []*sfgo.SysFlow{header(n)}}); err != nil {
				return nil
			}
		}
		return nil
	}
}

func (w *world) registry() Registry {
	return Registry{
		Processors: []Processor{
			NewProcessor(Processor{Name: "sysflowreader", Reads: []string{sysflowType}, Root: true, Handler: true, Produces: true},
				func(readerConfig, Env) (Runner[plugins.SFChannel, flattener.FlatChannel], error) {
					return &fakeReader{w}, nil
				}),
			NewProcessor(Processor{Name: "policyengine", Reads: []string{flatType}, Writes: []string{eventType}, Produces: true},
				func(_ engineConfig, env Env) (Runner[flattener.FlatChannel, engine.RecordChannel], error) {
					return &fakeEngine{w: w, name: env.Instance}, nil
				}),
			NewProcessor(Processor{Name: "copy", Reads: []string{flatType}, Writes: []string{flatType}},
				func(struct{}, Env) (Runner[flattener.FlatChannel, flattener.FlatChannel], error) {
					return copier{}, nil
				}),
			NewProcessor(Processor{Name: "exporter", Reads: []string{eventType}, Writes: []string{}, Exports: true},
				func(_ exporterConfig, env Env) (Runner[engine.RecordChannel, engine.RecordChannel], error) {
					return &fakeExporter{w, env.Instance}, w.exportErr
				}),
		},
		Handlers: []Handler{{Name: "flattener", Writes: []string{flatType}, Config: func() any { return new(flattenerConfig) }}},
		Drivers: []Driver{
			{Name: "file", Config: func() any { return new(driverConfig) }, New: w.newDriver("file")},
			{Name: "socket", Config: func() any { return new(driverConfig) }, New: w.newDriver("socket")},
		},
	}
}

func (w *world) newDriver(name string) func(any, *slog.Logger) (plugins.SFContextDriver, error) {
	return func(any, *slog.Logger) (plugins.SFContextDriver, error) { return &fakeDriver{w, name}, nil }
}

// chain is the pipeline that most tests use.
const chain = `{"pipeline": [
 {"processor": "sysflowreader", "handler": "flattener", "in": "sysflow sysflowchan", "out": "flat flattenerchan"},
 {"processor": "policyengine", "in": "flat flattenerchan", "out": "evt eventchan", "policies": "p.yaml"},
 {"processor": "exporter", "in": "evt eventchan", "export": "terminal"}
]}`

// load loads a pipeline file with the given text; its name in messages is p.json.
func (w *world) load(t *testing.T, text string, change ...func(*Options)) (*Pipeline, config.Diagnostics, error) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "p.json")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	o := Options{File: path, Registry: w.registry(), Sink: logger.NewSink(w, w, logger.LevelTrace), Grace: time.Minute}
	for _, c := range change {
		c(&o)
	}
	p, diags, err := Load(o)
	for _, d := range diags {
		d.File = strings.ReplaceAll(d.File, dir+"/", "")
	}
	return p, diags, err
}

// mustLoad loads a pipeline without a fault.
func (w *world) mustLoad(t *testing.T, text string, change ...func(*Options)) *Pipeline {
	t.Helper()
	p, diags, err := w.load(t, text, change...)
	if err != nil || diags.HasErrors() {
		t.Fatalf("load: %v %v", diags, err)
	}
	return p
}

type recordChannel = engine.RecordChannel

func newTestSink(stdout, stderr *world) *logger.Sink {
	return logger.NewSink(stdout, stderr, logger.LevelInfo)
}
