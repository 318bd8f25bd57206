package monitor

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
)

// settle is how long files must stay the same before they count as written completely.
const settle = time.Second

// Monitor watches a policy set: a file, or a directory with all below it. It is for one goroutine.
type Monitor struct {
	path     string
	interval time.Duration
	settle   time.Duration
	log      *slog.Logger
	seen     digest // of what was loaded last
}

// New returns a monitor of path that looks at it every interval. What the files hold now counts as loaded: create the
// monitor, then load them.
func New(path string, interval time.Duration, log *slog.Logger) *Monitor {
	return &Monitor{path: path, interval: interval, settle: settle, log: log, seen: take(path)}
}

// Run calls changed after each change of the files, until ctx ends.
func (m *Monitor) Run(ctx context.Context, changed func()) {
	w, err := newWatcher(m.path)
	if err != nil {
		m.log.Warn("no notifications of changed policies, they are only looked at from time to time",
			"path", m.path, "interval", m.interval, "err", err)
		m.run(ctx, nil, changed)
		return
	}
	defer w.close()
	m.run(ctx, w.notes, func() {
		w.update() // there may be new directories
		changed()
	})
}

// run is Run with notifications from a channel, which may be nil.
func (m *Monitor) run(ctx context.Context, notes <-chan struct{}, changed func()) {
	tick := time.NewTicker(m.interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-notes: // the first of many: the others come while we wait
			if !sleep(ctx, m.settle) {
				return
			}
		}
		if m.settled(ctx) {
			changed()
		}
	}
}

// settled says whether the files hold something new. If so, it first waits until they stay the same for a while.
func (m *Monitor) settled(ctx context.Context) bool {
	now := take(m.path)
	for now != m.seen {
		if !sleep(ctx, m.settle) {
			return false
		}
		again := take(m.path)
		if again == now {
			m.seen = now
			return true
		}
		now = again
	}
	return false
}

// sleep waits. It returns false if ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// digest stands for the names and contents of a set of files.
type digest [sha256.Size]byte

// take returns the digest of the policy files at path. What cannot be read counts with the reason.
func take(path string) digest {
	h := sha256.New()
	files, err := falco.Files(path)
	if err != nil {
		fmt.Fprintf(h, "error %q\n", err)
	}
	for _, name := range files {
		size, err := hash(h, name)
		fmt.Fprintf(h, "\n%q %d %v\n", name, size, err) // after the content, and with its size: no two sets look alike
	}
	return digest(h.Sum(nil))
}

// hash writes a file to h. A pipe, which would block, is not opened.
func hash(h io.Writer, name string) (int64, error) {
	info, err := os.Stat(name)
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, fmt.Errorf("not a file: %s", info.Mode())
	}
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return io.Copy(h, f)
}
