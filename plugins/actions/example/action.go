// Package main is an action plugin: rules that name the action "now" tag the records they match with the time.
package main

import (
	"strconv"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

// Action is the symbol that the program looks up.
var Action Now

// Now tags a record with the current time.
type Now struct{}

// GetName returns the name that rules use.
func (a *Now) GetName() string { return "now" }

// GetFunc returns what is run on a record.
func (a *Now) GetFunc() engine.ActionFunc { return addTimeTag }

func addTimeTag(r *engine.Record) error {
	r.Ctx.AddTag("now_in_nanos:" + strconv.FormatInt(time.Now().UnixNano(), 10))
	return nil
}

func main() {}
