package trace

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

const traces = "../../../resources/traces/"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// times returns the times of the rows of a trace.
func times(t *testing.T, path string, opts Options) []int64 {
	t.Helper()
	var all []int64
	for row, err := range Rows(t.Context(), path, opts) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, row.Ints[sfgo.SYSFLOW_IDX][sfgo.TS_INT])
	}
	return all
}

func TestRows(t *testing.T) {
	all := times(t, traces+"webshell.sf", Options{})
	if len(all) < 100 || !slices.Equal(all, times(t, traces+"webshell.sf", Options{})) {
		t.Errorf("%d rows, or others when read again", len(all))
	}
	n := 0
	for batch, err := range Batches(t.Context(), traces+"webshell.sf", Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		n += len(batch.Recs)
	}
	if n != len(all) {
		t.Errorf("%d rows in batches, want %d", n, len(all))
	}
}

// TestBreak leaves the loop early; goleak wants the goroutines to be gone.
func TestBreak(t *testing.T) {
	for _, after := range []int{1, 70} {
		n := 0
		for _, err := range Rows(t.Context(), traces+"webshell.sf", Options{}) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == after {
				break
			}
		}
		if n != after {
			t.Errorf("%d rows, want %d", n, after)
		}
	}
}

func TestErrors(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx  context.Context
		path string
		want error
	}{
		"missing":   {t.Context(), "none.sf", fs.ErrNotExist},
		"no trace":  {t.Context(), "trace.go", codec.ErrNotTrace},
		"cancelled": {cancelled, traces + "webshell.sf", context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			var got error
			for _, err := range Rows(tt.ctx, tt.path, Options{}) {
				got = err
			}
			if !errors.Is(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestDamage(t *testing.T) {
	data, err := os.ReadFile(traces + "webshell.sf")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cut.sf")
	if err := os.WriteFile(path, data[:len(data)-100], 0o600); err != nil {
		t.Fatal(err)
	}
	var found []codec.Damage
	times(t, path, Options{OnDamage: func(d codec.Damage) { found = append(found, d) }})
	if len(found) != 1 || !found[0].Truncated {
		t.Errorf("got %v, want one truncation", found)
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	if _, err := Files(dir); !errors.Is(err, errNone) {
		t.Errorf("empty directory: got %v, want %v", err, errNone)
	}
	if _, err := Files(dir + "/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want %v", err, fs.ErrNotExist)
	}
	for _, name := range []string{"node.200.sf", "node.1000.sf", ".hidden.300.sf"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("Obj\x01"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("no trace"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(dir, "node.200.sf"), filepath.Join(dir, "node.1000.sf")}
	if got, err := Files(dir); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if got, err := Files(want[0]); err != nil || !slices.Equal(got, want[:1]) {
		t.Errorf("got %v, %v, want the file itself", got, err)
	}
}
