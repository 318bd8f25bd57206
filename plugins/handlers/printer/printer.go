// Package main is a handler plugin that logs each flow and event, with one number that says which.
package main

import (
	"github.com/sysflow-telemetry/sf-processor/core/logger"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

const handlerName = "printer"

// Handler is the symbol that the program looks up.
var Handler Printer

// Printer logs flows and events.
type Printer struct{}

// NewPrinter returns an instance for one reader of the pipeline file.
func NewPrinter() plugins.SFHandler { return new(Printer) }

// RegisterChannel announces channel types; this handler writes none.
func (p *Printer) RegisterChannel(pc plugins.SFPluginCache) {}

// RegisterHandler announces the handler.
func (p *Printer) RegisterHandler(hc plugins.SFHandlerCache) { hc.AddHandler(handlerName, NewPrinter) }

// Init is given the entry of the pipeline file.
func (p *Printer) Init(conf map[string]interface{}) error { return nil }

// IsEntityEnabled says that entities are of no interest.
func (p *Printer) IsEntityEnabled() bool { return false }

// HandleHeader is never called, since entities are off.
func (p *Printer) HandleHeader(sf *plugins.CtxSysFlow, hdr *sfgo.SFHeader) error { return nil }

// HandleContainer is never called, since entities are off.
func (p *Printer) HandleContainer(sf *plugins.CtxSysFlow, cont *sfgo.Container) error { return nil }

// HandleProcess is never called, since entities are off.
func (p *Printer) HandleProcess(sf *plugins.CtxSysFlow, proc *sfgo.Process) error { return nil }

// HandleFile is never called, since entities are off.
func (p *Printer) HandleFile(sf *plugins.CtxSysFlow, file *sfgo.File) error { return nil }

// HandleNetFlow logs the destination port.
func (p *Printer) HandleNetFlow(sf *plugins.CtxSysFlow, nf *sfgo.NetworkFlow) error {
	logger.Info.Printf("NetworkFlow %s, %d", sf.Process.Exe, nf.Dport)
	return nil
}

// HandleNetEvt logs the thread.
func (p *Printer) HandleNetEvt(sf *plugins.CtxSysFlow, ne *sfgo.NetworkEvent) error {
	logger.Info.Printf("NetEvt %s, %d", sf.Process.Exe, ne.Tid)
	return nil
}

// HandleFileFlow logs the descriptor.
func (p *Printer) HandleFileFlow(sf *plugins.CtxSysFlow, ff *sfgo.FileFlow) error {
	logger.Info.Printf("FileFlow %s, %d", sf.Process.Exe, ff.Fd)
	return nil
}

// HandleFileEvt logs the thread.
func (p *Printer) HandleFileEvt(sf *plugins.CtxSysFlow, fe *sfgo.FileEvent) error {
	logger.Info.Printf("FileEvt %s, %d", sf.Process.Exe, fe.Tid)
	return nil
}

// HandleProcFlow logs the process.
func (p *Printer) HandleProcFlow(sf *plugins.CtxSysFlow, pf *sfgo.ProcessFlow) error {
	logger.Info.Printf("ProcFlow %s, %v", sf.Process.Exe, *pf.ProcOID)
	return nil
}

// HandleProcEvt logs the thread.
func (p *Printer) HandleProcEvt(sf *plugins.CtxSysFlow, pe *sfgo.ProcessEvent) error {
	logger.Info.Printf("ProcEvt %s, %d", sf.Process.Exe, pe.Tid)
	return nil
}

// SetOutChan is given the output channels; this handler has none.
func (p *Printer) SetOutChan(ch []interface{}) {}

// Cleanup is called after the last record.
func (p *Printer) Cleanup() {}

func main() {}
