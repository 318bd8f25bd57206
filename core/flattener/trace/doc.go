// Package trace reads traces as rows, for tools that look at records outside a pipeline.
//
//	path --codec--> blocks --reader, flattener--> batches of rows --> for batch, err := range trace.Batches(…)
//
// Rows are those that a pipeline with the default attributes would make. Memory is bounded by a few batches and by the
// entity tables of the reader. The goroutines that read end with the loop, however it ends.
//
// Start reading at [Batches].
package trace
