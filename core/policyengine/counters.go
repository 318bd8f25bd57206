package policyengine

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// counters count what the stage did; but for rules and failures, which are rare, they are updated per batch.
type counters struct {
	records, matched, dropped atomic.Uint64
	actionErrors              atomic.Uint64

	mu    sync.Mutex // covers rules
	rules map[string]*atomic.Uint64
}

// tally is what one batch adds to the counters.
type tally struct{ records, matched, dropped int }

func (c *counters) add(n tally) {
	c.records.Add(uint64(n.records))
	c.matched.Add(uint64(n.matched))
	c.dropped.Add(uint64(n.dropped))
}

// rule returns the counter of the records that match a rule. It goes on counting when policies are loaded again.
func (c *counters) rule(name string) *atomic.Uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rules[name] == nil {
		if c.rules == nil {
			c.rules = map[string]*atomic.Uint64{}
		}
		c.rules[name] = new(atomic.Uint64)
	}
	return c.rules[name]
}

// Counters yields how many records came in, matched a rule and were dropped by one, how many actions failed, and how
// many records each rule matched, by its name. Any goroutine may call it at any time.
func (s *Stage) Counters(yield func(name string, value uint64)) {
	c := &s.counters
	yield("records", c.records.Load())
	yield("matched", c.matched.Load())
	yield("dropped", c.dropped.Load())
	yield("actions.failed", c.actionErrors.Load())
	c.mu.Lock()
	rules := maps.Clone(c.rules)
	c.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		yield("rule."+name, rules[name].Load())
	}
}
