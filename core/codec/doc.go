// Package codec reads and writes SysFlow's encoding: Avro object container files and the records inside them, for
// every writer schema there has been.
//
//	file --> Reader --inflated blocks--> Decoder --> Record --> SysFlow structures, for plugins
//	message -------------------------^
//	Writer <-- Encoder <-- SysFlow structures
//
// A [Reader] finds the blocks of a container (split.go), inflates them ahead on other goroutines (inflate.go) and gives
// them out in file order; it survives damage and accounts for it. A [Decoder] is made for one writer schema (schema.go):
// a schema is compiled (plan.go) to a list of steps for each of its records, which match fields by name with those of the
// current schema (layout.go), so that old schemas come out as the current one. Running the steps (decode.go) turns the
// bytes of a record into a [Record]. Every value is checked: no input makes it panic.
//
// Ownership: the bytes in a Record belong to the data it was decoded from, which is the block's until its Release. A
// Decoder never changes and may be used by any number of goroutines, each with a Record; a [Decoders] keeps one for each
// schema. Memory is bounded, whatever a file claims: by limits on the header, on what a block holds, on the items of a
// record, and on the bytes of blocks that were not released.
//
// Nothing here resolves references; that is the work of the package entity.
//
// Not obvious: a record has no length, so that one bad byte costs the rest of its block; a block whose marker is damaged
// is good if it decodes to just the number of records it promises; the version in a header says nothing about the schema;
// whether a block is damaged may be found out only by who decodes it, and comes back through Block.Fault.
//
// Start reading at [Decoder.Decode].
package codec
