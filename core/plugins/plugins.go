package plugins

import (
	"context"
	"sync"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Symbols that a plugin library exports, one for each kind of plugin.
const (
	DriverSym  = "Driver"
	PlugSym    = "Plugin"
	HandlerSym = "Handler"
	ActionSym  = "Action"
)

// SFPluginCache is where plugins register. A name that is taken already is refused when the pipeline is built.
type SFPluginCache interface {
	// AddDriver registers a driver; factory is a func() SFDriver.
	AddDriver(name string, factory interface{})
	// AddProcessor registers a processor; factory is a func() SFProcessor.
	AddProcessor(name string, factory interface{})
	// AddChannel registers a channel type; factory is a func(size int) interface{} that returns a pointer to a
	// struct with a field In of channel type.
	AddChannel(name string, factory interface{})
}

// SFHandlerCache is where handlers register.
type SFHandlerCache interface {
	// AddHandler registers a handler; factory is a func() SFHandler.
	AddHandler(name string, factory interface{})
}

// SFProcessor is a stage of the pipeline. The program calls Register, Init, SetOutChan (if the stage has outputs) and
// Process, which runs on a goroutine of its own until the input channel is closed, then Cleanup.
type SFProcessor interface {
	Register(pc SFPluginCache)
	// Init is given the stage's entry of the pipeline file.
	Init(conf map[string]interface{}) error
	// Process reads ch, a pointer to the channel type of the entry's "in", until it is closed, and calls wg.Done.
	Process(ch interface{}, wg *sync.WaitGroup)
	GetName() string
	// SetOutChan is given the channels of the entry's "out", in order.
	SetOutChan(ch []interface{})
	// Cleanup closes the stage's output channels.
	Cleanup()
}

// SFTestableProcessor is a processor that can be tested before records flow.
type SFTestableProcessor interface {
	SFProcessor
	// Test says whether the stage can do its work.
	Test() (bool, error)
}

// SFHandler is called by the sysflowreader stage for each record. The entity methods (HandleHeader, HandleContainer,
// HandleProcess, HandleFile) are called only if IsEntityEnabled returns true. All calls come from one goroutine.
type SFHandler interface {
	RegisterChannel(pc SFPluginCache)
	RegisterHandler(hc SFHandlerCache)
	Init(conf map[string]interface{}) error
	IsEntityEnabled() bool
	HandleHeader(sf *CtxSysFlow, hdr *sfgo.SFHeader) error
	HandleContainer(sf *CtxSysFlow, cont *sfgo.Container) error
	HandleProcess(sf *CtxSysFlow, proc *sfgo.Process) error
	HandleFile(sf *CtxSysFlow, file *sfgo.File) error
	HandleNetFlow(sf *CtxSysFlow, nf *sfgo.NetworkFlow) error
	HandleNetEvt(sf *CtxSysFlow, ne *sfgo.NetworkEvent) error
	HandleFileFlow(sf *CtxSysFlow, ff *sfgo.FileFlow) error
	HandleFileEvt(sf *CtxSysFlow, fe *sfgo.FileEvent) error
	HandleProcFlow(sf *CtxSysFlow, pf *sfgo.ProcessFlow) error
	HandleProcEvt(sf *CtxSysFlow, pe *sfgo.ProcessEvent) error
	SetOutChan(ch []interface{})
	Cleanup()
}

// PodHandler is implemented by handlers that want pods. HandlePod is an entity method.
type PodHandler interface {
	HandlePod(sf *CtxSysFlow, pod *sfgo.Pod) error
}

// K8sEvtHandler is implemented by handlers that want Kubernetes events.
type K8sEvtHandler interface {
	HandleK8sEvt(sf *CtxSysFlow, ke *sfgo.K8sEvent) error
}

// SFDriver brings records in.
type SFDriver interface {
	Init(pipeline SFPipeline) error
	// Run reads path and writes records to the pipeline's root channel until its input ends or *running becomes
	// false. The program writes *running once, when it stops; a driver that polls it races with that write.
	Run(path string, running *bool) error
	GetName() string
	Register(pc SFPluginCache)
	Cleanup()
}

// SFContextDriver is a driver that is told its configuration and when to stop. RunContext is called instead of Init
// and Run.
type SFContextDriver interface {
	SFDriver
	// RunContext writes records to out until its input or ctx ends. conf is the driver's entry of the pipeline file,
	// with "path" filled in. The program closes out.
	RunContext(ctx context.Context, conf map[string]interface{}, out *SFChannel) error
}

// SFPipeline is the pipeline as a driver sees it.
type SFPipeline interface {
	Load(driverName string) error
	Init(path string) error
	Shutdown() error
	GetRootChannel() interface{}
	AddChannel(channelName string, channel interface{})
	Wait()
	GetNumChannels() int
	GetNumProcessors() int
	GetNumHandlers() int
	GetPluginCache() SFPluginCache
	Print()
}

// CtxSysFlow is a record with the entities it refers to. An entity that is not known is nil, except Process, which is
// then a placeholder that has only its Oid. The entities are shared: they must not be changed, and may be kept.
type CtxSysFlow struct {
	*sfgo.SysFlow
	Header     *sfgo.SFHeader
	Container  *sfgo.Container
	Process    *sfgo.Process
	File       *sfgo.File
	NewFile    *sfgo.File // LINK, SYMLINK, RENAME
	PTree      []*sfgo.Process
	GraphletID uint64 // unused
}
