package policyengine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/monitor"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// Loader reads the policy set at path, a file or a directory; actions are the names of the user's actions that rules may
// run. The policy is nil if one of the diagnostics is an error.
type Loader func(path string, actions []string) (*policy.Policy, policy.Diagnostics)

// Stage is a policy stage.
type Stage struct {
	cfg     Config
	log     *slog.Logger
	load    Loader
	actions *actions
	monitor *monitor.Monitor // nil if files are not watched

	reload   sync.Mutex              // held while policies are loaded
	current  atomic.Pointer[version] // nil: no policies, every record passes
	events   engine.Pool
	counters counters
}

// New returns a stage that evaluates the policies that load reads from cfg.Policies. actions are what rules may run
// besides the built-in ones; of two with the same name the later one counts. A nil log discards everything.
func New(cfg Config, log *slog.Logger, load Loader, actions ...engine.Action) (*Stage, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Stage{cfg: cfg, log: log, load: load}
	var err error
	if s.actions, err = newActions(actions, log); err != nil {
		return nil, err
	}
	if cfg.Policies == "" {
		return s, nil
	}
	if cfg.Monitor == MonitorLocal { // before the files are loaded, so that no change goes by unnoticed
		s.monitor = monitor.New(cfg.Policies, cfg.MonitorInterval, log)
	}
	if err := s.Reload(); err != nil {
		return nil, err
	}
	return s, nil
}

// Reload reads the policies again. On success, batches taken from the input from now on are evaluated with the new
// ones; on failure the old ones stay. It may be called at any time, also while the stage runs.
func (s *Stage) Reload() error {
	if s.cfg.Policies == "" {
		return nil
	}
	s.reload.Lock()
	defer s.reload.Unlock()
	p, diags := s.load(s.cfg.Policies, s.actions.names())
	if diags.HasErrors() || p == nil {
		return &LoadError{Path: s.cfg.Policies, Diagnostics: diags}
	}
	s.report(diags)
	set, err := policy.Compile(p)
	if err != nil {
		return fmt.Errorf("policies %s: %w", s.cfg.Policies, err)
	}
	s.current.Store(newVersion(set, s.actions, &s.counters))
	s.log.Info("policies loaded", "path", s.cfg.Policies, "rules", len(set.Rules()), "drops", len(set.Drops()))
	return nil
}

// report logs diagnostics.
func (s *Stage) report(diags policy.Diagnostics) {
	for _, d := range diags {
		s.log.Log(context.Background(), level(d.Severity), strings.TrimSpace(d.Format()))
	}
}

// changed loads policies whose files have changed.
func (s *Stage) changed() {
	err := s.Reload()
	if err == nil {
		return
	}
	reason := err.Error()
	if e, ok := errors.AsType[*LoadError](err); ok {
		s.report(e.Diagnostics)
		reason = e.Summary()
	}
	s.log.Error("policies not loaded, the old ones stay until the files change again", "path", s.cfg.Policies, "err", reason)
}

// job is a batch with what was fixed when it was taken from the input.
type job struct {
	rows    *flattener.Batch
	first   int64 // number of the first row
	version *version
}

// Run evaluates the batches of in until its end and sends those with events to each of outs. It returns early only when
// ctx ends.
func (s *Stage) Run(ctx context.Context, in *flattener.FlatChannel, outs []*engine.RecordChannel) error {
	if s.monitor != nil {
		watching, stop := context.WithCancel(ctx)
		var g sync.WaitGroup
		g.Go(func() { s.monitor.Run(watching, s.changed) })
		defer g.Wait()
		defer stop()
	}
	return s.run(ctx, in, outs)
}

// run is Run without the monitor.
func (s *Stage) run(ctx context.Context, in *flattener.FlatChannel, outs []*engine.RecordChannel) error {
	g, ctx := errgroup.WithContext(ctx)
	// With the batch that the emitter waits for, Concurrency batches are under way; when the window is full, the input
	// waits.
	window := make(chan chan *engine.Batch, s.cfg.Concurrency-1)
	g.Go(func() error {
		defer close(window)
		next := int64(1)
		for {
			rows, err := receive(ctx, in)
			if rows == nil {
				return err
			}
			j := job{rows: rows, first: next, version: s.current.Load()}
			next += int64(len(rows.Recs))
			slot := make(chan *engine.Batch, 1) // room for the result: a worker never waits
			select {
			case window <- slot:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			g.Go(func() error {
				slot <- s.evaluate(j)
				return nil
			})
		}
	})
	g.Go(func() error {
		for slot := range window {
			if err := send(ctx, <-slot, outs); err != nil {
				return err
			}
		}
		return nil
	})
	return g.Wait()
}

// receive returns the next batch, or nil at the end of the input or of ctx.
func receive(ctx context.Context, in *flattener.FlatChannel) (*flattener.Batch, error) {
	select {
	case rows := <-in.Batches():
		return rows, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// send hands a batch, if there is one, to all outs.
func send(ctx context.Context, b *engine.Batch, outs []*engine.RecordChannel) error {
	if b == nil {
		return nil
	}
	if len(outs) == 0 {
		b.Release()
		return nil
	}
	b.Retain(len(outs) - 1)
	for _, out := range outs {
		if err := out.Send(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// evaluate returns the events of a batch of rows, or nil if there are none.
func (s *Stage) evaluate(j job) *engine.Batch {
	out := s.events.Get(j.rows)
	var n tally
	if j.version == nil {
		for i := range j.rows.Recs {
			out.Add(&j.rows.Recs[i], nil)
		}
	} else {
		s.apply(j, out, &n)
	}
	n.records = len(j.rows.Recs)
	s.counters.add(n)
	if len(out.Events) == 0 {
		out.Release()
		return nil
	}
	return out
}

// apply evaluates the rules of a version on a batch.
func (s *Stage) apply(j job, out *engine.Batch, n *tally) {
	eval := j.version.evaluator()
	defer j.version.release(eval)
	eval.SameTree(j.rows.Flattened())
	alert := s.cfg.Mode == ModeAlert
	for i := range j.rows.Recs {
		row := &j.rows.Recs[i]
		matched, drop := eval.Eval(row, j.first+int64(i))
		if drop {
			n.dropped++
			continue
		}
		if len(matched) == 0 {
			if !alert {
				out.Add(row, nil)
			}
			continue
		}
		n.matched++
		e := out.Add(row, matched)
		e.Alert = alert
		j.version.act(e)
	}
}

// Test says whether the stage can do its work: it evaluates all rules on an empty record of each type.
func (s *Stage) Test(ctx context.Context) (err error) {
	v := s.current.Load()
	if v == nil {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("policies %s: a rule cannot be evaluated: %v", s.cfg.Policies, p)
		}
	}()
	eval := v.set.NewEvaluator()
	for _, row := range emptyRows() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		eval.Eval(row, 1)
	}
	return nil
}
