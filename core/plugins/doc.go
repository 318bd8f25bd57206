// Package plugins is the contract between the program and its plugins: the interfaces a plugin implements, the caches
// it registers with, and the channels it reads and writes.
//
// The interfaces are those of the SysFlow ecosystem and never change; newer capabilities are optional interfaces that
// the program looks for. Four kinds of plugin exist: a driver brings records in ([SFDriver], [SFContextDriver]), a
// handler turns resolved records into what the next stage wants ([SFHandler]), a processor is a stage of the pipeline
// ([SFProcessor]), and an action is run by policy rules (package core/policyengine/engine).
//
// A [Channel] hides from its two ends whether records or batches of records pass: a plugin sees single records on In,
// the built-in stages hand each other batches.
//
// Start reading at [SFProcessor].
package plugins
