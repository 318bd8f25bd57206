package ruletest

import (
	"context"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/sysflow-telemetry/sf-processor/core/config/yamldoc"
	"github.com/sysflow-telemetry/sf-processor/core/flattener/trace"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// row makes the row of a record. It returns nil if what the test file says is wrong; that is reported there.
func (r *runner) row(ctx context.Context, rec *record) (*sfgo.FlatRecord, error) {
	if rec.trace == "" {
		return rec.build(nil, r.now), nil
	}
	holds, err := r.condition(rec.where)
	if err != nil || holds == nil {
		return nil, err
	}
	for row, err := range trace.Rows(ctx, rec.trace, trace.Options{}) {
		if err != nil {
			return nil, err
		}
		if holds(row) {
			return rec.build(row, r.now), nil
		}
	}
	rec.at.Faultf("no record of %s is like that", rec.trace)
	return nil, nil
}

// condition compiles a condition of a test file; without one, it holds for every record. It returns nil if the condition
// is wrong; that is reported.
func (r *runner) condition(v yamldoc.Value) (func(row *sfgo.FlatRecord) bool, error) {
	if !v.Present() {
		return func(*sfgo.FlatRecord) bool { return true }, nil
	}
	text, err := yaml.Marshal([]map[string]string{{"drop": "where", "condition": v.Text()}})
	if err != nil {
		return nil, fmt.Errorf("write condition %q: %w", v.Text(), err)
	}
	p, ds := falco.LoadSources([]falco.Source{{Name: v.Place().String(), Text: text}}, r.opts.Falco)
	for _, d := range ds {
		if d.Severity == policy.Error {
			v.Faultf("%s [%s]", d.Message, d.Code)
			return nil, nil
		}
	}
	set, err := policy.Compile(p)
	if err != nil {
		return nil, fmt.Errorf("compile condition %q: %w", v.Text(), err)
	}
	eval := set.NewEvaluator()
	return func(row *sfgo.FlatRecord) bool {
		_, holds := eval.Eval(row, 1)
		return holds
	}, nil
}
