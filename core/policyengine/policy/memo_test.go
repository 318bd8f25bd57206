package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// tests returns a policy with a rule for each test of the attribute called name.
func tests(t *testing.T, name string, tests ...Test) *Policy {
	t.Helper()
	f, ok := catalogue.Lookup(name, false)
	if !ok {
		t.Fatal(name)
	}
	p := &Policy{}
	for i := range tests {
		tests[i].Left = Operand{Field: f, Index: -1}
		p.Rules = append(p.Rules, &Rule{Rule: &engine.Rule{Name: fmt.Sprint(i), Enabled: true}, Cond: &tests[i]})
	}
	return p
}

func agree(t *testing.T, eval *Evaluator, p *Policy, row *sfgo.FlatRecord) {
	t.Helper()
	want, _ := oracle(p, record{row, 1})
	if got, _ := eval.Eval(row, 1); !slices.Equal(got, want) {
		t.Fatalf("got %s, want %s on %q", names(got), names(want), row.Strs[0])
	}
}

// TestManyVerdicts has more combinations of results than are remembered, and more values, some of them too long.
func TestManyVerdicts(t *testing.T) {
	var list []Test
	for c := 'a'; c < 'a'+20; c++ {
		list = append(list, Test{Op: Contains, Lits: []Literal{{Text: string(c)}}})
	}
	p := tests(t, "sf.file.path", list...)
	set, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	eval := set.NewEvaluator()
	w := rand.New(rand.NewPCG(1, 2))
	row := blank(sfgo.FILE_FLOW)
	full := false
	for i := range 3 * maxVerdicts {
		path := []byte(strings.Repeat("/", 2*maxText*(i%64/63)+1))
		for c := 'a'; c < 'a'+20; c++ {
			if w.IntN(2) == 0 {
				path = append(path, byte(c))
			}
		}
		row.Strs[0][sfgo.FILE_PATH_STR] = string(path)
		agree(t, eval, p, row)
		agree(t, eval, p, row)
		n := len(eval.views[0].verdicts)
		full = full || n == maxVerdicts
		if n > maxVerdicts {
			t.Fatalf("%d verdicts are remembered", n)
		}
	}
	if !full {
		t.Error("the limit was never reached")
	}
	for _, m := range eval.views[0].texts {
		if len(m.text) > maxText {
			t.Errorf("a text of %d bytes is remembered", len(m.text))
		}
	}
}

// TestManyNumbers has more tests of a number than can be numbered by their results, and more values than are
// remembered.
func TestManyNumbers(t *testing.T) {
	var list []Test
	for i := range int64(100) {
		list = append(list, Test{Op: []Op{Eq, Gt, Le}[i%3], Lits: []Literal{{Int: 7 * i}}})
	}
	p := tests(t, "sf.flow.rops", list...)
	set, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	eval := set.NewEvaluator()
	row := blank(sfgo.FILE_FLOW)
	for i := range int64(2000) {
		row.Ints[0][sfgo.NUMRRECVOPS_INT] = i * 13 % 1500
		agree(t, eval, p, row)
	}
}

// TestAutomaton compares automata with a search for each pattern.
func TestAutomaton(t *testing.T) {
	w := rand.New(rand.NewPCG(1, 2))
	random := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "aabc/\xff"[w.IntN(6)]
		}
		return string(b)
	}
	occurs := map[anchor]func(s, p string) bool{anywhere: strings.Contains, atStart: strings.HasPrefix, atEnd: strings.HasSuffix}
	for range 300 {
		var patterns []pattern
		for i := range 1 + w.IntN(80) {
			patterns = append(patterns, pattern{random(1 + w.IntN(6)), int32(i)})
		}
		for a, has := range occurs {
			m := newAutomaton(a, patterns)
			for range 20 {
				text := random(w.IntN(30))
				got := make(truth, 2)
				find(m, text, got)
				for _, p := range patterns {
					if got.has(p.test) != has(text, p.text) {
						t.Fatalf("%q in %q, anchor %d: got %t", p.text, text, a, got.has(p.test))
					}
				}
			}
		}
	}
}

// TestHugeIndex has so many patterns that no automaton is made of them.
func TestHugeIndex(t *testing.T) {
	var list []Test
	for i := range 400 {
		lit := fmt.Sprint(i, strings.Repeat(string(rune(' '+i%90)), 200), i)
		list = append(list, Test{Op: Contains, Lits: []Literal{{Text: lit}}})
	}
	p := tests(t, "sf.file.path", list...)
	set, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(set.columns[0].index.finders); n != 0 {
		t.Fatalf("%d automata: the test tests nothing", n)
	}
	row := blank(sfgo.FILE_FLOW)
	for _, i := range []int{0, 7, 399} {
		row.Strs[0][sfgo.FILE_PATH_STR] = "/" + list[i].Lits[0].Text + "/"
		agree(t, set.NewEvaluator(), p, row)
	}
}
