package reader

import "time"

// Config is the configuration of a Stage, apart from the attributes of its handler.
type Config struct {
	Handler        string        `attr:"handler" required:"true" help:"what becomes of flows and events: flattener, or the name of a handler plugin"`
	HandlerLibPath string        `attr:"handlerlibpath" kind:"dir" allowempty:"true" help:"directory of the handler plugin's library"`
	EntityMax      int           `attr:"entity.max" default:"30000" min:"1000" max:"10000000" help:"processes, and as many files, that are kept per stream; beyond it the least recently used go"`
	EntityTTL      time.Duration `attr:"entity.ttl" default:"300s" unit:"s" help:"how long, by the times of records, a process is kept after its exit once no child needs it"`
}
