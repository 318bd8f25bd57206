package main

import (
	"errors"
	"os"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/logger"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Driver is the symbol that the program looks up.
var Driver Drive

// Drive is a driver that sends one record, if it gets that far.
type Drive struct {
	pipeline plugins.SFPipeline
	stopped  chan struct{}
}

func (d *Drive) GetName() string { fail("GetName"); return name }

// Register takes the names that FAULT_DRIVERS lists besides its own.
func (d *Drive) Register(pc plugins.SFPluginCache) {
	fail("Register")
	pc.AddDriver(name, newDrive)
	for _, n := range strings.Fields(os.Getenv("FAULT_DRIVERS")) {
		pc.AddDriver(n, newDrive)
	}
}

func newDrive() plugins.SFDriver {
	fail("constructor")
	return &Drive{stopped: make(chan struct{})}
}

func (d *Drive) Init(pipeline plugins.SFPipeline) error {
	fail("Init")
	d.pipeline = pipeline
	return nil
}

func (d *Drive) Run(path string, running *bool) error {
	in := d.pipeline.GetRootChannel().(*plugins.SFChannel).In
	in <- &sfgo.SysFlow{Rec: &sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumSFHeader, SFHeader: &sfgo.SFHeader{Version: 5, Exporter: "faulty"}}}
	fail("Run")
	switch fault {
	case "Run error":
		return errors.New("the source is gone")
	case "Run hangs":
		forever()
	case "Run until stopped":
		<-d.stopped
		logger.Info.Printf("stopped, running is %v", *running)
	case "Run polls":
		for *running {
			in <- &sfgo.SysFlow{} // no record
		}
		logger.Info.Printf("polling has ended")
	}
	return nil
}

func (d *Drive) Cleanup() {
	fail("Cleanup")
	close(d.stopped)
}
