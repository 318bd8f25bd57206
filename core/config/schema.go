package config

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
)

// Schema is the set of attributes that an entry may have, read from the struct tags of one or several Config structs.
// Embedded structs are flattened. The tags are:
//
//	attr:"monitor.interval"   the name; a field without this tag is not an attribute
//	alias:"host,hostname"     other spellings of the name
//	default:"30s"             the default, as text
//	min:"1" max:"1024"        range of an int, size or time.Duration, both ends included
//	unit:"s"                  unit of a bare number for a time.Duration: s (the default), m, ms
//	enum:"tcp,tls=tcp+tls"    the values of a string or int; after '=' another spelling of the same value
//	retired:"bypass=advice"   values of other releases, separated by ';', with the hint that the error shows
//	kind:"size"               what a string or number means: size, octal, path, dir
//	required:"true"           an entry without it is refused …
//	unless:"es.apikey"        … except if one of these attributes is set
//	when:"export=es|syslog"   the attribute matters only if another has one of these values; ';' separates alternatives
//	secret:"true"             a credential: never shown; may be looked up in a file (one of kind path is that file)
//	env:"CLUSTER_ID"          a variable that sets it, besides <PROCESSOR>_<ATTRIBUTE>
//	allowempty:"true"         an empty text is a value, not the absence of one
//	compat:"true"             accepted, without effect
//	help:"one line"           for the reference manual
//
// The types of fields are string, int, int64, bool, time.Duration and []string.
type Schema struct {
	attrs []*attribute
	names map[string]*attribute // by folded name and alias

	// open says that attributes the schema does not name belong to a plugin that has not declared its own.
	open bool

	targets []any
}

// attribute is an Attribute together with the fields that it sets.
type attribute struct {
	Attribute

	fields   []reflect.Value
	parse    parser
	min, max int64
	bounded  bool // max was given, or follows from the type
	isPath   bool
	enum     []enumValue
	retired  map[string]string
	when     []condition
}

// Attribute describes one attribute for the reference manual.
type Attribute struct {
	Name       string
	Aliases    []string
	Type       string // as in the manual: int 1–1024, enum tcp, tls, udp
	Default    string // as text; empty if there is none
	Help       string
	Env        string
	Required   bool
	Unless     []string
	When       string // the condition under which it matters, as in the tag
	Secret     bool
	AllowEmpty bool
	Compat     bool
}

// enumValue is a value of an enumeration and its other spellings.
type enumValue struct {
	name    string
	aliases []string
}

// condition holds if attr has one of values.
type condition struct {
	attr   string
	values []string
}

// NewSchema reads the tags of the structs that targets point to. Decoding an entry fills these very structs, so a
// Schema serves one entry. An attribute that two structs declare is set in both. It panics if a tag is wrong: that is
// a mistake of the program, not of its user.
func NewSchema(targets ...any) *Schema {
	s := &Schema{names: map[string]*attribute{}, targets: targets}
	for _, t := range targets {
		v := reflect.ValueOf(t)
		if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
			panic(fmt.Sprintf("config: %T is not a pointer to a struct", t))
		}
		s.read(v.Elem())
	}
	return s
}

// NamedSchema returns a schema for a plugin that says which attributes it knows, but not of what type.
func NamedSchema(names ...string) *Schema {
	s := &Schema{names: map[string]*attribute{}}
	s.Declare(names...)
	return s
}

// Declare adds attributes that are known by name only: they are accepted and not looked at.
func (s *Schema) Declare(names ...string) {
	for _, n := range names {
		if s.names[fold(n)] == nil {
			a := &attribute{Attribute: Attribute{Name: n, Type: "any"}}
			s.attrs = append(s.attrs, a)
			s.names[fold(n)] = a
		}
	}
}

// Open makes the schema accept attributes that it does not know, for a plugin that does not declare its own.
func (s *Schema) Open() { s.open = true }

// Describe lists the attributes of Config structs, in the order of their fields.
func Describe(targets ...any) []Attribute {
	var list []Attribute
	for _, a := range NewSchema(targets...).attrs {
		list = append(list, a.Attribute)
	}
	return list
}

// Dump returns the attributes of decoded Config structs as name=value, credentials as ***.
func Dump(targets ...any) []string {
	var list []string
	for _, a := range NewSchema(targets...).attrs {
		if a.Compat {
			continue
		}
		v := fmt.Sprint(a.fields[0].Interface())
		if a.Secret && v != "" {
			v = "***"
		}
		list = append(list, a.Name+"="+v)
	}
	return list
}

func (s *Schema) read(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			s.read(v.Field(i))
			continue
		}
		name := f.Tag.Get("attr")
		if name == "" {
			continue
		}
		a := newAttribute(name, f)
		if known := s.names[fold(name)]; known != nil {
			known.fields = append(known.fields, v.Field(i))
			continue
		}
		a.fields = []reflect.Value{v.Field(i)}
		s.attrs = append(s.attrs, a)
		for _, n := range append([]string{name}, a.Aliases...) {
			if s.names[fold(n)] != nil {
				panic(fmt.Sprintf("config: attribute %s is declared twice", n))
			}
			s.names[fold(n)] = a
		}
	}
}

func newAttribute(name string, f reflect.StructField) *attribute {
	tag := f.Tag.Get
	yes := func(key string) bool { return tag(key) == "true" }
	a := &attribute{
		Attribute: Attribute{
			Name: name, Aliases: words(tag("alias")), Default: tag("default"), Help: tag("help"), Env: tag("env"),
			Required: yes("required"), Unless: words(tag("unless")), When: tag("when"),
			Secret: yes("secret"), AllowEmpty: yes("allowempty"), Compat: yes("compat"),
		},
		when:   conditions(tag("when")),
		isPath: tag("kind") == "path",
	}
	for _, v := range words(tag("enum")) {
		spellings := strings.Split(v, "=")
		a.enum = append(a.enum, enumValue{spellings[0], spellings[1:]})
	}
	for _, v := range strings.Split(tag("retired"), ";") {
		if value, hint, ok := strings.Cut(v, "="); ok {
			if a.retired == nil {
				a.retired = map[string]string{}
			}
			a.retired[value] = hint
		}
	}
	if a.parse = parserOf(f.Type, tag("kind"), tag("unit")); a.parse == nil {
		panic(fmt.Sprintf("config: attribute %s: no parser for %s of kind %q", name, f.Type, tag("kind")))
	}
	a.limits(f.Type, tag("kind"), tag("min"), tag("max"))
	a.Type = a.typeText(f.Type, tag("kind"), tag("min"), tag("max"))
	return a
}

// limits sets the range of a number. Durations, sizes and permissions are never negative; an int fits 32 bits.
func (a *attribute) limits(t reflect.Type, kind, low, high string) {
	a.min, a.max = math.MinInt64, math.MaxInt64
	switch t {
	case reflect.TypeFor[int]():
		a.min, a.max, a.bounded = math.MinInt32, math.MaxInt32, true
	case reflect.TypeFor[int64](), reflect.TypeFor[time.Duration]():
		a.min = 0
	}
	if kind == "octal" {
		a.min = 0
	}
	for _, limit := range []struct {
		text string
		to   *int64
	}{{low, &a.min}, {high, &a.max}} {
		if limit.text == "" {
			continue
		}
		n, err := a.parse(limit.text)
		if err != nil {
			panic(fmt.Sprintf("config: attribute %s: limit %q is %v", a.Name, limit.text, err))
		}
		*limit.to = reflect.ValueOf(n).Int()
	}
	a.bounded = a.bounded || high != ""
}

func (a *attribute) typeText(t reflect.Type, kind, low, high string) string {
	var b strings.Builder
	switch {
	case len(a.enum) > 0:
		b.WriteString("enum " + a.values())
	case kind != "" && kind != "list":
		b.WriteString(kind)
	case t == reflect.TypeFor[time.Duration]():
		b.WriteString("duration")
	case t.Kind() == reflect.Slice:
		b.WriteString("list")
	case t.Kind() == reflect.Int64:
		b.WriteString("int")
	default:
		b.WriteString(t.String())
	}
	switch {
	case low != "" && high != "":
		fmt.Fprintf(&b, " %s–%s", low, high)
	case low != "":
		fmt.Fprintf(&b, " ≥ %s", low)
	case high != "":
		fmt.Fprintf(&b, " ≤ %s", high)
	}
	return b.String()
}

// values lists the values of an enumeration.
func (a *attribute) values() string {
	names := make([]string, len(a.enum))
	for i, v := range a.enum {
		names[i] = v.name
	}
	return strings.Join(names, ", ")
}

// conditions reads a when tag.
func conditions(tag string) []condition {
	var list []condition
	for _, c := range strings.Split(tag, ";") {
		if attr, values, ok := strings.Cut(c, "="); ok {
			list = append(list, condition{attr, strings.FieldsFunc(values, func(r rune) bool { return r == '|' || r == ',' })})
		}
	}
	return list
}

// words splits a comma-separated list and drops blanks and empty elements.
func words(list string) []string {
	var out []string
	for _, w := range strings.Split(list, ",") {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}

// fold brings the spellings of an attribute's name together: case does not count, and variables have '_' for '.'.
func fold(name string) string { return strings.ReplaceAll(strings.ToLower(name), ".", "_") }
