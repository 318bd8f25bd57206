// Package main is the program sfprocessor: its flags, signals and exit codes, and the list of built-in stages. What it
// does is done by the packages under core.
//
// Start reading at [run].
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/config"
	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/logger"
	"github.com/sysflow-telemetry/sf-processor/core/pipeline"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine"
)

// Exit codes. Those of a second signal are 128 and its number.
const (
	exitOK    = 0
	exitError = 1 // configuration, plugin, policy, input: the log or standard error says what
	exitUsage = 2
	exitLost  = 3 // records were given up on their way out
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// gcPercent is how much the heap may grow between two garbage collections. Little of what the program holds is garbage,
// so collecting twice as often as Go would costs next to nothing and saves a quarter of the memory.
const gcPercent = 40

// gcPercentPlugins is the same for a pipeline with plugins. They are given copies of records, so that most of what is
// allocated is garbage soon; collecting that as often takes longer than all else.
const gcPercentPlugins = 100

// collect sets how much the heap may grow between two garbage collections, unless the environment says that.
func collect(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// run is the program: it returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	collect(gcPercent)
	signal.Ignore(syscall.SIGPIPE) // a write to a closed pipe fails instead, and is handled where it is
	if code, found := runCommand(args, streams{stdin, stdout, stderr}); found {
		return code
	}
	o, err := parseFlags(args)
	switch {
	case errors.Is(err, errHelp):
		usage(stdout)
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "sfprocessor: %v\nRun 'sfprocessor -help' for usage.\n", err)
		return exitUsage
	case o.version:
		printVersion(stdout)
		return exitOK
	case o.fields.on:
		return printFields(o.fields, stdout, stderr)
	}
	profiles, err := startProfiles(o)
	if err != nil {
		fmt.Fprintf(stderr, "sfprocessor: %v\n", err)
		return exitError
	}
	p := &program{options: o, stdin: stdin, stdout: stdout, stderr: stderr}
	code := p.run()
	if err := profiles.finish(); err != nil {
		fmt.Fprintf(stderr, "sfprocessor: %v\n", err)
		code = max(code, exitError)
	}
	return code
}

// printFields lists the attributes that rules can name.
func printFields(f fieldsFlag, stdout, stderr io.Writer) int {
	write := field.SysFlow().WriteTable
	if f.json {
		write = field.SysFlow().WriteJSON
	}
	if err := write(stdout); err != nil {
		fmt.Fprintf(stderr, "sfprocessor: print attributes: %v\n", err)
		return exitError
	}
	return exitOK
}

// program is a run of the program with a pipeline.
type program struct {
	*options
	stdin          io.Reader
	stdout, stderr io.Writer

	sink *logger.Sink
	log  *slog.Logger
}

// run loads the pipeline, checks it and runs it to its end.
func (p *program) run() int {
	p.sink = logger.NewSink(p.stdout, p.stderr, p.level)
	p.log = slog.New(p.sink.Handler())
	logger.Install(p.sink)
	p.showStatus()
	sig := watchSignals(p.log)
	defer sig.stop()
	var metrics *metricsServer
	if p.metrics != "" && !p.test {
		var err error
		if metrics, err = startMetrics(p.metrics, p.log); err != nil {
			fmt.Fprintf(p.stderr, "sfprocessor: %v\n", err)
			return exitError
		}
		defer metrics.stop()
	}

	p.log.Info("sfprocessor", "version", fullVersion(), "pipeline", p.config)
	pl := p.load()
	if pl == nil {
		return exitError
	}
	if !p.test && p.path == "" && pl.NeedsPath() {
		fmt.Fprintln(p.stderr, "sfprocessor: the path to read from is missing")
		usage(p.stderr)
		return p.abandon(pl, exitError)
	}
	if err := pl.Check(sig.ctx); err != nil {
		if sig.ctx.Err() != nil {
			p.log.Info("stopped before the start", "reason", context.Cause(sig.ctx))
			return p.abandon(pl, exitOK)
		}
		p.log.Error("the pipeline is not started", "err", err)
		return p.abandon(pl, exitError)
	}
	if p.test {
		return p.abandon(pl, exitOK)
	}
	sig.onHangup(pl.Reload)
	if metrics != nil {
		metrics.pipeline.Store(pl)
	}
	if p.perf {
		defer startPerf(p.log, pl)()
	}
	if pl.HasPlugins() {
		collect(gcPercentPlugins)
	}
	r := pl.Run(sig.ctx, p.path)
	switch {
	case r.Failed:
		return exitError
	case r.Lost > 0 || !r.Drained:
		p.log.Error("records were lost", "records", r.Lost)
		return exitLost
	default:
		return exitOK
	}
}

// load loads the pipeline and prints what is wrong with it; then the pipeline is nil.
func (p *program) load() *pipeline.Pipeline {
	grace, diags := graceTime(os.Getenv)
	if diags.HasErrors() {
		p.print(diags)
		return nil
	}
	pl, diags, err := pipeline.Load(pipeline.Options{
		File: p.config, Driver: p.driver, DriverDir: p.driverDir, PluginDir: p.pluginDir,
		Environ: os.Environ(), Registry: builtins(p.stdin, p.stdout, grace), Sink: p.sink,
		Injected: injected(os.Getenv), Grace: grace,
	})
	p.print(diags)
	p.printBuild(err)
	return pl
}

// printBuild writes why stages could not be built. What is wrong with policies has its place already.
func (p *program) printBuild(err error) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range several.Unwrap() {
			p.printBuild(e)
		}
		return
	}
	if policies, ok := errors.AsType[*policyengine.LoadError](err); ok {
		err = policies
	}
	if err != nil {
		fmt.Fprintln(p.stderr, err)
	}
}

// print writes diagnostics to standard error; warnings only if the log shows such.
func (p *program) print(diags config.Diagnostics) {
	for _, d := range diags {
		if d.Severity == config.Error || p.sink.Enabled(logger.LevelWarn) {
			fmt.Fprint(p.stderr, d.Format())
		}
	}
}

// abandon cleans up a pipeline that is not run. It returns the exit code, which a failure makes an error.
func (p *program) abandon(pl *pipeline.Pipeline, code int) int {
	if err := pl.Close(); err != nil {
		p.log.Error("clean-up failed", "err", err)
		return exitError
	}
	return code
}

// environment are the settings that only variables have.
type environment struct {
	Shutdown time.Duration `attr:"shutdown.timeout" default:"25s" help:"how long stages may drain when the program is told to stop"`
}

// graceTime returns how long stages may drain.
func graceTime(getenv func(string) string) (time.Duration, config.Diagnostics) {
	const name = "SHUTDOWN_TIMEOUT"
	at := config.Pos{File: "environment " + name}
	entry := &config.Entry{Instance: "sfprocessor", Pos: at}
	if v := getenv(name); v != "" {
		entry.Overrides = []*config.Member{{Key: "shutdown.timeout", Pos: at, Val: &config.Value{Pos: at, Kind: config.String, Text: v}}}
	}
	var env environment
	diags := config.NewSchema(&env).Decode(entry)
	return env.Shutdown, diags
}
