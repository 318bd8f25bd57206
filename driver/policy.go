package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/author"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/ruletest"
)

// policyCommand is the command for those who write rules.
func policyCommand() command {
	return command{
		name:  "policy",
		about: "tools for rule authors",
		tools: []tool{
			{
				name:  "check",
				args:  "path...",
				about: "load policies as the policy engine would, and say what is wrong with them",
				details: `
A path is a policy file or a directory of such; several paths are one policy set, in this order. The exit code is 0 if the
policies can be loaded, warnings or not, and 1 if not.`,
				examples: []string{
					"resources/policies/runtimeintegrity",
					"--strict --format=sarif resources/policies/distribution/filter.yaml",
				},
				setup: checkPolicies,
			},
			{
				name:  "list",
				args:  "path...",
				about: "list rules: priority, state, tags, the record types they may match, the attributes they read",
				details: `
A path is a policy file or a directory of such; several paths are one policy set, in this order. A rule is partly evaluable if
its condition names what SysFlow data never has, and not evaluable if it can never match for that reason. Formats:
  table         one rule a line, drop rules first
  json          all that is known of drop rules and rules
  attack-matrix Markdown: the techniques of MITRE ATT&CK that rules name in tags (mitre:T1059.004, T1059, mitre_execution)
  navigator     a layer for the ATT&CK Navigator, format 4.5`,
				examples: []string{
					"resources/policies/runtimeintegrity",
					"--format=attack-matrix resources/policies/runtimeintegrity",
					"--format=navigator resources/policies/runtimeintegrity",
				},
				setup: listPolicies,
			},
			{
				name:  "test",
				args:  "path...",
				about: "run rule tests: records, and which rules must and must not fire on them",
				details: `
A path is a test file or a directory of such (*.yaml, *.yml), which say what policies they test and which rules match which
records; docs/policies.md says how. The exit code is 1 if a test fails or cannot be run. Coverage tells what no test has tried:
rules that never fired, and terms of conditions that were never true, or never false, where they decide.`,
				examples: []string{
					"resources/policytests",
					"--coverage resources/policytests/network.yaml",
					"--policies=resources/policies/runtimeintegrity --format=junit resources/policytests/network.yaml",
				},
				setup: testPolicies,
			},
			explainTool(),
			benchTool(),
			replTool(),
		},
	}
}

// loadFlags declares the flags that say how policies are loaded. The result is valid once they are parsed.
func loadFlags(fs *flag.FlagSet) func() (falco.Options, error) {
	strict := fs.Bool("strict", false, "make errors of what looks wrong or cannot be answered")
	lenient := fs.Bool("lenient", false, "make warnings of unknown names")
	mode := &choice{string(falco.Auto), []string{string(falco.Auto), string(falco.On), string(falco.Off)}}
	fs.Var(mode, "falco", "give Falco names Falco's meaning: `auto|on|off`; auto: if a file requires a Falco version")
	actions := fs.String("actions", "", "`names` of the actions that rules may run, with commas between them")
	return func() (falco.Options, error) {
		opts := falco.Options{Falco: falco.Mode(mode.value), Catalogue: field.SysFlow()}
		switch {
		case *strict && *lenient:
			return opts, &usageError{"--strict and --lenient cannot be combined"}
		case *strict:
			opts.Checks = falco.Strict
		case *lenient:
			opts.Checks = falco.Lenient
		}
		for name := range strings.SplitSeq(*actions, ",") {
			if name = strings.TrimSpace(name); name != "" {
				opts.Actions = append(opts.Actions, name)
			}
		}
		return opts, nil
	}
}

// checkPolicies is `policy check`.
func checkPolicies(fs *flag.FlagSet) func(paths []string, std streams) (bool, error) {
	options := loadFlags(fs)
	format := formatFlag(fs, "text", "json", "sarif")
	return func(paths []string, std streams) (bool, error) {
		opts, err := options()
		if err != nil {
			return false, err
		}
		if len(paths) == 0 {
			return false, &usageError{"which policies? Give a file or directory"}
		}
		report, err := author.Check(paths, opts)
		if err != nil {
			return false, err
		}
		switch format.value {
		case "json":
			err = report.WriteJSON(std.out)
		case "sarif":
			root, rootErr := os.Getwd()
			if rootErr != nil {
				return false, fmt.Errorf("find the directory that file names are relative to: %w", rootErr)
			}
			err = report.WriteSARIF(std.out, root, fullVersion())
		default:
			err = report.WriteText(std.out)
		}
		return !report.Failed(), err
	}
}

// listPolicies is `policy list`.
func listPolicies(fs *flag.FlagSet) func(paths []string, std streams) (bool, error) {
	options := loadFlags(fs)
	format := formatFlag(fs, "table", "json", "attack-matrix", "navigator")
	return func(paths []string, std streams) (bool, error) {
		opts, err := options()
		if err != nil {
			return false, err
		}
		if len(paths) == 0 {
			return false, &usageError{"which policies? Give a file or directory"}
		}
		listing, err := author.List(paths, opts)
		if err != nil {
			return false, err
		}
		switch format.value {
		case "json":
			err = listing.WriteJSON(std.out)
		case "attack-matrix":
			err = listing.WriteMatrix(std.out)
		case "navigator":
			err = listing.WriteNavigator(std.out)
		default:
			err = listing.WriteTable(std.out)
		}
		return true, err
	}
}

// testPolicies is `policy test`.
func testPolicies(fs *flag.FlagSet) func(paths []string, std streams) (bool, error) {
	var opts ruletest.Options
	fs.StringVar(&opts.Policies, "policies", "", "`path` of the policies to test, a file or directory, instead of those that test files name")
	fs.BoolVar(&opts.Coverage, "coverage", false, "add what the tests have not tried")
	verbose := fs.Bool("verbose", false, "show tests that pass as well (table only)")
	options := loadFlags(fs)
	format := formatFlag(fs, "table", "json", "junit")
	return func(paths []string, std streams) (good bool, err error) {
		switch opts.Falco, err = options(); {
		case err != nil:
			return false, err
		case len(paths) == 0:
			return false, &usageError{"which tests? Give a file or directory"}
		case opts.Coverage && format.value == "junit":
			return false, &usageError{"JUnit's format has no place for coverage: use table or json"}
		}
		ctx, stop := untilStopped(context.Background())
		defer stop()
		result, err := ruletest.Run(ctx, paths, opts)
		if err != nil {
			return false, err
		}
		report := author.TestReport{Result: result}
		switch format.value {
		case "json":
			err = report.WriteJSON(std.out)
		case "junit":
			err = report.WriteJUnit(std.out)
		default:
			err = report.WriteTable(std.out, *verbose)
		}
		return !report.Failed(), err
	}
}
