package pipeline

import (
	"context"
	"log/slog"
	"slices"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/plugins"
)

// drainer is a driver that has received something when it is told to stop.
type drainer struct {
	fakeDriver
	holds []string
	stop  func()
}

func (d *drainer) RunUntil(ctx, hard context.Context, _ map[string]any, out *plugins.SFChannel) error {
	d.stop()
	<-ctx.Done()
	return send(d.holds...)(hard, out)
}

// TestDrainer wants a driver to have time, after it is told to stop, to pass on what it has.
func TestDrainer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := new(world)
	p := w.mustLoad(t, chain, func(o *Options) {
		o.Driver = "socket"
		o.Registry.Drivers = []Driver{{
			Name: "socket", Config: func() any { return new(driverConfig) },
			New: func(any, *slog.Logger) (plugins.SFContextDriver, error) {
				return &drainer{fakeDriver{w, "socket"}, numbered(5000), cancel}, nil // more than channels hold
			},
		}}
	})
	if r := p.Run(ctx, "path"); r != (Result{Drained: true}) {
		t.Errorf("result is %+v", r)
	}
	if got := w.got("exporter"); !slices.Equal(got, numbered(5000)) {
		t.Errorf("exported %d records, want 5000", len(got))
	}
}
