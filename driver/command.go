package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/config/suggest"
)

// command is a tool that the first argument names, with subcommands that have flags and arguments of their own.
type command struct {
	name  string
	about string // one line
	tools []tool
}

// commands are the words that the first argument may be. A trace of such a name is given with its directory.
func commands() []command { return []command{policyCommand()} }

// tool is a subcommand.
type tool struct {
	name     string
	args     string // after the flags, for the synopsis
	about    string // one line
	details  string // paragraphs; may be empty
	examples []string

	// setup declares the flags of the tool and returns what runs it. The first result of that says whether all is well
	// with what the tool looked at. An error is one of the tool itself, or of how it is called, a *usageError.
	setup func(fs *flag.FlagSet) func(args []string, std streams) (bool, error)
}

// streams are what a tool reads and writes. What is no part of its report goes to err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// usageError is an argument that cannot be right.
type usageError struct{ problem string }

func (e *usageError) Error() string { return e.problem }

// runCommand runs the command that args name. It returns false if they name none.
func runCommand(args []string, std streams) (code int, found bool) {
	if len(args) == 0 {
		return 0, false
	}
	all := commands()
	i := slices.IndexFunc(all, func(c command) bool { return c.name == args[0] })
	if i < 0 {
		return 0, false
	}
	return all[i].run(args[1:], std), true
}

// run runs the subcommand that args name.
func (c *command) run(args []string, std streams) int {
	if len(args) == 0 {
		c.usage(std.err)
		return exitUsage
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		c.usage(std.out)
		return exitOK
	}
	i := slices.IndexFunc(c.tools, func(t tool) bool { return t.name == args[0] })
	if i >= 0 {
		return c.tools[i].run("sfprocessor "+c.name, args[1:], std)
	}
	fmt.Fprintf(std.err, "sfprocessor %s: unknown command %q", c.name, args[0])
	var names []string
	for _, t := range c.tools {
		names = append(names, t.name)
	}
	if near := suggest.Names(args[0], slices.Values(names), 1); len(near) > 0 {
		fmt.Fprintf(std.err, ": did you mean %q?", near[0])
	}
	fmt.Fprintf(std.err, "\nRun 'sfprocessor %s -help' for the commands.\n", c.name)
	return exitUsage
}

// usage prints what the command offers.
func (c *command) usage(w io.Writer) {
	fmt.Fprintf(w, "Usage: sfprocessor %s <command> [flags] [arguments]\n\nCommands:\n", c.name)
	for _, t := range c.tools {
		fmt.Fprintf(w, "  %-8s %s\n", t.name, t.about)
	}
	fmt.Fprintf(w, "\n'sfprocessor %s <command> -help' says more about one of them.\n", c.name)
}

// run runs the tool; prefix is what stands before its name on the command line.
func (t *tool) run(prefix string, args []string, std streams) int {
	fs := flag.NewFlagSet(t.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // what is wrong is printed below
	run := t.setup(fs)
	rest, err := parseAnywhere(fs, args)
	if errors.Is(err, flag.ErrHelp) {
		t.usage(prefix, fs, std.out)
		return exitOK
	}
	good := false
	if err != nil {
		err = &usageError{err.Error()}
	} else {
		good, err = run(rest, std)
	}
	switch _, misused := errors.AsType[*usageError](err); {
	case misused:
		fmt.Fprintf(std.err, "%s %s: %v\nRun '%s %s -help' for usage.\n", prefix, t.name, err, prefix, t.name)
		return exitUsage
	case err != nil:
		fmt.Fprintf(std.err, "%s %s: %v\n", prefix, t.name, err)
		return exitError
	case !good:
		return exitError
	}
	return exitOK
}

// parseAnywhere parses flags that may also stand between and behind the other arguments, which it returns. What follows
// -- is no flag.
func parseAnywhere(fs *flag.FlagSet, args []string) ([]string, error) {
	var rest []string
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		left := fs.Args()
		if taken := len(args) - len(left); len(left) == 0 || taken > 0 && args[taken-1] == "--" {
			return append(rest, left...), nil
		}
		rest = append(rest, left[0])
		args = left[1:]
	}
}

// usage prints how the tool is used.
func (t *tool) usage(prefix string, fs *flag.FlagSet, w io.Writer) {
	fmt.Fprintf(w, "Usage: %s %s [flags] %s\n\n%s\n", prefix, t.name, t.args, sentence(t.about))
	if t.details != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(t.details))
	}
	fmt.Fprint(w, "\nFlags:\n")
	fs.VisitAll(func(f *flag.Flag) {
		value, meaning := flag.UnquoteUsage(f)
		fmt.Fprintf(w, "  --%s", f.Name)
		if value != "" {
			fmt.Fprintf(w, " %s", value)
		}
		fmt.Fprintf(w, "\n        %s", meaning)
		if f.DefValue != "" && f.DefValue != "false" {
			fmt.Fprintf(w, " (default %q)", f.DefValue)
		}
		fmt.Fprintln(w)
	})
	fmt.Fprint(w, "\nExamples:\n")
	for _, e := range t.examples {
		fmt.Fprintf(w, "  %s %s %s\n", prefix, t.name, e)
	}
}

// sentence makes a sentence of a line.
func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }

// choice is a flag whose value is one of a few words.
type choice struct {
	value   string
	allowed []string
}

func (c *choice) String() string { return c.value }

func (c *choice) Set(value string) error {
	if !slices.Contains(c.allowed, value) {
		return fmt.Errorf("want one of %s", strings.Join(c.allowed, ", "))
	}
	c.value = value
	return nil
}

// formatFlag declares the flag that chooses the format of a report; the first one is the default.
func formatFlag(fs *flag.FlagSet, formats ...string) *choice {
	c := &choice{formats[0], formats}
	fs.Var(c, "format", "write the report as `"+strings.Join(formats, "|")+"`")
	return c
}
