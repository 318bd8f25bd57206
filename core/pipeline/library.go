package pipeline

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"path/filepath"
	"plugin"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
)

// module is the path of the program's module.
const module = "github.com/sysflow-telemetry/sf-processor"

// builderImage is where plugins for a release of the program are built.
const builderImage = "sysflowtelemetry/plugin-builder"

// library is an open plugin; *plugin.Plugin is one.
type library interface {
	Lookup(symbol string) (plugin.Symbol, error)
}

// openPlugin opens a library for real.
func openPlugin(path string) (library, error) {
	if info, err := buildinfo.ReadFile(path); err == nil {
		if err := incompatible(info, hostBuild()); err != nil {
			return nil, err
		}
	}
	p, err := plugin.Open(path)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// library opens a library, once: a second try of one that failed would fail for another reason.
func (c *catalog) library(path string) (library, error) {
	if l, ok := c.opened[path]; ok {
		return l.lib, l.err
	}
	var l openedLibrary
	l.err = guard("initialization of "+path, func() (err error) {
		l.lib, err = c.open(path)
		return err
	})
	if l.err != nil {
		l.err = loadFault(path, l.err)
	}
	c.opened[path] = l
	return l.lib, l.err
}

// openedLibrary is what has become of opening a library.
type openedLibrary struct {
	lib library
	err error
}

// symbol opens a library and returns one of its symbols as a T. The symbol is a variable, so that what is looked up is
// a pointer to it: either the pointer or the variable itself is a T.
func symbol[T any](c *catalog, path, name string) (T, error) {
	var none T
	lib, err := c.library(path)
	if err != nil {
		return none, err
	}
	sym, err := lib.Lookup(name)
	if err != nil {
		return none, &Fault{Code: "P403", Message: fmt.Sprintf("%s: symbol '%s' not found", path, name)}
	}
	if v, ok := sym.(T); ok {
		return v, nil
	}
	if p := reflect.ValueOf(sym); p.Kind() == reflect.Pointer && !p.IsNil() {
		if v, ok := p.Elem().Interface().(T); ok {
			return v, nil
		}
	}
	return none, &Fault{Code: "P404",
		Message: fmt.Sprintf("%s: symbol '%s' does not implement %s", path, name, reflect.TypeFor[T]().Name())}
}

// hostBuild says how the program was built. It is empty for a program that was not built in the usual way.
func hostBuild() *debug.BuildInfo {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info
	}
	return new(debug.BuildInfo)
}

// incompatible refuses a library that must not even be opened. Go compares packages when it opens one, but only after it
// has read tables of the library, whose form changes with the release, and resolved symbols of the race detector.
func incompatible(lib, host *debug.BuildInfo) error {
	if lib.GoVersion != host.GoVersion {
		return fmt.Errorf("it was built by %s, the program by %s", lib.GoVersion, host.GoVersion)
	}
	for _, key := range []string{"GOOS", "GOARCH", "-race"} {
		if got, want := setting(lib, key), setting(host, key); got != want {
			return errors.New(difference(key, got, want))
		}
	}
	return nil
}

// setting returns how something was set for a build, or "".
func setting(info *debug.BuildInfo, key string) string {
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// difference says in what a library and the program are not alike.
func difference(key, got, want string) string {
	text := func(v string) string {
		if v == "" {
			return "not set"
		}
		return v
	}
	return fmt.Sprintf("%s is %s for the plugin and %s for the program", key, text(got), text(want))
}

// matters says whether a plugin must be built with the same value of a setting as the program.
func matters(key string) bool {
	switch key {
	case "-buildmode", "-compiler", "-ldflags":
		return false
	case "CGO_ENABLED":
		return true
	}
	return strings.HasPrefix(key, "-") || strings.HasPrefix(key, "GO")
}

// differences lists in what a library and the program are not alike, as far as that matters.
func differences(lib, host *debug.BuildInfo) []string {
	var list []string
	if lib.GoVersion != host.GoVersion {
		list = append(list, difference("Go release", lib.GoVersion, host.GoVersion))
	}
	var keys []string
	for _, info := range []*debug.BuildInfo{host, lib} {
		for _, s := range info.Settings {
			if matters(s.Key) && !slices.Contains(keys, s.Key) {
				keys = append(keys, s.Key)
			}
		}
	}
	for _, key := range keys {
		if got, want := setting(lib, key), setting(host, key); got != want {
			list = append(list, difference(key, got, want))
		}
	}
	for _, m := range host.Deps {
		i := slices.IndexFunc(lib.Deps, func(d *debug.Module) bool { return d.Path == m.Path })
		if i >= 0 && effective(lib.Deps[i]).Version != effective(m).Version {
			list = append(list, difference("module "+m.Path, effective(lib.Deps[i]).Version, effective(m).Version))
		}
	}
	got, want := setting(lib, "vcs.revision"), setting(host, "vcs.revision")
	if lib.Main.Path == host.Main.Path && got != want && got != "" && want != "" {
		list = append(list, difference("the revision of the sources", got, want))
	}
	return list
}

// effective returns the module that was really used.
func effective(m *debug.Module) *debug.Module {
	if m.Replace != nil {
		return m.Replace
	}
	return m
}

// loadFault says why a library could not be opened, and what helps.
func loadFault(path string, err error) *Fault {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	reason := openReason(path, err)
	f := &Fault{Code: "P402", Message: fmt.Sprintf("%s: cannot load: %s", path, reason)}
	switch {
	case strings.Contains(reason, "not implemented"):
		f.Hints = []string{"this program was built without cgo and cannot load plugins"}
		return f
	case strings.Contains(reason, "plugin already loaded"):
		f.Hints = []string{"a library of the same package is loaded under another name; give each plugin a package of its own"}
		return f
	}
	lib, err := buildinfo.ReadFile(path)
	if err != nil {
		lib = new(debug.BuildInfo)
	}
	host := hostBuild()
	if lib.GoVersion == "" {
		f.Hints = append(f.Hints, "it does not look like a Go plugin")
	} else if list := differences(lib, host); len(list) > 0 {
		f.Hints = append(f.Hints, strings.Join(list, "; "))
	} else {
		f.Hints = append(f.Hints, "plugin and program were built with the same Go release, flags and modules, so their sources must differ")
	}
	f.Hints = append(f.Hints, "build it in the plugin-builder image of this release ("+builderImage+"), or in the source tree of the program with: "+
		buildCommand(path, lib, host))
	return f
}

// openReason returns why a library could not be opened, without its name, under which it is reported.
func openReason(path string, err error) string {
	reason := err.Error()
	for _, name := range []string{path, strings.TrimSuffix(path, ".so")} {
		reason = strings.TrimPrefix(reason, fmt.Sprintf("plugin.Open(%q): ", name))
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		if abs, err := filepath.Abs(real); err == nil {
			reason = strings.TrimPrefix(reason, abs+": ")
		}
	}
	return reason
}

// buildCommand returns the command that builds a library so that the program can load it.
func buildCommand(path string, lib, host *debug.BuildInfo) string {
	dir := "path/to/" + strings.TrimSuffix(filepath.Base(path), ".so")
	if rel, ok := strings.CutPrefix(lib.Path, module+"/"); ok {
		dir = rel
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	cmd := "make plugin DIR=" + dir + " OUT=" + path
	if flags := buildFlags(host); flags != "-trimpath" { // which is what make plugin does by itself
		cmd += " BUILDFLAGS='" + flags + "'"
	}
	return cmd
}

// buildFlags returns the flags of the go command that the program was built with and plugins must be.
func buildFlags(host *debug.BuildInfo) string {
	var flags []string
	for _, s := range host.Settings {
		if !matters(s.Key) || !strings.HasPrefix(s.Key, "-") {
			continue
		}
		flag := s.Key
		if s.Value != "true" {
			flag += "=" + s.Value
		}
		if strings.Contains(flag, " ") {
			flag = `"` + flag + `"`
		}
		flags = append(flags, flag)
	}
	return strings.Join(flags, " ")
}
