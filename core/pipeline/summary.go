package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"
)

// loser is implemented by stages that write records to the outside and know which of them did not get there.
type loser interface{ Lost() uint64 }

// Counters yields the counters of every stage and driver. It may be called at any time.
func (p *Pipeline) Counters(yield func(stage, name string, value uint64)) {
	for _, n := range p.nodes {
		if c, ok := n.stage.impl().(Counter); ok {
			c.Counters(func(name string, v uint64) { yield(n.name, name, v) })
		}
		if v := n.lost.Load(); v > 0 {
			yield(n.name, "lost.failed", v)
		}
	}
	for _, e := range p.edges {
		if v := e.lost.Load(); v > 0 {
			yield(e.name, "lost.border", v)
		}
	}
	for _, f := range p.feeds {
		if c, ok := f.source.impl().(Counter); ok {
			c.Counters(func(name string, v uint64) { yield(f.name, name, v) })
		}
	}
}

// Depths yields how full each channel is, in elements: batches between built-in stages, otherwise records.
func (p *Pipeline) Depths(yield func(channel string, waiting, room int)) {
	for _, e := range p.edges {
		waiting, room := e.depth(e.to)
		yield(e.name, waiting, room)
	}
}

// Rates are counts of what a pipeline has done, for rates.
type Rates struct {
	Read      uint64 // records of any type that the reader has taken
	Evaluated uint64 // records that policy engines have evaluated
}

// Sub returns what has been done since earlier counts were taken.
func (r Rates) Sub(earlier Rates) Rates {
	return Rates{r.Read - earlier.Read, r.Evaluated - earlier.Evaluated}
}

// Rates returns the counts so far. It may be called at any time.
func (p *Pipeline) Rates() (r Rates) {
	p.Counters(func(_, name string, v uint64) {
		switch {
		case name == "records":
			r.Evaluated += v
		case strings.HasPrefix(name, "records."):
			r.Read += v
		}
	})
	return r
}

// totals sums counters of the same name over the stages of one kind of meaning.
type totals struct {
	records   map[string]uint64 // by type of record
	anomalies map[string]uint64
	flows     uint64 // flows and events
	matched   uint64
	dropped   uint64
	filtered  uint64 // duplicates that went no further than the flattener
	delivered uint64
	bytes     uint64 // that drivers have read
	size      uint64 // that they will read in all; 0 if not known
}

// eventCodes are the types of record that are flows or events rather than entities.
var eventCodes = []string{"PE", "PF", "FF", "FE", "NF", "NE", "KE"}

func (p *Pipeline) totals() totals {
	t := totals{records: map[string]uint64{}, anomalies: map[string]uint64{}}
	root := ""
	feeds := map[string]bool{}
	for _, f := range p.feeds {
		feeds[f.name] = true
	}
	for _, n := range p.nodes {
		if n.in == p.root {
			root = n.name
		}
	}
	p.Counters(func(stage, name string, v uint64) {
		switch {
		case feeds[stage] && name == "bytes":
			t.bytes += v
		case feeds[stage] && name == "bytes.total":
			t.size += v
		case name == "matched":
			t.matched += v
		case name == "dropped" && stage != root:
			t.dropped += v
		case stage == root && name == "filtered":
			t.filtered += v
		case name == "delivered":
			t.delivered += v
		case stage == root && v > 0 && strings.HasPrefix(name, "records."):
			code := strings.TrimPrefix(name, "records.")
			t.records[code] += v
			if slices.Contains(eventCodes, code) {
				t.flows += v
			}
		case v > 0 && strings.HasPrefix(name, "anomalies."):
			t.anomalies[strings.TrimPrefix(name, "anomalies.")] += v
		}
	})
	return t
}

// closeLog logs what the run amounted to, and notes what was lost.
func (r *run) closeLog(elapsed time.Duration) {
	t := r.totals()
	attrs := []slog.Attr{slog.Uint64("records", t.flows)}
	for _, code := range slices.Sorted(maps.Keys(t.records)) {
		attrs = append(attrs, slog.Uint64(code, t.records[code]))
	}
	attrs = append(attrs, slog.Uint64("matched", t.matched), slog.Uint64("dropped", t.dropped))
	if t.filtered > 0 {
		attrs = append(attrs, slog.Uint64("filtered", t.filtered))
	}
	for _, kind := range slices.Sorted(maps.Keys(t.anomalies)) {
		attrs = append(attrs, slog.Uint64("anomaly."+kind, t.anomalies[kind]))
	}
	rate := float64(t.flows) / max(elapsed.Seconds(), 1e-9)
	attrs = append(attrs, slog.Duration("elapsed", elapsed.Round(time.Millisecond)), slog.String("rate", fmt.Sprintf("%.0f/s", rate)))
	r.log.LogAttrs(context.Background(), slog.LevelInfo, "Pipeline finished", attrs...)

	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.nodes {
		if l, ok := n.stage.impl().(loser); ok {
			r.result.Lost += l.Lost()
		}
	}
	if !r.result.Drained {
		r.result.Lost += r.leftBehind()
	}
}

// leftBehind returns how many records were under way between stages when these were cancelled.
func (r *run) leftBehind() (lost uint64) {
	r.Counters(func(_, name string, v uint64) {
		if strings.HasPrefix(name, "lost.") && name != "lost.decode" { // which is damage of the input
			lost += v
		}
	})
	return lost
}
