package main

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestMetrics asks a running process.
func TestMetrics(t *testing.T) {
	p := start(t, toFile, map[string]string{"rules.yaml": allRecords}, "-metrics", "127.0.0.1:0")
	p.await("serving metrics")
	addr := regexp.MustCompile(`address=(\S+)`).FindStringSubmatch(p.seen.String())[1]
	p.await("Starting the processing pipeline")
	p.feed("tcp.sf")

	for path, want := range map[string]string{
		"/healthz": "ok\n",
		"/readyz":  "ok\n",
	} {
		if code, body := get(t, addr, path); code != http.StatusOK || body != want {
			t.Errorf("%s answers %d, %q", path, code, body)
		}
	}
	if code, _ := get(t, addr, "/nothing"); code != http.StatusNotFound {
		t.Errorf("/nothing answers %d", code)
	}

	// The records of the trace pass while we ask.
	var body string
	for !strings.Contains(body, `sfprocessor_delivered_total{kind="",stage="exporter"} 10`) {
		if t.Context().Err() != nil {
			t.Fatal("stopped waiting")
		}
		_, body = get(t, addr, "/metrics")
	}
	for _, want := range []string{
		`sfprocessor_records_total{kind="PE",stage="sysflowreader"} 4`,
		`sfprocessor_records_total{kind="",stage="policyengine"} 10`,
		`sfprocessor_matched_total{kind="",stage="policyengine"} 10`,
		`sfprocessor_entities{kind="process",stage="sysflowreader"}`,
		"# TYPE sfprocessor_entities gauge",
		"# TYPE sfprocessor_records_total counter",
		`sfprocessor_channel_room{channel="flat"} 4`,
		"go_goroutines ",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	p.signal(syscall.SIGTERM)
	p.end(0)
}

func get(t *testing.T, addr, path string) (int, string) {
	t.Helper()
	resp, err := http.Get("http://" + addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestMetricsAddress wants an address that cannot be used to be an error.
func TestMetricsAddress(t *testing.T) {
	_, stderr, code := sfprocessor(t, toFile, nil, "-metrics", "nowhere.invalid:1:2", "-log", "quiet", "x.sf")
	if code != 1 || !strings.HasPrefix(stderr, "sfprocessor: serve metrics: ") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
