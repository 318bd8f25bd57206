package exporter

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// reportEvery is the time between two lines of counters in the log.
const reportEvery = time.Minute

// counters count records. They are written by the stage's goroutines, once per batch, and read by anybody.
type counters struct {
	received   atomic.Uint64 // came in
	delivered  atomic.Uint64 // the target has them, as far as known; becomes less if that turns out to be wrong at the end
	duplicates atomic.Uint64 // of those delivered, had been delivered before
	retried    atomic.Uint64 // deliveries beyond a record's first one
	dropped    atomic.Uint64 // not taken, because the queue was full or the program ended
	dead       atomic.Uint64 // given up
}

// each calls yield with every counter, in the order in which they are logged.
func (c *counters) each(yield func(name string, value uint64)) {
	yield("received", c.received.Load())
	yield("delivered", c.delivered.Load())
	yield("duplicates", c.duplicates.Load())
	yield("retried", c.retried.Load())
	yield("dropped", c.dropped.Load())
	yield("dead", c.dead.Load())
}

func (c *counters) attrs() []slog.Attr {
	var attrs []slog.Attr
	c.each(func(name string, value uint64) { attrs = append(attrs, slog.Uint64(name, value)) })
	return attrs
}

// report logs the counters every minute if they have changed, until ctx ends.
func (c *counters) report(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	var last uint64
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		var sum uint64 // counters only grow
		c.each(func(_ string, value uint64) { sum += value })
		if sum != last {
			last = sum
			log.LogAttrs(ctx, slog.LevelInfo, "exported", c.attrs()...)
		}
	}
}
