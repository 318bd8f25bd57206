package author

import (
	"cmp"
	_ "embed"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// attackVersion is the version of MITRE ATT&CK that the tables are those of.
const attackVersion = "18.1"

// attackTable holds techniques, one a line; it says itself where it is from.
//
//go:embed attack.txt
var attackTable string

// tactic is a tactic of ATT&CK, a column of its matrix.
type tactic struct {
	id    string // TA0002
	short string // execution
	name  string // Execution
}

// tactics are the tactics in the order of ATT&CK's matrix for enterprises. Source: the same as that of attack.txt.
var tactics = []tactic{
	{"TA0043", "reconnaissance", "Reconnaissance"},
	{"TA0042", "resource-development", "Resource Development"},
	{"TA0001", "initial-access", "Initial Access"},
	{"TA0002", "execution", "Execution"},
	{"TA0003", "persistence", "Persistence"},
	{"TA0004", "privilege-escalation", "Privilege Escalation"},
	{"TA0005", "defense-evasion", "Defense Evasion"},
	{"TA0006", "credential-access", "Credential Access"},
	{"TA0007", "discovery", "Discovery"},
	{"TA0008", "lateral-movement", "Lateral Movement"},
	{"TA0009", "collection", "Collection"},
	{"TA0011", "command-and-control", "Command and Control"},
	{"TA0010", "exfiltration", "Exfiltration"},
	{"TA0040", "impact", "Impact"},
}

// technique is a technique or sub-technique.
type technique struct {
	name    string
	tactics []string // short names, in the order of tactics
}

// techniques returns the techniques of the table by id. A sub-technique has the tactics of its technique, and its name
// after that one's.
func techniques() map[string]technique {
	all := map[string]technique{}
	for line := range strings.Lines(attackTable) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		id, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, serves, _ := strings.Cut(rest, ": ")
		t := technique{name, strings.Fields(serves)}
		if parent, _, sub := strings.Cut(id, "."); sub {
			t = technique{all[parent].name + ": " + name, all[parent].tactics}
		}
		all[id] = t
	}
	return all
}

// A tag names a technique, after a prefix or not, or after a prefix a tactic: mitre:T1059.004, T1059, mitre_execution.
var (
	techniqueTag = regexp.MustCompile(`^(?i:(?:mitre|attack)[:._-])?([Tt]\d{4}(?:\.\d{3})?)$`)
	tacticTag    = regexp.MustCompile(`^(?i:mitre|attack)[:._-](.+)$`)
	subTechnique = regexp.MustCompile(`\.\d{3}$`)
)

// labels returns what a rule's tags say of ATT&CK: ids of techniques and short names of tactics, each once.
func labels(tags []string) (ids, shorts []string) {
	for _, tag := range tags {
		if m := techniqueTag.FindStringSubmatch(tag); m != nil {
			ids = append(ids, strings.ToUpper(m[1]))
			continue
		}
		m := tacticTag.FindStringSubmatch(tag)
		if m == nil {
			continue
		}
		word := strings.NewReplacer("_", "-", " ", "-").Replace(strings.ToLower(m[1]))
		for _, t := range tactics {
			if word == t.short || word == strings.ToLower(t.id) {
				shorts = append(shorts, t.short)
			}
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(ids))), slices.Compact(slices.Sorted(slices.Values(shorts)))
}

// coverage is what the enabled rules of a listing say that they detect.
type coverage struct {
	known    map[string]technique
	rules    []*ListedRule
	byID     map[string][]*ListedRule // techniques
	byTactic map[string][]*ListedRule // by short name, those of the techniques and those that name the tactic itself
	other    []*ListedRule            // those that name techniques which are not in the table
	untagged []*ListedRule
}

// coverage returns what the rules detect. A technique that the table does not have is taken for one of its own, unless
// the table has the technique that it is part of.
func (l *Listing) coverage() *coverage {
	c := &coverage{known: techniques(), byID: map[string][]*ListedRule{}, byTactic: map[string][]*ListedRule{}}
	for _, r := range l.Rules {
		if !r.Enabled {
			continue
		}
		c.rules = append(c.rules, r)
		ids, shorts := labels(r.Tags)
		serves := map[string]bool{}
		for _, short := range shorts {
			serves[short] = true
		}
		other := false
		for _, id := range ids {
			c.byID[id] = append(c.byID[id], r)
			t := c.technique(id)
			other = other || t.tactics == nil
			for _, short := range t.tactics {
				serves[short] = true
			}
		}
		for short := range serves {
			c.byTactic[short] = append(c.byTactic[short], r)
		}
		if other {
			c.other = append(c.other, r)
		}
		if len(ids)+len(shorts) == 0 {
			c.untagged = append(c.untagged, r)
		}
	}
	return c
}

// technique returns a technique by its id; one without tactics if it is not known.
func (c *coverage) technique(id string) technique {
	if t, ok := c.known[id]; ok {
		return t
	}
	parent := c.known[subTechnique.ReplaceAllString(id, "")]
	return technique{tactics: parent.tactics}
}

// ids returns the techniques that are detected, sorted.
func (c *coverage) ids() []string { return slices.SortedFunc(maps.Keys(c.byID), cmp.Compare[string]) }
