// Package sysflow holds the built-in drivers, which bring SysFlow into the pipeline.
//
//	trace, directory of traces, pipe, standard input --File--> blocks, one stream per trace
//
// Drivers write inflated blocks and leave decoding to the reader stage. One that finds damage, or is told of it by the
// reader, reports it, goes on, and fails at the end.
//
// Ownership: a block belongs to whoever receives it, until it is released. A driver runs on the goroutine that calls
// RunContext; its counters may be read by any goroutine.
//
// Start reading at [File.RunContext].
package sysflow
