package policyengine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var catalogue = field.SysFlow()

// tid returns the condition that the thread id is one of ids; the tests tell records apart by it.
func tid(ids ...int64) policy.Node {
	t := &policy.Test{Op: policy.Eq, Left: operand("sf.proc.tid")}
	for _, id := range ids {
		t.Lits = append(t.Lits, policy.Literal{Int: id})
	}
	return t
}

func operand(name string) policy.Operand {
	f, ok := catalogue.Lookup(name, false)
	if !ok {
		panic("no attribute " + name)
	}
	return policy.Operand{Field: f, Index: -1}
}

func rule(name string, cond policy.Node, actions ...string) *policy.Rule {
	return &policy.Rule{
		Rule: &engine.Rule{Name: name, Enabled: true, Actions: actions, Tags: []engine.EnrichmentTag{"tag of " + name}},
		Cond: cond,
	}
}

// loader returns a loader of a fixed policy.
func loader(p *policy.Policy) Loader {
	return func(string, []string) (*policy.Policy, policy.Diagnostics) { return p, nil }
}

func inMode(mode string) Config {
	return Config{Policies: "rules.yaml", Mode: mode, Monitor: MonitorNone, Concurrency: 4}
}

func newStage(t *testing.T, cfg Config, p *policy.Policy, actions ...engine.Action) *Stage {
	t.Helper()
	s, err := New(cfg, nil, loader(p), actions...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// batch returns a batch of process events with the given thread ids.
func batch(pool *flattener.Pool, tids ...int64) *flattener.Batch {
	b := pool.Get()
	for _, id := range tids {
		row := b.Next()
		clear(row.Ints[sfgo.SYSFLOW_IDX])
		clear(row.Strs[sfgo.SYSFLOW_IDX])
		row.Ints[sfgo.SYSFLOW_IDX][sfgo.SF_REC_TYPE] = sfgo.PROC_EVT
		row.Ints[sfgo.SYSFLOW_IDX][sfgo.TID_INT] = id
	}
	return b
}

// run sends batches of records with the given thread ids through s and returns what comes out, one line for each event.
func run(t *testing.T, s *Stage, batches ...[]int64) []string {
	t.Helper()
	in, out := flattener.NewFlatChannel(2*flattener.BatchSize), engine.NewRecordChannel(flattener.BatchSize)
	done := make(chan error, 1)
	go func() { done <- s.Run(t.Context(), in, []*engine.RecordChannel{out}) }()
	go func() {
		var pool flattener.Pool
		for _, tids := range batches {
			if err := in.Send(t.Context(), batch(&pool, tids...)); err != nil {
				panic(err)
			}
		}
		in.CloseBatches()
	}()
	go func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
		out.CloseBatches()
	}()
	var lines []string
	for b := range out.Batches() {
		if len(b.Events) == 0 {
			t.Error("a batch without events")
		}
		for i := range b.Events {
			lines = append(lines, describe(&b.Events[i]))
		}
		b.Release()
	}
	return lines
}

func describe(e *engine.Event) string {
	line := fmt.Sprint(e.Row.Ints[sfgo.SYSFLOW_IDX][sfgo.TID_INT])
	for _, r := range e.Rules {
		line += " " + r.Name
	}
	if len(e.Tags) > 0 {
		line += fmt.Sprint(" ", e.Tags)
	}
	if e.Alert {
		line += " alert"
	}
	if e.Hash != nil {
		line += " hash"
	}
	return line
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestModes(t *testing.T) {
	p := &policy.Policy{
		Drops: []*policy.Drop{{Name: "noise", Enabled: true, Cond: tid(2, 3)}, {Name: "off", Cond: policy.Const(true)}},
		Rules: []*policy.Rule{rule("r1", tid(1, 3)), rule("r2", tid(1, 4))},
	}
	t.Run("alert", func(t *testing.T) {
		s := newStage(t, inMode(ModeAlert), p)
		expect(t, run(t, s, []int64{1, 2, 3}, []int64{2, 5}, []int64{4, 5}), "1 r1 r2 alert", "4 r2 alert")
		counters := map[string]uint64{}
		s.Counters(func(name string, value uint64) { counters[name] = value })
		want := map[string]uint64{"records": 7, "matched": 2, "dropped": 3, "actions.failed": 0, "rule.r1": 1, "rule.r2": 2}
		for name, n := range want {
			if counters[name] != n {
				t.Errorf("counter %s is %d, want %d", name, counters[name], n)
			}
		}
	})
	t.Run("enrich", func(t *testing.T) {
		s := newStage(t, inMode(ModeEnrich), p)
		expect(t, run(t, s, []int64{1, 2, 3}, []int64{2, 5}, []int64{4, 5}), "1 r1 r2", "5", "4 r2", "5")
	})
	t.Run("enrich without policies", func(t *testing.T) {
		s, err := New(Config{Mode: ModeEnrich, Concurrency: 1}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, run(t, s, []int64{1, 2}, []int64{3}), "1", "2", "3")
		if err := s.Reload(); err != nil {
			t.Errorf("nothing to load, but %v", err)
		}
	})
	t.Run("drops only", func(t *testing.T) {
		s := newStage(t, inMode(ModeEnrich), &policy.Policy{Drops: p.Drops})
		expect(t, run(t, s, []int64{1, 2, 3, 4}), "1", "4")
	})
}

// TestOrder runs the same records with different concurrency, and with actions that yield the processor so that batches
// overtake one another.
func TestOrder(t *testing.T) {
	var batches [][]int64
	for i := range int64(60) {
		var tids []int64
		for j := range 1 + i%7 {
			tids = append(tids, i*10+j)
		}
		batches = append(batches, tids)
	}
	yield := action{"yield", func(r *engine.Record) error {
		id := r.GetInt(sfgo.TID_INT, sfgo.SYSFLOW_SRC)
		for range (id * 7919) % 50 {
			runtime.Gosched()
		}
		r.Ctx.AddTag(fmt.Sprint("saw ", id))
		return nil
	}}
	p := &policy.Policy{
		Drops: []*policy.Drop{{Enabled: true, Cond: tid(30, 51, 500)}},
		Rules: []*policy.Rule{rule("most", &policy.Test{Op: policy.Gt, Left: operand("sf.proc.tid"), Lits: []policy.Literal{{Int: 20}}}, "yield")},
	}
	var want []string
	for _, n := range []int{1, 2, 8, 64} {
		cfg := inMode(ModeEnrich)
		cfg.Concurrency = n
		got := run(t, newStage(t, cfg, p, yield), batches...)
		if want == nil {
			want = got
		}
		expect(t, got, want...)
	}
	if len(want) < 200 {
		t.Errorf("only %d events", len(want))
	}
}

// TestTee checks that all outputs get the same batch, which stays until the last of them is done.
func TestTee(t *testing.T) {
	s := newStage(t, inMode(ModeAlert), &policy.Policy{Rules: []*policy.Rule{rule("r", tid(1))}})
	in := flattener.NewFlatChannel(1)
	outs := []*engine.RecordChannel{engine.NewRecordChannel(1), engine.NewRecordChannel(1), engine.NewRecordChannel(1)}
	var pool flattener.Pool
	if err := in.Send(t.Context(), batch(&pool, 1)); err != nil {
		t.Fatal(err)
	}
	in.CloseBatches()
	if err := s.Run(t.Context(), in, outs); err != nil {
		t.Fatal(err)
	}
	var first *engine.Batch
	for i, out := range outs {
		b := <-out.Batches()
		if first == nil {
			first = b
		}
		if b != first || describe(&b.Events[0]) != "1 r alert" {
			t.Errorf("output %d got something else", i)
		}
		b.Release()
	}
}

// TestNoOutput runs a stage whose records go nowhere.
func TestNoOutput(t *testing.T) {
	s := newStage(t, inMode(ModeAlert), &policy.Policy{Rules: []*policy.Rule{rule("r", tid(1))}})
	in := flattener.NewFlatChannel(1)
	var pool flattener.Pool
	if err := in.Send(t.Context(), batch(&pool, 1)); err != nil {
		t.Fatal(err)
	}
	in.CloseBatches()
	if err := s.Run(t.Context(), in, nil); err != nil {
		t.Fatal(err)
	}
}

// TestCancel ends the context while the output is full and batches are under way.
func TestCancel(t *testing.T) {
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	s := newStage(t, inMode(ModeEnrich), &policy.Policy{})
	in, out := flattener.NewFlatChannel(64*flattener.BatchSize), engine.NewRecordChannel(1)
	var pool flattener.Pool
	for i := range int64(20) {
		if err := in.Send(t.Context(), batch(&pool, i)); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error)
	go func() { done <- s.Run(ctx, in, []*engine.RecordChannel{out}) }()
	<-out.Batches()
	cancel(stop)
	if err := <-done; !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

// TestReload swaps policies while records flow: the change shows at one point of the output.
func TestReload(t *testing.T) {
	policies := []*policy.Policy{
		{Rules: []*policy.Rule{rule("old", policy.Const(true))}},
		nil, // fails
		{Rules: []*policy.Rule{rule("new", policy.Const(true))}},
	}
	fault := &policy.Diagnostic{Pos: policy.Pos{File: "rules.yaml", Line: 3, Col: 7}, Severity: policy.Error, Code: "E301", Message: "unknown attribute 'x'"}
	s, err := New(inMode(ModeAlert), nil, func(string, []string) (*policy.Policy, policy.Diagnostics) {
		p := policies[0]
		policies = policies[1:]
		if p == nil {
			return nil, policy.Diagnostics{fault}
		}
		return p, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	in, out := flattener.NewFlatChannel(1), engine.NewRecordChannel(1)
	var g sync.WaitGroup
	g.Go(func() {
		if err := s.Run(t.Context(), in, []*engine.RecordChannel{out}); err != nil {
			t.Error(err)
		}
		out.CloseBatches()
	})
	var pool flattener.Pool
	through := func(id int64, want string) {
		t.Helper()
		if err := in.Send(t.Context(), batch(&pool, id)); err != nil {
			t.Fatal(err)
		}
		b := <-out.Batches()
		expect(t, []string{describe(&b.Events[0])}, want)
		b.Release()
	}
	through(1, "1 old alert")
	loadError, ok := errors.AsType[*LoadError](s.Reload())
	if !ok || !strings.Contains(loadError.Error(), "rules.yaml:3:7: error: unknown attribute 'x' [E301]") {
		t.Errorf("got %v", loadError)
	}
	through(2, "2 old alert")
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	through(3, "3 new alert")
	in.CloseBatches()
	g.Wait()
}

func TestNew(t *testing.T) {
	empty := loader(&policy.Policy{})
	broken := loader(&policy.Policy{Rules: []*policy.Rule{rule("r", &policy.Test{Op: policy.Lt, Left: operand("sf.proc.exe"), Lits: []policy.Literal{{}}})}})
	nothing := func(*engine.Record) error { return nil }
	for name, tt := range map[string]struct {
		cfg     Config
		load    Loader
		actions []engine.Action
		want    string // "" if it succeeds
	}{
		"alert":                       {cfg: inMode(ModeAlert), load: empty},
		"alert without policies":      {cfg: Config{Mode: ModeAlert, Concurrency: 1}, want: "required attribute 'policies' is missing"},
		"enrich without policies":     {cfg: Config{Mode: ModeEnrich, Concurrency: 1}},
		"rule that cannot be made":    {cfg: inMode(ModeAlert), load: broken, want: "rule 'r': sf.proc.exe"},
		"action without name":         {cfg: inMode(ModeAlert), load: empty, actions: []engine.Action{action{"", nothing}}, want: "no name"},
		"action without function":     {cfg: inMode(ModeAlert), load: empty, actions: []engine.Action{action{"a", nil}}, want: "'a': it has no function"},
		"action that replaces":        {cfg: inMode(ModeAlert), load: empty, actions: []engine.Action{action{"tag", nothing}}, want: "'tag': built-in"},
		"action twice":                {cfg: inMode(ModeAlert), load: empty, actions: []engine.Action{action{"a", nothing}, action{"a", nothing}}},
		"action that panics in there": {cfg: inMode(ModeAlert), load: empty, actions: []engine.Action{panicking{}}, want: "panic while it was registered: boo"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(tt.cfg, nil, tt.load, tt.actions...)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// TestLoadIsLogged checks that warnings of a load that succeeds reach the log.
func TestLoadIsLogged(t *testing.T) {
	var log strings.Builder
	load := func(path string, actions []string) (*policy.Policy, policy.Diagnostics) {
		if path != "rules.yaml" || !slices.Equal(actions, []string{"a"}) {
			t.Errorf("load of %s with actions %s", path, actions)
		}
		return &policy.Policy{}, policy.Diagnostics{{Pos: policy.Pos{File: "rules.yaml", Line: 1, Col: 1}, Severity: policy.Warning, Code: "W124", Message: "policy file holds no items"}}
	}
	a := action{"a", func(*engine.Record) error { return nil }}
	if _, err := New(inMode(ModeAlert), slog.New(slog.NewTextHandler(&log, nil)), load, a); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"level=WARN", "W124", `msg="policies loaded" path=rules.yaml rules=0 drops=0`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in %s", want, log.String())
		}
	}
}

// TestSelfTest checks that the health check notices a rule that cannot be evaluated.
func TestSelfTest(t *testing.T) {
	good := newStage(t, inMode(ModeAlert), &policy.Policy{Rules: []*policy.Rule{rule("r", tid(1))}})
	if err := good.Test(t.Context()); err != nil {
		t.Error(err)
	}
	f := *operand("sf.proc.tid").Field
	f.Int = func(r *sfgo.FlatRecord) (int64, bool) {
		if r.Ints[sfgo.SYSFLOW_IDX][sfgo.SF_REC_TYPE] == sfgo.FILE_FLOW {
			panic("boo")
		}
		return 0, true
	}
	cond := &policy.Test{Op: policy.Eq, Left: policy.Operand{Field: &f, Index: -1}, Lits: []policy.Literal{{Int: 1}}}
	bad := newStage(t, inMode(ModeAlert), &policy.Policy{Rules: []*policy.Rule{rule("r", cond)}})
	if err := bad.Test(t.Context()); err == nil || !strings.Contains(err.Error(), "boo") {
		t.Errorf("got %v", err)
	}
}

// TestMonitor edits a policy file while records flow: first so that it is wrong, then so that it is right.
func TestMonitor(t *testing.T) {
	dir := t.TempDir()
	write := func(condition string) {
		text := "- rule: " + strings.ReplaceAll(condition, " ", "_") + "\n  desc: d\n  condition: " + condition + "\n"
		if err := os.WriteFile(filepath.Join(dir, "rules.yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("sf.type = PE")
	cfg := inMode(ModeAlert)
	cfg.Policies, cfg.Monitor, cfg.MonitorInterval = dir, MonitorLocal, 20*time.Millisecond
	log := &syncLog{lines: make(chan string, 100)}
	s, err := New(cfg, slog.New(slog.NewTextHandler(log, nil)), func(path string, actions []string) (*policy.Policy, policy.Diagnostics) {
		return falco.Load(path, falco.Options{Actions: actions, Catalogue: catalogue})
	})
	if err != nil {
		t.Fatal(err)
	}
	in, out := flattener.NewFlatChannel(1), engine.NewRecordChannel(1)
	var g sync.WaitGroup
	g.Go(func() {
		if err := s.Run(t.Context(), in, []*engine.RecordChannel{out}); err != nil {
			t.Error(err)
		}
	})
	var pool flattener.Pool
	through := func(id int64, want string) {
		t.Helper()
		if err := in.Send(t.Context(), batch(&pool, id)); err != nil {
			t.Fatal(err)
		}
		b := <-out.Batches()
		expect(t, []string{describe(&b.Events[0])}, want)
		b.Release()
	}
	log.wait("policies loaded")
	through(1, "1 sf.type_=_PE alert")
	write("sf.proc.nmae = x")
	log.wait("unknown attribute 'sf.proc.nmae' [E301]")
	log.wait("policies not loaded, the old ones stay")
	through(2, "2 sf.type_=_PE alert")
	write("sf.proc.tid > 2")
	log.wait("policies loaded")
	through(3, "3 sf.proc.tid_>_2 alert")
	in.CloseBatches()
	g.Wait()
}

// syncLog hands over the lines of a log.
type syncLog struct{ lines chan string }

func (l *syncLog) Write(p []byte) (int, error) {
	l.lines <- string(p)
	return len(p), nil
}

// wait returns when a line holds part.
func (l *syncLog) wait(part string) {
	for line := range l.lines {
		if strings.Contains(line, part) {
			return
		}
	}
}
