package engine

import (
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Priority is the level of a rule as it appears in exported records.
type Priority int

// Levels.
const (
	None Priority = iota
	Low
	Medium
	High
)

// Rank orders the priority labels a rule author may write; a higher rank is more urgent.
type Rank int

// Ranks and the labels that have them.
const (
	RankNone          Rank = iota // no priority written
	RankDebug                     // debug
	RankInformational             // informational, info
	RankNotice                    // notice, low
	RankWarning                   // warning, medium
	RankError                     // error, high
	RankCritical                  // critical
	RankAlert                     // alert
	RankEmergency                 // emergency
)

// Level returns the level that records show for a rank.
func (r Rank) Level() Priority {
	switch {
	case r <= RankNone:
		return None
	case r <= RankNotice:
		return Low
	case r == RankWarning:
		return Medium
	default:
		return High
	}
}

// EnrichmentTag is a label that a rule gives to the records it matches.
type EnrichmentTag interface{}

// Rule is a rule as a record shows it. Rules are shared and never change.
type Rule struct {
	Name      string
	Desc      string
	Actions   []string
	Tags      []EnrichmentTag
	Priority  Priority
	Rank      Rank
	Prefilter []string
	Enabled   bool

	// Output appends the rule's output text, rendered for a record, to dst; nil if the rule has none. Any number of
	// goroutines may call it.
	Output func(dst []byte, fr *sfgo.FlatRecord) []byte
}

// HashType says what was hashed.
type HashType uint

// What can be hashed: the executable of the process, or the file.
const (
	HASH_TYPE_PROC HashType = iota
	HASH_TYPE_FILE
)

// HashSet holds the hashes of one object, in hexadecimal.
type HashSet struct {
	Md5    string `json:"md5,omitempty"`
	Sha1   string `json:"sha1,omitempty"`
	Sha256 string `json:"sha256,omitempty"`
}

// Context is what the policy engine, its actions and plugins say of a record. The zero value says nothing.
type Context struct {
	alert  bool
	rules  []Rule
	tags   []string
	hashes [2]*HashSet
}

// AddTag adds a tag after those there are.
func (c *Context) AddTag(tag string) { c.tags = append(c.tags, tag) }

// AddTags adds tags after those there are.
func (c *Context) AddTags(tags ...string) { c.tags = append(c.tags, tags...) }

// SetTags replaces the tags.
func (c *Context) SetTags(tags []string) { c.tags = tags }

// GetTags returns the tags that actions and plugins have set. A rule's own tags are in Rule.Tags.
func (c *Context) GetTags() []string { return c.tags }

// AddRule adds a matched rule after those there are.
func (c *Context) AddRule(r Rule) { c.rules = append(c.rules, r) }

// GetRules returns the matched rules, in the order of the policy files.
func (c *Context) GetRules() []Rule { return c.rules }

// SetAlert says whether the record is an alert.
func (c *Context) SetAlert(alert bool) { c.alert = alert }

// IsAlert says whether a rule matched the record in alert mode.
func (c *Context) IsAlert() bool { return c.alert }

// SetHashes stores the hashes of an object. An unknown type is ignored.
func (c *Context) SetHashes(ht HashType, hs *HashSet) {
	if int(ht) < len(c.hashes) {
		c.hashes[ht] = hs
	}
}

// GetHash returns the hashes of an object, or nil.
func (c *Context) GetHash(ht HashType) *HashSet {
	if int(ht) < len(c.hashes) {
		return c.hashes[ht]
	}
	return nil
}

// Record is a flat record with its context, as actions and plugins see it.
type Record struct {
	Fr  sfgo.FlatRecord
	Ctx Context
}

// NewRecord returns a record without context.
func NewRecord(fr sfgo.FlatRecord) *Record { return &Record{Fr: fr} }

// GetInt returns an integer attribute, or 0 if the record does not have it.
func (r *Record) GetInt(attr sfgo.Attribute, src sfgo.Source) int64 {
	for i, s := range r.Fr.Sources {
		if s == src && i < len(r.Fr.Ints) && int(attr) < len(r.Fr.Ints[i]) {
			return r.Fr.Ints[i][attr]
		}
	}
	return 0
}

// GetStr returns a string attribute, or "" if the record does not have it.
func (r *Record) GetStr(attr sfgo.Attribute, src sfgo.Source) string {
	for i, s := range r.Fr.Sources {
		if s == src && i < len(r.Fr.Strs) && int(attr) < len(r.Fr.Strs[i]) {
			return r.Fr.Strs[i][attr]
		}
	}
	return ""
}

// ActionFunc is what an action does to a record.
type ActionFunc func(r *Record) error

// Action is a named function that rules run on the records they match.
type Action interface {
	GetName() string
	GetFunc() ActionFunc
}

// RecordChannel carries records with their verdicts; its type name in pipeline files is eventchan.
type RecordChannel = plugins.Channel[*Record, *Batch]
