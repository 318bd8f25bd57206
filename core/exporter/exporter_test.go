package exporter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/transport"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

var errAway = errors.New("nobody answers")

// TestBatches looks at how records are grouped when they arrive in batches of 1, 7 and 2000.
func TestBatches(t *testing.T) {
	for name, tt := range map[string]struct {
		attrs string
		want  []int
	}{
		"each at once, sharing":         {`{"export": "null"}`, []int{1, 7, 1024, 976}},
		"1 is the same":                 {`{"export": "null", "buffer": 1}`, []int{1, 7, 1024, 976}},
		"full batches, then the rest":   {`{"export": "null", "buffer": 500}`, []int{500, 500, 500, 500, 8}},
		"a queue smaller than a batch":  {`{"export": "null", "buffer": 500, "queue.size": 400}`, []int{400, 400, 400, 400, 400, 8}},
		"a batch larger than the input": {`{"export": "null", "buffer": 5000}`, []int{2008}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tg := &target{}
				r := newRig(t, tg, tt.attrs)
				r.start(t.Context())
				for _, n := range []int{1, 7, 2000} {
					r.send(n)
					synctest.Wait()
				}
				want(t, "result", r.finish(), nil)
				if got := tg.sizes(); !slices.Equal(got, tt.want) {
					t.Errorf("batches of %v, want %v", got, tt.want)
				}
				want(t, "counters", r.counters(), "received=2008 delivered=2008")
			})
		})
	}
}

func TestSingleDeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tg := &target{}
		r := newRig(t, tg, `{"export": "syslog"}`)
		r.start(t.Context())
		r.send(3)
		want(t, "result", r.finish(), nil)
		want(t, "batches", fmt.Sprint(tg.sizes()), "[1 1 1]")
	})
}

// TestFlush sends records at certain times and looks at when they go out.
func TestFlush(t *testing.T) {
	type send struct {
		at time.Duration
		n  int
	}
	for name, tt := range map[string]struct {
		sends []send
		want  string
	}{
		"full at once":                   {[]send{{100 * time.Millisecond, 10}}, "[10@100ms]"},
		"after a second at the earliest": {[]send{{100 * time.Millisecond, 3}}, "[3@2s]"},
		"pending for a moment":           {[]send{{1900 * time.Millisecond, 3}}, "[3@2s]"},
		"a flush begins the second anew": {[]send{{1500 * time.Millisecond, 10}, {1600 * time.Millisecond, 1}}, "[10@1.5s 1@3s]"},
		"the rest of a full batch":       {[]send{{2500 * time.Millisecond, 25}}, "[10@2.5s 10@2.5s 5@4s]"},
		"an idle time is no reason":      {[]send{{5500 * time.Millisecond, 1}, {5600 * time.Millisecond, 1}}, "[2@6s]"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tg := &target{}
				r := newRig(t, tg, `{"export": "null", "buffer": 10}`)
				begin := time.Now()
				r.start(t.Context())
				for _, s := range tt.sends {
					time.Sleep(s.at - time.Since(begin))
					r.send(s.n)
					synctest.Wait()
				}
				time.Sleep(10 * time.Second)
				want(t, "result", r.finish(), nil)
				var got []string
				for _, a := range tg.calls() {
					got = append(got, fmt.Sprintf("%d@%v", len(a.items), a.at.Sub(begin)))
				}
				want(t, "deliveries", fmt.Sprint(got), tt.want)
			})
		})
	}
}

// TestRetry looks at the pauses between the attempts at one batch.
func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tg := &target{deliver: func(_ context.Context, n int, _ []string) error {
			if n <= 8 {
				return errAway
			}
			return nil
		}}
		r := newRig(t, tg, `{"export": "null", "retry.initial": "500ms", "retry.maxinterval": "10s"}`)
		r.start(t.Context())
		r.send(5)
		time.Sleep(time.Hour)
		r.send(1)
		want(t, "result", r.finish(), nil)

		calls := tg.calls()
		want(t, "attempts", len(calls), 10)
		for i, nominal := range []float64{0.5, 1, 2, 4, 8, 10, 10, 10} {
			got := calls[i+1].at.Sub(calls[i].at).Seconds()
			if got < 0.8*nominal || got > min(1.2*nominal, 10) {
				t.Errorf("pause %d: %.2fs, want %.1fs ± 20 %%, at most 10s", i+1, got, nominal)
			}
		}
		want(t, "counters", r.counters(), "received=6 delivered=6 retried=40")
		log := r.log.String()
		want(t, "lines on failing", strings.Count(log, "[Health]"), 2)
		for _, part := range []string{`deliveries are failing export=null err="nobody answers"`, "deliveries have recovered export=null after=", "[Warn]"} {
			if !strings.Contains(log, part) {
				t.Errorf("log lacks %q:\n%s", part, log)
			}
		}
	})
}

// TestJitter wants the pauses to differ, so that exporters do not come back together.
func TestJitter(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 100 {
		d := jitter(time.Second, time.Minute)
		seen[d] = true
		if d < 800*time.Millisecond || d > 1200*time.Millisecond {
			t.Fatalf("%v is not 1s ± 20 %%", d)
		}
		if d := jitter(time.Minute, time.Minute); d > time.Minute {
			t.Fatalf("%v is more than the maximum", d)
		}
	}
	if len(seen) < 50 {
		t.Errorf("only %d different pauses of 100", len(seen))
	}
}

func TestAttemptsRunOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tg := &target{deliver: func(_ context.Context, _ int, items []string) error {
			if items[0] == `{"n":1}` {
				return errAway
			}
			return nil
		}}
		path := filepath.Join(t.TempDir(), "dead")
		r := newRig(t, tg, `{"export": "null", "retry.attempts": 2, "deadletter.path": "`+path+`"}`)
		r.start(t.Context())
		r.send(2)
		synctest.Wait()
		r.send(1)
		want(t, "result", r.finish(), nil)
		want(t, "counters", r.counters(), "received=3 delivered=1 retried=4 dead=2")
		want(t, "lost", r.stage.Lost(), 2)
		wantFile(t, path, `{"time":"TIME","exporter":"exporter[0]","transport":"null","reason":"gave up after 3 attempts: nobody answers","attempts":3,"id":"id1","item":{"n":1}}
{"time":"TIME","exporter":"exporter[0]","transport":"null","reason":"gave up after 3 attempts: nobody answers","attempts":3,"id":"id2","item":{"n":2}}
`)
	})
}

// TestItemErrors has a target that answers for each item.
func TestItemErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rejected := errors.New("failed to parse <date>")
		tg := &target{deliver: func(_ context.Context, n int, _ []string) error {
			switch n {
			case 1: // of 1 2 3 4 5 6
				return &transport.ItemErrors{Items: []transport.ItemError{
					{Index: 1, Verdict: transport.Retry, Cause: "busy", Status: 429},
					{Index: 2, Verdict: transport.Undeliverable, Cause: "document_parsing_exception", Status: 400, Err: rejected},
					{Index: 3, Verdict: transport.Duplicate},
					{Index: 5, Verdict: transport.Retry, Cause: "busy", Status: 429},
				}}
			case 2: // of 2 6
				return &transport.ItemErrors{Items: []transport.ItemError{{Index: 0, Verdict: transport.Retry, Cause: "busy"}}}
			default:
				return nil
			}
		}}
		path := filepath.Join(t.TempDir(), "dead")
		r := newRig(t, tg, `{"export": "null", "buffer": 6, "deadletter.path": "`+path+`"}`)
		r.start(t.Context())
		r.send(7)
		want(t, "result", r.finish(), nil)
		var got []string
		for _, a := range tg.calls() {
			got = append(got, strings.NewReplacer(`{"n":`, "", "}", "").Replace(strings.Join(a.items, " ")))
		}
		want(t, "attempts", strings.Join(got, " | "), "1 2 3 4 5 6 | 2 6 | 2 | 7")
		want(t, "counters", r.counters(), "received=7 delivered=6 duplicates=1 retried=3 dead=1")
		wantFile(t, path, `{"time":"TIME","exporter":"exporter[0]","transport":"null","reason":"document_parsing_exception: failed to parse <date>","status":400,"attempts":1,"id":"id3","item":{"n":3}}
`)
	})
}

func TestEncodingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tg := &target{}
		path := filepath.Join(t.TempDir(), "dead")
		r := newRig(t, tg, `{"export": "null", "deadletter.path": "`+path+`"}`)
		r.start(t.Context())
		b := r.pool.Get(nil)
		for _, ts := range []int64{1, -1, 2} {
			b.Add(row(ts), nil)
		}
		_ = r.in.Send(t.Context(), b)
		b = r.pool.Get(nil)
		b.Add(row(-2), nil) // nothing is left of this batch
		_ = r.in.Send(t.Context(), b)
		want(t, "result", r.finish(), nil)
		want(t, "delivered", fmt.Sprint(tg.calls()[0].items), `[{"n":1} {"n":2}]`)
		want(t, "counters", r.counters(), "received=4 delivered=2 dead=2")
		wantFile(t, path, strings.Repeat(`{"time":"TIME","exporter":"exporter[0]","transport":"null","reason":"encode: negative time","attempts":0,"item":null}
`, 2))
	})
}

// blocked is a target that takes nothing before release is closed.
func blocked() (tg *target, release chan struct{}) {
	release = make(chan struct{})
	return &target{deliver: func(ctx context.Context, _ int, _ []string) error {
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}}, release
}

func TestFullQueueDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tg, release := blocked()
		r := newRig(t, tg, `{"export": "null", "queue.size": 10, "queue.full": "drop"}`)
		r.start(t.Context())
		r.send(4)
		synctest.Wait()
		r.send(8) // the last two find no room
		synctest.Wait()
		r.send(5)
		synctest.Wait()
		want(t, "counters", r.counters(), "received=17 dropped=7")
		close(release)
		want(t, "result", r.finish(), nil)
		want(t, "counters", r.counters(), "received=17 delivered=10 dropped=7")
		want(t, "last", tg.calls()[1].items[5], `{"n":10}`)
		want(t, "lines", strings.Count(r.log.String(), "the queue is full"), 1)
	})
}

// TestFullQueueBlocks wants the input to be held back, and nothing lost.
func TestFullQueueBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tg, release := blocked()
		r := newRig(t, tg, `{"export": "null", "queue.size": 10}`)
		r.start(t.Context())
		r.send(25)
		synctest.Wait()
		b := r.pool.Get(nil)
		b.Add(row(99), nil)
		if err := r.in.Send(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		waiting, _ := r.in.Depth()
		want(t, "batches that wait before the stage", waiting, 1)
		close(release)
		want(t, "result", r.finish(), nil)
		want(t, "counters", r.counters(), "received=26 delivered=26")
		for _, n := range tg.sizes() {
			if n > 10 {
				t.Errorf("a delivery of %d records from a queue of 10", n)
			}
		}
	})
}

// TestWaitingKeepsNoSlab wants a batch to be released although its records wait.
func TestWaitingKeepsNoSlab(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tg, release := blocked()
		r := newRig(t, tg, `{"export": "null"}`)
		r.start(t.Context())
		b := r.send(100)
		synctest.Wait()
		want(t, "events of the batch", len(b.Events), 0) // Release empties it
		close(release)
		want(t, "result", r.finish(), nil)
	})
}

// TestDrainDeadline ends the input of an exporter whose target stops taking records: the deadline counts from the last
// delivery.
func TestDrainDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		tg := &target{deliver: func(_ context.Context, n int, _ []string) error {
			if n <= 3 {
				time.Sleep(20 * time.Second) // slow, but alive
				return nil
			}
			return errAway
		}}
		path := filepath.Join(t.TempDir(), "dead")
		r := newRig(t, tg, `{"export": "null", "buffer": 2, "deadletter.path": "`+path+`"}`)
		r.start(t.Context())
		r.send(10)
		err := r.finish()
		if !errors.Is(err, ErrDrain) {
			t.Errorf("result %v, want %v", err, ErrDrain)
		}
		want(t, "time", time.Since(begin), 85*time.Second)
		retried := (len(tg.calls()) - 4) * 2
		want(t, "counters", r.counters(), fmt.Sprintf("received=10 delivered=6 retried=%d dead=4", retried))
		text := readFile(t, path)
		want(t, "letters", strings.Count(text, "\n"), 4)
		want(t, "letters of the batch that was tried", strings.Count(text, `"reason":"the drain deadline has passed; the last attempt: nobody answers"`), 2)
		want(t, "letters of the others", strings.Count(text, `"reason":"the drain deadline has passed","attempts":0,`), 2)
		want(t, "closed", tg.closed, true)
	})
}

// TestHardEnd ends the context while the queue is full and the target hangs.
func TestHardEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("killed")
		ctx, kill := context.WithCancelCause(t.Context())
		tg, _ := blocked()
		r := newRig(t, tg, `{"export": "null", "queue.size": 10}`)
		r.start(ctx)
		r.send(25)
		synctest.Wait()
		kill(cause)
		if err := <-r.done; !errors.Is(err, cause) {
			t.Errorf("result %v, want %v", err, cause)
		}
		want(t, "counters", r.counters(), "received=25 dropped=15 dead=10")
		want(t, "lost", r.stage.Lost(), 25)
	})
}

// TestGone has a target that will never work again: the stage ends by itself.
func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tg := &target{deliver: func(_ context.Context, n int, items []string) error {
			if n == 2 {
				return fmt.Errorf("%w: %w", syscall.EPIPE, transport.ErrGone)
			}
			return nil
		}}
		r := newRig(t, tg, `{"export": "null", "buffer": 5}`)
		r.start(t.Context())
		r.send(12)
		err := <-r.done // the input is still open
		if !errors.Is(err, transport.ErrGone) || !errors.Is(err, syscall.EPIPE) {
			t.Errorf("result %v, want %v", err, transport.ErrGone)
		}
		want(t, "counters", r.counters(), "received=12 delivered=5 dead=7")
	})
}

func TestReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, &target{}, `{"export": "null"}`)
		r.start(t.Context())
		time.Sleep(150 * time.Second) // nothing to say
		synctest.Wait()
		want(t, "log", r.log.String(), "")
		r.send(3)
		time.Sleep(150 * time.Second) // reported once
		synctest.Wait()
		const line = "exported export=null received=3 delivered=3 duplicates=0 retried=0 dropped=0 dead=0\n"
		want(t, "lines", strings.Count(r.log.String(), line), 1)
		want(t, "result", r.finish(), nil)
		want(t, "lines", strings.Count(r.log.String(), line), 2)
		want(t, "level", strings.Count(r.log.String(), "[Info]"), 2)
	})
}

// probed is a target with a health check.
type probed struct {
	target
	err error
}

func (p *probed) Probe(context.Context) error { return p.err }

func TestHealthCheck(t *testing.T) {
	for name, tt := range map[string]struct {
		attrs string
		err   error
		want  error
		log   string
	}{
		"good":       {`{"export": "null"}`, nil, nil, ""},
		"bad":        {`{"export": "null"}`, errAway, errAway, ""},
		"bad, warn":  {`{"export": "null", "healthcheck": "warn"}`, errAway, nil, `health check failed export=null err="nobody answers"`},
		"bad, off":   {`{"export": "null", "healthcheck": "off"}`, errAway, nil, ""},
		"good, warn": {`{"export": "null", "healthcheck": "warn"}`, nil, nil, ""},
		"no file":    {`{"export": "null", "deadletter.path": "/dev/null/dead"}`, nil, syscall.ENOTDIR, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := &probed{err: tt.err}
			r := newRig(t, &p.target, tt.attrs)
			r.stage.target = p
			if err := r.stage.Test(t.Context()); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if log := r.log.String(); !strings.Contains(log, tt.log) || tt.log == "" && log != "" {
				t.Errorf("log %q, want %q", log, tt.log)
			}
		})
	}
}

// TestUnknownKinds wants the names that there are.
func TestUnknownKinds(t *testing.T) {
	kinds := Builtin()
	kinds.Encoders = nil
	_, err := New(settings(t, `{"export": "null"}`), nil, Env{Kinds: kinds})
	if err == nil || !strings.HasPrefix(err.Error(), `format: no encoder "json"`) {
		t.Errorf("got %v", err)
	}
	kinds = newRig(t, &target{}, `{"export": "null"}`).kinds
	_, err = New(settings(t, `{"export": "terminal"}`), nil, Env{Kinds: kinds})
	if err == nil || err.Error() != `export: no transport "terminal"; there are: null, syslog` {
		t.Errorf("got %v", err)
	}
}

// TestAccounting throws random faults at random batches and wants every record to be accounted for, each delivered
// at most once, in order.
func TestAccounting(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { account(t, seed) })
		})
	}
}

func account(t *testing.T, seed uint64) {
	rnd, faults := rand.New(rand.NewPCG(seed, 0)), rand.New(rand.NewPCG(seed, 1))
	var accepted []string
	dead := 0
	tg := &target{}
	tg.deliver = func(_ context.Context, _ int, items []string) error {
		switch faults.IntN(4) {
		case 0:
			return errAway
		case 1:
			e := new(transport.ItemErrors)
			for i, it := range items {
				switch faults.IntN(5) {
				case 0:
					e.Items = append(e.Items, transport.ItemError{Index: i, Verdict: transport.Undeliverable, Cause: "bad"})
					dead++
				case 1:
					e.Items = append(e.Items, transport.ItemError{Index: i, Verdict: transport.Retry, Cause: "busy"})
				default:
					accepted = append(accepted, it)
				}
			}
			return e
		default:
			accepted = append(accepted, items...)
			return nil
		}
	}
	r := newRig(t, tg, fmt.Sprintf(`{"export": "null", "buffer": %d, "queue.size": %d, "queue.full": "%s", "retry.attempts": %d}`,
		rnd.IntN(40), 1+rnd.IntN(60), []string{"block", "drop"}[rnd.IntN(2)], rnd.IntN(4)))
	r.start(t.Context())
	sent := 0
	for range 1 + rnd.IntN(20) {
		n := 1 + rnd.IntN(50)
		sent += n
		r.send(n)
		time.Sleep(time.Duration(rnd.IntN(3000)) * time.Millisecond)
	}
	want(t, "result", r.finish(), nil)

	c := &r.stage.count
	want(t, "received", c.received.Load(), uint64(sent))
	want(t, "delivered", c.delivered.Load(), uint64(len(accepted)))
	want(t, "delivered, dropped and dead", c.delivered.Load()+c.dropped.Load()+c.dead.Load(), uint64(sent))
	if c.dead.Load() < uint64(dead) {
		t.Errorf("%d dead, want at least the %d rejected", c.dead.Load(), dead)
	}
	seen := map[string]bool{}
	for _, it := range accepted {
		if seen[it] {
			t.Errorf("%s delivered twice", it)
		}
		seen[it] = true
	}
	if ready, _ := r.stage.queue.state(); ready != 0 || r.stage.queue.held != 0 {
		t.Errorf("the queue still holds %d records, %d reserved", ready, r.stage.queue.held)
	}
}

// TestOrder wants records to leave in the order they came, whatever fails.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rnd, faults := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(3, 4))
		var accepted []string
		tg := &target{deliver: func(_ context.Context, _ int, items []string) error {
			n := faults.IntN(2 * len(items)) // as a stream does it: a prefix succeeds
			if n >= len(items) {
				accepted = append(accepted, items...)
				return nil
			}
			accepted = append(accepted, items[:n]...)
			e := new(transport.ItemErrors)
			for i := n; i < len(items); i++ {
				e.Items = append(e.Items, transport.ItemError{Index: i, Cause: "write"})
			}
			return e
		}}
		r := newRig(t, tg, `{"export": "null", "queue.size": 50}`)
		r.start(t.Context())
		for range 30 {
			r.send(1 + rnd.IntN(90))
		}
		want(t, "result", r.finish(), nil)
		want(t, "records", len(accepted), int(r.next))
		for i, it := range accepted {
			if it != fmt.Sprintf(`{"n":%d}`, i+1) {
				t.Fatalf("record %d is %s", i+1, it)
			}
		}
	})
}

// TestTerminal runs the stage with the built-in transport.
func TestTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := new(safeBuffer)
		r := newRig(t, nil, `{"export": "null"}`)
		env := Env{Stdout: out, Kinds: Builtin()}
		env.Kinds.Encoders = r.kinds.Encoders
		s, err := New(settings(t, `{"export": "terminal"}`), nil, env)
		if err != nil {
			t.Fatal(err)
		}
		r.stage = s
		r.start(t.Context())
		r.send(3)
		want(t, "result", r.finish(), nil)
		want(t, "output", out.String(), "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n")
	})
}

// TestReopen has the export file and the dead letter file moved away, as a log rotation does.
func TestReopen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := newRig(t, nil, `{"export": "null"}`)
		env := Env{Kinds: Builtin()}
		env.Kinds.Encoders = r.kinds.Encoders
		s, err := New(settings(t, fmt.Sprintf(`{"export": "file", "path": "%s/out", "deadletter.path": "%[1]s/dead"}`, dir)), nil, env)
		if err != nil {
			t.Fatal(err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 0 {
			t.Errorf("New has made %v", entries)
		}
		r.stage = s
		r.start(t.Context())
		r.next = -2
		r.send(2)
		synctest.Wait()
		for _, f := range []string{"out", "dead"} {
			if err := os.Rename(filepath.Join(dir, f), filepath.Join(dir, f+".old")); err != nil {
				t.Fatal(err)
			}
		}
		r.stage.Reopen()
		r.next = -2
		r.send(2)
		want(t, "result", r.finish(), nil)
		for _, f := range []string{"out", "out.old"} {
			want(t, f, readFile(t, filepath.Join(dir, f)), "{\"n\":0}\n")
		}
		for _, f := range []string{"dead", "dead.old"} {
			want(t, f, strings.Count(readFile(t, filepath.Join(dir, f)), "\n"), 1)
		}
	})
}

// null is what a record costs apart from its encoding.
type null struct{}

func (null) Append(dst []byte, _ *engine.Event) ([]byte, error) {
	return append(dst, `{"version":4,"endts":0,"opflags":["EXEC"],"ret":0,"ts":1553543280704111050,"type":"PE"}`...), nil
}

func nullStage(tb testing.TB) *Stage {
	kinds := Builtin()
	kinds.Encoders = map[string]func(*Config, *Env) (Encoder, error){
		"json": func(*Config, *Env) (Encoder, error) { return null{}, nil },
	}
	s, err := New(settings(tb, `{"export": "null"}`), nil, Env{Kinds: kinds, Stdout: io.Discard})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// TestAllocations holds the stage to no allocation per record.
func TestAllocations(t *testing.T) {
	s := nullStage(t)
	events := make([]engine.Event, 1000)
	cycle := func() {
		if err := s.take(t.Context(), events); err != nil {
			t.Fatal(err)
		}
		if err := s.ship(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	cycle() // makes the chunk
	if n := testing.AllocsPerRun(100, cycle); n > 0 {
		t.Errorf("%v allocations per batch of %d records", n, len(events))
	}
}

// BenchmarkStage measures the whole stage with the null transport and next to no encoding.
func BenchmarkStage(b *testing.B) {
	s := nullStage(b)
	in := engine.NewRecordChannel(4096)
	done := make(chan error, 1)
	go func() { done <- s.Run(b.Context(), in) }()
	var pool engine.Pool
	rec := row(1)
	records := 0
	b.ReportAllocs()
	for b.Loop() {
		batch := pool.Get(nil)
		for range 1024 {
			batch.Add(rec, nil)
		}
		if err := in.Send(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		records += 1024
	}
	in.CloseBatches()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(records), "ns/record")
}

var _ = []Transport{transport.Null{}, (*transport.Terminal)(nil), (*transport.File)(nil)}
var _ Prober = (*transport.File)(nil)
var _ Opener = (*transport.File)(nil)
var _ Reopener = (*transport.File)(nil)
