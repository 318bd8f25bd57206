package logger

import (
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// maxCalls is how many calls of a panic are told.
const maxCalls = 16

// PanicCalls returns the calls that led to the panic that is being recovered, the innermost first, on one line:
//
//	mine.(*Mine).lookup table.go:31 < mine.(*Mine).Process mine.go:77
//
// It is called by the deferred function that recovers; the calls end at the function that has deferred it.
func PanicCalls() string {
	pcs := make([]uintptr, 256)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	deferred, more := frames.Next()
	var calls []string
	for panicking := false; more; {
		var f runtime.Frame
		f, more = frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			panicking = true
		case !panicking, strings.HasPrefix(f.Function, "runtime."):
		case strings.HasPrefix(deferred.Function, f.Function+"."):
			return strings.Join(calls, " < ")
		case len(calls) == maxCalls:
			calls = append(calls, "…")
		case len(calls) < maxCalls:
			calls = append(calls, fmt.Sprintf("%s %s:%d", path.Base(f.Function), filepath.Base(f.File), f.Line))
		}
	}
	return strings.Join(calls, " < ")
}
