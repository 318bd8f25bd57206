package exporter

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
	"github.com/sysflow-telemetry/sf-processor/core/exporter/transport"
	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/logger"
)

// flushEvery is how often is checked whether an incomplete batch has waited for too long, which is as long.
const flushEvery = time.Second

// delivery is the state of the goroutine that delivers.
type delivery struct {
	minBatch, maxBatch int           // records that are enough for a delivery, and in one at most
	items              []encode.Item // the batch being delivered
	letters            []letter
	failing            time.Time // since when deliveries fail; zero if they do not
	retryLog           throttle
	lastDelivery       atomic.Int64 // when records were delivered, in Unix nanoseconds; read by other goroutines
}

// init sets the sizes of deliveries.
func (d *delivery) init(cfg *Config, single bool) {
	// A queue that is full must not wait to be fuller.
	d.minBatch = min(max(cfg.Buffer, 1), cfg.QueueSize)
	switch {
	case d.minBatch > 1, single:
		d.maxBatch = d.minBatch
	default:
		d.maxBatch = flattener.BatchSize
	}
}

// deliver ships what is in the queue until it is closed and empty, and the far side has it all. When ctx ends, it gives
// up what is left and returns the cause. A target that has gone for good makes it call abort.
func (s *Stage) deliver(ctx context.Context, abort context.CancelCauseFunc) error {
	f, _ := s.target.(Flusher)
	err := s.shipAll(ctx, abort, f)
	if err == nil && f != nil {
		err = s.flush(ctx, f)
	}
	if err != nil {
		s.abandon(err)
		s.recall(f, err)
	}
	return err
}

// shipAll ships what is in the queue until it is closed and empty. It fails when ctx ends before.
func (s *Stage) shipAll(ctx context.Context, abort context.CancelCauseFunc, f Flusher) error {
	var tick <-chan time.Time
	if s.minBatch > 1 {
		t := time.NewTicker(flushEvery)
		defer t.Stop()
		tick = t.C
	}
	var wake <-chan struct{}
	if f != nil {
		wake = f.Wake()
	}
	last, late := time.Now(), false // of the last delivery; whether an incomplete batch is to go
	for ctx.Err() == nil {
		ready, closed := s.queue.state()
		if ready >= s.minBatch || ready > 0 && (late || closed) {
			if err := s.ship(ctx); errors.Is(err, transport.ErrGone) {
				abort(err)
			}
			last, late = time.Now(), false
			continue
		}
		if closed {
			return nil
		}
		late = false
		select {
		case <-s.queue.work:
		case <-wake:
			_ = s.try(ctx, nil) // what it does not achieve is for the next delivery, or for the flush at the end
		case now := <-tick:
			late = now.Sub(last) > flushEvery
		case <-ctx.Done():
		}
	}
	return context.Cause(ctx)
}

// flush waits for the far side to take all that has been delivered. It fails when ctx ends before.
func (s *Stage) flush(ctx context.Context, f Flusher) error {
	wait, before := s.cfg.RetryInitial, len(f.Unsent())
	for attempt := 1; ; attempt++ {
		left, err := f.Flush(ctx)
		if left == 0 {
			s.recovered(ctx)
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if left < before {
			s.lastDelivery.Store(time.Now().UnixNano())
		}
		before = left
		if err == nil { // it has waited
			attempt, wait = 0, s.cfg.RetryInitial
			continue
		}
		s.failed(ctx, left, attempt, err)
		if s.cfg.RetryAttempts > 0 && attempt > s.cfg.RetryAttempts {
			s.recall(f, fmt.Errorf("gave up after %d attempts: %w", attempt, err))
			return nil
		}
		if !pause(ctx, jitter(wait, s.cfg.RetryMaxInterval)) {
			return context.Cause(ctx)
		}
		wait = min(2*wait, s.cfg.RetryMaxInterval)
	}
}

// recall gives up what counts as delivered but has not reached the far side.
func (s *Stage) recall(f Flusher, cause error) {
	if f == nil {
		return
	}
	unsent := f.Unsent()
	s.count.delivered.Add(-uint64(len(unsent)))
	s.giveUp(unsent, "not acknowledged", cause, 1)
}

// ship takes a batch from the queue and delivers it, however long that takes. Afterwards, every record of it is
// settled. It fails when ctx ends or the target is gone for good, with the records that are left given up.
func (s *Stage) ship(ctx context.Context) error {
	s.items = s.queue.front(s.items[:0], s.maxBatch)
	n := len(s.items)
	err := s.try(ctx, s.items)
	s.queue.settle(n)
	return err
}

// try delivers items, again and again if need be. Without items, it makes the target deliver what it still has.
func (s *Stage) try(ctx context.Context, items []encode.Item) error {
	wait := s.cfg.RetryInitial
	for attempt := 1; ; attempt++ {
		err := s.target.Deliver(ctx, items)
		some := len(items) > 0
		items = s.sort(items, attempt, err)
		err = cause(err)
		if len(items) == 0 && (some || err == nil) {
			s.recovered(ctx)
			return nil
		}
		switch {
		case errors.Is(err, transport.ErrGone):
			s.giveUp(items, "gone", err, attempt)
			return err
		case ctx.Err() != nil:
			s.giveUp(items, "shutdown", context.Cause(ctx), attempt)
			return context.Cause(ctx)
		case s.cfg.RetryAttempts > 0 && attempt > s.cfg.RetryAttempts:
			s.failed(ctx, len(items), attempt, err)
			s.giveUp(items, "attempts", fmt.Errorf("gave up after %d attempts: %w", attempt, err), attempt)
			return nil
		}
		s.failed(ctx, len(items), attempt, err)
		if !pause(ctx, jitter(wait, s.cfg.RetryMaxInterval)) {
			s.giveUp(items, "shutdown", fmt.Errorf("%w; the last attempt: %w", context.Cause(ctx), err), attempt)
			return context.Cause(ctx)
		}
		wait = min(2*wait, s.cfg.RetryMaxInterval)
		s.count.retried.Add(uint64(len(items)))
	}
}

// cause returns, of an error about single items, the one of the first that may be tried again.
func cause(err error) error {
	if e, ok := errors.AsType[*transport.ItemErrors](err); ok {
		for _, it := range e.Items {
			if it.Verdict == transport.Retry {
				return it.Reason()
			}
		}
	}
	return err
}

// sort counts what an attempt has delivered, gives up what can never be, and returns the others, in order, in the
// memory of items.
func (s *Stage) sort(items []encode.Item, attempt int, err error) []encode.Item {
	var failed []transport.ItemError
	if err != nil {
		e, ok := errors.AsType[*transport.ItemErrors](err)
		if !ok {
			return items
		}
		failed = e.Items
	}
	rest, delivered, duplicates := items[:0], 0, 0
	s.letters = s.letters[:0]
	for i, it := range items {
		if len(failed) == 0 || failed[0].Index != i {
			delivered++
			continue
		}
		switch f := failed[0]; f.Verdict {
		case transport.Duplicate:
			delivered++
			duplicates++
		case transport.Undeliverable:
			s.letters = append(s.letters, letter{item: it, cause: f.Cause, err: f.Reason(), status: f.Status, attempts: attempt})
		default:
			rest = append(rest, it)
		}
		failed = failed[1:]
	}
	if delivered > 0 {
		s.lastDelivery.Store(time.Now().UnixNano())
		s.count.delivered.Add(uint64(delivered))
		s.count.duplicates.Add(uint64(duplicates))
	}
	if len(s.letters) > 0 {
		s.dead.bury(s.letters)
	}
	return rest
}

// giveUp buries items for one reason.
func (s *Stage) giveUp(items []encode.Item, cause string, err error, attempts int) {
	s.letters = s.letters[:0]
	for _, it := range items {
		s.letters = append(s.letters, letter{item: it, cause: cause, err: err, attempts: attempts})
	}
	s.dead.bury(s.letters)
}

// abandon gives up what is in the queue, and what still comes in until it is closed.
func (s *Stage) abandon(err error) {
	why := "shutdown"
	if errors.Is(err, transport.ErrGone) {
		why = "gone"
	}
	for {
		ready, closed := s.queue.state()
		switch {
		case ready > 0:
			s.items = s.queue.front(s.items[:0], flattener.BatchSize)
			s.giveUp(s.items, why, err, 0)
			s.queue.settle(len(s.items))
		case closed:
			return
		default:
			<-s.queue.work // encoding does not block: the end of ctx has ended it
		}
	}
}

// failed notes that a delivery has failed.
func (s *Stage) failed(ctx context.Context, records, attempt int, err error) {
	if s.failing.IsZero() {
		s.failing = time.Now()
		s.log.Log(ctx, logger.LevelHealth, "deliveries are failing", "err", err)
	}
	if _, ok := s.retryLog.allow("retry", records); ok {
		s.log.Warn("delivery failed", "records", records, "attempt", attempt, "err", err)
	}
}

// recovered notes that a delivery has succeeded.
func (s *Stage) recovered(ctx context.Context) {
	if s.failing.IsZero() {
		return
	}
	s.log.Log(ctx, logger.LevelHealth, "deliveries have recovered", "after", time.Since(s.failing).Round(time.Millisecond))
	s.failing = time.Time{}
}

// jitter returns d, at most 20 % longer or shorter and at most limit, so that exporters that failed together do not
// come back together.
func jitter(d, limit time.Duration) time.Duration {
	return min(time.Duration(float64(d)*(0.8+0.4*rand.Float64())), limit)
}

// pause waits for d and says whether ctx has lasted that long.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
