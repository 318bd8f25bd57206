package transport

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/klauspost/compress/gzip"
)

// archive looks after the old files of a File: on a goroutine of its own, it removes those that are too many and
// compresses the others.
type archive struct {
	path    string
	keep    int
	gzip    bool
	log     *slog.Logger
	pattern *regexp.Regexp

	wake chan struct{}
	done chan struct{}
}

// stampLayout is the time of rotation in the name of an old file.
const stampLayout = "20060102T150405"

// oldFile is a file that was the export file once.
type oldFile struct {
	path  string
	stamp string
	n     int // tells files of one second apart
	gz    bool
}

func newArchive(cfg FileConfig, log *slog.Logger) *archive {
	a := &archive{
		path: cfg.Path, keep: cfg.Keep, gzip: cfg.Compress, log: log,
		pattern: regexp.MustCompile(`^` + regexp.QuoteMeta(filepath.Base(cfg.Path)) + `\.(\d{8}T\d{6})(?:\.(\d+))?(\.gz(\.tmp)?)?$`),
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
	go a.run()
	return a
}

// name returns a free name for a file that is rotated now: <path>.<time in UTC>, with .1, .2, … if it is not the
// first one of this second.
func (a *archive) name(now time.Time) string {
	base := a.path + "." + now.UTC().Format(stampLayout)
	for n, name := 0, base; ; name = base + "." + strconv.Itoa(n) {
		if !exists(name) && !exists(name+".gz") {
			return name
		}
		n++
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// tidy asks for the old files to be looked after; it does not wait.
func (a *archive) tidy() {
	select {
	case a.wake <- struct{}{}:
	default: // asked for already
	}
}

// close waits for what tidy has asked for, and ends the goroutine.
func (a *archive) close() {
	close(a.wake)
	<-a.done
}

func (a *archive) run() {
	defer close(a.done)
	for range a.wake {
		if err := a.work(); err != nil {
			a.log.Warn("looking after old export files failed", "path", a.path, "err", err)
		}
	}
}

// work removes the oldest files beyond those to keep, and what an interrupted run has left half compressed, and
// compresses the others.
func (a *archive) work() error {
	old, partial, err := a.list()
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range partial {
		errs = append(errs, os.Remove(path))
	}
	for i, f := range old {
		switch {
		case i >= a.keep:
			errs = append(errs, os.Remove(f.path))
		case a.gzip && !f.gz:
			if err := compress(f.path); err != nil {
				errs = append(errs, fmt.Errorf("compress %s: %w", f.path, err))
			}
		}
	}
	return errors.Join(errs...)
}

// list returns the old files, the newest first, and files that are compressed in part.
func (a *archive) list() (old []oldFile, partial []string, err error) {
	dir := filepath.Dir(a.path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		m := a.pattern.FindStringSubmatch(e.Name())
		if m == nil || !e.Type().IsRegular() {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if m[4] != "" {
			partial = append(partial, path)
			continue
		}
		n, _ := strconv.Atoi(m[2]) // absent: 0
		old = append(old, oldFile{path: path, stamp: m[1], n: n, gz: m[3] != ""})
	}
	slices.SortFunc(old, func(x, y oldFile) int { return cmp.Or(cmp.Compare(y.stamp, x.stamp), cmp.Compare(y.n, x.n)) })
	return old, partial, nil
}

// compress replaces a file by its compressed form. One of the two is complete at any time.
func compress(path string) error {
	temp := path + ".gz.tmp"
	if err := writeGzip(temp, path); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	if err := os.Rename(temp, path+".gz"); err != nil {
		return err
	}
	return os.Remove(path)
}

// writeGzip writes the compressed content of one file to another.
func writeGzip(to, from string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	zip := gzip.NewWriter(dst)
	_, err = io.Copy(zip, src)
	return errors.Join(err, zip.Close(), dst.Sync(), dst.Close())
}
