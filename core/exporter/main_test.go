package exporter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sysflow-telemetry/sf-processor/core/config"
	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
	"github.com/sysflow-telemetry/sf-processor/core/logger"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// numbers encodes an event as {"n":<ts>}; an event with a negative ts has no encoding.
type numbers struct{}

var errNegative = errors.New("negative time")

func (numbers) Append(dst []byte, ev *engine.Event) ([]byte, error) {
	n := ev.Row.Ints[sfgo.SYSFLOW_IDX][sfgo.TS_INT]
	dst = append(dst, `{"n":`...)
	if n < 0 {
		return dst, errNegative
	}
	return append(strconv.AppendInt(dst, n, 10), '}'), nil
}

func (numbers) AppendID(dst []byte, ev *engine.Event) []byte {
	return strconv.AppendInt(append(dst, "id"...), ev.Row.Ints[sfgo.SYSFLOW_IDX][sfgo.TS_INT], 10)
}

// target is a transport that does what a test says. It remembers the items it has accepted, and each attempt.
type target struct {
	deliver func(ctx context.Context, attempt int, items []string) error // nil: accepts all

	mu       sync.Mutex // covers the rest; the test looks on
	attempts []attempt
	closed   bool
}

// attempt is a call of Deliver.
type attempt struct {
	at    time.Time
	items []string
}

func (t *target) Deliver(ctx context.Context, batch []encode.Item) error {
	var items []string
	for _, it := range batch {
		items = append(items, string(it.Data))
	}
	t.mu.Lock()
	t.attempts = append(t.attempts, attempt{time.Now(), items})
	n := len(t.attempts)
	t.mu.Unlock()
	if t.deliver == nil {
		return nil
	}
	return t.deliver(ctx, n, items)
}

func (t *target) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	return nil
}

// calls returns the attempts so far.
func (t *target) calls() []attempt {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]attempt(nil), t.attempts...)
}

// sizes returns the number of items of each attempt.
func (t *target) sizes() []int {
	var n []int
	for _, a := range t.calls() {
		n = append(n, len(a.items))
	}
	return n
}

// rig is a stage under test.
type rig struct {
	t      *testing.T
	kinds  Kinds
	stage  *Stage
	target *target
	in     *engine.RecordChannel
	log    *safeBuffer
	pool   engine.Pool
	done   chan error
	next   int64 // of the next record
}

// safeBuffer is a buffer that several goroutines may use.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// settings decodes attributes as a pipeline file has them.
func settings(t testing.TB, attrs string) Config {
	t.Helper()
	cfg, diags := decode(attrs)
	if len(diags) > 0 {
		t.Fatalf("%s: %v", attrs, diags)
	}
	return cfg
}

func decode(attrs string) (Config, config.Diagnostics) {
	var cfg Config
	v, diags := config.Parse("pipeline.json", []byte(attrs))
	if len(diags) > 0 {
		return cfg, diags
	}
	e := config.Entry{Kind: "exporter", Instance: "exporter[0]", Pos: v.Pos, Settings: v.Members}
	return cfg, config.NewSchema(&cfg).Decode(&e)
}

// newRig makes a stage with the given attributes that exports to target.
func newRig(t *testing.T, tg *target, attrs string) *rig {
	t.Helper()
	r := &rig{t: t, target: tg, log: new(safeBuffer), in: engine.NewRecordChannel(16), done: make(chan error, 1)}
	r.kinds = Kinds{
		Encoders: map[string]func(*Config, *Env) (Encoder, error){
			"json": func(*Config, *Env) (Encoder, error) { return numbers{}, nil },
		},
		Transports: map[string]TransportKind{
			"null":   {New: func(*Config, *Env, *slog.Logger) (Transport, error) { return tg, nil }},
			"syslog": {New: func(*Config, *Env, *slog.Logger) (Transport, error) { return tg, nil }, Single: true},
		},
	}
	log := slog.New(logger.NewSink(r.log, r.log, logger.LevelInfo).Handler())
	var err error
	if r.stage, err = New(settings(t, attrs), log, Env{Name: "exporter[0]", Kinds: r.kinds}); err != nil {
		t.Fatal(err)
	}
	return r
}

// start runs the stage.
func (r *rig) start(ctx context.Context) {
	go func() { r.done <- r.stage.Run(ctx, r.in) }()
}

// send sends a batch of n records, numbered from where the last one ended.
func (r *rig) send(n int) *engine.Batch {
	r.t.Helper()
	b := r.pool.Get(nil)
	for range n {
		r.next++
		b.Add(row(r.next), nil)
	}
	if err := r.in.Send(r.t.Context(), b); err != nil {
		r.t.Fatal(err)
	}
	return b
}

// row is a record of time ts.
func row(ts int64) *sfgo.FlatRecord {
	ints := make([]int64, sfgo.INT_ARRAY_SIZE)
	ints[sfgo.TS_INT] = ts
	return &sfgo.FlatRecord{Sources: []sfgo.Source{sfgo.SYSFLOW_SRC}, Ints: [][]int64{ints}}
}

// finish closes the input and returns the result of Run.
func (r *rig) finish() error {
	r.in.CloseBatches()
	return <-r.done
}

// counters returns the counters as text, without those that are 0.
func (r *rig) counters() string {
	var parts []string
	r.stage.Counters(func(name string, value uint64) {
		if value > 0 {
			parts = append(parts, fmt.Sprintf("%s=%d", name, value))
		}
	})
	return strings.Join(parts, " ")
}

// want compares.
func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// timeStamp is the time of a dead letter.
var timeStamp = regexp.MustCompile(`"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"`)

// wantFile compares a file of dead letters, whatever their times.
func wantFile(t *testing.T, path, text string) {
	t.Helper()
	want(t, path, timeStamp.ReplaceAllString(readFile(t, path), `"time":"TIME"`), text)
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
