package encode

import (
	"strconv"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// key is a key of a section and what stands behind it: an attribute, or a value that is none.
type key struct {
	name  string
	field *field.Field
	value writer

	types field.Types // the record types that have the key; 0: all
	after string      // the key it stands behind; empty: in alphabetical order
}

// order returns the text by which keys of a section are sorted.
func (k key) order() string {
	switch {
	case k.name == "version":
		return "" // comes first
	case k.after != "":
		return k.after + " "
	}
	return k.name
}

func (k key) on(t int64) bool { return k.types == 0 || k.types.Has(t) }

// compile returns the writer of the value on records of type t, or nil and a text if they all have the same.
func (k key) compile(t int64, options JSONOptions) (writer, string) {
	f := k.field
	if f == nil {
		return k.value, ""
	}
	switch {
	case f.JSON == "version":
		return nil, strconv.Itoa(options.Version)
	case f.JSON == "file.openflags" && t == sfgo.FILE_EVT:
		return nil, `["NONE"]` // the attribute is missing there, and the document says so in this way
	case !f.Applies.Has(t):
		return nil, zero(f)
	}
	if special, ok := specials[f.JSON]; ok {
		return special, ""
	}
	return general(f), ""
}

// zero returns what a document holds for a missing value.
func zero(f *field.Field) string {
	switch {
	case f.Multi:
		return "[]"
	case f.Type == field.Int:
		return "0"
	case f.Type == field.Bool:
		return "false"
	}
	return `""`
}

// specials write what the document shows in another form than rules see.
var specials = map[string]writer{
	"container.privileged": func(_ *JSON, dst []byte, r *sfgo.FlatRecord) []byte {
		return strconv.AppendInt(dst, r.Ints[sfgo.SYSFLOW_IDX][sfgo.CONT_PRIVILEGED_INT], 10)
	},
	"pod.services": podServices,
}

// general returns the writer for an attribute of its type.
func general(f *field.Field) writer {
	switch {
	case f.AppendAt != nil:
		return built(f)
	case f.Type == field.IP && f.Multi:
		return func(j *JSON, dst []byte, r *sfgo.FlatRecord) []byte {
			j.ints = f.Ints(r, j.ints[:0])
			return appendAddrs(dst, j.ints)
		}
	case f.Type == field.IP:
		return func(_ *JSON, dst []byte, r *sfgo.FlatRecord) []byte {
			ip, ok := f.Int(r)
			if !ok {
				return append(dst, `""`...)
			}
			return appendAddr(dst, ip)
		}
	case f.Type == field.Int && f.Multi:
		return func(j *JSON, dst []byte, r *sfgo.FlatRecord) []byte {
			j.ints = f.Ints(r, j.ints[:0])
			return appendInts(dst, j.ints)
		}
	case f.Type == field.Int && f.Stored:
		return func(_ *JSON, dst []byte, r *sfgo.FlatRecord) []byte {
			return strconv.AppendInt(dst, r.Ints[sfgo.SYSFLOW_IDX][f.Attr], 10)
		}
	case f.Type == field.Int:
		return func(_ *JSON, dst []byte, r *sfgo.FlatRecord) []byte {
			v, _ := f.Int(r)
			return strconv.AppendInt(dst, v, 10)
		}
	case f.Type == field.Bool:
		return func(_ *JSON, dst []byte, r *sfgo.FlatRecord) []byte { return strconv.AppendBool(dst, f.Bool(r)) }
	case f.Multi:
		return func(j *JSON, dst []byte, r *sfgo.FlatRecord) []byte {
			j.strs = f.Strs(r, j.strs[:0])
			return appendStrings(dst, j.strs)
		}
	case f.Append != nil:
		return func(j *JSON, dst []byte, r *sfgo.FlatRecord) []byte {
			start := len(dst)
			dst = f.Append(r, append(dst, '"'))
			dst, j.text = quote(dst, start, j.text)
			return dst
		}
	case f.Stored:
		return func(_ *JSON, dst []byte, r *sfgo.FlatRecord) []byte {
			return appendString(dst, r.Strs[sfgo.SYSFLOW_IDX][f.Attr])
		}
	default:
		return func(_ *JSON, dst []byte, r *sfgo.FlatRecord) []byte { return appendString(dst, f.Str(r)) }
	}
}

// built returns the writer for several texts that have to be built.
func built(f *field.Field) writer {
	return func(j *JSON, dst []byte, r *sfgo.FlatRecord) []byte {
		dst = append(dst, '[')
		for i := f.From; ; i++ {
			end := len(dst)
			if i > f.From {
				dst = append(dst, ',')
			}
			start := len(dst)
			text, ok := f.AppendAt(r, i, append(dst, '"'))
			if !ok {
				return append(dst[:end], ']')
			}
			dst, j.text = quote(text, start, j.text)
		}
	}
}

func appendInts(dst []byte, values []int64) []byte {
	dst = append(dst, '[')
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, v, 10)
	}
	return append(dst, ']')
}

func appendStrings(dst []byte, values []string) []byte {
	dst = append(dst, '[')
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, v)
	}
	return append(dst, ']')
}

func appendAddr(dst []byte, ip int64) []byte {
	return append(field.AppendIPv4(append(dst, '"'), ip), '"')
}

func appendAddrs(dst []byte, ips []int64) []byte {
	dst = append(dst, '[')
	for i, ip := range ips {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendAddr(dst, ip)
	}
	return append(dst, ']')
}

// podServices writes the services of the record's pod.
func podServices(_ *JSON, dst []byte, r *sfgo.FlatRecord) []byte {
	var services []*sfgo.Service
	if row := r.Anys[sfgo.SYSFLOW_IDX]; int(sfgo.POD_SERVICES_ANY) < len(row) {
		services, _ = row[sfgo.POD_SERVICES_ANY].([]*sfgo.Service)
	}
	return appendServices(dst, services)
}

// lacks returns a test for records without a value of the key called name.
func lacks(keys []key, name string) func(r *sfgo.FlatRecord) bool {
	for _, k := range keys {
		switch {
		case k.name != name:
		case k.field.Type == field.Int:
			return func(r *sfgo.FlatRecord) bool { v, _ := k.field.Int(r); return v == 0 }
		default:
			return func(r *sfgo.FlatRecord) bool { return k.field.Str(r) == "" }
		}
	}
	return func(*sfgo.FlatRecord) bool { return true }
}

// Values of the extended document, which are no attributes.

func procCwd(_ *JSON, dst []byte, r *sfgo.FlatRecord) []byte {
	if len(r.Ptree) == 0 {
		return append(dst, `""`...)
	}
	return appendString(dst, r.Ptree[0].Cwd)
}

func procEnv(j *JSON, dst []byte, r *sfgo.FlatRecord) []byte {
	j.strs = j.strs[:0]
	if len(r.Ptree) > 0 {
		for _, v := range r.Ptree[0].Env {
			if v != "" { // collectors pad with empty ones
				j.strs = append(j.strs, v)
			}
		}
	}
	return appendStrings(dst, j.strs)
}

func eventArgs(_ *JSON, dst []byte, r *sfgo.FlatRecord) []byte {
	var args []string
	if row := r.Anys[sfgo.SYSFLOW_IDX]; int(sfgo.EV_PROC_ARGS_ANY) < len(row) {
		args, _ = row[sfgo.EV_PROC_ARGS_ANY].([]string)
	}
	return appendStrings(dst, args)
}
