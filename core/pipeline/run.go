package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/plugins"
)

// defaultGrace is how long stages may drain once the pipeline is told to stop.
const defaultGrace = 25 * time.Second

// lastChance is how long, after the grace period, stages may take to return before they are left behind. A plugin that
// has much on its input, which is then taken from it, gets this time to notice and to clean up.
const lastChance = 2 * time.Second

// farewell is how long Run waits to be told what is left behind.
const farewell = time.Second

// ErrDrain is why a stage is cancelled, or gives up records, when the grace period is over. What it leaves behind is
// lost.
var ErrDrain = errors.New("the drain deadline has passed")

// errStageFailed is why drivers stop when a stage has failed.
var errStageFailed = errors.New("a stage failed")

// Result is how a run ended.
type Result struct {
	// Failed says that a stage, a driver or a plugin failed. Each failure has been logged.
	Failed bool
	// Lost is the number of records that were given up on their way out.
	Lost uint64
	// Drained is false if the grace period was over before everything had been passed on.
	Drained bool
}

// run is one run of a pipeline.
type run struct {
	*Pipeline
	soft context.Context // ends when the drivers are to stop
	end  context.CancelCauseFunc
	hard context.Context // ends when the stages are to stop, whatever they have left
	kill context.CancelCauseFunc
	last context.Context // ends when what has not returned is left behind
	quit context.CancelCauseFunc

	mu     sync.Mutex // covers result
	result Result
}

// Run starts every stage and driver and returns when all have ended. path is for drivers without a path of their own.
// When ctx ends, Stop is called or a stage fails, the drivers stop; each other stage takes what is left of its input and
// ends. What still runs after the grace period is cancelled. Run is called once.
func (p *Pipeline) Run(ctx context.Context, path string) Result {
	r := &run{Pipeline: p, result: Result{Drained: true}}
	r.soft, r.end = context.WithCancelCause(ctx)
	r.hard, r.kill = context.WithCancelCause(context.WithoutCancel(ctx))
	defer r.kill(nil)
	r.last, r.quit = context.WithCancelCause(context.WithoutCancel(ctx))
	defer r.quit(nil)
	p.log.Info("Starting the processing pipeline")
	start := time.Now()

	var stages, drivers sync.WaitGroup
	for _, n := range p.nodes {
		stages.Go(func() { r.stage(n) })
	}
	for _, e := range p.edges {
		if e.from != e.to {
			stages.Go(func() { r.pump(e) })
		}
	}
	drivers.Go(func() { r.drivers(path) })
	ended := make(chan struct{})
	go func() {
		stages.Wait()
		close(p.drained) // a driver may wait for it
		drivers.Wait()
		close(ended)
	}()
	life, over := context.WithCancel(context.Background())
	defer over()
	var company sync.WaitGroup // what accompanies the run, and ends with it
	company.Go(func() { r.heed(life) })
	company.Go(func() { r.progress(life, start) })
	r.wait(ended)
	over()
	company.Wait()
	r.end(nil)
	r.closeLog(time.Since(start))
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.result
}

// heed stops the drivers when Stop is called.
func (r *run) heed(life context.Context) {
	select {
	case <-r.stopping:
		r.end(r.why)
	case <-life.Done():
	}
}

// wait returns when all has ended, or when what was cancelled has had its last chance.
func (r *run) wait(ended <-chan struct{}) {
	select {
	case <-ended:
	case <-r.soft.Done():
	}
	if r.soft.Err() == nil {
		return
	}
	r.log.Info("stopping", "reason", context.Cause(r.soft), "grace", r.grace)
	grace := time.NewTimer(r.grace)
	defer grace.Stop()
	select {
	case <-ended:
		return
	case <-grace.C:
	}
	r.log.Error("stages did not finish in time, cancelling them", "grace", r.grace)
	r.fail(nil)
	r.kill(ErrDrain)
	last := time.NewTimer(lastChance)
	defer last.Stop()
	select {
	case <-ended:
		return
	case <-last.C:
	}
	r.quit(ErrDrain)
	last.Reset(farewell)
	select {
	case <-ended:
	case <-last.C:
		r.log.Error("leaving stages behind that do not end")
	}
}

// fail notes the outcome of a stage that did not end well; nil stands for the end of the grace period.
func (r *run) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil || errors.Is(err, ErrDrain) {
		r.result.Drained = false
		return
	}
	r.result.Failed = true
}

// stage runs a stage to its end, and what follows from that.
func (r *run) stage(n *node) {
	err := guard(n.title(), func() error { return n.stage.run(r.hard) })
	if err == nil && n.reads == records {
		if end, taken := n.in.ended(); !end {
			n.lost.Add(taken)
			err = errEarly
		}
	}
	var draining sync.WaitGroup
	if err != nil {
		// Before the stage cleans up, which may be more than it can do now.
		r.failed(n.name, "stage failed", err)
		draining.Go(func() { r.drain(n) })
	}
	ctx, cancel := r.cleaning()
	defer cancel()
	for _, err := range n.stop(ctx) {
		r.failed(n.name, "clean-up failed", err)
	}
	for _, out := range n.outs {
		if r.hard.Err() != nil && out.from == records && out.to == batches {
			continue // its pump has ended, and a plugin that is left behind may still write to it
		}
		out.close(out.from)
	}
	draining.Wait()
}

// cleaning returns the context for the clean-up of a stage or driver. It leaves half of the grace period to the stages
// after one whose clean-up does not return.
func (r *run) cleaning() (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(r.last, r.grace/2, ErrDrain)
}

// failed notes and logs that a stage or driver did not end well. The drivers stop.
func (r *run) failed(name, what string, err error) {
	r.log.Error(what, attrsOf(err, "stage", name)...)
	r.fail(err)
	if !errors.Is(err, ErrDrain) {
		r.end(fmt.Errorf("%w: %s", errStageFailed, name))
	}
}

// drain takes what a stage that has failed did not read.
func (r *run) drain(n *node) {
	n.lost.Add(n.in.discard(r.last, n.in.to))
	if lost := n.lost.Load(); lost > 0 {
		n.log.Error("records lost because the stage failed", "records", lost)
	}
}

// pump passes on what a plugin writes to a built-in stage, or the other way round.
func (r *run) pump(e *edge) {
	e.lost.Add(e.pump(r.hard, e.from))
	e.close(e.to)
	if lost := e.lost.Load(); lost > 0 {
		r.log.Error("records lost between stages: a plugin sent what is no record, or the pipeline was cancelled",
			"channel", e.name, "records", lost)
	}
}

// drivers runs all drivers to their end. The root channel ends when none of them writes it any more.
func (r *run) drivers(path string) {
	root, err := use[plugins.SFChannel](r.root.value())
	if err != nil {
		r.failed("drivers", "drivers not started", err)
		r.root.close(batches)
		return
	}
	var feeds, writing sync.WaitGroup
	for _, f := range r.feeds {
		at := f.path
		if at == "" {
			at = path
		}
		writing.Add(1)
		feeds.Go(func() { r.driver(f, at, root, sync.OnceFunc(writing.Done)) })
	}
	writing.Wait()
	r.root.close(batches)
	feeds.Wait()
}

// driver runs a driver to its end, and calls passed, at the latest then. A driver that fails leaves the others to go on.
func (r *run) driver(f *feed, path string, root *plugins.SFChannel, passed func()) {
	defer passed()
	err := guard("driver "+f.name, func() error { return f.source.run(r.soft, r.hard, path, root, passed) })
	if err != nil && !r.stopped(err) {
		r.log.Error("driver failed", attrsOf(err, "driver", f.name)...)
		r.fail(err)
	}
	ctx, cancel := r.cleaning()
	defer cancel()
	if err := f.source.stop(ctx); err != nil {
		r.log.Error("clean-up failed", attrsOf(err, "driver", f.name)...)
		r.fail(err)
	}
}

// stopped says whether a driver that was told to stop says just that.
func (r *run) stopped(err error) bool {
	return r.soft.Err() != nil && (errors.Is(err, context.Cause(r.soft)) || errors.Is(err, r.soft.Err()))
}
