package pipeline

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/sysflow-telemetry/sf-processor/core/plugins"
)

// errEarly is what ends a plugin stage that stops reading while there is more to come.
var errEarly = errors.New("Process returned before its input ended")

// pluginStage runs a processor from a library.
type pluginStage struct {
	proc    plugins.SFProcessor
	name    string
	in      any
	cleanup sync.Once
}

// initPlugin prepares a processor with its entry of the pipeline file.
func initPlugin(name string, p plugins.SFProcessor, conf map[string]any) (*pluginStage, error) {
	if err := guard("Init of "+name, func() error { return p.Init(conf) }); err != nil {
		return nil, err
	}
	return &pluginStage{proc: p, name: name}, nil
}

func (s *pluginStage) bind(in any, outs []any) error {
	s.in = in
	if len(outs) == 0 {
		return nil
	}
	return guard("SetOutChan of "+s.name, func() error { s.proc.SetOutChan(outs); return nil })
}

// run calls Process and, whatever that does, Cleanup. A Process that goes on when ctx ends is left alone: nothing can
// stop it, and the program is about to end.
func (s *pluginStage) run(ctx context.Context) error {
	result := make(chan error, 1)
	go func() {
		var wg sync.WaitGroup
		wg.Add(wgRoom)
		err := guard("Process of "+s.name, func() error { s.proc.Process(s.in, &wg); return nil })
		if err == nil && !ended(s.in) {
			err = errEarly
		}
		result <- errors.Join(err, s.stop())
	}()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%w; Process or Cleanup still runs", context.Cause(ctx))
	}
}

// wgRoom is what the wait group of a plugin's Process starts with: the program does not wait for it, so that a
// forgotten Done does no harm; nor does one too many.
const wgRoom = 1 << 10

// ended says whether the In of a channel is closed and empty.
func ended(channel any) bool {
	v, ok := reflect.ValueOf(channel).Elem().FieldByName("In").TryRecv()
	return !ok && v.IsValid()
}

func (s *pluginStage) impl() any {
	if t, ok := s.proc.(plugins.SFTestableProcessor); ok {
		return &testable{t, s.name}
	}
	return s.proc
}

func (s *pluginStage) stop() (err error) {
	s.cleanup.Do(func() {
		err = guard("Cleanup of "+s.name, func() error { s.proc.Cleanup(); return nil })
	})
	return err
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
}

// builtinSource runs a driver that writes blocks.
type builtinSource struct {
	driver plugins.SFContextDriver
	conf   map[string]any
}

func (s *builtinSource) run(ctx, _ context.Context, path string, root *plugins.SFChannel, passed func()) error {
	defer passed()
	return s.driver.RunContext(ctx, withPath(s.conf, path), root)
}

func (s *builtinSource) impl() any { return s.driver }

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
	driver plugins.SFDriver
	name   string
	conf   map[string]any
	size   int
	lost   atomic.Uint64 // records that were not sound, or not passed on

	pipeline *driverPipeline
	running  bool // what Run polls; by contract a plain bool, written once
	cleanup  sync.Once
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
	go func() { result <- errors.Join(s.call(ctx, path, own, out), s.stop()) }()
	select {
	case err = <-result:
	case <-hard.Done():
		err = fmt.Errorf("%w; the driver still runs", context.Cause(hard))
	}
	own.close(records) // if the driver has not
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
	defer context.AfterFunc(ctx, func() {
		s.running = false
		_ = s.stop() // its error is reported when run ends
	})()
	if err := guard("Init of "+s.name, func() error { return s.driver.Init(s.pipeline) }); err != nil {
		return err
	}
	return guard("Run of "+s.name, func() error { return s.driver.Run(path, &s.running) })
}

// stop calls Cleanup, once.
func (s *pluginSource) stop() (err error) {
	s.cleanup.Do(func() {
		err = guard("Cleanup of "+s.name, func() error { s.driver.Cleanup(); return nil })
	})
	return err
}

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
	return &registrar{catalog: d.pipeline.catalog, path: "a driver"}
}

// Print logs the shape of the pipeline.
func (d *driverPipeline) Print() { d.pipeline.logShape() }
