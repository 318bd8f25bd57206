package pipeline

import (
	"cmp"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/config"
	"github.com/sysflow-telemetry/sf-processor/core/logger"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

// Dir is a directory of plugins.
type Dir struct {
	Path     string
	Explicit bool // somebody asked for it, so that its absence is worth a warning
}

// Options say what to load and how.
type Options struct {
	File                 string // the pipeline file
	Driver               string // the one driver to run; empty: those of the file, or else file
	DriverDir, PluginDir Dir
	Environ              []string // in the form of os.Environ
	Registry             Registry
	Sink                 *logger.Sink      // nil discards the log
	Injected             map[string]string // keys that every entry is given: version and the like

	// Grace is how long stages may drain once the pipeline is told to stop; 0 stands for 25 seconds.
	Grace time.Duration

	open func(path string) (library, error) // opens a plugin; nil: for real
}

// Where plugins are looked for if nothing else is said.
const (
	handlerDir = "../resources/handlers"
	actionDir  = "../resources/actions"
)

// libPath is the attribute that names the directory of a handler's library.
const libPath = "handlerlibpath"

// defaultDriver runs if neither the command line nor the file names one.
const defaultDriver = "file"

// loader is one run of Load.
type loader struct {
	Options
	catalog *catalog
	log     *slog.Logger
	file    *file
	kinds   map[*entry]*Processor
	plans   map[*entry]*plan
	sources []*sourcePlan
	diags   config.Diagnostics
}

// Load reads a pipeline file and builds its stages. It returns what is wrong with the file, warnings included; if one
// of these is an error, there is no pipeline. An error, one or several joined ones, is returned if the file is fine but a
// stage cannot be built: a policy is broken, or a plugin refuses its entry.
func Load(o Options) (*Pipeline, config.Diagnostics, error) {
	if o.open == nil {
		o.open = openPlugin
	}
	l := &loader{Options: o, catalog: newCatalog(o.Registry, o.open), log: slog.New(slog.DiscardHandler)}
	if o.Sink != nil {
		l.log = slog.New(o.Sink.Handler())
	}
	l.file, l.diags = read(o.File)
	if l.file == nil {
		return nil, l.diags, nil
	}
	l.loadDrivers()
	l.findKinds()
	g, diags := checkShape(l.file, l.kinds, l.catalog.types, l.writes)
	l.diags = append(l.diags, diags...)
	l.chooseDrivers()
	l.decode()
	l.sortDiags()
	if l.diags.HasErrors() {
		return nil, l.diags, nil
	}
	l.route()
	p, err := l.build(g)
	return p, l.diags, err
}

// route decides where log lines go: a pipeline with an exporter keeps standard output for records.
func (l *loader) route() {
	exports := slices.ContainsFunc(l.file.entries, func(e *entry) bool { return l.kinds[e].Exports })
	if l.Sink != nil && !exports {
		l.Sink.ToStdout()
	}
}

// sortDiags brings the problems into the order of their places; those that come from elsewhere follow.
func (l *loader) sortDiags() {
	slices.SortStableFunc(l.diags, func(a, b *config.Diagnostic) int {
		if (a.File == l.File) != (b.File == l.File) {
			if a.File == l.File {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
}

// find returns where the plugins of a kind are. A default directory that does not exist is looked for beside the
// program, and then where it is installed.
func (l *loader) find(d Dir, kind string) string {
	if exists(d.Path) {
		return d.Path
	}
	if d.Explicit {
		l.log.Warn("directory does not exist", "kind", kind, "path", d.Path)
		return d.Path
	}
	if exe, err := os.Executable(); err == nil {
		if dir := filepath.Join(filepath.Dir(exe), "..", "resources", kind); exists(dir) {
			return dir
		}
	}
	if dir := filepath.Join(Installed, kind); exists(dir) {
		return dir
	}
	return d.Path
}

func (l *loader) loadDrivers() {
	l.DriverDir.Path = l.find(l.DriverDir, "drivers")
	for _, f := range l.catalog.loadDrivers(l.DriverDir.Path) {
		l.log.Error("driver library not loaded", attrsOf(f.err, "path", f.path)...)
	}
}

// findKinds finds, or loads, the processor and the handler of every entry.
func (l *loader) findKinds() {
	l.PluginDir.Path = l.find(l.PluginDir, "plugins")
	l.kinds, l.plans = map[*entry]*Processor{}, map[*entry]*plan{}
	for _, e := range l.file.entries {
		if e.Kind == "" {
			continue
		}
		kind, err := l.catalog.processor(e.Kind, l.PluginDir.Path)
		if err != nil {
			l.fault(err, e.processor.at)
			continue
		}
		p := &plan{kind: kind}
		l.kinds[e], l.plans[e] = kind, p
		if kind.Handler && e.handler.name != "" {
			if p.handler, err = l.catalog.handler(e.handler.name, l.handlerDirs(e)); err != nil {
				l.fault(err, e.handler.at)
			}
		}
		if err := p.construct(); err != nil {
			l.fault(err, e.processor.at)
			delete(l.plans, e)
		}
	}
}

// fault reports what is wrong with a plugin, or several such things.
func (l *loader) fault(err error, at config.Pos) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range several.Unwrap() {
			l.fault(e, at)
		}
		return
	}
	asFault(err).report(&l.diags, at)
}

// handlerDirs are the directories where an entry's handler is looked for.
func (l *loader) handlerDirs(e *entry) []string {
	// The environment may say where: the attributes of the handler, which are not known yet, do not matter for that.
	own := e.Entry
	config.Override([]config.Scope{{Entry: &own, Schema: config.NamedSchema(libPath)}}, l.Environ)
	var dirs []string
	if v := own.Find(libPath); v != nil && v.Text != "" {
		dirs = append(dirs, v.Text)
	}
	return append(dirs, l.PluginDir.Path, handlerDir, filepath.Join(Installed, "handlers"))
}

// writes returns the channel types that an entry writes, if that is known: a plugin does not say.
func (l *loader) writes(e *entry) ([]string, bool) {
	p := l.plans[e]
	if p == nil || p.kind.plugin != nil {
		return nil, false
	}
	if !p.kind.Handler {
		return p.kind.Writes, true
	}
	if p.handler == nil || p.handler.plugin != nil {
		return nil, false
	}
	return p.handler.Writes, true
}

// chooseDrivers finds the drivers that are to run.
func (l *loader) chooseDrivers() {
	entries := l.file.drivers
	if l.Driver != "" {
		chosen := &driverEntry{driver: ref{l.Driver, config.Pos{File: "-driver"}}}
		chosen.Kind, chosen.Instance, chosen.Pos = l.Driver, l.Driver, chosen.driver.at
		for _, d := range entries {
			if d.Kind == l.Driver {
				chosen = d
				break
			}
		}
		entries = []*driverEntry{chosen}
	} else if len(entries) == 0 {
		d := &driverEntry{driver: ref{defaultDriver, config.Pos{File: l.File}}}
		d.Kind, d.Instance, d.Pos = defaultDriver, defaultDriver, d.driver.at
		entries = []*driverEntry{d}
	}
	for _, d := range entries {
		kind, err := l.catalog.driver(d.Kind, l.DriverDir.Path)
		if err != nil {
			l.fault(err, d.driver.at)
			continue
		}
		s := &sourcePlan{entry: d, kind: kind}
		if err := s.construct(); err != nil {
			l.fault(err, d.driver.at)
			continue
		}
		l.sources = append(l.sources, s)
	}
}

// decode applies the environment to the entries and checks their attributes.
func (l *loader) decode() {
	var scopes []config.Scope
	for _, e := range l.file.entries {
		p := l.plans[e]
		if p == nil {
			continue
		}
		if err := p.makeSchema(); err != nil {
			l.fault(err, e.processor.at)
			continue
		}
		l.inject(e)
		scopes = append(scopes, config.Scope{Entry: &e.Entry, Schema: p.schema})
	}
	for _, s := range l.sources {
		scopes = append(scopes, config.Scope{Entry: &s.entry.Entry, Schema: s.schema})
	}
	l.diags = append(l.diags, config.Override(scopes, l.Environ)...)
	for _, s := range scopes {
		l.diags = append(l.diags, s.Schema.Decode(s.Entry)...)
	}
}

// inject takes keys that the program sets itself out of an entry's attributes.
func (l *loader) inject(e *entry) {
	e.Settings = slices.DeleteFunc(slices.Clone(e.Settings), func(m *config.Member) bool {
		_, injected := l.Injected[strings.ToLower(m.Key)]
		if injected {
			l.diags.Warnf(m.Pos, "P308", "%s.%s: set by the program, this value has no effect", e.Instance, m.Key)
		}
		return injected
	})
}

// build makes the stages, in file order, and stitches them together.
func (l *loader) build(g *graph) (*Pipeline, error) {
	p := &Pipeline{
		log: l.log, sink: l.Sink, catalog: l.catalog, grace: l.Grace, size: l.file.ChannelSize,
		stopping: make(chan struct{}), drained: make(chan struct{}),
	}
	if p.grace <= 0 {
		p.grace = defaultGrace
	}
	var errs []error
	refused := func(name string, at config.Pos, err error) {
		if _, ok := errors.AsType[*Fault](err); ok {
			l.fault(err, at)
		} else {
			errs = append(errs, &BuildError{name, err})
		}
	}
	for _, e := range l.file.entries {
		if n, err := l.node(e); err != nil {
			refused(e.Instance, e.processor.at, err)
		} else {
			p.nodes = append(p.nodes, n)
		}
	}
	for _, s := range l.sources {
		if f, err := l.feed(p, s); err != nil {
			refused(s.entry.Instance, s.entry.driver.at, err)
		} else {
			p.feeds = append(p.feeds, f)
		}
	}
	if len(errs) == 0 && !l.diags.HasErrors() {
		if err := p.connect(g); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) == 0 && !l.diags.HasErrors() {
		for _, n := range p.nodes {
			if err := n.bind(); err != nil {
				refused(n.name, n.entry.processor.at, err)
			}
		}
	}
	if len(errs) > 0 || l.diags.HasErrors() {
		return nil, errors.Join(append(errs, p.Close())...)
	}
	p.logShape()
	return p, nil
}

// BuildError says which stage could not be built, and why.
type BuildError struct {
	Stage string
	Err   error
}

// Error returns the reason after the name of the stage.
func (e *BuildError) Error() string { return e.Stage + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *BuildError) Unwrap() error { return e.Err }

// stageError says which stage an error is about, unless it says so itself.
func stageError(name string, err error) error {
	if _, ok := errors.AsType[*Fault](err); ok {
		return err
	}
	return &BuildError{name, err}
}

// node builds the stage of an entry.
func (l *loader) node(e *entry) (*node, error) {
	p := l.plans[e]
	n := &node{entry: e, name: e.Instance, log: l.log.With("stage", e.Instance), reads: batches, writes: batches}
	conf := e.Map()
	for k, v := range l.Injected {
		for key := range conf {
			if strings.EqualFold(key, k) {
				delete(conf, key)
			}
		}
		conf[k] = v
	}
	var err error
	if p.proc != nil {
		n.reads, n.writes = records, records
		n.stage, err = initPlugin(e.Kind, p.proc, conf)
		return n, err
	}
	env := Env{Instance: e.Instance, Log: n.log, HandlerConfig: p.handlerConfig, Actions: l.actions}
	if p.pluginHandler != nil {
		n.writes = records
		env.PluginHandler = p.pluginHandler
		if n.handler, err = initHandler(p.handler.Name, p.pluginHandler, conf); err != nil {
			return nil, err
		}
	} else if p.handler != nil {
		env.Handler = p.handler.Name
	}
	n.log.Debug("attributes", "set", p.dump())
	n.stage, err = p.kind.build(p.config, env)
	return n, err
}

// feed builds a driver.
func (l *loader) feed(p *Pipeline, s *sourcePlan) (*feed, error) {
	f := &feed{name: s.entry.Instance, path: s.path()}
	conf := s.entry.Map()
	if s.plugin != nil {
		f.source = &pluginSource{
			driver: s.plugin, name: f.name, conf: conf, size: p.size,
			pipeline: &driverPipeline{pipeline: p}, cleanup: newCleaner(f.name, s.plugin.Cleanup),
		}
		return f, nil
	}
	d, err := s.kind.New(s.config, l.log.With("driver", f.name))
	if err != nil {
		return nil, err
	}
	f.source = &builtinSource{driver: d, conf: conf}
	return f, nil
}

// actions loads the libraries of a directory as actions, and returns those that cannot be loaded as well.
func (l *loader) actions(dir string) (list []engine.Action, broken []string) {
	list, failed := l.catalog.actions(l.find(Dir{dir, dir != actionDir}, "actions"))
	for _, f := range failed {
		l.log.Error("action library not loaded", attrsOf(f.err, "path", f.path)...)
		broken = append(broken, f.path)
	}
	return list, broken
}
