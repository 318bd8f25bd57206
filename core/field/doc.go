// Package field is the catalogue of attributes: every value that rules can test and exporters can write, declared
// once, with its names, its type, the record types that have it, how it is read from a row, its place in the JSON
// document and a line of help.
//
//	policy compiler --name--> Catalogue.Lookup --> Field --row--> value
//	encoder, reference page, -fields  <---- Catalogue.Fields
//
// The attributes of SysFlow are declared in sysflow.go; those that only Falco has, and what some Falco names mean in
// Falco mode, in falco.go; names that Falco knows and SysFlow cannot answer in unanswerable.go. What is declared there
// is completed by [SysFlow]: it puts the test of the record type before every reader, since slots are shared between
// types, and derives the readers that follow from others.
//
// Readers expect a row whose first source is SysFlow's, with all its slots. They keep nothing and may be used by any
// number of goroutines. Only those that must build a text allocate; each has an append-style twin that does not.
//
// The reference page docs/attributes.md is generated from the catalogue, by go generate in this directory.
//
// Start reading at [Field].
package field

//go:generate go run ./internal/gendoc ../../docs/attributes.md
