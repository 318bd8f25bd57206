package encode

import (
	"strconv"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// file writes the file of a flow or event. For links, ECS's path is that of the new link.
func (c *ECS) file(o *object, r row) {
	path, target := c.read.path.Str(r.rec), ""
	switch {
	case r.kind() == sfgo.FILE_EVT && r.does(sfgo.OP_LINK|sfgo.OP_SYMLINK):
		path, target = c.read.newPath.Str(r.rec), path
	case r.kind() == sfgo.FILE_EVT && r.does(sfgo.OP_RENAME):
		target = c.read.newPath.Str(r.rec)
	}
	at := o.open("file")
	if path == "" && r.kind() == sfgo.FILE_FLOW {
		descriptor(o, r)
	} else {
		o.str("directory", field.Directory(path))
		o.str("name", field.Basename(path))
		o.str("path", path)
	}
	o.str("target_path", target)
	o.str("type", c.fileType(r))
	o.close(at)

	if r.kind() == sfgo.FILE_FLOW {
		c.counters(o, "sf_file_action", r, false)
	}
}

// descriptor writes the path under which the kernel shows an open file whose own path is not known.
func descriptor(o *object, r row) {
	var buf [64]byte
	dir := append(strconv.AppendInt(append(buf[:0], "/proc/"...), r.ints[sfgo.PROC_OID_HPID_INT], 10), "/fd"...)
	path := strconv.AppendInt(append(dir, '/'), r.ints[sfgo.FD_INT], 10)
	for _, m := range []struct {
		key  string
		text []byte
	}{{"directory", dir}, {"name", path[len(dir)+1:]}, {"path", path}} {
		o.key(m.key)
		o.buf = append(append(append(o.buf, '"'), m.text...), '"')
	}
}

// fileType returns ECS's name for the type of a file, or nothing if it has none.
func (c *ECS) fileType(r row) string {
	if r.kind() == sfgo.FILE_EVT {
		switch {
		case r.does(sfgo.OP_SYMLINK):
			return "symlink"
		case r.does(sfgo.OP_MKDIR | sfgo.OP_RMDIR):
			return "dir"
		}
	}
	switch c.read.fileType.Str(r.rec) {
	case "f":
		return "file"
	case "d":
		return "dir"
	case "u":
		return "socket"
	case "p":
		return "pipe"
	}
	return ""
}

// counters writes the numbers of a flow, from the view of the local process; if all are zero, only on demand.
func (c *ECS) counters(o *object, key string, r row, always bool) {
	rbytes, wbytes := r.ints[sfgo.NUMRRECVBYTES_INT], r.ints[sfgo.NUMWSENDBYTES_INT]
	rops, wops := r.ints[sfgo.NUMRRECVOPS_INT], r.ints[sfgo.NUMWSENDOPS_INT]
	if !always && rbytes|wbytes|rops|wops == 0 {
		return
	}
	at := o.open(key)
	o.int("bytes_read", rbytes)
	o.int("bytes_written", wbytes)
	o.int("read_ops", rops)
	o.int("write_ops", wops)
	o.close(at)
}
