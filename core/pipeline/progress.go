package pipeline

import (
	"context"
	"fmt"
	"time"
)

// How the progress of a replay is shown: not at all if it is over quickly, and not more often than the eye follows.
const (
	progressAfter = time.Second
	progressEvery = 200 * time.Millisecond
)

// progress shows how far the run has come, on the log's status line, until it ends.
func (r *run) progress(life context.Context, start time.Time) {
	if r.sink == nil || !r.sink.HasStatus() {
		return
	}
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	defer r.sink.Status("")
	for {
		select {
		case <-life.Done():
			return
		case now := <-tick.C:
			if elapsed := now.Sub(start); elapsed >= progressAfter {
				r.sink.Status(progressLine(r.totals(), elapsed))
			}
		}
	}
}

// progressLine tells how far a run has come after some time.
func progressLine(t totals, elapsed time.Duration) string {
	line := fmt.Sprintf("%s, %d records, %d alerts, %.0f records/s", bytesText(t.bytes), t.flows, t.matched,
		float64(t.flows)/elapsed.Seconds())
	if t.size == 0 || t.bytes == 0 || t.bytes > t.size {
		return line
	}
	left := time.Duration(float64(elapsed) * float64(t.size-t.bytes) / float64(t.bytes))
	return fmt.Sprintf("%d%% of %s, %s, %v left", 100*t.bytes/t.size, bytesText(t.size), line, left.Round(time.Second))
}

// bytesText returns a number of bytes in a unit that keeps it short.
func bytesText(n uint64) string {
	const units = "kMGT"
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	v, unit := float64(n)/1000, 0
	for v >= 1000 && unit < len(units)-1 {
		v /= 1000
		unit++
	}
	return fmt.Sprintf("%.1f %cB", v, units[unit])
}
