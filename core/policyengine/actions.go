package policyengine

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/logger"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

// logInterval is the time between two lines about the failures of one action in one rule.
const logInterval = time.Minute

// actions are the actions that rules may run, by name.
type actions struct {
	log   *slog.Logger
	funcs map[string]engine.ActionFunc
}

// builtin are the actions that are always there. Tagging is automatic, so the old action tag has nothing left to do.
var builtin = map[string]engine.ActionFunc{
	"tag": func(*engine.Record) error { return nil },
}

// newActions registers the built-in actions and those of the user.
func newActions(user []engine.Action, log *slog.Logger) (*actions, error) {
	a := &actions{log: log, funcs: maps.Clone(builtin)}
	var errs []error
	for _, action := range user {
		errs = append(errs, a.register(action))
	}
	return a, errors.Join(errs...)
}

// register adds an action of the user, whose methods may panic.
func (a *actions) register(action engine.Action) (err error) {
	name := ""
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("action '%s': panic while it was registered: %v", name, p)
		}
	}()
	name = action.GetName()
	f := action.GetFunc()
	switch {
	case name == "":
		return errors.New("action: it has no name")
	case f == nil:
		return fmt.Errorf("action '%s': it has no function", name)
	case builtin[name] != nil:
		return fmt.Errorf("action '%s': built-in actions cannot be replaced", name)
	case a.funcs[name] != nil:
		a.log.Warn("action registered twice, the later one counts", "action", name)
	}
	a.funcs[name] = f
	return nil
}

// names returns the names of the user's actions, sorted.
func (a *actions) names() []string {
	var names []string
	for name := range a.funcs {
		if builtin[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// ruleAction is an action as a rule runs it.
type ruleAction struct {
	name, rule string
	run        engine.ActionFunc
	log        *slog.Logger
	counters   *counters

	failures atomic.Uint64
	logged   atomic.Int64 // time of the last line, ns since the epoch
}

// bind returns the actions of a rule, in order. Names that are not registered, which a lenient front end lets through,
// are left out.
func (a *actions) bind(rule *engine.Rule, c *counters) []*ruleAction {
	var list []*ruleAction
	for _, name := range rule.Actions {
		if f := a.funcs[name]; f != nil {
			list = append(list, &ruleAction{name: name, rule: rule.Name, run: f, log: a.log, counters: c})
		}
	}
	return list
}

// apply runs the action on a record. Its errors and panics end here.
func (a *ruleAction) apply(r *engine.Record) {
	defer func() {
		if p := recover(); p != nil {
			a.failed("err", fmt.Sprintf("panic: %v", p), "calls", logger.PanicCalls())
		}
	}()
	if err := a.run(r); err != nil {
		a.failed("err", err)
	}
}

// failed counts a failure, and logs it unless another one was logged a short while ago.
func (a *ruleAction) failed(attrs ...any) {
	a.counters.actionErrors.Add(1)
	n := a.failures.Add(1)
	last, now := a.logged.Load(), time.Now().UnixNano()
	if last != 0 && now-last < int64(logInterval) || !a.logged.CompareAndSwap(last, now) {
		return
	}
	a.log.Error("action failed", append([]any{"rule", a.rule, "action", a.name, "failures", n}, attrs...)...)
}

// act counts the rules that an event matches and runs their actions.
func (v *version) act(e *engine.Event) {
	actions := 0
	for _, r := range e.Rules {
		b := v.rules[r]
		b.hits.Add(1)
		actions += len(b.actions)
	}
	if actions > 0 {
		v.runActions(e)
	}
}

// runActions runs the actions of the rules that an event matches. They get one record, a copy made for them, which has
// each rule when its actions run. What they leave in its context goes out with the event; they may keep the record, so
// nothing of it is shared.
func (v *version) runActions(e *engine.Event) {
	rec := engine.NewRecord(*flattener.Own(e.Row))
	rec.Ctx.SetAlert(e.Alert)
	for _, r := range e.Rules {
		rec.Ctx.AddRule(ownRule(*r))
		for _, a := range v.rules[r].actions {
			a.apply(rec)
		}
	}
	e.Alert = rec.Ctx.IsAlert()
	e.Tags = slices.Clone(rec.Ctx.GetTags())
	e.Rules = nil
	for _, r := range rec.Ctx.GetRules() {
		own := ownRule(r)
		e.Rules = append(e.Rules, &own)
	}
	e.Hash = hashes(&rec.Ctx)
}

// ownRule returns a copy that shares no memory with the rule.
func ownRule(r engine.Rule) engine.Rule {
	r.Actions = slices.Clone(r.Actions)
	r.Tags = slices.Clone(r.Tags)
	r.Prefilter = slices.Clone(r.Prefilter)
	return r
}

// hashes returns copies of the hashes of a context, or nil if it has none.
func hashes(c *engine.Context) *[2]*engine.HashSet {
	var all [2]*engine.HashSet
	found := false
	for _, t := range []engine.HashType{engine.HASH_TYPE_PROC, engine.HASH_TYPE_FILE} {
		if h := c.GetHash(t); h != nil {
			own := *h
			all[t], found = &own, true
		}
	}
	if !found {
		return nil
	}
	return &all
}
