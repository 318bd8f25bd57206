package codec

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// kind is the kind of an Avro type.
type kind uint8

const (
	kindNull kind = iota
	kindBoolean
	kindInt
	kindLong
	kindFloat
	kindDouble
	kindBytes
	kindString
	kindRecord
	kindEnum
	kindFixed
	kindArray
	kindMap
	kindUnion
)

var kindNames = [...]string{"null", "boolean", "int", "long", "float", "double", "bytes", "string", "record", "enum",
	"fixed", "array", "map", "union"}

func (k kind) String() string { return kindNames[k] }

// avroType is a type of a writer schema. Logical types are not kept: writers have put wrong ones on right data.
type avroType struct {
	kind     kind
	name     string       // full name of a record, enum or fixed
	fields   []avroField  // of a record
	symbols  []string     // of an enum
	size     int          // of a fixed, in bytes
	elem     *avroType    // items of an array, values of a map
	branches []*avroType  // of a union
	empty    bool         // values take no bytes at all: null, an empty record, …
	state    measureState // see measure
}

// avroField is a field of a record.
type avroField struct {
	name string
	typ  *avroType
}

// field returns the type of the field of that name, or nil.
func (t *avroType) field(name string) *avroType {
	for i := range t.fields {
		if t.fields[i].name == name {
			return t.fields[i].typ
		}
	}
	return nil
}

// String describes t for messages.
func (t *avroType) String() string {
	if t.name != "" {
		return t.kind.String() + " " + t.name
	}
	return t.kind.String()
}

// Limits on schemas. Real ones have at most 15,436 bytes and nest to a depth of 8.
const (
	maxSchema = 1 << 20 // bytes
	maxDepth  = 64      // nesting, of schemas and of values that are skipped
	maxFixed  = 64 << 20
)

// parseSchema reads an Avro schema from its JSON text.
func parseSchema(text string) (*avroType, error) {
	if len(text) > maxSchema {
		return nil, fmt.Errorf("has %d bytes, want at most %d", len(text), maxSchema)
	}
	var tree any
	if err := json.Unmarshal([]byte(text), &tree); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	p := schemaParser{named: make(map[string]*avroType)}
	t, err := p.parse(tree, "", 0)
	if err != nil {
		return nil, err
	}
	for _, n := range p.named {
		if err := measure(n); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// schemaParser turns the JSON tree of a schema into types.
type schemaParser struct {
	named map[string]*avroType // by full name
}

// parse reads one schema. space is the namespace that names without one belong to.
func (p *schemaParser) parse(tree any, space string, depth int) (*avroType, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("types nest deeper than %d", maxDepth)
	}
	switch v := tree.(type) {
	case string:
		return p.byName(v, space)
	case []any:
		return p.union(v, space, depth)
	case map[string]any:
		name, ok := v["type"].(string)
		if !ok {
			if v["type"] == nil {
				return nil, errors.New("a type without 'type'")
			}
			return p.parse(v["type"], space, depth+1)
		}
		return p.complex(name, v, space, depth)
	default:
		return nil, fmt.Errorf("%v is not a type", v)
	}
}

// byName returns the primitive type or the type defined before that has this name.
func (p *schemaParser) byName(name, space string) (*avroType, error) {
	if k, ok := primitive(name); ok {
		return &avroType{kind: k, empty: k == kindNull}, nil
	}
	if t := p.named[fullName(name, space)]; t != nil {
		return t, nil
	}
	if t := p.named[name]; t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("type %q is not defined", name)
}

func primitive(name string) (kind, bool) {
	for k := kindNull; k <= kindString; k++ {
		if kindNames[k] == name {
			return k, true
		}
	}
	return 0, false
}

// fullName qualifies a name that has no namespace of its own.
func fullName(name, space string) string {
	if space == "" || strings.Contains(name, ".") {
		return name
	}
	return space + "." + name
}

func (p *schemaParser) union(branches []any, space string, depth int) (*avroType, error) {
	t := &avroType{kind: kindUnion}
	for _, tree := range branches {
		b, err := p.parse(tree, space, depth+1)
		if err != nil {
			return nil, err
		}
		if b.kind == kindUnion {
			return nil, errors.New("a union directly in a union")
		}
		t.branches = append(t.branches, b)
	}
	if len(t.branches) == 0 {
		return nil, errors.New("a union without branches")
	}
	return t, nil
}

// complex reads a schema that is a JSON object; what is its "type".
func (p *schemaParser) complex(what string, obj map[string]any, space string, depth int) (*avroType, error) {
	switch what {
	case "array", "map":
		key, k := "items", kindArray
		if what == "map" {
			key, k = "values", kindMap
		}
		elem, err := p.parse(obj[key], space, depth+1)
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", key, what, err)
		}
		return &avroType{kind: k, elem: elem}, nil
	case "record", "enum", "fixed":
		return p.define(what, obj, space, depth)
	default:
		return p.byName(what, space)
	}
}

// define reads the definition of a named type.
func (p *schemaParser) define(what string, obj map[string]any, space string, depth int) (*avroType, error) {
	name, _ := obj["name"].(string)
	if name == "" {
		return nil, fmt.Errorf("%s without a name", what)
	}
	if own, ok := obj["namespace"].(string); ok {
		space = own
	}
	name = fullName(name, space)
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		space = name[:i]
	}
	if p.named[name] != nil {
		return nil, fmt.Errorf("type %s is defined twice", name)
	}
	t := &avroType{name: name}
	p.named[name] = t
	var err error
	switch what {
	case "record":
		t.kind = kindRecord
		err = p.fields(t, obj["fields"], space, depth)
	case "enum":
		t.kind = kindEnum
		err = enumSymbols(t, obj["symbols"])
	case "fixed":
		t.kind = kindFixed
		size, ok := obj["size"].(float64)
		if !ok || size != float64(int(size)) || size < 0 || size > maxFixed {
			return nil, fmt.Errorf("fixed %s: size is %v, want a number from 0 to %d", name, obj["size"], maxFixed)
		}
		t.size = int(size)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t, err)
	}
	return t, nil
}

func (p *schemaParser) fields(t *avroType, list any, space string, depth int) error {
	items, ok := list.([]any)
	if !ok {
		return errors.New("'fields' is not a list")
	}
	for _, item := range items {
		obj, _ := item.(map[string]any)
		name, _ := obj["name"].(string)
		if name == "" {
			return errors.New("a field without a name")
		}
		if t.field(name) != nil {
			return fmt.Errorf("two fields are called %s", name)
		}
		typ, err := p.parse(obj["type"], space, depth+1)
		if err != nil {
			return fmt.Errorf("field %s: %w", name, err)
		}
		t.fields = append(t.fields, avroField{name, typ})
	}
	return nil
}

func enumSymbols(t *avroType, list any) error {
	items, ok := list.([]any)
	if !ok {
		return errors.New("'symbols' is not a list")
	}
	for _, item := range items {
		s, ok := item.(string)
		if !ok {
			return fmt.Errorf("symbol %v is not text", item)
		}
		t.symbols = append(t.symbols, s)
	}
	return nil
}

// measureState is how far measure has come with a type.
type measureState uint8

const (
	unmeasured measureState = iota
	measuring
	measured
)

// measure finds out whether t's values take any bytes. An array of values that take none is skipped without a loop: its
// length says nothing about the work. A record that contains itself other than through a union, array or map has no
// values at all and is refused.
func measure(t *avroType) error {
	switch t.state {
	case measured:
		return nil
	case measuring:
		return fmt.Errorf("%s contains itself", t)
	}
	t.state = measuring
	switch t.kind {
	case kindNull:
		t.empty = true
	case kindFixed:
		t.empty = t.size == 0
	case kindRecord:
		t.empty = true
		for _, f := range t.fields {
			if err := measure(f.typ); err != nil {
				return err
			}
			t.empty = t.empty && f.typ.empty
		}
	}
	t.state = measured
	return nil
}
