package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestOverride(t *testing.T) {
	for name, tt := range map[string]struct {
		attrs string // of the file, besides export
		env   string // variables, separated by blanks
		field string
		want  string
		diags string
	}{
		"beats the file":             {`, "syslog.host": "f"`, "EXPORTER_SYSLOG_HOST=e", "Host", "e", ""},
		"bare form":                  {``, "EXPORTER_HOST=e", "Host", "e", ""},
		"bare form beats the dotted": {`, "syslog.host": "f"`, "EXPORTER_HOST=e", "Host", "e", ""},
		"dotted form beats the bare": {``, "EXPORTER_HOST=b EXPORTER_SYSLOG_HOST=d", "Host", "d", ""},
		"in lower case":              {``, "exporter_host=e", "Host", "e", ""},
		"camel case attribute":       {``, "EXPORTER_MONITOR_INTERVAL=5", "Interval", "5s", ""},
		"empty is not set":           {`, "host": "f"`, "EXPORTER_HOST=", "Host", "f", ""},
		"number":                     {``, "EXPORTER_PORT=515", "Port", "515", ""},
		"list":                       {``, "EXPORTER_ES_ADDRESSES=a,b", "Hosts", "[a b]", ""},
		"own variable":               {`, "cluster.id": "f"`, "CLUSTER_ID=e", "Cluster", "e", ""},
		"attribute beats own":        {``, "CLUSTER_ID=e EXPORTER_CLUSTER_ID=x", "Cluster", "x", ""},
		"no contradiction":           {`, "host": "f"`, "EXPORTER_SYSLOG_HOST=e", "Host", "e", ""},
		"unknown": {``, "EXPORTER_ID=x", "Host", "localhost",
			"environment EXPORTER_ID: warning: exporter: unknown attribute 'id' [P301]"},
		"general key": {``, "EXPORTER_IN=x", "Host", "localhost",
			"environment EXPORTER_IN: warning: exporter: 'in' cannot be set by a variable [P301]"},
		"not ours": {``, "PATH=/bin EXPORTER=x HOST=y", "Host", "localhost", ""},
		"no effect": {``, "EXPORTER_TYPE=telemetry", "Host", "localhost",
			"environment EXPORTER_TYPE: warning: exporter.type: accepted for compatibility, has no effect [P308]"},
		"bad value": {``, "EXPORTER_PORT=abc", "Port", "514",
			"environment EXPORTER_PORT: error: exporter.syslog.port: 'abc' is not an integer [P303]"},
		"service link": {``, "EXPORTER_PORT=tcp://10.0.0.7:514", "Port", "514",
			"environment EXPORTER_PORT: error: exporter.syslog.port: 'tcp://10.0.0.7:514' is not an integer [P303]\n" +
				"    hint: Kubernetes sets this variable for a service of that name: set enableServiceLinks: false in the pod"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, diags := decode(t, `{"export": "terminal"`+tt.attrs+`}`, strings.Fields(tt.env)...)
			if got := formatted(diags); got != tt.diags {
				t.Errorf("diagnostics are\n%s\nwant\n%s", got, tt.diags)
			}
			if got := fmt.Sprint(reflect.ValueOf(*cfg).FieldByName(tt.field)); got != tt.want {
				t.Errorf("%s is %s, want %s", tt.field, got, tt.want)
			}
		})
	}
}

// TestOverrideInstances checks whom a variable reaches when several entries may be meant.
func TestOverrideInstances(t *testing.T) {
	type cfg struct {
		Host string `attr:"syslog.host" alias:"host"`
		Pass string `attr:"es.password"`
		AB   string `attr:"b.c"`
	}
	for name, tt := range map[string]struct {
		entries [][2]string // kind, instance
		env     string
		want    string // hosts, passwords and ab of the entries
		diags   string
	}{
		"every instance":      {[][2]string{{"exporter", "exporter[0]"}, {"exporter", "exporter[1]"}}, "EXPORTER_HOST=h", "h/-/- h/-/-", ""},
		"numbered instance":   {[][2]string{{"exporter", "exporter[0]"}, {"exporter", "exporter[1]"}}, "EXPORTER_1_HOST=h", "-/-/- h/-/-", ""},
		"instance beats kind": {[][2]string{{"exporter", "exporter[0]"}, {"exporter", "alerts"}}, "EXPORTER_HOST=k ALERTS_HOST=i", "k/-/- i/-/-", ""},
		"bare of the instance beats dotted of the kind": {[][2]string{{"exporter", "alerts"}}, "EXPORTER_SYSLOG_HOST=k ALERTS_HOST=i", "i/-/-", ""},
		"instance named as an attribute":                {[][2]string{{"exporter", "exporter_es"}}, "EXPORTER_ES_PASSWORD=p", "-/p/-", ""},
		"longest processor":                             {[][2]string{{"a", "a"}, {"a_b", "a_b"}}, "A_B_C=x", "-/-/- -/-/-", "environment A_B_C: warning: a_b: unknown attribute 'c' [P301]"},
		"processor with dashes":                         {[][2]string{{"my-proc", "my-proc"}}, "MY_PROC_HOST=h", "h/-/-", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var scopes []Scope
			var cfgs []*cfg
			for _, e := range tt.entries {
				c := new(cfg)
				cfgs = append(cfgs, c)
				scopes = append(scopes, Scope{&Entry{Kind: e[0], Instance: e[1]}, NewSchema(c)})
			}
			diags := Override(scopes, strings.Fields(tt.env))
			var got []string
			for i, s := range scopes {
				diags = append(diags, s.Schema.Decode(s.Entry)...)
				c := cfgs[i]
				got = append(got, dash(c.Host)+"/"+dash(c.Pass)+"/"+dash(c.AB))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
			if formatted(diags) != tt.diags {
				t.Errorf("diagnostics are %s, want %s", formatted(diags), tt.diags)
			}
		})
	}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// TestOverridePlugin replaces and adds keys of a plugin that declares none.
func TestOverridePlugin(t *testing.T) {
	doc, _ := Parse("p.json", []byte(`{"processor": "example", "My.Key": 1, "_comment": "x"}`))
	e := &Entry{Kind: "example", Instance: "example", Object: doc, Settings: doc.Members[1:2]}
	s := NamedSchema()
	s.Open()
	diags := Override([]Scope{{e, s}}, []string{"EXAMPLE_MY_KEY=2", "EXAMPLE_NEW_ONE=x"})
	if len(diags) > 0 {
		t.Error(diags)
	}
	want := map[string]any{"processor": "example", "My.Key": "2", "new.one": "x"}
	if got := e.Map(); !reflect.DeepEqual(got, want) {
		t.Errorf("map is %v, want %v", got, want)
	}
}
