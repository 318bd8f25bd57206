package codec

import (
	"errors"
	"fmt"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// ErrOldWriter is the cause of a DecodeError for a header that claims version 1000 or above: schema version 1, whose
// messages cannot be told apart without a schema. Whoever receives such messages should refuse the peer.
var ErrOldWriter = errors.New("the sender uses schema version 1, want 2 or later: update the collector")

// oldVersion is the lowest version that headers of schema version 1 claim.
const oldVersion = 1000

// maxItems limits the items of all arrays and maps of a record. The longest real one has some hundred.
const maxItems = 1 << 20

// DecodeError says where in the data a record is malformed.
type DecodeError struct {
	Offset int    // from the start of the data that was given to Decode
	Field  string // the field at fault by its full name, such as sysflow.entity.Process.exe
	Err    error
}

func (e *DecodeError) Error() string { return fmt.Sprintf("byte %d, %s: %v", e.Offset, e.Field, e.Err) }
func (e *DecodeError) Unwrap() error { return e.Err }

// faults are the causes of a DecodeError by the negative numbers that readers of values return.
var faults = map[int]error{
	faultEnd:    errors.New("the data ends inside the value"),
	faultVarint: errors.New("number of more than 64 bits"),
	faultInt:    errors.New("number of more than 32 bits"),
	faultUnion:  errors.New("union index out of range"),
	faultEnum:   errors.New("enum index out of range"),
	faultBool:   errors.New("boolean is neither 0 nor 1"),
	faultLength: errors.New("length is negative or runs past the end of the data"),
	faultCount:  errors.New("number of items is more than the data can hold"),
	faultSize:   errors.New("items do not end where their length in bytes says"),
	faultItems:  fmt.Errorf("more than %d items in one record", maxItems),
	faultDepth:  fmt.Errorf("values nest deeper than %d", maxDepth),
}

// Decoder decodes the records of one writer schema. It never changes: any number of goroutines may use it, each with a
// Record of its own.
type Decoder struct {
	before   *seq // fields of the writer before "rec"
	after    *seq // and behind it
	branches []plan
}

// plan decodes one branch of the writer's union.
type plan struct {
	typ  int64 // the record type, sfgo.UNKNOWN_TYPE if we do not know the branch
	seq  *seq  // a step for each field
	fast *seq  // the same in fewer steps
}

// NewDecoder returns a decoder for records of the writer schema, an Avro schema as JSON. It fails if the schema is
// malformed or does not describe SysFlow records: the top level has to be a record with a field "rec", a union of
// records, of which one at least is known; a known record may lack fields, but for its keys, and have others; what is
// known has to have the type that it has today, where int and long stand for one another and a union for its branches.
func NewDecoder(writerSchema string) (*Decoder, error) {
	t, err := parseSchema(writerSchema)
	if err != nil {
		return nil, fmt.Errorf("writer schema: %w", err)
	}
	d, err := compile(t)
	if err != nil {
		return nil, fmt.Errorf("writer schema: %w", err)
	}
	return d, nil
}

// compile makes the plans for the records of a schema.
func compile(t *avroType) (*Decoder, error) {
	rec := t.field("rec")
	if rec == nil || rec.kind != kindUnion {
		return nil, fmt.Errorf("%s is not SysFlow: want a record with a field rec that is a union", t)
	}
	d := &Decoder{before: &seq{}, after: &seq{}}
	around := d.before
	for _, f := range t.fields {
		if f.typ == rec {
			around = d.after
			continue
		}
		around.add(op{code: opSkip, arg: &arg{typ: f.typ}}, t.name+"."+f.name)
	}
	known := currentLayout()
	remap := usesOldFlags(rec)
	var found bool
	for _, b := range rec.branches {
		p := plan{typ: sfgo.UNKNOWN_TYPE, seq: &seq{remap: remap}}
		if to, ok := known.find(b); ok {
			if err := p.seq.compileRecord(b, to.fields); err != nil {
				return nil, err
			}
			p.typ = to.typ
			found = true
		} else {
			p.seq.add(op{code: opSkip, arg: &arg{typ: b}}, b.String())
		}
		p.fast = p.seq.fuse()
		d.branches = append(d.branches, p)
	}
	if !found {
		return nil, errors.New("none of its records is one of SysFlow")
	}
	return d, nil
}

// usesOldFlags says whether opFlags have the bits of schema S2, which is known by file flows without openFlags.
func usesOldFlags(rec *avroType) bool {
	for _, b := range rec.branches {
		if b.name == "sysflow.flow.FileFlow" {
			return b.field("openFlags") == nil
		}
	}
	return false
}

// Decode decodes the record that data begins with into rec and returns how many bytes it has, always more than none.
// Byte slices in rec belong to data. A record of a type that is not known has the Type sfgo.UNKNOWN_TYPE. After an
// error, which is a *DecodeError, rec holds nothing of use, and where the next record begins is not known.
func (d *Decoder) Decode(data []byte, rec *Record) (n int, err error) {
	p, i, bad := d.start(data, rec)
	if bad == nil {
		i, bad = p.fast.run(data, i, rec)
	}
	if bad == nil && len(d.after.ops) > 0 {
		i, bad = d.after.run(data, i, rec)
	}
	if bad != nil {
		return 0, bad
	}
	rec.finish()
	return i, nil
}

// DecodeDatum decodes a message that is one record, written with this schema, or an earlier or later one that differs in
// the number of fields at the end of the record: fields that are missing get their defaults, bytes that are left over
// are ignored. A message that ends inside a field or before the last of the record's keys is an error, and so is a header of schema
// version 1 (ErrOldWriter). Otherwise it is like Decode.
func (d *Decoder) DecodeDatum(data []byte, rec *Record) error {
	p, i, bad := d.start(data, rec)
	if bad != nil {
		return bad
	}
	for k := range p.seq.ops {
		o := &p.seq.ops[k]
		if i == len(data) && !o.inner && k >= p.seq.need {
			break
		}
		at := i
		one := seq{ops: p.seq.ops[k : k+1], names: p.seq.names[k : k+1]}
		if i, bad = one.run(data, i, rec); bad != nil {
			return bad
		}
		if rec.Type == sfgo.HEADER && rec.Header.Version >= oldVersion {
			return &DecodeError{Offset: at, Field: p.seq.names[k], Err: ErrOldWriter}
		}
	}
	rec.finish()
	return nil
}

// start reads which branch of the union data holds and makes rec ready for it.
func (d *Decoder) start(data []byte, rec *Record) (*plan, int, *DecodeError) {
	i := 0
	if len(d.before.ops) > 0 {
		var bad *DecodeError
		if i, bad = d.before.run(data, i, rec); bad != nil {
			return nil, 0, bad
		}
	}
	index, next := indexAt(data, i, len(d.branches), faultUnion)
	if next < 0 {
		return nil, 0, &DecodeError{Offset: i, Field: "rec", Err: faults[next]}
	}
	p := &d.branches[index]
	rec.reset(p.typ)
	return p, next, nil
}

// fail makes the error for a fault of the step k, which began at the offset at.
func (s *seq) fail(k, at, fault int) *DecodeError {
	return &DecodeError{Offset: at, Field: s.names[k], Err: faults[fault]}
}

// run decodes a value for each step, from b[i] on, and returns the position after the last.
func (s *seq) run(b []byte, i int, rec *Record) (int, *DecodeError) {
	for k := range s.ops {
		o := &s.ops[k]
		at := i
		switch o.code {
		case opNumbers:
			var ok bool
			if i, ok = numbers(b, i, o.arg.numbers, &rec.Event.Ints); !ok {
				var bad *DecodeError
				if i, bad = o.arg.item.run(b, at, rec); bad != nil {
					return i, bad
				}
			}
		case opLong:
			rec.Event.Ints[o.slot], i = long(b, i)
		case opInt:
			var v int32
			v, i = int32At(b, i)
			rec.Event.Ints[o.slot] = int64(v)
		case opFOIDAt:
			i = skipBytes(b, at, len(sfgo.FOID{}))
			if i > 0 {
				*o.arg.foid(rec) = sfgo.FOID(b[at:])
			}
		case opRemap:
			var v int32
			v, i = int32At(b, i)
			rec.Event.Ints[o.slot] = int64(v&7 | v&^7<<2)
		case opSymbol:
			var v int32
			v, i = o.arg.symbol(b, i)
			rec.Event.Ints[o.slot] = int64(v)
		case opLongAt:
			*o.arg.long(rec), i = long(b, i)
		case opIntAt:
			*o.arg.int(rec), i = int32At(b, i)
		case opSymbolAt:
			*o.arg.int(rec), i = o.arg.symbol(b, i)
		case opBoolAt:
			*o.arg.bool(rec), i = boolAt(b, i)
		case opBytesAt:
			*o.arg.bytes(rec), i = bytesAt(b, i)
		case opOptionalAt:
			to := o.arg.optional(rec)
			to.Bytes, i = bytesAt(b, i)
			to.Valid = true
		case opValid:
			*o.arg.bool(rec) = true
		case opStringsAt, opPairsAt:
			i = stringsAt(b, i, o.code == opPairsAt, o.arg.list(rec), rec)
		case opLongsAt:
			i = longsAt(b, i, o.arg.longs(rec), rec)
		case opSkip:
			i = skip(o.arg.typ, b, i, 0)
		case opUnion:
			var n int
			if n, i = indexAt(b, i, len(o.arg.branches), faultUnion); i >= 0 {
				var bad *DecodeError
				if i, bad = o.arg.branches[n].run(b, i, rec); bad != nil {
					return i, bad
				}
			}
		case opList:
			var bad *DecodeError
			if i, bad = o.arg.records(b, i, rec); bad != nil {
				return i, bad
			}
		}
		if i < 0 {
			return i, s.fail(k, at, i)
		}
	}
	return i, nil
}

// symbol reads an enum and returns our value of it.
func (a *arg) symbol(b []byte, i int) (int32, int) {
	v, i := int32At(b, i)
	switch {
	case i < 0:
		return 0, i
	case v >= 0 && int(v) < len(a.values):
		return a.values[v], i
	case a.lenient:
		return a.unknown, i
	default:
		return 0, faultEnum
	}
}

// records reads an array of records.
func (a *arg) records(b []byte, i int, rec *Record) (int, *DecodeError) {
	for {
		count, end, next := rec.itemRun(b, i)
		if next < 0 || count == 0 {
			return next, nil
		}
		i = next
		for ; count > 0; count-- {
			a.add(rec)
			var bad *DecodeError
			if i, bad = a.item.run(b, i, rec); bad != nil {
				return i, bad
			}
		}
		if end != 0 && i != end {
			return faultSize, nil
		}
	}
}

// stringsAt reads an array of strings, or a map of strings as one of keys and values.
func stringsAt(b []byte, i int, pairs bool, list *[][]byte, rec *Record) int {
	for {
		count, end, next := rec.itemRun(b, i)
		if next < 0 || count == 0 {
			return next
		}
		i = next
		if pairs {
			count *= 2
		}
		for ; count > 0; count-- {
			var s []byte
			if s, i = bytesAt(b, i); i < 0 {
				return i
			}
			*list = append(*list, s)
		}
		if end != 0 && i != end {
			return faultSize
		}
	}
}

// longsAt reads an array of longs.
func longsAt(b []byte, i int, list *[]int64, rec *Record) int {
	for {
		count, end, next := rec.itemRun(b, i)
		if next < 0 || count == 0 {
			return next
		}
		i = next
		for ; count > 0; count-- {
			var v int64
			if v, i = long(b, i); i < 0 {
				return i
			}
			*list = append(*list, v)
		}
		if end != 0 && i != end {
			return faultSize
		}
	}
}
