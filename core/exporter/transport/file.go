package transport

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
)

// FileConfig are the attributes of export file.
type FileConfig struct {
	Path     string        `attr:"file.path" alias:"path" default:"./export.out" kind:"path" when:"export=file" help:"file to append to"`
	Append   bool          `attr:"file.append" default:"true" when:"export=file" help:"false: empty the file at the start"`
	MaxSize  int64         `attr:"file.maxsize" default:"0" kind:"size" when:"export=file" help:"begin a new file before this one grows larger; 0: never"`
	MaxAge   time.Duration `attr:"file.maxage" default:"0" when:"export=file" help:"begin a new file when this one is older; 0: never"`
	Keep     int           `attr:"file.keep" default:"5" min:"1" when:"export=file" help:"old files to keep"`
	Compress bool          `attr:"file.compress" default:"false" when:"export=file" help:"compress old files with gzip"`
}

// Validate reports every fault that no single attribute shows, each beginning with the attribute.
func (c *FileConfig) Validate() error {
	if c.Path == "" {
		return errors.New("file.path: want the name of a file")
	}
	return nil
}

// retryRotation is how long the current file is kept after it could not be renamed.
const retryRotation = time.Minute

// File appends records to a file, as lines. A line is never split: what a full disk has left of one is removed again.
// The file may also be a named pipe or a device; those are never renamed.
type File struct {
	cfg FileConfig
	log *slog.Logger

	// What tests replace.
	now  func() time.Time
	open func(path string, flags int) (handle, error)

	f       handle // nil while the file is closed
	info    os.FileInfo
	regular bool
	size    int64     // bytes in the file, if regular
	torn    bool      // the file ends within a line
	born    time.Time // of the file
	emptied bool      // cfg.Append has been obeyed
	lines   lines

	reopen   atomic.Bool
	old      *archive  // nil before the first rotation
	noRename time.Time // until then the file keeps its name, because it could not be renamed
}

// handle is the part of os.File that a File uses.
type handle interface {
	Write(b []byte) (int, error)
	Truncate(size int64) error
	Sync() error
	Close() error
	Stat() (os.FileInfo, error)
	SetWriteDeadline(t time.Time) error
}

// NewFile returns a transport to the file of cfg, which it does not touch yet.
func NewFile(cfg FileConfig, log *slog.Logger) *File {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	open := func(path string, flags int) (handle, error) { return os.OpenFile(path, flags, 0o644) }
	return &File{cfg: cfg, log: log, now: time.Now, open: open}
}

// Probe says whether the file can be written, without touching it.
func (f *File) Probe(context.Context) error {
	info, err := os.Stat(f.cfg.Path)
	dir := filepath.Dir(f.cfg.Path)
	switch {
	case err == nil:
		if m := info.Mode(); m&^(fs.ModeNamedPipe|fs.ModeDevice|fs.ModeCharDevice)&fs.ModeType != 0 {
			return fmt.Errorf("%s is not a file that can be appended to: %s", f.cfg.Path, m)
		}
		if err := access(f.cfg.Path, unix.W_OK); err != nil {
			return err
		}
		if !info.Mode().IsRegular() || f.cfg.MaxSize == 0 && f.cfg.MaxAge == 0 {
			return nil
		}
	case errors.Is(err, fs.ErrNotExist):
		for {
			if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
				break
			}
			dir = filepath.Dir(dir)
		}
	default:
		return err
	}
	return access(dir, unix.W_OK|unix.X_OK) // to create the file, or to rename it
}

func access(path string, mode uint32) error {
	if err := unix.Faccessat(unix.AT_FDCWD, path, mode, unix.AT_EACCESS); err != nil {
		return &fs.PathError{Op: "write to", Path: path, Err: err}
	}
	return nil
}

// Open opens the file, or creates it and the directories above it. Deliver does the same if need be.
func (f *File) Open(context.Context) error {
	if err := os.MkdirAll(filepath.Dir(f.cfg.Path), 0o755); err != nil {
		return err
	}
	flags := os.O_WRONLY | os.O_APPEND | os.O_CREATE | unix.O_NONBLOCK // not to wait for a pipe's reader
	if !f.cfg.Append && !f.emptied {
		flags |= os.O_TRUNC
	}
	file, err := f.open(f.cfg.Path, flags)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.f, f.info, f.emptied = file, info, true
	f.regular, f.size = info.Mode().IsRegular(), info.Size()
	f.born = f.now()
	if f.regular && f.size > 0 {
		f.born = birth(f.cfg.Path, info)
		f.torn = endsTorn(f.cfg.Path, f.size)
	}
	return nil
}

// birth returns when a file was created or, where the file system does not record that, last written.
func birth(path string, info os.FileInfo) time.Time {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_BTIME, &st); err != nil || st.Mask&unix.STATX_BTIME == 0 {
		return info.ModTime()
	}
	return time.Unix(st.Btime.Sec, int64(st.Btime.Nsec))
}

// endsTorn says whether a file ends within a line, as a machine that lost its power may leave it. A file that cannot
// be read is taken for whole.
func endsTorn(path string, size int64) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var last [1]byte
	if _, err := f.ReadAt(last[:], size-1); err != nil {
		return false
	}
	return last[0] != '\n'
}

// Reopen makes the next Deliver close the file and open it anew by its name. It may be called by any goroutine.
func (f *File) Reopen() { f.reopen.Store(true) }

// Deliver appends the batch with one write, or with one for each file if it is spread over several because of their
// maximum size. The file is opened anew if it no longer has its name.
func (f *File) Deliver(ctx context.Context, batch []encode.Item) error {
	if f.f != nil && (f.reopen.Swap(false) || f.moved()) {
		f.closeLogged()
	}
	for next := 0; next < len(batch); {
		if f.full(len(batch[next].Data) + 1) {
			f.rotate()
		}
		if f.f == nil {
			if err := f.Open(ctx); err != nil {
				return fail(next, len(batch), "open", err)
			}
		}
		n, err := f.append(ctx, batch[next:])
		next += n
		if err != nil {
			return fail(next, len(batch), "write", err)
		}
	}
	return nil
}

// moved says whether the path leads elsewhere than to the open file.
func (f *File) moved() bool {
	info, err := os.Stat(f.cfg.Path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	return !os.SameFile(info, f.info)
}

// full says whether the file has to make way for a new one before a line of so many bytes is written.
func (f *File) full(line int) bool {
	if f.f == nil || !f.regular || f.size == 0 || f.now().Before(f.noRename) {
		return false
	}
	return f.cfg.MaxSize > 0 && f.size+int64(line) > f.cfg.MaxSize || f.cfg.MaxAge > 0 && f.now().Sub(f.born) >= f.cfg.MaxAge
}

// append writes as many items as the file has room for, at least one, and returns how many it holds now.
func (f *File) append(ctx context.Context, batch []encode.Item) (int, error) {
	f.lines.reset(f.torn)
	for i := range batch {
		size := f.size + int64(len(f.lines.buf)+len(batch[i].Data)+1)
		if i > 0 && f.regular && f.cfg.MaxSize > 0 && size > f.cfg.MaxSize {
			break
		}
		f.lines.add(batch[i].Data)
	}
	if !f.regular {
		file := f.f
		defer context.AfterFunc(ctx, func() { _ = file.SetWriteDeadline(time.Now()) })() // a device may know no deadline
	}
	n, err := f.f.Write(f.lines.buf)
	count, size := f.lines.whole(n)
	if n > size && f.regular && f.f.Truncate(f.size+int64(size)) == nil {
		n = size
	}
	if n > 0 {
		f.torn = n > size
	}
	f.size += int64(n)
	return count, err
}

// rotate gives the file another name and closes it. If that is not possible, it stays in use for a while.
func (f *File) rotate() {
	if f.old == nil {
		f.old = newArchive(f.cfg, f.log)
	}
	if err := os.Rename(f.cfg.Path, f.old.name(f.now())); err != nil {
		f.log.Error("cannot rotate the export file, going on with it", "err", err)
		f.noRename = f.now().Add(retryRotation)
		return
	}
	f.closeLogged()
	f.old.tidy()
}

func (f *File) closeLogged() {
	if err := f.close(); err != nil {
		f.log.Error("closing the export file failed, its last records may be lost", "path", f.cfg.Path, "err", err)
	}
}

// close makes sure that the file is on disk, and closes it.
func (f *File) close() error {
	var err error
	if f.regular {
		err = f.f.Sync()
	}
	err = errors.Join(err, f.f.Close())
	f.f, f.torn = nil, false
	return err
}

// Close writes the file to disk and closes it, and waits until the old files are in order.
func (f *File) Close() error {
	if f.old != nil {
		f.old.close()
	}
	if f.f == nil {
		return nil
	}
	return f.close()
}
