package field

import (
	"iter"
	"slices"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/config/suggest"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Catalogue is a set of attributes. It never changes; any number of goroutines may use it.
type Catalogue struct {
	fields       []*Field // in the order of the reference page
	variants     []*Field // what Falco names mean in Falco mode
	byName       map[string]*Field
	inFalcoMode  map[string]*Field
	unanswerable *nameSet
}

// SysFlow returns the catalogue of SysFlow's attributes. It is meant to be made once and handed to whoever needs it.
func SysFlow() *Catalogue {
	s := newSets()
	c := &Catalogue{
		fields:       slices.Concat(sysflowFields(s), falcoFields(s), deprecatedFields()),
		variants:     falcoMode(s),
		byName:       map[string]*Field{},
		inFalcoMode:  map[string]*Field{},
		unanswerable: newUnanswerable(),
	}
	for _, f := range c.fields {
		complete(f)
		c.byName[f.Name] = f
		for _, a := range f.Aliases {
			c.byName[a] = f
		}
	}
	for _, f := range c.variants {
		complete(f)
		c.inFalcoMode[f.Name] = f
	}
	return c
}

// Lookup returns the attribute called name, without subscript. In Falco mode some Falco names mean something else, and
// then the attribute is another one, called by its Falco name; names that begin with "sf." always mean the same.
func (c *Catalogue) Lookup(name string, falco bool) (*Field, bool) {
	if falco {
		if f, ok := c.inFalcoMode[name]; ok {
			return f, true
		}
	}
	f, ok := c.byName[name]
	return f, ok
}

// Unanswerable says whether name, without subscript, is one that Falco has and SysFlow data can never supply, so that
// it is no typing error.
func (c *Catalogue) Unanswerable(name string) bool {
	_, known := c.byName[name]
	return !known && c.unanswerable.has(name)
}

// UnanswerableNames yields the names for which Unanswerable holds, in order; one that ends in ".*" stands for itself
// without that and for all that go on with a dot. Names that Lookup finds are excepted.
func (c *Catalogue) UnanswerableNames() iter.Seq[string] { return slices.Values(c.unanswerable.list) }

// Fields yields all attributes in the order of the reference page.
func (c *Catalogue) Fields() iter.Seq[*Field] { return slices.Values(c.fields) }

// Variants yields the attributes that Lookup returns in Falco mode only.
func (c *Catalogue) Variants() iter.Seq[*Field] { return slices.Values(c.variants) }

// Names yields all names that Lookup finds but the deprecated ones, those that begin with "sf." first.
func (c *Catalogue) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, sf := range []bool{true, false} {
			for _, f := range c.fields {
				if f.Deprecated != "" {
					continue
				}
				if strings.HasPrefix(f.Name, "sf.") == sf && !yield(f.Name) {
					return
				}
				for _, a := range f.Aliases {
					if strings.HasPrefix(a, "sf.") == sf && !yield(a) {
						return
					}
				}
			}
		}
	}
}

// Suggest returns up to three names that somebody who wrote name may have meant.
func (c *Catalogue) Suggest(name string) []string { return suggest.Names(name, c.Names(), 3) }

// complete derives the readers of f that follow from others, then puts the test of the record type before all of them.
func complete(f *Field) {
	if f.Stored {
		completeStored(f)
	} else {
		guard(f)
	}
	if f.Append != nil && f.Str == nil {
		build := f.Append
		f.Str = func(r *sfgo.FlatRecord) string {
			var buf [128]byte // most texts are shorter: one allocation, of the right size
			return string(build(r, buf[:0]))
		}
	}
}

// completeStored sets the reader of a field whose value is a slot.
func completeStored(f *Field) {
	types, slot := f.Applies, f.Attr
	if f.Type == Int {
		f.Int = func(r *sfgo.FlatRecord) (int64, bool) {
			if row := ints(r); types.Has(row[sfgo.SF_REC_TYPE]) {
				return row[slot], true
			}
			return 0, false
		}
		return
	}
	f.Str = func(r *sfgo.FlatRecord) string {
		if !types.Has(recType(r)) {
			return ""
		}
		return strs(r)[slot]
	}
	if at := f.AtStr; at != nil {
		f.AtStr = func(r *sfgo.FlatRecord, i int) (string, bool) {
			if !types.Has(recType(r)) {
				return "", false
			}
			return at(r, i)
		}
	}
}

// guard puts the test of the record type before the readers of f.
func guard(f *Field) {
	types := f.Applies
	if read := f.Int; read != nil {
		f.Int = func(r *sfgo.FlatRecord) (int64, bool) {
			if !types.Has(recType(r)) {
				return 0, false
			}
			return read(r)
		}
	}
	if read := f.Bits; read != nil {
		f.Bits = func(r *sfgo.FlatRecord) int64 {
			if !types.Has(recType(r)) {
				return 0
			}
			return read(r)
		}
	}
	if read := f.Bool; read != nil {
		f.Bool = func(r *sfgo.FlatRecord) bool { return types.Has(recType(r)) && read(r) }
	}
	if read := f.Str; read != nil {
		f.Str = func(r *sfgo.FlatRecord) string {
			if !types.Has(recType(r)) {
				return ""
			}
			return read(r)
		}
	}
	f.Ints = guardAppend(types, f.Ints)
	f.Strs = guardAppend(types, f.Strs)
	f.Print = guardAppend(types, f.Print)
	f.Append = guardAppend(types, f.Append)
	if read := f.AtStr; read != nil {
		f.AtStr = func(r *sfgo.FlatRecord, i int) (string, bool) {
			if !types.Has(recType(r)) {
				return "", false
			}
			return read(r, i)
		}
	}
	if read := f.AtInt; read != nil {
		f.AtInt = func(r *sfgo.FlatRecord, i int) (int64, bool) {
			if !types.Has(recType(r)) {
				return 0, false
			}
			return read(r, i)
		}
	}
	if read := f.AtStrs; read != nil {
		f.AtStrs = func(r *sfgo.FlatRecord, i int, dst []string) []string {
			if !types.Has(recType(r)) {
				return append(dst, "")
			}
			return read(r, i, dst)
		}
	}
	if read := f.AppendAt; read != nil {
		f.AppendAt = func(r *sfgo.FlatRecord, i int, dst []byte) ([]byte, bool) {
			if !types.Has(recType(r)) {
				return dst, false
			}
			return read(r, i, dst)
		}
	}
}

// guardAppend guards a reader that appends values to dst.
func guardAppend[T any](types Types, read func(r *sfgo.FlatRecord, dst []T) []T) func(*sfgo.FlatRecord, []T) []T {
	if read == nil {
		return nil
	}
	return func(r *sfgo.FlatRecord, dst []T) []T {
		if !types.Has(recType(r)) {
			return dst
		}
		return read(r, dst)
	}
}
