package author

import (
	"encoding/json"
	"io"
)

// writeJSON writes v as indented JSON, which people read as well.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
