// Package main is a handler that logs every call, with all that it is given. It has the optional methods, too. The
// attribute entities says whether it wants entities; if it has an output, resolved records go there.
package main

import (
	"fmt"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/logger"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Handler is the symbol that the program looks up.
var Handler Callbacks

// Callbacks logs calls.
type Callbacks struct {
	entities bool
	outs     []*plugins.CtxSFChannel
}

var (
	_ plugins.PodHandler    = (*Callbacks)(nil)
	_ plugins.K8sEvtHandler = (*Callbacks)(nil)
)

func (c *Callbacks) RegisterChannel(pc plugins.SFPluginCache) {}

func (c *Callbacks) RegisterHandler(hc plugins.SFHandlerCache) {
	hc.AddHandler("callbacks", func() plugins.SFHandler { return new(Callbacks) })
}

func (c *Callbacks) Init(conf map[string]interface{}) error {
	c.entities = conf["entities"] == "yes"
	logger.Info.Printf("Init entities=%v version=%v processor=%v handler=%v", conf["entities"], conf["version"], conf["processor"], conf["handler"])
	return nil
}

func (c *Callbacks) IsEntityEnabled() bool { return c.entities }

func (c *Callbacks) SetOutChan(ch []interface{}) {
	for _, out := range ch {
		c.outs = append(c.outs, out.(*plugins.CtxSFChannel))
	}
}

func (c *Callbacks) Cleanup() {
	logger.Info.Printf("Cleanup")
	for _, out := range c.outs {
		close(out.In)
	}
}

// call logs a call and passes the record on.
func (c *Callbacks) call(sf *plugins.CtxSysFlow, format string, args ...interface{}) error {
	text := []string{fmt.Sprintf(format, args...)}
	if sf.Header != nil {
		text = append(text, "header="+sf.Header.Exporter)
	}
	if sf.Container != nil {
		text = append(text, "container="+sf.Container.Name)
	}
	if sf.Process != nil {
		text = append(text, fmt.Sprintf("process=%q %d", sf.Process.Exe, sf.Process.Oid.Hpid))
	}
	if sf.File != nil {
		text = append(text, "file="+sf.File.Path)
	}
	if sf.NewFile != nil {
		text = append(text, "newfile="+sf.NewFile.Path)
	}
	for _, p := range sf.PTree {
		text = append(text, "tree="+p.Exe)
	}
	logger.Info.Print(strings.Join(text, " "))
	for _, out := range c.outs {
		out.In <- sf
	}
	return nil
}

func (c *Callbacks) HandleHeader(sf *plugins.CtxSysFlow, hdr *sfgo.SFHeader) error {
	return c.call(sf, "Header %s", hdr.Exporter)
}

func (c *Callbacks) HandleContainer(sf *plugins.CtxSysFlow, cont *sfgo.Container) error {
	return c.call(sf, "Container %s", cont.Id)
}

func (c *Callbacks) HandlePod(sf *plugins.CtxSysFlow, pod *sfgo.Pod) error {
	return c.call(sf, "Pod %s", pod.Name)
}

func (c *Callbacks) HandleProcess(sf *plugins.CtxSysFlow, proc *sfgo.Process) error {
	return c.call(sf, "Process %s", proc.Exe)
}

func (c *Callbacks) HandleFile(sf *plugins.CtxSysFlow, file *sfgo.File) error {
	return c.call(sf, "File %s", file.Path)
}

func (c *Callbacks) HandleNetFlow(sf *plugins.CtxSysFlow, nf *sfgo.NetworkFlow) error {
	return c.call(sf, "NetFlow %d", nf.Dport)
}

func (c *Callbacks) HandleNetEvt(sf *plugins.CtxSysFlow, ne *sfgo.NetworkEvent) error {
	return c.call(sf, "NetEvt %d", ne.Tid)
}

func (c *Callbacks) HandleFileFlow(sf *plugins.CtxSysFlow, ff *sfgo.FileFlow) error {
	return c.call(sf, "FileFlow %d", ff.Fd)
}

func (c *Callbacks) HandleFileEvt(sf *plugins.CtxSysFlow, fe *sfgo.FileEvent) error {
	return c.call(sf, "FileEvt %d", fe.Tid)
}

func (c *Callbacks) HandleProcFlow(sf *plugins.CtxSysFlow, pf *sfgo.ProcessFlow) error {
	return c.call(sf, "ProcFlow %d", pf.NumThreadsCloned)
}

func (c *Callbacks) HandleProcEvt(sf *plugins.CtxSysFlow, pe *sfgo.ProcessEvent) error {
	return c.call(sf, "ProcEvt %d", pe.Tid)
}

func (c *Callbacks) HandleK8sEvt(sf *plugins.CtxSysFlow, ke *sfgo.K8sEvent) error {
	return c.call(sf, "K8sEvt %s", ke.Message)
}

func main() {}
