package ruletest

import (
	"path/filepath"
	"slices"

	"github.com/sysflow-telemetry/sf-processor/core/config/suggest"
	"github.com/sysflow-telemetry/sf-processor/core/config/yamldoc"
	"github.com/sysflow-telemetry/sf-processor/core/field"
)

// subject is what a case is about: a rule or a drop.
type subject struct {
	name string
	drop bool
}

func (s subject) String() string {
	if s.drop {
		return "drop '" + s.name + "'"
	}
	return "rule '" + s.name + "'"
}

// file is a test file.
type file struct {
	policies string
	cases    []*testCase
	traces   []*traceCase
}

// testCase is a record, and what is expected of the policies on it.
type testCase struct {
	at      yamldoc.Value
	subject string // what is tested, for reports
	title   string // of the record; empty if the subject says it all
	record  *record
	expect  []expectation
	others  bool          // no rule matches that is not expected to
	dropped yamldoc.Value // whether the record is dropped; absent: not said
}

// expectation is what a case expects of one rule or drop.
type expectation struct {
	subject
	at     yamldoc.Value
	who    string        // what is expected of whom, for reports
	want   bool          // to match
	tags   yamldoc.Value // of the rule, in order; absent: not said, as is output
	output yamldoc.Value
}

// traceCase says how many records of a trace match.
type traceCase struct {
	at      yamldoc.Value
	path    string
	dropped int64
	want    []count
}

// count is how many records of a trace a rule matches.
type count struct {
	at   yamldoc.Value
	rule string
	n    int64
}

// parser turns a document into a test file.
type parser struct {
	doc     *yamldoc.Doc
	root    *yamldoc.Map
	dir     string // what paths are relative to
	cat     *field.Catalogue
	records map[string]*record // by name, for others to begin with
}

func newParser(path string, data []byte, cat *field.Catalogue) *parser {
	doc, root := yamldoc.Parse(path, data)
	if root.IsList() {
		root.Faultf("this is a list, as policies are; tests are a mapping, in files of their own")
	}
	return &parser{doc: doc, root: root.Map(), dir: filepath.Dir(path), cat: cat, records: map[string]*record{}}
}

// path returns a path of the document as the program sees it.
func (p *parser) path(v yamldoc.Value) string {
	path := filepath.FromSlash(v.Text())
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(p.dir, path)
}

// file reads the test file. instead is the policy set to test, unless it is empty; then the file must name one.
func (p *parser) file(instead string) *file {
	f := &file{policies: instead}
	if instead == "" {
		f.policies = p.path(p.root.Need("policies"))
	}
	p.root.Key("policies") // known, needed or not
	records := p.root.Key("records").Map()
	for _, name := range records.All() {
		p.records[name.Text()] = p.record(records.Key(name.Text()).Map())
	}
	for _, v := range p.root.Key("rules").List() {
		f.cases = append(f.cases, p.subject(v, "rule")...)
	}
	for _, v := range p.root.Key("drops").List() {
		f.cases = append(f.cases, p.subject(v, "drop")...)
	}
	for _, v := range p.root.Key("cases").List() {
		f.cases = append(f.cases, p.testCase(v))
	}
	for _, v := range p.root.Key("traces").List() {
		f.traces = append(f.traces, p.trace(v))
	}
	p.root.Done()
	return f
}

// subject reads what is said of one rule or drop; kind is the key of its name.
func (p *parser) subject(v yamldoc.Value, kind string) []*testCase {
	m := v.Map()
	defer m.Done()
	s := subject{name: m.Need(kind).Text(), drop: kind == "drop"}
	var all []*testCase
	for _, key := range []string{"matches", "ignores"} {
		records := m.Key(key).Map()
		for _, name := range records.All() {
			rec := records.Key(name.Text()).Map()
			e := expectation{subject: s, at: name, who: s.String() + ", " + name.Text(), want: key == "matches"}
			var also []string
			if e.want && !s.drop {
				e.tags, e.output = rec.Key("tags"), rec.Key("output")
				also = []string{"tags", "output"}
			}
			all = append(all, &testCase{
				at: name, subject: s.String(), title: name.Text(), record: p.record(rec, also...), expect: []expectation{e},
			})
		}
	}
	if len(all) == 0 && m.Present() {
		m.Faultf("say what the %s matches or ignores", kind)
	}
	return all
}

// testCase reads a record with what is said of several rules on it.
func (p *parser) testCase(v yamldoc.Value) *testCase {
	m := v.Map()
	defer m.Done()
	name := m.Need("case")
	c := &testCase{at: name, subject: name.Text(), record: p.record(m.Need("record").Map()), dropped: m.Key("dropped")}
	for _, v := range m.Key("fires").List() {
		c.expect = append(c.expect, p.fires(c, v))
	}
	silent := m.Key("silent")
	if c.others = silent.Present() && !silent.IsList() && !silent.IsMap() && silent.Text() == "others"; !c.others {
		for _, v := range silent.List() {
			s := subject{name: v.Text()}
			c.expect = append(c.expect, expectation{subject: s, at: v, who: c.subject + ", " + s.String()})
		}
	}
	if m.Present() && len(c.expect) == 0 && !c.others && !c.dropped.Present() {
		m.Faultf("say which rules fire, which are silent, or whether the record is dropped")
	}
	return c
}

// fires reads which rule matches the record of a case: its name, or a mapping that says more.
func (p *parser) fires(c *testCase, v yamldoc.Value) expectation {
	e := expectation{at: v, want: true}
	if v.IsMap() {
		m := v.Map()
		e.name, e.tags, e.output = m.Need("rule").Text(), m.Key("tags"), m.Key("output")
		m.Done()
	} else {
		e.name = v.Text()
	}
	e.who = c.subject + ", " + e.subject.String()
	return e
}

func (p *parser) trace(v yamldoc.Value) *traceCase {
	m := v.Map()
	c := &traceCase{at: v, path: p.path(m.Need("trace")), dropped: m.Key("dropped").Int()}
	want := m.Need("matches").Map()
	for _, name := range want.All() {
		c.want = append(c.want, count{name, name.Text(), want.Key(name.Text()).Int()})
	}
	m.Done()
	return c
}

// find says whether a rule or drop exists; if not, that is a fault at v.
func find(v yamldoc.Value, s subject, all []string) bool {
	if slices.Contains(all, s.name) {
		return true
	}
	if near := suggest.Names(s.name, slices.Values(all), 1); len(near) > 0 {
		v.Faultf("the policies have no %s: did you mean '%s'?", s, near[0])
	} else {
		v.Faultf("the policies have no %s", s)
	}
	return false
}
