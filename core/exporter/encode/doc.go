// Package encode turns records with their verdicts into the documents that exporters ship: one document is one line of
// JSON, whatever its format.
//
//	Event --> JSON.Append --> the attributes of the catalogue, in sections
//	      \-> ECS.Append  --> a document of the Elastic Common Schema
//
// JSON compiles the catalogue into a plan for each record type (plan.go): texts that never change, and writers of values
// between them (value.go). What a document says of a process is most of it, so the text is remembered (memo.go).
//
// Ownership: an encoder appends to memory of its caller and keeps neither that nor the event; of the row it may keep
// strings and processes. An encoder is used by one goroutine.
//
// Start reading at [JSON.Append].
package encode
