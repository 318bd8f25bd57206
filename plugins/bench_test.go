package plugins_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/resources/traces/scenario"
)

// worst is how much slower a replay may be if all its records pass through a plugin.
const worst = 3.0

// BenchmarkPassThrough replays a trace with a plugin that does nothing between reader and policy engine, and without, and
// fails if the plugin takes more than two thirds of the throughput. SFP_BENCH_RECORDS is how many records to generate,
// 1,000,000 by default.
//
//	go test -run '^$' -bench PassThrough -benchtime 3x ./plugins
func BenchmarkPassThrough(b *testing.B) {
	records := 1_000_000
	if v := os.Getenv("SFP_BENCH_RECORDS"); v != "" {
		var err error
		if records, err = strconv.Atoi(v); err != nil {
			b.Fatalf("SFP_BENCH_RECORDS: %v", err)
		}
	}
	trace := filepath.Join(b.TempDir(), "database.sf")
	s, err := scenario.Load("../resources/traces/scenarios/database.yaml")
	if err != nil {
		b.Fatal(err)
	}
	f, err := os.Create(trace)
	if err != nil {
		b.Fatal(err)
	}
	if err := s.WriteTrace(f, scenario.Options{Records: records}); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	in := install(b, map[string]string{"plugins/pass.so": "plugins/testdata/pass"})
	const rest = `{"processor": "policyengine", "in": "g flattenerchan", "out": "e eventchan", "policies": "../resources/policies/runtimeintegrity"},
{"processor": "exporter", "in": "e eventchan", "export": "null"}`
	names := []string{"without", "with"}
	pipelines := map[string]string{
		"without": `{"processor": "sysflowreader", "handler": "flattener", "in": "s sysflowchan", "out": "g flattenerchan"},` + rest,
		"with": `{"processor": "sysflowreader", "handler": "flattener", "in": "s sysflowchan", "out": "f flattenerchan"},
{"processor": "pass", "in": "f flattenerchan", "out": "g flattenerchan"},` + rest,
	}
	wall, cpu := map[string]time.Duration{}, map[string]time.Duration{}
	replay := func(name string) {
		config := in.pipeline(b, pipelines[name])
		start := time.Now()
		p := in.start(b, nil, "-log=error", config, trace)
		p.wait(b).mustExit(b, 0)
		wall[name] += time.Since(start)
		cpu[name] += p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	}
	for b.Loop() {
		for _, name := range names { // in turns, so that a busy machine slows both
			replay(name)
		}
	}
	n := float64(b.N * records)
	for _, name := range names {
		b.ReportMetric(n/wall[name].Seconds(), "records/s-"+name)
		b.ReportMetric(float64(cpu[name].Nanoseconds())/n, "cpu-ns/record-"+name)
	}
	ratio := wall["with"].Seconds() / wall["without"].Seconds()
	b.ReportMetric(ratio, "times-slower")
	b.ReportMetric(0, "ns/op")
	if ratio > worst {
		b.Errorf("%.1f times slower with the plugin, want at most %.0f: %v instead of %v, of CPU %v instead of %v",
			ratio, worst, wall["with"], wall["without"], cpu["with"], cpu["without"])
	}
}
