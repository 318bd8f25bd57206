package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strconv"

	"github.com/sysflow-telemetry/sf-processor/core/logger"
	"github.com/sysflow-telemetry/sf-processor/core/pipeline"
)

// options are what the command line says.
type options struct {
	config    string
	driver    string // empty if not given
	driverDir pipeline.Dir
	pluginDir pipeline.Dir
	level     slog.Level
	path      string

	cpuProfile, memProfile, traceProfile string

	fields  fieldsFlag
	metrics string // address, or empty
	perf    bool
	test    bool
	version bool
}

// errHelp is what parseFlags returns if help is asked for.
var errHelp = errors.New("help")

// levelFlag is a log level by name.
type levelFlag struct{ level *slog.Level }

func (l levelFlag) String() string { return "info" }

func (l levelFlag) Set(name string) (err error) {
	*l.level, err = logger.ParseLevel(name)
	return err
}

// fieldsFlag is a boolean that may also be json.
type fieldsFlag struct{ on, json bool }

func (f *fieldsFlag) String() string   { return strconv.FormatBool(f.on) }
func (f *fieldsFlag) IsBoolFlag() bool { return true }

func (f *fieldsFlag) Set(value string) error {
	if f.json = value == "json"; f.json {
		f.on = true
		return nil
	}
	on, err := strconv.ParseBool(value)
	if err != nil {
		return errors.New("want a boolean or json")
	}
	f.on = on
	return nil
}

// flags declares the flags.
func (o *options) flags() *flag.FlagSet {
	fs := flag.NewFlagSet("sfprocessor", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // run prints what is wrong
	fs.StringVar(&o.config, "config", "pipeline.json", "pipeline `file`")
	fs.StringVar(&o.cpuProfile, "cpuprofile", "", "write a CPU profile to `file`")
	fs.StringVar(&o.driver, "driver", "", "driver `name`: file, socket or a driver plugin")
	fs.StringVar(&o.driverDir.Path, "driverdir", "../resources/drivers", "`directory` of driver plugins, all of which are loaded")
	fs.Var(&o.fields, "fields", "list the attributes that rules can name, as a table or (-fields=json) as JSON, and exit")
	o.level = logger.LevelInfo
	fs.Var(levelFlag{&o.level}, "log", "log `level`: trace, info, warn, error, health or quiet")
	fs.StringVar(&o.memProfile, "memprofile", "", "write a heap profile to `file` at the end")
	fs.StringVar(&o.metrics, "metrics", "", "serve Prometheus metrics, /healthz and /readyz at `address`; without a host: on this machine only")
	fs.BoolVar(&o.perf, "perflog", false, "log rates and the fill of channels every 15 seconds")
	fs.StringVar(&o.pluginDir.Path, "plugdir", "../resources/plugins", "`directory` of processor plugins, loaded when a pipeline names them")
	fs.BoolVar(&o.test, "test", false, "check the pipeline, its policies and targets, and exit")
	fs.StringVar(&o.traceProfile, "traceprofile", "", "write an execution trace to `file`")
	fs.BoolVar(&o.version, "version", false, "print the version and exit")
	return fs
}

// parseFlags reads the command line.
func parseFlags(args []string) (*options, error) {
	o := new(options)
	fs := o.flags()
	err := fs.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil, errHelp
	}
	if err != nil {
		return nil, err
	}
	if fs.NArg() > 1 {
		return nil, fmt.Errorf("want one path, have %d: %q (flags precede the path)", fs.NArg(), fs.Args())
	}
	o.path = fs.Arg(0)
	fs.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "driverdir":
			o.driverDir.Explicit = true
		case "plugdir":
			o.pluginDir.Explicit = true
		}
	})
	return o, nil
}

// shownDefaults are defaults of the program that are not those of its flags: the flag -driver, if not given, leaves the
// choice to the pipeline file.
var shownDefaults = map[string]string{"driver": "file"}

// usage prints how the program is used.
func usage(w io.Writer) {
	fmt.Fprint(w, `Usage: sfprocessor [-version | -test [flags] | [flags] path]

Positional arguments:
  path string
        input path: a trace, a directory of traces, a named pipe, - for standard input, or the socket to create

Arguments:
`)
	fs := new(options).flags()
	fs.VisitAll(func(f *flag.Flag) {
		value, meaning := flag.UnquoteUsage(f)
		if f.Name == "fields" {
			value = "" // it needs none
		}
		fmt.Fprintf(w, "  -%s", f.Name)
		if value != "" {
			fmt.Fprintf(w, " %s", value)
		}
		fmt.Fprintf(w, "\n        %s", meaning)
		def := f.DefValue
		if d, ok := shownDefaults[f.Name]; ok {
			def = d
		}
		if def != "" && def != "false" {
			fmt.Fprintf(w, " (default %q)", def)
		}
		fmt.Fprintln(w)
	})
	fmt.Fprint(w, "\nCommands, instead of flags and path:\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %s\n        %s; 'sfprocessor %s -help' lists them\n", c.name, c.about, c.name)
	}
}
