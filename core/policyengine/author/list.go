package author

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/ruletest"
)

// Listing is what a policy set holds, in evaluation order.
type Listing struct {
	Drops []*ListedDrop `json:"drops"`
	Rules []*ListedRule `json:"rules"`
}

// ListedRule is a rule of a listing.
type ListedRule struct {
	Name         string   `json:"name"`
	Desc         string   `json:"desc"`
	Priority     string   `json:"priority"` // level: none, low, medium or high
	Rank         int      `json:"rank"`     // of the label: 0 none to 8 emergency
	Enabled      bool     `json:"enabled"`
	Evaluable    string   `json:"evaluable"`              // fully, partly or not
	Unanswerable []string `json:"unanswerable,omitempty"` // what its condition names that the data never has
	Records      []string `json:"records"`                // codes of the record types that it may match, enabled or not
	Tags         []string `json:"tags"`
	Actions      []string `json:"actions"`
	Attributes   []string `json:"attributes"` // that its condition reads, sorted
	File         string   `json:"file"`
	Line         int      `json:"line"`
}

// ListedDrop is a drop rule of a listing.
type ListedDrop struct {
	Name       string   `json:"name"`
	Enabled    bool     `json:"enabled"`
	Attributes []string `json:"attributes"`
	File       string   `json:"file"`
	Line       int      `json:"line"`
}

// List loads the policy set that files and directories make up and lists what it holds. If it cannot be loaded, the error
// is a *[ruletest.PolicyError].
func List(paths []string, opts falco.Options) (*Listing, error) {
	p, ds := falco.LoadAll(paths, opts)
	if p == nil {
		return nil, &ruletest.PolicyError{Path: strings.Join(paths, " "), Diagnostics: ds}
	}
	// What a rule that is switched off may match is what it would match if it was not.
	on := &policy.Policy{}
	for _, r := range p.Rules {
		rule, shown := *r, *r.Rule
		shown.Enabled = true
		rule.Rule = &shown
		on.Rules = append(on.Rules, &rule)
	}
	set, err := policy.Compile(on)
	if err != nil {
		return nil, fmt.Errorf("compile policies %s: %w", strings.Join(paths, " "), err)
	}
	types := set.Types()
	l := &Listing{Drops: []*ListedDrop{}, Rules: []*ListedRule{}}
	for _, d := range p.Drops {
		l.Drops = append(l.Drops, &ListedDrop{
			Name: d.Name, Enabled: d.Enabled, Attributes: attributes(d.Cond), File: d.Pos.File, Line: d.Pos.Line,
		})
	}
	for i, r := range p.Rules {
		l.Rules = append(l.Rules, &ListedRule{
			Name: r.Name, Desc: r.Desc, Priority: levels[r.Priority], Rank: int(r.Rank), Enabled: r.Enabled,
			Evaluable: evaluable[r.Evaluable], Unanswerable: r.Unanswerable, Records: orEmpty(types[i].Codes()),
			Tags: tags(r.Rule), Actions: orEmpty(r.Actions), Attributes: attributes(r.Cond),
			File: r.Pos.File, Line: r.Pos.Line,
		})
	}
	return l, nil
}

// levels and evaluable are the words of a listing.
var (
	levels    = [...]string{engine.None: "none", engine.Low: "low", engine.Medium: "medium", engine.High: "high"}
	evaluable = [...]string{policy.FullyEvaluable: "fully", policy.PartlyEvaluable: "partly", policy.NotEvaluable: "not"}
)

// orEmpty returns a list that JSON shows as such, and not as null.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// tags returns a rule's own tags.
func tags(r *engine.Rule) []string {
	list := []string{}
	for _, t := range r.Tags {
		list = append(list, fmt.Sprint(t))
	}
	return list
}

// attributes returns the names of the attributes that a condition reads, sorted.
func attributes(cond policy.Node) []string {
	names := map[string]bool{}
	macros := map[*policy.Term]bool{} // done; a macro may be used very often
	var walk func(n policy.Node)
	walk = func(n policy.Node) {
		switch n := n.(type) {
		case policy.And:
			for _, k := range n {
				walk(k)
			}
		case policy.Or:
			for _, k := range n {
				walk(k)
			}
		case policy.Not:
			walk(n.X)
		case *policy.Term:
			if !macros[n] {
				macros[n] = true
				walk(n.X)
			}
		case *policy.Test:
			names[n.Left.Field.Name] = true
			if n.Right != nil {
				names[n.Right.Field.Name] = true
			}
		}
	}
	walk(cond)
	return orEmpty(slices.Sorted(maps.Keys(names)))
}

// WriteJSON writes the listing as a JSON object.
func (l *Listing) WriteJSON(w io.Writer) error { return writeJSON(w, l) }

// WriteTable writes the listing as a table, one rule a line: first the drop rules, which are evaluated first.
func (l *Listing) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PRIORITY\tRULE\tSTATE\tRECORDS\tTAGS\tATTRIBUTES")
	row := func(priority, name, state string, lists ...[]string) {
		fmt.Fprintf(t, "%s\t%s\t%s", priority, name, state)
		for _, list := range lists {
			fmt.Fprintf(t, "\t%s", cmp.Or(strings.Join(list, " "), "-"))
		}
		fmt.Fprintln(t)
	}
	for _, d := range l.Drops {
		row("drop", d.Name, onOff(d.Enabled), nil, nil, d.Attributes)
	}
	for _, r := range l.Rules {
		row(r.Priority, r.Name, r.state(), r.Records, r.Tags, r.Attributes)
	}
	return t.Flush()
}

// state says whether the rule is evaluated.
func (r *ListedRule) state() string {
	switch {
	case r.Evaluable == "not":
		return "not evaluable"
	case r.Enabled && r.Evaluable == "partly":
		return "partly evaluable"
	}
	return onOff(r.Enabled)
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
