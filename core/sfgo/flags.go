package sfgo

// Operation flags: the bits of OPFLAGS_INT and of the OpFlags of flows and events.
const (
	OP_CLONE      = 1 << 0
	OP_EXEC       = 1 << 1
	OP_EXIT       = 1 << 2
	OP_SETUID     = 1 << 3
	OP_SETNS      = 1 << 4
	OP_ACCEPT     = 1 << 5
	OP_CONNECT    = 1 << 6
	OP_OPEN       = 1 << 7
	OP_READ_RECV  = 1 << 8
	OP_WRITE_SEND = 1 << 9
	OP_CLOSE      = 1 << 10
	OP_TRUNCATE   = 1 << 11 // cut off by the exporter, not the system call
	OP_SHUTDOWN   = 1 << 12
	OP_MMAP       = 1 << 13
	OP_DIGEST     = 1 << 14
	OP_MKDIR      = 1 << 15
	OP_RMDIR      = 1 << 16
	OP_LINK       = 1 << 17
	OP_UNLINK     = 1 << 18
	OP_SYMLINK    = 1 << 19
	OP_RENAME     = 1 << 20
	OP_PTRACE     = 1 << 21 // only from sources other than SysFlow's collector
)

// Open flags of a file flow. The numbers are SysFlow's own, not the kernel's.
const (
	O_RDONLY    = 1 << 0
	O_WRONLY    = 1 << 1
	O_RDWR      = O_RDONLY | O_WRONLY
	O_CREAT     = 1 << 2
	O_APPEND    = 1 << 3
	O_DSYNC     = 1 << 4
	O_EXCL      = 1 << 5
	O_NONBLOCK  = 1 << 6
	O_SYNC      = 1 << 7
	O_TRUNC     = 1 << 8
	O_DIRECT    = 1 << 9
	O_DIRECTORY = 1 << 10
	O_LARGEFILE = 1 << 11
	O_CLOEXEC   = 1 << 12
)
