// Package field is the catalogue of attributes: every value that rules can test and exporters can write, declared
// once, with its names, its type, the record types that have it, how it is read from a row, its place in the JSON
// document and a line of help.
//
//	policy compiler --name--> Catalogue.Lookup --> Field --row--> value
//	encoder, reference page, -fields  <---- Catalogue.Fields
//
// The readers of a field look at the record type before they touch a slot, since slots are shared between types. They
// keep nothing, allocate nothing, and may be used by any number of goroutines.
//
// Start reading at [Field].
package field
