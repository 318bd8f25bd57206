package falco

import "github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"

// and returns the conjunction of nodes without constants.
func and(nodes []policy.Node) policy.Node {
	kept, decided := fold(nodes, false)
	if decided {
		return policy.Const(false)
	}
	switch len(kept) {
	case 0:
		return policy.Const(true)
	case 1:
		return kept[0]
	}
	return policy.And(kept)
}

// or returns the disjunction of nodes without constants.
func or(nodes []policy.Node) policy.Node {
	kept, decided := fold(nodes, true)
	if decided {
		return policy.Const(true)
	}
	switch len(kept) {
	case 0:
		return policy.Const(false)
	case 1:
		return kept[0]
	}
	return policy.Or(kept)
}

// fold removes constants from nodes; decided says that the constant which settles the whole is among them.
func fold(nodes []policy.Node, settles policy.Const) (kept []policy.Node, decided bool) {
	kept = nodes[:0]
	for _, n := range nodes {
		if c, ok := n.(policy.Const); !ok {
			kept = append(kept, n)
		} else if c == settles {
			return nil, true
		}
	}
	return kept, false
}

// not returns the negation of a node.
func not(n policy.Node) policy.Node {
	switch n := n.(type) {
	case policy.Const:
		return !n
	case policy.Not:
		return n.X
	}
	return policy.Not{X: n}
}
