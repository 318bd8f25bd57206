package flattener

import "time"

// Config is the configuration of a Flattener.
type Config struct {
	FilterEnabled bool          `attr:"filter.enabled" default:"off" help:"drop records that repeat an earlier one"`
	FilterMaxAge  time.Duration `attr:"filter.maxage" default:"24h" unit:"s" help:"how long, by the times of records, a record counts as a repetition of the first"`
}
