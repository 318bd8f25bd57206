package policy

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// gateOp says what a gate computes.
type gateOp uint8

const (
	opFalse gateOp = iota
	opTrue
	opTest // bit of what column is known to be
	opPair // the pair of attributes at bit
	opNot
	opAnd
	opOr
	opOne // exactly one of kids, which may repeat
)

// gate is a node of the graph that all conditions of a set share: equal sub-conditions are one gate, whatever rules
// and macros they come from.
type gate struct {
	op     gateOp
	column int32
	bit    int32
	kids   []int32

	// kept says that the gate has several parents, so that its value on a record is worth keeping.
	kept bool
	cost int // of evaluating it, roughly
}

// The two constant gates.
const (
	falseGate int32 = iota
	trueGate
)

// graph builds gates. Kids come before parents, so ids rise from leaves to roots.
type graph struct {
	gates []gate
	ids   map[string]int32
}

func newGraph() *graph {
	return &graph{gates: []gate{falseGate: {op: opFalse}, trueGate: {op: opTrue}}, ids: map[string]int32{}}
}

// add returns the id of g, which is new only if there is no equal gate.
func (g *graph) add(n gate) int32 {
	key := make([]byte, 0, 64)
	key = append(key, byte(n.op))
	key = binary.AppendVarint(key, int64(n.column))
	key = binary.AppendVarint(key, int64(n.bit))
	for _, k := range n.kids {
		key = binary.AppendVarint(key, int64(k))
	}
	if id, ok := g.ids[string(key)]; ok {
		return id
	}
	for _, k := range n.kids { // the cost of a graph, seen as a tree, may be astronomical
		n.cost = min(n.cost+g.gates[k].cost+1, math.MaxInt32)
	}
	id := int32(len(g.gates))
	g.gates = append(g.gates, n)
	g.ids[string(key)] = id
	return id
}

func (g *graph) test(column, bit int32, cost int) int32 {
	return g.add(gate{op: opTest, column: column, bit: bit, cost: cost})
}

func (g *graph) constant(b bool) int32 {
	if b {
		return trueGate
	}
	return falseGate
}

func (g *graph) not(x int32) int32 {
	switch n := &g.gates[x]; n.op {
	case opFalse:
		return trueGate
	case opTrue:
		return falseGate
	case opNot:
		return n.kids[0]
	}
	return g.add(gate{op: opNot, kids: []int32{x}})
}

func (g *graph) and(kids []int32) int32 { return g.join(opAnd, kids, trueGate, falseGate) }
func (g *graph) or(kids []int32) int32  { return g.join(opOr, kids, falseGate, trueGate) }

// join returns the gate that is And or Or of kids. Neither the order nor the number of equal kids matters, since
// looking at a record has no effects; so kids are sorted, the cheap ones first, which makes more gates equal.
func (g *graph) join(op gateOp, kids []int32, neutral, absorbing int32) int32 {
	var flat []int32
	for _, k := range kids {
		switch {
		case k == absorbing:
			return absorbing
		case k == neutral:
		case g.gates[k].op == op:
			flat = append(flat, g.gates[k].kids...)
		default:
			flat = append(flat, k)
		}
	}
	slices.SortFunc(flat, func(a, b int32) int {
		return cmp.Or(cmp.Compare(g.gates[a].cost, g.gates[b].cost), cmp.Compare(a, b))
	})
	flat = slices.Compact(flat)
	switch len(flat) {
	case 0:
		return neutral
	case 1:
		return flat[0]
	}
	return g.add(gate{op: op, kids: flat})
}

// one returns the gate that holds if exactly one of kids does.
func (g *graph) one(kids []int32) int32 {
	certain := 0
	var open []int32
	for _, k := range kids {
		switch k {
		case trueGate:
			certain++
		case falseGate:
		default:
			open = append(open, k)
		}
	}
	switch {
	case certain > 1 || certain == 0 && len(open) == 0:
		return falseGate
	case certain == 1:
		return g.not(g.or(open))
	case len(open) == 1:
		return open[0]
	}
	slices.Sort(open)
	return g.add(gate{op: opOne, kids: open})
}

// restrict returns the gate that x becomes when leaf tells what becomes of its tests and pairs. done holds what is
// known already, by id.
func (g *graph) restrict(x int32, leaf func(x int32) int32, done map[int32]int32) int32 {
	if y, ok := done[x]; ok {
		return y
	}
	y := x
	switch n := g.gates[x]; n.op {
	case opFalse, opTrue:
	case opTest, opPair:
		y = leaf(x)
	default:
		kids := make([]int32, len(n.kids))
		for i, k := range n.kids {
			kids[i] = g.restrict(k, leaf, done)
		}
		switch n.op {
		case opNot:
			y = g.not(kids[0])
		case opAnd:
			y = g.and(kids)
		case opOr:
			y = g.or(kids)
		default:
			y = g.one(kids)
		}
	}
	done[x] = y
	return y
}

// keep marks the gates below roots whose values are worth keeping while a record is evaluated.
func (g *graph) keep(roots []int32) {
	parents := make([]int, len(g.gates))
	seen := make([]bool, len(g.gates))
	var visit func(x int32)
	visit = func(x int32) {
		parents[x]++
		n := &g.gates[x]
		if n.op >= opPair && n.op != opNot && parents[x] > 1 {
			n.kept = true
		}
		if seen[x] {
			return
		}
		seen[x] = true
		for _, k := range n.kids {
			visit(k)
		}
	}
	for _, r := range roots {
		visit(r)
	}
}

// ternary is the value of a gate when not all of its tests are known.
type ternary uint8

const (
	unknown ternary = iota
	no
	yes
)

func known(b bool) ternary {
	if b {
		return yes
	}
	return no
}

// value returns the value of x when leaf tells the values of tests and pairs. done holds what is known already, by id.
func (g *graph) value(x int32, leaf func(n *gate) ternary, done map[int32]ternary) ternary {
	if v, ok := done[x]; ok {
		return v
	}
	v := unknown
	switch n := &g.gates[x]; n.op {
	case opFalse:
		v = no
	case opTrue:
		v = yes
	case opTest, opPair:
		v = leaf(n)
	case opNot:
		switch g.value(n.kids[0], leaf, done) {
		case yes:
			v = no
		case no:
			v = yes
		}
	case opAnd:
		v = g.joined(n.kids, no, leaf, done)
	case opOr:
		v = g.joined(n.kids, yes, leaf, done)
	case opOne:
		v = g.exactlyOne(n.kids, leaf, done)
	}
	done[x] = v
	return v
}

// joined returns decisive if one of kids has this value, the opposite if all have the opposite, or unknown.
func (g *graph) joined(kids []int32, decisive ternary, leaf func(*gate) ternary, done map[int32]ternary) ternary {
	open := false
	for _, k := range kids {
		switch g.value(k, leaf, done) {
		case decisive:
			return decisive
		case unknown:
			open = true
		}
	}
	if open {
		return unknown
	}
	return no + yes - decisive
}

func (g *graph) exactlyOne(kids []int32, leaf func(*gate) ternary, done map[int32]ternary) ternary {
	certain, open := 0, 0
	for _, k := range kids {
		switch g.value(k, leaf, done) {
		case yes:
			certain++
		case unknown:
			open++
		}
	}
	switch {
	case certain > 1:
		return no
	case open > 0:
		return unknown
	}
	return known(certain == 1)
}
