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
	TLSKey   string        `attr:"syslog.tls.key" when:"export=syslog" kind:"path" secret:"true"`
	APIKey   string        `attr:"findings.apikey" when:"export=syslog" required:"true" secret:"true"`
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

// TestDecodeFaults has one mistake, and all of what is said about it, in each case. The attributes are those of an
// object that begins in line 1.
func TestDecodeFaults(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"unknown":               {`{"export": "es", "es.addresses": "a", "es.apikey": "k", "es.adresses": "b"}`, `p.json:1:57: error: exporter: unknown attribute 'es.adresses'; did you mean 'es.addresses'? [P301]`},
		"unknown, by its end":   {`{"export": "terminal", "sys.port": 1}`, `p.json:1:24: error: exporter: unknown attribute 'sys.port'; did you mean 'syslog.port'? [P301]`},
		"unknown, like several": {`{"export": "terminal", "hast": 1}`, `p.json:1:24: error: exporter: unknown attribute 'hast'; did you mean 'host'? [P301]`},
		"unknown, like nothing": {`{"export": "terminal", "quux": 1}`, `p.json:1:24: error: exporter: unknown attribute 'quux' [P301]`},
		"required":              {`{}`, `p.json:1:1: error: exporter: required attribute 'export' is missing [P302]`},
		"required, but empty":   {`{"export": ""}`, `p.json:1:1: error: exporter: required attribute 'export' is missing [P302]`},
		"required by another": {`{"export": "es"}`, `p.json:1:1: error: exporter: required attribute 'es.addresses' is missing [P302]
p.json:1:1: error: exporter: required attribute 'es.username' is missing [P302]`},
		"required unless":            {`{"export": "es", "es.addresses": "a", "es.apikey": "k"}`, ``},
		"not an integer":             {`{"export": "terminal", "port": "abc"}`, `p.json:1:32: error: exporter.syslog.port: 'abc' is not an integer [P303]`},
		"a fraction":                 {`{"export": "terminal", "port": 5.5}`, `p.json:1:32: error: exporter.syslog.port: '5.5' is not an integer [P303]`},
		"null":                       {`{"export": "terminal", "port": null}`, `p.json:1:32: error: exporter.syslog.port: 'null' is not an integer [P303]`},
		"an object":                  {`{"export": "terminal", "port": {}}`, `p.json:1:32: error: exporter.syslog.port: 'an object' is not an integer [P303]`},
		"an array":                   {`{"export": "terminal", "host": ["a"]}`, `p.json:1:32: error: exporter.syslog.host: 'a' is not a string [P303]`},
		"not a boolean":              {`{"export": "terminal", "json.extended": "maybe"}`, `p.json:1:41: error: exporter.json.extended: 'maybe' is not a boolean (true, false, on, off, yes, no, 1, 0) [P303]`},
		"not a duration":             {`{"export": "terminal", "monitor.interval": "soon"}`, `p.json:1:44: error: exporter.monitor.interval: 'soon' is not a duration such as 30s [P303]`},
		"not a size":                 {`{"export": "terminal", "spool.size": "big"}`, `p.json:1:38: error: exporter.spool.size: 'big' is not a size such as 100MB or 1GiB [P303]`},
		"a size too large":           {`{"export": "terminal", "spool.size": "9999999TiB"}`, `p.json:1:38: error: exporter.spool.size: '9999999TiB' is not a size such as 100MB or 1GiB [P303]`},
		"not octal":                  {`{"export": "terminal", "socket.mode": "0999"}`, `p.json:1:39: error: exporter.socket.mode: '0999' is not an octal number such as 0660 [P303]`},
		"not a list":                 {`{"export": "terminal", "es.addresses": [["a"]]}`, `p.json:1:40: error: exporter.es.addresses: 'an array' is not a list of strings [P303]`},
		"unknown value":              {`{"export": "terminal", "proto": "tcpp"}`, "p.json:1:33: error: exporter.syslog.proto: unknown value 'tcpp'; allowed: tcp, tls, udp [P304]\n    hint: did you mean 'tcp'?"},
		"unknown int value":          {`{"export": "terminal", "json.version": 6}`, `p.json:1:40: error: exporter.json.version: unknown value '6'; allowed: 4, 5 [P304]`},
		"retired value":              {`{"export": "terminal", "mode": "Bypass"}`, "p.json:1:32: error: exporter.mode: unknown value 'Bypass'; allowed: alert, enrich [P304]\n    hint: use enrich and remove 'policies'"},
		"another retired one":        {`{"export": "terminal", "mode": "filter"}`, "p.json:1:32: error: exporter.mode: unknown value 'filter'; allowed: alert, enrich [P304]\n    hint: use enrich with a policy file that has only drop rules"},
		"too large":                  {`{"export": "terminal", "port": 70000}`, `p.json:1:32: error: exporter.syslog.port: 70000 is outside 1..65535 [P305]`},
		"negative":                   {`{"export": "terminal", "buffer": -1}`, `p.json:1:34: error: exporter.buffer: -1 is outside 0..2147483647 [P305]`},
		"duration too short":         {`{"export": "terminal", "monitor.interval": "5ms"}`, `p.json:1:44: error: exporter.monitor.interval: 5ms is below 1s [P305]`},
		"duration negative":          {`{"export": "terminal", "pool.maxage": "-1h"}`, `p.json:1:39: error: exporter.pool.maxage: -1h is below 0s [P305]`},
		"octal too large":            {`{"export": "terminal", "socket.mode": "1777"}`, `p.json:1:39: error: exporter.socket.mode: 1777 is outside 0..511 [P305]`},
		"between attributes":         {`{"export": "terminal", "proto": "udp", "json.version": 5}`, `p.json:1:33: error: exporter: version 5 needs tcp [P306]`},
		"by its attribute":           {`{"export": "terminal", "buffer": 2000}`, `p.json:1:34: error: exporter.buffer: want 1000 or less, have 2000 [P303]`},
		"of the entry":               {`{"export": "terminal", "host": "nowhere"}`, `p.json:1:1: error: exporter: nowhere: no such host [P303]`},
		"contradiction":              {`{"export": "terminal", "host": "a", "syslog.host": "b"}`, `p.json:1:37: error: exporter: 'host' and 'syslog.host' contradict each other [P307]`},
		"contradiction, other order": {`{"export": "terminal", "syslog.host": "a", "host": "b"}`, `p.json:1:44: error: exporter: 'host' and 'syslog.host' contradict each other [P307]`},
		"agreement":                  {`{"export": "terminal", "host": "a", "syslog.host": "a"}`, `p.json:1:37: warning: exporter: 'host' and 'syslog.host' are two names of one attribute [P307]`},
		"no effect":                  {`{"export": "terminal", "type": "batch"}`, `p.json:1:24: warning: exporter.type: accepted for compatibility, has no effect [P308]`},
		"of another release":         {`{"export": "terminal", "kafka.topic": "x"}`, `p.json:1:24: warning: exporter.kafka.topic: accepted for compatibility, has no effect [P308]`},
		"a credential":               {`{"export": "terminal", "es.username": ["s3cret"]}`, `p.json:1:39: error: exporter.es.username: '***' is not a string [P303]`},
		"several":                    {`{"export": "trminal", "port": 0, "x": 1}`, "p.json:1:34: error: exporter: unknown attribute 'x' [P301]\np.json:1:12: error: exporter.export: unknown value 'trminal'; allowed: terminal, es, syslog [P304]\n    hint: did you mean 'terminal'?\np.json:1:31: error: exporter.syslog.port: 0 is outside 1..65535 [P305]"},
	} {
		t.Run(name, func(t *testing.T) {
			_, diags := decode(t, tt.text)
			if got := formatted(diags); got != tt.want {
				t.Errorf("%s: diagnostics are\n%s\nwant\n%s", tt.text, got, tt.want)
			}
		})
	}
}

func formatted(diags Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		b.WriteString(d.Format())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func TestDescribe(t *testing.T) {
	byName := map[string]Attribute{}
	for _, a := range Describe(new(sample)) {
		byName[a.Name] = a
	}
	for name, want := range map[string]string{
		"export":           "enum terminal, es, syslog",
		"buffer":           "int ≥ 0",
		"syslog.port":      "int 1–65535",
		"monitor.interval": "duration ≥ 1s",
		"spool.size":       "size ≥ 1KiB",
		"socket.mode":      "octal ≤ 0777",
		"es.addresses":     "list",
		"json.extended":    "bool",
		"syslog.host":      "string",
		"vault.path":       "dir",
	} {
		if got := byName[name].Type; got != want {
			t.Errorf("type of %s is %q, want %q", name, got, want)
		}
	}
	if a := byName["syslog.host"]; a.Default != "localhost" || len(a.Aliases) != 1 || a.Aliases[0] != "host" {
		t.Errorf("syslog.host is %+v", a)
	}
}

func TestDump(t *testing.T) {
	cfg, _ := decode(t, `{"export": "es", "es.addresses": ["a", "b"], "es.username": "s3cret"}`)
	dump := strings.Join(Dump(cfg), "\n")
	if strings.Contains(dump, "s3cret") || strings.Contains(dump, "type=") {
		t.Errorf("dump is %s", dump)
	}
	for _, want := range []string{"export=es", "es.addresses=[a b]", "es.username=***", "es.apikey=\n", "monitor.interval=30s"} {
		if !strings.Contains(dump+"\n", want) {
			t.Errorf("dump lacks %q: %s", want, dump)
		}
	}
}

// TestOpenSchema wants nothing to be said about attributes of a plugin that declares none.
func TestOpenSchema(t *testing.T) {
	doc, _ := Parse("p.json", []byte(`{"a": 1, "b.c": {"d": [2]}}`))
	e := &Entry{Kind: "example", Instance: "example", Object: doc, Settings: doc.Members}
	open, closed := NamedSchema(), NamedSchema("a")
	open.Open()
	if diags := open.Decode(e); len(diags) > 0 {
		t.Errorf("open: %v", diags)
	}
	want := "p.json:1:10: error: example: unknown attribute 'b.c' [P301]"
	if got := formatted(closed.Decode(e)); got != want {
		t.Errorf("closed: got %s, want %s", got, want)
	}
}

func TestWriteTable(t *testing.T) {
	type table struct {
		Host string `attr:"syslog.host" alias:"host" default:"localhost" when:"export=syslog|tcp" help:"name | address of <host>"`
		Key  string `attr:"key" required:"true" unless:"user" secret:"true" env:"KEY" help:"a key"`
		On   bool   `attr:"on" help:"a switch"`
		Old  int    `attr:"old" compat:"true" help:"old"`
	}
	var b strings.Builder
	if err := WriteTable(&b, Describe(new(table))); err != nil {
		t.Fatal(err)
	}
	want := `| Attribute | Type | Default | Meaning |
|---|---|---|---|
| ` + "`syslog.host`, also `host` | string | `localhost` | name \\| address of &lt;host>; only with `export: syslog` or `export: tcp`" + ` |
| ` + "`key` | string | required | a key; not needed with `user`; a credential; set by the variable `KEY`" + ` |
| ` + "`on` | bool | `false` | a switch" + ` |
| ` + "`old` | int | – | old; accepted, without effect" + ` |
`
	if got := b.String(); got != want {
		t.Errorf("table is\n%s\nwant\n%s", got, want)
	}
}
