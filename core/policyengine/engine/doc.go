// Package engine is what the policy engine shows to the outside: the records, rules and verdicts that actions and
// exporters work with.
//
// Two representations of a record with its verdicts exist. An [Event] is a view, made for the built-in stages: it
// refers to a row of a batch and is gone when the batch is released. A [Record] is a copy, made for actions and
// plugins: it is theirs to keep and change.
//
// Start reading at [Record].
package engine
