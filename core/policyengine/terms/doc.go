// Package terms tells which terms of a policy's conditions hold for a record. It is for tools that explain why a rule
// matches or measure what tests have tried; a stage wants only the rules that match, and evaluates no more than that
// takes.
//
//	policy.Policy --New--> Evaluator --Look(record)--> truth of every term
//	                                 --Walk(condition)--> the terms that decide, from left to right
//
// Ownership: an [Evaluator] is for one goroutine at a time; it keeps no record.
//
// Start reading at [Evaluator.Walk].
package terms
