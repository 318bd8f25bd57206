package main

import (
	"errors"
	"sync"

	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/logger"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Plugin is the symbol that the program looks up.
var Plugin Processor

// Processor copies flat records to its outputs, if it gets that far.
type Processor struct {
	mu   sync.Mutex
	outs []*flattener.FlatChannel
}

func (p *Processor) GetName() string { fail("GetName"); return name }

func (p *Processor) Register(pc plugins.SFPluginCache) {
	fail("Register")
	switch fault {
	case "registers another name":
		pc.AddProcessor("blameless", newProcessor)
	case "registers a built-in":
		pc.AddProcessor("exporter", newProcessor)
	case "registers a wrong factory":
		pc.AddProcessor(name, func() *Processor { return new(Processor) })
		return
	case "registers a built-in channel type":
		pc.AddChannel("eventchan", func(int) interface{} { return nil })
	}
	pc.AddProcessor(name, newProcessor)
}

func newProcessor() plugins.SFProcessor {
	fail("constructor")
	return new(Processor)
}

func (p *Processor) Attributes() []string { fail("Attributes"); return []string{"mode", "rate.limit"} }

func (p *Processor) Init(conf map[string]interface{}) error {
	fail("Init")
	if fault == "Init error" {
		return errors.New("there is no such mode")
	}
	return nil
}

func (p *Processor) SetOutChan(ch []interface{}) {
	fail("SetOutChan")
	for _, c := range ch {
		p.outs = append(p.outs, c.(*flattener.FlatChannel))
	}
}

func (p *Processor) Test() (bool, error) {
	fail("Test")
	if fault == "Test error" {
		return false, errors.New("the table cannot be read")
	}
	return fault != "Test says no", nil
}

func (p *Processor) Process(ch interface{}, wg *sync.WaitGroup) {
	if fault != "Done forgotten" {
		defer wg.Done()
	}
	if fault == "Done twice" {
		wg.Done()
	}
	p.mu.Lock()
	if fault == "Process with a lock" {
		panic("boom")
	}
	p.mu.Unlock()
	n := 0
	for r := range ch.(*flattener.FlatChannel).In {
		n++
		if n == 3 {
			fail("Process")
			if fault == "Process returns early" {
				return
			}
			if fault == "Process hangs" {
				logger.Info.Print("hanging")
				forever()
			}
		}
		for _, out := range p.outs {
			out.In <- r
			if fault == "nonsense" {
				out.In <- nil
				out.In <- &sfgo.FlatRecord{Sources: []sfgo.Source{sfgo.FILE_SRC}}
			}
		}
	}
}

func (p *Processor) Cleanup() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if fault == "Cleanup hangs" {
		forever()
	}
	fail("Cleanup")
	if fault == "channels left open" {
		return
	}
	for _, out := range p.outs {
		close(out.In)
	}
}
