package policyengine

import (
	"time"
)

// Modes of the stage.
const (
	ModeAlert  = "alert"  // only records that a rule matches go on
	ModeEnrich = "enrich" // every record that is not dropped goes on
)

// Monitors of policy files.
const (
	MonitorNone  = "none"
	MonitorLocal = "local"
)

// Config configures one policy stage. The tags, which package core/config documents, are the whole truth on names,
// defaults and ranges.
type Config struct {
	Policies        string        `attr:"policies" kind:"path" help:"file or directory of rules (.yaml, .yml); required in mode alert"`
	Mode            string        `attr:"mode" default:"alert" enum:"alert,enrich" retired:"bypass=use enrich and remove 'policies';filter=use enrich with a policy file that has only drop rules" help:"pass on records that a rule matches, or all that are not dropped"`
	Monitor         string        `attr:"monitor" default:"none" enum:"none,local" help:"local: load the policies again when their files change"`
	MonitorInterval time.Duration `attr:"monitor.interval" default:"30s" min:"1s" unit:"s" help:"time between two looks at the policy files"`
	Concurrency     int           `attr:"concurrency" default:"5" min:"1" max:"1024" help:"batches evaluated at the same time; the order of records is kept"`
	ActionDir       string        `attr:"actiondir" default:"../resources/actions" kind:"dir" help:"directory whose *.so are loaded as actions"`
	Checks          string        `attr:"checks" default:"normal" enum:"strict,normal,lenient" help:"how strictly policies are checked"`
	Falco           string        `attr:"falco" default:"auto" enum:"auto,on,off" help:"give Falco names Falco's meaning; auto: if a policy file requires a Falco version"`
}

// Validate checks what depends on several attributes.
func (c *Config) Validate() error {
	if c.Mode == ModeAlert && c.Policies == "" {
		return noPolicies{}
	}
	return nil
}

// noPolicies is the fault of a stage in mode alert that has no rules to alert on.
type noPolicies struct{}

func (noPolicies) Error() string { return "required attribute 'policies' is missing (mode is alert)" }

// Code returns the code of the diagnostic.
func (noPolicies) Code() string { return "P302" }

// Attr returns the attribute at fault.
func (noPolicies) Attr() string { return "policies" }
