package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// sample has one attribute of each kind.
type sample struct {
	Export   string        `attr:"export" enum:"terminal,es,syslog" required:"true"`
	Mode     string        `attr:"mode" enum:"alert,enrich" default:"alert" retired:"bypass=use enrich and remove 'policies';filter=use enrich with a policy file that has only drop rules"`
	Buffer   int           `attr:"buffer" min:"0" default:"0"`
	Version  int           `attr:"json.version" enum:"4,5" default:"4"`
	Proto    string        `attr:"syslog.proto" alias:"proto" enum:"tcp,tls=tcp+tls,udp" default:"tcp"`
	Host     string        `attr:"syslog.host" alias:"host" default:"localhost"`
	Port     int           `attr:"syslog.port" alias:"port" min:"1" max:"65535" default:"514"`
	Source   string        `attr:"syslog.source" alias:"source" default:"here" allowempty:"true"`
	Extended bool          `attr:"json.extended"`
	Interval time.Duration `attr:"monitor.interval" min:"1s" default:"30"`
	Age      time.Duration `attr:"pool.maxage" unit:"m" default:"1440"`
	Size     int64         `attr:"spool.size" kind:"size" min:"1KiB" default:"1GiB"`
	Perm     int           `attr:"socket.mode" kind:"octal" default:"0660" max:"0777"`
	Hosts    []string      `attr:"es.addresses" when:"export=es" required:"true"`
	User     string        `attr:"es.username" when:"export=es" required:"true" unless:"es.apikey" secret:"true"`
	Key      string        `attr:"es.apikey" when:"export=es" secret:"true"`
	Cluster  string        `attr:"cluster.id" env:"CLUSTER_ID"`
	Type     string        `attr:"type" compat:"true"`
	Vault
}

// Validate has rules between attributes.
func (s *sample) Validate() error {
	var errs []error
	if s.Version == 5 && s.Proto == "udp" {
		errs = append(errs, protoError{})
	}
	if s.Buffer > 1000 {
		errs = append(errs, fmt.Errorf("buffer: want 1000 or less, have %d", s.Buffer))
	}
	if s.Host == "nowhere" {
		errs = append(errs, errors.New("nowhere: no such host"))
	}
	return errors.Join(errs...)
}

// protoError has a code of its own.
type protoError struct{}

func (protoError) Error() string { return "version 5 needs tcp" }
func (protoError) Code() string  { return "P306" }
func (protoError) Attr() string  { return "syslog.proto" }

// decode runs Decode on the attributes that text, a JSON object, has.
func decode(t *testing.T, text string, environ ...string) (*sample, Diagnostics) {
	t.Helper()
	doc, diags := Parse("p.json", []byte(text))
	if doc == nil {
		t.Fatalf("%s: %v", text, diags)
	}
	e := &Entry{Kind: "exporter", Instance: "exporter", Pos: doc.Pos}
	for _, m := range doc.Members {
		if !General(m.Key) && !m.Comment() {
			e.Settings = append(e.Settings, m)
		}
	}
	cfg := new(sample)
	s := NewSchema(cfg)
	diags = append(diags, Override([]Scope{{e, s}}, environ)...)
	return cfg, append(diags, s.Decode(e)...)
}

func TestDecodeValues(t *testing.T) {
	for name, tt := range map[string]struct {
		attrs string
		field string
		want  any
	}{
		"default text":             {``, "Host", "localhost"},
		"default int":              {``, "Port", 514},
		"default duration":         {``, "Interval", 30 * time.Second},
		"default in minutes":       {``, "Age", 24 * time.Hour},
		"default size":             {``, "Size", int64(1 << 30)},
		"default octal":            {``, "Perm", 0o660},
		"text":                     {`"host": "a"`, "Host", "a"},
		"key in another case":      {`"SYSLOG.Host": "a"`, "Host", "a"},
		"number as text":           {`"host": 12.50`, "Host", "12.50"},
		"boolean as text":          {`"host": true`, "Host", "true"},
		"empty is not set":         {`"host": ""`, "Host", "localhost"},
		"empty is a value":         {`"source": ""`, "Source", ""},
		"int":                      {`"port": 514`, "Port", 514},
		"int as text":              {`"port": "514"`, "Port", 514},
		"int with blanks":          {`"port": " 514 "`, "Port", 514},
		"int with exponent":        {`"port": "5e+2"`, "Port", 500},
		"int with zero fraction":   {`"port": 5.0`, "Port", 5},
		"int of an enumeration":    {`"json.version": "5"`, "Version", 5},
		"true":                     {`"json.extended": true`, "Extended", true},
		"on":                       {`"json.extended": "ON"`, "Extended", true},
		"yes":                      {`"json.extended": "yes"`, "Extended", true},
		"one":                      {`"json.extended": "1"`, "Extended", true},
		"one, native":              {`"json.extended": 1`, "Extended", true},
		"off":                      {`"json.extended": "off"`, "Extended", false},
		"duration, native":         {`"monitor.interval": 5`, "Interval", 5 * time.Second},
		"duration in units":        {`"monitor.interval": "5"`, "Interval", 5 * time.Second},
		"duration with fraction":   {`"monitor.interval": 1.5`, "Interval", 1500 * time.Millisecond},
		"duration as text":         {`"monitor.interval": "1h30m"`, "Interval", 90 * time.Minute},
		"duration in minutes":      {`"pool.maxage": 2`, "Age", 2 * time.Minute},
		"duration, unit and text":  {`"pool.maxage": "2s"`, "Age", 2 * time.Second},
		"size, native":             {`"spool.size": 5000000`, "Size", int64(5000000)},
		"size as text":             {`"spool.size": "5000000"`, "Size", int64(5000000)},
		"size in MB":               {`"spool.size": "100MB"`, "Size", int64(100e6)},
		"size in MiB":              {`"spool.size": "100 mib"`, "Size", int64(100 << 20)},
		"octal":                    {`"socket.mode": "0600"`, "Perm", 0o600},
		"enumeration in any case":  {`"proto": "UDP"`, "Proto", "udp"},
		"enumeration, other name":  {`"proto": "tcp+tls"`, "Proto", "tls"},
		"list":                     {`"es.addresses": ["a", " b ", ""]`, "Hosts", []string{"a", "b"}},
		"list as text":             {`"es.addresses": "a, b,,"`, "Hosts", []string{"a", "b"}},
		"list, a comma in element": {`"es.addresses": ["a,b"]`, "Hosts", []string{"a,b"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, diags := decode(t, strings.Replace(`{"export": "terminal", `+tt.attrs+`}`, ", }", "}", 1))
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			if got := reflect.ValueOf(*cfg).FieldByName(tt.field).Interface(); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s: %s is %#v, want %#v", tt.attrs, tt.field, got, tt.want)
			}
		})
	}
}
