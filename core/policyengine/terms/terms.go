package terms

import (
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Evaluator evaluates the conditions of a policy term by term. It has the engine evaluate each term as a rule of its own,
// so that a term never means anything else here than there.
type Evaluator struct {
	eval  *policy.Evaluator
	rules map[*engine.Rule]int
	index map[policy.Node]int // of comparisons, by pointer
	truth []bool              // by index, on the record looked at

	macros map[*policy.Term]bool // what the present walk knows of uses of macros
}

// New returns an evaluator of the conditions in p, those of rules that are not enabled included. An error means that a
// front end is wrong, as in [policy.Compile].
func New(p *policy.Policy) (*Evaluator, error) {
	e := &Evaluator{rules: map[*engine.Rule]int{}, index: map[policy.Node]int{}, macros: map[*policy.Term]bool{}}
	var rules []*policy.Rule
	add := func(leaf policy.Node) {
		if _, known := e.index[leaf]; known {
			return
		}
		rule := &policy.Rule{Rule: &engine.Rule{Enabled: true}, Cond: leaf}
		e.index[leaf] = len(rules)
		e.rules[rule.Rule] = len(rules)
		rules = append(rules, rule)
	}
	seen := map[*policy.Term]bool{} // macros
	for _, d := range p.Drops {
		leaves(d.Cond, seen, add)
	}
	for _, r := range p.Rules {
		leaves(r.Cond, seen, add)
	}
	set, err := policy.Compile(&policy.Policy{Rules: rules})
	if err != nil {
		return nil, err
	}
	e.eval, e.truth = set.NewEvaluator(), make([]bool, len(rules))
	return e, nil
}

// leaves calls add with each comparison in n, as a term where it is one. seen are the macros that were entered.
func leaves(n policy.Node, seen map[*policy.Term]bool, add func(policy.Node)) {
	switch n := n.(type) {
	case policy.And:
		for _, k := range n {
			leaves(k, seen, add)
		}
	case policy.Or:
		for _, k := range n {
			leaves(k, seen, add)
		}
	case policy.Not:
		leaves(n.X, seen, add)
	case *policy.Term:
		if !n.Macro {
			add(n)
		} else if !seen[n] {
			seen[n] = true
			leaves(n.X, seen, add)
		}
	case *policy.Test:
		add(n)
	}
}

// Look evaluates all terms on a row. num is the number of the row in the engine's input, counted from 1.
func (e *Evaluator) Look(row *sfgo.FlatRecord, num int64) {
	clear(e.truth)
	matched, _ := e.eval.Eval(row, num)
	for _, r := range matched {
		e.truth[e.rules[r]] = true
	}
}

// Walk evaluates a condition of the policy on the row looked at, from left to right and no further than its value takes.
// It calls see with each term that it comes to and the term's value. A macro comes after the terms in it; those are left
// out where the walk reaches the same use of a macro again, by way of another macro.
func (e *Evaluator) Walk(n policy.Node, see func(t *policy.Term, holds bool)) bool {
	clear(e.macros)
	return e.walk(n, see)
}

func (e *Evaluator) walk(n policy.Node, see func(t *policy.Term, holds bool)) bool {
	switch n := n.(type) {
	case policy.And:
		for _, k := range n {
			if !e.walk(k, see) {
				return false
			}
		}
		return true
	case policy.Or:
		for _, k := range n {
			if e.walk(k, see) {
				return true
			}
		}
		return false
	case policy.Not:
		return !e.walk(n.X, see)
	case policy.Const:
		return bool(n)
	case *policy.Term:
		holds := e.term(n, see)
		see(n, holds)
		return holds
	default:
		return e.holds(n)
	}
}

// term returns the value of a term.
func (e *Evaluator) term(t *policy.Term, see func(t *policy.Term, holds bool)) bool {
	if !t.Macro {
		return e.holds(t)
	}
	holds, known := e.macros[t]
	if !known { // macros that use each other often are small as a graph and endless as a tree
		holds = e.walk(t.X, see)
		e.macros[t] = holds
	}
	return holds
}

// holds returns the value of a comparison.
func (e *Evaluator) holds(leaf policy.Node) bool {
	i, known := e.index[leaf]
	return known && e.truth[i]
}
