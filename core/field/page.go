package field

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// pageIntro is what the reference page begins with; its single quotes become those of code.
const pageIntro = `# Attributes

<!-- Generated from the catalogue in core/field by go generate. Do not edit. -->

What rules can test and messages can show. 'sfprocessor -fields' prints the same list, 'sfprocessor -fields=json' prints
it for programs.

*Records* are the types of records that have a value; on all others the attribute is missing, and so it is where the
record lacks what it is read from: a container, a pod, a parent. PE process event, PF process flow, FF file flow, FE file
event, NF network flow, NE network event, KE Kubernetes event. A type that begins with '[]' has several values, as have
flags, and a comparison holds if it holds for one of them. *JSON* is the place in the exported document. '[n]' after a
name takes the value at a position, from 0; '[path]' takes a part of a JSON document, in gjson syntax.
`

// WritePage writes the reference page, in Markdown, to w.
func (c *Catalogue) WritePage(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString(strings.ReplaceAll(pageIntro, "'", "`"))
	isSF := func(f *Field) bool { return strings.HasPrefix(f.Name, "sf.") && f.Deprecated == "" }
	isFalco := func(f *Field) bool { return !strings.HasPrefix(f.Name, "sf.") }
	isOld := func(f *Field) bool { return f.Deprecated != "" && !isFalco(f) }

	b.WriteString("\n## SysFlow\n\n" +
		"| Name | Type | Records | Meaning | Falco names | JSON | Example |\n|---|---|---|---|---|---|---|\n")
	for _, f := range c.fields {
		if isSF(f) {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n",
				pageName(f), f.TypeText(), f.Applies, f.Help, code(c.FalcoNames(f)...), code(f.JSON), code(f.Example))
		}
	}
	b.WriteString("\n## Falco\n\nThese have a Falco name only, or more meaning under it.\n\n")
	pageTable(&b, c.fields, isFalco)
	b.WriteString("\n## Falco mode\n\nIn Falco mode these names have Falco's meaning.\n\n")
	pageTable(&b, c.variants, isFalco)

	b.WriteString("\n## Values\n\n| Attribute | Values |\n|---|---|\n")
	for _, f := range c.fields {
		if f.Names != nil && f.Deprecated == "" {
			fmt.Fprintf(&b, "| %s | %s |\n", code(f.Name), code(slices.Collect(f.Names.All())...))
		}
	}
	b.WriteString("\n## Deprecated\n\n| Name | Use |\n|---|---|\n")
	for _, f := range c.fields {
		if isOld(f) {
			fmt.Fprintf(&b, "| %s | %s |\n", code(f.Name), code(f.Deprecated))
		}
	}
	b.WriteString("\n## Unanswerable\n\nFalco knows these names, SysFlow data never has them. A rule may name them; the test " +
		"is always false, and\nreported. `.*` stands for whatever follows that is not in the tables above.\n\n")
	b.WriteString(code(slices.Collect(c.UnanswerableNames())...) + "\n")
	_, err := w.Write(b.Bytes())
	return err
}

func pageTable(b *bytes.Buffer, fields []*Field, want func(*Field) bool) {
	b.WriteString("| Name | Type | Records | Meaning | Example |\n|---|---|---|---|---|\n")
	for _, f := range fields {
		if want(f) {
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", pageName(f), f.TypeText(), f.Applies, f.Help, code(f.Example))
		}
	}
}

// pageName returns all names of f that are of its kind, with what may stand behind them.
func pageName(f *Field) string {
	names := []string{f.Name}
	for _, a := range f.Aliases {
		if strings.HasPrefix(a, "sf.") == strings.HasPrefix(f.Name, "sf.") {
			names = append(names, a)
		}
	}
	text := code(names...)
	switch f.Subscript {
	case Index:
		text += " `[n]`"
	case Path:
		text += " `[path]`"
	}
	if f.Deprecated != "" {
		text += " (deprecated)"
	}
	return text
}

// code quotes texts as code, with blanks between them.
func code(texts ...string) string {
	var b strings.Builder
	for _, t := range texts {
		if t == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString("`" + strings.ReplaceAll(t, "|", `\|`) + "`")
	}
	return b.String()
}
