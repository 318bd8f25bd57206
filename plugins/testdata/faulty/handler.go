package main

import (
	"errors"

	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Handler is the symbol that the program looks up.
var Handler Handle

// Handle is a handler that does nothing well.
type Handle struct{}

func (h *Handle) RegisterChannel(pc plugins.SFPluginCache) { fail("RegisterChannel") }
func (h *Handle) RegisterHandler(hc plugins.SFHandlerCache) {
	fail("RegisterHandler")
	hc.AddHandler(name, func() plugins.SFHandler { fail("constructor"); return new(Handle) })
}
func (h *Handle) Init(conf map[string]interface{}) error { fail("Init"); return nil }
func (h *Handle) IsEntityEnabled() bool                  { fail("IsEntityEnabled"); return true }

func (h *Handle) HandleHeader(sf *plugins.CtxSysFlow, hdr *sfgo.SFHeader) error     { return nil }
func (h *Handle) HandleContainer(sf *plugins.CtxSysFlow, c *sfgo.Container) error   { return nil }
func (h *Handle) HandleProcess(sf *plugins.CtxSysFlow, p *sfgo.Process) error       { return nil }
func (h *Handle) HandleFile(sf *plugins.CtxSysFlow, f *sfgo.File) error             { return nil }
func (h *Handle) HandleNetFlow(sf *plugins.CtxSysFlow, nf *sfgo.NetworkFlow) error  { return nil }
func (h *Handle) HandleNetEvt(sf *plugins.CtxSysFlow, ne *sfgo.NetworkEvent) error  { return nil }
func (h *Handle) HandleFileFlow(sf *plugins.CtxSysFlow, ff *sfgo.FileFlow) error    { return nil }
func (h *Handle) HandleFileEvt(sf *plugins.CtxSysFlow, fe *sfgo.FileEvent) error    { return nil }
func (h *Handle) HandleProcFlow(sf *plugins.CtxSysFlow, pf *sfgo.ProcessFlow) error { return nil }
func (h *Handle) HandleProcEvt(sf *plugins.CtxSysFlow, pe *sfgo.ProcessEvent) error {
	fail("HandleProcEvt")
	if fault == "HandleProcEvt error" {
		return errors.New("the other side is full")
	}
	return nil
}

func (h *Handle) SetOutChan(ch []interface{}) { fail("SetOutChan") }
func (h *Handle) Cleanup()                    { fail("Cleanup") }
