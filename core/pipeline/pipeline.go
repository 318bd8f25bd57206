package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/logger"
)

// Pipeline is a graph of stages that have been built and not yet run.
type Pipeline struct {
	log     *slog.Logger
	sink    *logger.Sink
	catalog *catalog
	grace   time.Duration
	size    int // of channels, in records

	nodes []*node // in file order
	edges []*edge // in order of first mention
	feeds []*feed
	root  *edge // what the drivers write

	stop     sync.Once
	stopping chan struct{} // closed by Stop
	why      error         // what Stop was told, written before stopping is closed
	drained  chan struct{} // closed when every stage has ended
}

// node is a stage in its place.
type node struct {
	entry         *entry
	name          string
	log           *slog.Logger
	stage         stage
	handler       *pluginHandler // of a reader, if it comes from a library
	reads, writes form
	in            *edge
	outs          []*edge

	lost atomic.Uint64 // records that it did not take because it failed
}

// edge is a channel in its place.
type edge struct {
	channel
	name     string
	from, to form          // how it is written and read
	lost     atomic.Uint64 // records that its pump refused or did not pass on
}

// feed is a driver in its place.
type feed struct {
	name   string
	path   string // its own, if it has one
	source source
}

// connect makes the channels that stages read and write.
func (p *Pipeline) connect(g *graph) error {
	byName := map[string]*edge{}
	at := func(c *channelRef) (*edge, error) {
		e := byName[c.name]
		if e == nil {
			ch, err := p.catalog.channels[c.typ](c.name, p.size)
			if err != nil {
				return nil, fmt.Errorf("channel '%s' of type '%s': %w", c.name, c.typ, err)
			}
			e = &edge{channel: ch, name: c.name}
			byName[c.name] = e
			p.edges = append(p.edges, e)
		}
		return e, nil
	}
	for _, n := range p.nodes {
		in, err := at(n.entry.in)
		if err != nil {
			return err
		}
		n.in, in.to = in, n.reads
		for _, c := range n.entry.outs {
			out, err := at(c)
			if err != nil {
				return err
			}
			out.from = n.writes
			n.outs = append(n.outs, out)
		}
		if n.entry == g.root {
			p.root, in.from = in, batches
		}
	}
	return nil
}

// bind gives a stage its channels; those that a handler from a library writes go to the handler.
func (n *node) bind() error {
	outs := make([]any, len(n.outs))
	for i, o := range n.outs {
		outs[i] = o.value()
	}
	if n.handler == nil {
		return n.stage.bind(n.in.value(), outs)
	}
	if err := n.handler.bind(outs); err != nil {
		return err
	}
	return n.stage.bind(n.in.value(), nil)
}

// healthTime is how long all health checks together may take.
const healthTime = 10 * time.Second

// Check tests every stage that can be tested, in order. It returns the failures.
func (p *Pipeline) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, healthTime, fmt.Errorf("no answer within %v", healthTime))
	defer cancel()
	var errs []error
	for _, n := range p.nodes {
		t, ok := n.stage.impl().(Tester)
		if !ok {
			continue
		}
		if err := t.Test(ctx); err != nil {
			errs = append(errs, fmt.Errorf("health check of %s: %w", n.name, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	p.log.Log(ctx, logger.LevelHealth, "Health checks: passed")
	p.log.Info("Successfully loaded pipeline configuration")
	return nil
}

// logShape logs the stages and what connects them.
func (p *Pipeline) logShape() {
	for _, n := range p.nodes {
		attrs := []any{"in", n.in.name}
		if len(n.outs) > 0 {
			names := make([]string, len(n.outs))
			for i, o := range n.outs {
				names[i] = o.name
			}
			attrs = append(attrs, "out", strings.Join(names, ","))
		}
		n.log.Info("pipeline shape", attrs...)
	}
}

// NeedsPath says whether one of the drivers is not told by the file what to read.
func (p *Pipeline) NeedsPath() bool {
	return slices.ContainsFunc(p.feeds, func(f *feed) bool { return f.path == "" })
}

// HasPlugins says whether a stage, a handler or a driver comes from a library. Actions do not count: they see few records.
func (p *Pipeline) HasPlugins() bool {
	return slices.ContainsFunc(p.nodes, func(n *node) bool { return n.reads == records || n.writes == records }) ||
		slices.ContainsFunc(p.feeds, func(f *feed) bool { _, ok := f.source.(*pluginSource); return ok })
}

// Close cleans up the stages and drivers of a pipeline that is not going to run. It waits for them no longer than for a
// pipeline that drains.
func (p *Pipeline) Close() error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), p.grace, ErrDrain)
	defer cancel()
	var errs []error
	for _, n := range p.nodes {
		errs = append(errs, n.stop(ctx)...)
	}
	for _, f := range p.feeds {
		if err := f.source.stop(ctx); err != nil {
			errs = append(errs, stageError(f.name, err))
		}
	}
	return errors.Join(errs...)
}

// title is what a panic of the stage is said to be in.
func (n *node) title() string {
	if n.handler != nil {
		return "handler " + n.handler.name + " of " + n.name
	}
	return n.name
}

// stop cleans up a stage and its handler, and returns what went wrong.
func (n *node) stop(ctx context.Context) (errs []error) {
	if err := n.stage.stop(ctx); err != nil {
		errs = append(errs, stageError(n.name, err))
	}
	if n.handler == nil {
		return errs
	}
	if err := n.handler.cleanup.clean(ctx); err != nil {
		errs = append(errs, stageError(n.name, err))
	}
	return errs
}

// Stop asks a running pipeline to stop, as the end of the context of Run does.
func (p *Pipeline) Stop(why error) {
	p.stop.Do(func() {
		p.why = why
		close(p.stopping)
	})
}

// Reload makes every stage that can read its files again do so: policies, secrets, export files. It logs how that
// went; a stage that fails goes on with what it has.
func (p *Pipeline) Reload() {
	for _, n := range p.nodes {
		r, ok := n.stage.impl().(Reloader)
		if !ok {
			continue
		}
		if err := r.Reload(); err != nil {
			n.log.Error("reload failed, going on as before", "err", err)
			continue
		}
		n.log.Info("reloaded")
	}
}
