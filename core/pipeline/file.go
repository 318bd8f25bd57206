package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/config"
)

// topConfig are the attributes of the file itself.
type topConfig struct {
	ChannelSize int `attr:"channel.size" default:"4096" min:"16" max:"1000000" help:"records that a channel holds"`
}

// file is what a pipeline file says, before anything is known about the names in it.
type file struct {
	topConfig
	at      config.Pos // of the key pipeline, or of the whole
	entries []*entry
	drivers []*driverEntry
}

// entry is an object of the array pipeline.
type entry struct {
	config.Entry
	index     int
	named     bool // the file gives a name
	processor ref
	handler   ref
	in        *channelRef // nil if missing or broken
	outs      []*channelRef
}

// driverEntry is an object of the array drivers.
type driverEntry struct {
	config.Entry
	index  int
	driver ref
	out    *channelRef // nil: the channel of the root
}

// ref is a name with its place.
type ref struct {
	name string
	at   config.Pos
}

// channelRef is a mention of a channel.
type channelRef struct {
	name, typ string
	at        config.Pos
}

// read reads the pipeline file. A file that has errors is returned as far as it could be understood, so that what
// follows can find more; it is nil if there is nothing to look at.
func read(path string) (*file, config.Diagnostics) {
	var diags config.Diagnostics
	at := config.Pos{File: path}
	data, err := readFile(path)
	if err != nil {
		diags.Errorf(at, "P101", "cannot read: %v", err)
		return nil, diags
	}
	doc, diags := config.Parse(path, data)
	if doc == nil {
		return nil, diags
	}
	r := &fileReader{diags: diags}
	f := &file{at: doc.Pos}
	if !r.want(doc, "the file", config.Object) {
		return nil, r.diags
	}
	top := &config.Entry{Instance: "pipeline", Pos: doc.Pos}
	for _, m := range doc.Members {
		switch {
		case m.Comment():
		case strings.EqualFold(m.Key, "pipeline"):
			f.at = m.Pos
			r.entries(f, m.Val)
		case strings.EqualFold(m.Key, "drivers"):
			r.drivers(f, m.Val)
		default:
			top.Settings = append(top.Settings, m)
		}
	}
	schema := config.NewSchema(&f.topConfig)
	schema.Declare("pipeline", "drivers")
	r.diags = append(r.diags, schema.Decode(top)...)
	if doc.Member("pipeline") == nil {
		r.diags.Errorf(f.at, "P201", "no pipeline entries")
	}
	r.names(f)
	return f, r.diags
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return nil, errors.New("is a directory")
	}
	data, err := os.ReadFile(path)
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err // the place names the path
	}
	return data, err
}

type fileReader struct{ diags config.Diagnostics }

// want reports a value that is of another kind.
func (r *fileReader) want(v *config.Value, key string, kind config.Kind) bool {
	if v.Kind == kind {
		return true
	}
	if !strings.Contains(key, " ") {
		key = "'" + key + "'"
	}
	r.diags.Errorf(v.Pos, "P104", "%s must be %s", key, kind)
	return false
}

// text returns a key's text; ok is false if the key is missing, empty or of another kind.
func (r *fileReader) text(obj *config.Value, key string) (ref, bool) {
	v := obj.Member(key)
	if v == nil || !r.want(v, key, config.String) {
		return ref{}, false
	}
	name := strings.TrimSpace(v.Text)
	return ref{name, v.Pos}, name != ""
}

func (r *fileReader) entries(f *file, v *config.Value) {
	if !r.want(v, "pipeline", config.Array) {
		return
	}
	if len(v.Elems) == 0 {
		r.diags.Errorf(v.Pos, "P201", "no pipeline entries")
	}
	for i, obj := range v.Elems {
		if r.want(obj, fmt.Sprintf("pipeline[%d]", i), config.Object) {
			f.entries = append(f.entries, r.entry(i, obj))
		}
	}
}

func (r *fileReader) entry(i int, obj *config.Value) *entry {
	e := &entry{index: i}
	e.Pos = obj.Pos
	label := fmt.Sprintf("pipeline[%d]", i)
	ok := false
	if e.processor, ok = r.text(obj, "processor"); ok {
		e.Kind = e.processor.name
		label += " (" + e.Kind + ")"
	} else if v := obj.Member("processor"); v == nil || v.Kind == config.String {
		r.diags.Errorf(obj.Pos, "P202", "%s: key 'processor' is missing", label)
	}
	e.handler, _ = r.text(obj, "handler")
	if name, ok := r.text(obj, "name"); ok {
		e.Instance, e.named = name.name, true
	}
	e.in = r.input(label, obj)
	if v := obj.Member("out"); v != nil {
		e.outs = r.channels(v, "out")
	}
	e.Object, e.Settings = obj, settings(obj, "processor", "in", "out", "name")
	return e
}

// input returns the one channel that an entry reads.
func (r *fileReader) input(label string, obj *config.Value) *channelRef {
	v := obj.Member("in")
	if v == nil || v.Kind == config.Array && len(v.Elems) == 0 || v.Kind == config.String && strings.TrimSpace(v.Text) == "" {
		r.diags.Errorf(obj.Pos, "P203", "%s: key 'in' is missing", label)
		return nil
	}
	refs := r.channels(v, "in")
	if v.Kind == config.Array && len(v.Elems) > 1 {
		r.diags.Errorf(v.Pos, "P216", "%s: exactly one input channel is allowed", label)
		return nil
	}
	if len(refs) == 0 {
		return nil
	}
	return refs[0]
}

// channels reads a channel or an array of them.
func (r *fileReader) channels(v *config.Value, key string) []*channelRef {
	if v.Kind == config.String {
		if c := r.channel(v); c != nil {
			return []*channelRef{c}
		}
		return nil
	}
	if v.Kind != config.Array {
		r.diags.Errorf(v.Pos, "P104", "'%s' must be a string or an array of strings", key)
		return nil
	}
	var refs []*channelRef
	for _, elem := range v.Elems {
		if !r.want(elem, key, config.String) {
			continue
		}
		if c := r.channel(elem); c != nil {
			refs = append(refs, c)
		}
	}
	return refs
}

var channelName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

func (r *fileReader) channel(v *config.Value) *channelRef {
	words := strings.Fields(v.Text)
	if len(words) != 2 || !channelName.MatchString(words[0]) {
		d := r.diags.Errorf(v.Pos, "P204", "channel '%s' must have the form '<name> <type>'", v.Text)
		if len(words) == 2 {
			d.Hint("a name consists of letters, digits, '_', '.' and '-'")
		}
		return nil
	}
	return &channelRef{words[0], words[1], v.Pos}
}

func (r *fileReader) drivers(f *file, v *config.Value) {
	if !r.want(v, "drivers", config.Array) {
		return
	}
	for i, obj := range v.Elems {
		label := fmt.Sprintf("drivers[%d]", i)
		if !r.want(obj, label, config.Object) {
			continue
		}
		d := &driverEntry{index: i}
		d.Pos = obj.Pos
		ok := false
		if d.driver, ok = r.text(obj, "driver"); !ok {
			if v := obj.Member("driver"); v == nil || v.Kind == config.String {
				r.diags.Errorf(obj.Pos, "P202", "%s: key 'driver' is missing", label)
			}
			continue
		}
		d.Kind = d.driver.name
		if v := obj.Member("out"); v != nil {
			if refs := r.channels(v, "out"); len(refs) > 0 {
				d.out = refs[0]
			}
			if v.Kind == config.Array && len(v.Elems) != 1 {
				r.diags.Errorf(v.Pos, "P104", "'out' of a driver must be one channel")
			}
		}
		d.Object, d.Settings = obj, settings(obj, "driver", "out")
		f.drivers = append(f.drivers, d)
	}
}

// settings returns the members of an entry that are neither comments nor among the keys that shape the pipeline.
func settings(obj *config.Value, keys ...string) []*config.Member {
	var list []*config.Member
	for _, m := range obj.Members {
		if !m.Comment() && !slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, m.Key) }) {
			list = append(list, m)
		}
	}
	return list
}

// names gives every instance a name of its own: the one in the file, or the processor's, with a number if there are
// several of that processor.
func (r *fileReader) names(f *file) {
	total, seen := map[string]int{}, map[string]int{}
	for _, e := range f.entries {
		total[e.Kind]++
	}
	used := map[string]bool{}
	for _, e := range f.entries {
		n := seen[e.Kind]
		seen[e.Kind]++
		switch {
		case e.named:
			if used[e.Instance] {
				r.diags.Errorf(e.Pos, "P218", "instance name '%s' is used twice", e.Instance)
			}
		case e.Kind == "":
			e.Instance = fmt.Sprintf("pipeline[%d]", e.index)
		case total[e.Kind] > 1:
			e.Instance = fmt.Sprintf("%s[%d]", e.Kind, n)
		default:
			e.Instance = e.Kind
		}
		used[e.Instance] = true
	}
	total, seen = map[string]int{}, map[string]int{}
	for _, d := range f.drivers {
		total[d.Kind]++
	}
	for _, d := range f.drivers {
		d.Instance = d.Kind
		if total[d.Kind] > 1 {
			d.Instance = fmt.Sprintf("%s[%d]", d.Kind, seen[d.Kind])
		}
		seen[d.Kind]++
	}
}
