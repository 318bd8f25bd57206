package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
	"github.com/sysflow-telemetry/sf-processor/core/field"
)

// Set by the linker.
var (
	version     = "dev"
	buildNumber = "0"
)

// avroVersion is the version of the newest writer schema that the program knows.
const avroVersion = 5

func fullVersion() string { return strings.TrimPrefix(version, "v") + "+" + buildNumber }

// printVersion prints the versions of the program and its formats, and what a plugin must match.
func printVersion(w io.Writer) {
	fmt.Fprintf(w, "Version: %s, Avro Schema Version: %d, Export Schema Version: %d (JSON), %s (ECS)\n",
		fullVersion(), avroVersion, field.ExportVersion, encode.ECSVersion)
	fmt.Fprintf(w, "Go: %s %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return
	}
	var flags []string
	for _, s := range info.Settings {
		if strings.HasPrefix(s.Key, "-") && s.Key != "-ldflags" || strings.HasPrefix(s.Key, "CGO_ENABLED") {
			flags = append(flags, s.Key+"="+s.Value)
		}
	}
	fmt.Fprintf(w, "Build: %s\n", strings.Join(flags, " "))
	for _, m := range info.Deps {
		fmt.Fprintf(w, "Module: %s %s\n", m.Path, m.Version)
	}
}

// injected returns the keys that the program gives to every entry of the pipeline file.
func injected(getenv func(string) string) map[string]string {
	keys := map[string]string{
		"version":           fullVersion(),
		"buildnumber":       buildNumber,
		"jsonschemaversion": strconv.Itoa(field.ExportVersion),
		"ecsversion":        encode.ECSVersion,
	}
	if id := getenv("CLUSTER_ID"); id != "" {
		keys["cluster.id"] = id
	}
	return keys
}
