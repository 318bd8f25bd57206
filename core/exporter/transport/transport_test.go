package transport

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// items makes a batch.
func items(data ...string) []encode.Item {
	var batch []encode.Item
	for _, d := range data {
		batch = append(batch, encode.Item{Data: []byte(d)})
	}
	return batch
}

// numbered makes n records, numbered from first on, of various lengths.
func numbered(first, n int) []encode.Item {
	var batch []encode.Item
	for i := first; i < first+n; i++ {
		batch = append(batch, encode.Item{Data: fmt.Appendf(nil, `{"n":%d,"pad":"%s"}`, i, strings.Repeat("x", i*7%40))})
	}
	return batch
}

// undelivered returns the items that are to be tried again after Deliver has returned err.
func undelivered(t *testing.T, batch []encode.Item, err error) []encode.Item {
	t.Helper()
	if err == nil {
		return nil
	}
	e, ok := err.(*ItemErrors)
	if !ok {
		return batch
	}
	var rest []encode.Item
	for _, it := range e.Items {
		if it.Verdict != Retry {
			t.Fatalf("item %d: verdict %d", it.Index, it.Verdict)
		}
		rest = append(rest, batch[it.Index])
	}
	return rest
}

// wholeLines returns the lines of text that are records, and fails if there is another one, unless fragments of
// records are allowed.
func wholeLines(t *testing.T, text string, fragments bool) []string {
	t.Helper()
	if text != "" && text[len(text)-1] != '\n' && !fragments {
		t.Errorf("ends within a line: %q", text)
	}
	var whole []string
	for line := range strings.Lines(text) {
		record := strings.HasPrefix(line, `{"n":`) && strings.HasSuffix(line, "\"}\n") && strings.Count(line, "{") == 1
		switch {
		case record:
			whole = append(whole, strings.TrimSuffix(line, "\n"))
		case !fragments:
			t.Errorf("not a record: %q", line)
		case !strings.HasPrefix(`{"n":`, line[:min(5, len(line)-1)]):
			t.Errorf("not the beginning of a record: %q", line)
		}
	}
	if fragments {
		// A record that lacked but its newline is whole after all, because the next write begins with one.
		whole = slices.Compact(whole)
	}
	return whole
}

// same compares records with items.
func same(t *testing.T, got []string, wanted []encode.Item) {
	t.Helper()
	if len(got) != len(wanted) {
		t.Errorf("%d records, want %d", len(got), len(wanted))
	}
	for i := range min(len(got), len(wanted)) {
		if got[i] != string(wanted[i].Data) {
			t.Fatalf("record %d is %s, want %s", i, got[i], wanted[i].Data)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// TestWhole compares with counting newlines.
func TestWhole(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		var l lines
		l.reset(rnd.IntN(2) == 0)
		for range rnd.IntN(6) {
			l.add([]byte(strings.Repeat("x", rnd.IntN(5))))
		}
		for n := range len(l.buf) + 1 {
			text := string(l.buf[:n])
			count, size := l.whole(n)
			want(t, fmt.Sprintf("lines in %q of %q", text, l.buf), count, max(strings.Count(text, "\n")-l.lead, 0))
			want(t, fmt.Sprintf("bytes in %q of %q", text, l.buf), size, strings.LastIndexByte(text, '\n')+1)
		}
	}
}

func TestErrorTexts(t *testing.T) {
	want(t, "nothing failed", fail(5, 5, "write", os.ErrPermission), nil)
	e := fail(3, 5, "write", os.ErrPermission).(*ItemErrors)
	want(t, "text", e.Error(), "2 items not delivered, the first because of write: permission denied")
	want(t, "reason without details", ItemError{Cause: "busy"}.Reason().Error(), "busy")
	want(t, "reason with the cause", ItemError{Cause: "write", Err: errors.New("write x: full")}.Reason().Error(), "write x: full")
	want(t, "empty", (&ItemErrors{}).Error(), "no item failed")
	want(t, "unwrapped", len(e.Unwrap()), 2)
}
