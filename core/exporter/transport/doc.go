// Package transport delivers encoded records to their targets; each target has a file.
//
//	exporter --batch of items--> Deliver --> terminal, file, syslog over TCP, TLS or UDP, nowhere
//
// A transport is made without side effects: nothing is created, opened or sent before Open or the first Deliver, so
// that a configuration can be tested where another program exports. Its Probe, if it has one, asks whether delivering
// will work and changes nothing.
//
// The result of Deliver says what is to be done: nil, everything is delivered; [*ItemErrors], what it names is not;
// any other error, nothing is. What is not delivered comes again, first, in the same order, unless the exporter gives
// it up. [ErrGone] ends the program.
//
// Not obvious: a write to a TCP connection succeeds when the kernel has the bytes. What it still held when a connection
// breaks is known, to the byte, until the socket is closed; [SyslogStream] keeps these records (outbox.go) and sends
// them again. With the ending of the program in sight, Flush waits for the rest, and Unsent names what has to be given
// up.
//
// Ownership: one goroutine calls all methods but Reopen, which any goroutine may call. The batch and its bytes are the
// exporter's again when Deliver returns.
//
// Start reading at [File.Deliver], then [SyslogStream.Deliver].
package transport
