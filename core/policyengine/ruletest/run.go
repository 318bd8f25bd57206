package ruletest

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// Options say how rules are tested.
type Options struct {
	// Policies is the policy set to test, a file or a directory, instead of those that the test files name.
	Policies string
	// Falco says how policies are loaded. Without a catalogue, it is that of SysFlow.
	Falco falco.Options
	// Now is the time that test files call now; if it is zero, that of the call.
	Now time.Time
	// Coverage says whether to find out what the tests have tried of the policies.
	Coverage bool
}

// Run runs the tests in files, and in all files (*.yaml, *.yml) below directories. The error says that there are no test
// files at a path, or that ctx has ended; all else is in the result.
func Run(ctx context.Context, paths []string, opts Options) (*Result, error) {
	r := newRunner(opts)
	for _, path := range paths {
		files, err := testFiles(path)
		if err != nil {
			return nil, fmt.Errorf("run rule tests: %w", err)
		}
		for _, name := range files {
			f := &File{Path: name}
			r.result.Files = append(r.result.Files, f)
			f.Err = r.file(ctx, f)
			if ctx.Err() != nil {
				return nil, fmt.Errorf("run rule tests: %w", context.Cause(ctx))
			}
		}
	}
	for _, t := range r.order {
		r.result.Untested = append(r.result.Untested, t.gaps()...)
		if t.coverage != nil {
			r.result.Coverage = append(r.result.Coverage, t.coverage.finish())
		}
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
	now    int64              // ns since the epoch
	sets   map[string]*tested // by path; nil: cannot be loaded
	order  []*tested          // in the order of their first use
	result Result
}

func newRunner(opts Options) *runner {
	if opts.Falco.Catalogue == nil {
		opts.Falco.Catalogue = field.SysFlow()
	}
	if opts.Now.IsZero() {
		opts.Now = time.Now()
	}
	return &runner{opts: opts, now: opts.Now.UnixNano(), sets: map[string]*tested{}}
}

// tested is a policy set under test.
type tested struct {
	set   *policy.Set
	eval  *policy.Evaluator
	rules []string                     // names
	drops []string                     // names
	alone map[string]*policy.Evaluator // of each drop, by name
	cases map[subject]map[bool]bool    // which kinds of cases there are

	coverage *coverage // nil: not wanted
}

// policies returns the policy set at path, loaded once.
func (r *runner) policies(path string) (*tested, error) {
	if t, known := r.sets[path]; t != nil {
		return t, nil
	} else if known {
		return nil, fmt.Errorf("load policies %s: the first file that tests them says what is wrong", path)
	}
	r.sets[path] = nil
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
	if r.opts.Coverage {
		if t.coverage, err = newCoverage(path, p); err != nil {
			return nil, fmt.Errorf("compile policies %s: %w", path, err)
		}
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

// file runs a test file.
func (r *runner) file(ctx context.Context, to *File) error {
	data, err := os.ReadFile(to.Path)
	if err != nil {
		return fmt.Errorf("read rule tests: %w", err)
	}
	p := newParser(to.Path, data, r.opts.Falco.Catalogue)
	f := p.file(r.opts.Policies)
	if err := p.doc.Err(); err != nil {
		return fmt.Errorf("read rule tests: %w", err)
	}
	to.Policies = f.policies
	t, err := r.policies(f.policies)
	if err != nil {
		return err
	}
	for _, c := range f.cases {
		row, err := r.row(ctx, c.record)
		if err != nil {
			return fmt.Errorf("%s: %w", c.at.Place(), err)
		}
		if t.knows(c) && row != nil {
			to.Cases = append(to.Cases, t.check(c, row))
		}
	}
	for _, c := range f.traces {
		done, err := t.trace(ctx, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.at.Place(), err)
		}
		if done != nil {
			to.Cases = append(to.Cases, done)
		}
	}
	if err := p.doc.Err(); err != nil {
		return fmt.Errorf("read rule tests: %w", err)
	}
	return nil
}
