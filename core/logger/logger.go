package logger

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
)

// Levels of lines, in the terms of slog. Health lines tell whether connections and checks work; they are shown at every
// level but quiet.
const (
	LevelTrace  = slog.LevelDebug
	LevelInfo   = slog.LevelInfo
	LevelPerf   = slog.Level(2) // rates, for those who ask; shown as Info is
	LevelWarn   = slog.LevelWarn
	LevelError  = slog.LevelError
	LevelHealth = slog.Level(12)
	LevelQuiet  = slog.Level(16) // for a sink: shows nothing
)

// levels are the names of levels, as the operator writes them.
var levels = []struct {
	name  string
	level slog.Level
}{
	{"trace", LevelTrace}, {"info", LevelInfo}, {"warn", LevelWarn}, {"error", LevelError},
	{"health", LevelHealth}, {"quiet", LevelQuiet},
}

// ParseLevel returns the level that a name, in any case, stands for.
func ParseLevel(name string) (slog.Level, error) {
	var names []string
	for _, l := range levels {
		if strings.EqualFold(l.name, name) {
			return l.level, nil
		}
		names = append(names, l.name)
	}
	return 0, fmt.Errorf("unknown log level '%s'; allowed: %s", name, strings.Join(names, ", "))
}

// label returns the word in brackets that begins a line.
func label(l slog.Level) string {
	switch {
	case l >= LevelHealth:
		return "Health"
	case l >= LevelError:
		return "Error"
	case l >= LevelWarn:
		return "Warn"
	case l >= LevelPerf:
		return "Perf"
	case l >= LevelInfo:
		return "Info"
	default:
		return "Trace"
	}
}

// Sink takes the lines of the log and writes those from its level on. Errors go to standard error; so do all others,
// until ToStdout is called.
type Sink struct {
	level    slog.Level
	toStdout atomic.Bool

	screen sync.Mutex // held while records or a status are written to a terminal; taken before mu

	mu             sync.Mutex // held while a line is written; covers the rest
	stdout, stderr io.Writer
	terminal       bool   // standard error is one
	shared         bool   // standard output is one, too
	status         string // what its last line shows
}

// NewSink returns a sink for lines of at least the given level.
func NewSink(stdout, stderr io.Writer, level slog.Level) *Sink {
	return &Sink{level: level, stdout: stdout, stderr: stderr}
}

// ToStdout sends lines other than errors to standard output from now on, for a pipeline whose records do not go there.
func (s *Sink) ToStdout() { s.toStdout.Store(true) }

// ShowStatus says that standard error is a terminal, where Status may keep a line up to date. It is called before
// anything is logged.
func (s *Sink) ShowStatus() { s.terminal = true }

// Records returns a writer of records to standard output, for the case that it is a terminal, which then shows the status
// as well: below the records. It is called before anything is logged.
func (s *Sink) Records() io.Writer {
	s.shared = true
	return besideStatus{s}
}

// besideStatus writes records where the status is.
type besideStatus struct{ sink *Sink }

// Write removes the status, which returns when it changes. The log goes on if the terminal has been stopped.
func (w besideStatus) Write(p []byte) (int, error) {
	s := w.sink
	s.screen.Lock()
	defer s.screen.Unlock()
	s.show("")
	return s.stdout.Write(p)
}

// HasStatus says whether Status shows anything.
func (s *Sink) HasStatus() bool { return s.terminal }

// clearLine moves to the start of the terminal's line and erases it.
const clearLine = "\r\x1b[K"

// Status replaces the status line below the log; an empty text removes it. While records are being written, there is
// none.
func (s *Sink) Status(text string) {
	if !s.screen.TryLock() {
		return
	}
	defer s.screen.Unlock()
	s.show(text)
}

// show draws the status without line breaks, so that clearLine removes it whole however narrow the terminal is.
func (s *Sink) show(text string) {
	const wrapOff, wrapOn = "\x1b[?7l", "\x1b[?7h"
	if text != "" {
		text = wrapOff + text + wrapOn
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.terminal || text == s.status {
		return
	}
	s.status = text
	_, _ = io.WriteString(s.stderr, clearLine+text)
}

// Enabled says whether lines of a level are shown.
func (s *Sink) Enabled(l slog.Level) bool { return l >= s.level }

// Handler returns a handler that writes to the sink.
func (s *Sink) Handler() slog.Handler { return &handler{sink: s} }

// write writes a whole line. A log that cannot be written has nowhere to say so.
func (s *Sink) write(l slog.Level, line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.stderr
	if s.toStdout.Load() && label(l) != "Error" {
		out = s.stdout
	}
	if s.status != "" && (out == s.stderr || s.shared) {
		line = []byte(clearLine + string(line) + s.status)
	}
	_, _ = out.Write(line)
}

// handler formats the records of a slog.Logger.
type handler struct {
	sink  *Sink
	attrs []byte // formatted attributes of the logger, each after a blank
	group string // prefix of keys, with the dot that ends it
}

func (h *handler) Enabled(_ context.Context, l slog.Level) bool { return h.sink.Enabled(l) }

func (h *handler) Handle(_ context.Context, r slog.Record) error {
	var b bytes.Buffer
	file, line := "???", 0
	if r.PC != 0 {
		frame, _ := runtime.CallersFrames([]uintptr{r.PC}).Next()
		file, line = filepath.Base(frame.File), frame.Line
	}
	fmt.Fprintf(&b, "[%s] %s %s:%d: %s", label(r.Level), r.Time.Format("2006/01/02 15:04:05"), file, line, r.Message)
	b.Write(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		appendAttr(&b, h.group, a)
		return true
	})
	b.WriteByte('\n')
	h.sink.write(r.Level, b.Bytes())
	return nil
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	b := bytes.NewBuffer(bytes.Clone(h.attrs))
	for _, a := range attrs {
		appendAttr(b, h.group, a)
	}
	return &handler{h.sink, b.Bytes(), h.group}
}

func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return &handler{h.sink, h.attrs, h.group + name + "."}
}

// appendAttr writes " key=value"; the members of a group get its name as prefix.
func appendAttr(b *bytes.Buffer, prefix string, a slog.Attr) {
	v := a.Value.Resolve()
	if a.Equal(slog.Attr{}) {
		return
	}
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, member := range v.Group() {
			appendAttr(b, prefix, member)
		}
		return
	}
	text := v.String()
	if v.Kind() == slog.KindTime {
		text = v.Time().Format(time.RFC3339Nano)
	}
	if needsQuotes(text) {
		text = strconv.Quote(text)
	}
	b.WriteByte(' ')
	b.WriteString(prefix + a.Key)
	b.WriteByte('=')
	b.WriteString(text)
}

// needsQuotes says whether a value would not be told apart from what surrounds it.
func needsQuotes(s string) bool {
	return s == "" || strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || r == '"' || r == '=' || !unicode.IsPrint(r)
	})
}

// The loggers that plugins use. Before Install they write to standard error.
var (
	Trace  = log.New(io.Discard, "[Trace] ", log.LstdFlags|log.Lshortfile)
	Info   = log.New(os.Stderr, "[Info] ", log.LstdFlags|log.Lshortfile)
	Warn   = log.New(os.Stderr, "[Warn] ", log.LstdFlags|log.Lshortfile)
	Error  = log.New(os.Stderr, "[Error] ", log.LstdFlags|log.Lshortfile)
	Health = log.New(os.Stderr, "[Health] ", log.LstdFlags|log.Lshortfile)
)

// Install makes the loggers of the plugin contract write to s. The program calls it before it loads plugins.
func Install(s *Sink) {
	for _, l := range []struct {
		logger *log.Logger
		level  slog.Level
	}{{Trace, LevelTrace}, {Info, LevelInfo}, {Warn, LevelWarn}, {Error, LevelError}, {Health, LevelHealth}} {
		if s.Enabled(l.level) {
			l.logger.SetOutput(lineWriter{s, l.level})
		} else {
			l.logger.SetOutput(io.Discard) // which log.Logger knows, and formats nothing
		}
	}
}

// lineWriter is a sink as the output of a log.Logger, which writes a line at a time.
type lineWriter struct {
	sink  *Sink
	level slog.Level
}

func (w lineWriter) Write(line []byte) (int, error) {
	w.sink.write(w.level, line)
	return len(line), nil
}
