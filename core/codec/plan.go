package codec

import (
	"fmt"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// opcode says what an op does.
type opcode uint8

const (
	opSkip     opcode = iota // pass over a value
	opLong                   // long to slot
	opInt                    // int to slot
	opRemap                  // int with the operation bits of S2 to slot
	opSymbol                 // enum to slot
	opLongAt                 // long to a place
	opIntAt                  // int to a place
	opSymbolAt               // enum to a place
	opBoolAt
	opBytesAt
	opOptionalAt
	opFOIDAt
	opStringsAt
	opPairsAt
	opLongsAt
	opList  // array of records
	opValid // nothing is read: the value to follow is not null
	opUnion
	opNumbers // longs and ints to slots, as fast as can be
)

// op is a step of a plan: one field of the writer. It is small, so that the plan of a record fits few cache lines; what
// only rarer steps need is behind arg.
type op struct {
	code  opcode
	inner bool  // not the start of a field of the record, but somewhere inside of one
	slot  uint8 // in Event.Ints
	arg   *arg
}

// arg is what an op needs besides a slot.
type arg struct {
	typ      *avroType // opSkip
	values   []int32   // opSymbol, opSymbolAt: our value of the writer's index
	unknown  int32     // the same for any other index, if lenient
	lenient  bool
	long     func(*Record) *int64
	int      func(*Record) *int32
	bool     func(*Record) *bool // also opValid
	bytes    func(*Record) *[]byte
	optional func(*Record) *Optional
	foid     func(*Record) *sfgo.FOID
	list     func(*Record) *[][]byte // opStringsAt, opPairsAt
	longs    func(*Record) *[]int64
	add      func(*Record) // opList
	item     *seq          // opList; opNumbers: the same as steps of their own
	numbers  []number      // opNumbers
	branches []*seq        // opUnion
}

// seq is a sequence of steps.
type seq struct {
	ops   []op
	names []string // what each op reads, for messages

	need  int  // the steps up to the last key
	remap bool // opFlags have the bits of S2
}

func (s *seq) add(o op, name string) {
	s.ops = append(s.ops, o)
	s.names = append(s.names, name)
}

// fuse returns a sequence that does the same and has one step for numbers that follow one another.
func (s *seq) fuse() *seq {
	fused := s.part()
	for k := 0; k < len(s.ops); {
		end := k
		var nums []number
		for ; end < len(s.ops) && (s.ops[end].code == opLong || s.ops[end].code == opInt); end++ {
			n := number{slot: s.ops[end].slot, illegal: notLong}
			if s.ops[end].code == opInt {
				n.illegal = notInt
			}
			nums = append(nums, n)
		}
		if len(nums) < 2 {
			fused.add(s.ops[k], s.names[k])
			k++
			continue
		}
		steps := s.part()
		steps.ops, steps.names = s.ops[k:end], s.names[k:end]
		fused.add(op{code: opNumbers, arg: &arg{numbers: nums, item: steps}}, s.names[k])
		k = end
	}
	return fused
}

// part returns an empty sequence for a part of what s reads.
func (s *seq) part() *seq { return &seq{remap: s.remap} }

// compileRecord adds the steps that decode a writer's record into targets.
func (s *seq) compileRecord(t *avroType, targets []target) error {
	if t.kind != kindRecord {
		return mismatch(t, "a record")
	}
	for _, want := range targets {
		if want.key && t.field(want.name) == nil {
			return fmt.Errorf("%s has no field %s", t.name, want.name)
		}
	}
	for _, f := range t.fields {
		if err := s.compileField(t.name+"."+f.name, f, targets); err != nil {
			return fmt.Errorf("%s.%s: %w", t.name, f.name, err)
		}
	}
	return nil
}

func (s *seq) compileField(name string, f avroField, targets []target) error {
	first := len(s.ops)
	to := target{to: toNowhere{}}
	for _, want := range targets {
		if want.name == f.name {
			to = want
		}
	}
	if err := s.compileValue(f.typ, to.to, name); err != nil {
		return err
	}
	if to.key {
		s.need = len(s.ops)
	}
	for i := first + 1; i < len(s.ops); i++ {
		s.ops[i].inner = true
	}
	return nil
}

// compileValue adds the steps that decode a value. A writer's union fits if one of its branches does; the others, and
// null, leave the place as it is.
func (s *seq) compileValue(t *avroType, to dest, name string) error {
	if t.kind != kindUnion {
		return to.compile(t, s, name)
	}
	a := &arg{}
	var fits bool
	var misfit error
	for _, b := range t.branches {
		part := s.part()
		if b.kind != kindNull {
			if err := to.compile(b, part, name); err != nil {
				misfit = err
				part = s.part()
				part.add(op{code: opSkip, arg: &arg{typ: b}}, name)
			} else {
				fits = true
			}
		}
		a.branches = append(a.branches, part)
	}
	if misfit != nil && !fits {
		return misfit
	}
	s.add(op{code: opUnion, arg: a}, name)
	return nil
}

func mismatch(t *avroType, want string) error { return fmt.Errorf("is of type %s, want %s", t, want) }

// place adds a step that decodes a value of the kind k, and is an error if t is of another.
func (s *seq) place(t *avroType, k kind, code opcode, a *arg, name string) error {
	if t.kind != k {
		return mismatch(t, k.String())
	}
	s.add(op{code: code, arg: a}, name)
	return nil
}

// toNowhere is where fields go that we do not know.
type toNowhere struct{}

func (toNowhere) compile(t *avroType, s *seq, name string) error {
	s.add(op{code: opSkip, arg: &arg{typ: t}}, name)
	return nil
}

func (d slotLong) compile(t *avroType, s *seq, name string) error {
	switch t.kind {
	case kindLong:
		s.add(op{code: opLong, slot: uint8(d)}, name)
		return nil
	case kindInt:
		return slotInt(d).compile(t, s, name)
	}
	return mismatch(t, "long")
}

func (d slotInt) compile(t *avroType, s *seq, name string) error {
	if t.kind != kindInt && t.kind != kindLong { // a long that a later writer may have made of it has to fit
		return mismatch(t, "int")
	}
	s.add(op{code: opInt, slot: uint8(d)}, name)
	return nil
}

func (d slotFlags) compile(t *avroType, s *seq, name string) error {
	if err := slotInt(d).compile(t, s, name); err != nil {
		return err
	}
	if s.remap {
		s.ops[len(s.ops)-1].code = opRemap
	}
	return nil
}

func (d slotSymbol) compile(t *avroType, s *seq, name string) error {
	if err := s.place(t, kindEnum, opSymbol, d.values.arg(t), name); err != nil {
		return err
	}
	s.ops[len(s.ops)-1].slot = uint8(d.slot)
	return nil
}

func (d toSymbol) compile(t *avroType, s *seq, name string) error {
	a := d.values.arg(t)
	a.int = d.at
	return s.place(t, kindEnum, opSymbolAt, a, name)
}

// arg maps the indices of the writer's enum t to our values, by symbol.
func (y symbols) arg(t *avroType) *arg {
	a := &arg{unknown: y.unknown, lenient: y.lenient, values: make([]int32, len(t.symbols))}
	for i, symbol := range t.symbols {
		v, ok := y.values[symbol]
		if !ok {
			v = y.unknown
		}
		a.values[i] = v
	}
	return a
}

func (d toLong) compile(t *avroType, s *seq, name string) error {
	if t.kind != kindInt && t.kind != kindLong {
		return mismatch(t, "long")
	}
	s.add(op{code: opLongAt, arg: &arg{long: d}}, name)
	return nil
}

func (d toInt) compile(t *avroType, s *seq, name string) error {
	if t.kind != kindInt && t.kind != kindLong {
		return mismatch(t, "int")
	}
	s.add(op{code: opIntAt, arg: &arg{int: d}}, name)
	return nil
}

func (d toBool) compile(t *avroType, s *seq, name string) error {
	return s.place(t, kindBoolean, opBoolAt, &arg{bool: d}, name)
}

func (d toBytes) compile(t *avroType, s *seq, name string) error {
	return s.place(t, kindString, opBytesAt, &arg{bytes: d}, name)
}

func (d toOptional) compile(t *avroType, s *seq, name string) error {
	return s.place(t, kindString, opOptionalAt, &arg{optional: d}, name)
}

func (d toFOID) compile(t *avroType, s *seq, name string) error {
	if t.kind != kindFixed || t.size != len(sfgo.FOID{}) {
		return mismatch(t, fmt.Sprintf("a fixed of %d bytes", len(sfgo.FOID{})))
	}
	s.add(op{code: opFOIDAt, arg: &arg{foid: d}}, name)
	return nil
}

func (d toStrings) compile(t *avroType, s *seq, name string) error {
	if t.kind != kindArray || t.elem.kind != kindString {
		return mismatch(t, "an array of strings")
	}
	s.add(op{code: opStringsAt, arg: &arg{list: d}}, name)
	return nil
}

func (d toPairs) compile(t *avroType, s *seq, name string) error {
	if t.kind != kindMap || t.elem.kind != kindString {
		return mismatch(t, "a map of strings")
	}
	s.add(op{code: opPairsAt, arg: &arg{list: d}}, name)
	return nil
}

func (d toLongs) compile(t *avroType, s *seq, name string) error {
	if t.kind != kindArray || t.elem.kind != kindLong && t.elem.kind != kindInt {
		return mismatch(t, "an array of longs")
	}
	s.add(op{code: opLongsAt, arg: &arg{longs: d}}, name)
	return nil
}

func (d toList) compile(t *avroType, s *seq, name string) error {
	if t.kind != kindArray {
		return mismatch(t, "an array of records")
	}
	item := s.part()
	if err := item.compileRecord(t.elem, d.fields); err != nil {
		return err
	}
	s.add(op{code: opList, arg: &arg{add: d.add, item: item}}, name)
	return nil
}

func (d toFields) compile(t *avroType, s *seq, _ string) error { return s.compileRecord(t, d) }

func (d toMaybe) compile(t *avroType, s *seq, name string) error {
	s.add(op{code: opValid, arg: &arg{bool: d.valid}}, name)
	return s.compileValue(t, d.to, name)
}
