package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/field"
)

// builder turns conditions into gates, columns and pairs.
type builder struct {
	*graph
	columns   []*column
	ofProcess int // how many columns follow from the process
	ofFile    int // how many columns follow from the file
	pairs     []*pair

	columnIDs map[columnKey]int32
	nodes     map[nodeKey]int32 // And and Or nodes that are done; rules share those of macros
	tests     map[*Test]int32
}

// columnKey tells columns apart.
type columnKey struct {
	field  *field.Field
	index  int
	aspect aspect
}

// nodeKey tells And and Or nodes apart by the array behind them.
type nodeKey struct {
	first *Node
	n     int
	or    bool
}

func newBuilder() *builder {
	return &builder{
		graph: newGraph(), columnIDs: map[columnKey]int32{}, nodes: map[nodeKey]int32{}, tests: map[*Test]int32{},
	}
}

// node returns the gate of a condition.
func (b *builder) node(n Node) (int32, error) {
	switch n := n.(type) {
	case Const:
		return b.constant(bool(n)), nil
	case Not:
		x, err := b.node(n.X)
		return b.not(x), err
	case *Term:
		return b.node(n.X)
	case And:
		return b.joint(n, false)
	case Or:
		return b.joint(n, true)
	case *Test:
		if id, ok := b.tests[n]; ok {
			return id, nil
		}
		id, err := b.comparison(n)
		b.tests[n] = id
		return id, err
	default:
		return falseGate, fmt.Errorf("a condition cannot hold a %T", n)
	}
}

// joint returns the gate of an And or Or node.
func (b *builder) joint(nodes []Node, or bool) (int32, error) {
	var key nodeKey
	if len(nodes) > 0 {
		key = nodeKey{&nodes[0], len(nodes), or}
		if id, ok := b.nodes[key]; ok {
			return id, nil
		}
	}
	kids := make([]int32, len(nodes))
	var errs []error
	for i, n := range nodes {
		id, err := b.node(n)
		kids[i] = id
		errs = append(errs, err)
	}
	id := falseGate
	if or {
		id = b.or(kids)
	} else {
		id = b.and(kids)
	}
	err := errors.Join(errs...)
	if err == nil && len(nodes) > 0 {
		b.nodes[key] = id
	}
	return id, err
}

// comparison returns the gate of a test.
func (b *builder) comparison(t *Test) (int32, error) {
	if t.Left.Field == nil || t.Right != nil && t.Right.Field == nil {
		return falseGate, errors.New("a test without an attribute")
	}
	id, err := b.operator(t)
	if err != nil {
		return falseGate, fmt.Errorf("%s: %w", t.Left.Field.Name, err)
	}
	return id, nil
}

func (b *builder) operator(t *Test) (int32, error) {
	switch {
	case t.Right != nil:
		p, err := newPair(t)
		if err != nil {
			return falseGate, err
		}
		b.pairs = append(b.pairs, p)
		return b.add(gate{op: opPair, bit: int32(len(b.pairs) - 1), cost: 20}), nil
	case t.Op == Exists:
		return b.any(t, nil)
	case t.Quant == AnyOf:
		return b.any(t, t.Lits)
	}
	kids := make([]int32, len(t.Lits))
	for i := range t.Lits {
		id, err := b.any(t, t.Lits[i:i+1])
		if err != nil {
			return falseGate, err
		}
		kids[i] = id
	}
	switch {
	case t.Quant == OneOf:
		return b.one(kids), nil
	case len(kids) == 0:
		return falseGate, nil
	}
	return b.and(kids), nil
}

// any returns the gate of the test that t's operator holds for any of lits.
func (b *builder) any(t *Test, lits []Literal) (int32, error) {
	if t.Op == Exists {
		return b.leaf(t, nil, t.aspect(nil))
	}
	var kids []int32
	for _, a := range []aspect{plain, asInt, asText, document, count} {
		var some []Literal
		for i := range lits {
			if t.aspect(&lits[i]) == a {
				some = append(some, lits[i])
			}
		}
		if len(some) == 0 {
			continue
		}
		id, err := b.leaf(t, some, a)
		if err != nil {
			return falseGate, err
		}
		kids = append(kids, id)
	}
	return b.or(kids), nil
}

// aspect says what of its left operand t looks at to compare it with lit.
func (t *Test) aspect(lit *Literal) aspect {
	o := &t.Left
	ordered := t.Op >= Lt && t.Op <= Ge
	switch {
	case o.Path != "":
		return document
	case slices.Contains(o.Apply, Len) && o.many():
		return count
	case o.Field.Type == field.Flags && len(o.Apply) == 0:
		switch {
		case t.Op == Exists || ordered || t.Op == Eq && (lit.Bitmap || lit.Missing):
			return asInt
		case t.Op == Eq:
			return plain
		}
		return asText
	case o.Field.Type == field.Flags:
		return asText
	case o.hasInt() && (ordered || lit != nil && lit.Number):
		return asInt
	}
	return plain
}

// hasInt says whether o is a text that has an integer as well.
func (o *Operand) hasInt() bool {
	return o.Field.Type == field.Str && o.Field.Int != nil && len(o.Apply) == 0 && o.Path == "" && !o.at()
}

// many says whether o may have several values, or none.
func (o *Operand) many() bool {
	f := o.Field
	switch {
	case o.Path != "" || f.Counter:
		return false
	case o.at():
		return f.AtStrs != nil
	}
	return f.Multi || f.Type == field.Flags || f.Type == field.Net
}

// leaf returns the gate of a test on one column.
func (b *builder) leaf(t *Test, lits []Literal, a aspect) (int32, error) {
	id, err := b.column(&t.Left, a)
	if err != nil {
		return falseGate, err
	}
	c := b.columns[id]
	key := t.key(lits)
	if bit, ok := c.bits[key]; ok {
		return b.test(id, bit, c.tests[bit].cost), nil
	}
	var m matcher
	switch flags := t.Left.Field.Type == field.Flags; {
	case flags && a == plain:
		m = matchBits(lits)
	case flags && a == asInt && t.Op == Eq:
		m = matchBitmap(lits)
	case a == document: // what a path leads to is remembered with the document
		m, err = newMatcher(t.Op, lits, t.Left.Apply, &c.reader)
		text, path := m.text, t.Left.Path
		m.text, m.index = func(doc string) bool { return text(follow(path, doc)) }, indexed{}
		m.cost += 20
	default:
		m, err = newMatcher(t.Op, lits, t.Left.Apply, &c.reader)
	}
	if err != nil {
		return falseGate, err
	}
	bit := int32(len(c.tests))
	c.tests = append(c.tests, m)
	c.bits[key] = bit
	return b.test(id, bit, m.cost), nil
}

// column returns the number of the column that holds an aspect of o.
func (b *builder) column(o *Operand, a aspect) (int32, error) {
	key := columnKey{field: o.Field, index: -1, aspect: a}
	if o.at() {
		key.index = o.Index
	}
	if id, ok := b.columnIDs[key]; ok {
		return id, nil
	}
	r, err := newReader(o, a)
	if err != nil {
		return 0, err
	}
	id := int32(len(b.columns))
	c := &column{reader: r, field: o.Field, bits: map[string]int32{}, slot: -1, ofProcess: -1, ofFile: -1}
	if o.Field.Stored && (a == plain || a == document) && !o.at() {
		c.slot = int(o.Field.Attr)
	}
	if o.Field.OfProcess {
		c.ofProcess = b.ofProcess
		b.ofProcess++
	}
	if o.Field.OfFile {
		c.ofFile = b.ofFile
		b.ofFile++
	}
	b.columns = append(b.columns, c)
	b.columnIDs[key] = id
	return id, nil
}

// key returns a text that is the same for tests on a column that are the same.
func (t *Test) key(lits []Literal) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%d %q %v", t.Op, t.Left.Path, t.Left.Apply)
	for i := range lits {
		l := &lits[i]
		fmt.Fprintf(&s, " %q %d %t %t %t %v", l.Text, l.Int, l.Bitmap, l.Number, l.Missing, l.Prefix)
		if l.Regexp != nil {
			fmt.Fprintf(&s, " %q", l.Regexp)
		}
	}
	return s.String()
}
