package transport

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
)

// deliver delivers all of batch at once.
func deliver(t *testing.T, f *File, batch []encode.Item) {
	t.Helper()
	if err := f.Deliver(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
}

// listing returns the names in a directory, with the content of files.
func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		files[name] = readFile(t, path)
		if strings.HasSuffix(name, ".gz") {
			r, err := gzip.NewReader(strings.NewReader(files[name]))
			if err != nil {
				return err
			}
			text, err := io.ReadAll(r)
			files[name] = string(text)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// wantListing compares the files of a directory; what is a list of "name: content".
func wantListing(t *testing.T, dir string, what ...string) {
	t.Helper()
	var got []string
	for name, text := range listing(t, dir) {
		got = append(got, name+": "+strings.ReplaceAll(text, "\n", "|"))
	}
	slices.Sort(got)
	slices.Sort(what)
	if !slices.Equal(got, what) {
		t.Errorf("files:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(what, "\n"))
	}
}

func TestFileAppends(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sub", "sub", "out")
	for _, text := range []string{"1", "2"} { // two runs
		f := NewFile(FileConfig{Path: path, Append: true}, nil)
		wantListing(t, dir, map[string][]string{"1": nil, "2": {"sub/sub/out: 1|"}}[text]...)
		want(t, "open", f.Open(t.Context()), nil)
		deliver(t, f, items(text))
		want(t, "close", f.Close(), nil)
	}
	wantListing(t, dir, "sub/sub/out: 1|2|")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "mode", info.Mode(), 0o644)
	info, err = os.Stat(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	want(t, "mode of the directory", info.Mode().Perm(), 0o755)
}

// TestFileTruncates wants file.append = false to empty the file once, not when it is opened again.
func TestFileTruncates(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	for range 2 {
		f := NewFile(FileConfig{Path: path}, nil)
		want(t, "probe", f.Probe(t.Context()), nil)
		deliver(t, f, items("1"))
		f.Reopen()
		deliver(t, f, items("2"))
		want(t, "close", f.Close(), nil)
		wantListing(t, dir, "out: 1|2|")
	}
}

// TestFileTornTail finds a file that an earlier run has left within a line.
func TestFileTornTail(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	if err := os.WriteFile(path, []byte("1\nto"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := NewFile(FileConfig{Path: path, Append: true}, nil)
	deliver(t, f, items("2"))
	deliver(t, f, items("3"))
	want(t, "close", f.Close(), nil)
	wantListing(t, dir, "out: 1|to|2|3|")
}

// TestFileMoved has the file go away behind the exporter's back.
func TestFileMoved(t *testing.T) {
	for name, tt := range map[string]struct {
		move func(path string) error
		want []string
	}{
		"nothing happens":  {func(string) error { return nil }, []string{"out: 1|2|"}},
		"removed":          {os.Remove, []string{"out: 2|"}},
		"renamed":          {func(p string) error { return os.Rename(p, p+".1") }, []string{"out.1: 1|", "out: 2|"}},
		"replaced":         {func(p string) error { _ = os.Remove(p); return os.WriteFile(p, []byte("x\n"), 0o644) }, []string{"out: x|2|"}},
		"directory is new": {func(p string) error { return os.RemoveAll(filepath.Dir(p)) }, []string{"out: 2|"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "dir")
			path := filepath.Join(dir, "out")
			f := NewFile(FileConfig{Path: path, Append: true}, nil)
			deliver(t, f, items("1"))
			if err := tt.move(path); err != nil {
				t.Fatal(err)
			}
			deliver(t, f, items("2"))
			want(t, "close", f.Close(), nil)
			wantListing(t, dir, tt.want...)
		})
	}
}

func TestFileCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	f := NewFile(FileConfig{Path: path, Append: true}, nil)
	batch := items("1", "2")
	err := f.Deliver(t.Context(), batch)
	if !errors.Is(err, syscall.EISDIR) || len(undelivered(t, batch, err)) != 2 {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	deliver(t, f, batch)
	want(t, "close", f.Close(), nil)
	wantListing(t, dir, "out: 1|2|")
}

// clock is a time that a test sets.
type clock struct{ now time.Time }

func (c *clock) time() time.Time { return c.now }

func TestRotationBySize(t *testing.T) {
	dir := t.TempDir()
	c := clock{time.Date(2026, 1, 2, 23, 4, 5, 0, time.FixedZone("", -2*3600))}
	f := NewFile(FileConfig{Path: filepath.Join(dir, "out"), Append: true, MaxSize: 10, Keep: 5}, nil)
	f.now = c.time
	deliver(t, f, items("1234", "5678")) // 10 bytes: fits
	deliver(t, f, items("a", "b", "cdefghi", "larger than the file", "j"))
	c.now = c.now.Add(time.Second)
	deliver(t, f, items("123456789"))
	want(t, "close", f.Close(), nil)
	wantListing(t, dir,
		"out.20260103T010405.1: a|b|",
		"out.20260103T010405.2: cdefghi|",
		"out.20260103T010405.3: larger than the file|",
		"out.20260103T010405: 1234|5678|",
		"out.20260103T010406: j|",
		"out: 123456789|",
	)
}

func TestRotationByAge(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	if err := os.WriteFile(path, []byte("old\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	c := clock{begin}
	f := NewFile(FileConfig{Path: path, Append: true, MaxAge: time.Hour, Keep: 5}, nil)
	f.now = c.time
	deliver(t, f, items("1"))
	c.now = begin.Add(59 * time.Minute) // a file of an earlier run counts from its creation
	deliver(t, f, items("2"))
	c.now = begin.Add(61 * time.Minute)
	deliver(t, f, items("3"))
	c.now = begin.Add(120 * time.Minute)
	deliver(t, f, items("4"))
	c.now = begin.Add(121 * time.Minute)
	deliver(t, f, items("5"))
	want(t, "close", f.Close(), nil)
	stamp := func(after time.Duration) string { return begin.Add(after).UTC().Format("20060102T150405") }
	wantListing(t, dir,
		"out."+stamp(61*time.Minute)+": old|1|2|",
		"out."+stamp(121*time.Minute)+": 3|4|",
		"out: 5|")
}

// TestRotationKeeps wants the newest files to be kept, compressed, and nothing else to be touched but what is half
// compressed.
func TestRotationKeeps(t *testing.T) {
	for _, zip := range []bool{false, true} {
		dir := t.TempDir()
		path := filepath.Join(dir, "out")
		for _, name := range []string{ // files of an earlier run, oldest first, and others
			"out.20250101T000000", "out.20250101T000000.2.gz", "out.20250101T000000.10",
			"other.20250101T000000", "out.2025", "out.20240101T000000.gz.tmp", "out.20250101T000000.x", "xout.20250101T000000",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), gzipped(t, name, "x\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		c := clock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		f := NewFile(FileConfig{Path: path, Append: true, MaxSize: 2, Keep: 4, Compress: zip}, nil)
		f.now = c.time
		deliver(t, f, items("1", "2", "3"))
		want(t, "close", f.Close(), nil)
		gz := ""
		if zip {
			gz = ".gz"
		}
		wantListing(t, dir,
			"other.20250101T000000: x|", "out.2025: x|",
			"out.20250101T000000.10"+gz+": x|",
			"out.20250101T000000.2.gz: x|",
			"out.20250101T000000.x: x|",
			"out.20260101T000000.1"+gz+": 2|",
			"out.20260101T000000"+gz+": 1|",
			"out: 3|", "xout.20250101T000000: x|")
	}
}

// gzipped returns text in the form that the name of its file asks for.
func gzipped(t *testing.T, name, text string) []byte {
	t.Helper()
	if !strings.HasSuffix(name, ".gz") {
		return []byte(text)
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRotationFails wants the file to stay in use if it cannot be renamed.
func TestRotationFails(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	c := clock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	f := NewFile(FileConfig{Path: filepath.Join(dir, "out"), Append: true, MaxSize: 2, Keep: 1}, slog.New(slog.NewTextHandler(&log, nil)))
	f.now = c.time
	deliver(t, f, items("1"))
	f.old = newArchive(FileConfig{Path: filepath.Join(dir, "missing", "out")}, f.log) // whose names lead nowhere
	deliver(t, f, items("2", "3"))
	wantListing(t, dir, "out: 1|2|3|")
	want(t, "lines", strings.Count(log.String(), "cannot rotate the export file"), 1)
	f.old.close()
	f.old = nil
	c.now = c.now.Add(retryRotation)
	deliver(t, f, items("4"))
	want(t, "close", f.Close(), nil)
	wantListing(t, dir, "out.20260101T000100: 1|2|3|", "out: 4|")
}

func TestProbe(t *testing.T) {
	if os.Geteuid() == 0 {
		// Root may write everywhere; what it cannot do is in the other cases.
		t.Log("running as root: no test of missing permissions")
	}
	for name, tt := range map[string]struct {
		prepare func(dir string) error
		path    string
		rotates bool
		user    bool // matters only without root's rights
		err     error
		text    string
	}{
		"file exists":            {func(d string) error { return os.WriteFile(d+"/out", []byte("x"), 0o644) }, "out", false, false, nil, ""},
		"file is new":            {nil, "out", false, false, nil, ""},
		"directories are new":    {nil, "a/b/c/out", false, false, nil, ""},
		"is a directory":         {func(d string) error { return os.Mkdir(d+"/out", 0o755) }, "out", false, false, nil, "is not a file that can be appended to: drwxr-xr-x"},
		"a file in between":      {func(d string) error { return os.WriteFile(d+"/a", nil, 0o644) }, "a/out", false, false, syscall.ENOTDIR, ""},
		"file is read-only":      {func(d string) error { return os.WriteFile(d+"/out", nil, 0o444) }, "out", false, true, fs.ErrPermission, ""},
		"directory is read-only": {func(d string) error { return os.Mkdir(d+"/a", 0o555) }, "a/out", false, true, fs.ErrPermission, ""},
		"cannot rename": {func(d string) error {
			return errors.Join(os.Mkdir(d+"/a", 0o755), os.WriteFile(d+"/a/out", nil, 0o644), os.Chmod(d+"/a", 0o555))
		}, "a/out", true, true, fs.ErrPermission, ""},
		"need not rename": {func(d string) error {
			return errors.Join(os.Mkdir(d+"/a", 0o755), os.WriteFile(d+"/a/out", nil, 0o644), os.Chmod(d+"/a", 0o555))
		}, "a/out", false, false, nil, ""},
		"named pipe": {func(d string) error { return unix.Mkfifo(d+"/out", 0o644) }, "out", true, false, nil, ""},
		"device":     {func(d string) error { return os.Symlink("/dev/null", d+"/out") }, "out", true, false, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.user && os.Geteuid() == 0 {
				t.Skip("root may write everywhere")
			}
			dir := t.TempDir()
			if tt.prepare != nil {
				if err := tt.prepare(dir); err != nil {
					t.Fatal(err)
				}
			}
			before := names(t, dir)
			cfg := FileConfig{Path: filepath.Join(dir, tt.path)}
			if tt.rotates {
				cfg.MaxSize = 1
			}
			err := NewFile(cfg, nil).Probe(t.Context())
			switch {
			case tt.err != nil && !errors.Is(err, tt.err),
				tt.text != "" && (err == nil || !strings.Contains(err.Error(), tt.text)),
				tt.err == nil && tt.text == "" && err != nil:
				t.Errorf("got %v, want %v %s", err, tt.err, tt.text)
			}
			want(t, "files", names(t, dir), before)
			_ = os.Chmod(filepath.Join(dir, "a"), 0o755) // for the clean-up
		})
	}
}

// names returns what is in a directory, with sizes and times.
func names(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		fmt.Fprintln(&b, path, info.Mode(), info.Size(), info.ModTime())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// disk is a file on a disk that is full now and then.
type disk struct {
	*os.File
	rnd        *rand.Rand
	noTruncate bool
	synced     *int
}

func (d *disk) Write(b []byte) (int, error) {
	if d.rnd.IntN(2) == 0 {
		n, err := d.File.Write(b[:d.rnd.IntN(len(b)+1)])
		return n, errors.Join(err, syscall.ENOSPC)
	}
	return d.File.Write(b)
}

func (d *disk) Truncate(size int64) error {
	if d.noTruncate {
		return syscall.EIO
	}
	return d.File.Truncate(size)
}

func (d *disk) Sync() error {
	*d.synced++
	return d.File.Sync()
}

// TestFullDisk interrupts writes anywhere. Every record comes out whole, once, in order, and nothing else is in the
// file; if the file system refuses to shorten it, fragments may be, on lines of their own.
func TestFullDisk(t *testing.T) {
	for seed := range uint64(60) {
		for _, cfg := range []FileConfig{{Append: true}, {Append: true, MaxSize: 500, Keep: 1000}} {
			dir := t.TempDir()
			cfg.Path = filepath.Join(dir, "out")
			f := NewFile(cfg, nil)
			rnd := rand.New(rand.NewPCG(seed, 0))
			opened, synced := 0, 0
			f.open = func(path string, flags int) (handle, error) {
				opened++
				file, err := os.OpenFile(path, flags, 0o644)
				return &disk{file, rnd, seed%3 == 0, &synced}, err
			}
			all := numbered(0, 60)
			for i := 0; i < len(all); i += 10 {
				batch := all[i : i+10]
				for len(batch) > 0 {
					err := f.Deliver(t.Context(), batch)
					if err != nil && !errors.Is(err, syscall.ENOSPC) {
						t.Fatal(err)
					}
					batch = undelivered(t, batch, err)
				}
			}
			want(t, "close", f.Close(), nil)
			want(t, "files written to disk", synced, opened)
			var got []string
			for _, name := range oldestFirst(t, f, dir) {
				text := readFile(t, filepath.Join(dir, name))
				got = append(got, wholeLines(t, text, seed%3 == 0)...)
				if cfg.MaxSize > 0 && len(text) > int(cfg.MaxSize) {
					t.Errorf("%s has %d bytes", name, len(text))
				}
			}
			same(t, got, all)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	}
}

// oldestFirst returns the export files in the order in which they were written.
func oldestFirst(t *testing.T, f *File, dir string) []string {
	t.Helper()
	names := []string{"out"}
	if f.old == nil {
		return names
	}
	old, _, err := f.old.list()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range old {
		names = append([]string{filepath.Base(o.path)}, names...)
	}
	return names
}

// TestFileFullDevice writes to a device that has no room.
func TestFileFullDevice(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("needs /dev/full:", err)
	}
	f := NewFile(FileConfig{Path: "/dev/full", Append: true, MaxSize: 1, Keep: 1}, nil)
	want(t, "probe", f.Probe(t.Context()), nil)
	batch := items("1", "2")
	err := f.Deliver(t.Context(), batch)
	if !errors.Is(err, syscall.ENOSPC) || len(undelivered(t, batch, err)) != 2 {
		t.Errorf("got %v, want %v for both items", err, syscall.ENOSPC)
	}
	want(t, "close", f.Close(), nil)
}

// TestFilePipe writes to a named pipe, which has no reader, has one, and has one that does not read.
func TestFilePipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
	f := NewFile(FileConfig{Path: path, Append: true}, nil)
	want(t, "probe", f.Probe(t.Context()), nil)
	if err := f.Deliver(t.Context(), items("1")); !errors.Is(err, syscall.ENXIO) {
		t.Errorf("without a reader: got %v, want %v", err, syscall.ENXIO)
	}
	r, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	deliver(t, f, items("1"))
	line := make([]byte, 2)
	if _, err := io.ReadFull(r, line); err != nil || string(line) != "1\n" {
		t.Errorf("read %q, %v", line, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	large := items(strings.Repeat("x", 1<<20)) // does not fit the pipe
	if err := f.Deliver(ctx, large); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("with a full pipe: got %v, want %v", err, os.ErrDeadlineExceeded)
	}
	want(t, "close", f.Close(), nil)
}

func TestFileConfig(t *testing.T) {
	want(t, "good", (&FileConfig{Path: "x"}).Validate(), nil)
	if err := new(FileConfig).Validate(); err == nil {
		t.Error("no path: no error")
	}
}

func BenchmarkFile(b *testing.B) {
	f := NewFile(FileConfig{Path: filepath.Join(b.TempDir(), "out")}, nil)
	defer f.Close()
	batch := numbered(0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		if err := f.Deliver(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		if f.size > 100<<20 {
			if err := f.f.Truncate(0); err != nil {
				b.Fatal(err)
			}
			f.size = 0
		}
	}
}
