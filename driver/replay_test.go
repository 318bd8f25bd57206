package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
	"github.com/sysflow-telemetry/sf-processor/resources/traces/scenario"
)

// enrichPipeline writes a pipeline that prints every record, and returns its path.
func enrichPipeline(t *testing.T, concurrency int) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "pipeline.json", fmt.Sprintf(`{"pipeline": [
		{"processor": "sysflowreader", "handler": "flattener", "in": "sysflow sysflowchan", "out": "flat flattenerchan"},
		{"processor": "policyengine", "mode": "enrich", "concurrency": %d, "in": "flat flattenerchan", "out": "evt eventchan"},
		{"processor": "exporter", "in": "evt eventchan", "export": "terminal"}]}`, concurrency))
	return filepath.Join(dir, "pipeline.json")
}

// replay runs the program on a trace in this process.
func replay(pipeline, trace string) (stdout []byte, stderr string, code int) {
	var out, errs bytes.Buffer
	code = run([]string{"-log=warn", "-config=" + pipeline, trace}, nil, &out, &errs)
	return out.Bytes(), errs.String(), code
}

// types counts records by their type. Each has to be a line of valid JSON in valid UTF-8.
func types(t *testing.T, out []byte) map[string]int {
	t.Helper()
	if !utf8.Valid(out) {
		t.Error("not UTF-8")
	}
	n := map[string]int{}
	for line := range bytes.Lines(out) {
		var doc struct{ Type string }
		if err := json.Unmarshal(line, &doc); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		n[doc.Type]++
	}
	return n
}

// TestRealTraces replays public captures: each flow and event comes out once, and the output is the same whatever the
// concurrency and however often it is made.
func TestRealTraces(t *testing.T) {
	dir := os.Getenv("SYSFLOW_TRACES")
	if dir == "" {
		t.Skip("SYSFLOW_TRACES does not say where real traces are")
	}
	want := map[string]map[string]int{
		"k8s_small.sf":               {"PE": 341, "FF": 3383, "NF": 1511, "FE": 8, "KE": 4},
		"mon.1531776712.sf":          {"PE": 234, "FF": 6002, "NF": 86, "FE": 3},
		"procflow.mon.1548965926.sf": {"PE": 237}, // event-shaped flows of processes
		"rename2at.sf":               {"PE": 2, "FF": 9, "FE": 1},
		"runtime-1621959914.sf":      {"PE": 127, "FF": 5609, "NF": 3, "FE": 83},
		"setns.sf":                   {"PE": 83, "FF": 322, "NF": 3},
		"tcp.sf":                     {"PE": 4, "FF": 4, "NF": 2},
		"webserver.sf":               {"PE": 198, "FF": 4405, "NF": 50, "FE": 27},
	}
	traces, err := filepath.Glob(filepath.Join(dir, "*.sf"))
	if err != nil || len(traces) < len(want) {
		t.Fatalf("%d traces in %s, want at least %d: %v", len(traces), dir, len(want), err)
	}
	pipelines := []string{enrichPipeline(t, 1), enrichPipeline(t, 2), enrichPipeline(t, 8), enrichPipeline(t, 8)}
	for _, trace := range traces {
		t.Run(filepath.Base(trace), func(t *testing.T) {
			t.Parallel()
			var first []byte
			for i, p := range pipelines {
				out, log, code := replay(p, trace)
				if code != exitOK || strings.Contains(log, "[Error]") {
					t.Fatalf("exit code %d\n%s", code, log)
				}
				if i == 0 {
					first = out
				} else if !bytes.Equal(out, first) {
					t.Errorf("run %d makes other output than the first", i)
				}
			}
			got := types(t, first)
			if want, ok := want[filepath.Base(trace)]; ok && !maps.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// smallTrace makes a trace of some small blocks, and returns with it how many flows and events there are up to the end
// of each block, by its offset.
func smallTrace(t *testing.T) (trace []byte, ends map[int]int) {
	t.Helper()
	s, err := scenario.Load("../resources/traces/scenarios/tcp.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	w, err := codec.NewWriter(&buf, &codec.WriterConfig{Schema: "S6", Sync: [16]byte{1, 2, 3, 14: 4, 15: 5}})
	if err != nil {
		t.Fatal(err)
	}
	ends = map[int]int{buf.Len(): 0}
	records, n := 0, 0
	err = s.Records(scenario.Options{Schema: "S6"}, func(rec *sfgo.SysFlow) error {
		if err := w.Write(rec); err != nil {
			return err
		}
		if u := rec.Rec; u.ProcessEvent != nil || u.FileFlow != nil || u.NetworkFlow != nil {
			records++
		}
		if n++; n%5 == 0 {
			err := w.Flush()
			ends[buf.Len()] = records
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	ends[buf.Len()] = records
	return buf.Bytes(), ends
}

// TestDamagedAnywhere flips each byte of a trace, and cuts the trace there. Each time, all that comes before must be
// printed, and what is wrong said: a cut is no error, damage is. Under the race detector, it takes some bytes only.
func TestDamagedAnywhere(t *testing.T) {
	const marker = 16
	trace, ends := smallTrace(t)
	pipeline, file := enrichPipeline(t, 1), filepath.Join(t.TempDir(), "trace.sf")
	play := func(data []byte) (lines []string, log string, code int) {
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		out, log, code := replay(pipeline, file)
		types(t, out)
		return slices.Collect(strings.Lines(string(out))), log, code
	}
	clean, log, code := play(trace)
	if len(clean) != ends[len(trace)] || len(clean) < 5 || len(ends) < 4 || code != exitOK {
		t.Fatalf("exit code %d, %d records of %d in %d blocks\n%s", code, len(clean), ends[len(trace)], len(ends)-1, log)
	}
	first := slices.Min(slices.Collect(maps.Keys(ends))) // where the first block begins
	before := func(at int) (records int) {
		for end, n := range ends {
			if end <= at {
				records = max(records, n)
			}
		}
		return records
	}
	step := func(at int) int {
		switch {
		case at < 8 || !raceEnabled && at >= first:
			return 1
		case at >= first:
			return 29
		default: // most of a trace's head is the text of its schema
			return 1 + first/50
		}
	}
	for at := 0; at < len(trace); at += step(at) {
		flipped := bytes.Clone(trace)
		flipped[at] ^= 0xff
		lines, log, code := play(flipped)
		n := before(at)
		if at >= first && (len(lines) < n || !slices.Equal(lines[:n], clean[:n])) {
			t.Errorf("byte %d flipped: %d records came out, want those before as they are: %d\n%s", at, len(lines), n, log)
		}
		reported := strings.Contains(log, "[Error]")
		warned := strings.Contains(log, "[Warn]")
		switch {
		case reported != (code == exitError), code != exitOK && code != exitError:
			t.Errorf("byte %d flipped: exit code %d\n%s", at, code, log)
		case !reported && !warned && len(lines) != len(clean): // what only changes a value cannot be noticed
			t.Errorf("byte %d flipped: %d records came out of %d, and nothing is said\n%s", at, len(lines), len(clean), log)
		}

		lines, log, code = play(trace[:at])
		n = before(at + marker) // a block is whole without the marker behind it
		if !slices.Equal(lines, clean[:n]) {
			t.Errorf("cut at %d: %d records came out, want those before: %d", at, len(lines), n)
		}
		_, whole := ends[at]
		magic := at >= 4
		if warned = strings.Contains(log, "[Warn]"); magic && (code != exitOK || warned == whole) || !magic && code != exitError {
			t.Errorf("cut at %d: exit code %d\n%s", at, code, log)
		}
	}
}
