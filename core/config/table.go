package config

import (
	"fmt"
	"io"
	"strings"
)

// WriteTable writes attributes as a table in Markdown.
func WriteTable(w io.Writer, attrs []Attribute) error {
	var b strings.Builder
	b.WriteString("| Attribute | Type | Default | Meaning |\n|---|---|---|---|\n")
	for _, a := range attrs {
		name := code(a.Name)
		if len(a.Aliases) > 0 {
			name += ", also " + code(a.Aliases...)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, a.Type, a.defaultText(), a.meaning())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// defaultText says what holds if the attribute is not set.
func (a *Attribute) defaultText() string {
	switch {
	case a.Required:
		return "required"
	case a.Default == "" && a.Type == "bool":
		return "`false`"
	case a.Default == "":
		return "–"
	default:
		return code(a.Default)
	}
}

// meaning returns the help, with what else is to be known.
func (a *Attribute) meaning() string {
	parts := []string{strings.NewReplacer("|", "\\|", "<", "&lt;").Replace(a.Help)}
	if a.Compat {
		parts = append(parts, "accepted, without effect")
	}
	if len(a.Unless) > 0 {
		parts = append(parts, "not needed with "+code(a.Unless...))
	}
	if a.When != "" {
		var conditions []string
		for _, c := range conditionsText(a.When) {
			conditions = append(conditions, code(c))
		}
		parts = append(parts, "only with "+strings.Join(conditions, " or "))
	}
	if a.Secret {
		parts = append(parts, "a credential")
	}
	if a.Env != "" {
		parts = append(parts, "set by the variable "+code(a.Env))
	}
	return strings.Join(parts, "; ")
}

// conditionsText splits a when tag into alternatives of one value each.
func conditionsText(when string) []string {
	var list []string
	for _, c := range conditions(when) {
		for _, v := range c.values {
			list = append(list, c.attr+": "+v)
		}
	}
	return list
}

// code marks texts as code.
func code(texts ...string) string { return "`" + strings.Join(texts, "`, `") + "`" }
