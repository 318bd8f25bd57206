package exporter

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/config"
)

func TestDefaults(t *testing.T) {
	cfg := settings(t, `{"export": "terminal"}`)
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"buffer", cfg.Buffer, 0},
		{"json.version", cfg.JSONVersion, 4},
		{"queue.size", cfg.QueueSize, 10000},
		{"queue.full", cfg.QueueFull, "block"},
		{"retry.attempts", cfg.RetryAttempts, 0},
		{"retry.initial", cfg.RetryInitial, 500 * time.Millisecond},
		{"retry.maxinterval", cfg.RetryMaxInterval, 30 * time.Second},
		{"spool.size", cfg.SpoolSize, int64(1 << 30)},
		{"spool.full", cfg.SpoolFull, "drop"},
		{"rule.output", cfg.RuleOutput, "off"},
		{"healthcheck", cfg.HealthCheck, "fail"},
		{"file.path", cfg.FileConfig.Path, "./export.out"},
		{"file.append", cfg.Append, true},
		{"file.keep", cfg.Keep, 5},
		{"syslog.tag", cfg.Tag, "SysFlow"},
		{"syslog.port", cfg.Port, 514},
		{"syslog.maxsize", cfg.SyslogConfig.MaxSize, int64(65507)},
		{"es.bulk.flushTimeout", cfg.FlushTimeout, 30 * time.Second},
		{"findings.pool.maxage", cfg.PoolMaxAge, 24 * time.Hour},
		{"format in force", cfg.format(), "json"},
	} {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

func TestSpellings(t *testing.T) {
	for _, tt := range []struct {
		attrs string
		got   func(*Config) any
		want  any
	}{
		{`{"export": "FILE", "path": "/x"}`, func(c *Config) any { return c.Export + c.FileConfig.Path }, "file/x"},
		{`{"export": "syslog", "host": "h", "port": "1514", "proto": "tcp+tls", "tag": "t", "source": "s"}`,
			func(c *Config) any { return []any{c.Host, c.SyslogConfig.Port, c.Proto, c.Tag, c.Source} },
			[]any{"h", 1514, "tls", "t", "s"}},
		{`{"export": "findings", "format": "occurence", "findings.apikey": "k", "findings.accountid": "a", "findings.provider": "p",
		   "findings.region": "r", "findings.sqlquerycrn": "c", "findings.s3region": "r", "findings.s3bucket": "b", "findings.pool.maxage": 5}`,
			func(c *Config) any { return []any{c.Format, c.PoolMaxAge} }, []any{"occurrence", 5 * time.Minute}},
		{`{"export": "es", "es.addresses": "a, b", "es.index": "i", "es.apikey": "k", "es.bulk.flashBuffer": "5MB"}`,
			func(c *Config) any { return []any{c.format(), c.Addresses, c.FlushBuffer} },
			[]any{"ecs", []string{"a", "b"}, int64(5000000)}},
	} {
		cfg := settings(t, tt.attrs)
		if got := tt.got(&cfg); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.attrs, got, tt.want)
		}
	}
}

func TestFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		attrs string
		want  string // the messages, without their places
	}{
		"no export":        {`{}`, "exporter[0]: required attribute 'export' is missing [P302]"},
		"unknown export":   {`{"export": "kafka"}`, "exporter[0].export: unknown value 'kafka'; allowed: terminal, file, syslog, es, findings, null [P304]"},
		"illegal pair":     {`{"export": "syslog", "format": "occurrence"}`, "exporter[0]: format 'occurrence' cannot be used with export 'syslog'; allowed: json, ecs [P306]"},
		"es with json":     {`{"export": "es", "format": "json", "es.addresses": "a", "es.index": "i", "es.apikey": "k"}`, "exporter[0]: format 'json' cannot be used with export 'es'; allowed: ecs [P306]"},
		"es alone":         {`{"export": "es", "es.apikey": "k"}`, "exporter[0]: required attribute 'es.addresses' is missing [P302]|exporter[0]: required attribute 'es.index' is missing [P302]"},
		"es credentials":   {`{"export": "es", "es.addresses": "a", "es.index": "i"}`, "exporter[0]: required attribute 'es.username' is missing [P302]|exporter[0]: required attribute 'es.password' is missing [P302]"},
		"es both":          {`{"export": "es", "es.addresses": "a", "es.index": "i", "es.apikey": "k", "es.username": "u"}`, "exporter[0].es.apikey: cannot be used together with es.username and es.password [P303]"},
		"es index":         {`{"export": "es", "es.addresses": "a", "es.index": "Sys", "es.apikey": "k"}`, `exporter[0].es.index: "Sys" must be in lower case [P303]`},
		"es address":       {`{"export": "es", "es.addresses": "ftp://u:geheim@h", "es.index": "i", "es.apikey": "k"}`, "exporter[0].es.addresses: want URLs such as https://host:9200 [P303]"},
		"findings url":     {`{"export": "findings", "findings.apikey": "k", "findings.accountid": "a", "findings.provider": "p", "findings.region": "r", "findings.sqlquerycrn": "c", "findings.s3region": "r", "findings.s3bucket": "b", "findings.url": "x"}`, "exporter[0].findings.url: want a URL such as https://host/path [P303]"},
		"message":          {`{"export": "file", "rule.output": "message"}`, "exporter[0].rule.output: 'message' needs export 'syslog', have 'file' [P303]"},
		"intervals":        {`{"export": "null", "retry.initial": "1m"}`, "exporter[0].retry.maxinterval: want at least retry.initial, 1m0s, have 30s [P303]"},
		"key without cert": {`{"export": "syslog", "syslog.tls.key": "k"}`, "exporter[0].syslog.tls.cert: needs syslog.tls.key, and the reverse [P303]"},
		"port":             {`{"export": "terminal", "syslog.port": 65536}`, "exporter[0].syslog.port: 65536 is outside 1..65535 [P305]"},
		"datagram":         {`{"export": "syslog", "syslog.maxsize": 65508}`, "exporter[0].syslog.maxsize: 65508 is outside 480..65507 [P305]"},
		"json version":     {`{"export": "null", "json.version": 3}`, "exporter[0].json.version: unknown value '3'; allowed: 4, 5 [P304]"},
		"old switch":       {`{"export": "null", "type": "batch"}`, "exporter[0].type: accepted for compatibility, has no effect [P308]"},
		"not selected":     {`{"export": "terminal", "es.index": "NOT LEGAL", "syslog.tls.key": "k"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, diags := decode(tt.attrs)
			var got []string
			for _, d := range diags {
				got = append(got, d.Message+" ["+d.Code+"]")
			}
			want(t, tt.attrs, strings.Join(got, "|"), tt.want)
		})
	}
}

// TestFormatsCoverExports holds the table of formats, the values of the attributes and the kinds together.
func TestFormatsCoverExports(t *testing.T) {
	values := map[string][]string{}
	for _, a := range config.Describe(new(Config)) {
		if list, ok := strings.CutPrefix(a.Type, "enum "); ok {
			values[a.Name] = strings.Split(list, ", ")
		}
	}
	if got, want := slices.Sorted(maps.Keys(formats)), slices.Sorted(slices.Values(values["export"])); !slices.Equal(got, want) {
		t.Errorf("exports with formats: %v, values of export: %v", got, want)
	}
	for export := range formats {
		list := Formats(export)
		for _, f := range list {
			if !slices.Contains(values["format"], f) {
				t.Errorf("export %s: format %s is not a value of format", export, f)
			}
		}
	}
	kinds := Builtin()
	for name := range kinds.Transports {
		if Formats(name) == nil {
			t.Errorf("transport %s is not a value of export", name)
		}
	}
	for name := range kinds.Encoders {
		if !slices.Contains(values["format"], name) {
			t.Errorf("encoder %s is not a value of format", name)
		}
	}
}
