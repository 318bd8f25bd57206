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

// testCase says whether a record matches.
type testCase struct {
	at      yamldoc.Value
	subject subject
	title   string
	record  *record
	want    bool
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

func (p *parser) file() *file {
	f := &file{policies: p.path(p.root.Need("policies"))}
	records := p.root.Key("records").Map()
	for _, name := range records.All() {
		p.records[name.Text()] = p.record(records.Key(name.Text()))
	}
	for _, v := range p.root.Key("rules").List() {
		f.cases = append(f.cases, p.cases(v, "rule")...)
	}
	for _, v := range p.root.Key("drops").List() {
		f.cases = append(f.cases, p.cases(v, "drop")...)
	}
	for _, v := range p.root.Key("traces").List() {
		f.traces = append(f.traces, p.trace(v))
	}
	p.root.Done()
	return f
}

// cases reads what is said of one rule or drop; kind is the key of its name.
func (p *parser) cases(v yamldoc.Value, kind string) []*testCase {
	m := v.Map()
	defer m.Done()
	s := subject{name: m.Need(kind).Text(), drop: kind == "drop"}
	var all []*testCase
	for _, key := range []string{"matches", "ignores"} {
		records := m.Key(key).Map()
		for _, name := range records.All() {
			rec := records.Key(name.Text())
			all = append(all, &testCase{at: name, subject: s, title: name.Text(), record: p.record(rec), want: key == "matches"})
		}
	}
	if len(all) == 0 && m.Present() {
		m.Faultf("say what the %s matches or ignores", kind)
	}
	return all
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
