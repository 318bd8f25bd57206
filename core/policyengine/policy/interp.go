package policy

import (
	"net/netip"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// record is what a condition is evaluated on.
type record struct {
	row *sfgo.FlatRecord
	num int64 // counts the records of the engine's input, from 1
}

// holds evaluates a condition.
func holds(n Node, r record) bool {
	switch n := n.(type) {
	case And:
		for _, x := range n {
			if !holds(x, r) {
				return false
			}
		}
		return true
	case Or:
		for _, x := range n {
			if holds(x, r) {
				return true
			}
		}
		return false
	case Not:
		return !holds(n.X, r)
	case Const:
		return bool(n)
	default:
		return n.(*Test).holds(r)
	}
}

func (t *Test) holds(r record) bool {
	left := t.Left.read(r)
	if t.Right != nil {
		return t.compare(left, t.Right.read(r))
	}
	if t.Op == Exists {
		return left.exist()
	}
	n := 0
	for i := range t.Lits {
		if left.match(t.Op, &t.Lits[i]) {
			n++
		}
	}
	switch t.Quant {
	case OneOf:
		return n == 1
	case AllOf:
		return n > 0 && n == len(t.Lits)
	default:
		return n > 0
	}
}

// number is an integer, a bitmap or an address that may be missing.
type number struct {
	v  int64
	ok bool
}

// values are what an operand stands for on a record.
type values struct {
	typ     field.Type // Str for whatever is text
	multi   bool
	missing bool
	texts   []string
	nums    []number // Int, Bool, IP, Net; of Flags the bitmap as recorded
	bits    int64    // of Flags
}

func (o *Operand) read(r record) values {
	v := o.raw(r)
	for _, t := range o.Apply {
		v = v.transform(t)
	}
	return v
}

// raw reads an operand without its transformers.
func (o *Operand) raw(r record) values {
	f := o.Field
	switch {
	case f.Counter:
		return numbers(field.Int, number{r.num, true})
	case o.Path != "":
		return texts([]string{gjson.Get(f.Str(r.row), o.Path).String()})
	case f.Subscript == field.Index && o.Index >= 0:
		return o.at(r.row)
	case f.Type == field.Bool:
		v := numbers(field.Bool, number{0, true})
		if f.Bool(r.row) {
			v.nums[0].v = 1
		}
		v.missing = !f.Applies.Has(recordType(r.row))
		return v
	case f.Type == field.Flags:
		n, ok := f.Int(r.row)
		return values{typ: field.Flags, multi: true, missing: !ok, texts: f.Strs(r.row, nil), nums: []number{{n, ok}}, bits: f.Bits(r.row)}
	case f.Ints != nil && (f.Multi || f.Type == field.Net):
		v := values{typ: f.Type, multi: true}
		for _, n := range f.Ints(r.row, nil) {
			v.nums = append(v.nums, number{n, true})
		}
		v.missing = len(v.nums) == 0
		return v
	case f.Type == field.Int || f.Type == field.IP:
		n, ok := f.Int(r.row)
		return numbers(f.Type, number{n, ok})
	case f.Multi:
		v := texts(f.Strs(r.row, nil))
		v.multi = true
		return v
	default:
		return texts([]string{f.Str(r.row)})
	}
}

func (o *Operand) at(row *sfgo.FlatRecord) values {
	switch f := o.Field; {
	case f.AtInt != nil:
		n, ok := f.AtInt(row, o.Index)
		return numbers(field.Int, number{n, ok})
	case f.AtStrs != nil:
		v := texts(f.AtStrs(row, o.Index, nil))
		v.multi = true
		return v
	default:
		s, _ := f.AtStr(row, o.Index)
		return texts([]string{s})
	}
}

// texts returns text values; they are missing if there is none or all are empty.
func texts(ss []string) values {
	v := values{typ: field.Str, missing: true}
	for _, s := range ss {
		v.add(s)
	}
	return v
}

func (v *values) add(s string) {
	v.texts = append(v.texts, s)
	v.missing = v.missing && s == ""
}

func numbers(typ field.Type, n number) values {
	return values{typ: typ, missing: !n.ok, nums: []number{n}}
}

func recordType(row *sfgo.FlatRecord) int64 { return row.Ints[sfgo.SYSFLOW_IDX][sfgo.SF_REC_TYPE] }

// asTexts returns the values as text.
func (v values) asTexts() []string {
	if v.typ != field.IP && v.typ != field.Net {
		return v.texts
	}
	var out []string
	for _, n := range v.nums {
		if n.ok {
			out = append(out, address(n.v).String())
		} else {
			out = append(out, "")
		}
	}
	return out
}

// address returns the IPv4 address whose first octet is the lowest byte of n.
func address(n int64) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})
}

func (v values) transform(t Transform) values {
	in := v.asTexts()
	if t == Len {
		n := len(in)
		if !v.multi {
			n = len(in[0])
		}
		return numbers(field.Int, number{int64(n), true})
	}
	out := texts(nil)
	out.multi = v.multi
	for _, s := range in {
		out.add(transformText(t, s))
	}
	return out
}

func (v values) exist() bool {
	for _, s := range v.texts {
		if s != "" && v.typ != field.Flags {
			return true
		}
	}
	for _, n := range v.nums {
		if n.ok && n.v != 0 {
			return true
		}
	}
	return false
}

func (v values) match(op Op, lit *Literal) bool {
	if lit.Missing && v.missing {
		return true
	}
	switch {
	case v.typ == field.Flags && op == Eq:
		return lit.Bitmap && !v.missing && v.nums[0].v == lit.Int || !lit.Bitmap && v.bits&lit.Int != 0
	case (v.typ == field.IP || v.typ == field.Net) && op == Eq:
		for _, n := range v.nums {
			if n.ok && lit.Prefix.IsValid() && lit.Prefix.Contains(address(n.v)) {
				return true
			}
		}
		return false
	case v.typ == field.Str || op != Eq && op != Lt && op != Le && op != Gt && op != Ge:
		for _, s := range v.asTexts() {
			if op == Regex && lit.Regexp.MatchString(s) || op != Regex && textOp(op, s, lit.Text) {
				return true
			}
		}
		return false
	default:
		for _, n := range v.nums {
			if !(lit.Missing && op == Eq) && numberOp(op, n, number{lit.Int, true}) {
				return true
			}
		}
		return false
	}
}

// compare says whether the operator holds for any pair of values.
func (t *Test) compare(a, b values) bool {
	if len(a.nums) > 0 && len(b.nums) > 0 && a.typ != field.Flags && b.typ != field.Flags && t.Op <= Ge {
		for _, x := range a.nums {
			for _, y := range b.nums {
				// A missing address is an empty text, not 0.0.0.0.
				if numberOp(t.Op, x, y) && (a.typ == field.Int || x.ok == y.ok) {
					return true
				}
			}
		}
		return false
	}
	for _, x := range a.asTexts() {
		for _, y := range b.asTexts() {
			if textOp(t.Op, x, y) {
				return true
			}
		}
	}
	return false
}

// numberOp compares two integers; a missing one equals 0 and has no order.
func numberOp(op Op, a, b number) bool {
	if op == Eq {
		return a.v == b.v
	}
	if !a.ok || !b.ok {
		return false
	}
	switch op {
	case Lt:
		return a.v < b.v
	case Le:
		return a.v <= b.v
	case Gt:
		return a.v > b.v
	default:
		return a.v >= b.v
	}
}

// textOp says whether a text operator other than Regex holds for a and b.
func textOp(op Op, a, b string) bool {
	switch op {
	case Eq:
		return a == b
	case Contains:
		return strings.Contains(a, b)
	case IContains:
		return containsFold(a, b)
	case StartsWith:
		return strings.HasPrefix(a, b)
	case EndsWith:
		return strings.HasSuffix(a, b)
	case Glob:
		return glob(a, b, false)
	case IGlob:
		return glob(a, b, true)
	case PathPrefix:
		return pathPrefix(a, b)
	default:
		return false
	}
}
