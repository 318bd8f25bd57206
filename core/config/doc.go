// Package config reads what the operator writes: the JSON of a pipeline file, with the place of every key and value,
// and the environment variables and secret files that complete it.
//
//	file --Parse--> Value --Entry--> Override (environment) --Decode--> a Config struct of a stage
//
// A stage declares its attributes once, as tags on the fields of a struct (see [Schema]); [Decode] checks an entry
// against them and [Describe] lists them for the reference manual. Every fault is a [Diagnostic] with its place, and
// all of them are found in one run.
//
// Ownership: nothing here starts a goroutine or keeps state. Values, once parsed, are only read.
//
// Start reading at [Decode].
package config
