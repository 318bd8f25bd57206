package plugins_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
}

const enrichEntry = `{"processor": "policyengine", "in": "f flattenerchan", "out": "e eventchan", "mode": "enrich"}`

// TestDrivers runs drivers of both kinds alone.
func TestDrivers(t *testing.T) {
	t.Parallel()
	in := install(t, map[string]string{"drivers/scripted.so": "plugins/testdata/scripted"})
	for name, tt := range map[string]struct {
		args, env []string
		drivers   string
		node      string
		logged    []string
	}{
		"old": {[]string{"-driver=oldscripted", "PIPELINE", "w"}, nil, "", "w",
			[]string{"channels 3, processors 3, handlers 1, load: true", "closing the root channel", "the pipeline has ended", "oldscripted cleaned up"}},
		"new": {[]string{"-driver=scripted", "PIPELINE", "w"}, nil, "", "w", []string{"oldscripted cleaned up"}},
		"with attributes": {[]string{"-driver=scripted", "PIPELINE", "w"}, nil, `"drivers": [{"driver": "scripted", "prefix": "p-", "_c": 1}]`, "p-w",
			[]string{"oldscripted cleaned up"}},
		"with a path of its own": {[]string{"PIPELINE"}, []string{"SCRIPTED_PREFIX=q-"},
			`"drivers": [{"driver": "scripted", "out": "s sysflowchan", "path": "own"}]`, "q-own", []string{"oldscripted cleaned up"}},
	} {
		t.Run(name, func(t *testing.T) {
			var more []string
			if tt.drivers != "" {
				more = append(more, tt.drivers)
			}
			args := slices.Clone(tt.args)
			args[slices.Index(args, "PIPELINE")] = in.pipeline(t, readerEntry+",\n"+enrichEntry+",\n"+exporterEntry, more...)
			o := in.run(t, tt.env, append([]string{"-log=trace"}, args...)...)
			o.mustExit(t, 0)
			checkRounds(t, documents(t, o.stdout), tt.node)
			if got := from("scripted.go", logLines(o.stderr)); !slices.Equal(got, tt.logged) {
				t.Errorf("logged %q, want %q", got, tt.logged)
			}
		})
	}
}

// checkRounds wants what a scripted driver sends for a word, in order, and nothing of another driver's processes.
func checkRounds(t *testing.T, docs []document, word string) {
	t.Helper()
	i := int64(0)
	for _, d := range docs {
		if d.Node.ID != word {
			continue
		}
		if want := fmt.Sprintf("/bin/%d-%s", i, word); d.Proc.Exe != want || d.Proc.Tid != i {
			t.Fatalf("%s: event %d is of %s, thread %d, want %s", word, i, d.Proc.Exe, d.Proc.Tid, want)
		}
		i++
	}
	if i != 500 {
		t.Errorf("%s: got %d events, want 500", word, i)
	}
}

// TestDriversTogether merges four drivers, three of which use the same process id for processes of their own.
func TestDriversTogether(t *testing.T) {
	t.Parallel()
	in := install(t, map[string]string{"drivers/scripted.so": "plugins/testdata/scripted"})
	config := in.pipeline(t, readerEntry+",\n"+enrichEntry+",\n"+exporterEntry, `"drivers": [
{"driver": "scripted", "path": "one"}, {"driver": "oldscripted", "path": "two"}, {"driver": "scripted", "path": "three"}, {"driver": "file"}]`)
	o := in.run(t, nil, "-log=warn", config, "../resources/traces/tcp.sf")
	o.mustExit(t, 0)
	docs := documents(t, o.stdout)
	for _, word := range []string{"one", "two", "three"} {
		checkRounds(t, docs, word)
	}
	if len(docs) != 3*500+10 {
		t.Errorf("got %d records, want those of the words and 10 of the file", len(docs))
	}
	if lines := logLines(o.stderr); !slices.Equal(lines, started[:1]) {
		t.Errorf("logged %s", o.stderr)
	}
}

// TestStopDrivers stops drivers of both kinds by a signal.
func TestStopDrivers(t *testing.T) {
	t.Parallel()
	in := install(t, map[string]string{"drivers/scripted.so": "plugins/testdata/scripted", "drivers/faulty.so": "plugins/testdata/faulty"})
	config := in.pipeline(t, readerEntry+",\n"+enrichEntry+",\n"+exporterEntry)
	for name, tt := range map[string]struct {
		env  []string
		args []string
		want string
	}{
		"new":              {nil, []string{"-driver=scripted", config, "endless"}, ""},
		"old, told":        {[]string{"FAULT=Run until stopped"}, []string{"-driver=faulty", config, "x"}, "stopped, running is false"},
		"old, polls":       {[]string{"FAULT=Run polls"}, []string{"-driver=faulty", config, "x"}, "polling has ended"},
		"old, never stops": {[]string{"FAULT=Run hangs", "SHUTDOWN_TIMEOUT=1s"}, []string{"-driver=faulty", config, "x"}, "the drain deadline has passed; the driver still runs"},
	} {
		t.Run(name, func(t *testing.T) {
			if workshop.race() && strings.Contains(name, "polls") {
				t.Skip("the documented flag is a data race between the driver and the program")
			}
			p := in.start(t, tt.env, tt.args...)
			p.signal(t, "Starting the processing pipeline", syscall.SIGTERM)
			o := p.wait(t)
			code := 0
			if strings.Contains(name, "never") {
				code = 3
			}
			o.mustExit(t, code)
			if !strings.Contains(o.stderr, tt.want) || !strings.Contains(o.stderr, `stopping reason="signal: terminated"`) {
				t.Errorf("logged %s", o.stderr)
			}
		})
	}
}
