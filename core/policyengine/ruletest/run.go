package ruletest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/config/yamldoc"
	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/flattener/trace"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Options say how rules are tested.
type Options struct {
	// Policies is the policy set to test, a file or a directory, instead of those that the test files name.
	Policies string
	// Falco says how policies are loaded. Without a catalogue, it is that of SysFlow.
	Falco falco.Options
}

// Result is what came of a run.
type Result struct {
	Files    []string
	Cases    int // records and traces checked
	Failures []*Failure
	Untested []*Untested
}

// Failure is a case whose outcome is another than its test file says.
type Failure struct {
	yamldoc.Place
	Case    string // for example rule 'R', near miss
	Message string
}

// Error returns the failure after its place.
func (f *Failure) Error() string { return fmt.Sprintf("%s: %s: %s", f.Place, f.Case, f.Message) }

// Untested is an enabled rule or drop that lacks cases of a kind.
type Untested struct {
	policy.Pos
	Subject string // for example rule 'R'
	Missing string // "a record that matches" or "a record that is ignored"
}

// String returns the gap after the place of the rule.
func (u *Untested) String() string {
	return fmt.Sprintf("%s: %s has no test with %s", u.Pos, u.Subject, u.Missing)
}

// PolicyError says that the policies to test cannot be loaded.
type PolicyError struct {
	Path        string
	Diagnostics policy.Diagnostics
}

// Error returns the diagnostics as they are printed.
func (e *PolicyError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "load policies %s:", e.Path)
	for _, d := range e.Diagnostics {
		b.WriteString("\n" + strings.TrimSuffix(d.Format(), "\n"))
	}
	return b.String()
}

// Run runs the tests in a file, or in all files (*.yaml, *.yml) below a directory. The error, if any, says what is wrong
// with the test files, with the policies (a [PolicyError]) or with a trace; failures of rules are in the result.
func Run(ctx context.Context, path string, opts Options) (*Result, error) {
	files, err := testFiles(path)
	if err != nil {
		return nil, fmt.Errorf("run rule tests: %w", err)
	}
	r := newRunner(opts)
	r.result.Files = files
	var errs []error
	for _, file := range files {
		errs = append(errs, r.file(ctx, file))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, t := range r.order {
		r.result.Untested = append(r.result.Untested, t.gaps()...)
	}
	return &r.result, nil
}

// testFiles returns the test files at path, in the order of their names.
func testFiles(path string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if p != path && d.IsDir() && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		ext := strings.ToLower(filepath.Ext(p))
		if !d.IsDir() && !strings.HasPrefix(d.Name(), ".") && (ext == ".yaml" || ext == ".yml") {
			files = append(files, p)
		}
		return nil
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no test files (*.yaml, *.yml) at %s", path)
	}
	return files, err
}

// runner runs test files.
type runner struct {
	opts   Options
	sets   map[string]*tested // by path
	order  []*tested          // in the order of their first use
	result Result
}

func newRunner(opts Options) *runner {
	if opts.Falco.Catalogue == nil {
		opts.Falco.Catalogue = field.SysFlow()
	}
	return &runner{opts: opts, sets: map[string]*tested{}}
}

// tested is a policy set under test.
type tested struct {
	set   *policy.Set
	eval  *policy.Evaluator
	rules []string                     // names
	drops []string                     // names
	alone map[string]*policy.Evaluator // of each drop, by name
	cases map[subject]map[bool]bool    // which kinds of cases there are
}

// policies returns the policy set at path, loaded once.
func (r *runner) policies(path string) (*tested, error) {
	if t := r.sets[path]; t != nil {
		return t, nil
	}
	p, ds := falco.Load(path, r.opts.Falco)
	if ds.HasErrors() {
		return nil, &PolicyError{path, ds}
	}
	set, err := policy.Compile(p)
	if err != nil {
		return nil, fmt.Errorf("compile policies %s: %w", path, err)
	}
	t := &tested{set: set, eval: set.NewEvaluator(), alone: map[string]*policy.Evaluator{}, cases: map[subject]map[bool]bool{}}
	for _, rule := range p.Rules {
		t.rules = append(t.rules, rule.Name)
	}
	for _, d := range p.Drops {
		one, err := policy.Compile(&policy.Policy{Drops: []*policy.Drop{d}})
		if err != nil {
			return nil, fmt.Errorf("compile policies %s: %w", path, err)
		}
		t.drops = append(t.drops, d.Name)
		t.alone[d.Name] = one.NewEvaluator()
	}
	r.sets[path] = t
	r.order = append(r.order, t)
	return t, nil
}

// names returns the names of the rules, or of the drops.
func (t *tested) names(drops bool) []string {
	if drops {
		return t.drops
	}
	return t.rules
}

// gaps returns the enabled rules and drops that lack cases.
func (t *tested) gaps() []*Untested {
	var all []*Untested
	add := func(s subject, pos policy.Pos, enabled bool) {
		if enabled && !t.cases[s][true] {
			all = append(all, &Untested{pos, s.String(), "a record that matches"})
		}
		if enabled && !t.cases[s][false] {
			all = append(all, &Untested{pos, s.String(), "a record that is ignored"})
		}
	}
	for _, d := range t.set.Drops() {
		add(subject{d.Name, true}, d.Pos, d.Enabled)
	}
	for _, rule := range t.set.Rules() {
		add(subject{rule.Name, false}, rule.Pos, rule.Enabled)
	}
	return all
}

// file runs one test file.
func (r *runner) file(ctx context.Context, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read rule tests: %w", err)
	}
	p := newParser(path, data, r.opts.Falco.Catalogue)
	f := p.file()
	if err := p.doc.Err(); err != nil {
		return fmt.Errorf("read rule tests: %w", err)
	}
	if r.opts.Policies != "" {
		f.policies = r.opts.Policies
	}
	t, err := r.policies(f.policies)
	if err != nil {
		return err
	}
	for _, c := range f.cases {
		row, err := r.row(ctx, c.record)
		if err != nil {
			return fmt.Errorf("%s: %w", c.at.Place(), err)
		}
		if find(c.at, c.subject, t.names(c.subject.drop)) && row != nil {
			r.check(t, c, row)
		}
	}
	for _, c := range f.traces {
		if err := r.trace(ctx, t, c); err != nil {
			return fmt.Errorf("%s: %w", c.at.Place(), err)
		}
	}
	if err := p.doc.Err(); err != nil {
		return fmt.Errorf("read rule tests: %w", err)
	}
	return nil
}

// check evaluates the policies on the record of a case.
func (r *runner) check(t *tested, c *testCase, row *sfgo.FlatRecord) {
	r.result.Cases++
	if t.cases[c.subject] == nil {
		t.cases[c.subject] = map[bool]bool{}
	}
	t.cases[c.subject][c.want] = true
	matched, dropped := t.eval.Eval(row, 1)
	got := slices.ContainsFunc(matched, func(rule *engine.Rule) bool { return rule.Name == c.subject.name })
	if c.subject.drop {
		_, got = t.alone[c.subject.name].Eval(row, 1)
	}
	if got == c.want {
		return
	}
	message := "matches"
	switch {
	case !c.want:
	case dropped:
		message = "does not match: the record is dropped"
	case len(matched) == 0:
		message = "does not match, nor does any other rule"
	default:
		message = "does not match; what does: " + quoted(matched)
	}
	r.fail(c.at, fmt.Sprintf("%s, %s", c.subject, c.title), message)
}

// quoted lists the names of rules.
func quoted(rules []*engine.Rule) string {
	names := make([]string, len(rules))
	for i, rule := range rules {
		names[i] = "'" + rule.Name + "'"
	}
	return strings.Join(names, ", ")
}

func (r *runner) fail(at yamldoc.Value, name, message string) {
	r.result.Failures = append(r.result.Failures, &Failure{at.Place(), name, message})
}

// trace counts the records of a trace that each rule matches.
func (r *runner) trace(ctx context.Context, t *tested, c *traceCase) error {
	for _, want := range c.want {
		if !find(want.at, subject{name: want.rule}, t.rules) {
			return nil
		}
	}
	r.result.Cases++
	got := map[string]int64{}
	var num, drops int64
	for row, err := range trace.Rows(ctx, c.path, trace.Options{}) {
		if err != nil {
			return err
		}
		num++
		matched, dropped := t.eval.Eval(row, num)
		if dropped {
			drops++
		}
		for _, rule := range matched {
			got[rule.Name]++
		}
	}
	for _, want := range c.want {
		if n := got[want.rule]; n != want.n {
			r.fail(want.at, fmt.Sprintf("rule '%s'", want.rule), fmt.Sprintf("matches %d records of %s, want %d", n, c.path, want.n))
		}
		delete(got, want.rule)
	}
	for _, name := range t.rules { // in the order of the policies
		if n := got[name]; n > 0 {
			r.fail(c.at, fmt.Sprintf("rule '%s'", name), fmt.Sprintf("matches %d records of %s, want none", n, c.path))
		}
	}
	if drops != c.dropped {
		r.fail(c.at, "drops", fmt.Sprintf("%d records of %s, want %d", drops, c.path, c.dropped))
	}
	return nil
}
