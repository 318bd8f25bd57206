// Package ruletest tests rules: it builds records from a few attributes, or takes them from traces, and checks which
// rules match them.
//
//	tests/*.yaml --> cases: a rule, a record, whether they match
//	                        attributes --catalogue--> row   \
//	                        trace, where --reader--> row     --> policy.Set --> Result
//
// A test file says, for each rule, records that it matches and records that it ignores, the latter best near misses: what
// is almost the same and must not raise an alert. What a record does not say is missing, or zero, as in a real one.
//
//	policies: ../policies/runtimeintegrity
//	records:
//	  exec: {sf.type: PE, sf.opflags: EXEC}
//	rules:
//	  - rule: Shell started by a web server
//	    matches:
//	      of Apache: {like: exec, sf.proc.aexe: [/bin/sh, /usr/sbin/apache2]}
//	      of a trace: {trace: ../traces/webshell.sf, where: sf.proc.name = sh}
//	    ignores:
//	      of a login: {like: exec, sf.proc.aexe: [/bin/sh, /usr/sbin/sshd]}
//	traces:
//	  - trace: ../traces/webshell.sf
//	    matches: {Shell started by a web server: 3} # records; all other rules match none
//
// Every fault of a test file and every failure has its place. Nothing is kept between two runs, so any number of goroutines
// may run tests.
//
// Start reading at [Run].
package ruletest
