package encode

import (
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
// constructor compiles it into a plan for each record type. A JSON is used by one goroutine.
type JSON struct {
	options JSONOptions
	plans   [sfgo.UNKNOWN_TYPE][]run // by record type; nil: there is no document for the type
	procs   procMemo

	// Reused from record to record.
	text []byte
	strs []string
	ints []int64
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
		at, name, ok := strings.Cut(f.JSON, ".")
		if !ok {
			at, name = "", at
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
			j.plans[t] = newPlan(int64(t), keys, options)
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
	var known *procTexts
	if len(e.Row.Ptree) > 0 {
		known = j.procs.of(e.Row)
	}
	plan := j.plans[t]
	for i := range plan {
		run := &plan[i]
		switch {
		case run.absent != nil && run.absent(e.Row):
		case run.proc == 0 || known == nil:
			dst = run.append(j, dst, e.Row)
		case known.texts[run.proc] != nil:
			dst = append(dst, known.texts[run.proc]...)
		default:
			start := len(dst)
			dst = run.append(j, dst, e.Row)
			j.procs.keep(known, run.proc, dst[start:])
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
