package author

import (
	"slices"
	"strconv"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// values returns what the attributes in a comparison are on a record.
func values(n policy.Node, at located) []Value {
	var all []Value
	add := func(o *policy.Operand) {
		v := Value{operandText(o), operandValue(o, at)}
		if !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	var walk func(n policy.Node)
	walk = func(n policy.Node) {
		switch n := n.(type) {
		case policy.And:
			for _, k := range n {
				walk(k)
			}
		case policy.Or:
			for _, k := range n {
				walk(k)
			}
		case policy.Not:
			walk(n.X)
		case *policy.Term:
			walk(n.X)
		case *policy.Test:
			add(&n.Left)
			if n.Right != nil {
				add(n.Right)
			}
		}
	}
	walk(n)
	return all
}

// transformers are the names of transformers.
var transformers = map[policy.Transform]string{
	policy.ToLower: "tolower", policy.ToUpper: "toupper", policy.B64: "b64", policy.Basename: "basename", policy.Len: "len",
}

// operandText returns an operand as conditions have it.
func operandText(o *policy.Operand) string {
	s := o.Field.Name
	switch {
	case o.Path != "":
		s += "[" + o.Path + "]"
	case o.Field.Subscript == field.Index && o.Index >= 0:
		s += "[" + strconv.Itoa(o.Index) + "]"
	}
	for _, t := range o.Apply {
		s = transformers[t] + "(" + s + ")"
	}
	return s
}

// operandValue returns the value of an operand as messages show it.
func operandValue(o *policy.Operand, at located) string {
	if o.Field.Counter {
		return strconv.FormatInt(at.num, 10)
	}
	t, err := policy.NewTemplate([]policy.Piece{{Operand: o}})
	if err != nil {
		return "cannot be shown: " + err.Error()
	}
	return string(t.Append(nil, at.row))
}
