// Command generate writes the traces that come with the program, and large ones for benchmarks, from scenarios.
//
//	go run ./resources/traces/generate                             write each scenario's trace to resources/traces
//	go run ./resources/traces/generate -check                      say which of them are not current
//	go run ./resources/traces/generate -bench 2000000 -o big.sf    write about two million records
//	go run ./resources/traces/generate -schema S4 -o old.sf scenarios/webshell.yaml
package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/resources/traces/scenario"
)

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

// run is the program without its surroundings; it returns the exit code.
func run(args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("generate", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: generate [flags] [scenario or directory ...]")
		flags.PrintDefaults()
	}
	out := flags.String("out", "resources/traces", "`directory` for the traces, each named after its scenario")
	check := flags.Bool("check", false, "write nothing, fail if a trace differs from what would be written")
	one := flags.String("o", "", "write the trace of one scenario to this `file`")
	bench := flags.Int("bench", 0, "make about `n` records, of the busy database unless a scenario is given")
	var opts scenario.Options
	flags.Uint64Var(&opts.Seed, "seed", 0, "draw what is random from this `number` instead of the scenario's")
	flags.StringVar(&opts.Schema, "schema", "", "write this writer schema, S1 to S11, and leave out what it cannot express")
	flags.StringVar(&opts.Codec, "codec", "", "compress with null, deflate, snappy or zstandard")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	opts.Records = *bench
	paths := flags.Args()
	switch {
	case len(paths) > 0:
	case *bench > 0:
		paths = []string{"resources/traces/scenarios/database.yaml"}
	default:
		paths = []string{"resources/traces/scenarios"}
	}
	files, err := scenarios(paths)
	if err == nil {
		err = generate(files, *out, *one, *check, opts)
	}
	if err != nil {
		fmt.Fprintln(stderr, "generate:", err)
		return 1
	}
	return 0
}

// scenarios returns the scenario files among paths and in the directories among them.
func scenarios(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		found, err := filepath.Glob(filepath.Join(path, "*.yaml"))
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no scenario (*.yaml) in %s", strings.Join(paths, ", "))
	}
	return files, nil
}

// generate writes or checks the trace of each scenario. one, if not empty, is the file for the trace of the only one.
func generate(files []string, out, one string, check bool, opts scenario.Options) error {
	if one != "" && len(files) != 1 {
		return fmt.Errorf("-o takes one scenario, have %d", len(files))
	}
	var errs []error
	for _, file := range files {
		s, err := scenario.Load(file)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		path := filepath.Join(out, s.Name+".sf")
		if one != "" {
			path = one
		}
		if check {
			errs = append(errs, checkTrace(s, path, opts))
		} else {
			errs = append(errs, writeTrace(s, path, opts))
		}
	}
	return errors.Join(errs...)
}

// checkTrace compares a trace with what its scenario gives.
func checkTrace(s *scenario.Scenario, path string, opts scenario.Options) error {
	var want bytes.Buffer
	if err := s.WriteTrace(&want, opts); err != nil {
		return err
	}
	have, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(have, want.Bytes()) {
		return fmt.Errorf("%s is not what its scenario gives: run generate without -check", path)
	}
	return nil
}

// writeTrace writes a trace as a whole or not at all: it appears under its name when it is complete.
func writeTrace(s *scenario.Scenario, path string, opts scenario.Options) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".trace-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := s.WriteTrace(w, opts); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}
