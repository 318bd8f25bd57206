package pipeline

import (
	"slices"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/config"
)

// graph checks the shape of a pipeline: a tree whose root is fed by the drivers, and whose every channel has one writer
// and one reader.
type graph struct {
	file  *file
	kinds map[*entry]*Processor // missing for an entry whose processor is not known: that has been reported
	types []string              // registered channel types
	diags config.Diagnostics

	order    []string // channel names in order of first mention
	channels map[string]*channelUse
	root     *entry // nil if there is none
}

// channelUse is who mentions a channel.
type channelUse struct {
	first           *channelRef
	firstBy         *entry
	readers         []*entry
	writers         []*entry
	broken          bool // of unknown type, or used as several
	readAt, writeAt config.Pos
}

// handlerWrites returns the channel types that an entry writes and whether that is known.
type handlerWrites func(*entry) (types []string, known bool)

// checkShape reports everything that is wrong with the shape of the pipeline, and returns it.
func checkShape(f *file, kinds map[*entry]*Processor, types []string, writes handlerWrites) (*graph, config.Diagnostics) {
	g := &graph{file: f, kinds: kinds, types: types, channels: map[string]*channelUse{}}
	for _, e := range f.entries {
		g.mention(e, writes)
	}
	g.findRoot()
	for _, name := range g.order {
		g.ends(name)
	}
	g.drivers()
	g.cycles()
	return g, g.diags
}

// mention notes the channels of an entry and checks their types.
func (g *graph) mention(e *entry, writes handlerWrites) {
	p := g.kinds[e]
	if e.in != nil {
		u := g.use(e, e.in)
		if len(u.readers) == 0 {
			u.readAt = e.in.at
		}
		u.readers = append(u.readers, e)
		if p != nil && p.Reads != nil {
			g.accepts(e, e.in, "read", p.Reads)
		}
	}
	for i, out := range e.outs {
		same := func(o *channelRef) bool { return o.name == out.name }
		if slices.ContainsFunc(e.outs[:i], same) || e.in != nil && e.in.name == out.name {
			g.diags.Errorf(out.at, "P217", "channel '%s' is listed twice", out.name)
			continue
		}
		u := g.use(e, out)
		if len(u.writers) == 0 {
			u.writeAt = out.at
		}
		u.writers = append(u.writers, e)
		if types, known := writes(e); known {
			g.accepts(e, out, "write", types)
		}
	}
	if p != nil && p.Produces && len(e.outs) == 0 {
		if _, known := writes(e); known {
			g.diags.Warnf(e.Pos, "P215", "%s produces records but has no 'out'", e.Instance)
		}
	}
}

// use notes a mention of a channel.
func (g *graph) use(e *entry, c *channelRef) *channelUse {
	u := g.channels[c.name]
	if u == nil {
		u = &channelUse{first: c, firstBy: e}
		g.channels[c.name] = u
		g.order = append(g.order, c.name)
	}
	if !slices.Contains(g.types, c.typ) {
		u.broken = true
		d := g.diags.Errorf(c.at, "P205", "unknown channel type '%s' in channel '%s'; known: %s", c.typ, c.name,
			strings.Join(g.types, ", "))
		if like := config.DidYouMean(c.typ, g.types); like != "" {
			d.Hint("%s", strings.TrimPrefix(like, "; "))
		}
	} else if c.typ != u.first.typ && slices.Contains(g.types, u.first.typ) {
		u.broken = true
		g.diags.Errorf(c.at, "P206", "channel '%s' is used as '%s' (pipeline[%d]) and as '%s' (pipeline[%d])",
			c.name, u.first.typ, u.firstBy.index, c.typ, e.index)
	}
	return u
}

func (g *graph) accepts(e *entry, c *channelRef, verb string, types []string) {
	if slices.Contains(types, c.typ) || !slices.Contains(g.types, c.typ) {
		return
	}
	list := strings.Join(types, ", ")
	if list == "" {
		list = "nothing"
	}
	g.diags.Errorf(c.at, "P207", "%s cannot %s '%s'; it %ss: %s", e.Kind, verb, c.typ, verb, list)
}

// findRoot looks for the one entry that reads what drivers write.
func (g *graph) findRoot() {
	candidates := 0
	for _, e := range g.file.entries {
		p := g.kinds[e]
		if p == nil || !p.Root || e.in == nil || e.in.typ != sysflowType {
			continue
		}
		candidates++
		if len(g.channels[e.in.name].writers) > 0 {
			continue // fed by a stage
		}
		if g.root != nil {
			if e.in.name != g.root.in.name { // else it is P210, two readers
				g.diags.Errorf(e.in.at, "P213", "two root readers: %s and %s; exactly one is allowed", g.root.Instance, e.Instance)
			}
			continue
		}
		g.root = e
	}
	if candidates == 0 && len(g.file.entries) > 0 {
		g.diags.Errorf(g.file.at, "P212", "no sysflowreader entry reads a channel of type '%s'", sysflowType)
	}
}

// ends checks that a channel has one writer and one reader.
func (g *graph) ends(name string) {
	u := g.channels[name]
	if len(u.readers) > 1 {
		g.diags.Errorf(u.readers[1].in.at, "P210",
			"channel '%s' has two readers: %s and %s; list two channels in 'out' to duplicate the stream",
			name, u.readers[0].Instance, u.readers[1].Instance)
	}
	if len(u.writers) > 1 {
		g.diags.Errorf(u.writers[1].out(name).at, "P211", "channel '%s' has two writers: %s and %s",
			name, u.writers[0].Instance, u.writers[1].Instance)
	}
	isRoot := slices.ContainsFunc(u.readers, func(e *entry) bool {
		p := g.kinds[e]
		return p == nil && e.in.typ == sysflowType || p != nil && p.Root && e.in.typ == sysflowType
	})
	if len(u.writers) == 0 && len(u.readers) > 0 && !isRoot {
		d := g.diags.Errorf(u.readAt, "P208", "channel '%s' is read by %s but nothing writes it", name, u.readers[0].Instance)
		g.likeName(d, name, func(o *channelUse) bool { return len(o.readers) == 0 })
	}
	if len(u.readers) == 0 && len(u.writers) > 0 {
		d := g.diags.Errorf(u.writeAt, "P209", "channel '%s' is written by %s but nothing reads it", name, u.writers[0].Instance)
		g.likeName(d, name, func(o *channelUse) bool { return len(o.writers) == 0 })
	}
}

// likeName suggests a channel that lacks its other end, and whose name resembles that of d.
func (g *graph) likeName(d *config.Diagnostic, name string, lacks func(*channelUse) bool) {
	var names []string
	for _, n := range g.order {
		if n != name && lacks(g.channels[n]) {
			names = append(names, n)
		}
	}
	if like := config.DidYouMean(name, names); like != "" {
		d.Hint("%s", strings.TrimPrefix(like, "; "))
	}
}

// out returns the mention of a channel among an entry's outputs.
func (e *entry) out(name string) *channelRef {
	i := slices.IndexFunc(e.outs, func(c *channelRef) bool { return c.name == name })
	return e.outs[i]
}

// drivers checks that drivers write the root channel.
func (g *graph) drivers() {
	for _, d := range g.file.drivers {
		if d.out == nil || g.root != nil && *d.out == (channelRef{g.root.in.name, g.root.in.typ, d.out.at}) {
			continue
		}
		u := g.channels[d.out.name]
		switch {
		case !slices.Contains(g.types, d.out.typ):
			g.diags.Errorf(d.out.at, "P205", "unknown channel type '%s' in channel '%s'; known: %s", d.out.typ, d.out.name,
				strings.Join(g.types, ", "))
		case d.out.typ != sysflowType:
			g.diags.Errorf(d.out.at, "P207", "%s cannot write '%s'; it writes: %s", d.Kind, d.out.typ, sysflowType)
		case u == nil || len(u.readers) == 0:
			diag := g.diags.Errorf(d.out.at, "P209", "channel '%s' is written by %s but nothing reads it", d.out.name, d.Instance)
			if g.root != nil {
				diag.Hint("the root reader %s reads '%s'", g.root.Instance, g.root.in.name)
			}
		case len(u.writers) > 0:
			g.diags.Errorf(d.out.at, "P211", "channel '%s' has two writers: %s and %s", d.out.name, u.writers[0].Instance, d.Instance)
		}
	}
}

// cycles reports each circle of stages once, from the stage that the file names first.
func (g *graph) cycles() {
	var path []*entry
	done := map[*entry]bool{}
	var visit func(e *entry)
	visit = func(e *entry) {
		if i := slices.Index(path, e); i >= 0 {
			g.cycle(path[i:])
			return
		}
		if done[e] {
			return
		}
		path = append(path, e)
		for _, out := range e.outs {
			if e.in != nil && out.name == e.in.name {
				continue // P217
			}
			for _, reader := range g.channels[out.name].readers {
				visit(reader)
			}
		}
		path = path[:len(path)-1]
		done[e] = true
	}
	for _, e := range g.file.entries {
		visit(e)
	}
}

func (g *graph) cycle(stages []*entry) {
	names := make([]string, 0, len(stages)+1)
	for _, e := range append(slices.Clone(stages), stages[0]) {
		names = append(names, e.Instance)
	}
	at := stages[0].Pos
	if stages[0].in != nil {
		at = stages[0].in.at
	}
	g.diags.Errorf(at, "P214", "cycle: %s", strings.Join(names, " -> "))
}
