package reader

import (
	"log/slog"
	"time"
)

// logInterval is how often a kind of message is logged at most.
const logInterval = time.Minute

// limiter lets one log line per kind and interval through. It has one user at a time. The wall clock decides about log
// lines only, never about records.
type limiter struct {
	log   *slog.Logger
	kinds map[string]*muted // as many as there are calls of due
}

// muted is a kind of message.
type muted struct {
	last    time.Time
	leftOut int // lines since then
}

func newLimiter(log *slog.Logger) *limiter {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &limiter{log: log, kinds: map[string]*muted{}}
}

// due returns the logger for a line of the given kind, or nil if it is too early for one. The line says how many were
// left out before it.
func (l *limiter) due(kind string) *slog.Logger {
	now := time.Now()
	m := l.kinds[kind]
	if m == nil {
		l.kinds[kind] = &muted{last: now}
		return l.log
	}
	if now.Sub(m.last) < logInterval {
		m.leftOut++
		return nil
	}
	leftOut := m.leftOut
	m.last, m.leftOut = now, 0
	if leftOut == 0 {
		return l.log
	}
	return l.log.With("left_out", leftOut)
}
