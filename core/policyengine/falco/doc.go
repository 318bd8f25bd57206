// Package falco reads policies written in the SysFlow policy language, a dialect of Falco's rules, and turns them into a
// [policy.Policy] that is ready to be compiled.
//
//	files --Files--> sources --YAML, repair--> items --append, override--> set of definitions
//	condition --ANTLR--> tokens, syntax tree --names, types, literals, folding--> policy.Node
//	output --> policy.Template
//
// Everything wrong with a policy set is found in one run. Each problem is a [policy.Diagnostic] that says file, line,
// column, what is wrong and what was probably meant; an error makes the whole set unloadable, a warning never does.
// Places are exact whatever the YAML style of a scalar, because every text knows where each of its characters stands.
//
// Limits: a file has at most 16 MiB, a condition 256 KiB and 1000 levels, those of its macros included; 50 errors are
// reported. Nothing is kept between two loads but tables of ANTLR, which have locks: any number of goroutines may load.
//
// Start reading at [Load].
package falco
