// Package flattener is the built-in handler: it turns each flow and event, with the entities it refers to, into a flat
// record, a row of integers and strings.
//
//	reader --event and its entities--> Flattener --Batch--> policy engine
//
// Ownership: rows live in the slab of their [Batch]. A batch has one owner at a time, or as many as a tee has branches:
// each calls Release when done, and the last Release recycles the slab. Nobody may change a row, nor keep one beyond
// Release; strings and the processes of Ptree may be kept.
//
// A row is written slot by slot, all of them, over whatever the slab held before; most slots are neighbours that package
// entity has ready, so that a row is a dozen copies.
//
// Optionally a filter drops rows that repeat an earlier one. It remembers hashes, a bounded number, and goes by the times
// of the records.
//
// Start reading at [Flattener.Handle].
package flattener
