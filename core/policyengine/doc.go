// Package policyengine is the policy stage: it evaluates rules on batches of rows and passes on those that matter, with
// the rules they match.
//
//	flattener --rows--> numbering, policy version --> workers: drops, rules, actions --> input order --events--> exporter
//
// Order: any number of workers evaluates batches at the same time, and their results leave in the order the batches came
// in. The policy version of a batch, and the numbers of its records, are fixed when it is taken from the input.
//
// Ownership: the stage takes over the batches it receives. Events refer to their rows and release them in the end; a
// batch without events is released here. Actions work on copies of their own.
//
// Hot reload: policies are compiled aside and swapped at once, when their files change (package monitor) or when
// somebody calls [Stage.Reload]. If anything is wrong with them the old ones stay.
//
// Limits: at most Config.Concurrency batches are under way; a slow output slows down the input.
//
// Start reading at [Stage.Run].
package policyengine
