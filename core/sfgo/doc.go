// Package sfgo holds what SysFlow data is made of: the record structures of the schema, the flattened record, and the
// constants and names that go with them.
//
// It is part of the contract with plugin authors, who know its names from the SysFlow ecosystem; that is why their
// spelling (Hpid, SF_REC_TYPE, PROC_EVT) is kept. The package only ever grows.
//
// Two representations of a record live here:
//
//   - [SysFlow] and the structures below it mirror the Avro schema, version 5. They are built only where a custom
//     handler or driver asks for them.
//   - [FlatRecord] is one flow or event with everything it refers to, as rows of integers and strings. It is what the
//     built-in stages work on. A slot may mean different things for different record types, so never read one
//     without looking at [SF_REC_TYPE] first; the package core/field does that for every attribute.
//
// Times are nanoseconds since the Unix epoch, UTC. IPv4 addresses are 32-bit numbers whose lowest byte is the first
// octet.
//
// Start reading at [FlatRecord].
package sfgo
