package policy

import (
	"errors"
	"fmt"

	"github.com/tidwall/gjson"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// aspect says what of an operand is read.
type aspect uint8

const (
	plain    aspect = iota // its values
	asInt                  // the integer of a text that has one as well, or the bitmap of flags as it was recorded
	asText                 // the names of flags
	document               // the document that its subscript, a path, leads into
	count                  // how many values there are
)

// reader reads an aspect of an operand, without its transformers. One of its functions is set, or counter. A reader
// keeps nothing, so any number of goroutines may use it.
type reader struct {
	text    func(row *sfgo.FlatRecord) string
	build   func(row *sfgo.FlatRecord, dst []byte) []byte // a text that has to be put together
	texts   func(row *sfgo.FlatRecord, dst []string) []string
	number  func(row *sfgo.FlatRecord) (v int64, ok bool)
	numbers func(row *sfgo.FlatRecord, dst []int64) []int64
	counter bool // the number of the record

	counted bool // what counts is how many texts or numbers there are
	address bool // numbers are IPv4 addresses
}

// many says whether there may be several values, or none.
func (r *reader) many() bool { return (r.texts != nil || r.numbers != nil) && !r.counted }

// numeric says whether values are numbers.
func (r *reader) numeric() bool {
	return r.counted || r.counter || r.number != nil || r.numbers != nil
}

// newReader returns the reader of an aspect of o.
func newReader(o *Operand, a aspect) (reader, error) {
	f := o.Field
	var r reader
	switch {
	case f.Counter:
		r.counter = true
	case a == document:
		r.text = f.Str
	case o.Path != "":
		path := o.Path
		r.text = func(row *sfgo.FlatRecord) string { return follow(path, f.Str(row)) }
	case o.at():
		r = readerAt(f, o.Index)
	case a == asInt:
		r.number = f.Int
	case f.Type == field.Bool:
		r.number = boolNumber(f)
	case f.Type == field.Flags && (a == asText || a == count):
		r.texts = f.Strs
	case f.Type == field.Flags:
		r.number = func(row *sfgo.FlatRecord) (int64, bool) { return f.Bits(row), true }
	case f.Type == field.Net || f.Type == field.IP || f.Type == field.Int:
		r.address = f.Type != field.Int
		if f.Multi || f.Type == field.Net {
			r.numbers = f.Ints
		} else {
			r.number = f.Int
		}
	case f.Multi:
		r.texts = f.Strs
	case f.Append != nil:
		r.build = f.Append
	default:
		r.text = f.Str
	}
	if r.text == nil && r.build == nil && r.texts == nil && r.number == nil && r.numbers == nil && !r.counter {
		return r, fmt.Errorf("attribute %s has no reader for what is asked of it", f.Name)
	}
	if a == count {
		return counting(o, r)
	}
	return r, nil
}

// follow returns what a path leads to in a JSON document, or nothing.
func follow(path, doc string) string { return gjson.Get(doc, path).String() }

// at says whether o is one value of a field that has several, picked by its position.
func (o *Operand) at() bool { return o.Field.Subscript == field.Index && o.Index >= 0 }

// readerAt returns the reader of the value at position i.
func readerAt(f *field.Field, i int) reader {
	switch {
	case f.AtInt != nil:
		return reader{number: func(row *sfgo.FlatRecord) (int64, bool) { return f.AtInt(row, i) }}
	case f.AtStrs != nil:
		return reader{texts: func(row *sfgo.FlatRecord, dst []string) []string { return f.AtStrs(row, i, dst) }}
	case f.AppendAt != nil:
		return reader{build: func(row *sfgo.FlatRecord, dst []byte) []byte {
			dst, _ = f.AppendAt(row, i, dst)
			return dst
		}}
	case f.AtStr != nil:
		return reader{text: func(row *sfgo.FlatRecord) string {
			s, _ := f.AtStr(row, i)
			return s
		}}
	}
	return reader{}
}

// boolNumber reads a Bool as 0 or 1; it is missing on record types that it does not apply to.
func boolNumber(f *field.Field) func(row *sfgo.FlatRecord) (int64, bool) {
	return func(row *sfgo.FlatRecord) (int64, bool) {
		if f.Bool(row) {
			return 1, true
		}
		return 0, f.Applies.Has(recordType(row))
	}
}

// counting returns a reader of the number of values that r reads. Forms of one value are not counted: such a text has a
// length, that of its first form.
func counting(o *Operand, r reader) (reader, error) {
	switch f := o.Field; {
	case r.texts != nil && (f.Forms || o.at()):
		texts := r.texts
		return reader{text: func(row *sfgo.FlatRecord) string {
			if forms := texts(row, nil); len(forms) > 0 {
				return forms[0]
			}
			return ""
		}}, nil
	case !r.many():
		return r, errors.New("only several values can be counted")
	}
	r.counted = true
	return r, nil
}

// recordType returns the type of a row.
func recordType(row *sfgo.FlatRecord) int64 { return row.Ints[sfgo.SYSFLOW_IDX][sfgo.SF_REC_TYPE] }
