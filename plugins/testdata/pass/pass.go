// Package main is a processor that passes flat records on as they are: what a benchmark measures is the border that they
// cross on their way in and out.
package main

import (
	"sync"

	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
)

// Plugin is the symbol that the program looks up.
var Plugin Pass

// Pass passes records on.
type Pass struct{ out *flattener.FlatChannel }

func (p *Pass) GetName() string { return "pass" }

func (p *Pass) Register(pc plugins.SFPluginCache) {
	pc.AddProcessor("pass", func() plugins.SFProcessor { return new(Pass) })
}

func (p *Pass) Init(conf map[string]interface{}) error { return nil }

func (p *Pass) SetOutChan(ch []interface{}) { p.out = ch[0].(*flattener.FlatChannel) }

func (p *Pass) Process(ch interface{}, wg *sync.WaitGroup) {
	defer wg.Done()
	for r := range ch.(*flattener.FlatChannel).In {
		p.out.In <- r
	}
}

func (p *Pass) Cleanup() { close(p.out.In) }

func main() {}
