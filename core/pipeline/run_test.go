package pipeline

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// tee is a pipeline with two exporters behind two policy engines.
const tee = `{"channel.size": 16, "pipeline": [
 {"processor": "sysflowreader", "handler": "flattener", "in": "sf sysflowchan", "out": ["f1 flattenerchan", "f2 flattenerchan"]},
 {"processor": "policyengine", "in": "f1 flattenerchan", "out": "e1 eventchan"},
 {"processor": "exporter", "name": "one", "in": "e1 eventchan", "export": "terminal"},
 {"processor": "policyengine", "in": "f2 flattenerchan", "out": "e2 eventchan"},
 {"processor": "exporter", "name": "two", "in": "e2 eventchan", "export": "terminal"}
]}`

// got returns what an exporter got.
func (w *world) got(exporter string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []string
	for _, e := range w.exported {
		if name, ok := strings.CutPrefix(e, exporter+":"); ok {
			list = append(list, name)
		}
	}
	return list
}

func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint(i)
	}
	return names
}

func TestRun(t *testing.T) {
	w := &world{produce: send(numbered(100)...)}
	p := w.mustLoad(t, chain)
	if r := p.Run(t.Context(), ""); r != (Result{Drained: true}) {
		t.Errorf("result is %+v", r)
	}
	if got := w.got("exporter"); !slices.Equal(got, numbered(100)) {
		t.Errorf("exported %v, want 0 to 99 in order", got)
	}
}

func TestTee(t *testing.T) {
	w := &world{produce: send(numbered(100)...)}
	if r := w.mustLoad(t, tee).Run(t.Context(), ""); r != (Result{Drained: true}) {
		t.Errorf("result is %+v", r)
	}
	for _, exporter := range []string{"one", "two"} {
		if got := w.got(exporter); !slices.Equal(got, numbered(100)) {
			t.Errorf("%s got %v, want 0 to 99 in order", exporter, got)
		}
	}
}

// stamp matches what differs in a log line from run to run.
var stamp = regexp.MustCompile(`(?m)^(\[\w+\]) [^ ]+ [^ ]+ \w+\.go:\d+: `)

func TestLogLines(t *testing.T) {
	w := &world{produce: send("a")}
	p := w.mustLoad(t, chain)
	if err := p.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Run(t.Context(), "")
	log := stamp.ReplaceAllString(w.logText(), "$1 ")
	log = regexp.MustCompile(`elapsed=\S+ rate=\S+`).ReplaceAllString(log, "elapsed=@ rate=@")
	want := `[Health] Health checks: passed
[Info] Successfully loaded pipeline configuration
[Info] Starting the processing pipeline
[Info] Pipeline finished records=7 H=1 PE=7 matched=0 dropped=0 anomaly.no_header=2 elapsed=@ rate=@
`
	if !strings.HasSuffix(log, want) {
		t.Errorf("log is\n%s\nwant at its end\n%s", log, want)
	}
}

func TestRouting(t *testing.T) {
	sinkOnly := stages(readerEntry, `{"processor": "policyengine", "in": "flat flattenerchan"}`)
	for name, tt := range map[string]struct {
		file       string
		wantStdout bool
	}{"with an exporter": {chain, false}, "without": {sinkOnly, true}} {
		t.Run(name, func(t *testing.T) {
			var w world
			var out, errs world
			p := w.mustLoad(t, tt.file, func(o *Options) { o.Sink = newTestSink(&out, &errs) })
			p.Run(t.Context(), "")
			if got := strings.Contains(out.logText(), "Pipeline finished"); got != tt.wantStdout {
				t.Errorf("standard output has %q", out.logText())
			}
			if got := strings.Contains(errs.logText(), "Pipeline finished"); got == tt.wantStdout {
				t.Errorf("standard error has %q", errs.logText())
			}
		})
	}
}

func TestHealthCheck(t *testing.T) {
	w := &world{testErr: errors.New("out of order")}
	p := w.mustLoad(t, tee)
	err := p.Check(t.Context())
	want := "health check of policyengine[0]: out of order\nhealth check of policyengine[1]: out of order"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if strings.Contains(w.logText(), "passed") {
		t.Errorf("log says %s", w.logText())
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestReload(t *testing.T) {
	w := &world{testErr: errors.New("broken")}
	p := w.mustLoad(t, tee)
	p.Reload()
	if want := []string{"policyengine[0]", "policyengine[1]"}; !slices.Equal(w.reloaded, want) {
		t.Errorf("reloaded %v, want %v", w.reloaded, want)
	}
	if log := w.logText(); strings.Count(log, "reload failed, going on as before") != 2 {
		t.Errorf("log is %s", log)
	}
}

// TestStageFails wants a failed stage to stop the drivers, its own branch to end and the other one to drain.
func TestStageFails(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("no more") },
		"panic": func() error { panic("no more") },
	} {
		t.Run(name, func(t *testing.T) {
			w := new(world)
			stopped, more, sent := make(chan struct{}), make(chan struct{}), 0
			w.produce = func(ctx context.Context, out *plugins.SFChannel) error {
				defer close(stopped)
				for sent = 0; ctx.Err() == nil; sent++ {
					if sent == 2 {
						close(more) // one for the stage that fails, and one that it will not take
					}
					b := &plugins.Block{Stream: new(plugins.Stream), Count: 1, Records: []*sfgo.SysFlow{header(fmt.Sprint(sent))}}
					if err := out.Send(ctx, b); err != nil {
						return err
					}
				}
				return context.Cause(ctx)
			}
			p := w.mustLoad(t, strings.Replace(tee, `"name": "two"`, `"name": "bad"`, 1))
			w.export = nil
			bad := p.nodes[4].stage.(*builtin[recordChannel, recordChannel])
			bad.runner = failingRunner{more, fail}
			r := p.Run(t.Context(), "")
			<-stopped
			if !r.Failed || !r.Drained {
				t.Errorf("result is %+v", r)
			}
			if got := w.got("one"); !slices.Equal(got, numbered(sent)) {
				t.Errorf("the other exporter got %v, want the %d records that were sent", got, sent)
			}
			if got := p.nodes[4].lost.Load(); got == 0 {
				t.Error("no record counted as lost")
			}
			if log := w.logText(); !strings.Contains(log, "no more") || !strings.Contains(log, "records lost because the stage failed") {
				t.Errorf("log is %s", log)
			}
		})
	}
}

// failingRunner takes one batch and fails when there are more.
type failingRunner struct {
	more <-chan struct{}
	fail func() error
}

func (f failingRunner) Run(_ context.Context, in *recordChannel, _ []*recordChannel) error {
	<-in.Batches()
	<-f.more
	return f.fail()
}

func TestDriverFails(t *testing.T) {
	w := new(world)
	w.produce = func(ctx context.Context, out *plugins.SFChannel) error {
		if err := send("a", "b")(ctx, out); err != nil {
			return err
		}
		return errors.New("the line is dead")
	}
	r := w.mustLoad(t, chain).Run(t.Context(), "")
	if !r.Failed {
		t.Errorf("result is %+v", r)
	}
	if got := w.got("exporter"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("exported %v", got)
	}
	if log := w.logText(); !strings.Contains(log, `[Error]`) || !strings.Contains(log, `the line is dead`) {
		t.Errorf("log is %s", log)
	}
}

// TestStop wants what was brought in to be drained, and the run to end, when the context ends or somebody calls Stop.
func TestStop(t *testing.T) {
	for name, stop := range map[string]func(p *Pipeline, cancel context.CancelCauseFunc){
		"context": func(_ *Pipeline, cancel context.CancelCauseFunc) { cancel(errors.New("enough")) },
		"Stop":    func(p *Pipeline, _ context.CancelCauseFunc) { p.Stop(errors.New("enough")) },
	} {
		t.Run(name, func(t *testing.T) {
			w := new(world)
			sent := make(chan struct{})
			w.produce = func(ctx context.Context, out *plugins.SFChannel) error {
				err := send(numbered(50)...)(ctx, out)
				close(sent)
				<-ctx.Done()
				return err
			}
			p := w.mustLoad(t, chain)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			go func() {
				<-sent
				stop(p, cancel)
			}()
			if r := p.Run(ctx, ""); r != (Result{Drained: true}) {
				t.Errorf("result is %+v", r)
			}
			if got := w.got("exporter"); !slices.Equal(got, numbered(50)) {
				t.Errorf("exported %v, want 0 to 49", got)
			}
			if log := w.logText(); !strings.Contains(log, "stopping reason=enough") {
				t.Errorf("log is %s", log)
			}
		})
	}
}

// TestDrainDeadline wants a stage that does not end to be cancelled when the grace period is over, not before.
func TestDrainDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{produce: send("a", "b")}
		w.export = func(ctx context.Context, _ int) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}
		p := w.mustLoad(t, chain)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		r := p.Run(ctx, "")
		if r.Drained || r.Failed {
			t.Errorf("result is %+v, want not drained", r)
		}
		if took := time.Since(start); took != time.Second+time.Minute {
			t.Errorf("took %v, want 1m1s", took)
		}
	})
}

// TestNoDeadlineAtTheEndOfInput wants a slow stage to have all the time it needs when nobody asked to stop.
func TestNoDeadlineAtTheEndOfInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{produce: send("a", "b")}
		w.export = func(context.Context, int) error {
			time.Sleep(time.Hour)
			return nil
		}
		if r := w.mustLoad(t, chain).Run(t.Context(), ""); r != (Result{Drained: true}) {
			t.Errorf("result is %+v", r)
		}
		if got := w.got("exporter"); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("exported %v", got)
		}
	})
}

func TestLost(t *testing.T) {
	w := &world{produce: send("a")}
	w.lost.Store(3)
	if r := w.mustLoad(t, chain).Run(t.Context(), ""); r != (Result{Drained: true, Lost: 3}) {
		t.Errorf("result is %+v", r)
	}
}

// TestDrivers checks which drivers run, and what path each is given.
func TestDrivers(t *testing.T) {
	with := func(drivers string) string { return strings.Replace(chain, "{", `{"drivers": [`+drivers+`], `, 1) }
	for name, tt := range map[string]struct {
		file   string
		driver string
		env    []string
		want   []string
		needs  bool
	}{
		"default":                 {chain, "", nil, []string{"/arg"}, true},
		"one of the file":         {with(`{"driver": "socket", "path": "/s"}`), "", nil, []string{"/s"}, false},
		"all of the file":         {with(`{"driver": "socket", "path": "/s"}, {"driver": "file"}`), "", nil, []string{"/arg", "/s"}, true},
		"-driver":                 {with(`{"driver": "socket", "path": "/s"}`), "file", nil, []string{"/arg"}, true},
		"-driver with attributes": {with(`{"driver": "file", "path": "/f"}, {"driver": "file", "path": "/g"}`), "file", nil, []string{"/f"}, false},
		"environment":             {with(`{"driver": "socket", "path": "/s"}`), "", []string{"SOCKET_PATH=/env"}, []string{"/env"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := new(world)
			w.produce = func(ctx context.Context, out *plugins.SFChannel) error {
				return send(ctx.Value(pathKey{}).(string))(ctx, out)
			}
			p := w.mustLoad(t, tt.file, func(o *Options) { o.Driver, o.Environ = tt.driver, tt.env })
			if got := p.NeedsPath(); got != tt.needs {
				t.Errorf("NeedsPath is %v, want %v", got, tt.needs)
			}
			p.Run(t.Context(), "/arg")
			got := w.got("exporter")
			slices.Sort(got)
			if !slices.Equal(got, tt.want) {
				t.Errorf("read %v, want %v", got, tt.want)
			}
		})
	}
}

func TestUnknownDriverFlag(t *testing.T) {
	w := new(world)
	_, diags, _ := w.load(t, chain, func(o *Options) { o.Driver, o.DriverDir.Path = "sockt", "drivers" })
	want := "-driver: error: driver 'sockt' is neither built in nor found at drivers/sockt.so [P401]\n    hint: did you mean 'socket'?\n"
	if len(diags) != 1 || diags[0].Format() != want {
		t.Errorf("got %v, want %s", diags, want)
	}
}

// TestAttributesAreLogged wants to see, at level trace, what the stages run with, but no credential.
func TestAttributesAreLogged(t *testing.T) {
	w := new(world)
	p := w.mustLoad(t, strings.Replace(chain, `"export": "terminal"`, `"export": "terminal", "key": "s3cret"`, 1))
	defer p.Close()
	log := w.logText()
	for _, want := range []string{
		`stage=sysflowreader set="[entity.max=30000 filter.enabled=false]"`,
		`stage=exporter set="[export=terminal syslog.host= syslog.port=514 key=***]"`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("log lacks %s:\n%s", want, log)
		}
	}
	if strings.Contains(log, "s3cret") {
		t.Errorf("log shows the credential:\n%s", log)
	}
}

func TestInstanceNames(t *testing.T) {
	w := new(world)
	p := w.mustLoad(t, tee)
	defer p.Close()
	var names []string
	for _, n := range p.nodes {
		names = append(names, n.name)
	}
	want := []string{"sysflowreader", "policyengine[0]", "one", "policyengine[1]", "two"}
	if !slices.Equal(names, want) {
		t.Errorf("names are %v, want %v", names, want)
	}
}

func TestProgressLine(t *testing.T) {
	for name, tt := range map[string]struct {
		t    totals
		want string
	}{
		"size known":   {totals{bytes: 500_000, size: 2_000_000, flows: 1000, matched: 7}, "25% of 2.0 MB, 500.0 kB, 1000 records, 7 alerts, 500 records/s, 6s left"},
		"size unknown": {totals{bytes: 500, flows: 10}, "500 B, 10 records, 0 alerts, 5 records/s"},
		"it grew":      {totals{bytes: 3000, size: 2000, flows: 10}, "3.0 kB, 10 records, 0 alerts, 5 records/s"},
		"big":          {totals{bytes: 3_000_000_000_000_000, flows: 10}, "3000.0 TB, 10 records, 0 alerts, 5 records/s"},
	} {
		if got := progressLine(tt.t, 2*time.Second); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}
