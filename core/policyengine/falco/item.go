package falco

import (
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v3"
)

// items adds the items of a document to the set.
func (l *loader) items(src *source, doc *yaml.Node) {
	root := doc
	if root.Kind == yaml.DocumentNode {
		root = root.Content[0]
	}
	if root.Kind != yaml.SequenceNode {
		if !isNull(root) {
			l.report("E104", nodePlace(src, root), "a policy file must hold a list of items, found %s", what(root))
		}
		return
	}
	for _, n := range root.Content {
		n = resolved(n)
		if isNull(n) {
			continue
		}
		if n.Kind != yaml.MappingNode {
			l.report("E105", nodePlace(src, n), "item is not a mapping")
			continue
		}
	}
}

// resolved returns the node that an alias stands for.
func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// isNull says whether nothing is written where n stands, or a word for nothing.
func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// what names the kind of a node in messages.
func what(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Value == "":
		return "nothing"
	default:
		return "a scalar"
	}
}

// nodePlace returns where a node begins; of a scalar on one line, all of it.
func nodePlace(src *source, n *yaml.Node) place {
	size := 1
	if n.Kind == yaml.ScalarNode {
		size = max(1, utf8.RuneCountInString(n.Value))
	}
	return src.at(n.Line, n.Column, size)
}
