package policy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Set is a compiled policy set. It never changes and may be used by any number of goroutines.
type Set struct {
	policy   *Policy
	graph    *graph
	columns  []*column
	pairs    []*pair
	programs []program // by position in recordTypes

	ofProcess int // how many columns follow from the process
	ofFile    int // how many columns follow from the file
}

// recordTypes are the types of flows and events; the last stands for all others, which no attribute has a value for.
var recordTypes = [...]int64{
	sfgo.PROC_EVT, sfgo.NET_FLOW, sfgo.FILE_FLOW, sfgo.FILE_EVT, sfgo.NET_EVT, sfgo.PROC_FLOW, sfgo.K8S_EVT,
	sfgo.UNKNOWN_TYPE,
}

// program returns the program for a type of record.
func (s *Set) program(recordType int64) *program {
	if uint64(recordType) < uint64(len(programOf)) {
		return &s.programs[programOf[recordType]]
	}
	return &s.programs[len(s.programs)-1]
}

// programOf holds the positions in recordTypes, by type.
var programOf = func() (of [sfgo.UNKNOWN_TYPE]uint8) {
	for t := range of {
		i := slices.Index(recordTypes[:], int64(t))
		if i < 0 {
			i = len(recordTypes) - 1
		}
		of[t] = uint8(i)
	}
	return of
}()

// Compile compiles a policy set. The front ends have checked it already, so an error means that a front end is wrong: it
// says which rules have tests that cannot be made, and why.
func Compile(p *Policy) (*Set, error) {
	b := newBuilder()
	var errs []error
	convert := func(kind, name string, pos Pos, cond Node) int32 {
		id, err := b.node(cond)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %s '%s': %w", pos, kind, name, err))
		}
		return id
	}
	drops := make([]int32, len(p.Drops))
	for i, d := range p.Drops {
		drops[i] = convert("drop", d.Name, d.Pos, d.Cond)
	}
	rules := make([]int32, len(p.Rules))
	for i, r := range p.Rules {
		rules[i] = convert("rule", r.Name, r.Pos, r.Cond)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, c := range b.columns {
		c.finish()
	}
	s := &Set{policy: p, graph: b.graph, columns: b.columns, pairs: b.pairs, ofProcess: b.ofProcess, ofFile: b.ofFile}
	var roots []int32
	for i, t := range recordTypes {
		prog := s.compile(i, t, drops, rules)
		s.programs = append(s.programs, prog)
		roots = append(roots, prog.conds...)
	}
	s.graph.keep(roots)
	s.graph.ids = nil
	return s, nil
}

// Rules returns the rules in the order of the policy files, those that are not enabled included.
func (s *Set) Rules() []*Rule { return s.policy.Rules }

// Drops returns the drop rules in the order of the policy files, those that are not enabled included.
func (s *Set) Drops() []*Drop { return s.policy.Drops }

// Types returns the types of records that each rule may match, by its position in Rules: those of its prefilter, or all,
// without those on which its condition is false whatever else the record says. A rule that is not enabled has none.
func (s *Set) Types() []field.Types {
	at := map[*engine.Rule]int{}
	for i, r := range s.policy.Rules {
		at[r.Rule] = i
	}
	types := make([]field.Types, len(s.policy.Rules))
	for i := range s.programs {
		if recordTypes[i] == sfgo.UNKNOWN_TYPE {
			continue
		}
		for _, r := range s.programs[i].rules {
			if r != nil { // not a drop
				types[at[r]] |= field.TypesOf(recordTypes[i])
			}
		}
	}
	return types
}
