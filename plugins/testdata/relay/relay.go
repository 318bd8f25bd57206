// Package main is a processor that stands anywhere in a pipeline: it reads flat records, records with their verdicts,
// resolved records or notes, a type of its own, and writes flat records, records with verdicts or notes.
//
// Attributes: mark is appended to the arguments of flat records and added to the tags of records with verdicts; keep makes
// it log all records when they come, keep them, and log them again when it cleans up; label names it in the log.
package main

import (
	"fmt"
	"strings"
	"sync"

	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/logger"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Note is what is left of a record on a notechan.
type Note struct {
	Exe string
	TID int64
}

// NoteChannel carries notes.
type NoteChannel struct{ In chan Note }

// Plugin is the symbol that the program looks up.
var Plugin Relay

// Relay passes records on.
type Relay struct {
	name string
	mark string
	keep bool
	outs []interface{}

	flats  []*sfgo.FlatRecord // kept
	events []*engine.Record   // kept
	count  int
}

func newRelay() plugins.SFProcessor { return new(Relay) }

func (p *Relay) GetName() string { return "relay" }

func (p *Relay) Register(pc plugins.SFPluginCache) {
	pc.AddProcessor("relay", newRelay)
	pc.AddChannel("notechan", func(size int) interface{} { return &NoteChannel{make(chan Note, size)} })
}

// Init notes its attributes and logs all that it was given, in order.
func (p *Relay) Init(conf map[string]interface{}) error {
	p.mark, _ = conf["mark"].(string)
	p.keep, _ = conf["keep"].(bool)
	p.name = fmt.Sprint(conf["label"])
	logger.Trace.Printf("%s conf %v", p.name, conf)
	return nil
}

func (p *Relay) SetOutChan(ch []interface{}) { p.outs = ch }

func (p *Relay) Process(ch interface{}, wg *sync.WaitGroup) {
	defer wg.Done()
	switch ch := ch.(type) {
	case *flattener.FlatChannel:
		for r := range ch.In {
			p.flat(r)
		}
	case *engine.RecordChannel:
		for r := range ch.In {
			p.event(r)
		}
	case *NoteChannel:
		for n := range ch.In {
			p.flat(fromNote(n))
		}
	case *plugins.CtxSFChannel:
		for r := range ch.In {
			p.count++
			exe := ""
			if r.Process != nil {
				exe = r.Process.Exe
			}
			logger.Trace.Printf("%s got %v of %q", p.name, r.Rec.UnionType, exe)
		}
	}
}

// fromNote makes the smallest record that the program accepts: what it leaves out of the rows is zero.
func fromNote(n Note) *sfgo.FlatRecord {
	r := &sfgo.FlatRecord{
		Sources: []sfgo.Source{sfgo.FILE_SRC, sfgo.SYSFLOW_SRC},
		Ints:    [][]int64{nil, make([]int64, sfgo.OPFLAGS_INT+1)},
		Strs:    [][]string{nil, make([]string, sfgo.PROC_EXEARGS_STR+1)},
	}
	r.Ints[1][sfgo.SF_REC_TYPE] = sfgo.PROC_EVT
	r.Ints[1][sfgo.EV_PROC_TID_INT] = n.TID
	r.Ints[1][sfgo.EV_PROC_OPFLAGS_INT] = sfgo.OP_EXEC
	r.Strs[1][sfgo.PROC_EXE_STR] = n.Exe
	return r
}

func (p *Relay) flat(r *sfgo.FlatRecord) {
	p.count++
	if p.mark != "" {
		strs := r.Strs[len(r.Strs)-1]
		strs[sfgo.PROC_EXEARGS_STR] = strings.TrimSpace(strs[sfgo.PROC_EXEARGS_STR] + " " + p.mark)
	}
	if p.keep {
		logger.Trace.Printf("%s got %s", p.name, line(r))
		p.flats = append(p.flats, r)
		r = flattener.Own(r) // what is sent belongs to the next stage
	}
	for i, out := range p.outs {
		own := r
		if i < len(p.outs)-1 {
			own = flattener.Own(r)
		}
		switch out := out.(type) {
		case *flattener.FlatChannel:
			out.In <- own
		case *engine.RecordChannel:
			rec := engine.NewRecord(*own)
			rec.Ctx.AddTags("made", "by "+p.name)
			rec.Ctx.AddRule(engine.Rule{Name: "Relay", Priority: engine.High, Enabled: true, Tags: []engine.EnrichmentTag{"own"}})
			rec.Ctx.SetAlert(true)
			rec.Ctx.SetHashes(engine.HASH_TYPE_PROC, &engine.HashSet{Md5: "0123"})
			out.In <- rec
		case *NoteChannel:
			if own.Ints[0][sfgo.SF_REC_TYPE] == sfgo.PROC_EVT {
				out.In <- Note{own.Strs[0][sfgo.PROC_EXE_STR], own.Ints[0][sfgo.EV_PROC_TID_INT]}
			}
		}
	}
}

func (p *Relay) event(r *engine.Record) {
	p.count++
	if p.mark != "" {
		r.Ctx.AddTag(p.mark)
	}
	if p.keep {
		logger.Trace.Printf("%s got %s", p.name, eventLine(r))
		p.events = append(p.events, r)
		own := engine.NewRecord(*flattener.Own(&r.Fr))
		own.Ctx.AddTags(r.Ctx.GetTags()...)
		for _, rule := range r.Ctx.GetRules() {
			own.Ctx.AddRule(rule)
		}
		own.Ctx.SetAlert(r.Ctx.IsAlert())
		r = own
	}
	for _, out := range p.outs {
		out.(*engine.RecordChannel).In <- r
	}
}

// Cleanup logs what was kept, and closes the outputs.
func (p *Relay) Cleanup() {
	for _, r := range p.flats {
		logger.Trace.Printf("%s kept %s", p.name, line(r))
	}
	for _, r := range p.events {
		logger.Trace.Printf("%s kept %s", p.name, eventLine(r))
	}
	logger.Trace.Printf("%s passed %d", p.name, p.count)
	for _, out := range p.outs {
		switch out := out.(type) {
		case *flattener.FlatChannel:
			close(out.In)
		case *engine.RecordChannel:
			close(out.In)
		case *NoteChannel:
			close(out.In)
		}
	}
}

// eventLine tells all of a record and its context that other records could overwrite.
func eventLine(r *engine.Record) string {
	var rules []string
	for _, rule := range r.Ctx.GetRules() {
		rules = append(rules, fmt.Sprint(rule.Name, rule.Tags))
	}
	return fmt.Sprintf("%s alert=%v rules=%v tags=%v", line(&r.Fr), r.Ctx.IsAlert(), rules, r.Ctx.GetTags())
}

// line tells all of a record that other records could overwrite.
func line(r *sfgo.FlatRecord) string {
	var tree []string
	for _, p := range r.Ptree {
		tree = append(tree, p.Exe)
	}
	return fmt.Sprintf("%v %q %v %v", r.Ints, r.Strs, r.Anys, tree)
}

func main() {}
