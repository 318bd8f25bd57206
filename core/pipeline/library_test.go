package pipeline

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/plugins"
)

// built returns what a build tells of itself; settings are key=value.
func built(release string, deps []*debug.Module, settings ...string) *debug.BuildInfo {
	info := &debug.BuildInfo{GoVersion: release, Deps: deps, Main: debug.Module{Path: module}}
	for _, s := range settings {
		key, value, _ := strings.Cut(s, "=")
		info.Settings = append(info.Settings, debug.BuildSetting{Key: key, Value: value})
	}
	return info
}

func TestDifferences(t *testing.T) {
	dep := func(version string) []*debug.Module {
		return []*debug.Module{{Path: "example.com/hash", Version: version}, {Path: "example.com/own" + version}}
	}
	host := built("go1.26.8", dep("v1.2.0"), "-buildmode=exe", "-trimpath=true", "-ldflags=-X a=b", "CGO_ENABLED=1", "GOAMD64=v1",
		"GOOS=linux", "vcs.revision=aaa", "CGO_CFLAGS=-O2")
	for name, tt := range map[string]struct {
		lib  *debug.BuildInfo
		want []string
	}{
		"alike": {
			built("go1.26.8", dep("v1.2.0"), "-buildmode=plugin", "-trimpath=true", "CGO_ENABLED=1", "GOAMD64=v1", "GOOS=linux", "vcs.revision=aaa"),
			nil,
		},
		"release": {
			built("go1.26.7", dep("v1.2.0"), "-trimpath=true", "CGO_ENABLED=1", "GOAMD64=v1", "GOOS=linux"),
			[]string{"Go release is go1.26.7 for the plugin and go1.26.8 for the program"},
		},
		"flags and sources": {
			built("go1.26.8", dep("v1.2.0"), "-race=true", "CGO_ENABLED=1", "GOAMD64=v3", "GOOS=linux", "vcs.revision=bbb"),
			[]string{
				"-trimpath is not set for the plugin and true for the program",
				"GOAMD64 is v3 for the plugin and v1 for the program",
				"-race is true for the plugin and not set for the program",
				"the revision of the sources is bbb for the plugin and aaa for the program",
			},
		},
		"module": {
			built("go1.26.8", dep("v1.3.0"), "-trimpath=true", "CGO_ENABLED=1", "GOAMD64=v1", "GOOS=linux"),
			[]string{"module example.com/hash is v1.3.0 for the plugin and v1.2.0 for the program"},
		},
		"replaced module": {
			built("go1.26.8", []*debug.Module{{Path: "example.com/hash", Version: "v1.2.0", Replace: &debug.Module{Version: "v9.0.0"}}},
				"-trimpath=true", "CGO_ENABLED=1", "GOAMD64=v1", "GOOS=linux"),
			[]string{"module example.com/hash is v9.0.0 for the plugin and v1.2.0 for the program"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := differences(tt.lib, host); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// TestIncompatible wants libraries refused that would bring the program down if they were opened.
func TestIncompatible(t *testing.T) {
	host := built("go1.26.8", nil, "GOOS=linux", "GOARCH=amd64", "-race=true")
	for name, tt := range map[string]struct {
		lib  *debug.BuildInfo
		want string
	}{
		"alike":   {built("go1.26.8", nil, "GOOS=linux", "GOARCH=amd64", "-race=true", "-tags=x"), ""},
		"release": {built("go1.25.1", nil, "GOOS=linux", "GOARCH=amd64", "-race=true"), "it was built by go1.25.1, the program by go1.26.8"},
		"race":    {built("go1.26.8", nil, "GOOS=linux", "GOARCH=amd64"), "-race is not set for the plugin and true for the program"},
		"machine": {built("go1.26.8", nil, "GOOS=linux", "GOARCH=arm64"), "GOARCH is arm64 for the plugin and amd64 for the program"},
	} {
		got := ""
		if err := incompatible(tt.lib, host); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func TestBuildCommand(t *testing.T) {
	usual := built("go1.26.8", nil, "-buildmode=exe", "-trimpath=true", "CGO_ENABLED=1", "GOOS=linux")
	special := built("go1.26.8", nil, "-buildmode=exe", "-race=true", "-tags=a,b", "-gcflags=all=-N -l", "-trimpath=true")
	inTree := &debug.BuildInfo{Path: module + "/plugins/processors/mine"}
	for name, tt := range map[string]struct {
		lib, host *debug.BuildInfo
		want      string
	}{
		"in the tree":   {inTree, usual, "make plugin DIR=plugins/processors/mine OUT=/lib/mine.so"},
		"elsewhere":     {&debug.BuildInfo{Path: "example.com/mine"}, usual, "make plugin DIR=path/to/mine OUT=/lib/mine.so"},
		"special flags": {inTree, special, `make plugin DIR=plugins/processors/mine OUT=/lib/mine.so BUILDFLAGS='-race -tags=a,b "-gcflags=all=-N -l" -trimpath'`},
	} {
		if got := buildCommand("/lib/mine.so", tt.lib, tt.host); got != tt.want {
			t.Errorf("%s: got  %s\nwant %s", name, got, tt.want)
		}
	}
}

func TestLoadFaultHints(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine.so")
	if err := os.WriteFile(path, []byte("not a library"), 0o644); err != nil {
		t.Fatal(err)
	}
	const noPlugin = "it does not look like a Go plugin"
	for err, tt := range map[string]struct{ reason, hint string }{
		"invalid ELF header":      {"invalid ELF header", noPlugin},
		"plugin already loaded":   {"plugin already loaded", "a library of the same package is loaded under another name"},
		"plugin: not implemented": {"plugin: not implemented", "this program was built without cgo"},
		`plugin.Open("` + strings.TrimSuffix(path, ".so") + `"): built otherwise`: {"built otherwise", noPlugin},
		`plugin.Open("` + path + `"): ` + path + ": file too short":               {"file too short", noPlugin},
	} {
		f := loadFault(path, errors.New(err))
		if f.Code != "P402" || f.Message != path+": cannot load: "+tt.reason || !strings.HasPrefix(strings.Join(f.Hints, "\n"), tt.hint) {
			t.Errorf("%s: got %v with hints %q", err, f, f.Hints)
		}
	}
}

// TestOpensOnce wants a library that dies when it is opened to be a fault, and not to be tried again.
func TestOpensOnce(t *testing.T) {
	tries := 0
	c := newCatalog(Registry{}, func(string) (library, error) {
		tries++
		panic("boom")
	})
	for range 2 {
		_, err := symbol[plugins.SFDriver](c, "x.so", plugins.DriverSym)
		f, ok := errors.AsType[*Fault](err)
		if !ok || f.Code != "P407" || f.Message != "panic in initialization of x.so: boom" || !strings.HasPrefix(f.Calls, "pipeline.TestOpensOnce.func1 library_test.go:") {
			t.Errorf("got %v", err)
		}
	}
	if tries != 1 {
		t.Errorf("opened %d times", tries)
	}
}
