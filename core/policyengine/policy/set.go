package policy

import (
	"errors"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Set is a compiled policy set. It never changes and may be used by any number of goroutines.
type Set struct {
	policy *Policy
}

// Compile compiles a policy set. The front ends have checked it already, so an error means that a front end is wrong: it
// says which rule has a test that no attribute of its type can answer.
func Compile(p *Policy) (*Set, error) {
	if p == nil {
		return nil, errors.New("compile policies: there are none")
	}
	return &Set{policy: p}, nil
}

// Rules returns the rules in the order of the policy files, those that are not enabled included.
func (s *Set) Rules() []*Rule { return s.policy.Rules }

// Drops returns the drop rules in the order of the policy files, those that are not enabled included.
func (s *Set) Drops() []*Drop { return s.policy.Drops }

// Evaluator evaluates a Set. It holds scratch memory and so is for one goroutine at a time.
type Evaluator struct {
	set     *Set
	matched []*engine.Rule
}

// NewEvaluator returns an evaluator of the set.
func (s *Set) NewEvaluator() *Evaluator { return &Evaluator{set: s} }

// Eval returns the rules that match a row, in the order of the policy files, or drop if a drop rule discards it. num is
// the number of the row in the engine's input, counted from 1. The slice is valid until the next call; the rules are
// shared and never change.
func (e *Evaluator) Eval(row *sfgo.FlatRecord, num int64) (matched []*engine.Rule, drop bool) {
	r := record{row, num}
	for _, d := range e.set.policy.Drops {
		if d.Enabled && holds(d.Cond, r) {
			return nil, true
		}
	}
	e.matched = e.matched[:0]
	for _, rule := range e.set.policy.Rules {
		if rule.Enabled && (rule.Prefilter == 0 || rule.Prefilter.Has(recordType(row))) && holds(rule.Cond, r) {
			e.matched = append(e.matched, rule.Rule)
		}
	}
	return e.matched, false
}
