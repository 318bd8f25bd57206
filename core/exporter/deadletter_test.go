package exporter

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
)

// FuzzDeadLetter wants one JSON object in one line, whatever the item and the reason are, with the item in it. Of what
// is not UTF-8, each byte becomes U+FFFD, as in a conversion to runes.
func FuzzDeadLetter(f *testing.F) {
	f.Add([]byte(`{"a":[1,"<x>\u0000"]}`), "no room")
	f.Add([]byte("{\n \"a\": 1\n}"), "line\nbreak")
	f.Add([]byte("plain text \xff"), "\xff")
	f.Add([]byte(`{"a":1} {`), "")
	f.Add([]byte(`1e999`), "")
	path := filepath.Join(f.TempDir(), "dead")
	var count atomic.Uint64
	d := newDeadLetters(&Config{DeadLetterPath: path, Export: "null"}, "exporter[0]", &count, slog.New(slog.DiscardHandler))
	defer d.close()
	f.Fuzz(func(t *testing.T, data []byte, reason string) {
		_ = os.Remove(path) // there is none at first
		d.bury([]letter{{item: encode.Item{Data: data}, cause: "x", err: errors.New(reason)}})
		text := readFile(t, path)
		want(t, "lines", strings.Count(text, "\n"), 1)
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		want(t, "reason", l.Reason, string([]rune(reason)))
		got, ok := value(l.Item)
		want(t, "the item is JSON", ok, true)
		item, ok := value(data)
		if !ok {
			item = string([]rune(string(data)))
		}
		if !reflect.DeepEqual(got, item) {
			t.Errorf("item %q, want %q", got, item)
		}
	})
}

// value reads JSON, numbers as they are written.
func value(data []byte) (v any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	ok = json.Valid(data) && d.Decode(&v) == nil
	return v, ok
}

// TestDeadLetterLog wants a line per cause and 10 seconds that counts what the ones left out would have said.
func TestDeadLetterLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var count atomic.Uint64
		d := newDeadLetters(&Config{Export: "null"}, "exporter[0]", &count, slog.New(slog.NewTextHandler(&log, nil)))
		a, b := letter{cause: "a", err: errAway}, letter{cause: "b", err: errAway}
		for range 25 {
			d.bury([]letter{a, a, b})
			time.Sleep(time.Second)
		}
		var got []string
		for l := range strings.Lines(log.String()) {
			_, l, _ = strings.Cut(l, "records=")
			l, _, _ = strings.Cut(l, " err=")
			got = append(got, l)
		}
		want(t, "lines", strings.Join(got, "|"), "2 cause=a|1 cause=b|20 cause=a|10 cause=b|20 cause=a|10 cause=b")
		want(t, "count", count.Load(), 75)
	})
}

// TestDeadLetterFileFails wants the records to be counted all the same.
func TestDeadLetterFileFails(t *testing.T) {
	var log bytes.Buffer
	var count atomic.Uint64
	d := newDeadLetters(&Config{DeadLetterPath: t.TempDir(), Export: "null"}, "exporter[0]", &count, slog.New(slog.NewTextHandler(&log, nil)))
	d.bury([]letter{{cause: "a", err: errAway}})
	want(t, "count", count.Load(), 1)
	want(t, "lines on the file", strings.Count(log.String(), "cannot write the dead letter file"), 1)
	want(t, "close", d.close(), nil)
}

// TestThrottleIsBounded has more causes than are told apart.
func TestThrottleIsBounded(t *testing.T) {
	var th throttle
	for i := range 1000 {
		th.allow(strings.Repeat("x", i), 1)
	}
	want(t, "causes", len(th.seen), throttleCauses+1)
}
