package author

import (
	"fmt"
	"io"
	"strings"
)

// The part of the layer format 4.5 of the ATT&CK Navigator that a listing needs.
type (
	layer struct {
		Name        string           `json:"name"`
		Versions    layerVersions    `json:"versions"`
		Domain      string           `json:"domain"`
		Description string           `json:"description"`
		Sorting     int              `json:"sorting"` // 3: by falling score
		Layout      layerLayout      `json:"layout"`
		Techniques  []layerTechnique `json:"techniques"`
		Gradient    layerGradient    `json:"gradient"`
	}
	layerVersions struct {
		Attack    string `json:"attack"`
		Navigator string `json:"navigator"` // the oldest that reads the format
		Layer     string `json:"layer"`
	}
	layerLayout struct {
		Layout                string `json:"layout"`
		ShowID                bool   `json:"showID"`
		ShowName              bool   `json:"showName"`
		ExpandedSubtechniques string `json:"expandedSubtechniques"`
	}
	layerTechnique struct {
		ID      string `json:"techniqueID"` // under each of its tactics
		Score   int    `json:"score"`       // number of rules
		Comment string `json:"comment"`
	}
	layerGradient struct {
		Colors   []string `json:"colors"`
		MinValue int      `json:"minValue"`
		MaxValue int      `json:"maxValue"`
	}
)

// WriteNavigator writes a layer for the ATT&CK Navigator, format 4.5: the techniques that the enabled rules name in their
// tags, each with the number of its rules as score and their names as comment.
func (l *Listing) WriteNavigator(w io.Writer) error {
	c := l.coverage()
	major, _, _ := strings.Cut(attackVersion, ".")
	page := layer{
		Name:     "SysFlow policies",
		Versions: layerVersions{Attack: major, Navigator: "4.9.0", Layer: "4.5"},
		Domain:   "enterprise-attack",
		Description: fmt.Sprintf("What %s of SysFlow policies detect by their tags. The score of a technique is the number of its rules.",
			count(len(c.rules), "rule")),
		Sorting:    3,
		Layout:     layerLayout{Layout: "side", ShowID: true, ShowName: true, ExpandedSubtechniques: "annotated"},
		Techniques: []layerTechnique{},
		Gradient:   layerGradient{Colors: []string{"#ffffff", "#66b1ff"}, MinValue: 0, MaxValue: 1},
	}
	for _, id := range c.ids() {
		rules := c.byID[id]
		var list []string
		for _, r := range rules {
			list = append(list, r.Name)
		}
		page.Techniques = append(page.Techniques, layerTechnique{ID: id, Score: len(rules), Comment: strings.Join(list, "\n")})
		page.Gradient.MaxValue = max(page.Gradient.MaxValue, len(rules))
	}
	return writeJSON(w, page)
}
