package field

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// FalcoNames returns the names of f that are not SysFlow's, and those of the fields that vary it: what to look for in
// Falco's documentation. The field of a Falco name has itself.
func (c *Catalogue) FalcoNames(f *Field) []string {
	var names []string
	add := func(name string) {
		if !strings.HasPrefix(name, "sf.") {
			names = append(names, name)
		}
	}
	add(f.Name)
	for _, a := range f.Aliases {
		add(a)
	}
	for _, v := range c.fields {
		if v.Of == f.Name {
			add(v.Name)
			for _, a := range v.Aliases {
				add(a)
			}
		}
	}
	return names
}

// TypeText returns the type of f's values; "[]" says that there are several. Of flags and networks there always are.
func (f *Field) TypeText() string {
	if f.Multi && f.Type != Flags && f.Type != Net {
		return "[]" + f.Type.String()
	}
	return f.Type.String()
}

// WriteTable writes a table of all attributes, one a line, to w.
func (c *Catalogue) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ATTRIBUTE\tTYPE\tRECORDS\tFALCO NAMES\tMEANING")
	for _, f := range c.fields {
		names, help := strings.Join(c.FalcoNames(f), " "), f.Help
		if f.Deprecated != "" {
			help = "deprecated, use " + f.Deprecated
		}
		if names == "" || names == f.Name {
			names = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", f.Name, f.TypeText(), f.Applies, names, help)
	}
	return t.Flush()
}

// fieldJSON is a field as WriteJSON shows it.
type fieldJSON struct {
	Name       string   `json:"name"`
	Aliases    []string `json:"aliases"`
	Of         string   `json:"variationOf,omitempty"`
	Type       string   `json:"type"`
	Multi      bool     `json:"multi"`
	Records    []string `json:"records"`
	Subscript  string   `json:"subscript,omitempty"`
	Values     []string `json:"values,omitempty"`
	JSON       string   `json:"json,omitempty"`
	Deprecated string   `json:"deprecatedFor,omitempty"`
	Help       string   `json:"help"`
	Example    string   `json:"example,omitempty"`
}

// WriteJSON writes all attributes as a JSON object to w: "attributes" are those of WriteTable, "falcoMode" what Falco
// names mean in Falco mode.
func (c *Catalogue) WriteJSON(w io.Writer) error {
	var page struct {
		Attributes []fieldJSON `json:"attributes"`
		FalcoMode  []fieldJSON `json:"falcoMode"`
	}
	for _, f := range c.fields {
		page.Attributes = append(page.Attributes, f.json())
	}
	for _, f := range c.variants {
		page.FalcoMode = append(page.FalcoMode, f.json())
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(page)
}

func (f *Field) json() fieldJSON {
	v := fieldJSON{
		Name: f.Name, Aliases: append([]string{}, f.Aliases...), Of: f.Of, Type: f.Type.String(), Multi: f.Multi,
		Records: f.Applies.Codes(), JSON: f.JSON, Deprecated: f.Deprecated,
		Help: f.Help, Example: f.Example,
	}
	switch f.Subscript {
	case Index:
		v.Subscript = "index"
	case Path:
		v.Subscript = "path"
	}
	if f.Names != nil {
		for n := range f.Names.All() {
			v.Values = append(v.Values, n)
		}
	}
	return v
}
