package policy

import (
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Oracle is the interpretation of a policy on a row, for tests that need the front end.
func Oracle(p *Policy, row *sfgo.FlatRecord, num int64) (matched []*engine.Rule, drop bool) {
	return oracle(p, record{row, num})
}
