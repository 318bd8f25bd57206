// Package sysflow holds the built-in drivers, which bring SysFlow into the pipeline.
//
//	trace, directory of traces, pipe, standard input --File--> blocks, one stream per trace
//	collectors --receive--> queue (bounded, sheds) --Socket--> blocks, one stream per connection
//
// Drivers write inflated blocks and leave decoding to the reader stage. The driver for files, when it finds damage or is
// told of it by the reader, reports it, goes on, and fails at the end. That for sockets cannot slow its senders down
// without harm: each connection has a goroutine that does nothing but receive and queue (socket.go, receive.go), and when
// the queue is full, what matters least goes (queue.go). Whatever is received is passed on or counted.
//
// Ownership: a block belongs to whoever receives it, until it is released. A driver runs on the goroutine that calls
// RunContext and ends those that it starts; its counters may be read by any goroutine.
//
// Limits: a queue holds queue.size records, and 640 bytes for each of these (64 MB by default) whatever their sizes; 64
// collectors are connected at a time; a message has 256 KiB at most.
//
// Not obvious: a message of no bytes is the end of the stream, in batches too; closing only the reading side of a
// connection at the end keeps what a collector has sent already; a socket that is bound gets its mode from its
// descriptor and the umask, so that it is closed to others until it is set up.
//
// Start reading at [File.RunContext] and [Socket.RunUntil].
package sysflow
