package main

import (
	"context"
	"flag"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/author"
)

// The tools that look at traces: policy explain, policy bench and policy repl.

// untilStopped returns a context that ends when the program is told to stop.
func untilStopped(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

// explainTool is `policy explain`.
func explainTool() tool {
	return tool{
		name:  "explain",
		args:  "trace...",
		about: "say why a rule matches a record or does not, term by term",
		details: `
Shows the condition as a tree, with the truth of each part on the record: true, false, or - if what comes before decides.
Behind a term are the values of its attributes, behind a macro the place of its definition. A trace is a file or a directory;
records are counted from 1, through all traces. With --filter, the records are the first for which that condition holds; it
may use the macros and lists of the policies.`,
		examples: []string{
			`--policies=resources/policies/runtimeintegrity --rule='Shell started by a web server' --filter='sf.proc.name = sh' --max=1 resources/traces/webshell.sf`,
			`--policies=resources/policies/runtimeintegrity --rule='Shell started by a web server' --record=7 --format=json resources/traces/webshell.sf`,
		},
		setup: explainRule,
	}
}

// explainRule declares the flags of `policy explain` and returns what runs it.
func explainRule(fs *flag.FlagSet) func(paths []string, std streams) (bool, error) {
	var opts author.ExplainOptions
	fs.StringVar(&opts.Policies, "policies", "", "`path` of the policies, a file or directory")
	fs.StringVar(&opts.Rule, "rule", "", "`name` of the rule or drop to explain")
	fs.Int64Var(&opts.Record, "record", 0, "`number` of the record to explain the rule on, from 1")
	fs.StringVar(&opts.Filter, "filter", "", "`condition` that picks the records to explain the rule on")
	fs.IntVar(&opts.Max, "max", 3, "how many of the records that the filter picks, `at most`")
	options := loadFlags(fs)
	format := formatFlag(fs, "text", "json")
	return func(paths []string, std streams) (good bool, err error) {
		switch opts.Falco, err = options(); {
		case err != nil:
			return false, err
		case opts.Policies == "":
			return false, &usageError{"which policies? Give --policies"}
		case opts.Rule == "":
			return false, &usageError{"which rule? Give --rule"}
		case opts.Record < 0:
			return false, &usageError{"records are counted from 1"}
		case (opts.Record == 0) == (opts.Filter == ""):
			return false, &usageError{"which records? Give --record or --filter, one of them"}
		case opts.Max < 1:
			return false, &usageError{"--max must be at least 1"}
		}
		traces, err := openTraces(paths, std.err)
		if err != nil {
			return false, err
		}
		ctx, stop := untilStopped(context.Background())
		defer stop()
		report, err := author.Explain(ctx, traces, opts)
		if err != nil {
			return false, err
		}
		return true, writeReport(report, format.value, std.out)
	}
}

// openTraces opens the traces that arguments name.
func openTraces(paths []string, warn io.Writer) (*author.Traces, error) {
	if len(paths) == 0 {
		return nil, &usageError{"which traces? Give files or directories"}
	}
	return author.OpenTraces(paths, warn)
}

// benchTool is `policy bench`.
func benchTool() tool {
	return tool{
		name:  "bench",
		args:  "trace...",
		about: "count what rules find in traces, and measure what they cost",
		details: `
Hits are counted by rule, process and container, with examples. The cost of a rule is the time that it takes on all records
when it is evaluated alone, and its share that of the sum; a set takes less than the sum of its rules, which share work.
Everything but the times depends on the traces and policies alone. With --compare, the report ends with what other policies
would find more and less.`,
		examples: []string{
			`--policies=resources/policies/runtimeintegrity --sort=cost resources/traces/webshell.sf`,
			`--policies=resources/policies/distribution --compare=resources/policies/runtimeintegrity --format=json resources/traces/miner.sf`,
		},
		setup: benchPolicies,
	}
}

// benchPolicies declares the flags of `policy bench` and returns what runs it.
func benchPolicies(fs *flag.FlagSet) func(paths []string, std streams) (bool, error) {
	var opts author.BenchOptions
	fs.StringVar(&opts.Policies, "policies", "", "`path` of the policies, a file or directory")
	fs.StringVar(&opts.Compare, "compare", "", "`path` of other policies, to see in what they differ")
	fs.IntVar(&opts.Rounds, "rounds", 5, "`how often` times are taken; the shortest counts")
	fs.IntVar(&opts.Examples, "examples", 2, "how many records are shown for each rule, `at most`")
	order := &choice{string(author.ByHits), []string{string(author.ByHits), string(author.ByCost), string(author.ByFile)}}
	fs.Var(order, "sort", "order of the rules: `hits|cost|file`")
	options := loadFlags(fs)
	format := formatFlag(fs, "text", "json")
	return func(paths []string, std streams) (good bool, err error) {
		switch opts.Falco, err = options(); {
		case err != nil:
			return false, err
		case opts.Policies == "":
			return false, &usageError{"which policies? Give --policies"}
		case opts.Rounds < 1:
			return false, &usageError{"--rounds must be at least 1"}
		case opts.Examples < 0:
			return false, &usageError{"--examples must be at least 0"}
		}
		opts.SortBy = author.Order(order.value)
		traces, err := openTraces(paths, std.err)
		if err != nil {
			return false, err
		}
		ctx, stop := untilStopped(context.Background())
		defer stop()
		report, err := author.RunBench(ctx, traces, opts)
		if err != nil {
			return false, err
		}
		return true, writeReport(report, format.value, std.out)
	}
}

// replTool is `policy repl`.
func replTool() tool {
	return tool{
		name:  "repl",
		args:  "trace...",
		about: "try conditions on traces",
		details: `
Reads conditions, a line each, and shows the records that they hold for; :help lists what else there is. On a terminal, lines
can be edited and recalled, and the tab key completes attributes, their values, macros and lists. The exit code is 1 if a
line was wrong.`,
		examples: []string{
			`--policies=resources/policies/runtimeintegrity resources/traces/webshell.sf`,
			`--max=5 resources/traces`,
		},
		setup: tryConditions,
	}
}

// tryConditions declares the flags of `policy repl` and returns what runs it.
func tryConditions(fs *flag.FlagSet) func(paths []string, std streams) (bool, error) {
	opts := author.ReplOptions{Interruptible: func(ctx context.Context) (context.Context, context.CancelFunc) {
		return signal.NotifyContext(ctx, os.Interrupt)
	}}
	fs.StringVar(&opts.Policies, "policies", "", "`path` of policies, a file or directory, whose macros and lists may be used")
	fs.IntVar(&opts.Max, "max", 20, "how many records are shown for a condition, `at most`")
	options := loadFlags(fs)
	return func(paths []string, std streams) (good bool, err error) {
		switch opts.Falco, err = options(); {
		case err != nil:
			return false, err
		case opts.Max < 0:
			return false, &usageError{"--max must be at least 0"}
		}
		traces, err := openTraces(paths, std.err)
		if err != nil {
			return false, err
		}
		return author.Repl(context.Background(), traces, opts, std.in, std.out)
	}
}

// report is what a tool has found, in the formats that it can be written in.
type report interface {
	WriteText(w io.Writer) error
	WriteJSON(w io.Writer) error
}

// writeReport writes a report as JSON or as text.
func writeReport(r report, format string, w io.Writer) error {
	if format == "json" {
		return r.WriteJSON(w)
	}
	return r.WriteText(w)
}
