package policy

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// noValue is printed for a value that is missing or that the data never has.
const noValue = "<NA>"

// Piece is a part of a message: text, or a placeholder for a value.
type Piece struct {
	Text    string   // printed before the value
	Operand *Operand // nil: no value, or with Lacking one that the data never has
	Lacking bool     //
	Width   int      // characters to which the value is cut or filled up with blanks; 0: as many as it has
}

// Template is a message with placeholders, ready to be rendered. It never changes; any number of goroutines may use it.
type Template struct{ pieces []printed }

// printed is a piece with what prints its value.
type printed struct {
	text  string
	print func(dst []byte, row *sfgo.FlatRecord) []byte // appends nothing if the value is missing; nil: there is none
	has   bool
	width int
}

// NewTemplate returns the message that consists of pieces. An error means that the front end is wrong: it names an
// attribute whose value cannot be read.
func NewTemplate(pieces []Piece) (*Template, error) {
	t := &Template{}
	for _, p := range pieces {
		out := printed{text: p.Text, has: p.Operand != nil || p.Lacking, width: p.Width}
		if p.Operand != nil {
			print, err := newPrinter(p.Operand)
			if err != nil {
				return nil, fmt.Errorf("output: %w", err)
			}
			out.print = print
		}
		t.pieces = append(t.pieces, out)
	}
	return t, nil
}

// Append appends the message for a row to dst and returns the extended slice.
func (t *Template) Append(dst []byte, row *sfgo.FlatRecord) []byte {
	for i := range t.pieces {
		p := &t.pieces[i]
		dst = append(dst, p.text...)
		if !p.has {
			continue
		}
		start := len(dst)
		if p.print != nil {
			dst = p.print(dst, row)
		}
		if len(dst) == start {
			dst = append(dst, noValue...)
		}
		if p.width > 0 {
			dst = fit(dst, start, p.width)
		}
	}
	return dst
}

// fit cuts dst[start:] to width characters, or fills it up with blanks.
func fit(dst []byte, start, width int) []byte {
	for at := start; at < len(dst); width-- {
		if width == 0 {
			return dst[:at]
		}
		_, n := utf8.DecodeRune(dst[at:])
		at += n
	}
	for range width {
		dst = append(dst, ' ')
	}
	return dst
}

// newPrinter returns a function that appends the value of o; several are separated by blanks.
func newPrinter(o *Operand) (func(dst []byte, row *sfgo.FlatRecord) []byte, error) {
	if o.Field.Counter && len(o.Apply) == 0 {
		return func(dst []byte, _ *sfgo.FlatRecord) []byte { return dst }, nil // which no row knows
	}
	a := asText
	if n := len(o.Apply); n > 0 && o.Apply[n-1] == Len && o.many() {
		a = count
	}
	r, err := newReader(o, a)
	if err != nil {
		return nil, err
	}
	switch {
	case r.counted:
		return printCount(r), nil
	case o.Field.Type == field.Bool:
		return printBool(r), nil
	case r.number != nil || r.numbers != nil:
		return printNumbers(o, r), nil
	}
	return printTexts(o, r), nil
}

func printCount(r reader) func(dst []byte, row *sfgo.FlatRecord) []byte {
	return func(dst []byte, row *sfgo.FlatRecord) []byte {
		n := 0
		if r.texts != nil {
			n = len(r.texts(row, nil))
		} else {
			n = len(r.numbers(row, nil))
		}
		return strconv.AppendInt(dst, int64(n), 10)
	}
}

func printBool(r reader) func(dst []byte, row *sfgo.FlatRecord) []byte {
	return func(dst []byte, row *sfgo.FlatRecord) []byte {
		if v, ok := r.number(row); ok {
			return strconv.AppendBool(dst, v != 0)
		}
		return dst
	}
}

// printNumbers prints integers and addresses.
func printNumbers(o *Operand, r reader) func(dst []byte, row *sfgo.FlatRecord) []byte {
	one := func(dst []byte, v int64, ok bool) []byte {
		switch {
		case r.address:
			return appendTransformed(dst, o.Apply, dotted(v, ok))
		case ok:
			return strconv.AppendInt(dst, v, 10)
		}
		return dst
	}
	if r.number != nil {
		return func(dst []byte, row *sfgo.FlatRecord) []byte {
			v, ok := r.number(row)
			return one(dst, v, ok)
		}
	}
	return func(dst []byte, row *sfgo.FlatRecord) []byte {
		for i, v := range r.numbers(row, nil) {
			if i > 0 {
				dst = append(dst, ' ')
			}
			dst = one(dst, v, true)
		}
		return dst
	}
}

func printTexts(o *Operand, r reader) func(dst []byte, row *sfgo.FlatRecord) []byte {
	switch {
	case r.build != nil && len(o.Apply) == 0:
		return func(dst []byte, row *sfgo.FlatRecord) []byte { return r.build(row, dst) }
	case r.build != nil:
		return func(dst []byte, row *sfgo.FlatRecord) []byte {
			return appendTransformed(dst, o.Apply, string(r.build(row, nil)))
		}
	case r.text != nil:
		return func(dst []byte, row *sfgo.FlatRecord) []byte { return appendTransformed(dst, o.Apply, r.text(row)) }
	}
	read := r.texts
	if o.Field.Print != nil && !o.at() {
		read = o.Field.Print
	}
	first := o.Field.Forms || o.at() // what is read are forms of one value, the full one first
	return func(dst []byte, row *sfgo.FlatRecord) []byte {
		for i, s := range read(row, nil) {
			if i > 0 {
				if first {
					break
				}
				dst = append(dst, ' ')
			}
			dst = appendTransformed(dst, o.Apply, s)
		}
		return dst
	}
}

// appendTransformed appends what transformers make of a text.
func appendTransformed(dst []byte, apply []Transform, s string) []byte {
	for _, t := range apply {
		if t == Len {
			return strconv.AppendInt(dst, int64(len(s)), 10)
		}
		s = transformText(t, s)
	}
	return append(dst, s...)
}
