package policyengine

import (
	"strings"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/config"
)

// settings decodes the attributes in a JSON object, and returns what is wrong with them, one problem a line.
func settings(t *testing.T, attrs string) (Config, string) {
	t.Helper()
	doc, diags := config.Parse("pipeline.json", []byte(attrs))
	if doc == nil {
		t.Fatal(diags)
	}
	e := &config.Entry{Kind: "policyengine", Instance: "policyengine[0]", Pos: doc.Pos, Settings: doc.Members}
	var cfg Config
	var b strings.Builder
	for _, d := range config.NewSchema(&cfg).Decode(e) {
		b.WriteString(d.Error() + "\n")
		for _, h := range d.Hints {
			b.WriteString("hint: " + h + "\n")
		}
	}
	return cfg, b.String()
}

func TestDefaults(t *testing.T) {
	cfg, faults := settings(t, `{"policies": "rules"}`)
	want := Config{
		Policies: "rules", Mode: ModeAlert, Monitor: MonitorNone, MonitorInterval: 30 * time.Second, Concurrency: 5,
		ActionDir: "../resources/actions", Checks: "normal", Falco: "auto",
	}
	if cfg != want || faults != "" {
		t.Errorf("got %+v, want %+v; %s", cfg, want, faults)
	}
}

func TestSettings(t *testing.T) {
	for _, tt := range []struct {
		attrs, want string // of the one problem, a part; "" if there is none
	}{
		{`{"policies": "r", "mode": "Enrich", "concurrency": "8", "monitor.interval": 5, "checks": "strict", "falco": "on"}`, ""},
		{`{"mode": "enrich"}`, ""},
		{`{}`, "required attribute 'policies' is missing"},
		{`{"mode": "bypass"}`, "use enrich and remove 'policies'"},
		{`{"mode": "filter"}`, "use enrich with a policy file that has only drop rules"},
		{`{"policies": "r", "concurrency": 0}`, "[P305]"},
		{`{"policies": "r", "concurrency": 1025}`, "[P305]"},
		{`{"policies": "r", "monitor.interval": "0.5s"}`, "[P305]"},
		{`{"policies": "r", "monitor": "remote"}`, "[P304]"},
	} {
		if _, faults := settings(t, tt.attrs); tt.want == "" && faults != "" || !strings.Contains(faults, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.attrs, faults, tt.want)
		}
	}
}
