package pipeline

import (
	"github.com/sysflow-telemetry/sf-processor/core/config"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
)

// plan is what an entry will be built of.
type plan struct {
	kind    *Processor
	handler *handlerKind // nil if there is none
	schema  *config.Schema

	config        any // decoded
	handlerConfig any

	proc          plugins.SFProcessor // instances of plugins
	pluginHandler plugins.SFHandler
}

// handlerConfig are the attributes of an entry that has a handler, besides its processor's and its handler's own.
type handlerConfig struct {
	Handler string `attr:"handler" required:"true" help:"what becomes of flows and events: flattener, or the name of a handler plugin"`
	LibPath string `attr:"handlerlibpath" kind:"dir" allowempty:"true" help:"directory of the handler plugin's library"`
}

// construct makes the instances of plugins that the entry needs.
func (p *plan) construct() error {
	if f := p.kind.plugin; f != nil {
		err := guard("constructor of "+p.kind.Name, func() error {
			if p.proc = f(); p.proc == nil {
				return &Fault{Code: "P404", Message: "the factory of processor '" + p.kind.Name + "' returned nothing"}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if p.handler == nil || p.handler.plugin == nil {
		return nil
	}
	return guard("constructor of "+p.handler.Name, func() error {
		if p.pluginHandler = p.handler.plugin(); p.pluginHandler == nil {
			return &Fault{Code: "P404", Message: "the factory of handler '" + p.handler.Name + "' returned nothing"}
		}
		return nil
	})
}

// attributed is implemented by plugins that declare their attributes.
type attributed interface{ Attributes() []string }

// declare gives a schema the attributes of a plugin, or opens it for one that does not declare any.
func declare(s *config.Schema, name string, plugin any) error {
	a, ok := plugin.(attributed)
	if !ok {
		s.Open()
		return nil
	}
	return guard("Attributes of "+name, func() error {
		s.Declare(a.Attributes()...)
		return nil
	})
}

// makeSchema collects the attributes that an entry may have.
func (p *plan) makeSchema() error {
	var targets []any
	if p.kind.config != nil {
		p.config = p.kind.config()
		targets = append(targets, p.config)
	}
	if p.kind.Handler {
		targets = append(targets, new(handlerConfig))
	}
	if p.handler != nil && p.handler.Config != nil {
		p.handlerConfig = p.handler.Config()
		targets = append(targets, p.handlerConfig)
	}
	p.schema = config.NewSchema(targets...)
	if p.proc != nil {
		p.schema.Declare("handler")
		if err := declare(p.schema, p.kind.Name, p.proc); err != nil {
			return err
		}
	}
	if p.pluginHandler != nil {
		return declare(p.schema, p.handler.Name, p.pluginHandler)
	}
	if p.kind.Handler && p.handler == nil {
		p.schema.Open() // its handler is unknown, and so are the handler's attributes
	}
	return nil
}

// dump lists the attributes of a built-in stage and its handler, and what they are set to; credentials are not shown.
func (p *plan) dump() []string {
	list := config.Dump(p.config)
	if p.handlerConfig != nil {
		list = append(list, config.Dump(p.handlerConfig)...)
	}
	return list
}

// sourcePlan is what a driver will be built of.
type sourcePlan struct {
	entry  *driverEntry
	kind   *Driver
	schema *config.Schema
	config any
	plugin plugins.SFDriver
}

// construct makes the instance of a plugin, or the Config of a built-in driver.
func (s *sourcePlan) construct() error {
	if s.kind.plugin == nil {
		s.config = s.kind.Config()
		s.schema = config.NewSchema(s.config)
		return nil
	}
	err := guard("constructor of "+s.kind.Name, func() error {
		if s.plugin = s.kind.plugin(); s.plugin == nil {
			return &Fault{Code: "P404", Message: "the factory of driver '" + s.kind.Name + "' returned nothing"}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.schema = config.NamedSchema("path")
	return declare(s.schema, s.kind.Name, s.plugin)
}

// path returns the path that the file or the environment gives the driver.
func (s *sourcePlan) path() string {
	if v := s.entry.Find("path"); v != nil {
		return v.Text
	}
	return ""
}
