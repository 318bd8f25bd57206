// Package entity resolves the object ids in flows and events to the processes, files, containers and pods they name.
//
//	reader --entity records---> Table.Put
//	reader --flows and events-> Table.Resolve --> Resolved --> handler
//
// A [Table] holds the entities of one stream. The last record of an id wins; a header starts a new epoch, in which nothing
// of the old one is known. References are followed when an event asks, never before, since what they name may arrive
// late: an id that is referred to but not known is an empty cell, which the record fills when it comes.
//
// Ownership: one goroutine uses a Table; it has no lock. What Resolve returns is read until the next call of a method.
// Strings and the structures of package sfgo in it never change and may be kept and read anywhere.
//
// Memory: at most [Options.Max] processes and as many files are held, a sixteenth of that of containers and of pods; and of
// no kind more bytes than Max entities of a generous size have. Beyond that the least recently used go. A process also
// goes [Options.TTL] after its exit, once no child needs it. Both are decided by the records and their times alone, so a
// replay forgets what a live run forgot.
//
//   - A process is used when a record names it; its ancestors, its container and its pod are used with it. Their order is
//     kept up to date as often as the table changes, not with each event: only then can it matter.
//   - The chain of a process holds on to its ancestors as they were. Chains that are out of date are dropped now and then, so
//     that they do not add up.
//   - The environment, the largest part of a process by far, is shared with the parent or with the process's own earlier
//     record where it is the same, which is the rule after a fork.
//
// Start reading at [Table.Resolve].
package entity
