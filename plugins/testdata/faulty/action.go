package main

import (
	"errors"
	"os"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

// Action is the symbol that the program looks up.
var Action Act

// Act is an action that tags records, if it gets that far. FAULT_ACTION is its name, else it is that of the library.
type Act struct{}

func (a *Act) GetName() string {
	fail("GetName")
	if n := os.Getenv("FAULT_ACTION"); n != "" {
		return n
	}
	return name
}

func (a *Act) GetFunc() engine.ActionFunc {
	fail("GetFunc")
	if fault == "no function" {
		return nil
	}
	return func(r *engine.Record) error {
		fail("action")
		if fault == "action error" {
			return errors.New("no such host")
		}
		r.Ctx.AddTag("by " + name)
		return nil
	}
}
