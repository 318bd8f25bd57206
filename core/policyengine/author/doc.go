// Package author holds the tools of rule authors: each looks at policies and returns a report, which can be written in
// several formats. The program offers them as `sfprocessor policy …`.
//
//	policies --Check--> CheckReport --> text, JSON, SARIF
//	policies --List---> Listing ------> table, JSON, matrix of ATT&CK techniques, layer of the ATT&CK Navigator
//	tests ----Test----> ruletest.Result --WriteTestTable, …--> table, JSON, JUnit
//	rule, traces -----Explain--> Explanation --> text, JSON
//	policies, traces -RunBench-> Bench --------> text, JSON
//	conditions, traces --Repl--> the records that they hold for
//
// A report depends on the files alone, so that two runs give the same bytes, but for the times of a bench. What is wrong
// with policies is in the report, never an error: errors are those of writing, and of test files that cannot be found. To
// the tools that look at traces, policies that cannot be loaded are an error.
//
// Traces are read anew each time a tool looks at them, so that their size does not matter.
//
// Nothing is kept between two calls, so any number of goroutines may use the tools, each with [Traces] of its own.
//
// Start reading at [Check].
package author
