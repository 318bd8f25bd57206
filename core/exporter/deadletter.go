package exporter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
	"github.com/sysflow-telemetry/sf-processor/core/exporter/transport"
)

// deadLetters takes the records that cannot be delivered: it counts them, logs why, and writes them to a file if there
// is one. Several goroutines may use it.
type deadLetters struct {
	exporter, target string // what the file says of their origin
	count            *atomic.Uint64
	log              *slog.Logger
	throttle         throttle

	mu   sync.Mutex      // covers file
	file *transport.File // nil if there is none
}

// letter is a record that cannot be delivered.
type letter struct {
	item     encode.Item // Data is nil if it could not be encoded
	cause    string      // a word or two, with few values
	err      error       // the cause in full
	status   int         // of the target's answer, or 0
	attempts int
}

// line is the form of a letter in the file.
type line struct {
	Time      string          `json:"time"`
	Exporter  string          `json:"exporter"`
	Transport string          `json:"transport"`
	Reason    string          `json:"reason"`
	Status    int             `json:"status,omitempty"`
	Attempts  int             `json:"attempts"`
	ID        string          `json:"id,omitempty"`
	Item      json.RawMessage `json:"item"`
}

func newDeadLetters(cfg *Config, name string, count *atomic.Uint64, log *slog.Logger) *deadLetters {
	d := &deadLetters{exporter: name, target: cfg.Export, count: count, log: log}
	if cfg.DeadLetterPath != "" {
		d.file = transport.NewFile(transport.FileConfig{Path: cfg.DeadLetterPath, Append: true}, log)
	}
	return d
}

// bury takes letters. It keeps nothing of them.
func (d *deadLetters) bury(letters []letter) {
	d.count.Add(uint64(len(letters)))
	for i := 0; i < len(letters); { // runs of one cause
		n := 1
		for i+n < len(letters) && letters[i+n].cause == letters[i].cause {
			n++
		}
		if records, ok := d.throttle.allow(letters[i].cause, n); ok {
			d.log.Error("records cannot be delivered", "records", records, "cause", letters[i].cause, "err", letters[i].err)
		}
		i += n
	}
	if d.file == nil {
		return
	}
	if err := d.write(letters); err != nil {
		if _, ok := d.throttle.allow("dead letter file", len(letters)); ok {
			d.log.Error("cannot write the dead letter file", "err", err)
		}
	}
}

func (d *deadLetters) write(letters []letter) error {
	now := time.Now().UTC().Format(time.RFC3339Nano)
	lines := make([]encode.Item, 0, len(letters))
	for _, l := range letters {
		text, err := marshal(line{
			Time: now, Exporter: d.exporter, Transport: d.target, Reason: l.err.Error(), Status: l.status,
			Attempts: l.attempts, ID: string(l.item.ID), Item: document(l.item.Data),
		})
		if err != nil {
			return fmt.Errorf("encode a dead letter: %w", err)
		}
		lines = append(lines, encode.Item{Data: text})
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	// The time for deliveries may be over; this is where what is left then goes.
	return d.file.Deliver(context.Background(), lines)
}

// document returns data as a JSON value: as it is, or as a string if it is not JSON.
func document(data []byte) json.RawMessage {
	if data == nil || json.Valid(data) {
		return data // nil becomes null
	}
	text, _ := marshal(string(data)) // a string always has an encoding
	return text
}

// marshal encodes v in one line, without the escapes for HTML that json.Marshal adds.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// probe says whether the file can be written.
func (d *deadLetters) probe(ctx context.Context) error {
	if d.file == nil {
		return nil
	}
	if err := d.file.Probe(ctx); err != nil {
		return fmt.Errorf("dead letter file: %w", err)
	}
	return nil
}

// reopen makes the next letter go to a new file of the same name, if the old one has been moved.
func (d *deadLetters) reopen() {
	if d.file != nil {
		d.file.Reopen()
	}
}

func (d *deadLetters) close() error {
	if d.file == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.file.Close(); err != nil {
		return fmt.Errorf("close the dead letter file: %w", err)
	}
	return nil
}
