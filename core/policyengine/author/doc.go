// Package author holds the tools of rule authors: each looks at policies and returns a report, which can be written in
// several formats. The program offers them as `sfprocessor policy …`.
//
//	policies ----------> Check -------> CheckReport: text, JSON, SARIF
//	policies ----------> List --------> Listing: table, JSON, matrix of ATT&CK techniques, layer for its Navigator
//	tests -------------> ruletest.Run > TestReport: table, JSON, JUnit
//	policies, [Traces] > Explain -----> Explanation: text, JSON
//	policies, [Traces] > RunBench ----> Bench: text, JSON
//	policies, [Traces] > Repl --------> records that conditions hold for, as they are typed
//
// But for the times of a bench, a report depends on what the tools read alone, so that two runs give the same bytes. Nothing
// is kept between two calls, so any number of goroutines may use the tools, each with [Traces] of its own.
//
// Start reading at [Check].
package author
