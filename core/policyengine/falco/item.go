package falco

import (
	"iter"
	"regexp"
	"strconv"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/config/suggest"
	yaml "go.yaml.in/yaml/v3"
)

// item is an element of a policy file whose keys and values have the right form.
type item struct {
	kind   *kind
	name   text
	src    *source
	values map[string]*setting // by the first spelling of the key, without the kind key
	broken bool                // some of it is wrong and was reported: only its name counts
}

// setting is the value of a key; which member counts follows from the key's type.
type setting struct {
	at         place // the key
	text       text
	joints     []int // of a condition: where appended parts begin
	words      []text
	flag       bool
	ops        []override
	exceptions []*exception
}

// override is an entry of the mapping of that name.
type override struct {
	key text
	op  text
}

// flag returns the boolean of a key, or what counts if the item does not have it.
func (it *item) flag(key string, missing bool) bool {
	if v := it.values[key]; v != nil {
		return v.flag
	}
	return missing
}

// at returns the place of the item's name.
func (it *item) at() place { return it.name.all() }

// items adds the items of a document to the set and returns how many there are.
func (l *loader) items(src *source, doc *yaml.Node) int {
	root := resolved(doc.Content[0])
	if isNull(root) {
		return 0
	}
	if root.Kind != yaml.SequenceNode {
		l.report("E104", nodePlace(src, root), "a policy file must hold a list of items, found %s", strings.Replace(what(root), "text", "a scalar", 1))
		return 1
	}
	found := 0
	for _, n := range root.Content {
		n = resolved(n)
		if isNull(n) {
			continue
		}
		found++
		if n.Kind != yaml.MappingNode {
			l.report("E105", nodePlace(src, n), "item is not a mapping")
			continue
		}
		if it := l.item(src, n); it != nil {
			l.add(it)
		}
	}
	return found
}

// pair is a key of a mapping with its value.
type pair struct {
	key   text
	value *yaml.Node
}

// pairs returns the keys of a mapping, those it merges last. A key given twice is reported.
func (l *loader) pairs(src *source, n *yaml.Node) []pair {
	var pairs []pair
	seen := map[string]bool{}
	merged := map[*yaml.Node]bool{n: true}
	mappings := []*yaml.Node{n}
	for len(mappings) > 0 {
		m := mappings[0]
		mappings = mappings[1:]
		var more []*yaml.Node
		for i := 0; i+1 < len(m.Content); i += 2 {
			k, v := resolved(m.Content[i]), resolved(m.Content[i+1])
			if k.ShortTag() == "!!merge" {
				more = append(more, mergeSources(v)...)
				continue
			}
			key := l.keyText(src, k)
			if seen[key.s] {
				if m == n {
					l.report("E108", key.all(), "key '%s' is given twice", key.s)
				}
				continue
			}
			seen[key.s] = true
			pairs = append(pairs, pair{key, v})
		}
		for _, m := range more {
			if !merged[m] { // merging it again would change nothing, and aliases may form a loop
				merged[m] = true
				mappings = append(mappings, m)
			}
		}
	}
	return pairs
}

// keyText returns a key as text; one that is a collection is shown by its kind.
func (l *loader) keyText(src *source, k *yaml.Node) text {
	if k.Kind == yaml.ScalarNode {
		return scalarText(src, k)
	}
	return text{"(" + what(k) + ")", []run{{src: src, line: k.Line, col: k.Column}}}
}

// mergeSources returns the mappings that the value of a merge key names.
func mergeSources(v *yaml.Node) []*yaml.Node {
	nodes := []*yaml.Node{v}
	if v.Kind == yaml.SequenceNode {
		nodes = v.Content
	}
	var ms []*yaml.Node
	for _, n := range nodes {
		if n = resolved(n); n.Kind == yaml.MappingNode {
			ms = append(ms, n)
		}
	}
	return ms
}

// item reads one item, or reports why it is none.
func (l *loader) item(src *source, n *yaml.Node) *item {
	pairs := l.pairs(src, n)
	var kindPair *pair
	for i, p := range pairs {
		if kindOf(p.key.s) == nil {
			continue
		}
		if kindPair != nil {
			l.report("E107", p.key.all(), "item has two kinds: '%s' and '%s'", kindPair.key.s, p.key.s)
			return nil
		}
		kindPair = &pairs[i]
	}
	if kindPair == nil {
		l.noKind(src, n, pairs)
		return nil
	}
	it := &item{kind: kindOf(kindPair.key.s), src: src, values: map[string]*setting{}}
	if it.kind == pluginVersionsKind {
		it.name = kindPair.key
		return it
	}
	name, ok := l.text(src, kindPair.key, kindPair.value)
	if !ok {
		return nil
	}
	it.name = name
	if strings.TrimSpace(name.s) == "" {
		l.report("E111", kindPair.key.all(), "'%s' is empty", kindPair.key.s)
		return nil
	}
	if (it.kind == macroKind || it.kind == listKind) && !l.legalName(it) {
		return nil
	}
	for _, p := range pairs {
		if p.key.s != kindPair.key.s && !l.keyValue(it, p) {
			it.broken = true
		}
	}
	return it
}

// noKind reports an item without a kind key, at the key that looks most like one.
func (l *loader) noKind(src *source, n *yaml.Node, pairs []pair) {
	at, hint := nodePlace(src, n), ""
	for i, p := range pairs {
		near := suggest.Names(p.key.s, kindKeys, 1)
		if i == 0 || hint == "" && near != nil {
			at = p.key.all()
		}
		if hint == "" && near != nil {
			hint = near[0]
		}
	}
	d := l.report("E106", at, "item has none of the keys rule, macro, list, drop, filter, required_engine_version")
	if hint != "" {
		d.Hints = append(d.Hints, "did you mean '"+hint+"'?")
	}
}

func kindKeys(yield func(string) bool) {
	for _, k := range kinds {
		if !yield(k.key) {
			return
		}
	}
}

var legalName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// legalName reports names that a condition could not write.
func (l *loader) legalName(it *item) bool {
	switch {
	case !legalName.MatchString(it.name.s):
		l.report("E113", it.at(), "'%s' is not a legal %s name", it.name.s, it.kind.name)
	case reserved[it.name.s]:
		l.report("E113", it.at(), "'%s' is a reserved word", it.name.s)
	default:
		return true
	}
	return false
}

// keyValue adds a key with its value to the item; it reports what is wrong and says whether the item can be used.
func (l *loader) keyValue(it *item, p pair) bool {
	key := it.kind.key(p.key.s)
	if key == nil {
		d := l.report("W112", p.key.all(), "unknown key '%s' in %s '%s' is ignored", p.key.s, it.kind.name, it.name.s)
		d.Hints = didYouMean(p.key.s, it.kind.spellings)
		return true
	}
	if it.values[key.name] != nil {
		l.report("E108", p.key.all(), "'%s' and its other spelling '%s' are both given", key.name, key.other)
		return false
	}
	v := &setting{at: p.key.all()}
	it.values[key.name] = v
	var ok bool
	switch key.typ {
	case textValue:
		v.text, ok = l.text(it.src, p.key, p.value)
		if ok && key.name == "condition" && strings.TrimSpace(v.text.s) == "" {
			l.report("E111", p.key.all(), "'condition' is empty")
			ok = false
		}
	case boolValue:
		v.flag, ok = l.boolean(it.src, p.key, p.value)
	case intValue:
		v.text, ok = l.integer(it.src, p.key, p.value)
	case wordsValue, oneOrMoreValue, commaListValue:
		v.words, ok = l.words(it.src, p.key, p.value, key.typ)
	case overrideValue:
		v.ops, ok = l.overrides(it.src, p.key, p.value)
	case exceptionsValue:
		v.exceptions, ok = l.exceptions(it.src, p.key, p.value)
	}
	return ok
}

// didYouMean returns the hint that suggests known names in place of name, or none.
func didYouMean(name string, known iter.Seq[string]) []string {
	names := suggest.Names(name, known, 3)
	if len(names) == 0 {
		return nil
	}
	return []string{"did you mean '" + strings.Join(names, "' or '") + "'?"}
}

// wrongType reports a value of the wrong type.
func (l *loader) wrongType(src *source, key text, want string, n *yaml.Node) {
	found := what(n)
	if n.Kind == yaml.ScalarNode && want != "text" && n.Value != "" {
		found = "'" + n.Value + "'"
	}
	l.report("E110", nodePlace(src, n), "value of '%s' must be %s, found %s", key.s, want, found)
}

// text returns the text of a scalar, whatever type YAML sees in it.
func (l *loader) text(src *source, key text, n *yaml.Node) (text, bool) {
	if n.Kind != yaml.ScalarNode {
		l.wrongType(src, key, "text", n)
		return text{}, false
	}
	return scalarText(src, n), true
}

func (l *loader) boolean(src *source, key text, n *yaml.Node) (v, ok bool) {
	if n.Kind == yaml.ScalarNode {
		switch strings.ToLower(n.Value) {
		case "true":
			return true, true
		case "false":
			return false, true
		}
	}
	l.wrongType(src, key, "true or false", n)
	return false, false
}

func (l *loader) integer(src *source, key text, n *yaml.Node) (text, bool) {
	if n.Kind == yaml.ScalarNode {
		if _, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
			return scalarText(src, n), true
		}
	}
	l.wrongType(src, key, "an integer", n)
	return text{}, false
}

// words returns the texts of a list. Depending on the type of the key, a single text counts as a list too.
func (l *loader) words(src *source, key text, n *yaml.Node, typ valueType) ([]text, bool) {
	switch {
	case n.Kind == yaml.ScalarNode && n.Value == "":
		return nil, true
	case n.Kind == yaml.ScalarNode && typ == oneOrMoreValue:
		return []text{scalarText(src, n)}, true
	case n.Kind == yaml.ScalarNode && typ == commaListValue:
		return split(scalarText(src, n)), true
	case n.Kind != yaml.SequenceNode:
		l.wrongType(src, key, "a list", n)
		return nil, false
	}
	ok := true
	words := make([]text, 0, len(n.Content))
	for _, c := range n.Content {
		if c = resolved(c); c.Kind != yaml.ScalarNode || c.Value == "" && c.Style == 0 {
			l.wrongType(src, key, "text", c)
			ok = false
			continue
		}
		words = append(words, scalarText(src, c))
	}
	return words, ok
}

// split returns the texts between the commas of t, without the blanks around them; empty ones are left out.
func split(t text) []text {
	var words []text
	start := 0
	for part := range strings.SplitSeq(t.s, ",") {
		if word := strings.TrimSpace(part); word != "" {
			at := start + strings.Index(part, word)
			words = append(words, t.cut(at, at+len(word)))
		}
		start += len(part) + 1
	}
	return words
}

// overrides returns the entries of an override mapping.
func (l *loader) overrides(src *source, key text, n *yaml.Node) ([]override, bool) {
	if n.Kind != yaml.MappingNode {
		l.wrongType(src, key, "a mapping from keys to append or replace", n)
		return nil, false
	}
	ok := true
	var ops []override
	for _, p := range l.pairs(src, n) {
		op, isText := l.text(src, p.key, p.value)
		ok = ok && isText
		ops = append(ops, override{p.key, op})
	}
	return ops, ok
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
		return "text"
	}
}

// nodePlace returns where a node begins; of a scalar, all of it that stands on its first line.
func nodePlace(src *source, n *yaml.Node) place {
	if n.Kind == yaml.ScalarNode && n.Value != "" {
		return scalarText(src, n).all()
	}
	return src.at(n.Line, n.Column, 1)
}
