package pipeline

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/config"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

// Installed is where the directories of plugins are in the images and packages.
const Installed = "/usr/local/sysflow/resources"

var pluginName = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)

// catalog is what one pipeline knows by name: the registry, and what the libraries that it loads register.
type catalog struct {
	open   func(path string) (library, error)
	opened map[string]openedLibrary // by path

	processors map[string]*Processor
	handlers   map[string]*handlerKind
	drivers    map[string]*Driver
	channels   channelTypes
	origins    map[string]string // "processor enrich" → who registered it

	types         []string // channel types, in order of registration
	brokenDrivers []string // libraries of the driver directory that could not be loaded
}

// handlerKind is a handler that is built in (then plugin is nil) or from a library.
type handlerKind struct {
	Handler
	plugin func() plugins.SFHandler
}

const builtIn = "the program"

func newCatalog(r Registry, open func(string) (library, error)) *catalog {
	c := &catalog{
		open: open, opened: map[string]openedLibrary{},
		processors: map[string]*Processor{}, handlers: map[string]*handlerKind{}, drivers: map[string]*Driver{},
		channels: builtinChannels(), origins: map[string]string{},
		types: []string{sysflowType, ctxType, flatType, eventType},
	}
	for _, p := range r.Processors {
		c.processors[p.Name] = &p
		c.origins["processor "+p.Name] = builtIn
	}
	for _, h := range r.Handlers {
		c.handlers[h.Name] = &handlerKind{Handler: h}
		c.origins["handler "+h.Name] = builtIn
	}
	for _, d := range r.Drivers {
		c.drivers[d.Name] = &d
		c.origins["driver "+d.Name] = builtIn
	}
	for _, t := range c.types {
		c.origins["channel type "+t] = builtIn
	}
	return c
}

// names returns the keys of a map in order, for suggestions.
func names[V any](m map[string]V) []string {
	list := make([]string, 0, len(m))
	for n := range m {
		list = append(list, n)
	}
	slices.Sort(list)
	return list
}

// registrar is the cache that one library registers with. What it refuses it remembers: the interface has no way to say
// so. Nothing of a library that has anything refused enters the catalog.
type registrar struct {
	catalog *catalog
	path    string
	taken   map[string]bool // keys of the catalog's origins
	enter   []func()
	faults  []error
}

var (
	_ plugins.SFPluginCache  = (*registrar)(nil)
	_ plugins.SFHandlerCache = (*registrar)(nil)
)

func newRegistrar(c *catalog, path string) *registrar {
	return &registrar{catalog: c, path: path, taken: map[string]bool{}}
}

// take reserves a name for the library; enter is called if nothing of the library is refused.
func (r *registrar) take(kind, name string, enter func()) {
	key := kind + " " + name
	by, taken := r.catalog.origins[key]
	switch {
	case !pluginName.MatchString(name):
		r.faults = append(r.faults, badName(r.path, name))
	case taken:
		r.faults = append(r.faults, &Fault{Code: "P406", Message: fmt.Sprintf("'%s' is already registered (by %s)", name, by)})
	case !r.taken[key]:
		r.taken[key] = true
		r.enter = append(r.enter, enter)
	}
}

// badName is the fault of a name that no plugin can have.
func badName(path, name string) *Fault {
	return &Fault{Code: "P405",
		Message: fmt.Sprintf("%s: plugin is named '%s', expected a name of lower-case letters, digits, '_' and '-'", path, name)}
}

// refuse notes a factory of the wrong type.
func (r *registrar) refuse(kind, name string, factory, want any) {
	r.faults = append(r.faults, &Fault{Code: "P404",
		Message: fmt.Sprintf("%s: factory of %s '%s' is %T, want %T", r.path, kind, name, factory, want)})
}

// AddProcessor registers a processor.
func (r *registrar) AddProcessor(name string, factory any) {
	f, ok := factory.(func() plugins.SFProcessor)
	if !ok || f == nil {
		r.refuse("processor", name, factory, f)
		return
	}
	r.take("processor", name, func() { r.catalog.processors[name] = &Processor{Name: name, plugin: f} })
}

// AddDriver registers a driver.
func (r *registrar) AddDriver(name string, factory any) {
	f, ok := factory.(func() plugins.SFDriver)
	if !ok || f == nil {
		r.refuse("driver", name, factory, f)
		return
	}
	r.take("driver", name, func() { r.catalog.drivers[name] = &Driver{Name: name, plugin: f} })
}

// AddHandler registers a handler.
func (r *registrar) AddHandler(name string, factory any) {
	f, ok := factory.(func() plugins.SFHandler)
	if !ok || f == nil {
		r.refuse("handler", name, factory, f)
		return
	}
	r.take("handler", name, func() { r.catalog.handlers[name] = &handlerKind{Handler: Handler{Name: name}, plugin: f} })
}

// AddChannel registers a channel type.
func (r *registrar) AddChannel(name string, factory any) {
	f, ok := factory.(func(int) any)
	if !ok || f == nil {
		r.refuse("channel type", name, factory, f)
		return
	}
	r.take("channel type", name, func() {
		r.catalog.types = append(r.catalog.types, name)
		r.catalog.channels[name] = func(_ string, size int) (channel, error) {
			var made any
			err := guard("factory of channel type '"+name+"'", func() error { made = f(size); return nil })
			if err != nil {
				return nil, err
			}
			return newForeign(made)
		}
	})
}

// register runs a library's own registration and checks that it has registered what it is named.
func (c *catalog) register(path, kind, want string, getName func() string, register func(*registrar)) error {
	r := newRegistrar(c, path)
	var name string
	err := guard("Register of "+path, func() error {
		name = getName()
		register(r)
		return nil
	})
	if err != nil {
		return err
	}
	if want == "" {
		want = name
	}
	if name != want {
		r.faults = append(r.faults, &Fault{Code: "P405", Message: fmt.Sprintf("%s: plugin is named '%s', expected '%s'", path, name, want)})
	}
	if len(r.faults) == 0 && !r.taken[kind+" "+want] {
		r.faults = append(r.faults, &Fault{Code: "P405", Message: fmt.Sprintf("%s: plugin is named '%s' but registers no such %s", path, want, kind)})
	}
	if len(r.faults) > 0 {
		return errors.Join(r.faults...)
	}
	for key := range r.taken {
		c.origins[key] = path
	}
	for _, enter := range r.enter {
		enter()
	}
	return nil
}

// processor returns a processor by name, from the registry or else from a library in dir.
func (c *catalog) processor(name, dir string) (*Processor, error) {
	if p := c.processors[name]; p != nil {
		return p, nil
	}
	path := filepath.Join(dir, name+".so")
	if !exists(path) || !pluginName.MatchString(name) {
		return nil, missing("processor", name, path, names(c.processors))
	}
	proc, err := symbol[plugins.SFProcessor](c, path, plugins.PlugSym)
	if err != nil {
		return nil, err
	}
	if err := c.register(path, "processor", name, proc.GetName, func(r *registrar) { proc.Register(r) }); err != nil {
		return nil, err
	}
	return c.processors[name], nil
}

// handler returns a handler by name, from the registry or else from a library in the first of dirs that has it.
func (c *catalog) handler(name string, dirs []string) (*handlerKind, error) {
	if h := c.handlers[name]; h != nil {
		return h, nil
	}
	var paths []string
	for _, dir := range dirs {
		path := filepath.Join(dir, name+".so")
		if paths = append(paths, path); !exists(path) || !pluginName.MatchString(name) {
			continue
		}
		h, err := symbol[plugins.SFHandler](c, path, plugins.HandlerSym)
		if err != nil {
			return nil, err
		}
		// A handler has no GetName: the file's name is what it must register.
		err = c.register(path, "handler", name, func() string { return name }, func(r *registrar) {
			h.RegisterChannel(r)
			h.RegisterHandler(r)
		})
		if err != nil {
			return nil, err
		}
		return c.handlers[name], nil
	}
	return nil, missing("handler", name, strings.Join(paths, ", "), names(c.handlers))
}

// brokenLibrary is a library that cannot be used.
type brokenLibrary struct {
	path string
	err  error
}

// loadDrivers opens every library in dir, in byte order of their names. Those that fail matter only if a driver is
// missing.
func (c *catalog) loadDrivers(dir string) (failed []brokenLibrary) {
	for _, path := range libraries(dir) {
		d, err := symbol[plugins.SFDriver](c, path, plugins.DriverSym)
		if err == nil {
			err = c.register(path, "driver", "", d.GetName, func(r *registrar) { d.Register(r) })
		}
		if err != nil {
			failed = append(failed, brokenLibrary{path, err})
			c.brokenDrivers = append(c.brokenDrivers, path)
		}
	}
	return failed
}

// driver returns a driver by name.
func (c *catalog) driver(name, dir string) (*Driver, error) {
	if d := c.drivers[name]; d != nil {
		return d, nil
	}
	f := missing("driver", name, filepath.Join(dir, name+".so"), names(c.drivers))
	if len(c.brokenDrivers) > 0 {
		f.Hints = append(f.Hints, "these libraries could not be loaded: "+strings.Join(c.brokenDrivers, ", "))
	}
	return nil, f
}

// actions opens every library in dir, in byte order of their names, as an action.
func (c *catalog) actions(dir string) (list []engine.Action, failed []brokenLibrary) {
	for _, path := range libraries(dir) {
		a, err := c.action(path)
		if err != nil {
			failed = append(failed, brokenLibrary{path, err})
			continue
		}
		list = append(list, a)
	}
	return list, failed
}

// action opens a library as an action.
func (c *catalog) action(path string) (*action, error) {
	lib, err := symbol[engine.Action](c, path, plugins.ActionSym)
	if err != nil {
		return nil, err
	}
	a := new(action)
	if err := guard("GetName of "+path, func() error { a.name = lib.GetName(); return nil }); err != nil {
		return nil, err
	}
	if !pluginName.MatchString(a.name) {
		return nil, badName(path, a.name)
	}
	if err := guard("GetFunc of "+path, func() error { a.run = lib.GetFunc(); return nil }); err != nil {
		return nil, err
	}
	if a.run == nil {
		return nil, &Fault{Code: "P404", Message: fmt.Sprintf("%s: action '%s' has no function", path, a.name)}
	}
	return a, nil
}

// action is what an action plugin has said of itself.
type action struct {
	name string
	run  engine.ActionFunc
}

// GetName returns the action's name.
func (a *action) GetName() string { return a.name }

// GetFunc returns the action's function.
func (a *action) GetFunc() engine.ActionFunc { return a.run }

// missing is the fault of a name that is not registered and has no library.
func missing(kind, name, path string, known []string) *Fault {
	f := &Fault{Code: "P401", Message: fmt.Sprintf("%s '%s' is neither built in nor found at %s", kind, name, path)}
	if like := config.DidYouMean(name, known); like != "" {
		f.Hints = []string{strings.TrimPrefix(like, "; ")}
	}
	return f
}

// libraries returns the libraries in a directory, in byte order of their names. A directory that cannot be read has
// none: whether that matters is for the caller.
func libraries(dir string) []string {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var paths []string
	for _, f := range list {
		if !f.IsDir() && strings.HasSuffix(f.Name(), ".so") {
			paths = append(paths, filepath.Join(dir, f.Name()))
		}
	}
	return paths
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
