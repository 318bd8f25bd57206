package ruletest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/config/yamldoc"
	"github.com/sysflow-telemetry/sf-processor/core/flattener/trace"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// knows says whether the policies have what a case is about; if not, that is a fault of the test file.
func (t *tested) knows(c *testCase) bool {
	all := true
	for _, e := range c.expect {
		if !find(e.at, e.subject, t.names(e.drop)) {
			all = false
		}
	}
	return all
}

// check evaluates the policies on the record of a case.
func (t *tested) check(c *testCase, row *sfgo.FlatRecord) *Case {
	done := &Case{Place: c.at.Place(), Subject: c.subject, Name: c.title}
	matched, dropped := t.eval.Eval(row, 1)
	t.coverage.look(row, 1)
	expected := map[string]bool{}
	for _, e := range c.expect {
		if t.cases[e.subject] == nil {
			t.cases[e.subject] = map[bool]bool{}
		}
		t.cases[e.subject][e.want] = true
		expected[e.name] = e.want
		i := slices.IndexFunc(matched, func(rule *engine.Rule) bool { return rule.Name == e.name })
		got := i >= 0
		if e.drop {
			_, got = t.alone[e.name].Eval(row, 1)
		}
		switch {
		case got != e.want:
			done.fail(e.at, e.who, outcome(e, matched, dropped))
		case got && !e.drop:
			done.compare(e, matched[i], row)
		}
	}
	if c.others {
		for _, rule := range matched {
			if _, said := expected[rule.Name]; !said {
				done.fail(c.at, fmt.Sprintf("%s, rule '%s'", c, rule.Name), "matches")
			}
		}
	}
	if c.dropped.Present() && c.dropped.Bool() != dropped {
		message := "the record is dropped"
		if !dropped {
			message = "the record is not dropped"
		}
		done.fail(c.dropped, c.String(), message)
	}
	return done
}

// String returns what reports call the case.
func (c *testCase) String() string { return (&Case{Subject: c.subject, Name: c.title}).String() }

func (c *Case) fail(at yamldoc.Value, who, message string) {
	c.Failures = append(c.Failures, &Failure{at.Place(), who, message})
}

// outcome says how what came of a record differs from what is expected.
func outcome(e expectation, matched []*engine.Rule, dropped bool) string {
	switch {
	case !e.want:
		return "matches"
	case dropped:
		return "does not match: the record is dropped"
	case len(matched) == 0:
		return "does not match, nor does any other rule"
	default:
		return "does not match; what does: " + quoted(matched)
	}
}

// quoted lists the names of rules.
func quoted(rules []*engine.Rule) string {
	names := make([]string, len(rules))
	for i, rule := range rules {
		names[i] = "'" + rule.Name + "'"
	}
	return strings.Join(names, ", ")
}

// compare compares the tags and the message of a rule that matches a row with what is expected.
func (c *Case) compare(e expectation, rule *engine.Rule, row *sfgo.FlatRecord) {
	if e.tags.Present() {
		got := make([]string, len(rule.Tags))
		for i, tag := range rule.Tags {
			got[i] = fmt.Sprint(tag)
		}
		if want := e.tags.Texts(); !slices.Equal(got, want) {
			c.fail(e.tags, e.who, fmt.Sprintf("has the tags %q, want %q", got, want))
		}
	}
	if !e.output.Present() {
		return
	}
	var got []byte
	if rule.Output != nil {
		got = rule.Output(nil, row)
	}
	if want := e.output.Text(); string(got) != want {
		c.fail(e.output, e.who, fmt.Sprintf("says %q, want %q", got, want))
	}
}

// trace counts the records of a trace that each rule matches. It returns nil if the test file names a rule that the
// policies do not have; that is reported.
func (t *tested) trace(ctx context.Context, c *traceCase) (*Case, error) {
	for _, want := range c.want {
		if !find(want.at, subject{name: want.rule}, t.rules) {
			return nil, nil
		}
	}
	done := &Case{Place: c.at.Place(), Subject: "trace " + c.path}
	got := map[string]int64{}
	var num, drops int64
	for row, err := range trace.Rows(ctx, c.path, trace.Options{}) {
		if err != nil {
			return nil, err
		}
		num++
		matched, dropped := t.eval.Eval(row, num)
		t.coverage.look(row, num)
		if dropped {
			drops++
		}
		for _, rule := range matched {
			got[rule.Name]++
		}
	}
	for _, want := range c.want {
		if n := got[want.rule]; n != want.n {
			done.fail(want.at, fmt.Sprintf("rule '%s'", want.rule), fmt.Sprintf("matches %d records of %s, want %d", n, c.path, want.n))
		}
		delete(got, want.rule)
	}
	for _, name := range t.rules { // in the order of the policies
		if n := got[name]; n > 0 {
			done.fail(c.at, fmt.Sprintf("rule '%s'", name), fmt.Sprintf("matches %d records of %s, want none", n, c.path))
		}
	}
	if drops != c.dropped {
		done.fail(c.at, "drops", fmt.Sprintf("%d records of %s, want %d", drops, c.path, c.dropped))
	}
	return done, nil
}
