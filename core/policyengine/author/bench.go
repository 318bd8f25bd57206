package author

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// BenchOptions say what is measured.
type BenchOptions struct {
	Policies string // file or directory
	Falco    falco.Options
	Compare  string // other policies to run on the same records; empty: none
	Rounds   int    // how often times are taken, at least 1; the shortest counts
	Examples int    // records shown for each rule
	SortBy   Order
}

// Order is what the rules of a bench report are sorted by; then they are in the order of the policy files.
type Order string

// Orders.
const (
	ByHits Order = "hits" // most first
	ByCost Order = "cost" // most first; depends on the times
	ByFile Order = "file" // the order of the policy files
)

// Bench says what policies find in traces and what that costs. All but the times depends on the traces and policies alone.
type Bench struct {
	Records    int64       `json:"records"`
	Matched    int64       `json:"matched"` // by one rule at least
	Dropped    int64       `json:"dropped"`
	Cost       float64     `json:"nsPerRecord"`      // of all rules and drops together, ns per record
	Apart      float64     `json:"nsPerRecordApart"` // of all of them one by one: they share work when together
	Rounds     int         `json:"rounds"`
	Rules      []RuleBench `json:"rules"` // enabled ones
	Processes  []Hits      `json:"processes"`
	Containers []Hits      `json:"containers"`
	Compared   *Comparison `json:"compared,omitempty"`
}

// RuleBench says what one rule or drop finds and costs.
type RuleBench struct {
	Name     string   `json:"name"`
	Drop     bool     `json:"drop,omitempty"`
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Hits     int64    `json:"hits"`        // of a drop, the records it would discard if it were alone
	Cost     float64  `json:"nsPerRecord"` // when it is evaluated alone, ns per record
	Share    float64  `json:"share"`       // of the cost of all of them one by one, 0 to 1
	Examples []Record `json:"examples,omitempty"`
}

// Hits counts the matches of rules that have something in common.
type Hits struct {
	Name string `json:"name"`
	Hits int64  `json:"hits"`
}

// Comparison says what other policies would do differently.
type Comparison struct {
	Policies string       `json:"policies"`
	Matched  int64        `json:"matched"`
	Dropped  int64        `json:"dropped"`
	More     []Difference `json:"more"`  // rules with more hits
	Less     []Difference `json:"less"`  // rules with fewer hits
	Moved    []Difference `json:"moved"` // rules with as many hits, on other records
}

// Difference is a rule that matches other records with the other policies. A rule that one of them lacks matches nothing
// there.
type Difference struct {
	Rule   string   `json:"rule"`
	Before int64    `json:"before"`
	After  int64    `json:"after"`
	Gained int64    `json:"gained"` // records that match with the other policies only
	Lost   int64    `json:"lost"`   // records that match without them only
	New    []Record `json:"newExamples,omitempty"`
	Gone   []Record `json:"goneExamples,omitempty"`
}

// maxKeys bounds how many processes or containers are told apart; those that come later count as others.
const (
	maxKeys = 10_000
	others  = "(others)"
)

// RunBench runs policies on traces. An error says that policies cannot be loaded ([ruletest.PolicyError]) or that a trace
// cannot be read.
func RunBench(ctx context.Context, traces *Traces, opts BenchOptions) (*Bench, error) {
	set, p, err := compile(opts.Policies, opts.Falco)
	if err != nil {
		return nil, err
	}
	b := &bench{
		policy: p, set: set, opts: opts, describer: newDescriber(opts.Falco.Catalogue), index: map[*engine.Rule]int{},
		processes: map[string]int64{}, containers: map[string]int64{},
	}
	if err := b.split(); err != nil {
		return nil, err
	}
	if opts.Compare != "" {
		if b.other, _, err = compile(opts.Compare, opts.Falco); err != nil {
			return nil, err
		}
		b.differences = map[string]*Difference{}
	}
	if err := b.count(ctx, traces); err != nil {
		return nil, err
	}
	for range max(1, opts.Rounds) {
		if err := b.measure(ctx, traces); err != nil {
			return nil, err
		}
	}
	return b.finish(), nil
}

// compile loads and compiles policies.
func compile(path string, opts falco.Options) (*policy.Set, *policy.Policy, error) {
	p, err := load(path, opts)
	if err != nil {
		return nil, nil, err
	}
	set, err := policy.Compile(p)
	if err != nil {
		return nil, nil, fmt.Errorf("compile policies %s: %w", path, err)
	}
	return set, p, nil
}

// bench is a run.
type bench struct {
	*describer
	opts   BenchOptions
	policy *policy.Policy
	set    *policy.Set
	alone  []*policy.Set // of each enabled drop and rule; as many as out.Rules
	index  map[*engine.Rule]int
	drops  int // how many of them are drops, which come first

	out                   Bench
	processes, containers map[string]int64
	shortest              []time.Duration // by position in alone; the last is that of the whole set

	other       *policy.Set // to compare with; nil: none
	compared    Comparison
	differences map[string]*Difference // by rule
}

// split compiles each enabled drop and rule on its own.
func (b *bench) split() error {
	add := func(name string, pos policy.Pos, p *policy.Policy) error {
		set, err := policy.Compile(p)
		if err != nil {
			return fmt.Errorf("compile policies %s: %w", b.opts.Policies, err)
		}
		b.alone = append(b.alone, set)
		b.out.Rules = append(b.out.Rules, RuleBench{Name: name, Drop: len(p.Drops) > 0, File: pos.File, Line: pos.Line})
		return nil
	}
	for _, d := range b.policy.Drops {
		if !d.Enabled {
			continue
		}
		if err := add(d.Name, d.Pos, &policy.Policy{Drops: []*policy.Drop{d}}); err != nil {
			return err
		}
	}
	b.drops = len(b.alone)
	for _, r := range b.policy.Rules {
		if !r.Enabled {
			continue
		}
		b.index[r.Rule] = len(b.alone)
		if err := add(r.Name, r.Pos, &policy.Policy{Rules: []*policy.Rule{r}}); err != nil {
			return err
		}
	}
	return nil
}

// count counts what the policies find.
func (b *bench) count(ctx context.Context, traces *Traces) error {
	evals := evaluators{whole: b.set.NewEvaluator()}
	for _, s := range b.alone[:b.drops] {
		evals.drops = append(evals.drops, s.NewEvaluator())
	}
	if b.other != nil {
		evals.other = b.other.NewEvaluator()
	}
	for at, err := range traces.rows(ctx) {
		if err != nil {
			return err
		}
		b.look(at, evals)
	}
	return nil
}

// evaluators are what a row is shown to.
type evaluators struct {
	whole *policy.Evaluator
	drops []*policy.Evaluator // each drop alone: together, the first that holds would hide the others
	other *policy.Evaluator   // nil: there is nothing to compare with
}

// look counts what the policies find in a row.
func (b *bench) look(at located, evals evaluators) {
	b.out.Records++
	matched, dropped := evals.whole.Eval(at.row, at.num)
	if dropped {
		b.out.Dropped++
		for i, d := range evals.drops {
			if _, drop := d.Eval(at.row, at.num); drop {
				b.hit(i, at)
			}
		}
	}
	if len(matched) > 0 {
		b.out.Matched++
		tally(b.processes, b.exe.Str(at.row), len(matched))
		tally(b.containers, b.container(at.row), len(matched))
	}
	for _, r := range matched {
		b.hit(b.index[r], at)
	}
	if evals.other == nil {
		return
	}
	after, dropped := evals.other.Eval(at.row, at.num)
	if dropped {
		b.compared.Dropped++
	}
	b.compare(matched, after, at)
}

// hit counts a match of the rule at a position in out.Rules.
func (b *bench) hit(i int, at located) {
	r := &b.out.Rules[i]
	r.Hits++
	r.Examples = b.example(r.Examples, at)
}

// example adds a record to examples, unless there are enough.
func (b *bench) example(examples []Record, at located) []Record {
	if len(examples) < b.opts.Examples {
		examples = append(examples, b.record(at))
	}
	return examples
}

// tally adds n to what is counted for name.
func tally(counts map[string]int64, name string, n int) {
	if _, known := counts[name]; !known && len(counts) >= maxKeys {
		name = others
	}
	counts[name] += int64(n)
}

// compare counts in what the rules that match a record differ from those that match it with the other policies.
func (b *bench) compare(before, after []*engine.Rule, at located) {
	if len(after) > 0 {
		b.compared.Matched++
	}
	has := func(rules []*engine.Rule, name string) bool {
		return slices.ContainsFunc(rules, func(r *engine.Rule) bool { return r.Name == name })
	}
	for _, r := range before {
		d := b.difference(r.Name)
		d.Before++
		if !has(after, r.Name) {
			d.Lost++
			d.Gone = b.example(d.Gone, at)
		}
	}
	for _, r := range after {
		d := b.difference(r.Name)
		d.After++
		if !has(before, r.Name) {
			d.Gained++
			d.New = b.example(d.New, at)
		}
	}
}

func (b *bench) difference(rule string) *Difference {
	d := b.differences[rule]
	if d == nil {
		d = &Difference{Rule: rule}
		b.differences[rule] = d
	}
	return d
}

// measure takes the time that each rule takes on all records, alone, and the whole set. What evaluators remember about
// values is built up anew, as in a run. The clock is read for each batch and rule, not for each record.
func (b *bench) measure(ctx context.Context, traces *Traces) error {
	sets := append(slices.Clone(b.alone), b.set)
	evals := make([]*policy.Evaluator, len(sets))
	for i, s := range sets {
		evals[i] = s.NewEvaluator()
		evals[i].SameTree(true)
	}
	took := make([]time.Duration, len(sets))
	for batch, err := range traces.batches(ctx) {
		if err != nil {
			return err
		}
		for i, eval := range evals {
			start := time.Now()
			for j := range batch.rows {
				eval.Eval(&batch.rows[j], batch.first+int64(j))
			}
			took[i] += time.Since(start)
		}
	}
	if b.shortest == nil {
		b.shortest = took
		return nil
	}
	for i, d := range took {
		b.shortest[i] = min(b.shortest[i], d)
	}
	return nil
}

// finish puts the report together.
func (b *bench) finish() *Bench {
	per := func(d time.Duration) float64 { return float64(d) / float64(max(1, b.out.Records)) }
	last := len(b.shortest) - 1
	var apart time.Duration
	for _, d := range b.shortest[:last] {
		apart += d
	}
	for i, d := range b.shortest[:last] {
		b.out.Rules[i].Cost = per(d)
		b.out.Rules[i].Share = float64(d) / float64(max(1, apart))
	}
	b.out.Cost, b.out.Apart, b.out.Rounds = per(b.shortest[last]), per(apart), max(1, b.opts.Rounds)
	slices.SortStableFunc(b.out.Rules, func(x, y RuleBench) int {
		switch b.opts.SortBy {
		case ByFile:
			return 0
		case ByCost:
			return cmp.Compare(y.Cost, x.Cost)
		default:
			return cmp.Compare(y.Hits, x.Hits)
		}
	})
	b.out.Processes, b.out.Containers = ranked(b.processes), ranked(b.containers)
	if b.other != nil {
		b.compared.Policies = b.opts.Compare
		b.compared.More, b.compared.Less, b.compared.Moved = []Difference{}, []Difference{}, []Difference{}
		for _, name := range slices.Sorted(maps.Keys(b.differences)) {
			switch d := *b.differences[name]; {
			case d.After > d.Before:
				b.compared.More = append(b.compared.More, d)
			case d.After < d.Before:
				b.compared.Less = append(b.compared.Less, d)
			case d.Gained > 0:
				b.compared.Moved = append(b.compared.Moved, d)
			}
		}
		b.out.Compared = &b.compared
	}
	return &b.out
}

// ranked returns counts, the highest first.
func ranked(counts map[string]int64) []Hits {
	all := make([]Hits, 0, len(counts))
	for name, n := range counts {
		all = append(all, Hits{name, n})
	}
	slices.SortFunc(all, func(a, b Hits) int {
		return cmp.Or(cmp.Compare(b.Hits, a.Hits), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// WriteJSON writes the report as a JSON object.
func (b *Bench) WriteJSON(w io.Writer) error { return writeJSON(w, b) }

// maxRanks is how many processes or containers text shows.
const maxRanks = 20

// WriteText writes the report as tables.
func (b *Bench) WriteText(w io.Writer) error {
	var s strings.Builder
	fmt.Fprintf(&s, "%s, %d matched, %d dropped\n", count(int(b.Records), "record"), b.Matched, b.Dropped)
	fmt.Fprintf(&s, "%.0f ns per record for the whole set, %.0f ns for its rules one by one; best of %s\n\n",
		b.Cost, b.Apart, count(b.Rounds, "round"))
	t := tabwriter.NewWriter(&s, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "hits\tns/record\tshare\t rule\n")
	for _, r := range b.Rules {
		name := shown(r.Name)
		if r.Drop {
			name += " (drop)"
		}
		fmt.Fprintf(t, "%d\t%.1f\t%.1f%%\t %s\n", r.Hits, r.Cost, 100*r.Share, name)
	}
	t.Flush() // into memory: cannot fail
	writeHits(&s, "process", b.Processes)
	writeHits(&s, "container", b.Containers)
	if slices.ContainsFunc(b.Rules, func(r RuleBench) bool { return len(r.Examples) > 0 }) {
		s.WriteString("\nexamples\n")
	}
	for _, r := range b.Rules {
		writeExamples(&s, "  "+shown(r.Name)+":", "    ", r.Examples)
	}
	if b.Compared != nil {
		b.Compared.write(&s, b)
	}
	_, err := io.WriteString(w, s.String())
	return err
}

// writeHits writes a table of hits.
func writeHits(s *strings.Builder, what string, hits []Hits) {
	if len(hits) == 0 {
		return
	}
	t := tabwriter.NewWriter(s, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\nhits\t %s\n", what)
	for i, h := range hits {
		if i == maxRanks {
			fmt.Fprintf(t, "\t and %d more\n", len(hits)-i)
			break
		}
		fmt.Fprintf(t, "%d\t %s\n", h.Hits, orDash(shown(h.Name)))
	}
	t.Flush() // into memory: cannot fail
}

// writeExamples writes records under a heading, if there are any.
func writeExamples(s *strings.Builder, heading, indent string, records []Record) {
	if len(records) == 0 {
		return
	}
	s.WriteString(heading + "\n")
	for _, r := range records {
		s.WriteString(indent + r.String() + "\n")
	}
}

// write writes the comparison.
func (c *Comparison) write(s *strings.Builder, b *Bench) {
	fmt.Fprintf(s, "\nwith %s: %d matched instead of %d, %d dropped instead of %d\n", c.Policies, c.Matched, b.Matched, c.Dropped, b.Dropped)
	if len(c.More)+len(c.Less)+len(c.Moved) == 0 {
		s.WriteString("every rule matches the same records\n")
	}
	for _, part := range []struct {
		heading string
		rules   []Difference
	}{{"fires more", c.More}, {"fires less", c.Less}, {"fires on other records", c.Moved}} {
		if len(part.rules) == 0 {
			continue
		}
		s.WriteString("\n" + part.heading + "\n")
		for _, d := range part.rules {
			fmt.Fprintf(s, "  %s: %d -> %d (%d gained, %d lost)\n", shown(d.Rule), d.Before, d.After, d.Gained, d.Lost)
			writeExamples(s, "    gained:", "      ", d.New)
			writeExamples(s, "    lost:", "      ", d.Gone)
		}
	}
}
