package falco

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// set is the items of all files, with redefinitions, appends and overrides carried out.
type set struct {
	rules, macros, lists, drops table
	falco                       bool // an item requires a version, as Falco's own files do
}

// table holds the definitions of one kind in evaluation order. A later definition takes the place of the earlier one.
type table struct {
	order  []*item
	byName map[string]int
}

// get returns the definition of the given name, or nil.
func (t *table) get(name string) *item {
	if i, ok := t.byName[name]; ok {
		return t.order[i]
	}
	return nil
}

// put adds a definition, or replaces the one of its name.
func (t *table) put(it *item) {
	if i, ok := t.byName[it.name.s]; ok {
		t.order[i] = it
		return
	}
	if t.byName == nil {
		t.byName = map[string]int{}
	}
	t.byName[it.name.s] = len(t.order)
	t.order = append(t.order, it)
}

// table returns the definitions of a kind.
func (s *set) table(k *kind) *table {
	switch k {
	case ruleKind:
		return &s.rules
	case macroKind:
		return &s.macros
	case listKind:
		return &s.lists
	default:
		return &s.drops
	}
}

// add carries out an item.
func (l *loader) add(it *item) {
	switch it.kind {
	case engineVersionKind:
		l.engineVersion(it)
		return
	case pluginVersionsKind:
		l.set.falco = true
		l.report("I126", it.at(), "'required_plugin_versions' is accepted and has no effect")
		return
	}
	override := it.values["override"]
	switch appends := it.flag("append", false); {
	case it.broken && (appends || override != nil):
	case appends && override != nil:
		l.report("E116", override.at, "'append' and 'override' cannot be combined")
	case override != nil:
		l.override(it, override.ops)
	case appends:
		l.appendTo(it)
	case it.kind == ruleKind && len(it.values) == 1 && it.values["enabled"] != nil:
		l.enable(it)
	default:
		l.define(it)
	}
}

// implements is the version of Falco's rules engine that this one is compatible with.
var implements = [3]int{0, 63, 0}

// engineVersion checks the version that a file requires.
func (l *loader) engineVersion(it *item) {
	l.set.falco = true
	parts := strings.Split(it.name.s, ".")
	if len(parts) == 1 {
		parts = []string{"0", parts[0], "0"}
	}
	var v []int
	for _, p := range parts {
		n, err := strconv.ParseUint(p, 10, 31)
		if err != nil {
			break
		}
		v = append(v, int(n))
	}
	if len(v) != 3 || len(parts) != 3 {
		l.report("E110", it.at(), "value of 'required_engine_version' must be an integer or x.y.z, found '%s'", it.name.s)
		return
	}
	if slices.Compare(v, implements[:]) > 0 {
		l.report("W123", it.at(), "requires rules engine %s, this engine implements 0.63.0", strings.Join(parts, "."))
	}
}

// needed are the keys that a definition must have, besides its kind key.
var needed = map[*kind]string{ruleKind: "condition", macroKind: "condition", listKind: "items", dropKind: "condition"}

// define adds a definition to the set.
func (l *loader) define(it *item) {
	if key := needed[it.kind]; it.values[key] == nil && !it.broken {
		l.report("E109", it.at(), "missing key '%s' in %s '%s'", key, it.kind.name, it.name.s)
		it.broken = true
	}
	if it.kind == ruleKind && it.values["desc"] == nil && !it.broken {
		l.report("W125", it.at(), "rule '%s' has no description", it.name.s)
	}
	defs := l.set.table(it.kind)
	if old := defs.get(it.name.s); old != nil && !old.equal(it) {
		l.report("W120", it.at(), "%s '%s' replaces the definition at %s", it.kind.name, it.name.s, old.at())
	}
	defs.put(it)
}

// earlier returns the definition that an item changes, or reports that there is none.
func (l *loader) earlier(it *item, what string) *item {
	old := l.set.table(it.kind).get(it.name.s)
	if old == nil {
		l.report("E117", it.at(), "%s of %s '%s', but none is defined before", what, it.kind.name, it.name.s)
	}
	return old
}

// enable carries out an item that consists of a rule's name and `enabled`.
func (l *loader) enable(it *item) {
	at := it.values["enabled"].at
	if old := l.earlier(it, "override"); old != nil {
		l.report("W312", at, "'enabled' without 'override' is deprecated; use 'override: {enabled: replace}'")
		l.set.rules.put(old.with("enabled", it.values["enabled"]))
	}
}

// appendTo carries out an item with `append: true`.
func (l *loader) appendTo(it *item) {
	allowed := []string{needed[it.kind]}
	if it.kind == ruleKind {
		allowed = append(allowed, "exceptions")
	}
	ok := true
	for _, key := range it.keys() {
		if key != "append" && !slices.Contains(allowed, key) {
			d := l.report("E118", it.values[key].at, "key '%s' cannot be appended; allowed: %s", key, strings.Join(allowed, ", "))
			if it.kind.key(key).allowed != 0 {
				d.Hints = []string{"write 'override: {" + key + ": …}' instead of 'append: true'"}
			}
			ok = false
		}
	}
	old := l.earlier(it, "append")
	if old == nil || !ok {
		return
	}
	if !slices.ContainsFunc(allowed, func(key string) bool { return it.values[key] != nil }) {
		l.report("E109", it.at(), "missing key '%s' in %s '%s'", allowed[0], it.kind.name, it.name.s)
		return
	}
	for _, key := range allowed {
		if it.values[key] != nil {
			old = l.appended(old, it, key)
		}
	}
	l.set.table(it.kind).put(old)
}

// override carries out an item with an `override` mapping.
func (l *loader) override(it *item, ops []override) {
	named := map[string]operations{}
	ok := true
	for _, op := range ops {
		key, does := l.checkOverride(it, op)
		ok = ok && does != 0
		named[key] |= does
	}
	for _, key := range it.keys() {
		if _, does := named[key]; !does && key != "override" {
			l.report("E119", it.values[key].at, "key '%s' has no entry under 'override'", key)
			ok = false
		}
	}
	old := l.earlier(it, "override")
	if old == nil || !ok {
		return
	}
	for _, key := range it.keys() {
		if named[key] == appendOp {
			old = l.appended(old, it, key)
		}
	}
	for _, key := range it.keys() {
		if named[key] == replaceOp {
			old = old.with(key, it.values[key])
		}
	}
	l.set.table(it.kind).put(old)
}

// checkOverride returns the key that an entry of an `override` mapping names and what to do with it. No operation means
// that the entry is wrong, which is reported.
func (l *loader) checkOverride(it *item, op override) (string, operations) {
	does, done := operations(0), ""
	switch op.op.s {
	case "append":
		does, done = appendOp, "appended"
	case "replace":
		does, done = replaceOp, "replaced"
	default:
		l.report("E118", op.op.all(), "key '%s' cannot be '%s'; allowed: append, replace", op.key.s, op.op.s)
	}
	key := it.kind.key(op.key.s)
	if key == nil || it.values[key.name] == nil {
		l.report("E119", op.key.all(), "'override' names '%s', which the item does not have", op.key.s)
		return op.key.s, 0
	}
	if does&key.allowed == 0 && does != 0 {
		l.report("E118", op.key.all(), "key '%s' cannot be %s; allowed: %s", key.name, done, strings.Join(it.kind.allowing(does), ", "))
		return key.name, 0
	}
	return key.name, does
}

// appended returns old with the value that it has for a key added to its own.
func (l *loader) appended(old, it *item, key string) *item {
	was, more := old.values[key], it.values[key]
	if was == nil {
		return old.with(key, more)
	}
	v := *was
	switch it.kind.key(key).typ {
	case textValue:
		v.text = join(was.text, more.text)
		if key == "condition" {
			v.joints = append(slices.Clip(was.joints), len(was.text.s)+1)
		}
	case exceptionsValue:
		v.exceptions = l.appendExceptions(was.exceptions, more.exceptions)
	default:
		v.words = slices.Clip(was.words)
		for _, w := range more.words {
			if key != "tags" || !slices.ContainsFunc(v.words, func(t text) bool { return t.s == w.s }) {
				v.words = append(v.words, w)
			}
		}
	}
	return old.with(key, &v)
}

// with returns a copy of the item with another value for a key.
func (it *item) with(key string, v *setting) *item {
	c := *it
	c.values = make(map[string]*setting, len(it.values)+1)
	maps.Copy(c.values, it.values)
	c.values[key] = v
	return &c
}

// keys returns the keys that an item has, in the order in which messages list them.
func (it *item) keys() []string {
	var names []string
	for _, k := range it.kind.keys {
		if it.values[k.name] != nil {
			names = append(names, k.name)
		}
	}
	return names
}

// equal says whether two definitions say the same.
func (it *item) equal(other *item) bool {
	if len(it.values) != len(other.values) {
		return false
	}
	same := func(a, b text) bool { return a.s == b.s }
	for key, a := range it.values {
		b := other.values[key]
		if b == nil || a.text.s != b.text.s || a.flag != b.flag || !slices.EqualFunc(a.words, b.words, same) ||
			!slices.EqualFunc(a.exceptions, b.exceptions, (*exception).equal) {
			return false
		}
	}
	return true
}
