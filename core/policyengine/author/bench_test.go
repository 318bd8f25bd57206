package author

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// timeless runs a bench and takes the times out of the report.
func timeless(t *testing.T, opts BenchOptions) *Bench {
	t.Helper()
	opts.Falco = options()
	b, err := RunBench(t.Context(), openTraces(t, webshell), opts)
	if err != nil {
		t.Fatal(err)
	}
	var share, apart float64
	for i := range b.Rules {
		share += b.Rules[i].Share
		apart += b.Rules[i].Cost
		if b.Rules[i].Cost <= 0 {
			t.Errorf("rule '%s' costs %g", b.Rules[i].Name, b.Rules[i].Cost)
		}
		b.Rules[i].Cost, b.Rules[i].Share = 0, 0
	}
	if share < 0.999 || share > 1.001 || b.Cost <= 0 || b.Apart < 0.999*apart || b.Apart > 1.001*apart {
		t.Errorf("shares add up to %g, costs to %g and not %g; the set costs %g", share, apart, b.Apart, b.Cost)
	}
	b.Cost, b.Apart = 0, 0
	return b
}

func TestBench(t *testing.T) {
	b := timeless(t, BenchOptions{Policies: rules, Compare: "testdata/traces/other.yaml", Rounds: 2, Examples: 1})
	golden(t, "traces/bench.json", func(w *bytes.Buffer) error { return b.WriteJSON(w) })
	golden(t, "traces/bench.txt", func(w *bytes.Buffer) error { return b.WriteText(w) })
}

// TestBenchCounts compares the hits with what conditions find.
func TestBenchCounts(t *testing.T) {
	b := timeless(t, BenchOptions{Policies: rules, Rounds: 1, SortBy: ByFile})
	for i, cond := range []string{
		"sf.type in (FF, PF)",
		"not sf.type in (FF, PF) and started_shell and not sf.pproc.name in (sshd, login)",
		"not sf.type in (FF, PF) and started and shell and sf.proc.args contains /etc/passwd",
		"not sf.type in (FF, PF) and evt.num <= 3",
	} {
		holds, err := compileCondition("test", cond, rules, options(), t.Output())
		if err != nil {
			t.Fatal(err)
		}
		var want int64
		for at, err := range openTraces(t, webshell).rows(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if holds(at) {
				want++
			}
		}
		if b.Rules[i].Hits != want {
			t.Errorf("%s: %d hits, want %d", b.Rules[i].Name, b.Rules[i].Hits, want)
		}
	}
	if len(b.Rules) != 4 || b.Dropped != b.Rules[0].Hits || b.Rules[0].Examples != nil {
		t.Errorf("got %+v", b)
	}
}

func TestBenchOrder(t *testing.T) {
	for _, order := range []Order{ByHits, ByCost} {
		b, err := RunBench(t.Context(), openTraces(t, webshell), BenchOptions{Policies: rules, Falco: options(), SortBy: order})
		if err != nil {
			t.Fatal(err)
		}
		sorted := slices.IsSortedFunc(b.Rules, func(x, y RuleBench) int {
			if order == ByHits {
				return int(y.Hits - x.Hits)
			}
			if x.Cost < y.Cost {
				return 1
			}
			return -1
		})
		if !sorted {
			t.Errorf("by %s: got %+v", order, b.Rules)
		}
	}
}

// TestBenchSame compares policies with themselves.
func TestBenchSame(t *testing.T) {
	b := timeless(t, BenchOptions{Policies: rules, Compare: rules, Rounds: 1})
	c := b.Compared
	if len(c.More)+len(c.Less)+len(c.Moved) > 0 || c.Matched != b.Matched || c.Dropped != b.Dropped {
		t.Errorf("got %+v", c)
	}
	var text strings.Builder
	if err := b.WriteText(&text); err != nil || !strings.Contains(text.String(), "every rule matches the same records") {
		t.Errorf("got %s, %v", &text, err)
	}
}

func TestTally(t *testing.T) {
	counts := map[string]int64{}
	for i := range maxKeys + 10 {
		tally(counts, strconv.Itoa(i), 2)
	}
	tally(counts, "7", 1)
	if len(counts) != maxKeys+1 || counts[others] != 20 || counts["7"] != 3 {
		t.Errorf("%d counts, %d others, %d of one", len(counts), counts[others], counts["7"])
	}
	var sum int64
	for n := range maps.Values(counts) {
		sum += n
	}
	if sum != 2*(maxKeys+10)+1 {
		t.Errorf("got %d in all", sum)
	}
}
