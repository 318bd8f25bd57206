package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/config/suggest"
)

// Entry is one object of a pipeline file, the configuration of a stage or driver, and what the environment adds to it.
type Entry struct {
	Kind     string // name of the processor or driver: the prefix of its variables
	Instance string // name in messages, such as exporter[1]
	Pos      Pos

	// Object is the entry as the file has it, or nil if the file has none.
	Object *Value

	// Settings are the members of the object that are attributes, in file order.
	Settings []*Member

	// Overrides are the attributes that the environment gives. Key is the attribute's name. See [Override].
	Overrides []*Member
}

// Find returns the value that the entry gives an attribute, or nil: the environment's if there is one.
func (e *Entry) Find(name string) *Value {
	for _, list := range [][]*Member{e.Overrides, e.Settings} {
		for _, m := range list {
			if fold(m.Key) == fold(name) {
				return m.Val
			}
		}
	}
	return nil
}

// Map returns the entry as a plugin's Init receives it: strings, numbers, booleans and arrays as in the file, strings
// from the environment, and no comments.
func (e *Entry) Map() map[string]any {
	m := map[string]any{}
	if e.Object != nil {
		m = e.Object.Any().(map[string]any)
	}
	for _, o := range e.Overrides {
		for key := range m {
			if fold(key) == fold(o.Key) {
				delete(m, key)
			}
		}
		m[o.Key] = o.Val.Text
	}
	return m
}

// Coded is implemented by errors of Validate methods that have a code of their own; others are P303.
type Coded interface {
	error
	Code() string // P306
	Attr() string // the attribute at fault
}

// otherReleases are attributes that earlier or later releases of the program know: accepted, without effect.
var otherReleases = []string{
	"flat", "mod", // 0.2, templates
	"language", "config", "bench.rulesetsize", "bench.ruleindex", // policyengine from 0.6 on
	"kafka.config", "kafka.topic", "kafka.topics", "kafka.encoding", // exporter 0.7
}

// validator is implemented by Config structs whose attributes depend on one another. Several errors are joined by
// errors.Join. An error that begins with the name of an attribute and a colon is reported at that attribute's place.
type validator interface{ Validate() error }

// Decode fills the structs behind the schema with the defaults, the attributes of e, and secrets, and checks
// everything: names, types, ranges, required attributes, and what the structs' Validate methods look at. It returns
// every problem it finds.
func (s *Schema) Decode(e *Entry) Diagnostics {
	d := &decoder{schema: s, entry: e, given: map[*attribute][]*Member{}, sought: map[*attribute]string{}}
	d.defaults()
	d.sort()
	for _, a := range s.attrs {
		d.set(a)
	}
	if !d.diags.HasErrors() {
		d.secrets()
	}
	if !d.diags.HasErrors() {
		d.require()
	}
	if !d.diags.HasErrors() {
		d.validate()
	}
	return d.diags
}

// decoder is one run of Decode.
type decoder struct {
	schema *Schema
	entry  *Entry
	given  map[*attribute][]*Member // where each attribute comes from; empty texts do not count
	sought map[*attribute]string    // the secrets of these attributes were looked for, in vain
	diags  Diagnostics
}

func (d *decoder) defaults() {
	for _, a := range d.schema.attrs {
		for _, f := range a.fields {
			f.SetZero()
		}
		if a.Default == "" {
			continue
		}
		v, err := a.parse(a.Default)
		if err != nil {
			panic(fmt.Sprintf("config: default of %s: %q is not %v", a.Name, a.Default, err))
		}
		a.store(v)
	}
}

// sort assigns the entry's members to the attributes they name. The environment replaces what the file says.
func (d *decoder) sort() {
	for _, m := range d.entry.Settings {
		a := d.schema.names[fold(m.Key)]
		switch {
		case a == nil && d.schema.open:
		case a == nil && slices.ContainsFunc(otherReleases, func(n string) bool { return fold(n) == fold(m.Key) }):
			d.noEffect(m)
		case a == nil:
			d.unknown(m)
		case a.Compat:
			d.noEffect(m)
		case m.Val.Kind == String && m.Val.Text == "" && !a.AllowEmpty:
		default:
			d.given[a] = append(d.given[a], m)
		}
	}
	for _, a := range d.schema.attrs {
		if members := d.given[a]; len(members) > 1 {
			d.agree(a, members)
		}
	}
	for _, o := range d.entry.Overrides {
		if a := d.schema.names[fold(o.Key)]; a != nil && a.Compat {
			d.noEffect(o)
		} else if a != nil {
			d.given[a] = []*Member{o}
		}
	}
}

// agree checks that the spellings of an attribute do not contradict one another, and keeps the first.
func (d *decoder) agree(a *attribute, members []*Member) {
	for _, m := range members[1:] {
		names := []any{d.entry.Instance, m.Key, members[0].Key}
		if fold(m.Key) == fold(a.Name) {
			names[1], names[2] = names[2], names[1]
		}
		if m.Val.show() != members[0].Val.show() {
			d.diags.Errorf(m.Pos, "P307", "%s: '%s' and '%s' contradict each other", names...)
		} else {
			d.diags.Warnf(m.Pos, "P307", "%s: '%s' and '%s' are two names of one attribute", names...)
		}
	}
	d.given[a] = members[:1]
}

func (d *decoder) noEffect(m *Member) {
	d.diags.Warnf(m.Pos, "P308", "%s.%s: accepted for compatibility, has no effect", d.entry.Instance, m.Key)
}

func (d *decoder) unknown(m *Member) {
	d.diags.Errorf(m.Pos, "P301", "%s: unknown attribute '%s'%s", d.entry.Instance, m.Key,
		DidYouMean(m.Key, d.schema.known()))
}

// known lists the names and aliases of the attributes, in the order of their declaration.
func (s *Schema) known() []string {
	var names []string
	for _, a := range s.attrs {
		names = append(append(names, a.Name), a.Aliases...)
	}
	return names
}

// DidYouMean returns the end of a message about an unknown name, or nothing if no known one is like it.
func DidYouMean(name string, known []string) string {
	like := suggest.Names(name, slices.Values(known), 3)
	if len(like) == 0 {
		return ""
	}
	for i := range like {
		like[i] = "'" + like[i] + "'"
	}
	last := len(like) - 1
	if last == 0 {
		return "; did you mean " + like[0] + "?"
	}
	return "; did you mean " + strings.Join(like[:last], ", ") + " or " + like[last] + "?"
}

// set parses, checks and stores the value of an attribute.
func (d *decoder) set(a *attribute) {
	members := d.given[a]
	if len(members) == 0 || a.parse == nil {
		return
	}
	v := members[0].Val
	if v.Kind == Array && len(a.fields) > 0 && a.fields[0].Kind() == reflect.Slice {
		if list, ok := v.strings(); ok {
			a.store(list)
			return
		}
	}
	text, ok := v.text()
	var parsed any
	err := errString
	if ok && v.Kind != Array {
		parsed, err = a.parse(text)
	} else if a.fields[0].Kind() == reflect.Slice {
		err = errList
	} else if _, perr := a.parse("?"); perr != nil {
		err = perr // says what is wanted
	}
	if err != nil {
		d.wrong(a, v, "P303", fmt.Sprintf("'%s' is not %v", d.quote(a, v), err))
		return
	}
	if len(a.enum) > 0 {
		if parsed, ok = d.enum(a, v, text); !ok {
			return
		}
	}
	if d.inRange(a, v, parsed) {
		a.store(parsed)
	}
}

// enum returns the value of an enumeration in its own spelling.
func (d *decoder) enum(a *attribute, v *Value, text string) (any, bool) {
	text = strings.TrimSpace(text)
	for _, e := range a.enum {
		for _, spelling := range append([]string{e.name}, e.aliases...) {
			if strings.EqualFold(spelling, text) {
				parsed, err := a.parse(e.name)
				return parsed, err == nil
			}
		}
	}
	diag := d.wrong(a, v, "P304", fmt.Sprintf("unknown value '%s'; allowed: %s", d.quote(a, v), a.values()))
	for value, hint := range a.retired {
		if strings.EqualFold(value, text) {
			diag.Hint("%s", hint)
			return nil, false
		}
	}
	var names []string
	for _, e := range a.enum {
		names = append(names, e.name)
	}
	// One number is as much like another as it is not.
	if like := suggest.Names(text, slices.Values(names), 1); len(like) > 0 && a.fields[0].Kind() == reflect.String {
		diag.Hint("did you mean '%s'?", like[0])
	}
	return nil, false
}

func (d *decoder) inRange(a *attribute, v *Value, parsed any) bool {
	n := reflect.ValueOf(parsed)
	if !n.CanInt() || n.Int() >= a.min && n.Int() <= a.max {
		return true
	}
	show := func(n int64) string {
		if _, ok := parsed.(time.Duration); ok {
			return time.Duration(n).String()
		}
		return fmt.Sprint(n)
	}
	if a.bounded {
		d.wrong(a, v, "P305", fmt.Sprintf("%s is outside %s..%s", d.quote(a, v), show(a.min), show(a.max)))
	} else {
		d.wrong(a, v, "P305", fmt.Sprintf("%s is below %s", d.quote(a, v), show(a.min)))
	}
	return false
}

// quote returns a value as messages show it; a credential is not shown.
func (d *decoder) quote(a *attribute, v *Value) string {
	if a.Secret {
		return "***"
	}
	return v.show()
}

func (d *decoder) wrong(a *attribute, v *Value, code, message string) *Diagnostic {
	diag := d.diags.Errorf(v.Pos, code, "%s.%s: %s", d.entry.Instance, a.Name, message)
	if strings.HasPrefix(v.Pos.File, environment) && strings.HasPrefix(v.Text, "tcp://") {
		diag.Hint("Kubernetes sets this variable for a service of that name: set enableServiceLinks: false in the pod")
	}
	return diag
}

// require reports required attributes that are missing.
func (d *decoder) require() {
	for _, a := range d.schema.attrs {
		if a.Required && !d.has(a) && d.matters(a) && !slices.ContainsFunc(a.Unless, d.hasNamed) {
			diag := d.diags.Errorf(d.entry.Pos, "P302", "%s: required attribute '%s' is missing", d.entry.Instance, a.Name)
			if path := d.sought[a]; path != "" {
				diag.Hint("there is no secret %s either", path)
			}
		}
	}
}

func (d *decoder) has(a *attribute) bool { return len(d.given[a]) > 0 }

func (d *decoder) hasNamed(name string) bool {
	a := d.schema.names[fold(name)]
	return a != nil && d.has(a)
}

// matters says whether the other attributes are such that this one counts.
func (d *decoder) matters(a *attribute) bool {
	if len(a.when) == 0 {
		return true
	}
	return slices.ContainsFunc(a.when, func(c condition) bool {
		other := d.schema.names[fold(c.attr)]
		return other != nil && slices.Contains(c.values, fmt.Sprint(other.fields[0].Interface()))
	})
}

// validate runs the structs' own checks.
func (d *decoder) validate() {
	for _, t := range d.schema.targets {
		if v, ok := t.(validator); ok {
			d.report(v.Validate())
		}
	}
}

func (d *decoder) report(err error) {
	if err == nil {
		return
	}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range several.Unwrap() {
			d.report(e)
		}
		return
	}
	if c, ok := errors.AsType[Coded](err); ok {
		d.diags.Errorf(d.place(c.Attr()), c.Code(), "%s: %v", d.entry.Instance, err)
		return
	}
	attr, message, ok := strings.Cut(err.Error(), ": ")
	if a := d.schema.names[fold(attr)]; ok && a != nil {
		d.diags.Errorf(d.place(attr), "P303", "%s.%s: %s", d.entry.Instance, a.Name, message)
		return
	}
	d.diags.Errorf(d.entry.Pos, "P303", "%s: %v", d.entry.Instance, err)
}

// place returns where an attribute is set, or the entry if it is not.
func (d *decoder) place(attr string) Pos {
	if a := d.schema.names[fold(attr)]; a != nil && d.has(a) {
		return d.given[a][0].Val.Pos
	}
	return d.entry.Pos
}

// store sets the fields of an attribute; v has a type that converts to theirs.
func (a *attribute) store(v any) {
	for _, f := range a.fields {
		f.Set(reflect.ValueOf(v).Convert(f.Type()))
	}
}

// strings returns the elements of an array as texts, without blanks around them and without empty ones.
func (v *Value) strings() ([]string, bool) {
	var list []string
	for _, e := range v.Elems {
		t, ok := e.text()
		if !ok || e.Kind == Array {
			return nil, false
		}
		if t = strings.TrimSpace(t); t != "" {
			list = append(list, t)
		}
	}
	return list, true
}
