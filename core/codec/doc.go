// Package codec reads and writes SysFlow's encoding: Avro object container files and the records inside them, for
// every writer schema there has been.
//
//	file --> Reader --inflated blocks--> Decoder --> Record
//	Writer <-- values
//
// A [Reader] finds the blocks of a container, inflates them ahead on other goroutines and gives them out in file order;
// it survives damage and accounts for it. A [Decoder] is made for one writer schema: it turns the bytes of a record into a
// [Record], matching branches and fields by name, so that old schemas come out as the current one. It checks whatever
// it reads: no input makes it panic.
//
// Nothing here resolves references; that is the work of the package entity.
//
// Start reading at [Decoder.Decode].
package codec
