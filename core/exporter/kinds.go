package exporter

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
	"github.com/sysflow-telemetry/sf-processor/core/exporter/transport"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

// Encoder turns events into documents. Only one goroutine uses it.
type Encoder interface {
	// Append appends the encoding of e, a row and its verdicts, to dst and returns the extended slice, as
	// strconv.AppendInt does. It keeps neither dst nor e. After an error, dst holds nothing of e.
	Append(dst []byte, e *engine.Event) ([]byte, error)
}

// Identifier is implemented by an Encoder whose documents have ids. They are asked for only if somebody reads them.
type Identifier interface {
	// AppendID appends the id of the document for e to dst.
	AppendID(dst []byte, e *engine.Event) []byte
}

// Transport delivers batches. One goroutine calls its methods.
type Transport interface {
	// Deliver returns nil if the far side has all of the batch. A *transport.ItemErrors says which items failed and
	// whether for good; after any other error, assume that it has none. What failed comes again, first. Deliver blocks
	// until it knows, but no longer than ctx lasts. The batch and its bytes are used again once it returns.
	Deliver(ctx context.Context, batch []encode.Item) error
	// Close releases what the transport holds. It is called once, after the last Deliver.
	Close() error
}

// Prober is implemented by a Transport that can say before the start whether it will work. Probe changes nothing at
// the target.
type Prober interface {
	Probe(ctx context.Context) error
}

// Opener is implemented by a Transport that has something to do before the first record.
type Opener interface {
	Open(ctx context.Context) error
}

// Flusher is implemented by a Transport whose Deliver may return before the far side has everything.
type Flusher interface {
	// Flush waits a moment for the far side to take what Deliver has taken, and returns how many records it has not
	// taken yet. It is called when all is delivered and nothing more will come, until it returns 0.
	Flush(ctx context.Context) (left int, err error)
	// Unsent returns the records that the far side has not taken, valid until another method is called.
	Unsent() []encode.Item
	// Wake has a value when a call of Deliver, if need be without items, is necessary for the far side to take the rest.
	Wake() <-chan struct{}
}

// Reopener is implemented by a Transport to a target that may be replaced behind its back. Reopen may be called by any
// goroutine.
type Reopener interface {
	Reopen()
}

// Env is what an exporter is given besides its configuration.
type Env struct {
	Name    string    // of the instance, for messages: exporter[0]
	Version string    // of the program, without build number
	Stdout  io.Writer // what export terminal writes to; nil: nowhere

	// Drain is how long after the last delivery an exporter goes on trying once its input has ended; 0: 25 s.
	Drain time.Duration

	Kinds Kinds
}

// Kinds are the encoders and transports that there are, by the values of "format" and "export".
type Kinds struct {
	Encoders   map[string]func(cfg *Config, env *Env) (Encoder, error)
	Transports map[string]TransportKind
}

// TransportKind says how a transport is made, without side effects, and treated.
type TransportKind struct {
	New func(cfg *Config, env *Env, log *slog.Logger) (Transport, error)

	// Single says that with a buffer of 0 or 1 each record is a delivery of its own. Otherwise those that are at hand
	// share one.
	Single bool
}

// Builtin returns the encoders and transports of this program.
func Builtin() Kinds {
	return Kinds{
		Encoders: map[string]func(*Config, *Env) (Encoder, error){
			"json": newJSON,
			"ecs":  newECS,
		},
		Transports: map[string]TransportKind{
			"terminal": {New: func(_ *Config, env *Env, _ *slog.Logger) (Transport, error) {
				return transport.NewTerminal(env.Stdout), nil
			}},
			"file": {New: func(cfg *Config, _ *Env, log *slog.Logger) (Transport, error) {
				return transport.NewFile(cfg.FileConfig, log), nil
			}},
			"syslog": {New: func(cfg *Config, _ *Env, log *slog.Logger) (Transport, error) {
				if cfg.Proto == "udp" {
					return transport.NewSyslogUDP(cfg.SyslogConfig), nil
				}
				return transport.NewSyslogStream(cfg.SyslogConfig, log)
			}},
			"null": {New: func(*Config, *Env, *slog.Logger) (Transport, error) {
				return transport.Null{}, nil
			}},
		},
	}
}

// names lists the keys of a map of kinds, for messages.
func names[T any](kinds map[string]T) string {
	return strings.Join(slices.Sorted(maps.Keys(kinds)), ", ")
}
