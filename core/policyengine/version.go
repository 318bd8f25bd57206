package policyengine

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// version is a compiled policy set with what the stage needs to run it. It never changes; only its spare evaluators
// come and go.
type version struct {
	set   *policy.Set
	rules map[*engine.Rule]*boundRule

	mu    sync.Mutex
	spare []*policy.Evaluator // the one used last is on top: its caches are warm
}

// boundRule is what the stage knows of a rule.
type boundRule struct {
	hits    *atomic.Uint64
	actions []*ruleAction
}

func newVersion(set *policy.Set, a *actions, c *counters) *version {
	v := &version{set: set, rules: map[*engine.Rule]*boundRule{}}
	for _, r := range set.Rules() {
		v.rules[r.Rule] = &boundRule{hits: c.rule(r.Name), actions: a.bind(r.Rule, c)}
	}
	return v
}

// evaluator returns an evaluator for the use of one goroutine.
func (v *version) evaluator() *policy.Evaluator {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := len(v.spare)
	if n == 0 {
		return v.set.NewEvaluator()
	}
	e := v.spare[n-1]
	v.spare = v.spare[:n-1]
	return e
}

// release takes back what evaluator returned.
func (v *version) release(e *policy.Evaluator) {
	v.mu.Lock()
	v.spare = append(v.spare, e)
	v.mu.Unlock()
}

// LoadError says why policies were not loaded.
type LoadError struct {
	Path        string
	Diagnostics policy.Diagnostics // all of them, warnings as well
}

// Error returns every diagnostic as it is printed, and a last line with the number of errors.
func (e *LoadError) Error() string {
	var b strings.Builder
	for _, d := range e.Diagnostics {
		b.WriteString(d.Format())
	}
	b.WriteString(e.Summary())
	return b.String()
}

// Summary returns the last line of Error.
func (e *LoadError) Summary() string {
	n := 0
	for _, d := range e.Diagnostics {
		if d.Severity == policy.Error {
			n++
		}
	}
	return fmt.Sprintf("policies %s: %d errors", e.Path, n)
}

// level returns the log level for a severity.
func level(s policy.Severity) slog.Level {
	switch s {
	case policy.Error:
		return slog.LevelError
	case policy.Warning:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

// emptyRows returns a row without any value for each type of record.
func emptyRows() []*sfgo.FlatRecord {
	var rows []*sfgo.FlatRecord
	for t := sfgo.HEADER; t <= sfgo.UNKNOWN_TYPE; t++ {
		row := &sfgo.FlatRecord{
			Sources: []sfgo.Source{sfgo.SYSFLOW_SRC},
			Ints:    [][]int64{make([]int64, sfgo.INT_ARRAY_SIZE)},
			Strs:    [][]string{make([]string, sfgo.STR_ARRAY_SIZE)},
			Anys:    [][]any{make([]any, sfgo.ANY_ARRAY_SIZE)},
		}
		row.Ints[sfgo.SYSFLOW_IDX][sfgo.SF_REC_TYPE] = t
		rows = append(rows, row)
	}
	return rows
}
