package falco

import (
	"slices"
	"strings"
)

// listState is a list with what became of it.
type listState struct {
	item     *item
	used     bool
	busy     bool // its values are being collected
	expanded bool
	values   []string
}

// values returns the values of a list, those of the lists it names included, each once.
func (r *resolver) values(name string) []string {
	l := r.lists[name]
	if !l.expanded {
		l.expanded = true
		c := collector{resolver: r, seen: map[string]bool{}, visited: map[*listState]bool{}}
		c.collect(l)
		l.values = c.values
	}
	l.used = true
	return l.values
}

// collector collects the values of a list. Lists are visited once, whichever way they are reached.
type collector struct {
	*resolver
	values  []string
	seen    map[string]bool
	visited map[*listState]bool
}

func (c *collector) collect(l *listState) {
	if c.visited[l] {
		return
	}
	c.visited[l] = true
	for _, it := range l.elements() {
		text, quoted := literalItem(it.s)
		if nested := c.lists[it.s]; nested != nil && !quoted {
			nested.used = true
			c.collect(nested)
			continue
		}
		if !c.seen[text] {
			c.seen[text] = true
			c.values = append(c.values, text)
		}
	}
}

// elements returns the items of a list as they are written.
func (l *listState) elements() []text {
	if v := l.item.values["items"]; v != nil && !l.item.broken {
		return v.words
	}
	return nil
}

// literalItem returns the text that an item of a list stands for if it is no list's name; quoted says that it cannot be
// one. Escapes that are not supported were reported when the lists were checked.
func literalItem(s string) (text string, quoted bool) {
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '"' && s[0] != '\'' {
		return s, false
	}
	if text, bad := unquote(s); bad < 0 {
		return text, true
	}
	return s, true
}

// checkLists reports cycles among lists, and strings in them with unsupported escapes.
func (r *resolver) checkLists(lists []*item) {
	done := map[string]bool{}
	var path []string
	var visit func(name string)
	visit = func(name string) {
		l := r.lists[name]
		l.busy = true
		path = append(path, name)
		for _, it := range l.elements() {
			r.checkItem(it)
			next := r.lists[it.s]
			switch {
			case next == nil:
			case next.busy:
				i := slices.Index(path, it.s)
				r.report("E304", it.all(), "lists form a cycle: %s", strings.Join(append(slices.Clone(path[i:]), it.s), " → "))
			case !done[it.s]:
				visit(it.s)
			}
		}
		path = path[:len(path)-1]
		l.busy = false
		done[name] = true
	}
	for _, it := range lists {
		if !done[it.name.s] {
			visit(it.name.s)
		}
	}
}

// checkItem reports an unsupported escape in a quoted item of a list.
func (r *resolver) checkItem(it text) {
	s := it.s
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '"' && s[0] != '\'' {
		return
	}
	if _, bad := unquote(s); bad >= 0 {
		msg, end := badEscape(s, bad)
		r.report("E203", it.place(bad, end), "%s", msg)
	}
}
