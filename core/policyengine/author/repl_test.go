package author

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/ruletest"
)

func TestRepl(t *testing.T) {
	lines := `# what shells do
shell and started

sf.type = NE
sf.proc.nmae = x
  sf.type = NF and
evt.latency > 5
sf.type = PE
:macros
:lists
:fields object id
:fields no such thing
:show 187
:show x
:show 1000
:shw
:help
:quit
sf.type = FE
`
	var out bytes.Buffer
	good, err := Repl(t.Context(), openTraces(t, webshell), ReplOptions{Policies: rules, Falco: options(), Max: 3}, strings.NewReader(lines), &out)
	if err != nil || good {
		t.Errorf("got %v, %v, want lines to be wrong", good, err)
	}
	golden(t, "traces/repl.txt", func(w *bytes.Buffer) error {
		_, err := out.WriteTo(w)
		return err
	})
}

func TestReplEnds(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx   context.Context
		opts  ReplOptions
		lines string
		want  func(good bool, err error) bool
	}{
		"all is right": {t.Context(), ReplOptions{}, "sf.type = PE", func(good bool, err error) bool { return good && err == nil }},
		"cancelled":    {cancelled, ReplOptions{}, "sf.type = PE\n", func(_ bool, err error) bool { return errors.Is(err, context.Canceled) }},
		"long line":    {t.Context(), ReplOptions{}, strings.Repeat("x", maxLine+1), func(_ bool, err error) bool { return err != nil && err != io.EOF }},
		"policies": {t.Context(), ReplOptions{Policies: "testdata/check/bad"}, "", func(_ bool, err error) bool {
			_, bad := errors.AsType[*ruletest.PolicyError](err)
			return bad
		}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.opts.Falco = options()
			good, err := Repl(tt.ctx, openTraces(t, webshell), tt.opts, strings.NewReader(tt.lines), io.Discard)
			if !tt.want(good, err) {
				t.Errorf("got %v, %v", good, err)
			}
		})
	}
}

func TestReplInterrupted(t *testing.T) {
	var out bytes.Buffer
	s := &session{
		opts: ReplOptions{Falco: options()}, traces: openTraces(t, webshell), out: &out, describer: newDescriber(options().Catalogue),
		interruptible: func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		},
	}
	if quit, err := s.line(t.Context(), "sf.type = PE"); quit || err != nil || out.String() != "interrupted\n" {
		t.Errorf("got %v, %v, %s", quit, err, &out)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.line(ctx, "sf.type = PE"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of all to be an error", err)
	}
}

func TestComplete(t *testing.T) {
	words := []string{":fields", ":help", "sf.proc.args", "sf.proc.name", "sf.proc.name_of", "shell", "shells"}
	for name, tt := range map[string]struct {
		before, after         string
		wantBefore, wantAfter string
		several               []string
	}{
		"one":          {"sf.proc.a", "", "sf.proc.args ", "", nil},
		"one, inside":  {"(sf.proc.a", ") and x", "(sf.proc.args", ") and x", nil},
		"common part":  {"not sf.proc.n", "", "not sf.proc.name", "", nil},
		"several":      {"she", "", "shell", "", nil},
		"choice":       {"x in (shell", ")", "x in (shell", ")", []string{"shell", "shells"}},
		"command":      {":f", "", ":fields ", "", nil},
		"nothing":      {"sf.proc.x", "", "sf.proc.x", "", nil},
		"no word":      {"shell ", "", "shell ", "", nil},
		"past the end": {"zzz", "", "zzz", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			line, pos, several := complete(tt.before+tt.after, len(tt.before), words)
			if line != tt.wantBefore+tt.wantAfter || pos != len(tt.wantBefore) || !slices.Equal(several, tt.several) {
				t.Errorf("got %q at %d, %v", line, pos, several)
			}
		})
	}
}

// keyboard is a terminal whose user has typed all in advance.
type keyboard struct {
	io.Reader
	screen bytes.Buffer
}

func (k *keyboard) Write(p []byte) (int, error) { return k.screen.Write(p) }

func TestTerminal(t *testing.T) {
	const up = "\x1b[A"
	keys := &keyboard{Reader: strings.NewReader("sf.proc.na\t = sh\r" + "she\tx" + "\x7f\t\r" + up + up + "\r")}
	term := newEditor(keys, []string{"sf.proc.name", "shell", "shells"})
	for i, want := range []string{"sf.proc.name  = sh", "shell", "sf.proc.name  = sh"} {
		if line, err := term.next(); err != nil || line != want {
			t.Errorf("line %d: got %q, %v, want %q", i, line, err, want)
		}
	}
	if _, err := term.next(); err != io.EOF {
		t.Errorf("got %v at the end, want EOF", err)
	}
	if !strings.Contains(keys.screen.String(), "shell  shells\r\n") {
		t.Errorf("the words to choose from are missing on %q", &keys.screen)
	}
}

// TestWords wants everything that a rule author may write to be completed.
func TestWords(t *testing.T) {
	p, err := load(rules, options())
	if err != nil {
		t.Fatal(err)
	}
	words := (&session{opts: ReplOptions{Falco: options()}, policy: p}).words()
	for _, want := range []string{"sf.proc.name", "proc.name", "EXEC", "started_shell", "shells", ":show", ":quit"} {
		if _, found := slices.BinarySearch(words, want); !found {
			t.Errorf("%s is not completed", want)
		}
	}
}

func TestShown(t *testing.T) {
	for in, want := range map[string]string{
		"/bin/Ünï":               "/bin/Ünï",
		"a\x1b[2Jb\n":            `a\x1b[2Jb\n`,
		"\xff":                   `\xff`,
		strings.Repeat("ä", 160): strings.Repeat("ä", 160),
		strings.Repeat("ä", 161): strings.Repeat("ä", 159) + "…",
	} {
		if got := shown(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// TestDamaged wants damage to be told once, however often a trace is read.
func TestDamaged(t *testing.T) {
	data, err := os.ReadFile(webshell)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cut.sf")
	if err := os.WriteFile(path, data[:len(data)-100], 0o600); err != nil {
		t.Fatal(err)
	}
	var warnings bytes.Buffer
	traces, err := OpenTraces([]string{path, webshell}, &warnings)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		last := int64(0)
		for at, err := range traces.rows(t.Context()) {
			if err != nil || at.num != last+1 {
				t.Fatal(at.num, err)
			}
			last = at.num
		}
		if last < 273 {
			t.Errorf("%d records", last)
		}
	}
	if got := warnings.String(); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "warning: "+path+": at byte ") {
		t.Errorf("got %q, want one warning", got)
	}
}
