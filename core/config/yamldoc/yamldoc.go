// Package yamldoc reads YAML documents strictly: what is not asked for is a fault, and every fault has its place.
//
//	Parse --> Value --Map, List, Text, …--> what the caller makes of it
//	                 \--faults--> Doc.Err
//
// Reading goes on after a fault, with a zero value in place of the faulty one, so that one run shows them all. A [Value]
// that is absent reads as zero without a fault; [Map.Need] is for what must be there.
//
// Ownership: a document and its values are for one goroutine. Limits: at most [MaxFaults] faults are kept.
//
// Start reading at [Parse].
package yamldoc

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/sysflow-telemetry/sf-processor/core/config/suggest"
)

// MaxFaults is the number of faults after which a document's further ones are not kept.
const MaxFaults = 50

// Place is a place in a document.
type Place struct {
	File      string
	Line, Col int // both from 1; 0 if the document as a whole is meant
}

// String returns file:line:column, or the file if it is meant as a whole.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Fault is something wrong at one place of a document.
type Fault struct {
	Place
	Message string
}

// Error returns the fault after its place.
func (f *Fault) Error() string { return f.Place.String() + ": " + f.Message }

// Doc is a document and the faults found in it so far.
type Doc struct {
	file   string
	faults []*Fault
}

// Parse reads the one YAML document in data. file is only used in faults. What is not YAML is a fault of the document,
// and its value is absent.
func Parse(file string, data []byte) (*Doc, Value) {
	d := &Doc{file: file}
	in := yaml.NewDecoder(bytes.NewReader(data))
	var root, second yaml.Node
	switch err := in.Decode(&root); {
	case errors.Is(err, io.EOF):
		d.fault(&yaml.Node{}, "the document is empty")
		return d, Value{doc: d}
	case err != nil:
		d.fault(&yaml.Node{}, strings.TrimPrefix(err.Error(), "yaml: "))
		return d, Value{doc: d}
	}
	if in.Decode(&second) == nil {
		d.fault(&second, "want one document, found another")
	}
	return d, d.value(root.Content[0])
}

// Err returns all faults joined, in the order of their places, or nil.
func (d *Doc) Err() error {
	slices.SortStableFunc(d.faults, func(a, b *Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	errs := make([]error, len(d.faults))
	for i, f := range d.faults {
		errs[i] = f
	}
	return errors.Join(errs...)
}

func (d *Doc) fault(at *yaml.Node, message string) {
	if len(d.faults) < MaxFaults {
		d.faults = append(d.faults, &Fault{Place{d.file, at.Line, at.Column}, message})
	}
}

func (d *Doc) value(n *yaml.Node) Value {
	for range 100 { // an alias of an alias is legal, a loop of them is not for us
		if n.Kind != yaml.AliasNode {
			return Value{d, n}
		}
		n = n.Alias
	}
	d.fault(n, "an alias refers to itself")
	return Value{doc: d}
}

// Value is one value of a document. It may be absent.
type Value struct {
	doc  *Doc
	node *yaml.Node // nil: absent
}

// Present says whether the document has the value.
func (v Value) Present() bool { return v.node != nil }

// Place returns where the value is; the document as a whole if it is absent.
func (v Value) Place() Place {
	if v.node == nil {
		return Place{File: v.doc.file}
	}
	return Place{v.doc.file, v.node.Line, v.node.Column}
}

// Faultf reports a fault at the value, or at the document if it is absent.
func (v Value) Faultf(format string, args ...any) {
	n := v.node
	if n == nil {
		n = &yaml.Node{}
	}
	v.doc.fault(n, fmt.Sprintf(format, args...))
}

// kinds names what a value is, for faults.
var kinds = map[yaml.Kind]string{yaml.ScalarNode: "a single value", yaml.SequenceNode: "a list", yaml.MappingNode: "a mapping"}

func (v Value) is(kind yaml.Kind) bool {
	if v.node == nil {
		return false
	}
	if v.node.Kind != kind {
		v.Faultf("want %s, found %s", kinds[kind], kinds[v.node.Kind])
		return false
	}
	return true
}

// IsMap says whether the value is a mapping.
func (v Value) IsMap() bool { return v.node != nil && v.node.Kind == yaml.MappingNode }

// IsList says whether the value is a list.
func (v Value) IsList() bool { return v.node != nil && v.node.Kind == yaml.SequenceNode }

// Text returns the text of a single value as the document has it: 0755 stays 0755, and yes stays yes.
func (v Value) Text() string {
	if !v.is(yaml.ScalarNode) {
		return ""
	}
	return v.node.Value
}

// Int returns a whole number.
func (v Value) Int() int64 {
	text := v.Text()
	if text == "" && !v.Present() {
		return 0
	}
	n, err := strconv.ParseInt(text, 0, 64)
	if err != nil && v.node.Kind == yaml.ScalarNode {
		v.Faultf("want a whole number, found %q", text)
	}
	return n
}

// Bool returns a truth value, written true or false.
func (v Value) Bool() bool {
	switch text := v.Text(); {
	case text == "true":
		return true
	case text != "false" && v.node != nil && v.node.Kind == yaml.ScalarNode:
		v.Faultf("want true or false, found %q", text)
	}
	return false
}

// Duration returns a duration, written like 250ms or 1m30s.
func (v Value) Duration() time.Duration {
	text := v.Text()
	if text == "" && !v.Present() {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil && v.node.Kind == yaml.ScalarNode {
		v.Faultf("want a duration such as 250ms or 1m30s, found %q", text)
	}
	return d
}

// OneOf returns the text of a single value, which must be among names.
func (v Value) OneOf(names ...string) string {
	text := v.Text()
	if v.Present() && v.node.Kind == yaml.ScalarNode && !slices.Contains(names, text) {
		v.Faultf("%q is not one of %s", text, strings.Join(names, ", "))
		return ""
	}
	return text
}

// List returns the values of a list; a single value is a list of one.
func (v Value) List() []Value {
	if v.node != nil && v.node.Kind == yaml.ScalarNode {
		return []Value{v}
	}
	if !v.is(yaml.SequenceNode) {
		return nil
	}
	var vs []Value
	for _, n := range v.node.Content {
		vs = append(vs, v.doc.value(n))
	}
	return vs
}

// Texts returns the texts of a list.
func (v Value) Texts() []string {
	var ts []string
	for _, e := range v.List() {
		ts = append(ts, e.Text())
	}
	return ts
}

// Map is a mapping whose keys are being asked for.
type Map struct {
	Value
	keys   []Value // in the order of the document
	values map[string]Value
	asked  map[string]bool
}

// Map returns the mapping that the value is; if it is none, one without keys. Its caller asks for the keys it knows and
// then calls Done.
func (v Value) Map() *Map {
	m := &Map{Value: v, values: map[string]Value{}, asked: map[string]bool{}}
	if !v.is(yaml.MappingNode) {
		return m
	}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key := v.doc.value(v.node.Content[i])
		name := key.Text()
		if _, twice := m.values[name]; twice {
			key.Faultf("key %q is given twice", name)
			continue
		}
		m.keys = append(m.keys, key)
		m.values[name] = v.doc.value(v.node.Content[i+1])
	}
	return m
}

// Len returns the number of keys.
func (m *Map) Len() int { return len(m.keys) }

// Key returns the value of a key, which may be absent.
func (m *Map) Key(name string) Value {
	m.asked[name] = true
	if v, ok := m.values[name]; ok {
		return v
	}
	return Value{doc: m.doc}
}

// Need returns the value of a key; that it is absent is a fault.
func (m *Map) Need(name string) Value {
	v := m.Key(name)
	if !v.Present() && m.Present() {
		m.Faultf("key %q is missing", name)
	}
	return v
}

// All returns the keys in the order of the document, and takes them as asked for.
func (m *Map) All() []Value {
	for _, k := range m.keys {
		m.asked[k.Text()] = true
	}
	return m.keys
}

// Done makes a fault of each key that nobody asked for.
func (m *Map) Done() {
	for _, key := range m.keys {
		name := key.Text()
		if m.asked[name] {
			continue
		}
		known := slices.Sorted(maps.Keys(m.asked))
		if near := suggest.Names(name, slices.Values(known), 1); len(near) > 0 {
			key.Faultf("unknown key %q: did you mean %q?", name, near[0])
		} else {
			key.Faultf("unknown key %q: want one of %s", name, strings.Join(known, ", "))
		}
	}
}
