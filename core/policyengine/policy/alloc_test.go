package policy_test

import (
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// TestNoAllocation evaluates everyday rules on records whose values have been seen, and records that match nothing on
// paths that have not.
func TestNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	recs := activity(512)
	for _, tt := range []struct {
		name string
		set  *policy.Set
	}{
		{"forty rules", compiled(t, 40)},
		{"a thousand rules", compiled(t, 1000)},
	} {
		for _, sameTree := range []bool{true, false} {
			eval := tt.set.NewEvaluator()
			eval.SameTree(sameTree)
			all := func() {
				for i, r := range recs {
					if _, drop := eval.Eval(r, int64(i)); drop {
						t.Error("dropped")
					}
				}
			}
			all()
			if n := testing.AllocsPerRun(20, all); n != 0 {
				t.Errorf("%s, trees remembered %t: %v allocations for %d records", tt.name, sameTree, n, len(recs))
			}
		}
	}
}
