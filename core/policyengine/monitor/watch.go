package monitor

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// watcher turns what the file system tells of a path and all below it into notes: something happened.
type watcher struct {
	path  string
	notes chan struct{} // holds one: more say no more
	fs    *fsnotify.Watcher
	done  chan struct{} // closed when no note will follow
}

func newWatcher(path string) (*watcher, error) {
	n, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	w := &watcher{path: path, notes: make(chan struct{}, 1), fs: n, done: make(chan struct{})}
	w.update()
	go w.forward()
	return w, nil
}

func (w *watcher) close() {
	_ = w.fs.Close()
	<-w.done
}

// forward passes on that something happened. Errors, such as an overflow, mean that something may have.
func (w *watcher) forward() {
	defer close(w.done)
	for {
		var ok bool
		select {
		case _, ok = <-w.fs.Events:
		case _, ok = <-w.fs.Errors:
		}
		if !ok {
			return
		}
		select {
		case w.notes <- struct{}{}:
		default:
		}
	}
}

// update watches the directories that there are now. Those that cannot be watched are left to the monitor's interval.
func (w *watcher) update() {
	info, err := os.Stat(w.path)
	if err != nil || !info.IsDir() {
		// A file is often replaced by another one, so its directory tells more than itself: also that of the file
		// that a symbolic link leads to.
		_ = w.fs.Add(filepath.Dir(w.path))
		if target, err := filepath.EvalSymlinks(w.path); err == nil {
			_ = w.fs.Add(filepath.Dir(target))
		}
		return
	}
	root, err := filepath.EvalSymlinks(w.path)
	if err != nil {
		return
	}
	_ = filepath.WalkDir(root, func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil
		}
		if dir != root && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		_ = w.fs.Add(dir)
		return nil
	})
}
