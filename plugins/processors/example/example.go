// Package main is the smallest useful processor plugin: it logs the process events that reach it.
package main

import (
	"sync"

	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/logger"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

const pluginName = "example"

// Plugin is the symbol that the program looks up.
var Plugin Example

// Example logs process events.
type Example struct{}

// NewExample returns an instance for one entry of the pipeline file.
func NewExample() plugins.SFProcessor { return new(Example) }

// GetName returns the name that pipeline files use.
func (s *Example) GetName() string { return pluginName }

// Register announces the processor.
func (s *Example) Register(pc plugins.SFPluginCache) { pc.AddProcessor(pluginName, NewExample) }

// Init is given the entry of the pipeline file; this processor has no attributes.
func (s *Example) Init(conf map[string]interface{}) error { return nil }

// Process reads flat records until the channel is closed.
func (s *Example) Process(ch interface{}, wg *sync.WaitGroup) {
	defer wg.Done()
	for rec := range ch.(*flattener.FlatChannel).In {
		ints, strs := rec.Ints[sfgo.SYSFLOW_IDX], rec.Strs[sfgo.SYSFLOW_IDX]
		if ints[sfgo.SF_REC_TYPE] == sfgo.PROC_EVT {
			logger.Info.Printf("Process Event: %s, %d", strs[sfgo.PROC_EXE_STR], ints[sfgo.EV_PROC_TID_INT])
		}
	}
}

// SetOutChan is given the output channels; this processor is a sink and has none.
func (s *Example) SetOutChan(ch []interface{}) {}

// Cleanup is called after Process has returned.
func (s *Example) Cleanup() {}

func main() {}
