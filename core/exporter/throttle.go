package exporter

import (
	"sync"
	"time"
)

const (
	throttleEvery  = 10 * time.Second // between two lines about one cause
	throttleCauses = 64               // told apart; what exceeds them shares one
)

// throttle limits how often something is logged that may happen to every record. The zero value is ready.
type throttle struct {
	mu   sync.Mutex
	seen map[string]*quiet
}

// quiet is a cause that has been logged.
type quiet struct {
	since  time.Time
	silent int // records it has happened to since, unlogged
}

// allow says whether to log that cause has happened to n records. If so, the result counts those it kept silent about
// as well.
func (t *throttle) allow(cause string, n int) (records int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.seen[cause]
	if q == nil {
		if len(t.seen) >= throttleCauses {
			cause = "others"
		}
		if q = t.seen[cause]; q == nil {
			if t.seen == nil {
				t.seen = map[string]*quiet{}
			}
			q = new(quiet)
			t.seen[cause] = q
		}
	}
	now := time.Now()
	if !q.since.IsZero() && now.Sub(q.since) < throttleEvery {
		q.silent += n
		return 0, false
	}
	records = n + q.silent
	q.since, q.silent = now, 0
	return records, true
}
