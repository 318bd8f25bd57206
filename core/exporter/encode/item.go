package encode

import "github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"

// Item is one encoded record. Nothing in it points back into the record.
type Item struct {
	Data []byte      // the document, without a newline
	ID   []byte      // the document id, empty if the encoder gives none
	Rank engine.Rank // of the matched rule with the highest one; RankNone if no rule matched
}
