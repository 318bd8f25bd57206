package sysflow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// network is what Go calls SOCK_SEQPACKET on Unix sockets.
const network = "unixpacket"

// maxPath is how long the path of a socket may be, in bytes; the system's limit without the NUL.
const maxPath = 107

// closedMode is the mode of a socket that is not ready yet.
const closedMode = 0o600

// access says who may connect to a socket.
type access struct {
	mode fs.FileMode
	gid  int // -1: that of the process
}

// newAccess looks up a group by name or number; an empty one is that of the process.
func newAccess(mode int, group string) (access, error) {
	a := access{mode: fs.FileMode(mode).Perm(), gid: -1}
	if group == "" {
		return a, nil
	}
	id := group
	if g, err := user.LookupGroup(group); err == nil {
		id = g.Gid
	}
	gid, err := strconv.ParseUint(id, 10, 31)
	if err != nil {
		return a, fmt.Errorf("socket.group: there is no group '%s'", group)
	}
	a.gid = int(gid)
	return a, nil
}

// socket listens at a path.
type socket struct {
	*net.UnixListener
	path string
	file fs.FileInfo // of the socket that was made
}

// listen makes a socket and the directories above it. What is at the path already has to be a socket that nobody listens
// on; it is replaced.
func listen(ctx context.Context, path string, a access) (*socket, error) {
	if len(path) > maxPath {
		return nil, fmt.Errorf("socket path %s has %d bytes, at most %d are possible", path, len(path), maxPath)
	}
	if err := a.makeDirs(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("make the directory of socket %s: %w", path, err)
	}
	if err := clearWay(ctx, path); err != nil {
		return nil, err
	}
	// Nobody else can connect before group and mode are what they should be: Linux makes the file with this mode. Other
	// systems refuse to set it, and leave it to the umask.
	conf := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = unix.Fchmod(int(fd), closedMode) })
	}}
	l, err := conf.Listen(ctx, network, path)
	if err != nil {
		return nil, err // which names the socket
	}
	u, ok := l.(*net.UnixListener)
	if !ok {
		l.Close()
		return nil, fmt.Errorf("socket %s: listening gave a %T", path, l)
	}
	u.SetUnlinkOnClose(false) // close looks first
	s := &socket{UnixListener: u, path: path}
	if s.file, err = os.Lstat(path); err == nil {
		err = a.grant(path, a.mode)
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("set up socket: %w", err)
	}
	return s, nil
}

// grant sets group and mode of a file, whatever the process's umask is.
func (a access) grant(path string, mode fs.FileMode) error {
	if a.gid >= 0 {
		if err := os.Lchown(path, -1, a.gid); err != nil {
			return err
		}
	}
	return os.Chmod(path, mode)
}

// makeDirs makes the directories of dir that are missing. Everyone may enter them; if the socket is for a group, only
// that.
func (a access) makeDirs(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err // of a file instead of a directory, listening says so
	}
	if err := a.makeDirs(filepath.Dir(dir)); err != nil {
		return err
	}
	switch err := os.Mkdir(dir, 0o700); {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return err
	}
	mode := fs.FileMode(0o755)
	if a.gid >= 0 {
		mode = 0o750
	}
	return a.grant(dir, mode)
}

// clearWay removes a socket that was left behind.
func clearWay(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("listen on socket: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("listen on socket %s: there is something else of that name, which is not removed", path)
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, path)
	if err == nil {
		conn.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("listen on socket %s: another process seems to listen there already (%w)", path, inUse(err))
	}
	// Unlink, unlike os.Remove, does not remove a directory.
	if err := syscall.Unlink(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove old socket %s: %w", path, err)
	}
	return nil
}

// errAnswered says that a connection was accepted.
var errAnswered = errors.New("it accepts connections")

func inUse(dial error) error {
	if dial == nil {
		return errAnswered
	}
	return dial
}

// close stops listening and removes the socket, unless it has been replaced.
func (s *socket) close() error {
	var gone error
	if now, err := os.Lstat(s.path); err == nil && os.SameFile(now, s.file) {
		gone = syscall.Unlink(s.path)
	}
	if err := errors.Join(gone, s.UnixListener.Close()); err != nil {
		return fmt.Errorf("close socket %s: %w", s.path, err)
	}
	return nil
}
