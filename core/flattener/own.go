package flattener

import (
	"slices"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// ownTree is how many processes of a tree a copy has room for; a longer tree is copied to memory of its own. More than
// that are rare, and with this number a copy fills the allocator's class of 1,152 bytes.
const ownTree = 20

// owned is the memory of a copy of one of our rows. One allocation instead of ten: a copy costs little more than the
// bytes, and whoever keeps it keeps no other.
type owned struct {
	rec     sfgo.FlatRecord
	sources [1]sfgo.Source
	intRows [1][]int64
	strRows [1][]string
	anyRows [1][]any
	ints    intRow
	strs    strRow
	anys    anyRow
	tree    [ownTree]*sfgo.Process
}

// Own returns a copy of a row that shares no memory with it but the strings, the processes of its tree, and values of
// types that our rows do not hold. It is what crosses the border to a plugin.
func Own(r *sfgo.FlatRecord) *sfgo.FlatRecord {
	if !regular(r) {
		return ownIrregular(r)
	}
	c := new(owned)
	c.sources[0] = r.Sources[0]
	c.ints, c.strs = intRow(r.Ints[0]), strRow(r.Strs[0])
	for i, v := range r.Anys[0] {
		if v != nil {
			c.anys[i] = ownAny(v)
		}
	}
	c.intRows[0], c.strRows[0], c.anyRows[0] = c.ints[:], c.strs[:], c.anys[:]
	c.rec = sfgo.FlatRecord{
		Sources:    c.sources[:],
		Ints:       c.intRows[:],
		Strs:       c.strRows[:],
		Anys:       c.anyRows[:],
		GraphletID: r.GraphletID,
	}
	switch n := len(r.Ptree); {
	case n == 0:
	case n <= ownTree:
		copy(c.tree[:n], r.Ptree)
		c.rec.Ptree = c.tree[:n:n]
	default:
		c.rec.Ptree = slices.Clone(r.Ptree)
	}
	return &c.rec
}

// regular says whether a row has one source, with rows of the lengths of SysFlow's.
func regular(r *sfgo.FlatRecord) bool {
	return len(r.Sources) == 1 && len(r.Ints) == 1 && len(r.Strs) == 1 && len(r.Anys) == 1 &&
		len(r.Ints[0]) == sfgo.INT_ARRAY_SIZE && len(r.Strs[0]) == sfgo.STR_ARRAY_SIZE && len(r.Anys[0]) == sfgo.ANY_ARRAY_SIZE
}

// ownIrregular is Own for records that plugins have made.
func ownIrregular(r *sfgo.FlatRecord) *sfgo.FlatRecord {
	c := &sfgo.FlatRecord{
		Sources:    slices.Clone(r.Sources),
		Ints:       make([][]int64, len(r.Ints)),
		Strs:       make([][]string, len(r.Strs)),
		Anys:       make([][]any, len(r.Anys)),
		Ptree:      slices.Clone(r.Ptree),
		GraphletID: r.GraphletID,
	}
	for i, row := range r.Ints {
		c.Ints[i] = slices.Clone(row)
	}
	for i, row := range r.Strs {
		c.Strs[i] = slices.Clone(row)
	}
	for i, row := range r.Anys {
		c.Anys[i] = make([]any, len(row))
		for j, v := range row {
			c.Anys[i][j] = ownAny(v)
		}
	}
	return c
}

// ownAny returns a copy of a value, if it is of a type that our rows hold.
func ownAny(v any) any {
	switch v := v.(type) {
	case []int64:
		return slices.Clone(v)
	case []string:
		return slices.Clone(v)
	case []*sfgo.Service:
		services := slices.Clone(v)
		for i, s := range v {
			if s == nil {
				continue
			}
			own := *s
			own.ClusterIP = slices.Clone(s.ClusterIP)
			own.PortList = slices.Clone(s.PortList)
			for j, p := range s.PortList {
				if p != nil {
					port := *p
					own.PortList[j] = &port
				}
			}
			services[i] = &own
		}
		return services
	default:
		return v
	}
}
