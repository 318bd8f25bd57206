package monitor

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var discard = slog.New(slog.DiscardHandler)

// put writes a file, with the directories it needs.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestChanges makes one change after another, and looks after the next interval whether it was noticed.
func TestChanges(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	put(t, at("a.yaml"), "1")
	put(t, at("sub/b.yml"), "1")
	put(t, at("..v1/c.yaml"), "1")
	must(t, os.Symlink("..v1", at("..data")))
	must(t, os.Symlink("..data/c.yaml", at("c.yaml")))
	synctest.Test(t, func(t *testing.T) {
		m := New(dir, 30*time.Second, discard)
		var n atomic.Int32
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go m.run(ctx, nil, func() { n.Add(1) })
		for _, tt := range []struct {
			what    string
			change  func()
			noticed bool
		}{
			{"nothing", func() {}, false},
			{"content", func() { put(t, at("a.yaml"), "2") }, true},
			{"the same again", func() { put(t, at("a.yaml"), "2") }, false},
			{"time", func() { must(t, os.Chtimes(at("a.yaml"), time.Time{}, time.Unix(1e9, 0))) }, false},
			{"a file added", func() { put(t, at("new.yaml"), "") }, true},
			{"a file in a directory", func() { put(t, at("sub/sub/d.YAML"), "") }, true},
			{"a file renamed", func() { must(t, os.Rename(at("new.yaml"), at("old.yaml"))) }, true},
			{"a file removed", func() { must(t, os.Remove(at("old.yaml"))) }, true},
			{"a file that is no policy", func() { put(t, at("notes.txt"), "x") }, false},
			{"a hidden file", func() { put(t, at(".a.yaml.swp"), "x"); put(t, at(".b.yaml"), "x") }, false},
			{"a ConfigMap swapped", func() {
				put(t, at("..v2/c.yaml"), "2")
				must(t, os.Symlink("..v2", at("..new")))
				must(t, os.Rename(at("..new"), at("..data")))
			}, true},
			{"text moved between files", func() { put(t, at("a.yaml"), ""); put(t, at("sub/b.yml"), "21") }, true},
			{"everything removed", func() { must(t, os.RemoveAll(dir)) }, true},
			{"still nothing there", func() {}, false},
			{"there again", func() { put(t, at("a.yaml"), "1") }, true},
		} {
			before := n.Load()
			tt.change()
			time.Sleep(32 * time.Second)
			synctest.Wait()
			if got := n.Load() - before; (got == 1) != tt.noticed || got > 1 {
				t.Errorf("%s: noticed %d times", tt.what, got)
			}
		}
	})
}

// TestWaitsForWriter changes a file every half second for a while, as somebody who writes it slowly does.
func TestWaitsForWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	put(t, path, "")
	synctest.Test(t, func(t *testing.T) {
		m := New(path, 10*time.Second, discard)
		seen := make(chan string, 10)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go m.run(ctx, nil, func() {
			b, err := os.ReadFile(path)
			must(t, err)
			seen <- string(b)
		})
		time.Sleep(9900 * time.Millisecond)
		for i := range 10 {
			put(t, path, strings.Repeat("x", i+1))
			time.Sleep(500 * time.Millisecond)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if got := <-seen; got != "xxxxxxxxxx" || len(seen) > 0 {
			t.Errorf("saw %s, then %d more", got, len(seen))
		}
	})
}

// TestNotes sends notifications: they count before the interval is over, and a thousand of them are one look.
func TestNotes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	put(t, path, "1")
	synctest.Test(t, func(t *testing.T) {
		m := New(path, time.Hour, discard)
		notes := make(chan struct{})
		var n atomic.Int32
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go m.run(ctx, notes, func() { n.Add(1) })
		notes <- struct{}{} // nothing has changed
		time.Sleep(2 * time.Second)
		put(t, path, "2")
		start := time.Now()
		for range 1000 {
			select {
			case notes <- struct{}{}:
			default:
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n.Load() != 1 {
			t.Errorf("noticed %d times in %s", n.Load(), time.Since(start))
		}
	})
}

// TestCancel ends the context at all points where the monitor waits.
func TestCancel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	for _, after := range []time.Duration{0, time.Second, 10 * time.Second, 10500 * time.Millisecond} {
		put(t, path, "1")
		synctest.Test(t, func(t *testing.T) {
			m := New(path, 10*time.Second, discard)
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			notes := make(chan struct{}, 1)
			notes <- struct{}{}
			put(t, path, "2")
			start := time.Now()
			m.run(ctx, notes, func() { put(t, path, time.Now().String()) })
			if d := time.Since(start); d != after {
				t.Errorf("ended after %s, want %s", d, after)
			}
		})
	}
}

// TestNotifications uses the file system's own notifications; the interval is too long to matter.
func TestNotifications(t *testing.T) {
	for name, tt := range map[string]struct {
		path   string // below the directory; what is watched
		change func(t *testing.T, dir string)
	}{
		"file written":     {"a.yaml", func(t *testing.T, dir string) { put(t, dir+"/a.yaml", "2") }},
		"file replaced":    {"a.yaml", func(t *testing.T, dir string) { put(t, dir+"/n", "2"); must(t, os.Rename(dir+"/n", dir+"/a.yaml")) }},
		"file in the tree": {"", func(t *testing.T, dir string) { put(t, dir+"/sub/b.yaml", "2") }},
		"linked file":      {"link.yaml", func(t *testing.T, dir string) { put(t, dir+"/sub/b.yaml", "2") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			put(t, dir+"/a.yaml", "1")
			put(t, dir+"/sub/b.yaml", "1")
			must(t, os.Symlink("sub/b.yaml", dir+"/link.yaml"))
			m := New(filepath.Join(dir, tt.path), time.Hour, discard)
			w, err := newWatcher(m.path)
			must(t, err)
			defer w.close()
			tt.change(t, dir)
			<-w.notes
			w.update()
		})
	}
}

// TestRun is the whole of it, with a change in a directory that was not there at first.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	put(t, dir+"/a.yaml", "1")
	m := New(dir, time.Hour, discard)
	m.settle = 10 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	changes, done := make(chan struct{}, 1), make(chan struct{})
	go func() {
		m.Run(ctx, func() {
			select {
			case changes <- struct{}{}:
			default:
			}
		})
		close(done)
	}()
	// The monitor may begin to watch only after this: repeat until it notices.
	change := func(path string) {
		for i := 0; ; i++ {
			put(t, path, strings.Repeat("x", i))
			select {
			case <-changes:
				return
			case <-time.After(200 * time.Millisecond):
			}
		}
	}
	change(dir + "/a.yaml")
	change(dir + "/new/b.yaml")
	change(dir + "/new/c.yaml")
	cancel()
	<-done
}
