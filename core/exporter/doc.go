// Package exporter is the stage that encodes records and ships them to a target.
//
//	in --Batch--> encode --> queue --> deliver --> Transport
//	                |                     |
//	                +----dead letters-----+
//
// Two goroutines work: one encodes each batch of events as it arrives and releases it, the other delivers what waits
// in the queue, in order, and tries again what failed. Records pass from one to the other in chunks, so that a record
// costs neither an allocation nor a channel operation.
//
// Limits: at most queue.size records wait. Then the pipeline is slowed down or, if the configuration says so, new
// records are dropped. A pipeline that can be slowed down is so as well when a few megabytes wait, so that long
// documents do not fill the memory.
//
// Every record that entered is accounted for: it is delivered, dropped because the queue was full, dead (given up), or
// still in the queue. A transport may find out at the very end that the far side lacks records that counted as
// delivered ([Flusher]); they are moved to the dead.
//
// Encoders (package encode) and transports (package transport) are values in [Kinds]: a new one is a file of its own
// and an entry there.
//
// Start reading at [Stage.Run].
package exporter
