package logger_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/logger"
)

// calls returns what PanicCalls says of a panic in f.
func calls(f func()) (text string) {
	defer func() {
		_ = recover()
		text = logger.PanicCalls()
	}()
	f()
	return "no panic"
}

func explode(values []int) int { return values[len(values)] }

func dive(depth int) int {
	if depth == 0 {
		panic("bottom")
	}
	return dive(depth-1) + 1
}

func TestPanicCalls(t *testing.T) {
	for name, tt := range map[string]struct {
		f    func()
		want string
	}{
		"panic":         {func() { panic("x") }, `^logger_test\.TestPanicCalls\.func1 panic_test\.go:\d+$`},
		"runtime error": {func() { explode(nil) }, `^logger_test\.explode panic_test\.go:\d+ < logger_test\.TestPanicCalls\.func2 panic_test\.go:\d+$`},
		"while cleaning up": {func() {
			defer func() { explode(nil) }()
			panic("x")
		}, `^logger_test\.explode panic_test\.go:\d+ < logger_test\.TestPanicCalls\.func3\.1 panic_test\.go:\d+ < logger_test\.TestPanicCalls\.func3 `},
		"deep": {func() { dive(100) }, `^(logger_test\.dive panic_test\.go:\d+ < ){16}…$`},
	} {
		got := calls(tt.f)
		if !regexp.MustCompile(tt.want).MatchString(got) || strings.Contains(got, "\n") {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}
