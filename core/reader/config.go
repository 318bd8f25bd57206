package reader

import "time"

// Config is the configuration of a Stage. The name of the handler and the handler's own attributes are no part of it:
// whoever makes the Stage makes the handler first.
type Config struct {
	HandlerLibPath string        `attr:"handlerlibpath" kind:"dir" allowempty:"true" help:"directory of the handler plugin's library"`
	EntityMax      int           `attr:"entity.max" default:"30000" min:"1000" max:"10000000" help:"processes, and as many files, that are kept per stream; beyond it the least recently used go"`
	EntityTTL      time.Duration `attr:"entity.ttl" default:"300s" unit:"s" help:"how long, by the times of records, a process is kept after its exit once no child needs it"`
}
