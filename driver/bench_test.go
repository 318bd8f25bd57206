package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
	"github.com/sysflow-telemetry/sf-processor/resources/traces/scenario"
)

// The benchmarks here measure the program as its users run it: each run is a process of its own, whose CPU time (user and
// system) and peak memory the kernel tells. The floor is a process that only inflates the trace's blocks, with the
// library and the read-ahead of the program, and throws them away.
//
// Environment:
//
//	SFP_BENCH_TRACE    a trace or a directory to replay; else the busy database scenario is generated
//	SFP_BENCH_RECORDS  how many records to generate, default 1,000,000

// childVar tells the test binary to be the program, or the floor, instead of running tests.
const childVar = "SFP_BENCH_CHILD"

// childReport is what a child tells of itself on file descriptor 3.
type childReport struct{ Mallocs uint64 }

// TestBenchChild is the body of the benchmarks' processes.
func TestBenchChild(t *testing.T) {
	args := strings.Split(os.Getenv(childVar), "\x1f")
	code := 0
	switch args[0] {
	case "":
		t.Skip("the process of a benchmark, of no use by itself")
	case "floor":
		if err := inflateAll(args[1]); err != nil {
			t.Fatal(err)
		}
	case "program":
		code = run(args[1:], os.Stdin, io.Discard, os.Stderr)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if err := json.NewEncoder(os.NewFile(3, "report")).Encode(childReport{m.Mallocs}); err != nil {
		t.Fatal(err)
	}
	os.Exit(code)
}

// inflateAll inflates the blocks of a trace, or of those of a directory, and discards them.
func inflateAll(path string) error {
	files, err := filepath.Glob(filepath.Join(path, "*"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		files = []string{path}
	}
	for _, name := range files {
		if err := inflateFile(name); err != nil {
			return err
		}
	}
	return nil
}

func inflateFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := codec.NewReader(f, name, nil)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		b, err := r.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if b.Release != nil {
			b.Release()
		}
	}
}

// benchTrace is what a benchmark replays.
type benchTrace struct {
	name    string
	path    string
	records int // flows and events
}

// benchTraces returns the traces to replay: what SFP_BENCH_TRACE names, or the busy database and, if public traces are
// at hand, the small Kubernetes node four hundred times over.
func benchTraces(b *testing.B) []benchTrace {
	b.Helper()
	if path := os.Getenv("SFP_BENCH_TRACE"); path != "" {
		return []benchTrace{{"given", path, countRecords(b, path)}}
	}
	records := 1_000_000
	if v := os.Getenv("SFP_BENCH_RECORDS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			b.Fatalf("SFP_BENCH_RECORDS: %v", err)
		}
		records = n
	}
	dir := b.TempDir()
	database := filepath.Join(dir, "database.sf")
	s, err := scenario.Load("../resources/traces/scenarios/database.yaml")
	if err != nil {
		b.Fatal(err)
	}
	f, err := os.Create(database)
	if err != nil {
		b.Fatal(err)
	}
	if err := s.WriteTrace(f, scenario.Options{Records: records}); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	traces := []benchTrace{{"database", database, countRecords(b, database)}}
	if public := os.Getenv("SYSFLOW_TRACES"); public != "" {
		node := filepath.Join(public, "k8s_small.sf")
		n := countRecords(b, node)
		copies := max(1, records/n)
		many := filepath.Join(dir, "k8s_small")
		if err := os.Mkdir(many, 0o755); err != nil {
			b.Fatal(err)
		}
		data, err := os.ReadFile(node)
		if err != nil {
			b.Fatal(err)
		}
		for i := range copies {
			if err := os.WriteFile(filepath.Join(many, fmt.Sprintf("%06d", i)), data, 0o644); err != nil {
				b.Fatal(err)
			}
		}
		traces = append(traces, benchTrace{"k8s_small", many, copies * n})
	}
	return traces
}

// countRecords returns the number of flows and events in a trace, or in a directory of traces.
func countRecords(b *testing.B, path string) int {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(path, "*"))
	if err != nil {
		b.Fatal(err)
	}
	if len(files) == 0 {
		files = []string{path}
	}
	total := 0
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		r, err := codec.NewReader(f, name, nil)
		if err != nil {
			b.Fatal(err)
		}
		d, err := codec.NewDecoder(r.Stream().Schema)
		if err != nil {
			b.Fatal(err)
		}
		var rec codec.Record
		for {
			block, err := r.Next(b.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			for data := block.Data; len(data) > 0; {
				n, err := d.Decode(data, &rec)
				if err != nil {
					b.Fatal(err)
				}
				data = data[n:]
				if rec.Type >= sfgo.PROC_EVT && rec.Type != sfgo.POD && rec.Type != sfgo.NET_EVT {
					total++
				}
			}
			if block.Release != nil {
				block.Release()
			}
		}
		if err := errors.Join(r.Close(), f.Close()); err != nil {
			b.Fatal(err)
		}
	}
	return total
}

// cost is what a process cost.
type cost struct {
	cpu, wall time.Duration
	maxRSS    int64 // bytes
	mallocs   uint64
}

// child runs the test binary as the program or the floor and returns what it cost.
func child(b *testing.B, procs int, args ...string) cost {
	b.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	var stderr bytes.Buffer
	cmd := exec.Command(os.Args[0], "-test.run=^TestBenchChild$")
	cmd.Env = append(os.Environ(), childVar+"="+strings.Join(args, "\x1f"), "GOMAXPROCS="+strconv.Itoa(procs))
	cmd.Stderr = &stderr
	cmd.ExtraFiles = []*os.File{w}
	start := time.Now()
	err = cmd.Start()
	w.Close()
	if err != nil {
		b.Fatal(err)
	}
	var report childReport
	decodeErr := json.NewDecoder(r).Decode(&report)
	if err := errors.Join(cmd.Wait(), decodeErr); err != nil {
		b.Fatalf("%v: %v\n%s", args, err, stderr.Bytes())
	}
	rusage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		b.Fatal("no resource usage on this system")
	}
	return cost{
		cpu:     cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		wall:    time.Since(start),
		maxRSS:  rusage.Maxrss << 10,
		mallocs: report.Mallocs,
	}
}

// pipelineFile writes a pipeline of a policy engine and an exporter, with the given attributes, and returns its path.
func pipelineFile(b testing.TB, engine, exporter string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "pipeline.json")
	text := fmt.Sprintf(`{"pipeline": [
		{"processor": "sysflowreader", "handler": "flattener", "in": "sysflow sysflowchan", "out": "flat flattenerchan"},
		{"processor": "policyengine", "in": "flat flattenerchan", "out": "evt eventchan", %s},
		{"processor": "exporter", "in": "evt eventchan", %s}]}`, engine, exporter)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkReplay measures replays by their cost per record: cpu-ns/record is user and system time of the whole process,
// x-floor its ratio to inflating the same blocks.
func BenchmarkReplay(b *testing.B) {
	out := filepath.Join(b.TempDir(), "records.out")
	many := manyRules(b, 1000)
	for _, tr := range benchTraces(b) {
		for _, procs := range []int{1, runtime.NumCPU()} {
			floor := floorOf(b, procs, tr)
			for _, work := range []struct{ name, engine, exporter string }{
				{"default", `"policies": "../resources/policies/distribution"`, `"export": "null"`},
				{"runtimeintegrity", `"policies": "../resources/policies/runtimeintegrity"`, `"export": "null"`},
				{"rules1000", fmt.Sprintf(`"policies": %q`, many), `"export": "null"`},
				{"enrich-json", `"mode": "enrich"`, fmt.Sprintf(`"export": "file", "file.path": %q, "file.append": false`, out)},
				{"enrich-ecs", `"mode": "enrich"`, fmt.Sprintf(`"export": "file", "format": "ecs", "file.path": %q, "file.append": false`, out)},
			} {
				b.Run(fmt.Sprintf("%s/%s/procs=%d", tr.name, work.name, procs), func(b *testing.B) {
					pipeline := pipelineFile(b, work.engine, work.exporter)
					var sum cost
					n := 0
					for b.Loop() {
						u := child(b, procs, "program", "-log=error", "-config="+pipeline, tr.path)
						sum.cpu += u.cpu
						sum.wall += u.wall
						sum.mallocs += u.mallocs
						sum.maxRSS = max(sum.maxRSS, u.maxRSS)
						n++
					}
					records := float64(n * tr.records)
					perRecord := float64(sum.cpu.Nanoseconds()) / records
					b.ReportMetric(perRecord, "cpu-ns/record")
					b.ReportMetric(perRecord/floor, "x-floor")
					b.ReportMetric(records/sum.wall.Seconds(), "records/s")
					b.ReportMetric(float64(sum.mallocs)/records, "allocs/record")
					b.ReportMetric(float64(sum.maxRSS)/(1<<20), "maxrss-MiB")
					if info, err := os.Stat(out); err == nil && strings.HasPrefix(work.name, "enrich") {
						b.ReportMetric(float64(info.Size())*float64(n)/1e6/sum.cpu.Seconds(), "out-MB/cpu-s")
					}
				})
			}
		}
	}
}

// floorOf measures the floor of a trace, the least of three runs, in nanoseconds a record.
func floorOf(b *testing.B, procs int, tr benchTrace) float64 {
	b.Helper()
	least := time.Duration(1<<63 - 1)
	for range 3 {
		least = min(least, child(b, procs, "floor", tr.path).cpu)
	}
	floor := float64(least.Nanoseconds()) / float64(tr.records)
	b.Run(fmt.Sprintf("%s/floor/procs=%d", tr.name, procs), func(b *testing.B) {
		for b.Loop() { // the figure is the one above, for benchstat to show beside the others
		}
		b.ReportMetric(floor, "cpu-ns/record")
	})
	return floor
}
