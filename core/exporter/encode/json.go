package encode

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// JSONOptions say what JSON documents look like. The zero value gives the default.
type JSONOptions struct {
	Version  int  // the number that documents show; 0: field.ExportVersion
	Extended bool // add working directory, environment and arguments, which may hold secrets
	Output   bool // add the rendered output texts of rules
}

// JSON encodes events as JSON documents. Which attributes a document holds, and where, is said by the catalogue: the
// constructor compiles it into a list of writers for each record type. A JSON is used by one goroutine.
type JSON struct {
	options JSONOptions
	plans   [sfgo.UNKNOWN_TYPE][]part // by record type; nil: there is no document for the type

	// Reused from record to record.
	text []byte
	strs []string
	ints []int64
}

// part is a piece of a document: a text that is always the same, then a value.
type part struct {
	text  []byte
	value writer // nil: none

	// A part that begins a section may be left out with the section.
	absent func(r *sfgo.FlatRecord) bool // nil: the section is always there
	skip   int                           // parts to leave out, this one included
}

// writer appends the JSON form of a value of r to dst.
type writer func(j *JSON, dst []byte, r *sfgo.FlatRecord) []byte

// section is an object in the document.
type section struct {
	name  string
	types field.Types // the record types that have it

	// If not empty, the key without whose value the section is left out.
	needs string
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
	{name: "pproc", types: processed, needs: "pid"},
	{name: "proc", types: processed},
}

// NewJSON returns an encoder of the attributes in c.
func NewJSON(c *field.Catalogue, options JSONOptions) *JSON {
	if options.Version == 0 {
		options.Version = field.ExportVersion
	}
	j := &JSON{options: options}
	keys := map[string][]key{}
	for f := range c.Fields() {
		if f.JSON == "" {
			continue
		}
		at, name := "", f.JSON
		if i := strings.IndexByte(name, '.'); i >= 0 {
			at, name = name[:i], name[i+1:]
		}
		keys[at] = append(keys[at], key{name: name, field: f})
	}
	if options.Extended {
		keys[""] = append(keys[""], key{name: "args", after: "endts", types: field.TypesOf(sfgo.PROC_EVT), value: eventArgs})
		keys["proc"] = append(keys["proc"], key{name: "cwd", value: procCwd}, key{name: "env", value: procEnv})
	}
	for _, list := range keys {
		slices.SortFunc(list, func(a, b key) int { return strings.Compare(a.order(), b.order()) })
	}
	for t := range j.plans {
		if sections[0].types.Has(int64(t)) {
			j.plans[t] = plan(int64(t), keys, options)
		}
	}
	return j
}

// Append appends the document for e to dst, without a newline.
func (j *JSON) Append(dst []byte, e *engine.Event) ([]byte, error) {
	t := e.Row.Ints[sfgo.SYSFLOW_IDX][sfgo.SF_REC_TYPE]
	if uint64(t) >= uint64(len(j.plans)) || j.plans[t] == nil {
		return dst, fmt.Errorf("no JSON document for a record of type %d", t)
	}
	parts := j.plans[t]
	for i := 0; i < len(parts); i++ {
		p := &parts[i]
		if p.absent != nil && p.absent(e.Row) {
			i += p.skip - 1
			continue
		}
		dst = append(dst, p.text...)
		if p.value != nil {
			dst = p.value(j, dst, e.Row)
		}
	}
	dst = j.appendPolicies(dst, e)
	dst = j.appendTags(dst, e)
	return append(dst, '}'), nil
}

// appendPolicies appends the rules that matched, if there are any.
func (j *JSON) appendPolicies(dst []byte, e *engine.Event) []byte {
	for i, rule := range e.Rules {
		if i == 0 {
			dst = append(dst, `,"policies":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst = appendString(append(dst, `{"id":`...), rule.Name)
		dst = appendString(append(dst, `,"desc":`...), rule.Desc)
		dst = strconv.AppendInt(append(dst, `,"priority":`...), int64(rule.Priority), 10)
		if j.options.Output && rule.Output != nil {
			j.text = rule.Output(j.text[:0], e.Row)
			dst = appendString(append(dst, `,"output":`...), j.text)
		}
		dst = append(dst, '}')
	}
	if len(e.Rules) > 0 {
		dst = append(dst, ']')
	}
	return dst
}

// appendTags appends the tags that actions have set and those of the rules, if there are any.
func (j *JSON) appendTags(dst []byte, e *engine.Event) []byte {
	start, next := len(dst), `,"tags":[`
	for _, tag := range e.Tags {
		dst = appendString(append(dst, next...), tag)
		next = ","
	}
	for _, rule := range e.Rules {
		for _, tag := range rule.Tags {
			dst = appendString(append(dst, next...), tagText(tag))
			next = ","
		}
	}
	if len(dst) > start {
		dst = append(dst, ']')
	}
	return dst
}

// plan compiles the keys of each section into the parts of a document for records of type t. What does not depend on
// the record becomes text.
func plan(t int64, keys map[string][]key, options JSONOptions) []part {
	var parts []part
	var text bytes.Buffer
	for _, s := range sections {
		if !s.types.Has(t) {
			continue
		}
		first := len(parts)
		open := `,"` + s.name + `":{`
		if s.name == "" {
			open = "{"
		}
		if s.needs != "" { // the text so far is written even if the section is not
			parts = append(parts, part{text: bytes.Clone(text.Bytes())})
			text.Reset()
			first++
		}
		text.WriteString(open)
		comma := ""
		for _, k := range keys[s.name] {
			if !k.on(t) {
				continue
			}
			text.WriteString(comma + `"` + k.name + `":`)
			comma = ","
			value, constant := k.compile(t, options)
			if value == nil {
				text.WriteString(constant)
				continue
			}
			parts = append(parts, part{text: bytes.Clone(text.Bytes()), value: value})
			text.Reset()
		}
		if s.name != "" {
			text.WriteByte('}')
		}
		if s.needs != "" {
			parts = append(parts, part{text: bytes.Clone(text.Bytes())})
			text.Reset()
			parts[first].skip = len(parts) - first
			parts[first].absent = lacks(keys[s.name], s.needs)
		}
	}
	return append(parts, part{text: text.Bytes()})
}
