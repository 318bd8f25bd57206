package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/logger"
	"github.com/sysflow-telemetry/sf-processor/core/pipeline"
)

func TestPerfLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.json")
	text := strings.NewReplacer(`"policies": "rules.yaml"`, `"mode": "enrich"`, `"file"`, `"null"`).Replace(toFile)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	pl, diags, err := pipeline.Load(pipeline.Options{File: path, Registry: builtins(nil, nil, time.Second)})
	if err != nil || pl == nil {
		t.Fatal(diags, err)
	}
	r := pl.Run(t.Context(), ourTrace(t, "tcp.sf"))
	if r.Failed {
		t.Fatal("the run failed")
	}
	var log bytes.Buffer
	logPerf(slog.New(logger.NewSink(nil, &log, logger.LevelInfo).Handler()), pl, pl.Rates(), 2*time.Second)
	want := regexp.MustCompile(`^\[Perf\] .* rates driver=\d+/s engine=5/s channel.sysflow=0/4 channel.flat=0/4 channel.evt=0/4\n$`)
	if !want.MatchString(log.String()) {
		t.Errorf("line is %q", log.String())
	}
}
