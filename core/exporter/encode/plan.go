package encode

import (
	"bytes"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// section is an object in the document.
type section struct {
	name  string
	types field.Types // the record types that have it
	needs string      // if not empty, the key without whose value the section is left out
	proc  bool        // but for the key "tid", it says the same of a process whatever that does
}

// processed are the record types that have a process.
var processed = field.TypesOf(sfgo.PROC_EVT, sfgo.PROC_FLOW, sfgo.FILE_FLOW, sfgo.FILE_EVT, sfgo.NET_FLOW)

// sections are the objects of a document, in order. The first, without a name, is the document itself.
var sections = []section{
	{name: "", types: processed | field.TypesOf(sfgo.K8S_EVT)},
	{name: "container", types: processed, needs: "id"},
	{name: "file", types: field.TypesOf(sfgo.FILE_FLOW, sfgo.FILE_EVT)},
	{name: "flow", types: field.TypesOf(sfgo.FILE_FLOW, sfgo.NET_FLOW)},
	{name: "k8s", types: field.TypesOf(sfgo.K8S_EVT)},
	{name: "meta", types: processed | field.TypesOf(sfgo.K8S_EVT)},
	{name: "net", types: field.TypesOf(sfgo.NET_FLOW)},
	{name: "node", types: processed | field.TypesOf(sfgo.K8S_EVT)},
	{name: "pf", types: field.TypesOf(sfgo.PROC_FLOW)},
	{name: "pod", types: processed, needs: "id"},
	{name: "pproc", types: processed, needs: "pid", proc: true},
	{name: "proc", types: processed, proc: true},
}

// run is a stretch of a document that is written, left out or remembered as a whole.
type run struct {
	parts  []part
	absent func(r *sfgo.FlatRecord) bool // nil: it is always there

	// If not 0, the run depends on nothing but the process, and this is its number among the runs that do so. The runs
	// of one number are the same on all record types.
	proc int
}

// part is a text that is always the same, then a value.
type part struct {
	text  []byte
	value writer // nil: none
}

// writer appends the JSON form of a value of r to dst.
type writer func(j *JSON, dst []byte, r *sfgo.FlatRecord) []byte

func (u *run) append(j *JSON, dst []byte, r *sfgo.FlatRecord) []byte {
	for i := range u.parts {
		p := &u.parts[i]
		dst = append(dst, p.text...)
		if p.value != nil {
			dst = p.value(j, dst, r)
		}
	}
	return dst
}

// newPlan compiles the keys of each section into the document of a record of type t, up to the verdicts. What does not
// depend on the record becomes text.
func newPlan(t int64, keys map[string][]key, options JSONOptions) []run {
	var p planner
	for _, s := range sections {
		if !s.types.Has(t) {
			continue
		}
		if s.needs != "" || s.proc {
			p.cut(s.proc)
		}
		if s.needs != "" {
			p.run.absent = lacks(keys[s.name], s.needs)
		}
		begin, end := `,"`+s.name+`":{`, "}"
		if s.name == "" {
			begin, end = "{", ""
		}
		p.text.WriteString(begin)
		comma := ""
		for _, k := range keys[s.name] {
			if !k.on(t) {
				continue
			}
			thread := s.proc && k.name == "tid"
			if thread {
				p.cut(false)
			}
			p.text.WriteString(comma + `"` + k.name + `":`)
			comma = ","
			if value, constant := k.compile(t, options); value == nil {
				p.text.WriteString(constant)
			} else {
				p.add(value)
			}
			if thread {
				p.cut(true)
			}
		}
		p.text.WriteString(end)
		if s.needs != "" || s.proc {
			p.cut(false)
		}
	}
	p.cut(false)
	return p.runs
}

// planner collects the runs of a plan.
type planner struct {
	runs  []run
	run   run // the one that is being built
	text  bytes.Buffer
	procs int // runs so far that depend on nothing but the process
}

// add ends a part with a value.
func (p *planner) add(value writer) {
	p.run.parts = append(p.run.parts, part{bytes.Clone(p.text.Bytes()), value})
	p.text.Reset()
}

// cut ends a run, if there is something in it, and says whether the next one depends on nothing but the process.
func (p *planner) cut(proc bool) {
	if p.text.Len() > 0 {
		p.add(nil)
	}
	if len(p.run.parts) > 0 {
		p.runs = append(p.runs, p.run)
	}
	p.run = run{}
	if proc {
		p.procs++
		p.run.proc = p.procs
	}
}
