package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/exporter"
	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/pipeline"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/reader"
	"github.com/sysflow-telemetry/sf-processor/driver/sysflow"
)

// builtins lists what a pipeline file may name without a plugin. grace is how long exporters may take to drain.
func builtins(stdin io.Reader, stdout io.Writer, grace time.Duration) pipeline.Registry {
	return pipeline.Registry{
		Processors: []pipeline.Processor{
			pipeline.NewProcessor(pipeline.Processor{
				Name: "sysflowreader", Reads: []string{"sysflowchan"}, Root: true, Handler: true, Produces: true,
			}, newReader),
			pipeline.NewProcessor(pipeline.Processor{
				Name: "policyengine", Reads: []string{"flattenerchan"}, Writes: []string{"eventchan"}, Produces: true,
			}, newPolicyEngine),
			pipeline.NewProcessor(pipeline.Processor{
				Name: "exporter", Reads: []string{"eventchan"}, Writes: []string{}, Exports: true,
			}, func(cfg exporter.Config, env pipeline.Env) (pipeline.Runner[engine.RecordChannel, engine.RecordChannel], error) {
				return newExporter(cfg, env, stdout, grace)
			}),
		},
		Handlers: []pipeline.Handler{
			{Name: "flattener", Writes: []string{"flattenerchan"}, Config: func() any { return new(flattener.Config) }},
		},
		Drivers: []pipeline.Driver{
			{
				Name: "file", Config: func() any { return new(sysflow.FileConfig) },
				New: func(_ any, log *slog.Logger) (plugins.SFContextDriver, error) {
					return sysflow.NewFile(stdin, log), nil
				},
			},
			{
				Name: "socket", Config: func() any { return new(sysflow.SocketConfig) },
				New: newSocket,
			},
		},
	}
}

// newSocket builds the driver that listens for collectors.
func newSocket(cfg any, log *slog.Logger) (plugins.SFContextDriver, error) {
	c, ok := cfg.(*sysflow.SocketConfig)
	if !ok {
		return nil, fmt.Errorf("configuration of the driver socket is a %T", cfg)
	}
	return sysflow.NewSocket(*c, log)
}

// newReader builds the reader with the handler that its entry names.
func newReader(cfg reader.Config, env pipeline.Env) (pipeline.Runner[plugins.SFChannel, flattener.FlatChannel], error) {
	if env.PluginHandler != nil {
		return reader.New(cfg, reader.NewCustom[flattener.FlatChannel](env.PluginHandler, env.Log), env.Log)
	}
	c, ok := env.HandlerConfig.(*flattener.Config)
	if !ok {
		return nil, fmt.Errorf("handler '%s' is not built in", env.Handler)
	}
	return reader.New(cfg, flattener.New(*c), env.Log)
}

// newPolicyEngine builds a policy engine that reads policies in Falco's language.
func newPolicyEngine(cfg policyengine.Config, env pipeline.Env) (pipeline.Runner[flattener.FlatChannel, engine.RecordChannel], error) {
	actions, broken := env.Actions(cfg.ActionDir)
	load := func(path string, names []string) (*policy.Policy, policy.Diagnostics) {
		p, diags := falco.Load(path, falco.Options{
			Checks: falco.Checks(cfg.Checks), Falco: falco.Mode(cfg.Falco), Actions: names, Catalogue: field.SysFlow(),
		})
		hintAtLibraries(diags, broken)
		return p, diags
	}
	return policyengine.New(cfg, env.Log, load, actions...)
}

// hintAtLibraries adds to the diagnostics of unknown actions that libraries could not be loaded, if any.
func hintAtLibraries(diags policy.Diagnostics, broken []string) {
	for _, d := range diags {
		if d.Code == "E501" && len(broken) > 0 {
			d.Hints = append(d.Hints, "these action libraries could not be loaded: "+strings.Join(broken, ", "))
		}
	}
}

// exporterStage is an exporter as the pipeline runs it.
type exporterStage struct{ *exporter.Stage }

func newExporter(cfg exporter.Config, env pipeline.Env, stdout io.Writer, grace time.Duration) (*exporterStage, error) {
	s, err := exporter.New(cfg, env.Log, exporter.Env{
		Name: env.Instance, Version: version, Stdout: stdout, Drain: grace, Kinds: exporter.Builtin(),
	})
	if err != nil {
		return nil, err
	}
	return &exporterStage{s}, nil
}

// Run runs the exporter, a sink. Records that it gives up because its target is away too long are lost; it has not
// failed.
func (s *exporterStage) Run(ctx context.Context, in *engine.RecordChannel, _ []*engine.RecordChannel) error {
	err := s.Stage.Run(ctx, in)
	if errors.Is(err, exporter.ErrDrain) {
		return fmt.Errorf("%w: %w", pipeline.ErrDrain, err)
	}
	return err
}

// Reload opens export files anew.
func (s *exporterStage) Reload() error {
	s.Reopen()
	return nil
}
