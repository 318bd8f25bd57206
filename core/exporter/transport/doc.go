// Package transport delivers encoded records to their targets; each target has a file.
//
//	exporter --batch of items--> Deliver --> terminal, file, nowhere
//
// A transport is made without side effects: nothing is created, opened or sent before Open or the first Deliver, so
// that a configuration can be tested where another program exports. Its Probe, if it has one, asks whether delivering
// will work and changes nothing.
//
// The result of Deliver says what is to be done: nil, everything is delivered; [*ItemErrors], what it names is not;
// any other error, nothing is. What is not delivered comes again, first, in the same order, unless the exporter gives
// it up. [ErrGone] ends the program.
//
// Ownership: one goroutine calls Open, Deliver and Close. The batch and its bytes are the exporter's again when
// Deliver returns. Reopen may be called by any goroutine.
//
// Start reading at [File.Deliver].
package transport
