package sysflow

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestListen(t *testing.T) {
	a := access{mode: 0o640, gid: os.Getgid()}
	for name, tt := range map[string]struct {
		at   string
		make func(t *testing.T, path string) // what is there before
		err  string
	}{
		"nothing is there":    {"s", nil, ""},
		"directories missing": {"a/b/s", nil, ""},
		"an old socket":       {"s", leaveSocket, ""},
		"a file":              {"s", makeFile, "there is something else of that name, which is not removed"},
		"a directory":         {"s", makeDir, "there is something else of that name, which is not removed"},
		"a link to a socket": {"s", func(t *testing.T, path string) {
			leaveSocket(t, path+".other")
			if err := os.Symlink(path+".other", path); err != nil {
				t.Fatal(err)
			}
		}, "there is something else of that name, which is not removed"},
		"a socket in use":            {"s", holdSocket("unixpacket"), "another process seems to listen there already"},
		"a stream socket in use":     {"s", holdSocket("unix"), "another process seems to listen there already"},
		"a file for a directory":     {"file/s", func(t *testing.T, path string) { makeFile(t, filepath.Dir(path)) }, "not a directory"},
		"a name that is far too big": {strings.Repeat("x", 108), nil, "at most 107 are possible"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(shortDir(t), tt.at)
			if tt.make != nil {
				tt.make(t, path)
			}
			before, _ := os.Lstat(path)
			l, err := listen(t.Context(), path, a)
			wantError(t, err, tt.err)
			if err != nil {
				if after, _ := os.Lstat(path); before != nil && !os.SameFile(before, after) {
					t.Error("what was there is gone")
				}
				return
			}
			info, err := os.Lstat(path)
			if err != nil || info.Mode() != fs.ModeSocket|0o640 {
				t.Errorf("there is %v, %v; want a socket of mode 0640", info.Mode(), err)
			}
			wantError(t, l.close(), "")
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the socket is still there: %v", err)
			}
		})
	}
}

// shortDir returns a new directory whose path leaves room for the name of a socket.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sf")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func makeFile(t *testing.T, path string) {
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func makeDir(t *testing.T, path string) {
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

// leaveSocket leaves a socket behind, as a process does that is killed.
func leaveSocket(t *testing.T, path string) {
	l, err := net.ListenUnix(network, &net.UnixAddr{Name: path, Net: network})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
}

// holdSocket makes a socket that somebody listens on.
func holdSocket(network string) func(t *testing.T, path string) {
	return func(t *testing.T, path string) {
		l, err := net.Listen(network, path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
	}
}

// TestListenModes wants modes that do not depend on the umask.
func TestListenModes(t *testing.T) {
	for name, tt := range map[string]struct {
		access access
		dir    fs.FileMode
	}{
		"for all":     {access{0o666, -1}, 0o755},
		"for a group": {access{0o660, os.Getgid()}, 0o750},
	} {
		t.Run(name, func(t *testing.T) {
			defer syscall.Umask(syscall.Umask(0o077))
			path := filepath.Join(shortDir(t), "a", "b", "s")
			l, err := listen(t.Context(), path, tt.access)
			if err != nil {
				t.Fatal(err)
			}
			defer l.close()
			for path, want := range map[string]fs.FileMode{
				path: tt.access.mode, filepath.Dir(path): tt.dir, filepath.Dir(filepath.Dir(path)): tt.dir,
			} {
				if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != want {
					t.Errorf("%s has mode %v, want %v (%v)", path, info.Mode(), want, err)
				}
			}
		})
	}
}

// TestReplaced wants a socket that another process has put in the place of ours to stay.
func TestReplaced(t *testing.T) {
	path := filepath.Join(shortDir(t), "s")
	l, err := listen(t.Context(), path, access{mode: 0o600, gid: -1})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".old"); err != nil { // so that its number is not used again
		t.Fatal(err)
	}
	makeFile(t, path)
	wantError(t, l.close(), "")
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("what has taken its place is gone: %v", err)
	}
}

func TestAccess(t *testing.T) {
	for name, tt := range map[string]struct {
		group string
		gid   int
		err   string
	}{
		"none":      {"", -1, ""},
		"a number":  {"4711", 4711, ""},
		"a name":    {"root", 0, ""},
		"no group":  {"no-such-group", 0, "socket.group: there is no group 'no-such-group'"},
		"too large": {"4294967295", 0, "socket.group: there is no group"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := newAccess(0o660, tt.group)
			wantError(t, err, tt.err)
			if err == nil && (a.gid != tt.gid || a.mode != 0o660) {
				t.Errorf("access is %v, want group %d", a, tt.gid)
			}
		})
	}
}

// TestListenIsStopped wants a context that has ended to be noticed before anything is made.
func TestListenIsStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(shortDir(t), "s")
	leaveSocket(t, path)
	if l, err := listen(ctx, path, access{mode: 0o600, gid: -1}); err == nil {
		l.close()
		t.Error("it listens")
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the old socket is gone: %v", err)
	}
}
