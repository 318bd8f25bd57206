package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// maxMemory is what a replay may take at its peak, however long its input is.
const maxMemory = 100 << 20

// TestMemory measures the peak memory of replays by a program that is built without the race detector.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program, and replays a million records")
	}
	bin := t.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-o", bin+string(filepath.Separator), ".", "../resources/traces/generate")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	inputs := t.TempDir()
	long, many := filepath.Join(inputs, "long.sf"), filepath.Join(inputs, "many")
	generate := exec.Command(filepath.Join(bin, "generate"), "-bench", "500000", "-o", long,
		"../resources/traces/scenarios/database.yaml")
	if out, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("generate: %v\n%s", err, out)
	}
	copies(t, "pod.sf", many, 1000)

	output := filepath.Join(t.TempDir(), "records.out")
	for name, tt := range map[string]struct{ input, engine, exporter string }{
		"alerts of a long trace":         {long, `"policies": "../resources/policies/runtimeintegrity"`, `"export": "terminal"`},
		"alerts of many traces":          {many, `"policies": "../resources/policies/runtimeintegrity"`, `"export": "terminal"`},
		"records of a long trace":        {long, `"mode": "enrich"`, `"export": "terminal"`},
		"records of many traces":         {many, `"mode": "enrich"`, `"export": "terminal", "buffer": 1000`},
		"records of a long trace, file":  {long, `"mode": "enrich"`, fmt.Sprintf(`"export": "file", "file.path": %q`, output)},
		"documents of a long trace, ECS": {long, `"mode": "enrich"`, `"export": "null", "format": "ecs"`},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			cmd := exec.Command(filepath.Join(bin, "driver"), "-log=warn", "-config="+pipelineFile(t, tt.engine, tt.exporter), tt.input)
			cmd.Stderr = &log
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v\n%s", err, &log)
			}
			usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
			if !ok {
				t.Skip("no resource usage on this system")
			}
			if peak := usage.Maxrss << 10; peak > maxMemory {
				t.Errorf("%d MiB at the peak, want at most %d", peak>>20, maxMemory>>20)
			} else {
				t.Logf("%d MiB", peak>>20)
			}
		})
	}
}

// copies makes a directory with n copies of one of our traces.
func copies(t *testing.T, trace, dir string, n int) {
	t.Helper()
	data, err := os.ReadFile(ourTrace(t, trace))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s.%06d", trace, i)), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
