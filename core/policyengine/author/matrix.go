package author

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteMatrix writes, in Markdown, which techniques of MITRE ATT&CK the enabled rules detect by their own account, their
// tags: a row for each tactic, and one for techniques of other tactics than the table knows; then the rules of each
// technique.
func (l *Listing) WriteMatrix(w io.Writer) error {
	c := l.coverage()
	var b strings.Builder
	fmt.Fprintf(&b, "# ATT&CK coverage\n\nSwitched on: %s, naming %s of MITRE ATT&CK for Enterprise %s.\n\n",
		count(len(c.rules), "rule"), count(len(c.byID), "technique"), attackVersion)
	b.WriteString("| Tactic | Rules | Techniques, with the number of their rules |\n| --- | --- | --- |\n")
	for _, t := range tactics {
		rules := c.byTactic[t.short]
		if len(rules) == 0 && !c.possible(t.short) {
			continue
		}
		ids := c.idsOf(func(of technique) bool { return slices.Contains(of.tactics, t.short) })
		fmt.Fprintf(&b, "| %s | %d | %s |\n", t.name, len(rules), c.cells(ids))
	}
	if len(c.other) > 0 {
		ids := c.idsOf(func(of technique) bool { return of.tactics == nil })
		fmt.Fprintf(&b, "| other | %d | %s |\n", len(c.other), c.cells(ids))
	}
	if len(c.untagged) > 0 {
		fmt.Fprintf(&b, "| none | %d | |\n", len(c.untagged))
	}
	if len(c.byID) > 0 {
		b.WriteString("\n| Technique | Rules |\n| --- | --- |\n")
	}
	for _, id := range c.ids() {
		fmt.Fprintf(&b, "| %s | %s |\n", c.title(id), names(c.byID[id], "<br>"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// possible says whether the table has techniques of a tactic.
func (c *coverage) possible(short string) bool {
	for _, t := range c.known {
		if slices.Contains(t.tactics, short) {
			return true
		}
	}
	return false
}

// idsOf returns those techniques that are detected for which want holds, sorted.
func (c *coverage) idsOf(want func(technique) bool) []string {
	var ids []string
	for _, id := range c.ids() {
		if want(c.technique(id)) {
			ids = append(ids, id)
		}
	}
	return ids
}

// cells lists techniques with the number of their rules.
func (c *coverage) cells(ids []string) string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = fmt.Sprintf("%s (%d)", c.title(id), len(c.byID[id]))
	}
	return strings.Join(list, "<br>")
}

// title returns the id of a technique with its name.
func (c *coverage) title(id string) string {
	return strings.TrimSpace(id + " " + c.technique(id).name)
}

// names lists the names of rules, as a cell of a Markdown table has them.
func names(rules []*ListedRule, separator string) string {
	list := make([]string, len(rules))
	for i, r := range rules {
		list[i] = strings.NewReplacer("|", "\\|", "<", "&lt;", "\n", " ").Replace(r.Name)
	}
	return strings.Join(list, separator)
}
