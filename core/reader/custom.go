package reader

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/entity"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Custom calls a handler plugin with structures that are made for it: the record and the context are its own, the
// entities in the context are shared. An error that the plugin returns is counted and logged, and records go on. A panic
// in it passes through.
type Custom[Out any] struct {
	plugin plugins.SFHandler
	pods   plugins.PodHandler    // the plugin, if it wants them
	k8s    plugins.K8sEvtHandler // the plugin, if it wants them

	entities bool // the plugin wants them
	errors   atomic.Uint64
	log      *limiter
}

// NewCustom returns a handler that calls h, which is initialized and has been given its channels. The log may be nil.
func NewCustom[Out any](h plugins.SFHandler, log *slog.Logger) *Custom[Out] {
	c := &Custom[Out]{plugin: h, log: newLimiter(log)}
	c.pods, _ = h.(plugins.PodHandler)
	c.k8s, _ = h.(plugins.K8sEvtHandler)
	return c
}

// Start implements Handler. A plugin has been given its channels before.
func (c *Custom[Out]) Start([]*Out) { c.entities = c.plugin.IsEntityEnabled() }

// Flush implements Handler. A plugin holds nothing back that we know of.
func (c *Custom[Out]) Flush(context.Context) error { return nil }

// Counters yields the number of errors that the plugin has returned.
func (c *Custom[Out]) Counters(yield func(name string, value uint64)) {
	yield("handler.errors", c.errors.Load())
}

// Handle implements Handler.
func (c *Custom[Out]) Handle(_ context.Context, rec *codec.Record, res *entity.Resolved) error {
	sf := newContext(rec, res)
	if sf.Process == nil && rec.Type != sfgo.K8S_EVT {
		oid := rec.Event.ProcOID()
		sf.Process = &sfgo.Process{Oid: &oid, Poid: &sfgo.PoidUnion{}, ContainerId: &sfgo.ContainerIdUnion{}}
	}
	r := sf.Rec
	var err error
	switch rec.Type {
	case sfgo.PROC_EVT:
		err = c.plugin.HandleProcEvt(sf, r.ProcessEvent)
	case sfgo.NET_FLOW:
		err = c.plugin.HandleNetFlow(sf, r.NetworkFlow)
	case sfgo.FILE_FLOW:
		err = c.plugin.HandleFileFlow(sf, r.FileFlow)
	case sfgo.FILE_EVT:
		err = c.plugin.HandleFileEvt(sf, r.FileEvent)
	case sfgo.NET_EVT:
		err = c.plugin.HandleNetEvt(sf, r.NetworkEvent)
	case sfgo.PROC_FLOW:
		err = c.plugin.HandleProcFlow(sf, r.ProcessFlow)
	case sfgo.K8S_EVT:
		if c.k8s != nil {
			err = c.k8s.HandleK8sEvt(sf, r.K8sEvent)
		}
	}
	c.note(rec, err)
	return nil
}

// HandleEntity implements EntityHandler.
func (c *Custom[Out]) HandleEntity(_ context.Context, rec *codec.Record, res *entity.Resolved) error {
	if !c.entities {
		return nil
	}
	sf := newContext(rec, res)
	r := sf.Rec
	var err error
	switch rec.Type {
	case sfgo.HEADER:
		err = c.plugin.HandleHeader(sf, r.SFHeader)
	case sfgo.CONT:
		err = c.plugin.HandleContainer(sf, r.Container)
	case sfgo.PROC:
		err = c.plugin.HandleProcess(sf, r.Process)
	case sfgo.FILE:
		err = c.plugin.HandleFile(sf, r.File)
	case sfgo.POD:
		if c.pods != nil {
			err = c.pods.HandlePod(sf, r.Pod)
		}
	}
	c.note(rec, err)
	return nil
}

// note counts and logs an error that the plugin returned.
func (c *Custom[Out]) note(rec *codec.Record, err error) {
	if err == nil {
		return
	}
	c.errors.Add(1)
	if log := c.log.due("handler"); log != nil {
		log.Error("the handler failed on a record", "type", recordCodes[rec.Type], "err", err)
	}
}

func newContext(rec *codec.Record, res *entity.Resolved) *plugins.CtxSysFlow {
	sf := &plugins.CtxSysFlow{
		SysFlow: rec.SysFlow(),
		Header:  res.Header.SysFlow,
		Process: res.Process,
		PTree:   res.Ptree,
	}
	if res.Container != nil {
		sf.Container = res.Container.SysFlow
	}
	if res.File != nil {
		sf.File = res.File.SysFlow()
	}
	if res.NewFile != nil {
		sf.NewFile = res.NewFile.SysFlow()
	}
	return sf
}
