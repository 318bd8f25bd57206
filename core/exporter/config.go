package exporter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/transport"
)

// Config configures one exporter stage. The tags, which package core/config documents, are the whole truth on names,
// defaults and ranges.
type Config struct {
	Export string `attr:"export" required:"true" enum:"terminal,file,syslog,es,findings,null" help:"where records go"`
	Format string `attr:"format" enum:"json,ecs,occurrence=occurence" help:"how records are encoded; default: json, with es ecs, with findings occurrence"`
	Buffer int    `attr:"buffer" default:"0" min:"0" help:"records per delivery; 0 and 1: each on its own, at once"`

	JSONVersion  int    `attr:"json.version" default:"4" enum:"4,5" when:"format=json" help:"version number that JSON records show"`
	JSONExtended bool   `attr:"json.extended" default:"false" when:"format=json" help:"add working directory, environment and arguments of processes; they may hold secrets"`
	RuleOutput   string `attr:"rule.output" default:"off" enum:"off,field,message" help:"texts that the rules' output renders: left out, a field of the document, or (syslog) the message itself"`
	ClusterID    string `attr:"cluster.id" env:"CLUSTER_ID" help:"name of the cluster in ECS documents and paths of occurrence files"`

	VaultSecrets  bool   `attr:"vault.secrets" default:"false" help:"read credentials that are not set from files"`
	VaultPath     string `attr:"vault.path" default:"/run/secrets" kind:"dir" when:"vault.secrets=true" help:"directory of those files, named after the attributes"`
	VaultEncoding string `attr:"vault.encoding" default:"none" enum:"none,base64" when:"vault.secrets=true" help:"encoding of those files"`

	QueueSize int    `attr:"queue.size" default:"10000" min:"1" max:"10000000" help:"encoded records that wait for delivery, at most"`
	QueueFull string `attr:"queue.full" default:"block" enum:"block,drop" help:"full queue: slow down the pipeline, or drop new records"`

	RetryAttempts    int           `attr:"retry.attempts" default:"0" min:"0" help:"attempts after the first one; 0: until the program ends"`
	RetryInitial     time.Duration `attr:"retry.initial" default:"500ms" min:"1ms" help:"wait before the first retry; it doubles with each further one"`
	RetryMaxInterval time.Duration `attr:"retry.maxinterval" default:"30s" min:"1ms" help:"longest wait between attempts"`

	DeadLetterPath string `attr:"deadletter.path" kind:"path" help:"file for records that cannot be delivered; default: they are counted only"`

	SpoolPath string `attr:"spool.path" kind:"dir" when:"export=syslog|es|findings" help:"directory where records wait on disk; default: they wait in memory"`
	SpoolSize int64  `attr:"spool.size" default:"1GiB" min:"1MiB" kind:"size" when:"export=syslog|es|findings" help:"bytes on disk, at most"`
	SpoolFull string `attr:"spool.full" default:"drop" enum:"drop,block" when:"export=syslog|es|findings" help:"full spool: drop the oldest records, or slow down the pipeline"`

	HealthCheck string `attr:"healthcheck" default:"fail" enum:"fail,warn,off" help:"what a failed test of the target before the start does"`

	Type string `attr:"type" compat:"true" help:"telemetry or batch in old releases"`

	transport.FileConfig
	transport.SyslogConfig
	transport.ESConfig
	transport.FindingsConfig
}

// formats are the formats that each export can carry, the default first.
var formats = map[string][]string{
	"terminal": {"json", "ecs", "occurrence"},
	"file":     {"json", "ecs", "occurrence"},
	"syslog":   {"json", "ecs"},
	"es":       {"ecs"},
	"findings": {"occurrence"},
	"null":     {"json", "ecs", "occurrence"},
}

// Formats returns the formats that an export can carry, the default first, or nil if there is no such export.
func Formats(export string) []string { return slices.Clone(formats[export]) }

// FormatError says that a format cannot be used with an export.
type FormatError struct {
	Format, Export string
	Allowed        []string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("format '%s' cannot be used with export '%s'; allowed: %s", e.Format, e.Export, strings.Join(e.Allowed, ", "))
}

// Code is the number of the diagnostic.
func (*FormatError) Code() string { return "P306" }

// Attr is the attribute at fault.
func (*FormatError) Attr() string { return "format" }

// Validate reports every fault that no single attribute shows, each beginning with the attribute. Attributes of
// transports that are not selected are not looked at.
func (c *Config) Validate() error {
	var errs []error
	if allowed := formats[c.Export]; allowed != nil && c.Format != "" && !slices.Contains(allowed, c.Format) {
		errs = append(errs, &FormatError{Format: c.Format, Export: c.Export, Allowed: allowed})
	}
	if c.RuleOutput == "message" && c.Export != "syslog" {
		errs = append(errs, fmt.Errorf("rule.output: 'message' needs export 'syslog', have '%s'", c.Export))
	}
	if c.RetryMaxInterval < c.RetryInitial {
		errs = append(errs, fmt.Errorf("retry.maxinterval: want at least retry.initial, %v, have %v", c.RetryInitial, c.RetryMaxInterval))
	}
	switch c.Export {
	case "file":
		errs = append(errs, c.FileConfig.Validate())
	case "syslog":
		errs = append(errs, c.SyslogConfig.Validate())
	case "es":
		errs = append(errs, c.ESConfig.Validate())
	case "findings":
		errs = append(errs, c.FindingsConfig.Validate())
	}
	return errors.Join(errs...)
}

// format returns the format in force.
func (c *Config) format() string {
	if c.Format == "" && len(formats[c.Export]) > 0 {
		return formats[c.Export][0]
	}
	return c.Format
}
