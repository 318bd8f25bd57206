package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/logger"
	"github.com/sysflow-telemetry/sf-processor/core/pipeline"
)

// perfEvery is the time between two lines of -perflog.
const perfEvery = 15 * time.Second

// startPerf logs rates and the fill of channels until the function that it returns is called.
func startPerf(log *slog.Logger, p *pipeline.Pipeline) (stop func()) {
	done := make(chan struct{})
	var worker sync.WaitGroup
	worker.Go(func() {
		tick := time.NewTicker(perfEvery)
		defer tick.Stop()
		last, at := p.Rates(), time.Now()
		for {
			select {
			case <-done:
				return
			case now := <-tick.C:
				next := p.Rates()
				logPerf(log, p, next.Sub(last), now.Sub(at))
				last, at = next, now
			}
		}
	})
	return func() {
		close(done)
		worker.Wait()
	}
}

// logPerf logs what has been done in some time, and how full the channels are.
func logPerf(log *slog.Logger, p *pipeline.Pipeline, done pipeline.Rates, in time.Duration) {
	per := func(n uint64) string { return fmt.Sprintf("%.0f/s", float64(n)/in.Seconds()) }
	attrs := []slog.Attr{slog.String("driver", per(done.Read)), slog.String("engine", per(done.Evaluated))}
	p.Depths(func(channel string, waiting, room int) {
		attrs = append(attrs, slog.String("channel."+channel, fmt.Sprintf("%d/%d", waiting, room)))
	})
	log.LogAttrs(context.Background(), logger.LevelPerf, "rates", attrs...)
}
