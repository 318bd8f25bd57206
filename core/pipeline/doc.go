// Package pipeline turns a pipeline file into running stages.
//
//	file --read--> entries --shape, attributes--> graph --build--> Pipeline --Test, Run--> Result
//
// What a file may name is a value, the [Registry], that package main fills with the built-in stages; a pipeline adds the
// plugins it loads to a copy of its own. The package knows stages by what they can do ([Runner], and the optional
// [Tester], [Counter] and [Reloader]), never by their types.
//
// The entries of a file form a tree: drivers feed the one root reader, every channel has one writer and one reader. All
// faults of a file are found in one run, with their places, before anything is built.
//
// Life cycle: each stage runs on a goroutine of its own and ends when its input does. The pipeline, not the stage, closes
// a channel once the stage that writes it has ended, so the end runs down the tree. When the context of [Pipeline.Run]
// ends, only the drivers are told; what still runs after the grace period is cancelled.
//
// Built-in stages hand each other batches, plugins see single records. Where the two meet, the pipeline runs a pump that
// copies from one form to the other (border.go).
//
// The files: file.go reads, graph.go checks the shape, load.go finds what the names mean (plan.go: of one entry) and
// builds, run.go runs. registry.go says what a stage is, channel.go and border.go what connects stages. plugin.go and
// library.go load libraries, adapter.go meets the interfaces of plugins, fault.go keeps their failures from spreading.
//
// Start reading at [Load], then [Pipeline.Run].
package pipeline
