// Package policy is what a policy language compiles to: rules whose conditions are trees of typed tests on attributes,
// the evaluator that runs them on rows, and the diagnostics that every front end reports.
//
//	falco --> Policy{Rules, Drops} --Compile--> Set --Evaluator.Eval(row)--> matched rules, or drop
//
// A [Policy] is data: names are resolved, types are checked, literals are converted, nothing is left to look up (node.go,
// diag.go). A [Set] is compiled from it once and never changes; any number of goroutines may evaluate it, each with an
// [Evaluator] of its own.
//
// How a set is made (build.go, program.go): equal conditions become one [gate] of a graph, whatever rules and macros they
// come from. Tests belong to a [column], the attribute they look at (read.go, match.go), and an index answers many of
// them at once (index.go, automaton.go). For each type of record there is a [program], in which what the type decides
// is gone.
//
// How a row is evaluated (eval.go, memo.go): the values of a column tell which conditions they refute, and what values
// seen before told is remembered, for processes as a whole. What a few columns leave is hardly a rule, and only for
// those gates are computed. Looking at a row has no effects, so the order is free.
//
// Not obvious: a missing integer equals 0 but has no order; of several values any may satisfy an operator, none satisfies
// one on no values, and `!=` is a Not around it all; texts are bytes, but `?` and letter case are about characters.
//
// Limits: an evaluator remembers 512 values a column and 256 processes; texts above 4 kB are not remembered. The
// transitions of an automaton take 4 MB at most, beyond that tests are tried one by one.
//
// Start reading at [Node], then at [Compile] and [Evaluator.Eval].
package policy
