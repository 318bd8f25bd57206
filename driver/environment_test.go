package main

import (
	"slices"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/config"
	"github.com/sysflow-telemetry/sf-processor/core/exporter"
	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine"
	"github.com/sysflow-telemetry/sf-processor/core/reader"
)

// TestDocumentedVariables sets every variable that the documentation and published deployments use, and looks for its
// value among the attributes of the stages.
func TestDocumentedVariables(t *testing.T) {
	for _, tt := range []struct{ variable, value, attribute string }{
		{"POLICYENGINE_MODE", "enrich", "mode=enrich"},
		{"POLICYENGINE_POLICIES", "/p", "policies=/p"},
		{"POLICYENGINE_MONITOR_INTERVAL", "45", "monitor.interval=45s"},
		{"POLICYENGINE_CONCURRENCY", "2", "concurrency=2"},
		{"EXPORTER_EXPORT", "SYSLOG", "export=syslog"},
		{"EXPORTER_FORMAT", "ECS", "format=ecs"},
		{"EXPORTER_BUFFER", "10", "buffer=10"},
		{"EXPORTER_FILE_PATH", "/f", "file.path=/f"},
		{"EXPORTER_ES_PASSWORD", "s3cret", "es.password=***"},
		{"EXPORTER_SYSLOG_HOST", "h", "syslog.host=h"},
		{"EXPORTER_HOST", "h", "syslog.host=h"},
		{"EXPORTER_SYSLOG_PORT", "515", "syslog.port=515"},
		{"EXPORTER_PORT", "515", "syslog.port=515"},
		{"EXPORTER_SYSLOG_PROTO", "udp", "syslog.proto=udp"},
		{"EXPORTER_PROTO", "tcp+tls", "syslog.proto=tls"},
		{"EXPORTER_SYSLOG_TAG", "t", "syslog.tag=t"},
		{"EXPORTER_TAG", "t", "syslog.tag=t"},
		{"EXPORTER_SYSLOG_SOURCE", "s", "syslog.source=s"},
		{"EXPORTER_SOURCE", "s", "syslog.source=s"},
		{"EXPORTER_ES_ADDRESSES", "https://a, https://b", "es.addresses=[https://a https://b]"},
		{"EXPORTER_ES_BULK_NUMWORKERS", "3", "es.bulk.numWorkers=3"},
		{"EXPORTER_ES_BULK_FLUSHBUFFER", "5e+6", "es.bulk.flushBuffer=5000000"},
		{"EXPORTER_ES_BULK_FLASHBUFFER", "6000000", "es.bulk.flushBuffer=6000000"},
		{"EXPORTER_ES_BULK_FLUSHTIMEOUT", "30", "es.bulk.flushTimeout=30s"},
		{"EXPORTER_FINDINGS_S3PREFIX", "p", "findings.s3prefix=p"},
		{"EXPORTER_VAULT_PATH", "/v", "vault.path=/v"},
		{"CLUSTER_ID", "c", "cluster.id=c"},
		{"SYSFLOWREADER_FILTER_ENABLED", "on", "filter.enabled=true"},
		{"SYSFLOWREADER_FILTER_MAXAGE", "60", "filter.maxage=1m0s"},
	} {
		t.Run(tt.variable, func(t *testing.T) {
			configs := map[string][]any{
				"sysflowreader": {new(reader.Config), new(flattener.Config)},
				"policyengine":  {new(policyengine.Config)},
				"exporter":      {new(exporter.Config)},
			}
			var scopes []config.Scope
			for kind, targets := range configs {
				scopes = append(scopes, config.Scope{
					Entry: &config.Entry{Kind: kind, Instance: kind}, Schema: config.NewSchema(targets...),
				})
			}
			diags := config.Override(scopes, []string{tt.variable + "=" + tt.value})
			var dump []string
			for _, s := range scopes {
				for _, d := range s.Schema.Decode(s.Entry) {
					if d.Code != "P302" { // what these entries lack is another matter
						diags = append(diags, d)
					}
				}
				dump = append(dump, config.Dump(configs[s.Entry.Kind]...)...)
			}
			if len(diags) > 0 {
				t.Errorf("problems: %v", diags)
			}
			if !slices.Contains(dump, tt.attribute) {
				t.Errorf("no %s in %q", tt.attribute, dump)
			}
		})
	}
}
