package exporter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

// ErrDrain is why records are given up at the end of input: nothing has been delivered for too long.
var ErrDrain = errors.New("the drain deadline has passed")

// defaultDrain is how long after the last delivery an exporter goes on trying once its input has ended.
const defaultDrain = 25 * time.Second

// Stage encodes and ships the records of one channel.
type Stage struct {
	cfg    Config
	log    *slog.Logger
	drain  time.Duration
	enc    Encoder
	ids    Identifier // nil if nobody needs ids
	target Transport
	queue  *queue
	dead   *deadLetters
	count  counters
	full   throttle

	delivery
}

// New returns a stage for a valid configuration. It does nothing that others could see; that begins with Run.
func New(cfg Config, log *slog.Logger, env Env) (*Stage, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if env.Stdout == nil {
		env.Stdout = io.Discard
	}
	if cfg.SpoolPath != "" {
		return nil, errors.New("spool.path: this program has no spool")
	}
	format := cfg.format()
	newEncoder, ok := env.Kinds.Encoders[format]
	if !ok {
		return nil, fmt.Errorf("format: no encoder %q; there are: %s", format, names(env.Kinds.Encoders))
	}
	kind, ok := env.Kinds.Transports[cfg.Export]
	if !ok {
		return nil, fmt.Errorf("export: no transport %q; there are: %s", cfg.Export, names(env.Kinds.Transports))
	}
	s := &Stage{cfg: cfg, log: log.With("export", cfg.Export), drain: env.Drain, queue: newQueue(cfg.QueueSize, cfg.Buffer)}
	if s.drain <= 0 {
		s.drain = defaultDrain
	}
	s.dead = newDeadLetters(&s.cfg, env.Name, &s.count.dead, s.log)
	s.delivery.init(&s.cfg, kind.Single)
	var err error
	if s.enc, err = newEncoder(&s.cfg, &env); err != nil {
		return nil, fmt.Errorf("format %s: %w", format, err)
	}
	if cfg.DeadLetterPath != "" {
		s.ids, _ = s.enc.(Identifier)
	}
	if cfg.RuleOutput == "message" {
		s.enc = messages{s.enc}
	}
	if s.target, err = kind.New(&s.cfg, &env, s.log); err != nil {
		return nil, fmt.Errorf("export %s: %w", cfg.Export, err)
	}
	return s, nil
}

// Test asks whether the target will take records, and whether the dead letter file can be written. It changes nothing.
func (s *Stage) Test(ctx context.Context) error {
	if s.cfg.HealthCheck == "off" {
		return nil
	}
	err := s.dead.probe(ctx)
	if p, ok := s.target.(Prober); ok {
		err = errors.Join(p.Probe(ctx), err)
	}
	if err != nil && s.cfg.HealthCheck == "warn" {
		s.log.Warn("health check failed", "err", err)
		return nil
	}
	return err
}

// Run exports what arrives on in until it is closed, and returns when all of it is settled. When ctx ends, or when
// the target takes nothing for the drain time after the end of in, it gives up the rest and returns the cause. Run is
// called once.
func (s *Stage) Run(ctx context.Context, in *engine.RecordChannel) error {
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	if o, ok := s.target.(Opener); ok {
		if err := o.Open(ctx); err != nil {
			s.log.Warn("the target cannot be opened yet", "err", err)
		}
	}

	watch, stop := context.WithCancel(context.Background())
	var watchers, deliverer sync.WaitGroup
	watchers.Go(func() { s.count.report(watch, s.log) })
	var delivered error
	deliverer.Go(func() { delivered = s.deliver(ctx, abort) })

	err := s.encodeAll(ctx, in)
	s.queue.close()
	watchers.Go(func() { s.watchDrain(watch, abort) })
	deliverer.Wait()
	stop()
	watchers.Wait()

	if err == nil {
		err = delivered
	}
	if e := s.target.Close(); e != nil {
		err = errors.Join(err, fmt.Errorf("close: %w", e))
	}
	err = errors.Join(err, s.dead.close())
	s.log.LogAttrs(ctx, slog.LevelInfo, "exported", s.count.attrs()...)
	return err
}

// watchDrain calls abort when the time since the last delivery, or since now, exceeds the drain time.
func (s *Stage) watchDrain(ctx context.Context, abort context.CancelCauseFunc) {
	end := time.Now().Add(s.drain)
	for {
		select {
		case <-time.After(time.Until(end)):
		case <-ctx.Done():
			return
		}
		next := time.Unix(0, s.lastDelivery.Load()).Add(s.drain)
		if !next.After(end) {
			abort(ErrDrain)
			return
		}
		end = next
	}
}

// encodeAll puts what arrives on in into the queue until in is closed. It fails only when ctx ends.
func (s *Stage) encodeAll(ctx context.Context, in *engine.RecordChannel) error {
	for {
		select {
		case b, ok := <-in.Batches():
			if !ok {
				return nil
			}
			err := s.take(ctx, b.Events)
			b.Release()
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// take puts events into the queue, or drops those it has no room for. It fails only when ctx ends.
func (s *Stage) take(ctx context.Context, events []engine.Event) error {
	s.count.received.Add(uint64(len(events)))
	for len(events) > 0 {
		n, err := s.room(ctx, len(events))
		if n == 0 {
			s.count.dropped.Add(uint64(len(events)))
			if records, ok := s.full.allow("queue full", len(events)); ok && err == nil {
				s.log.Warn("the queue is full, new records are dropped", "records", records)
			}
			return err
		}
		s.encode(events[:n])
		events = events[n:]
	}
	return nil
}

// room makes room in the queue for up to n records. If the configuration says to drop records, it does not wait and
// may return 0.
func (s *Stage) room(ctx context.Context, n int) (int, error) {
	if s.cfg.QueueFull == "drop" {
		return s.queue.reserve(n), nil
	}
	return s.queue.wait(ctx, n)
}

// encode puts events, for which there is room, into the queue.
func (s *Stage) encode(events []engine.Event) {
	c, put := s.queue.chunk(), 0
	for i := range events {
		if c.full() {
			s.queue.put(c, i-put)
			c, put = s.queue.chunk(), i
		}
		e := &events[i]
		data, err := s.enc.Append(c.data, e)
		if err != nil {
			s.dead.bury([]letter{{cause: "encode", err: fmt.Errorf("encode: %w", err)}})
			continue
		}
		m := mark{doc: len(data)}
		if s.ids != nil {
			data = s.ids.AppendID(data, e)
		}
		if top := e.Top(); top != nil {
			m.rank = top.Rank
		}
		c.data, m.end = data, len(data)
		c.marks = append(c.marks, m)
	}
	s.queue.put(c, len(events)-put)
}

// Counters calls yield with the name and value of each counter. It may be called at any time.
func (s *Stage) Counters(yield func(name string, value uint64)) { s.count.each(yield) }

// Lost returns how many records have been dropped or given up so far. It may be called at any time.
func (s *Stage) Lost() uint64 { return s.count.dropped.Load() + s.count.dead.Load() }

// Reopen makes files be opened anew, should they have been moved. It may be called at any time.
func (s *Stage) Reopen() {
	if r, ok := s.target.(Reopener); ok {
		r.Reopen()
	}
	s.dead.reopen()
}
