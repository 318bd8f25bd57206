package reader_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/config"
	"github.com/sysflow-telemetry/sf-processor/core/reader"
)

func TestConfig(t *testing.T) {
	for text, tt := range map[string]struct {
		want reader.Config
		err  string
	}{
		`{}`: {reader.Config{EntityMax: 30000, EntityTTL: 300 * time.Second}, ""},
		`{"entity.max": "1000", "entity.ttl": 5, "handlerlibpath": "x/y"}`: {
			reader.Config{HandlerLibPath: "x/y", EntityMax: 1000, EntityTTL: 5 * time.Second}, ""},
		`{"entity.ttl": "2m"}`:       {reader.Config{EntityMax: 30000, EntityTTL: 2 * time.Minute}, ""},
		`{"entity.max": 999}`:        {err: "P305"},
		`{"entity.max": 10000001}`:   {err: "P305"},
		`{"entity.ttl": -1}`:         {err: "P30"},
		`{"entity.maximum": "1000"}`: {err: "P301"},
	} {
		doc, diags := config.Parse("pipeline.json", []byte(text))
		if doc == nil {
			t.Fatal(diags)
		}
		var c reader.Config
		diags = config.NewSchema(&c).Decode(&config.Entry{Instance: "sysflowreader", Settings: doc.Members})
		switch {
		case tt.err != "":
			if len(diags) != 1 || !strings.Contains(diags[0].Error(), tt.err) {
				t.Errorf("%s: got %v, want %s", text, diags, tt.err)
			}
		case len(diags) > 0:
			t.Errorf("%s: %v", text, diags)
		case c != tt.want:
			t.Errorf("%s: got %+v, want %+v", text, c, tt.want)
		}
	}
}
