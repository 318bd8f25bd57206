package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/sysflow-telemetry/sf-processor/core/plugins"
)

// errEarly is what ends a plugin stage that stops reading while there is more to come.
var errEarly = errors.New("the plugin's Process returned before its input ended")

// cleaner calls a plugin's Cleanup, once.
type cleaner struct {
	what string
	call func()

	once sync.Once
	done chan struct{} // closed when Cleanup has returned
	err  error         // of Cleanup, written before done is closed
}

func newCleaner(name string, call func()) *cleaner {
	return &cleaner{what: "Cleanup of " + name, call: call, done: make(chan struct{})}
}

// clean calls Cleanup, unless that has been done, and waits for it. If ctx ends first, Cleanup is left alone.
func (c *cleaner) clean(ctx context.Context) error {
	c.once.Do(func() {
		go func() {
			defer close(c.done)
			c.err = guard(c.what, func() error { c.call(); return nil })
		}()
	})
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return fmt.Errorf("%w; %s still runs", context.Cause(ctx), c.what)
	}
}

// pluginStage runs a processor from a library.
type pluginStage struct {
	proc     plugins.SFProcessor
	name     string
	in       any
	cleanup  *cleaner
	returned chan struct{} // closed when Process has returned; nil before it is called
}

// initPlugin prepares a processor with its entry of the pipeline file.
func initPlugin(name string, p plugins.SFProcessor, conf map[string]any) (*pluginStage, error) {
	if err := guard("Init of "+name, func() error { return p.Init(conf) }); err != nil {
		return nil, err
	}
	return &pluginStage{proc: p, name: name, cleanup: newCleaner(name, p.Cleanup)}, nil
}

func (s *pluginStage) bind(in any, outs []any) error {
	s.in = in
	if len(outs) == 0 {
		return nil
	}
	return guard("SetOutChan of "+s.name, func() error { s.proc.SetOutChan(outs); return nil })
}

// wgRoom is what the wait group of a plugin's Process starts with: the program does not wait for it, so that a
// forgotten Done does no harm; nor does one too many.
const wgRoom = 1 << 10

// run calls Process. One that goes on when ctx ends is left to stop.
func (s *pluginStage) run(ctx context.Context) error {
	s.returned = make(chan struct{})
	var err error // written before returned is closed
	go func() {
		defer close(s.returned)
		var wg sync.WaitGroup
		wg.Add(wgRoom)
		err = guard("Process of "+s.name, func() error { s.proc.Process(s.in, &wg); return nil })
	}()
	select {
	case <-s.returned:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%w; Process of %s still runs", context.Cause(ctx), s.name)
	}
}

func (s *pluginStage) impl() any {
	if t, ok := s.proc.(plugins.SFTestableProcessor); ok {
		return &testable{t, s.name}
	}
	return s.proc
}

// stop calls Cleanup when Process has returned. A plugin that does not return in time is left alone: nothing can stop
// it, and the program is about to end.
func (s *pluginStage) stop(ctx context.Context) error {
	if s.returned != nil {
		select {
		case <-s.returned:
		case <-ctx.Done():
			return fmt.Errorf("%w; Process of %s does not return", context.Cause(ctx), s.name)
		}
	}
	return s.cleanup.clean(ctx)
}

// pluginHandler is a handler from a library, which the reader calls.
type pluginHandler struct {
	impl    plugins.SFHandler
	name    string
	cleanup *cleaner
}

// initHandler prepares a handler with its reader's entry of the pipeline file.
func initHandler(name string, h plugins.SFHandler, conf map[string]any) (*pluginHandler, error) {
	if err := guard("Init of "+name, func() error { return h.Init(conf) }); err != nil {
		return nil, err
	}
	return &pluginHandler{h, name, newCleaner(name, h.Cleanup)}, nil
}

// bind gives the handler the channels that it writes instead of the reader.
func (h *pluginHandler) bind(outs []any) error {
	if len(outs) == 0 {
		return nil
	}
	return guard("SetOutChan of "+h.name, func() error { h.impl.SetOutChan(outs); return nil })
}

// testable is the test of a plugin in the form of Tester.
type testable struct {
	proc plugins.SFTestableProcessor
	name string
}

// Test runs the plugin's test; one that does not return in time is left alone.
func (t *testable) Test(ctx context.Context) error {
	result := make(chan error, 1)
	go func() {
		result <- guard("Test of "+t.name, func() error {
			ok, err := t.proc.Test()
			if err == nil && !ok {
				err = errors.New("the test says no, without a reason")
			}
			return err
		})
	}()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// source is a driver of a pipeline.
type source interface {
	// run brings records in until they end or ctx does. hard is the context for passing on what has been read. It calls
	// passed once, when it will not write root any more, which may be some time before it returns.
	run(ctx, hard context.Context, path string, root *plugins.SFChannel, passed func()) error
	impl() any
	// stop cleans up, whether the driver has run or not.
	stop(ctx context.Context) error
}

// builtinSource runs a driver that writes blocks.
type builtinSource struct {
	driver plugins.SFContextDriver
	conf   map[string]any
}

func (s *builtinSource) run(ctx, hard context.Context, path string, root *plugins.SFChannel, passed func()) error {
	defer passed()
	if d, ok := s.driver.(Drainer); ok {
		return d.RunUntil(ctx, hard, withPath(s.conf, path), root)
	}
	return s.driver.RunContext(ctx, withPath(s.conf, path), root)
}

func (s *builtinSource) impl() any { return s.driver }

func (s *builtinSource) stop(context.Context) error { return nil } // what it opens it closes

// withPath returns a driver's entry with the path filled in.
func withPath(conf map[string]any, path string) map[string]any {
	filled := map[string]any{"path": path}
	for k, v := range conf {
		filled[k] = v
	}
	return filled
}

// pluginSource runs a driver from a library, which writes single records to a channel of its own.
type pluginSource struct {
	driver  plugins.SFDriver
	name    string
	conf    map[string]any
	size    int
	lost    atomic.Uint64 // records that were not sound, or not passed on
	cleanup *cleaner

	pipeline *driverPipeline
	running  bool // what Run polls; by contract a plain bool, written once
}

func (s *pluginSource) impl() any { return s.driver }

// run calls RunContext or, for a driver that does not have it, Init and Run, and passes on what the driver writes. A
// driver that goes on when hard ends is left alone.
func (s *pluginSource) run(ctx, hard context.Context, path string, root *plugins.SFChannel, passed func()) error {
	own, err := builtinChannels()[sysflowType](s.name, s.size)
	if err != nil {
		passed()
		return err
	}
	out, err := use[plugins.SFChannel](own.value())
	if err != nil {
		passed()
		return err
	}
	var pumping, passing sync.WaitGroup
	pumping.Go(func() {
		s.lost.Add(own.pump(hard, records))
		own.close(batches)
	})
	passing.Go(func() {
		defer passed()
		s.pass(hard, out, own, root)
	})
	result := make(chan error, 1)
	go func() { result <- s.call(ctx, path, own, out) }()
	select {
	case err = <-result:
		own.close(records) // if the driver has not
	case <-hard.Done(): // which ends the pump: what may still be written to is not closed
		err = fmt.Errorf("%w; the driver still runs", context.Cause(hard))
	}
	pumping.Wait()
	passing.Wait()
	return err
}

// pass hands on blocks until there are no more.
func (s *pluginSource) pass(hard context.Context, out *plugins.SFChannel, own channel, root *plugins.SFChannel) {
	for b := range out.Batches() {
		if root.Send(hard, b) != nil {
			s.lost.Add(uint64(b.Count))
			s.lost.Add(own.discard(hard, batches))
			return
		}
	}
}

// call runs the driver to its end.
func (s *pluginSource) call(ctx context.Context, path string, own channel, out *plugins.SFChannel) error {
	if d, ok := s.driver.(plugins.SFContextDriver); ok {
		return guard("RunContext of "+s.name, func() error { return d.RunContext(ctx, withPath(s.conf, path), out) })
	}
	return s.runOld(ctx, path, own)
}

// runOld runs a driver that knows no context: it is told to stop by its flag and by Cleanup.
func (s *pluginSource) runOld(ctx context.Context, path string, own channel) error {
	s.running = true
	s.pipeline.root = own
	if err := guard("Init of "+s.name, func() error { return s.driver.Init(s.pipeline) }); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() {
		s.running = false
		_ = s.cleanup.clean(ctx) // its end is waited for when Run has returned
	})()
	return guard("Run of "+s.name, func() error { return s.driver.Run(path, &s.running) })
}

func (s *pluginSource) stop(ctx context.Context) error { return s.cleanup.clean(ctx) }

// driverPipeline is what a driver of the old kind sees of the pipeline.
type driverPipeline struct {
	pipeline *Pipeline
	root     channel // the driver's own
	extra    map[string]any
}

var _ plugins.SFPipeline = (*driverPipeline)(nil)

// errLoaded refuses what only the program does.
var errLoaded = errors.New("the program has loaded the pipeline already")

// Load is the program's business.
func (d *driverPipeline) Load(string) error { return errLoaded }

// Init is the program's business.
func (d *driverPipeline) Init(string) error { return errLoaded }

// Shutdown asks the program to stop, as a signal would.
func (d *driverPipeline) Shutdown() error {
	d.pipeline.Stop(fmt.Errorf("a driver asked for it"))
	return nil
}

// GetRootChannel returns the channel that the driver writes: one of its own, which the program merges with others.
func (d *driverPipeline) GetRootChannel() any { return d.root.value() }

// AddChannel keeps a channel for the driver's own use.
func (d *driverPipeline) AddChannel(name string, channel any) {
	if d.extra == nil {
		d.extra = map[string]any{}
	}
	d.extra[name] = channel
}

// Wait closes the driver's channel, if it has not done so itself, and waits until the stages have ended.
func (d *driverPipeline) Wait() {
	d.root.close(records)
	<-d.pipeline.drained
}

// GetNumChannels returns the number of channels in the pipeline file.
func (d *driverPipeline) GetNumChannels() int { return len(d.pipeline.edges) + len(d.extra) }

// GetNumProcessors returns the number of stages.
func (d *driverPipeline) GetNumProcessors() int { return len(d.pipeline.nodes) }

// GetNumHandlers returns the number of stages that have a handler.
func (d *driverPipeline) GetNumHandlers() int {
	n := 0
	for _, node := range d.pipeline.nodes {
		if node.entry.handler.name != "" {
			n++
		}
	}
	return n
}

// GetPluginCache returns a cache that refuses names which exist; the pipeline is built, so new ones have no use.
func (d *driverPipeline) GetPluginCache() plugins.SFPluginCache {
	return newRegistrar(d.pipeline.catalog, "a driver")
}

// Print logs the shape of the pipeline.
func (d *driverPipeline) Print() { d.pipeline.logShape() }
