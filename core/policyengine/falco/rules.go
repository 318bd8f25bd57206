package falco

import (
	"slices"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// ranks are the labels of priorities, in lower case.
var ranks = map[string]engine.Rank{
	"debug": engine.RankDebug, "informational": engine.RankInformational, "info": engine.RankInformational,
	"notice": engine.RankNotice, "low": engine.RankNotice, "warning": engine.RankWarning, "medium": engine.RankWarning,
	"error": engine.RankError, "high": engine.RankError, "critical": engine.RankCritical, "alert": engine.RankAlert,
	"emergency": engine.RankEmergency,
}

// recordTypes are the codes of record types.
var recordTypes = map[string]int64{
	"PE": sfgo.PROC_EVT, "PF": sfgo.PROC_FLOW, "FE": sfgo.FILE_EVT, "FF": sfgo.FILE_FLOW, "NF": sfgo.NET_FLOW,
	"NE": sfgo.NET_EVT, "KE": sfgo.K8S_EVT,
}

// obsoleteAction is the action that older versions needed for what now always happens.
const obsoleteAction = "tag"

func newResolver(l *loader) *resolver {
	r := &resolver{
		loader: l, parser: newParser(), catalogue: l.opts.Catalogue,
		falco:  l.opts.Falco == On || l.opts.Falco != Off && l.set.falco,
		macros: map[string]*macro{}, lists: map[string]*listState{},
	}
	for _, it := range l.set.macros.order {
		r.macros[it.name.s] = &macro{item: it}
	}
	for _, it := range l.set.lists.order {
		r.lists[it.name.s] = &listState{item: it}
	}
	return r
}

// resolve returns the policy that the set stands for. A macro is resolved for its first user. Of drops everything is
// told, so they come first; rules that are left out if they name unknown attributes come last, so that no macro is
// resolved for them whose faults count.
func (r *resolver) resolve() *policy.Policy {
	r.checkLists(r.set.lists.order)
	p := &policy.Policy{Falco: r.falco}
	rules := make([]*policy.Rule, len(r.set.rules.order))
	for _, it := range r.set.drops.order {
		p.Drops = append(p.Drops, r.drop(it))
	}
	for _, skip := range []bool{false, true} {
		for i, it := range r.set.rules.order {
			if it.flag("skip-if-unknown-filter", false) == skip {
				rules[i] = r.rule(it, skip)
			}
		}
	}
	p.Rules = slices.DeleteFunc(rules, func(rule *policy.Rule) bool { return rule == nil })
	r.unused(p)
	return p
}

// unused checks what no rule or drop uses, and adds macros and lists to the policy.
func (r *resolver) unused(p *policy.Policy) {
	for _, it := range r.set.macros.order {
		m := r.macros[it.name.s]
		if !m.used && !it.broken {
			r.report("I311", it.at(), "macro '%s' is never used", it.name.s)
		}
	}
	for _, it := range r.set.macros.order {
		m := r.macros[it.name.s]
		if m.done == nil {
			s := &scope{resolver: r, user: &user{lenient: true}, text: it.name}
			s.reference(&reference{span{0, len(it.name.s)}, it.name.s}, false)
		}
		p.Macros = append(p.Macros, &policy.Macro{Name: it.name.s, Cond: m.done.node, Pos: it.pos()})
	}
	for _, it := range r.set.lists.order {
		l := r.lists[it.name.s]
		list := &policy.List{Name: it.name.s, Pos: it.pos()}
		for _, item := range l.elements() {
			list.Items = append(list.Items, item.s)
		}
		p.Lists = append(p.Lists, list)
		if !l.used && !it.broken {
			r.report("I311", it.at(), "list '%s' is never used", it.name.s)
		}
	}
}

// pos returns the place of the item's name.
func (it *item) pos() policy.Pos {
	at := it.at()
	return policy.Pos{File: it.src.name, Line: at.line, Col: at.col}
}

// word returns the text of a key, or nothing if the item does not have it.
func (it *item) word(key string) string {
	if v := it.values[key]; v != nil {
		return v.text.s
	}
	return ""
}

// words returns the texts of a key.
func (it *item) words(key string) []text {
	if v := it.values[key]; v != nil {
		return v.words
	}
	return nil
}

// drop resolves a drop.
func (r *resolver) drop(it *item) *policy.Drop {
	c := r.condition(it, &user{kind: "drop", name: it.name.s, at: it.at()}, 0)
	r.constant(it, c)
	return &policy.Drop{Name: it.name.s, Enabled: it.flag("enabled", true), Cond: c.node, Pos: it.pos()}
}

// constant tells of a condition that does not depend on the record.
func (r *resolver) constant(it *item, c *result) {
	if value, ok := c.node.(policy.Const); ok && !c.broken && len(c.unanswerable) == 0 && len(c.unknown) == 0 {
		r.report("I506", it.values["condition"].text.all(), "condition is always %t", bool(value))
	}
}

// rule resolves a rule. It returns nil for one that is left out.
func (r *resolver) rule(it *item, skip bool) *policy.Rule {
	if source := it.word("source"); source != "" && source != "syscall" && source != "sysflow" {
		r.report("W122", it.values["source"].text.all(), "rule '%s' has source '%s' and is skipped", it.name.s, source)
		return nil
	}
	rank := r.rank(it)
	types, codes := r.prefilter(it)
	rule := &policy.Rule{
		Rule: &engine.Rule{
			Name: it.name.s, Desc: it.word("desc"), Actions: r.actions(it), Priority: rank.Level(), Rank: rank,
			Prefilter: codes, Enabled: it.flag("enabled", true),
		},
		Prefilter: types,
		Pos:       it.pos(),
	}
	for _, t := range it.words("tags") {
		rule.Tags = append(rule.Tags, t.s)
	}
	u := &user{kind: "rule", name: it.name.s, at: it.at(), silent: skip}
	c := r.exempt(it, r.condition(it, u, 0), u)
	rule.Cond = c.node
	var named facts
	rule.Output, named = r.output(it, u)
	c.broken = c.broken || named.broken
	if skip {
		c.add(named, false)
	}
	if !r.evaluable(it, rule, c, skip) {
		return nil
	}
	return rule
}

// evaluable reports what SysFlow data cannot answer of a rule, and says whether to keep the rule.
func (r *resolver) evaluable(it *item, rule *policy.Rule, c *result, skip bool) bool {
	missing := strings.Join(c.unanswerable, ", ")
	value, constant := c.node.(policy.Const)
	switch {
	case skip && len(c.unanswerable)+len(c.unknown) > 0:
		missing = strings.Join(slices.Concat(c.unknown, c.unanswerable), ", ")
		r.report("W504", it.at(), "rule '%s' is not evaluable on SysFlow data (%s) and is switched off", it.name.s, missing)
		return false
	case len(c.unanswerable) == 0:
		r.constant(it, c)
	case c.broken && r.checks != Lenient: // the set cannot be used anyway
	case constant && !bool(value):
		r.report("W504", it.at(), "rule '%s' is not evaluable on SysFlow data (%s) and is switched off", it.name.s, missing)
		rule.Evaluable, rule.Enabled = policy.NotEvaluable, false
	default:
		more := ""
		if c.inverted {
			more = "; it may match more than intended"
		}
		r.report("W505", it.at(), "rule '%s' is only partly evaluable (%s)%s", it.name.s, missing, more)
		rule.Evaluable = policy.PartlyEvaluable
	}
	rule.Unanswerable = c.unanswerable
	return true
}

// rank returns the rank of a rule's priority.
func (r *resolver) rank(it *item) engine.Rank {
	v := it.values["priority"]
	if v == nil || v.text.runs == nil { // a value that is no text was reported
		return engine.RankNone
	}
	if v.text.s == "" {
		r.report("E111", v.at, "'priority' is empty")
		return engine.RankNone
	}
	rank, ok := ranks[strings.ToLower(strings.TrimSpace(v.text.s))]
	if !ok {
		d := r.report("E114", v.text.all(), "unknown priority '%s'; use low, medium, high or emergency, alert, critical, error, "+
			"warning, notice, informational, debug", v.text.s)
		d.Hints = didYouMean(v.text.s, sortedKeys(ranks))
	}
	return rank
}

// prefilter returns the record types that a rule looks at; none stands for all.
func (r *resolver) prefilter(it *item) (field.Types, []string) {
	var types field.Types
	var codes []string
	for _, t := range it.words("prefilter") {
		code := strings.ToUpper(strings.TrimSpace(t.s))
		typ, ok := recordTypes[code]
		if !ok {
			r.report("E115", t.all(), "unknown record type '%s' in prefilter; use PE, PF, FE, FF, NF, NE, KE", t.s)
			continue
		}
		if !types.Has(typ) {
			types |= field.TypesOf(typ)
			codes = append(codes, code)
		}
	}
	return types, codes
}

// actions returns the names of the actions that a rule runs.
func (r *resolver) actions(it *item) []string {
	var names []string
	for _, a := range it.words("actions") {
		switch {
		case slices.Contains(r.opts.Actions, a.s):
			names = append(names, a.s)
		case a.s == obsoleteAction:
			r.report("W509", a.all(), "action '%s' is obsolete and has no effect", a.s)
		default:
			registered := strings.Join(r.opts.Actions, ", ")
			if registered == "" {
				registered = "none"
			}
			d := r.report("E501", a.all(), "unknown action '%s' in rule '%s'; registered: %s", a.s, it.name.s, registered)
			d.Hints = didYouMean(a.s, slices.Values(r.opts.Actions))
		}
	}
	return names
}
