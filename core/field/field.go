package field

import (
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Type is the type of an attribute's values.
type Type uint8

// Types of attributes.
const (
	Int   Type = iota + 1 // 64-bit signed
	Bool                  // true or false
	Str                   // text
	Enum                  // one of a closed set of names
	Flags                 // a bitmap whose bits have names
	IP                    // an IPv4 address: a 32-bit number, first octet in the lowest byte
	JSON                  // text that holds a JSON document
	Net                   // addresses that are compared with networks only
)

// Types is a set of record types: bit n stands for the record type n of package sfgo.
type Types uint16

// TypesOf returns the set of the given record types.
func TypesOf(types ...int64) Types {
	var s Types
	for _, t := range types {
		s |= 1 << t
	}
	return s
}

// Has says whether record type t is in the set.
func (s Types) Has(t int64) bool { return uint64(t) < 16 && s>>uint(t)&1 != 0 }

// Subscript says what may stand in brackets after an attribute.
type Subscript uint8

// Kinds of subscripts.
const (
	NoSubscript Subscript = iota
	Index                 // a non-negative integer: the position in the list of values
	Path                  // a path into JSON, in gjson syntax
)

// Field is an attribute. Fields are made by [New] and never change.
type Field struct {
	Name    string   // sf.…, or the Falco name of a field that has no other
	Aliases []string // Falco names, the same in and out of Falco mode
	Type    Type
	Multi   bool  // several values; an operator holds if it holds for any
	Applies Types // the record types that have a value
	Query   bool  // derived at evaluation, not stored in the row

	// How a value is read. Of the readers, those that fit Type and Multi are set:
	//
	//	Int, IP          Int, or Ints if Multi
	//	Bool             Bool
	//	Str, JSON, Enum  Str, or Strs if Multi
	//	Flags            Int, the bitmap, and Strs, the names of the bits set
	//	Net              Ints, the addresses
	//
	// A reader may be called on a record of any type; where a value is missing it returns the zero value, or nothing.
	// The append-style readers append to dst and return it.
	Int  func(r *sfgo.FlatRecord) (v int64, ok bool) // ok is false if the value is missing
	Bool func(r *sfgo.FlatRecord) bool
	Str  func(r *sfgo.FlatRecord) string
	Ints func(r *sfgo.FlatRecord, dst []int64) []int64
	Strs func(r *sfgo.FlatRecord, dst []string) []string

	// At reads one value of a field whose Subscript is Index; ok is false past the end.
	AtStr func(r *sfgo.FlatRecord, i int) (v string, ok bool)
	AtInt func(r *sfgo.FlatRecord, i int) (v int64, ok bool)

	Subscript Subscript
	Names     *Names // the closed set of an Enum or Flags field, nil otherwise

	JSON       string // place in the JSON document, for example proc.exe; empty if it has none
	Deprecated string // the name to use instead, if this one is deprecated
	Help       string // one line
	Example    string
}
