package falco

import (
	"sync"
	"testing"
)

// TestConcurrentLoads loads on several goroutines: they share the tables of ANTLR's automata, which grow while it lexes.
func TestConcurrentLoads(t *testing.T) {
	src := []Source{{"rules.yaml", []byte(ruleSet(20))}}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if p, ds := LoadSources(src, Options{Catalogue: catalogue}); p == nil || len(p.Rules) != 20 {
				t.Errorf("got %v, %v", p, ds)
			}
		})
	}
	wg.Wait()
}
