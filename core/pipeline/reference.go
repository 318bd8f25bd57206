package pipeline

import "github.com/sysflow-telemetry/sf-processor/core/config"

// Section lists the attributes of a driver, processor or handler, or of the file itself, for the reference manual.
type Section struct {
	Kind       string // driver, processor, handler; empty for the file
	Name       string
	Attributes []config.Attribute
}

// Reference lists the attributes of everything that the registry names.
func (r Registry) Reference() []Section {
	list := []Section{{Attributes: config.Describe(new(topConfig))}}
	for _, d := range r.Drivers {
		list = append(list, Section{"driver", d.Name, config.Describe(d.Config())})
	}
	for _, p := range r.Processors {
		targets := []any{p.config()}
		if p.Handler {
			targets = append([]any{new(handlerConfig)}, targets...)
		}
		list = append(list, Section{"processor", p.Name, config.Describe(targets...)})
	}
	for _, h := range r.Handlers {
		list = append(list, Section{"handler", h.Name, config.Describe(h.Config())})
	}
	return list
}
