// Package reader is the stage sysflowreader: it decodes blocks of records, keeps the entities of each stream up to date,
// and hands every flow and event, with what it refers to, to a handler.
//
//	driver --Block--> Stage: decode --> entity.Table.Put, Resolve --> Handler --> the handler's own channels
//
// Two handlers exist: the flattener, which is built in, and [Custom], behind which a handler plugin runs.
//
// Concurrency: a Stage works on one goroutine, since entities must be seen in the order of records. Its counters may be
// read by any goroutine; they are brought up to date once per block.
//
// Broken data never stops the stage: what cannot be decoded is counted and skipped, with a log line per kind and minute
// at most. Every record that a block promises is handed on, is an entity, or is counted as lost.
//
// Start reading at [Stage.Run].
package reader
