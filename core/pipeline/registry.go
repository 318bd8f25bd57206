package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"

	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

// Registry is what a pipeline file may name. It is a value: every pipeline has its own.
type Registry struct {
	Processors []Processor
	Handlers   []Handler
	Drivers    []Driver
}

// Runner is a built-in stage that reads channels of type In and writes channels of type Out.
type Runner[In, Out any] interface {
	// Run reads in until it ends, writes to each of outs, and returns when all is done. It closes no channel. When ctx
	// ends it returns at once, with an error if it leaves work behind.
	Run(ctx context.Context, in *In, outs []*Out) error
}

// Tester is implemented by stages that can be tested before records flow. A test has no side effects.
type Tester interface {
	Test(ctx context.Context) error
}

// Counter is implemented by stages that count. Counters may be called at any time, by any goroutine.
type Counter interface {
	Counters(yield func(name string, value uint64))
}

// Reloader is implemented by stages that can read their files again while they run: policies, secrets, export files.
type Reloader interface {
	Reload() error
}

// Drainer is implemented by drivers that hold records when they are told to stop. RunUntil is called instead of
// RunContext: it stops reading when ctx ends, and passes on what it has until hard ends. What is left then is lost.
type Drainer interface {
	RunUntil(ctx, hard context.Context, conf map[string]any, out *plugins.SFChannel) error
}

// Processor describes a kind of stage. Built-in ones are made by [NewProcessor].
type Processor struct {
	Name string

	// Reads and Writes are the channel types it accepts. A processor without Writes is a sink; that of one with a
	// handler are the handler's. Both are nil for a plugin: it says nothing about its channels.
	Reads, Writes []string

	Root     bool // reads what drivers bring in
	Handler  bool // its entry names a handler
	Produces bool // it is a mistake to have no output
	Exports  bool // writes records to the outside, possibly to standard output

	config func() any // a new Config, or nil
	build  func(cfg any, env Env) (stage, error)
	plugin func() plugins.SFProcessor // instead of config and build
}

// Env is what a stage is built with besides its own configuration.
type Env struct {
	Instance string // name of the stage in messages
	Log      *slog.Logger

	Handler       string            // name of the entry's built-in handler
	HandlerConfig any               // its Config, decoded
	PluginHandler plugins.SFHandler // instead, a handler from a library; it writes its channels itself

	// Actions opens the libraries in a directory. It also returns the paths of those that cannot be used, which it
	// has logged.
	Actions func(dir string) (list []engine.Action, broken []string)
}

// NewProcessor completes the description of a built-in processor: C is its Config, whose tags say which attributes it
// has, In and Out are its channels.
func NewProcessor[C, In, Out any](p Processor, build func(cfg C, env Env) (Runner[In, Out], error)) Processor {
	p.config = func() any { return new(C) }
	p.build = func(cfg any, env Env) (stage, error) {
		r, err := build(*cfg.(*C), env)
		if err != nil {
			return nil, err
		}
		return &builtin[In, Out]{runner: r}, nil
	}
	return p
}

// Handler describes a built-in handler.
type Handler struct {
	Name   string
	Writes []string
	Config func() any // a pointer to a new Config
}

// Driver describes a kind of driver.
type Driver struct {
	Name   string
	Config func() any // a pointer to a new Config
	New    func(cfg any, log *slog.Logger) (plugins.SFContextDriver, error)

	plugin func() plugins.SFDriver // instead of Config and New
}

// stage is a stage of a pipeline, built-in or behind an adapter.
type stage interface {
	// bind gives the stage its channels; outs is empty if it has none.
	bind(in any, outs []any) error
	// run works until the input ends. When ctx ends it returns at once, with an error if it leaves work behind.
	run(ctx context.Context) error
	// impl is the value that may implement Tester, Counter and Reloader.
	impl() any
	// stop cleans up, whether the stage has run or not. What does not end before ctx does is left behind.
	stop(ctx context.Context) error
}

// builtin runs a Runner.
type builtin[In, Out any] struct {
	runner Runner[In, Out]
	in     *In
	outs   []*Out
	ran    bool
}

func (b *builtin[In, Out]) bind(in any, outs []any) error {
	var err error
	if b.in, err = use[In](in); err != nil {
		return err
	}
	for _, o := range outs {
		out, err := use[Out](o)
		if err != nil {
			return err
		}
		b.outs = append(b.outs, out)
	}
	return nil
}

func (b *builtin[In, Out]) run(ctx context.Context) error {
	b.ran = true
	return b.runner.Run(ctx, b.in, b.outs)
}

func (b *builtin[In, Out]) impl() any { return b.runner }

// stop closes a runner that was never run; one that was has cleaned up when Run returned.
func (b *builtin[In, Out]) stop(context.Context) error {
	if c, ok := b.runner.(interface{ Close() error }); ok && !b.ran {
		return c.Close()
	}
	return nil
}

// use returns a channel of the graph as the type that a stage works with.
func use[T any](channel any) (*T, error) {
	c, ok := channel.(*T)
	if !ok {
		return nil, fmt.Errorf("is %T, want %s", channel, reflect.TypeFor[*T]())
	}
	return c, nil
}
