package codec

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
)

// CurrentSchema is the id of the writer schema of SysFlow version 5.
const CurrentSchema = "S11"

// schemaFiles holds the writer schemas that real traces were found with, laid out for people to compare.
//
//go:embed schemas/*.avsc
var schemaFiles embed.FS

// SchemaIDs returns the ids of the known writer schemas, oldest first: S1 to S11.
func SchemaIDs() []string {
	return []string{"S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11"}
}

// Schema returns the writer schema with the given id as JSON without blanks, the way collectors embed it in a trace.
func Schema(id string) (string, bool) {
	text, err := schemaFiles.ReadFile("schemas/" + id + ".avsc")
	if err != nil {
		return "", false
	}
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		panic(fmt.Sprintf("embedded schema %s: %v", id, err)) // a test compiles each of them
	}
	return b.String(), true
}
