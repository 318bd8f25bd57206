// Package policy is what a policy language compiles to: rules whose conditions are trees of typed tests on attributes,
// the evaluator that runs them over batches of records, and the diagnostics that every front end reports.
//
//	falco --> Policy{Rules, Drops} --Compile--> Set --Eval(batch)--> matched rules per record
//
// A [Policy] is data: names are resolved, types are checked, literals are converted, nothing is left to look up. A
// [Set] is compiled from it once and never changes; any number of goroutines may evaluate it, each with an [Evaluator] of
// its own.
//
// Start reading at [Node].
package policy
