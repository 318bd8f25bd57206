// Package falco reads policies written in the SysFlow policy language, a dialect of Falco's rules, and turns them into a
// [policy.Policy] that is ready to be compiled.
//
//	files --Files--> sources --YAML, repair--> items --merge--> rules, macros, lists, drops
//	condition text --ANTLR--> syntax tree --names, types, literals--> policy.Node
//
// Everything wrong with a policy set is found in one run. Each problem is a [policy.Diagnostic] that says file, line,
// column, what is wrong and what was probably meant; an error makes the whole set unloadable, a warning never does.
//
// Nothing is kept between two loads, so any number of goroutines may load.
//
// Start reading at [Load].
package falco
