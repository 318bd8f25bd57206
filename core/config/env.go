package config

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// environment begins the place of a value that comes from a variable.
const environment = "environment "

// generalKeys are the keys of an entry that shape the pipeline; no variable changes them.
var generalKeys = []string{"processor", "driver", "handler", "in", "out", "name"}

// General says whether key shapes the pipeline, whatever its case, rather than being an attribute of a stage.
func General(key string) bool {
	return slices.ContainsFunc(generalKeys, func(g string) bool { return strings.EqualFold(g, key) })
}

// Scope is an entry together with the attributes it may have.
type Scope struct {
	Entry  *Entry
	Schema *Schema
}

// Override gives the variables of the environment, in the form of os.Environ, to the entries they are meant for:
// <PROCESSOR>_<ATTRIBUTE> to every entry of that processor or driver, <INSTANCE>_<ATTRIBUTE> to one. It returns
// warnings for variables that look meant for an entry but name nothing there; the environment is shared with others.
func Override(scopes []Scope, environ []string) Diagnostics {
	o := &overrider{found: map[*Entry]map[string]override{}}
	own := map[string][]Scope{}
	for _, s := range scopes {
		o.addOwner(s.Entry.Kind, false, s)
		o.addOwner(s.Entry.Instance, true, s)
		for _, a := range s.Schema.attrs {
			if a.Env != "" {
				own[a.Env] = append(own[a.Env], s)
			}
		}
	}
	// The longest prefix wins, and of two equal ones the instance's.
	slices.SortStableFunc(o.owners, func(a, b *owner) int {
		if c := cmp.Compare(len(b.prefix), len(a.prefix)); c != 0 {
			return c
		}
		if a.instance != b.instance && a.instance {
			return -1
		}
		return 0
	})
	for _, v := range slices.Sorted(slices.Values(environ)) {
		name, value, ok := strings.Cut(v, "=")
		if !ok || value == "" {
			continue
		}
		o.variable(name, value)
		for _, s := range own[name] {
			for _, a := range s.Schema.attrs {
				if a.Env == name {
					o.note(s.Entry, a.Name, name, value, rankOwn)
				}
			}
		}
	}
	for _, s := range scopes {
		o.apply(s)
	}
	return o.diags
}

// owner is whoever a prefix belongs to: one instance, or all entries of a processor.
type owner struct {
	prefix   string // folded, with the '_' that ends it
	instance bool
	scopes   []Scope
}

// override is a variable that sets an attribute; the one with the highest rank counts.
type override struct {
	member *Member
	rank   int
}

// Ranks, from low to high: an attribute's own variable (CLUSTER_ID), the processor's, the instance's, each with the
// alias below the name.
const (
	rankOwn = iota
	rankKindAlias
	rankKind
	rankInstanceAlias
	rankInstance
)

type overrider struct {
	owners []*owner
	found  map[*Entry]map[string]override // by folded attribute name
	diags  Diagnostics
}

func (o *overrider) addOwner(name string, instance bool, s Scope) {
	prefix := instancePrefix(name)
	if instance && prefix == instancePrefix(s.Entry.Kind) {
		return // an instance with the name of its processor has the processor's variables
	}
	for _, known := range o.owners {
		if known.prefix == prefix && known.instance == instance {
			known.scopes = append(known.scopes, s)
			return
		}
	}
	o.owners = append(o.owners, &owner{prefix, instance, []Scope{s}})
}

// instancePrefix turns the name of an instance or processor into the start of its variables: exporter[1] becomes
// exporter_1_.
func instancePrefix(name string) string {
	return strings.NewReplacer("[", "_", "]", "", ".", "_", "-", "_").Replace(strings.ToLower(name)) + "_"
}

// variable finds the attribute that a variable means.
func (o *overrider) variable(name, value string) {
	folded := strings.ToLower(name)
	var blame *owner // told that it has no such attribute
	for _, w := range o.owners {
		rest, ok := strings.CutPrefix(folded, w.prefix)
		if !ok || rest == "" {
			continue
		}
		if o.assign(w, rest, name, value) {
			return
		}
		if blame == nil {
			blame = w
		}
		if !w.instance {
			break // a shorter processor name is not meant
		}
	}
	if blame == nil {
		return
	}
	attr := strings.ReplaceAll(strings.TrimPrefix(folded, blame.prefix), "_", ".")
	inst := blame.scopes[0].Entry.Kind
	if blame.instance {
		inst = blame.scopes[0].Entry.Instance
	}
	at := Pos{File: environment + name}
	if General(attr) {
		o.diags.Warnf(at, "P301", "%s: '%s' cannot be set by a variable", inst, attr)
	} else {
		o.diags.Warnf(at, "P301", "%s: unknown attribute '%s'", inst, attr)
	}
}

// assign notes the value for the owner's entries; it reports whether one of them has the attribute.
func (o *overrider) assign(w *owner, rest, name, value string) bool {
	if General(rest) {
		return false
	}
	taken := false
	for _, s := range w.scopes {
		key, alias, ok := s.resolve(rest)
		if !ok {
			continue
		}
		taken = true
		rank := rankKind
		if w.instance {
			rank = rankInstance
		}
		if alias {
			rank--
		}
		o.note(s.Entry, key, name, value, rank)
	}
	return taken
}

// resolve returns the attribute that the rest of a variable's name means, and whether by an alias. A plugin that does
// not declare its attributes takes anything: a key of its entry that compares equal, or else a new one.
func (s Scope) resolve(rest string) (key string, alias, ok bool) {
	if a := s.Schema.names[rest]; a != nil {
		return a.Name, fold(a.Name) != rest, true
	}
	if !s.Schema.open {
		return "", false, false
	}
	for _, m := range s.Entry.Settings {
		if fold(m.Key) == rest {
			return m.Key, false, true
		}
	}
	return strings.ReplaceAll(rest, "_", "."), false, true
}

func (o *overrider) note(e *Entry, key, name, value string, rank int) {
	at := Pos{File: environment + name}
	if o.found[e] == nil {
		o.found[e] = map[string]override{}
	}
	if known, ok := o.found[e][fold(key)]; ok && known.rank >= rank {
		return
	}
	o.found[e][fold(key)] = override{&Member{Key: key, Pos: at, Val: &Value{Pos: at, Kind: String, Text: value}}, rank}
}

// apply hands an entry its overrides, in the order of the attributes' names.
func (o *overrider) apply(s Scope) {
	byName := o.found[s.Entry]
	for _, key := range slices.Sorted(maps.Keys(byName)) {
		s.Entry.Overrides = append(s.Entry.Overrides, byName[key].member)
	}
}
