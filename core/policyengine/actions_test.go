package policyengine

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// action is an action of the user.
type action struct {
	name string
	f    engine.ActionFunc
}

func (a action) GetName() string            { return a.name }
func (a action) GetFunc() engine.ActionFunc { return a.f }

// panicking is an action whose methods panic.
type panicking struct{}

func (panicking) GetName() string            { panic("boo") }
func (panicking) GetFunc() engine.ActionFunc { return nil }

func tagger(name string) action {
	return action{name, func(r *engine.Record) error {
		r.Ctx.AddTag(name)
		return nil
	}}
}

func TestActions(t *testing.T) {
	sees := action{"sees", func(r *engine.Record) error {
		r.Ctx.AddTag(strings.Join(r.Ctx.GetTags(), "+"))
		for _, rule := range r.Ctx.GetRules() {
			r.Ctx.AddTag("in " + rule.Name)
		}
		return nil
	}}
	changes := action{"changes", func(r *engine.Record) error {
		r.Fr.Ints[sfgo.SYSFLOW_IDX][sfgo.TID_INT] = 99
		r.Fr.Strs[sfgo.SYSFLOW_IDX][sfgo.PROC_EXE_STR] = "changed"
		r.Ctx.GetRules()[0].Tags[0] = "changed"
		return nil
	}}
	seesChange := action{"seesChange", func(r *engine.Record) error {
		r.Ctx.AddTag(r.GetStr(sfgo.PROC_EXE_STR, sfgo.SYSFLOW_SRC))
		return nil
	}}
	all := []engine.Action{
		tagger("a"), tagger("b"), sees, changes, seesChange,
		action{"fails", func(*engine.Record) error { return errors.New("no luck") }},
		action{"panics", func(r *engine.Record) error { r.Ctx.AddTag("before"); panic("boo") }},
		action{"calm", func(r *engine.Record) error { r.Ctx.SetAlert(false); return nil }},
		action{"adds", func(r *engine.Record) error { r.Ctx.AddRule(engine.Rule{Name: "added"}); return nil }},
		action{"hashes", func(r *engine.Record) error {
			r.Ctx.SetHashes(engine.HASH_TYPE_FILE, &engine.HashSet{Md5: "d41d"})
			return nil
		}},
	}
	for name, tt := range map[string]struct {
		rules []*policy.Rule
		want  string
	}{
		"none":            {[]*policy.Rule{rule("r", tid(1))}, "1 r alert"},
		"in order":        {[]*policy.Rule{rule("r", tid(1), "b", "a", "b")}, "1 r [b a b] alert"},
		"rule after rule": {[]*policy.Rule{rule("r1", tid(1), "a", "sees"), rule("r2", tid(1), "sees")}, "1 r1 r2 [a a in r1 a+a+in r1 in r1 in r2] alert"},
		"built-in":        {[]*policy.Rule{rule("r", tid(1), "tag")}, "1 r alert"},
		"not registered":  {[]*policy.Rule{rule("r", tid(1), "nobody", "a")}, "1 r [a] alert"},
		"error":           {[]*policy.Rule{rule("r", tid(1), "fails", "a")}, "1 r [a] alert"},
		"panic":           {[]*policy.Rule{rule("r1", tid(1), "panics", "a"), rule("r2", tid(1), "b")}, "1 r1 r2 [before a b] alert"},
		"changes":         {[]*policy.Rule{rule("r1", tid(1), "changes"), rule("r2", tid(1), "seesChange")}, "1 r1 r2 [changed] alert"},
		"alert flag":      {[]*policy.Rule{rule("r", tid(1), "calm")}, "1 r"},
		"rules":           {[]*policy.Rule{rule("r1", tid(1), "adds"), rule("r2", tid(1))}, "1 r1 added r2 alert"},
		"hashes":          {[]*policy.Rule{rule("r", tid(1), "hashes")}, "1 r alert hash"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, inMode(ModeAlert), &policy.Policy{Rules: tt.rules}, all...)
			expect(t, run(t, s, []int64{1, 2}), tt.want)
			if tag := tt.rules[0].Tags[0]; tag != "tag of "+tt.rules[0].Name {
				t.Errorf("the tag of the shared rule is now %s", tag)
			}
		})
	}
}

// TestActionKeepsRecord checks that nothing of a record that an action keeps is shared with what goes out.
func TestActionKeepsRecord(t *testing.T) {
	var kept *engine.Record
	keep := action{"keep", func(r *engine.Record) error {
		r.Ctx.AddTags("t1", "t2")
		r.Ctx.SetHashes(engine.HASH_TYPE_PROC, &engine.HashSet{Sha1: "da39"})
		kept = r
		return nil
	}}
	s := newStage(t, inMode(ModeAlert), &policy.Policy{Rules: []*policy.Rule{rule("r", tid(1), "keep")}}, keep)
	rows := batch(new(flattener.Pool), 1)
	out := s.evaluate(job{rows: rows, first: 1, version: s.current.Load()})
	e := &out.Events[0]
	kept.Ctx.GetTags()[0] = "late"
	kept.Ctx.GetRules()[0].Name = "late"
	kept.Ctx.GetRules()[0].Tags[0] = "late"
	kept.Ctx.GetHash(engine.HASH_TYPE_PROC).Sha1 = "late"
	if e.Tags[0] != "t1" || e.Rules[0].Name != "r" || e.Rules[0].Tags[0] != "tag of r" || e.Hash[engine.HASH_TYPE_PROC].Sha1 != "da39" {
		t.Errorf("got %+v, rule %+v", e, e.Rules[0])
	}
	row := e.Row
	out.Release()
	if kept.Fr.Ints[0][sfgo.TID_INT] = 7; row.Ints[0][sfgo.TID_INT] != 1 {
		t.Error("the record shares memory with the row")
	}
}

// TestFailuresAreLogged checks that failures name rule and action, panics show their stack, and that a thousand
// failures are one line.
func TestFailuresAreLogged(t *testing.T) {
	var log strings.Builder
	actions := []engine.Action{
		action{"fails", func(*engine.Record) error { return errors.New("no luck") }},
		action{"panics", func(*engine.Record) error { panic("boo") }},
	}
	p := &policy.Policy{Rules: []*policy.Rule{rule("r1", policy.Const(true), "fails"), rule("r2", policy.Const(true), "panics")}}
	cfg := inMode(ModeAlert)
	cfg.Concurrency = 1 // strings.Builder is not for several goroutines
	s, err := New(cfg, slog.New(slog.NewTextHandler(&log, nil)), loader(p), actions...)
	if err != nil {
		t.Fatal(err)
	}
	run(t, s, make([]int64, 500), make([]int64, 500))
	for _, want := range []string{
		`msg="action failed" rule=r1 action=fails failures=1 err="no luck"`,
		`msg="action failed" rule=r2 action=panics failures=1 err="panic: boo" calls="policyengine.TestFailuresAreLogged`, "TestFailuresAreLogged",
	} {
		if strings.Count(log.String(), want) != 1 {
			t.Errorf("not once in the log: %s\n%s", want, log.String())
		}
	}
	failed := uint64(0)
	s.Counters(func(name string, value uint64) {
		if name == "actions.failed" {
			failed = value
		}
	})
	if failed != 2000 {
		t.Errorf("%d failures counted", failed)
	}
}
