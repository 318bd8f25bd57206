package author

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/config/suggest"
	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/ruletest"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/terms"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// ExplainOptions say what is explained.
type ExplainOptions struct {
	Policies string // file or directory
	Falco    falco.Options
	Rule     string // name of a rule or a drop

	// Record is the number of the record, from 1. If it is 0, the first Max records are meant for which Filter holds, a
	// condition that may use the macros and lists of the policies.
	Record int64
	Filter string
	Max    int // at least 1
}

// Explanation says why a rule matches records or does not.
type Explanation struct {
	Kind      string            `json:"kind"` // rule or drop
	Rule      string            `json:"name"`
	File      string            `json:"file"`
	Line      int               `json:"line"`
	Enabled   bool              `json:"enabled"`
	Prefilter []string          `json:"prefilter,omitempty"` // codes of record types; all if empty
	Records   []ExplainedRecord `json:"records"`
}

// ExplainedRecord is a record with what a rule makes of it.
type ExplainedRecord struct {
	Record
	Matches   bool           `json:"matches"`
	Verdict   string         `json:"verdict"` // in words
	Condition *ExplainedNode `json:"condition"`
}

// ExplainedNode is a condition on a record.
type ExplainedNode struct {
	Kind    string  `json:"kind"`              // and, or, not, macro, term or constant
	Text    string  `json:"text,omitempty"`    // of a macro its name, of a term the comparison as it is written
	File    string  `json:"file,omitempty"`    // where that is
	Line    int     `json:"line,omitempty"`    //
	Result  string  `json:"result"`            // see the constants
	Values  []Value `json:"values,omitempty"`  // of the attributes of a term
	Defined string  `json:"defined,omitempty"` // file and line where a macro is

	// Conditions are those that this one is made of: the parts of and, or and not, and what a macro stands for, once. They
	// are left out where the condition is not evaluated.
	Conditions []*ExplainedNode `json:"conditions,omitempty"`
}

// Results of conditions.
const (
	holds        = "true"
	fails        = "false"
	notEvaluated = "not evaluated" // what comes before decides
)

// Value is what an attribute is on a record.
type Value struct {
	Attribute string `json:"attribute"`
	Value     string `json:"value"` // several are separated by blanks; <NA> if there is none
}

// ConditionError says that a condition given to a tool is wrong.
type ConditionError struct{ Diagnostics policy.Diagnostics }

// Error returns the diagnostics as they are printed.
func (e *ConditionError) Error() string {
	var b strings.Builder
	for _, d := range e.Diagnostics {
		b.WriteString(d.Format())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Explain explains a rule. An error says that there is no such rule or record, that the policies cannot be loaded
// ([ruletest.PolicyError]), that the filter is wrong ([ConditionError]), or that a trace cannot be read.
func Explain(ctx context.Context, traces *Traces, opts ExplainOptions) (*Explanation, error) {
	p, err := load(opts.Policies, opts.Falco)
	if err != nil {
		return nil, err
	}
	x := &explainer{policy: p, describer: newDescriber(opts.Falco.Catalogue), defined: map[string]string{}}
	for _, m := range p.Macros {
		x.defined[m.Name] = m.Pos.String()
	}
	if err := x.find(opts.Rule); err != nil {
		return nil, err
	}
	if x.terms, err = terms.New(p); err != nil {
		return nil, fmt.Errorf("compile policies %s: %w", opts.Policies, err)
	}
	wanted := func(at located) bool { return at.num == opts.Record }
	limit := 1
	if opts.Record == 0 {
		limit = opts.Max
		if wanted, err = compileCondition("filter", opts.Filter, opts.Policies, opts.Falco, traces.warn); err != nil {
			return nil, err
		}
	}
	var last int64
	for at, err := range traces.rows(ctx) {
		if err != nil {
			return nil, err
		}
		last = at.num
		if wanted(at) {
			x.out.Records = append(x.out.Records, x.record(at))
			if len(x.out.Records) == limit {
				break
			}
		}
	}
	if len(x.out.Records) == 0 && opts.Record > 0 {
		return nil, fmt.Errorf("there is no record %d: the last one is %d", opts.Record, last)
	}
	return &x.out, nil
}

// load loads policies for a tool that wants them to be right.
func load(path string, opts falco.Options) (*policy.Policy, error) {
	p, ds := falco.Load(path, opts)
	if p == nil {
		return nil, &ruletest.PolicyError{Path: path, Diagnostics: slices.DeleteFunc(ds, func(d *policy.Diagnostic) bool { return d.Severity != policy.Error })}
	}
	return p, nil
}

// compileCondition returns a function that says whether a condition holds. name is what diagnostics call it; what looks
// wrong about it is told to warn.
func compileCondition(name, text, policies string, opts falco.Options, warn io.Writer) (func(at located) bool, error) {
	cond, ds := falco.LoadCondition(name, text, policies, opts)
	if cond == nil {
		return nil, &ConditionError{ds}
	}
	for _, d := range ds {
		fmt.Fprint(warn, d.Format())
	}
	set, err := policy.Compile(&policy.Policy{Drops: []*policy.Drop{{Name: name, Enabled: true, Cond: cond}}})
	if err != nil {
		return nil, fmt.Errorf("compile condition %q: %w", text, err)
	}
	eval := set.NewEvaluator()
	return func(at located) bool {
		_, held := eval.Eval(at.row, at.num)
		return held
	}, nil
}

// explainer explains one rule.
type explainer struct {
	*describer
	policy    *policy.Policy
	terms     *terms.Evaluator
	cond      policy.Node
	prefilter field.Types
	out       Explanation
	defined   map[string]string // places of macros
	shown     map[string]bool   // macros whose conditions the tree of this record has
}

// find finds a rule or a drop by its name.
func (x *explainer) find(name string) error {
	var names []string
	for _, r := range x.policy.Rules {
		if r.Name == name {
			x.cond, x.prefilter = r.Cond, r.Prefilter
			x.out = Explanation{Kind: "rule", Rule: name, File: r.Pos.File, Line: r.Pos.Line, Enabled: r.Enabled}
			if r.Prefilter != 0 {
				x.out.Prefilter = r.Prefilter.Codes()
			}
			return nil
		}
		names = append(names, r.Name)
	}
	for _, d := range x.policy.Drops {
		if d.Name == name {
			x.cond = d.Cond
			x.out = Explanation{Kind: "drop", Rule: name, File: d.Pos.File, Line: d.Pos.Line, Enabled: d.Enabled}
			return nil
		}
		names = append(names, d.Name)
	}
	if near := suggest.Names(name, slices.Values(names), 1); len(near) > 0 {
		return fmt.Errorf("the policies have no rule '%s': did you mean '%s'?", name, near[0])
	}
	return fmt.Errorf("the policies have no rule '%s'", name)
}

// record explains what the rule makes of a record.
func (x *explainer) record(at located) ExplainedRecord {
	x.terms.Look(at.row, at.num)
	x.shown = map[string]bool{}
	r := ExplainedRecord{Record: x.describer.record(at), Condition: x.node(x.cond, at)}
	held := r.Condition.Result == holds
	switch by := x.droppedBy(); {
	case !x.out.Enabled:
		r.Verdict = "does not match: the " + x.out.Kind + " is not enabled"
	case x.prefilter != 0 && !x.prefilter.Has(at.row.Ints[sfgo.SYSFLOW_IDX][sfgo.SF_REC_TYPE]):
		r.Verdict = "does not match: the prefilter has no " + r.Type
	case x.out.Kind == "drop" && held:
		r.Matches, r.Verdict = true, "is dropped"
	case by != "" && x.out.Kind == "rule":
		r.Verdict = "does not match: the record is dropped by '" + by + "'"
	case held:
		r.Matches, r.Verdict = true, "matches"
	default:
		r.Verdict = "does not match"
	}
	return r
}

// droppedBy returns the name of the drop that discards the record looked at, if any.
func (x *explainer) droppedBy() string {
	for _, d := range x.policy.Drops {
		if d.Enabled && x.holds(d.Cond) {
			return d.Name
		}
	}
	return ""
}

// holds evaluates a condition on the record looked at.
func (x *explainer) holds(n policy.Node) bool {
	return x.terms.Walk(n, func(*policy.Term, bool) {})
}

// node explains a condition that is evaluated.
func (x *explainer) node(n policy.Node, at located) *ExplainedNode {
	result := fails
	if x.holds(n) {
		result = holds
	}
	switch n := n.(type) {
	case policy.And:
		return &ExplainedNode{Kind: "and", Result: result, Conditions: x.chain(n, fails, at)}
	case policy.Or:
		return &ExplainedNode{Kind: "or", Result: result, Conditions: x.chain(n, holds, at)}
	case policy.Not:
		return &ExplainedNode{Kind: "not", Result: result, Conditions: []*ExplainedNode{x.node(n.X, at)}}
	case *policy.Term:
		e := skipped(n)
		e.Result = result
		if !n.Macro {
			e.Values = values(n.X, at)
		} else if !x.shown[n.Text] { // the value is the same wherever the macro is used
			x.shown[n.Text] = true
			e.Conditions = []*ExplainedNode{x.node(n.X, at)}
		}
		if n.Macro {
			e.Defined = x.defined[n.Text]
		}
		return e
	default:
		return &ExplainedNode{Kind: "constant", Result: result}
	}
}

// chain explains the parts of a chain, up to the first whose result decides.
func (x *explainer) chain(nodes []policy.Node, decides string, at located) []*ExplainedNode {
	var all []*ExplainedNode
	decided := false
	for _, n := range nodes {
		if decided {
			all = append(all, skipped(n))
			continue
		}
		e := x.node(n, at)
		all = append(all, e)
		decided = e.Result == decides
	}
	return all
}

// skipped returns a condition that is not evaluated.
func skipped(n policy.Node) *ExplainedNode {
	e := &ExplainedNode{Result: notEvaluated}
	switch n := n.(type) {
	case policy.And:
		e.Kind = "and"
		e.Text = written(n, " and ")
	case policy.Or:
		e.Kind = "or"
		e.Text = written(n, " or ")
	case policy.Not:
		e.Kind = "not"
		e.Text = written([]policy.Node{n.X}, "")
	case *policy.Term:
		e.Kind, e.Text, e.File, e.Line = "term", n.Text, n.Pos.File, n.Pos.Line
		if n.Macro {
			e.Kind = "macro"
		}
	default:
		e.Kind = "constant"
	}
	return e
}

// written returns the parts of a condition in one line.
func written(nodes []policy.Node, between string) string {
	parts := make([]string, len(nodes))
	for i, n := range nodes {
		switch e := skipped(n); e.Kind {
		case "and", "or":
			parts[i] = "(" + e.Text + ")"
		case "not":
			parts[i] = "not " + e.Text
		default:
			parts[i] = e.Text
		}
	}
	return strings.Join(parts, between)
}

// WriteJSON writes the explanation as a JSON object.
func (e *Explanation) WriteJSON(w io.Writer) error {
	if e.Records == nil {
		e.Records = []ExplainedRecord{}
	}
	return writeJSON(w, e)
}

// errNoRecord says that nothing is to be explained.
var errNoRecord = errors.New("the filter holds for no record")

// WriteText writes the explanation as trees, one for each record.
func (e *Explanation) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s '%s' (%s:%d)", e.Kind, shown(e.Rule), e.File, e.Line)
	if len(e.Prefilter) > 0 {
		fmt.Fprintf(&b, ", prefilter %s", strings.Join(e.Prefilter, ", "))
	}
	b.WriteByte('\n')
	if len(e.Records) == 0 {
		fmt.Fprintln(&b, errNoRecord)
	}
	for _, r := range e.Records {
		fmt.Fprintf(&b, "\n%s\n%s\n", r.Record, r.Verdict)
		r.Condition.write(&b, "")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// marks are how text shows results.
var marks = map[string]string{holds: "true ", fails: "false", notEvaluated: "  -  "}

// write writes a condition and what it is made of, a line each.
func (n *ExplainedNode) write(b *strings.Builder, indent string) {
	text := n.Text
	switch {
	case n.Kind == "constant":
		text = "(the same for all records)"
	case n.Kind == "not" && text != "":
		text = "not " + text
	case text == "":
		text = n.Kind
	}
	fmt.Fprintf(b, "  %s  %s%s", marks[n.Result], indent, shown(text))
	for i, v := range n.Values {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, "  # %s: %s", v.Attribute, shown(v.Value))
	}
	if n.Defined != "" {
		fmt.Fprintf(b, "  # %s", n.Defined)
	}
	b.WriteByte('\n')
	for _, c := range n.Conditions {
		c.write(b, indent+"  ")
	}
}
