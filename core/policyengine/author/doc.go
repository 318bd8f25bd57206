// Package author holds the tools of rule authors: each looks at policies and returns a report, which can be written in
// several formats. The program offers them as `sfprocessor policy …`.
//
//	policies --Check--> CheckReport --> text, JSON, SARIF
//	policies --List---> Listing ------> table, JSON, matrix of ATT&CK techniques, layer of the ATT&CK Navigator
//	tests ----Test----> ruletest.Result --WriteTestTable, …--> table, JSON, JUnit
//
// A report depends on the files alone, so that two runs give the same bytes. What is wrong with policies is in the report,
// never an error: errors are those of writing, and of test files that cannot be found.
//
// Nothing is kept between two calls, so any number of goroutines may use the tools.
//
// Start reading at [Check].
package author
