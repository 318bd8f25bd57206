package falco

import (
	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// Checks says how strictly policies are checked.
type Checks string

// Levels of checking; the empty text is Normal.
const (
	Strict  Checks = "strict"  // whatever looks wrong is an error
	Normal  Checks = "normal"  // what cannot work is an error, what looks wrong a warning
	Lenient Checks = "lenient" // unknown names are warnings as well
)

// Mode says whether Falco names mean what they mean in Falco where the documented synonym differs.
type Mode string

// Modes; the empty text is Auto.
const (
	Auto Mode = "auto" // on if a file of the set requires a version of Falco's rules engine or of a plugin
	On   Mode = "on"
	Off  Mode = "off"
)

// Options say how to load.
type Options struct {
	Checks    Checks
	Falco     Mode
	Actions   []string // names of the actions that rules may run
	Catalogue *field.Catalogue
}

// Source is a policy file in memory. Name is what diagnostics call it.
type Source struct {
	Name string
	Text []byte
}

// Load reads the policy set at path, a file or a directory. The policy is nil if one of the diagnostics is an error.
func Load(path string, opts Options) (*policy.Policy, policy.Diagnostics) {
	return LoadAll([]string{path}, opts)
}

// LoadAll reads the policy set that several files and directories make up together; their order is the load order.
func LoadAll(paths []string, opts Options) (*policy.Policy, policy.Diagnostics) {
	l := newLoader(opts)
	for _, path := range paths {
		l.files(path)
	}
	return l.finish()
}

// LoadSources loads a policy set from memory; the order of the sources is the load order.
func LoadSources(srcs []Source, opts Options) (*policy.Policy, policy.Diagnostics) {
	l := newLoader(opts)
	for _, src := range srcs {
		l.source(src)
	}
	return l.finish()
}
