package scenario

import (
	"cmp"
	"fmt"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// step is one line of the story.
type step struct {
	line int
	at   int64 // ns since the epoch at which it happens; 0: wait after the step before
	wait span  // ns
	do   func(r *runner)
}

// runner plays a scenario once.
type runner struct {
	random
	s     *Scenario
	opts  Options
	yield func(*sfgo.SysFlow) error
	err   error // the first; nothing happens after it

	line    int   // of the step being played, for errors
	now     int64 // ns since the epoch
	written int   // records
	counts  []int64
	buf     []byte

	entities
	flows flows

	rec   sfgo.SysFlow // what yield gets, reused
	union sfgo.RecUnion
}

func newRunner(s *Scenario, opts Options, yield func(*sfgo.SysFlow) error) *runner {
	r := &runner{
		random: newRandom(cmp.Or(opts.Seed, s.seed)), s: s, opts: opts, yield: yield,
		now: s.start, counts: make([]int64, s.counts), entities: newEntities(s),
	}
	r.rec.Rec = &r.union
	return r
}

// fail ends the play with an error at a line of the scenario.
func (r *runner) fail(line int, err error) {
	if r.err == nil {
		r.err = fmt.Errorf("%s:%d: %w", r.s.file, line, err)
	}
}

// failf ends the play with an error at the current step.
func (r *runner) failf(format string, args ...any) { r.fail(r.line, fmt.Errorf(format, args...)) }

// play plays the whole scenario: its steps, then the end of every flow.
func (r *runner) play() {
	r.writeHeader()
	r.run(r.s.steps)
	r.now = max(r.now, r.flows.lastEnd())
	r.finishFlows(r.now)
	r.cutFlows(nil)
}

// run plays steps one after the other.
func (r *runner) run(steps []step) {
	for i := range steps {
		if r.err != nil {
			return
		}
		s := &steps[i]
		r.line = s.line
		switch {
		case s.at == 0:
			r.pass(s.wait)
		case s.at < r.now:
			r.failf("the step is earlier than the one before it")
		default:
			r.now = s.at
			r.finishFlows(r.now)
		}
		s.do(r)
	}
}

// pass lets some time pass in the middle of a step.
func (r *runner) pass(some span) {
	r.now += some.draw(r.random)
	r.finishFlows(r.now)
}

// write passes a record on: the one branch that is set in r.union.
func (r *runner) write(kind sfgo.RecUnionTypeEnum) {
	if r.err == nil {
		r.union.UnionType = kind
		if err := r.yield(&r.rec); err != nil {
			r.fail(r.line, err)
		}
		r.written++
	}
	r.union = sfgo.RecUnion{}
}
