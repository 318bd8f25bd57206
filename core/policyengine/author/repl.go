package author

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// ReplOptions say how conditions are asked for and answered.
type ReplOptions struct {
	Policies string // whose macros and lists conditions may use; empty: none
	Falco    falco.Options
	Max      int // records shown for each condition

	// Interruptible, if not nil, makes the context of a query that a user at a terminal may end without ending all.
	Interruptible func(context.Context) (context.Context, context.CancelFunc)
}

// Repl reads conditions, a line each, and writes which records of the traces they hold for. It returns when there are no
// more lines, or with the command `:quit`. If in and out are terminals, lines can be edited, completed and recalled. The
// result says whether all lines were right; an error is one of the policies, the traces or the terminal.
func Repl(ctx context.Context, traces *Traces, opts ReplOptions, in io.Reader, out io.Writer) (bool, error) {
	s := &session{opts: opts, traces: traces, out: out, describer: newDescriber(opts.Falco.Catalogue), policy: new(policy.Policy), good: true}
	if opts.Policies != "" {
		var err error
		if s.policy, err = load(opts.Policies, opts.Falco); err != nil {
			return false, err
		}
	}
	lines, end := plainLines(in), ""
	file, isFile := in.(*os.File)
	if console, ok := out.(*os.File); ok && isFile && term.IsTerminal(int(file.Fd())) && term.IsTerminal(int(console.Fd())) {
		lines = newTerminal(file, console, s.words()).next
		s.interruptible, end = opts.Interruptible, "\n" // after the last prompt
		fmt.Fprintln(out, "Write a condition, or :help. Tab completes names.")
	}
	for {
		line, err := lines()
		if errors.Is(err, io.EOF) {
			_, err = io.WriteString(out, end)
			return s.good, err
		}
		if err != nil {
			return false, fmt.Errorf("read conditions: %w", err)
		}
		if quit, err := s.line(ctx, strings.TrimSpace(line)); quit || err != nil {
			return s.good, err
		}
	}
}

// maxLine is how long a condition may be, in bytes.
const maxLine = 256 << 10

// plainLines returns a function that returns the next line of r, or io.EOF.
func plainLines(r io.Reader) func() (string, error) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	return func() (string, error) {
		if s.Scan() {
			return s.Text(), nil
		}
		if err := s.Err(); err != nil {
			return "", err
		}
		return "", io.EOF
	}
}

// session is a dialogue.
type session struct {
	*describer
	opts   ReplOptions
	traces *Traces
	policy *policy.Policy
	out    io.Writer
	good   bool // no line was wrong

	interruptible func(context.Context) (context.Context, context.CancelFunc) // nil: queries run to their end
}

// replCommands are what begins with a colon.
var replCommands = []struct {
	name, args, about string
	run               func(s *session, ctx context.Context, arg string) error
}{
	{":fields", "[text]", "list attributes, or those that have text in their name or meaning", (*session).fields},
	{":lists", "", "list the lists of the policies", (*session).lists},
	{":macros", "", "list the macros of the policies", (*session).macros},
	{":show", "N", "show all attributes of record N", (*session).show},
}

// line answers a line.
func (s *session) line(ctx context.Context, line string) (quit bool, err error) {
	if s.interruptible != nil {
		outer := ctx
		var done context.CancelFunc
		ctx, done = s.interruptible(ctx)
		defer done()
		defer func() {
			if errors.Is(err, context.Canceled) && outer.Err() == nil {
				fmt.Fprintln(s.out, "interrupted")
				err = nil
			}
		}()
	}
	if line == "" || strings.HasPrefix(line, "#") {
		return false, nil
	}
	if !strings.HasPrefix(line, ":") {
		return false, s.query(ctx, line)
	}
	name, arg, _ := strings.Cut(line, " ")
	switch name {
	case ":quit", ":q":
		return true, nil
	case ":help", ":h":
		s.help()
		return false, nil
	}
	for _, c := range replCommands {
		if c.name == name {
			return false, c.run(s, ctx, strings.TrimSpace(arg))
		}
	}
	s.wrong("there is no command %s; :help lists them", shown(name))
	return false, nil
}

// wrong tells the user about a line that cannot be answered.
func (s *session) wrong(format string, args ...any) {
	s.good = false
	fmt.Fprintf(s.out, format+"\n", args...)
}

// query shows the records for which a condition holds.
func (s *session) query(ctx context.Context, text string) error {
	holds, err := compileCondition("condition", text, s.opts.Policies, s.opts.Falco, s.out)
	if bad, ok := errors.AsType[*ConditionError](err); ok {
		s.wrong("%v", bad)
		return nil
	}
	if err != nil {
		return err
	}
	var total, found int
	for at, err := range s.traces.rows(ctx) {
		if err != nil {
			return err
		}
		total++
		if !holds(at) {
			continue
		}
		if found++; found <= s.opts.Max {
			fmt.Fprintln(s.out, s.record(at))
		}
	}
	more := ""
	if found > s.opts.Max {
		more = fmt.Sprintf(", the first %d are shown", s.opts.Max)
	}
	fmt.Fprintf(s.out, "%d of %s%s\n", found, count(total, "record"), more)
	return nil
}

// help lists the commands.
func (s *session) help() {
	fmt.Fprintln(s.out, "A condition, as in a rule, shows the records that it holds for: number, time, type, process[pid],")
	fmt.Fprintln(s.out, "operations, and the file or connection; of a process event, the arguments. Commands:")
	t := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
	for _, c := range replCommands {
		fmt.Fprintf(t, "  %s %s\t%s\n", c.name, c.args, c.about)
	}
	fmt.Fprint(t, "  :help\tthis list\n  :quit\tend; so does the end of the input\n")
	t.Flush() // an error comes back with the next line
}

func (s *session) fields(_ context.Context, arg string) error {
	arg = strings.ToLower(arg)
	t := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
	n := 0
	for f := range s.opts.Falco.Catalogue.Fields() {
		if f.Deprecated == "" && (strings.Contains(f.Name, arg) || strings.Contains(strings.ToLower(f.Help), arg)) {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", f.Name, f.TypeText(), f.Applies, f.Help)
			n++
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if n == 0 {
		s.wrong("no attribute has '%s' in its name or meaning", shown(arg))
	}
	return nil
}

func (s *session) macros(context.Context, string) error {
	for _, m := range s.policy.Macros {
		fmt.Fprintf(s.out, "%s  # %s\n", m.Name, m.Pos)
	}
	return nil
}

func (s *session) lists(context.Context, string) error {
	for _, l := range s.policy.Lists {
		fmt.Fprintf(s.out, "%s: %s  # %s\n", l.Name, shown(strings.Join(l.Items, ", ")), l.Pos)
	}
	return nil
}

// show shows the attributes of a record that have a value.
func (s *session) show(ctx context.Context, arg string) error {
	num, err := strconv.ParseInt(strings.TrimPrefix(arg, "#"), 10, 64)
	if err != nil || num < 1 {
		s.wrong("which record? :show and its number, from 1")
		return nil
	}
	for at, err := range s.traces.rows(ctx) {
		if err != nil {
			return err
		}
		if at.num == num {
			return s.attributes(at)
		}
	}
	s.wrong("there is no record %d", num)
	return nil
}

// attributes shows the attributes of a record.
func (s *session) attributes(at located) error {
	t := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
	for f := range s.opts.Falco.Catalogue.Fields() {
		if !strings.HasPrefix(f.Name, "sf.") || f.Deprecated != "" {
			continue
		}
		if v := operandValue(&policy.Operand{Field: f, Index: -1}, at); v != "" && v != "<NA>" {
			fmt.Fprintf(t, "%s\t%s\n", f.Name, shown(v))
		}
	}
	return t.Flush()
}

// words returns what can be completed, sorted.
func (s *session) words() []string {
	words := []string{":help", ":quit"}
	for _, c := range replCommands {
		words = append(words, c.name)
	}
	cat := s.opts.Falco.Catalogue
	words = slices.AppendSeq(words, cat.Names())
	if s.policy.Falco {
		for f := range cat.Variants() {
			words = append(words, f.Name)
		}
	}
	for f := range cat.Fields() {
		if f.Type == field.Enum || f.Type == field.Flags {
			words = slices.AppendSeq(words, f.Names.All())
		}
	}
	for _, m := range s.policy.Macros {
		words = append(words, m.Name)
	}
	for _, l := range s.policy.Lists {
		words = append(words, l.Name)
	}
	slices.Sort(words)
	return slices.Compact(words)
}
