// Package ruletest tests rules: it builds records from a few attributes, or takes them from traces, and checks which
// rules match them.
//
//	tests/*.yaml --> cases: a rule, a record, whether they match
//	                        attributes --catalogue--> row   \
//	                        trace, where --reader--> row     --> policy.Set --> Result
//
// A test file says, for each rule, records that it matches and records that it ignores, the latter best near misses: what
// is almost the same and must not raise an alert. A case says of one record which rules fire and which are silent. What a
// record does not say is missing, or zero, as in a real one; times may be relative to now.
//
//	policies: ../policies/runtimeintegrity
//	records:
//	  exec: {sf.type: PE, sf.opflags: EXEC}
//	rules:
//	  - rule: Shell started by a web server
//	    matches:
//	      of Apache: {like: exec, sf.proc.aexe: [/bin/sh, /usr/sbin/apache2], tags: [mitre:T1505.003, mitre:T1059.004]}
//	      of a trace: {trace: ../traces/webshell.sf, where: sf.proc.name = sh}
//	    ignores:
//	      of a login: {like: exec, sf.proc.aexe: [/bin/sh, /usr/sbin/sshd]}
//	cases:
//	  - case: an old shell
//	    record: {like: exec, sf.proc.exe: /bin/sh, sf.ts: now, sf.proc.createts: now-24h}
//	    fires: [{rule: Old shell, output: sh is a day old}]
//	    silent: others # or a list
//	traces:
//	  - trace: ../traces/webshell.sf
//	    matches: {Shell started by a web server: 3} # records; all other rules match none
//
// Every fault of a test file and every failure has its place. Nothing is kept between two runs, so any number of goroutines
// may run tests.
//
// Start reading at [Run].
package ruletest
