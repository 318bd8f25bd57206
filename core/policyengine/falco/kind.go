package falco

// kind is a kind of item: the keys it may hold, in the order in which messages list them.
type kind struct {
	name string // its kind key
	keys []key
}

// key is a key of an item.
type key struct {
	name    string
	other   string // another spelling
	typ     valueType
	allowed operations
}

// valueType is what the value of a key must be.
type valueType uint8

const (
	textValue       valueType = iota + 1
	boolValue                 // true or false
	intValue                  // an integer
	wordsValue                // a list of texts
	oneOrMoreValue            // a list of texts, or one text
	commaListValue            // a list of texts, or texts separated by commas
	overrideValue             // a mapping from keys to operations
	exceptionsValue           // a list of mappings
)

// operations is a set of what an item may do to a key of an earlier one.
type operations uint8

const (
	appendOp operations = 1 << iota
	replaceOp
	bothOps = appendOp | replaceOp
)

// The kinds of items.
var (
	ruleKind = &kind{"rule", []key{
		{name: "rule", typ: textValue},
		{name: "condition", typ: textValue, allowed: bothOps},
		{name: "desc", other: "description", typ: textValue, allowed: bothOps},
		{name: "output", typ: textValue, allowed: bothOps},
		{name: "tags", typ: oneOrMoreValue, allowed: bothOps},
		{name: "exceptions", typ: exceptionsValue, allowed: bothOps},
		{name: "actions", other: "action", typ: commaListValue, allowed: bothOps},
		{name: "prefilter", typ: oneOrMoreValue, allowed: bothOps},
		{name: "priority", typ: textValue, allowed: replaceOp},
		{name: "enabled", typ: boolValue, allowed: replaceOp},
		{name: "source", typ: textValue, allowed: replaceOp},
		{name: "warn_evttypes", typ: boolValue, allowed: replaceOp},
		{name: "skip-if-unknown-filter", typ: boolValue, allowed: replaceOp},
		{name: "capture", typ: boolValue, allowed: replaceOp},
		{name: "capture_duration", typ: intValue, allowed: replaceOp},
		{name: "append", typ: boolValue},
		{name: "override", typ: overrideValue},
	}}
	macroKind = &kind{"macro", []key{
		{name: "macro", typ: textValue},
		{name: "condition", typ: textValue, allowed: bothOps},
		{name: "append", typ: boolValue},
		{name: "override", typ: overrideValue},
	}}
	listKind = &kind{"list", []key{
		{name: "list", typ: textValue},
		{name: "items", typ: wordsValue, allowed: bothOps},
		{name: "append", typ: boolValue},
		{name: "override", typ: overrideValue},
	}}
	dropKind = &kind{"drop", []key{
		{name: "drop", other: "filter", typ: textValue},
		{name: "condition", typ: textValue, allowed: bothOps},
		{name: "enabled", typ: boolValue, allowed: replaceOp},
		{name: "desc", other: "description", typ: textValue},
		{name: "append", typ: boolValue},
		{name: "override", typ: overrideValue},
	}}
	engineVersionKind = &kind{"required_engine_version", []key{
		{name: "required_engine_version", typ: textValue},
	}}
	pluginVersionsKind = &kind{"required_plugin_versions", []key{
		{name: "required_plugin_versions"},
	}}
)

// kinds are the kinds of items by their kind keys, in the order in which messages list them.
var kinds = []struct {
	key string
	*kind
}{
	{"rule", ruleKind}, {"macro", macroKind}, {"list", listKind}, {"drop", dropKind}, {"filter", dropKind},
	{"required_engine_version", engineVersionKind}, {"required_plugin_versions", pluginVersionsKind},
}

// knownKeys are the keys of all kinds, in every spelling.
var knownKeys = func() map[string]bool {
	known := map[string]bool{}
	for _, k := range kinds {
		for _, key := range k.keys {
			known[key.name] = true
			if key.other != "" {
				known[key.other] = true
			}
		}
	}
	return known
}()

// kindOf returns the kind that a key stands for, or nil.
func kindOf(name string) *kind {
	for _, k := range kinds {
		if k.key == name {
			return k.kind
		}
	}
	return nil
}

// key returns the key with the given name in either spelling, or nil.
func (k *kind) key(name string) *key {
	for i := range k.keys {
		if key := &k.keys[i]; key.name == name || key.other == name && name != "" {
			return key
		}
	}
	return nil
}

// spellings yields the names of the keys.
func (k *kind) spellings(yield func(string) bool) {
	for _, key := range k.keys {
		if !yield(key.name) || key.other != "" && !yield(key.other) {
			return
		}
	}
}

// allowing returns the names of the keys that allow an operation.
func (k *kind) allowing(op operations) []string {
	var names []string
	for _, key := range k.keys {
		if key.allowed&op != 0 {
			names = append(names, key.name)
		}
	}
	return names
}
