package field

import (
	"strings"

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
	IP                    // an IPv4 address: 0 to 1<<32-1, first octet in the lowest byte
	JSON                  // text that holds a JSON document
	Net                   // addresses that are compared with networks only
)

// String returns the word for the type that messages and the reference page use.
func (t Type) String() string {
	return [...]string{"?", "int", "bool", "string", "enum", "flags", "ip", "json", "net"}[t]
}

// Types is a set of record types: bit n stands for the record type n of package sfgo.
type Types uint16

// Sets of record types.
const (
	onPE Types = 1 << sfgo.PROC_EVT
	onPF Types = 1 << sfgo.PROC_FLOW
	onFF Types = 1 << sfgo.FILE_FLOW
	onFE Types = 1 << sfgo.FILE_EVT
	onNF Types = 1 << sfgo.NET_FLOW
	onNE Types = 1 << sfgo.NET_EVT
	onKE Types = 1 << sfgo.K8S_EVT

	onProc = onPE | onPF | onFF | onFE | onNF // the types that have a process
	onAll  = onProc | onNE | onKE
)

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

// Codes returns the codes of the types in the set.
func (s Types) Codes() []string {
	var codes []string
	for _, t := range []int64{
		sfgo.PROC_EVT, sfgo.PROC_FLOW, sfgo.FILE_FLOW, sfgo.FILE_EVT, sfgo.NET_FLOW, sfgo.NET_EVT, sfgo.K8S_EVT,
	} {
		if s.Has(t) {
			codes = append(codes, TypeCode(t))
		}
	}
	return codes
}

// String returns "all", or the codes of the types with blanks between them.
func (s Types) String() string {
	if s == onAll {
		return "all"
	}
	return strings.Join(s.Codes(), " ")
}

// TypeCode returns the two letters for a record type, or "" for what is not the type of a flow or event.
func TypeCode(t int64) string {
	switch t {
	case sfgo.PROC_EVT:
		return "PE"
	case sfgo.PROC_FLOW:
		return "PF"
	case sfgo.NET_FLOW:
		return "NF"
	case sfgo.FILE_FLOW:
		return "FF"
	case sfgo.FILE_EVT:
		return "FE"
	case sfgo.NET_EVT:
		return "NE"
	case sfgo.K8S_EVT:
		return "KE"
	}
	return ""
}

// Subscript says what may stand in brackets after an attribute.
type Subscript uint8

// Kinds of subscripts.
const (
	NoSubscript Subscript = iota
	Index                 // a non-negative integer: the position in the list of values
	Path                  // a path into JSON, in gjson syntax; the document is what Str returns
)

// Field is an attribute. Fields are made by [SysFlow] and never change.
type Field struct {
	Name    string   // sf.…, or the Falco name of a field that has no other
	Aliases []string // other names, mostly Falco's; for what some mean in Falco mode see [Catalogue.Lookup]
	Of      string   // for a field that is a variation of an sf.* attribute, the name of that one
	Type    Type
	Multi   bool  // several values; an operator holds if it holds for any
	Applies Types // the record types that have a value
	Query   bool  // derived at evaluation, not stored in the row

	// Stored says that on the record types in Applies the value always is that of slot Attr, an integer for Int and a
	// string for Str and JSON. Whoever wants to spare the call of a reader may load it from there.
	Stored bool
	Attr   sfgo.Attribute

	// How a value is read. Of the readers, those that fit Type and Multi are set:
	//
	//	Int, IP          Int, or Ints if Multi
	//	Bool             Bool
	//	Str, JSON, Enum  Str, or Strs if Multi
	//	Flags            Int, Bits and Strs
	//	Net              Ints, the addresses
	//
	// A Str field whose Int is set as well is read as an integer where it is compared with one (evt.res). A field
	// with Subscript Path has Str, the document, whatever its type.
	//
	// A reader may be called on a record of any type; where a value is missing it returns the zero value, or nothing.
	// Readers that take dst append to it and return it.
	Int  func(r *sfgo.FlatRecord) (v int64, ok bool) // ok is false if the value is missing; of Flags, the bitmap as recorded
	Bits func(r *sfgo.FlatRecord) int64              // of Flags, the bits that the values in Names stand for
	Bool func(r *sfgo.FlatRecord) bool
	Str  func(r *sfgo.FlatRecord) string
	Ints func(r *sfgo.FlatRecord, dst []int64) []int64
	Strs func(r *sfgo.FlatRecord, dst []string) []string

	// AtStr and AtInt read one value of a field whose Subscript is Index; ok is false past the end. AtStrs is set
	// instead of AtStr where each position has several forms: it appends them all, past the end an empty one.
	AtStr  func(r *sfgo.FlatRecord, i int) (v string, ok bool)
	AtInt  func(r *sfgo.FlatRecord, i int) (v int64, ok bool)
	AtStrs func(r *sfgo.FlatRecord, i int, dst []string) []string

	// Append and AppendAt are set where Str, or Strs and AtStr, have to build the text and so allocate. They append
	// it to dst; a scratch buffer makes them free. AppendAt takes a position as AtStr does; the values that Strs returns
	// are those from position From on.
	Append   func(r *sfgo.FlatRecord, dst []byte) []byte
	AppendAt func(r *sfgo.FlatRecord, i int, dst []byte) (_ []byte, ok bool)
	From     int

	// Forms says that Strs returns forms of one value, and AtStrs forms of the value at a position; the first is the
	// full one. FromType says that the values follow from the record type alone, so that those of one record of a type
	// are those of all. OfProcess says that where they exist they follow from the process and its ancestors alone, OfFile
	// that on flows and events of files they follow from the file's path and type alone.
	Forms     bool
	FromType  bool
	OfProcess bool
	OfFile    bool

	// Print is set where a message shows fewer values than Strs returns.
	Print func(r *sfgo.FlatRecord, dst []string) []string

	Subscript Subscript
	Names     *Names // what may be written: the closed set of an Enum or Flags field, words for an Int; else nil

	Answers []int64 // an Int that SysFlow knows only these values of; against any other it is unanswerable
	Truthy  bool    // a Bool that is also compared with integers: any but 0 means true
	Counter bool    // the number of the record in the engine's input, from 1, which no reader knows

	JSON       string // place in the JSON document, for example proc.exe; empty if it has none
	Deprecated string // the name to use instead, if this one is deprecated
	Help       string // one line
	Example    string
}
