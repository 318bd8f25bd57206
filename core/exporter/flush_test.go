package exporter

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
)

// flusher is a target that says of what it has taken that the far side does not have it all.
type flusher struct {
	target
	wake    chan struct{}
	flush   func(n int) (left int, err error)
	flushes []time.Time
	unsent  []encode.Item
}

func (f *flusher) Wake() <-chan struct{} { return f.wake }
func (f *flusher) Unsent() []encode.Item { return f.unsent }

func (f *flusher) Flush(context.Context) (int, error) {
	f.flushes = append(f.flushes, time.Now())
	return f.flush(len(f.flushes))
}

// newFlusher makes a rig whose target is f.
func newFlusher(t *testing.T, f *flusher, attrs string) *rig {
	t.Helper()
	f.wake = make(chan struct{}, 1)
	if f.flush == nil {
		f.flush = func(int) (int, error) { return 0, nil }
	}
	r := newRig(t, &f.target, attrs)
	r.stage.target = f
	return r
}

// TestWake has the target ask for a delivery while there are no records.
func TestWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flusher{}
		f.deliver = func(_ context.Context, n int, items []string) error {
			if n == 2 || n == 3 {
				return errAway
			}
			return nil
		}
		r := newFlusher(t, f, `{"export": "null"}`)
		r.start(t.Context())
		r.send(2)
		synctest.Wait()
		f.wake <- struct{}{}
		time.Sleep(time.Minute)
		want(t, "deliveries", fmt.Sprint(f.sizes()), "[2 0 0 0]")
		r.send(3)
		want(t, "result", r.finish(), nil)
		want(t, "deliveries", fmt.Sprint(f.sizes()), "[2 0 0 0 3]")
		want(t, "counters", r.counters(), "received=5 delivered=5")
		want(t, "lines", strings.Count(r.log.String(), "[Health]"), 2)
	})
}

// TestFlushAtEnd lets the far side take its time: the drain deadline counts from its last progress.
func TestFlushAtEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		f := &flusher{unsent: make([]encode.Item, 50)}
		f.flush = func(n int) (int, error) {
			if n == 20 {
				return 30, errAway
			}
			time.Sleep(20 * time.Second)
			return max(50-n, 0), nil
		}
		r := newFlusher(t, f, `{"export": "null"}`)
		r.start(t.Context())
		r.send(50)
		want(t, "result", r.finish(), nil)
		if d := time.Since(begin); d < 49*20*time.Second || d > 50*20*time.Second {
			t.Errorf("took %v", d)
		}
		want(t, "counters", r.counters(), "received=50 delivered=50")
		want(t, "lines", strings.Count(r.log.String(), "[Health]"), 2)
	})
}

// TestFlushFails wants what did not get across to be counted as dead, not as delivered.
func TestFlushFails(t *testing.T) {
	for name, tt := range map[string]struct {
		attrs  string
		flush  error
		result error
		took   time.Duration
	}{
		"no progress":      {`{"export": "null"}`, nil, ErrDrain, 25 * time.Second},
		"no connection":    {`{"export": "null"}`, errAway, ErrDrain, 25 * time.Second},
		"attempts run out": {`{"export": "null", "retry.attempts": 3, "retry.initial": "1s", "retry.maxinterval": "1s"}`, errAway, nil, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				f := &flusher{unsent: []encode.Item{{Data: []byte(`{"n":4}`)}, {Data: []byte(`{"n":5}`)}}}
				f.flush = func(int) (int, error) {
					if tt.flush == nil {
						time.Sleep(time.Second)
					}
					return 2, tt.flush
				}
				r := newFlusher(t, f, tt.attrs)
				r.start(t.Context())
				r.send(5)
				if err := r.finish(); !errors.Is(err, tt.result) {
					t.Errorf("result %v, want %v", err, tt.result)
				}
				if d := time.Since(begin); d > tt.took+time.Second || d < tt.took*7/10 {
					t.Errorf("took %v, want about %v", d, tt.took)
				}
				want(t, "counters", r.counters(), "received=5 delivered=3 dead=2")
			})
		})
	}
}
