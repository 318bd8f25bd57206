// Package encode turns records with their verdicts into the documents that exporters ship, one file per format.
//
// Ownership: an encoder appends to memory of its caller and keeps neither that nor the event.
//
// Start reading at [Item].
package encode
