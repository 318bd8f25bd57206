package sysflow

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
)

// damageLines is how many places of a trace are logged one by one.
const damageLines = 10

// damages collects what is wrong with the traces of a run. Several goroutines use it.
type damages struct {
	log *slog.Logger

	mu      sync.Mutex     // covers the rest
	places  map[string]int // by trace
	skipped int64
	lost    int
}

// add notes a damage. A trace that merely ends too early is no fault.
func (d *damages) add(dmg codec.Damage) {
	attrs := []any{"trace", dmg.Name, "offset", dmg.Offset, "skipped", dmg.Skipped, "lost", dmg.Lost, "err", dmg.Err}
	if errors.Is(dmg.Err, codec.ErrTruncated) {
		d.log.Warn("the trace ends inside a block", attrs...)
		return
	}
	if n := d.note(dmg); n < damageLines {
		d.log.Error("the trace is damaged", attrs...)
	} else if n == damageLines {
		d.log.Error("the trace is damaged in many places, reporting no more of them", "trace", dmg.Name)
	}
}

// note counts a damage and returns how many the trace had before.
func (d *damages) note(dmg codec.Damage) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.places == nil {
		d.places = map[string]int{}
	}
	n := d.places[dmg.Name]
	d.places[dmg.Name]++
	d.skipped += dmg.Skipped
	d.lost += dmg.Lost
	return n
}

// unreadable notes a trace that could not be read to its end, or at all.
func (d *damages) unreadable(path string, err error) {
	d.note(codec.Damage{Name: path})
	d.log.Error("cannot read a trace", "err", err)
}

// err sums up the damage, nil if there is none.
func (d *damages) err(traces int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.places) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d traces damaged or unreadable: %d bytes skipped, %d records lost", len(d.places), traces,
		d.skipped, d.lost)
}
