package falco

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/sysflow-telemetry/sf-processor/core/field"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

// TestDiagnostics loads the policy sets in testdata/diagnostics. Each archive holds one or more sets: its files up to a
// file called want are one, and want is what loading it must print. The comment of the archive, and files called
// options before a set, hold options as `name: value`.
func TestDiagnostics(t *testing.T) {
	archives, err := filepath.Glob("testdata/diagnostics/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives", err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			checkArchive(t, name)
		})
	}
}

func checkArchive(t *testing.T, name string) {
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	opts := testOptions(t, string(a.Comment))
	current := opts
	var srcs []Source
	for i, f := range a.Files {
		switch f.Name {
		case "options":
			current = testOptions(t, string(f.Data))
		case "want":
			got := loaded(srcs, current)
			if *update {
				a.Files[i].Data = []byte(got)
			} else if got != string(f.Data) {
				t.Errorf("%s: got\n%s\nwant\n%s", srcs[0].Name, got, f.Data)
			}
			srcs, current = nil, opts
		default:
			srcs = append(srcs, Source{f.Name, unescaped(f.Data)})
		}
	}
	if srcs != nil {
		t.Errorf("no file want after %s", srcs[0].Name)
	}
	if *update {
		if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// shown are characters that an archive cannot hold or an editor would not show, and how they are written.
var shown = []string{"\t", "␉", "\r", "␍", "\x00", "␀", "\xff", "␛", "\ufeff", "␢"}

// escaped writes text as archives do.
func escaped(text string) string { return strings.NewReplacer(shown...).Replace(text) }

// unescaped undoes it.
func unescaped(data []byte) []byte {
	back := slices.Clone(shown)
	slices.Reverse(back)
	return []byte(strings.NewReplacer(back...).Replace(string(data)))
}

// testOptions parses lines of the form `name: value`; others are comments.
func testOptions(t *testing.T, text string) Options {
	opts := Options{Catalogue: catalogue, Actions: []string{"log", "notify"}}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		switch name {
		case "checks":
			opts.Checks = Checks(value)
		case "falco":
			opts.Falco = Mode(value)
		case "actions":
			opts.Actions = strings.Split(value, " ")
		case "note":
		default:
			t.Fatalf("unknown option %q", line)
		}
	}
	return opts
}

// loaded returns the diagnostics of a set as they are printed.
func loaded(srcs []Source, opts Options) string {
	_, ds := LoadSources(srcs, opts)
	var b strings.Builder
	for _, d := range ds {
		b.WriteString(d.Format())
	}
	return escaped(b.String())
}

var catalogue = field.SysFlow()
