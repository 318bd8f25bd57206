package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// lateProc is a processor whose methods take their time; Cleanup blocks until gate is closed.
type lateProc struct {
	*proc
	pace    time.Duration // for each record
	dies    bool          // after the first record
	gate    chan struct{}
	cleaned bool
}

func (p *lateProc) Process(ch any, _ *sync.WaitGroup) {
	for r := range ch.(*flattener.FlatChannel).In {
		p.outs[0].(*flattener.FlatChannel).In <- r
		if p.dies {
			panic("boom")
		}
		time.Sleep(p.pace)
	}
}

func (p *lateProc) Cleanup() {
	<-p.gate
	p.cleaned = true
	close(p.outs[0].(*flattener.FlatChannel).In)
}

// late runs the pipeline with a late processor between reader and policy engine, until it ends or stop has passed.
func late(t *testing.T, p *lateProc, records int, stop time.Duration) (Result, time.Duration, *world) {
	t.Helper()
	base, lib := newProc("mine", "")
	p.proc = base
	base.factory = func() plugins.SFProcessor { return p }
	_, change := withLibraries(t, map[string]fakeLibrary{"mine.so": lib})
	w := &world{produce: send(numbered(records)...)}
	pl := w.mustLoad(t, withPlugin, change)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if stop > 0 {
		defer time.AfterFunc(stop, cancel).Stop()
	}
	start := time.Now()
	r := pl.Run(ctx, "")
	return r, time.Since(start), w
}

// TestDeadStageBlocksInCleanup wants the stages after one that has died, and cannot even clean up, to drain.
func TestDeadStageBlocksInCleanup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &lateProc{dies: true, gate: make(chan struct{})}
		r, took, w := late(t, p, 3, 0)
		if !r.Failed || r.Drained {
			t.Errorf("result is %+v", r)
		}
		if got := w.got("exporter"); !slices.Equal(got, numbered(1)) {
			t.Errorf("exported %v, want what came out before the stage died", got)
		}
		if took != time.Minute/2 {
			t.Errorf("took %v, want half of the grace period", took)
		}
		if log := w.logText(); strings.Contains(log, "cancelling them") || !strings.Contains(log, "Cleanup of mine still runs") {
			t.Errorf("log is %s", log)
		}
		close(p.gate)
		synctest.Wait()
	})
}

// TestSlowStageCleansUp wants a plugin that has much on its input at the deadline to end all the same, and to clean up.
func TestSlowStageCleansUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		close(gate)
		p := &lateProc{pace: time.Second, gate: gate}
		r, took, w := late(t, p, 1000, time.Second)
		if r.Failed || r.Drained {
			t.Errorf("result is %+v", r)
		}
		if !p.cleaned || took > time.Second+time.Minute+lastChance {
			t.Errorf("cleaned up is %v, took %v: %s", p.cleaned, took, w.logText())
		}
		if done := len(w.got("exporter")); done < 60 || !strings.Contains(w.logText(), fmt.Sprintf("records=%d", 1000-62)) {
			t.Errorf("exported %d: %s", done, w.logText())
		}
	})
}

// TestStoppedDriverFailsInCleanup wants a panic in a clean-up that the stop has caused to be told.
func TestStoppedDriverFailsInCleanup(t *testing.T) {
	d, lib := newOldDriver("old", "runs on")
	d.afterStop = func() { panic("boom") }
	_, change := withLibraries(t, map[string]fakeLibrary{"old.so": lib})
	w := new(world)
	pl := w.mustLoad(t, chain, change, func(o *Options) { o.Driver = "old" })
	ctx, cancel := context.WithCancel(t.Context())
	w.evaluate = func(context.Context, int) error { cancel(); return nil }
	if r := pl.Run(ctx, ""); !r.Failed || !strings.Contains(w.logText(), "panic in Cleanup of old: boom") {
		t.Errorf("result is %+v: %s", r, w.logText())
	}
}

// TestStoppedDriverSaysSo wants a driver that returns the error of its context not to have failed.
func TestStoppedDriverSaysSo(t *testing.T) {
	w := &world{}
	ctx, cancel := context.WithCancelCause(t.Context())
	w.produce = func(ctx context.Context, _ *plugins.SFChannel) error {
		cancel(fmt.Errorf("signal"))
		<-ctx.Done()
		return fmt.Errorf("read: %w", ctx.Err())
	}
	if r := w.mustLoad(t, chain).Run(ctx, ""); r != (Result{Drained: true}) {
		t.Errorf("result is %+v: %s", r, w.logText())
	}
}

// TestRefusedLibraryLeavesNothing wants a library with one bad name to register none.
func TestRefusedLibraryLeavesNothing(t *testing.T) {
	c := newCatalog(new(world).registry(), nil)
	factory := func() plugins.SFDriver { return nil }
	register := func(names ...string) error {
		return c.register("x.so", "driver", "", func() string { return names[0] }, func(r *registrar) {
			for _, n := range names {
				r.AddDriver(n, factory)
			}
		})
	}
	if err := register("mine", "file"); err == nil || c.drivers["mine"] != nil || c.origins["driver mine"] != "" {
		t.Errorf("err is %v, and mine is registered: %v", err, c.drivers["mine"])
	}
	if err := register("mine", "mine"); err != nil || c.drivers["mine"] == nil {
		t.Errorf("mine is not registered: %v", err)
	}
}

// TestStreamOfPluginEnds wants the block that ends a driver's stream to be one of structures, like those before it.
func TestStreamOfPluginEnds(t *testing.T) {
	bb := newBlockBorder("mine")
	if _, ok := bb.last(); ok {
		t.Error("a stream ends that has not begun")
	}
	for r, want := range map[sfRecord]bool{{Rec: &sfgo.RecUnion{}}: true, nil: false, {}: false} {
		if b, ok := bb.add(bb.begin(), r); ok != want || b.Count != len(b.Records) || (b.Count == 1) != want {
			t.Errorf("%v is taken: %v", r, ok)
		}
	}
	b, ok := bb.last()
	if !ok || !b.Last || b.Records == nil || len(b.Records) > 0 || b.Stream != bb.stream {
		t.Errorf("the stream ends with %+v", b)
	}
}

// slowTest is a processor whose health check does not end before its gate opens.
type slowTest struct {
	*proc
	gate chan struct{}
}

func (p slowTest) Test() (bool, error) { <-p.gate; return true, nil }

// TestHealthChecksTakeTooLong gives all health checks together ten seconds.
func TestHealthChecksTakeTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		base, lib := newProc("mine", "")
		base.factory = func() plugins.SFProcessor { return slowTest{base, gate} }
		_, change := withLibraries(t, map[string]fakeLibrary{"mine.so": lib})
		pl := new(world).mustLoad(t, withPlugin, change)
		start := time.Now()
		err := pl.Check(t.Context())
		if want := "health check of mine: no answer within 10s"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("took %v", took)
		}
		close(gate)
		if err := pl.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
	})
}
