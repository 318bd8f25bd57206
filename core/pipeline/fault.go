package pipeline

import (
	"errors"
	"fmt"

	"github.com/sysflow-telemetry/sf-processor/core/config"
	"github.com/sysflow-telemetry/sf-processor/core/logger"
)

// A Fault is what is wrong with a plugin: its code is P401 to P407.
type Fault struct {
	Code    string
	Message string
	Hints   []string // what helps
	Calls   string   // of a panic: the calls that led to it, the innermost first
}

// Error returns the message and the code, and for a panic where it came from.
func (f *Fault) Error() string {
	text := f.Message + " [" + f.Code + "]"
	if f.Calls != "" {
		text += "; calls: " + f.Calls
	}
	return text
}

// report appends the fault to diags, at a place of the pipeline file.
func (f *Fault) report(diags *config.Diagnostics, at config.Pos) {
	d := diags.Errorf(at, f.Code, "%s", f.Message)
	for _, h := range f.Hints {
		d.Hint("%s", h)
	}
	if f.Calls != "" {
		d.Hint("calls: %s", f.Calls)
	}
}

// asFault returns err, which some call into a plugin has returned, as a fault.
func asFault(err error) *Fault {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	return &Fault{Code: "P402", Message: err.Error()}
}

// attrsOf returns what a line of the log says of an error, which may be a fault, after what it is about.
func attrsOf(err error, about ...any) []any {
	attrs := append(about, "err", err)
	if f, ok := errors.AsType[*Fault](err); ok {
		for _, h := range f.Hints {
			attrs = append(attrs, "hint", h)
		}
	}
	return attrs
}

// guard calls f, which calls into a plugin, and turns a panic into an error.
func guard(what string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Fault{Code: "P407", Message: fmt.Sprintf("panic in %s: %v", what, v), Calls: logger.PanicCalls()}
		}
	}()
	return f()
}
