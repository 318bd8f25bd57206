package logger

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// stamp matches what differs from line to line: the time and the place.
var stamp = regexp.MustCompile(`\d{4}/\d\d/\d\d \d\d:\d\d:\d\d logger_test\.go:\d+:`)

func TestLevels(t *testing.T) {
	for name, want := range map[string]string{
		"trace":  "Trace Info Warn Error Health",
		"info":   "Info Warn Error Health",
		"WARN":   "Warn Error Health",
		"error":  "Error Health",
		"health": "Health",
		"quiet":  "",
	} {
		t.Run(name, func(t *testing.T) {
			level, err := ParseLevel(name)
			if err != nil {
				t.Fatal(err)
			}
			var slogged, logged bytes.Buffer
			log := slog.New(NewSink(nil, &slogged, level).Handler())
			for _, l := range []slog.Level{LevelTrace, LevelInfo, LevelWarn, LevelError, LevelHealth} {
				log.Log(context.Background(), l, "m")
			}
			Install(NewSink(nil, &logged, level))
			for _, l := range contract() {
				l.Print("m")
			}
			for _, out := range []string{slogged.String(), logged.String()} {
				var words []string
				for line := range strings.Lines(out) {
					if !stamp.MatchString(line) {
						t.Errorf("line %q has no time and place", line)
					}
					words = append(words, strings.Trim(strings.Fields(line)[0], "[]"))
				}
				if got := strings.Join(words, " "); got != want {
					t.Errorf("shows %q, want %q", got, want)
				}
			}
		})
	}
}

func contract() []*log.Logger { return []*log.Logger{Trace, Info, Warn, Error, Health} }

func TestParseLevelUnknown(t *testing.T) {
	_, err := ParseLevel("loud")
	want := "unknown log level 'loud'; allowed: trace, info, warn, error, health, quiet"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestLine(t *testing.T) {
	for name, tt := range map[string]struct {
		do   func(*slog.Logger)
		want string
	}{
		"message":         {func(l *slog.Logger) { l.Info("all is well") }, "[Info] @ all is well"},
		"attributes":      {func(l *slog.Logger) { l.Warn("m", "n", 1, "s", "a b", "e", "") }, `[Warn] @ m n=1 s="a b" e=""`},
		"quotes":          {func(l *slog.Logger) { l.Info("m", "s", "a=b\n") }, `[Info] @ m s="a=b\n"`},
		"error":           {func(l *slog.Logger) { l.Error("m", "err", errors.New("x y")) }, `[Error] @ m err="x y"`},
		"duration":        {func(l *slog.Logger) { l.Info("m", "d", time.Second) }, "[Info] @ m d=1s"},
		"time":            {func(l *slog.Logger) { l.Info("m", "t", time.Unix(0, 0).UTC()) }, "[Info] @ m t=1970-01-01T00:00:00Z"},
		"of the logger":   {func(l *slog.Logger) { l.With("stage", "a").With("k", 2).Info("m", "n", 1) }, "[Info] @ m stage=a k=2 n=1"},
		"group":           {func(l *slog.Logger) { l.WithGroup("g").With("a", 1).Info("m", "b", 2) }, "[Info] @ m g.a=1 g.b=2"},
		"group attribute": {func(l *slog.Logger) { l.Info("m", slog.Group("g", "a", 1)) }, "[Info] @ m g.a=1"},
		"empty attribute": {func(l *slog.Logger) { l.Info("m", slog.Attr{}) }, "[Info] @ m"},
		"between levels":  {func(l *slog.Logger) { l.Log(context.Background(), LevelWarn+1, "m") }, "[Warn] @ m"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			tt.do(slog.New(NewSink(nil, &out, LevelTrace).Handler()))
			if got := stamp.ReplaceAllString(out.String(), "@"); got != tt.want+"\n" {
				t.Errorf("got %q, want %q", got, tt.want+"\n")
			}
		})
	}
}

func TestRouting(t *testing.T) {
	var stdout, stderr bytes.Buffer
	sink := NewSink(&stdout, &stderr, LevelInfo)
	log := slog.New(sink.Handler())
	log.Info("before")
	sink.ToStdout()
	log.Info("after")
	log.Error("bad")
	if got := stamp.ReplaceAllString(stdout.String(), "@"); got != "[Info] @ after\n" {
		t.Errorf("standard output has %q", got)
	}
	if got := stamp.ReplaceAllString(stderr.String(), "@"); got != "[Info] @ before\n[Error] @ bad\n" {
		t.Errorf("standard error has %q", got)
	}
}

// shown returns what a terminal shows, after checking that each status is one line of it, however narrow it is.
func shown(t *testing.T, screen string) string {
	t.Helper()
	statuses := regexp.MustCompile(`\x1b\[\?7l(\d+%)\x1b\[\?7h`)
	text := statuses.ReplaceAllString(stamp.ReplaceAllString(screen, "@"), "$1")
	if n := strings.Count(screen, "%"); n != len(statuses.FindAllString(screen, -1)) {
		t.Errorf("a status may be wrapped: %q", screen)
	}
	return text
}

// TestStatus wants the status line to be the last thing on the terminal, whatever is logged.
func TestStatus(t *testing.T) {
	var stderr bytes.Buffer
	sink := NewSink(nil, &stderr, LevelInfo)
	sink.Status("nothing is shown")
	sink.ShowStatus()
	if !sink.HasStatus() {
		t.Error("no status on a terminal")
	}
	sink.Status("50%")
	slog.New(sink.Handler()).Info("hello")
	sink.Status("50%") // the same: nothing to do
	sink.Status("60%")
	sink.Status("")
	want := "\r\x1b[K50%" + "\r\x1b[K[Info] @ hello\n50%" + "\r\x1b[K60%" + "\r\x1b[K"
	if got := shown(t, stderr.String()); got != want {
		t.Errorf("terminal got %q, want %q", got, want)
	}
}

// TestStatusBelowRecords has records and the log share the terminal with the status.
func TestStatusBelowRecords(t *testing.T) {
	var screen bytes.Buffer
	sink := NewSink(&screen, &screen, LevelInfo)
	sink.ShowStatus()
	records := sink.Records()
	sink.Status("50%")
	if n, err := io.WriteString(records, "{}\n"); n != 3 || err != nil {
		t.Errorf("wrote %d bytes, %v", n, err)
	}
	sink.Status("60%")
	sink.ToStdout()
	slog.New(sink.Handler()).Info("hello")
	sink.Status("")
	want := "\r\x1b[K50%" + "\r\x1b[K{}\n" + "\r\x1b[K60%" + "\r\x1b[K[Info] @ hello\n60%" + "\r\x1b[K"
	if got := shown(t, screen.String()); got != want {
		t.Errorf("terminal got %q, want %q", got, want)
	}
}

// stopped is a terminal whose user has stopped the output.
type stopped struct{ writing, release chan struct{} }

func (s stopped) Write(p []byte) (int, error) {
	close(s.writing)
	<-s.release
	return len(p), nil
}

// TestStoppedTerminal wants the status and the log not to wait for records that cannot be written.
func TestStoppedTerminal(t *testing.T) {
	var stderr bytes.Buffer
	out := stopped{make(chan struct{}), make(chan struct{})}
	sink := NewSink(out, &stderr, LevelInfo)
	sink.ShowStatus()
	records := sink.Records()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := io.WriteString(records, "{}\n"); err != nil {
			t.Error(err)
		}
	}()
	<-out.writing
	sink.Status("50%")
	slog.New(sink.Handler()).Info("hello")
	close(out.release)
	<-done
	if got := stamp.ReplaceAllString(stderr.String(), "@"); got != "[Info] @ hello\n" {
		t.Errorf("terminal got %q", got)
	}
}

// writes counts calls, each of which has to be a whole line.
type writes struct{ lines []string }

func (w *writes) Write(p []byte) (int, error) {
	w.lines = append(w.lines, string(p))
	return len(p), nil
}

func TestLinesStayWhole(t *testing.T) {
	var w writes
	sink := NewSink(nil, &w, LevelInfo)
	log := slog.New(sink.Handler())
	Install(sink)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				log.Info("from slog", "k", "v")
				Info.Print("from log")
			}
		})
	}
	wg.Wait()
	if len(w.lines) != 800 {
		t.Errorf("%d writes, want 800", len(w.lines))
	}
	for _, line := range w.lines {
		switch stamp.ReplaceAllString(line, "@") {
		case "[Info] @ from slog k=v\n", "[Info] @ from log\n":
		default:
			t.Fatalf("line %q", line)
		}
	}
}
