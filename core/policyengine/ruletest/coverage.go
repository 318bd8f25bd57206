package ruletest

import (
	"cmp"
	"slices"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/terms"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Coverage is what the records of all tests have tried of a policy set. Conditions are evaluated from left to right and no
// further than their value takes, so a term counts only where it decides.
type Coverage struct {
	Policies string // path
	Subjects []*Fired
	Terms    []*Tried
}

// Fired says whether an enabled rule or drop matched any record.
type Fired struct {
	policy.Pos
	Subject string // for example rule 'R'
	Fired   bool
}

// Tried says which values a term of enabled rules and drops had. One that had neither was never evaluated.
type Tried struct {
	policy.Pos
	Text  string // as written
	True  bool
	False bool
}

// coverage collects coverage. A nil coverage collects nothing.
type coverage struct {
	Coverage
	eval  *terms.Evaluator
	conds []condition
	terms map[*policy.Term]*Tried
}

// condition is that of a rule or drop.
type condition struct {
	policy.Node
	drop  bool
	types field.Types // record types that the rule looks at; 0: all
	fired *Fired
}

// newCoverage returns a coverage of the policies at path.
func newCoverage(path string, p *policy.Policy) (*coverage, error) {
	eval, err := terms.New(p)
	if err != nil {
		return nil, err
	}
	c := &coverage{Coverage: Coverage{Policies: path}, eval: eval, terms: map[*policy.Term]*Tried{}}
	add := func(s subject, pos policy.Pos, cond policy.Node, types field.Types) {
		fired := &Fired{Pos: pos, Subject: s.String()}
		c.Subjects = append(c.Subjects, fired)
		c.conds = append(c.conds, condition{cond, s.drop, types, fired})
		c.add(cond)
	}
	for _, d := range p.Drops {
		if d.Enabled {
			add(subject{d.Name, true}, d.Pos, d.Cond, 0)
		}
	}
	for _, r := range p.Rules {
		if r.Enabled {
			add(subject{r.Name, false}, r.Pos, r.Cond, r.Prefilter)
		}
	}
	return c, nil
}

// add adds the terms of a condition.
func (c *coverage) add(n policy.Node) {
	switch n := n.(type) {
	case policy.And:
		for _, k := range n {
			c.add(k)
		}
	case policy.Or:
		for _, k := range n {
			c.add(k)
		}
	case policy.Not:
		c.add(n.X)
	case *policy.Term:
		if c.terms[n] != nil {
			return
		}
		t := &Tried{Pos: n.Pos, Text: n.Text}
		c.terms[n] = t
		c.Terms = append(c.Terms, t)
		if n.Macro {
			c.add(n.X)
		}
	}
}

// look evaluates conditions on a row as the engine does, except that all drops are tried.
func (c *coverage) look(row *sfgo.FlatRecord, num int64) {
	if c == nil {
		return
	}
	c.eval.Look(row, num)
	typ := row.Ints[sfgo.SYSFLOW_IDX][sfgo.SF_REC_TYPE]
	dropped := false
	for _, cond := range c.conds { // drops come first
		if !cond.drop && (dropped || cond.types != 0 && !cond.types.Has(typ)) {
			continue
		}
		if c.eval.Walk(cond.Node, c.tried) {
			cond.fired.Fired = true
			dropped = dropped || cond.drop
		}
	}
}

// tried notes the value of a term.
func (c *coverage) tried(t *policy.Term, holds bool) {
	tried := c.terms[t]
	tried.True = tried.True || holds
	tried.False = tried.False || !holds
}

// finish returns what was collected, by place.
func (c *coverage) finish() *Coverage {
	byPlace := func(a, b policy.Pos) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	}
	slices.SortStableFunc(c.Subjects, func(a, b *Fired) int { return byPlace(a.Pos, b.Pos) })
	slices.SortStableFunc(c.Terms, func(a, b *Tried) int { return byPlace(a.Pos, b.Pos) })
	return &c.Coverage
}
