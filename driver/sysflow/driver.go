package sysflow

import (
	"errors"

	"github.com/sysflow-telemetry/sf-processor/core/plugins"
)

// contextOnly gives a driver the methods of the documented interface that the program does not call on a driver that
// has RunContext.
type contextOnly struct{ name string }

// GetName returns the name that pipeline files and the flag -driver use.
func (c contextOnly) GetName() string { return c.name }

// Register has nothing to do: built-in drivers are registered by the program.
func (contextOnly) Register(plugins.SFPluginCache) {}

// Init is not called.
func (contextOnly) Init(plugins.SFPipeline) error { return nil }

// Run is not called.
func (contextOnly) Run(string, *bool) error { return errors.New("this driver is run by RunContext") }

// Cleanup has nothing to do: RunContext cleans up.
func (contextOnly) Cleanup() {}
