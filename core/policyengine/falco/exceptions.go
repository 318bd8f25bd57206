package falco

import (
	"slices"

	yaml "go.yaml.in/yaml/v3"
)

// exception is an entry of a rule's exceptions: its fields compared with each row of its values.
type exception struct {
	name   text
	fields *texts // nil: absent
	comps  *texts
	values []row
}

// texts is one text or a list of them.
type texts struct {
	at     place // the key
	words  []text
	isList bool
}

// row is a row of an exception's values: a cell for each field, or one value.
type row struct {
	at     place
	cells  []texts
	isList bool
}

// exceptions reads the exceptions of a rule.
func (l *loader) exceptions(src *source, key text, n *yaml.Node) ([]*exception, bool) {
	if isNull(n) {
		return nil, true
	}
	if n.Kind != yaml.SequenceNode {
		l.wrongType(src, key, "a list", n)
		return nil, false
	}
	all := true
	var es []*exception
	for _, c := range n.Content {
		if c = resolved(c); c.Kind != yaml.MappingNode {
			l.wrongType(src, key, "a list of mappings", c)
			all = false
			continue
		}
		e, ok := l.exception(src, c)
		all = all && ok
		es = append(es, e)
	}
	return es, all
}

// exceptionKeys are the keys of an exception.
var exceptionKeys = []string{"name", "fields", "comps", "values"}

func (l *loader) exception(src *source, n *yaml.Node) (*exception, bool) {
	e := &exception{}
	all := true
	for _, p := range l.pairs(src, n) {
		ok := true
		switch p.key.s {
		case "name":
			e.name, ok = l.text(src, p.key, p.value)
		case "fields":
			e.fields, ok = l.texts(src, p.key, p.value)
		case "comps":
			e.comps, ok = l.texts(src, p.key, p.value)
		case "values":
			e.values, ok = l.rows(src, p.key, p.value)
		default:
			d := l.report("W112", p.key.all(), "unknown key '%s' in exception '%s' is ignored", p.key.s, e.name.s)
			d.Hints = didYouMean(p.key.s, slices.Values(exceptionKeys))
		}
		all = all && ok
	}
	if e.name.s == "" && all {
		l.report("E109", nodePlace(src, n), "missing key 'name' in exception ''")
		all = false
	}
	return e, all
}

// texts reads one text or a list of texts.
func (l *loader) texts(src *source, key text, n *yaml.Node) (*texts, bool) {
	words, ok := l.words(src, key, n, oneOrMoreValue)
	return &texts{key.all(), words, n.Kind == yaml.SequenceNode}, ok
}

// rows reads the values of an exception.
func (l *loader) rows(src *source, key text, n *yaml.Node) ([]row, bool) {
	if isNull(n) {
		return nil, true
	}
	if n.Kind != yaml.SequenceNode {
		l.wrongType(src, key, "a list", n)
		return nil, false
	}
	all := true
	var rows []row
	for _, c := range n.Content {
		c = resolved(c)
		r := row{at: nodePlace(src, c), isList: c.Kind == yaml.SequenceNode}
		cells := []*yaml.Node{c}
		if r.isList {
			cells = c.Content
		}
		for _, cell := range cells {
			cell = resolved(cell)
			t, ok := l.texts(src, key, cell)
			if ok && !t.isList && len(t.words) == 0 {
				l.wrongType(src, key, "text", cell)
				ok = false
			}
			all = all && ok
			r.cells = append(r.cells, *t)
		}
		rows = append(rows, r)
	}
	return rows, all
}

// appendExceptions returns the exceptions of a rule with more added: values to those that exist, the rest behind them.
func (l *loader) appendExceptions(old, more []*exception) []*exception {
	all := slices.Clone(old)
	for _, e := range more {
		i := slices.IndexFunc(all, func(o *exception) bool { return o.name.s == e.name.s })
		switch {
		case i < 0:
			if e.values == nil && e.fields != nil {
				l.report("E502", e.name.all(), "exception '%s': values missing", e.name.s)
			}
			all = append(all, e)
		case e.fields != nil || e.comps != nil:
			l.report("E502", e.name.all(), "exception '%s': fields of an existing exception cannot be appended", e.name.s)
		default:
			sum := *all[i]
			sum.values = append(slices.Clip(sum.values), e.values...)
			all[i] = &sum
		}
	}
	return all
}

// equal says whether two exceptions say the same.
func (e *exception) equal(o *exception) bool {
	return e.name.s == o.name.s && e.fields.equal(o.fields) && e.comps.equal(o.comps) &&
		slices.EqualFunc(e.values, o.values, func(a, b row) bool {
			return a.isList == b.isList && slices.EqualFunc(a.cells, b.cells, func(a, b texts) bool { return a.equal(&b) })
		})
}

func (t *texts) equal(o *texts) bool {
	if t == nil || o == nil {
		return t == o
	}
	return t.isList == o.isList && slices.EqualFunc(t.words, o.words, func(a, b text) bool { return a.s == b.s })
}
