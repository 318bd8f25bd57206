package field

import (
	"math/bits"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Positions of the operations in the set that Field.Bits returns for sf.opflags, which is the order they are printed
// in. A record has either READ and WRITE or RECV and SEND, which are one bit each in the recorded bitmap.
const (
	posMkdir = iota
	posRmdir
	posLink
	posSymlink
	posUnlink
	posRename
	posClone
	posExec
	posExit
	posSetuid
	posOpen
	posAccept
	posConnect
	posClose
	posWrite
	posSend
	posRead
	posRecv
	posSetns
	posMmap
	posShutdown
	posTruncate
	posDigest
	opCount
)

// opPos maps the bits of the recorded bitmap to positions.
var opPos = [...]uint8{
	posClone, posExec, posExit, posSetuid, posSetns, posAccept, posConnect, posOpen, posRead, posWrite, posClose,
	posTruncate, posShutdown, posMmap, posDigest, posMkdir, posRmdir, posLink, posUnlink, posSymlink, posRename,
}

// opBits returns the set of the operations of a bitmap; net says that bits 8 and 9 mean receive and send. Bits without
// a name are left out.
func opBits(recorded int64, net bool) int64 {
	var set int64
	for b := uint64(recorded) & (1<<len(opPos) - 1); b != 0; b &= b - 1 {
		set |= 1 << opPos[bits.TrailingZeros64(b)]
	}
	if net {
		const file = 1<<posRead | 1<<posWrite
		set = set&^file | set&file<<1
	}
	return set
}

// newOpNames returns the names of sf.opflags.
func newOpNames() *Names {
	n := flagNames("OP_", "MKDIR", "RMDIR", "LINK", "SYMLINK", "UNLINK", "RENAME", "CLONE", "EXEC", "EXIT", "SETUID", "OPEN",
		"ACCEPT", "CONNECT", "CLOSE", "WRITE", "SEND", "READ", "RECV", "SETNS", "MMAP", "SHUTDOWN", "TRUNCATE", "DIGEST")
	n.accept("OP_", Name{"READ_RECV", 1<<posRead | 1<<posRecv})
	n.accept("OP_", Name{"WRITE_SEND", 1<<posWrite | 1<<posSend})
	return n
}

// isNet says whether the operations of a record are on the network.
func isNet(r *sfgo.FlatRecord) bool {
	t := recType(r)
	return t == sfgo.NET_FLOW || t == sfgo.NET_EVT
}

func opFlagBits(r *sfgo.FlatRecord) int64 { return opBits(ints(r)[sfgo.OPFLAGS_INT], isNet(r)) }

// Event types. The set of evt.type has, at the positions of the operations, the groups of event types that Falco
// would have seen: here a read of a socket is in both groups, read and receive. The flag names READ, WRITE, RECV and
// SEND, which rules may use as well, mean what they mean for sf.opflags; they have positions of their own.
const (
	posFlagWrite = opCount + iota
	posFlagSend
	posFlagRead
	posFlagRecv
)

// evtGroups are the event types that an operation answers, by position; the first is the one that is printed.
var evtGroups = [opCount][]string{
	posMkdir:    {"mkdir", "mkdirat"},
	posRmdir:    {"rmdir"},
	posLink:     {"link", "linkat"},
	posSymlink:  {"symlink", "symlinkat"},
	posUnlink:   {"unlink", "unlinkat"},
	posRename:   {"rename", "renameat", "renameat2"},
	posClone:    {"clone", "clone3", "fork", "vfork"},
	posExec:     {"execve", "execveat"},
	posExit:     {"exit", "exit_group", "procexit"},
	posSetuid:   {"setuid", "setresuid"},
	posOpen:     {"open", "openat", "openat2", "creat", "open_by_handle_at"},
	posAccept:   {"accept", "accept4"},
	posConnect:  {"connect"},
	posClose:    {"close"},
	posWrite:    {"write", "writev", "pwrite", "pwritev"},
	posSend:     {"send", "sendto", "sendmsg", "sendmmsg"},
	posRead:     {"read", "readv", "pread", "preadv"},
	posRecv:     {"recv", "recvfrom", "recvmsg", "recvmmsg"},
	posSetns:    {"setns"},
	posMmap:     {"mmap", "mmap2"},
	posShutdown: {"shutdown"},
	// A truncated flow was cut off by the exporter, which is no event; nor is a digest.
}

// newEvtNames returns the names of evt.type: event types in any case, and the names of flags as they are printed.
func newEvtNames(ops *Names) *Names {
	var list []Name
	for pos, group := range evtGroups {
		for _, t := range group {
			list = append(list, Name{t, 1 << pos})
		}
	}
	n := newNames("", list...)
	for pos, op := range ops.list {
		n.exact[op.Text] = Name{op.Text, 1 << pos}
	}
	for text, v := range map[string]int64{
		"WRITE": 1 << posFlagWrite, "SEND": 1 << posFlagSend, "READ": 1 << posFlagRead, "RECV": 1 << posFlagRecv,
		"READ_RECV": 1<<posFlagRead | 1<<posFlagRecv, "WRITE_SEND": 1<<posFlagWrite | 1<<posFlagSend,
	} {
		n.exact[text] = Name{text, v}
	}
	return n
}

func evtBits(r *sfgo.FlatRecord) int64 {
	const (
		file = 1<<posRead | 1<<posWrite
		sock = 1<<posRecv | 1<<posSend
		flag = posFlagWrite - posWrite
	)
	set := opFlagBits(r)
	flags := set & (file | sock) << flag
	switch {
	case isNet(r):
		set |= set & sock >> 1
	case recType(r) == sfgo.FILE_FLOW && fileLetter(r) == "u":
		set |= set & file << 1
	}
	return set | flags
}

// evtTypes appends all event types that the operations answer.
func evtTypes(r *sfgo.FlatRecord, dst []string) []string {
	for b := uint64(evtBits(r)) & (1<<opCount - 1); b != 0; b &= b - 1 {
		dst = append(dst, evtGroups[bits.TrailingZeros64(b)]...)
	}
	return dst
}

// evtBaseTypes appends one event type for each operation.
func evtBaseTypes(r *sfgo.FlatRecord, dst []string) []string {
	for b := uint64(opFlagBits(r)); b != 0; b &= b - 1 {
		if group := evtGroups[bits.TrailingZeros64(b)]; len(group) > 0 {
			dst = append(dst, group[0])
		}
	}
	return dst
}

// Positions of the open flags in the set that Field.Bits returns, which is the order they are printed in.
const (
	posNone = iota
	posRdonly
	posWronly
	posRdwr
	posCreat
	posExcl
	posTrunc
	posAppend
	posNonblock
	posDsync
	posDirect
	posLargefile
	posDirectory
	posCloexec
	posSync
)

// openPos maps the bits of the recorded open flags to positions.
var openPos = [...]uint8{
	posRdonly, posWronly, posCreat, posAppend, posDsync, posExcl, posNonblock, posSync, posTrunc, posDirect, posDirectory,
	posLargefile, posCloexec,
}

func newOpenNames() *Names {
	return flagNames("O_", "NONE", "RDONLY", "WRONLY", "RDWR", "CREAT", "EXCL", "TRUNC", "APPEND", "NONBLOCK", "DSYNC",
		"DIRECT", "LARGEFILE", "DIRECTORY", "CLOEXEC", "SYNC")
}

// openBits returns the set of the open flags of a bitmap. Bits without a name are left out.
func openBits(recorded int64) int64 {
	if recorded == 0 {
		return 1 << posNone
	}
	var set int64
	for b := uint64(recorded) & (1<<len(openPos) - 1); b != 0; b &= b - 1 {
		set |= 1 << openPos[bits.TrailingZeros64(b)]
	}
	const both = 1<<posRdonly | 1<<posWronly
	if set&both == both {
		set |= 1 << posRdwr
	}
	return set
}

// Closed sets of other attributes.

func newTypeNames() *Names {
	return newNames("", Name{"PE", sfgo.PROC_EVT}, Name{"PF", sfgo.PROC_FLOW}, Name{"NF", sfgo.NET_FLOW},
		Name{"FF", sfgo.FILE_FLOW}, Name{"FE", sfgo.FILE_EVT}, Name{"NE", sfgo.NET_EVT}, Name{"KE", sfgo.K8S_EVT})
}

func newProtoNames() *Names {
	return newNames("", Name{"icmp", 1}, Name{"tcp", 6}, Name{"udp", 17}, Name{"raw", 254})
}

// fileTypes are the letters for types of files and what Falco calls them; "" if it has no word.
var fileTypes = [...]struct{ letter, word string }{
	{"f", "file"}, {"d", "directory"}, {"4", "ipv4"}, {"6", "ipv6"}, {"u", "unix"}, {"p", "pipe"}, {"e", "event"},
	{"s", "signalfd"}, {"l", "eventpoll"}, {"i", "inotify"}, {"o", ""}, {"?", ""},
}

func newFileTypeNames() *Names {
	var list []Name
	for _, t := range fileTypes {
		list = append(list, Name{t.letter, int64(t.letter[0])})
	}
	return newNames("", list...)
}

func newFileWordNames() *Names {
	var list []Name
	for _, t := range fileTypes {
		if t.word != "" {
			list = append(list, Name{t.word, int64(t.letter[0])})
		}
	}
	return newNames("", list...)
}

// fileType returns the letter and the word for the type of the record's file; for the remote end of a network flow
// they are those of an IPv4 socket.
func fileType(r *sfgo.FlatRecord) (letter, word string) {
	if recType(r) == sfgo.NET_FLOW {
		return "4", "ipv4"
	}
	code := ints(r)[sfgo.FILE_RESTYPE_INT]
	for i := range fileTypes {
		if t := &fileTypes[i]; int64(t.letter[0]) == code {
			return t.letter, t.word
		}
	}
	return "?", ""
}

func fileLetter(r *sfgo.FlatRecord) string { l, _ := fileType(r); return l }
func fileWord(r *sfgo.FlatRecord) string   { _, w := fileType(r); return w }

// Container types: the first is not in the data, it stands for a record without a container; the last for a number
// without a name.
const (
	typeHost    = "host"
	typeUnknown = "unknown"
)

var containerTypes = [...]string{
	sfgo.ContainerTypeCT_DOCKER:      "DOCKER",
	sfgo.ContainerTypeCT_LXC:         "LXC",
	sfgo.ContainerTypeCT_LIBVIRT_LXC: "LIBVIRT_LXC",
	sfgo.ContainerTypeCT_MESOS:       "MESOS",
	sfgo.ContainerTypeCT_RKT:         "RKT",
	sfgo.ContainerTypeCT_CUSTOM:      "CUSTOM",
	sfgo.ContainerTypeCT_CRI:         "CRI",
	sfgo.ContainerTypeCT_CONTAINERD:  "CONTAINERD",
	sfgo.ContainerTypeCT_CRIO:        "CRIO",
	sfgo.ContainerTypeCT_BPM:         "BPM",
}

func newContainerTypeNames() *Names {
	n := numbered("CT_", containerTypes[:]...)
	for i, t := range []string{typeHost, typeUnknown} {
		v := Name{t, int64(-1 - i)}
		n.list = append(n.list, v)
		n.accept("", v)
	}
	return n
}

func containerType(r *sfgo.FlatRecord) string {
	if !inContainer(r) {
		return typeHost
	}
	if t := ints(r)[sfgo.CONT_TYPE_INT]; uint64(t) < uint64(len(containerTypes)) {
		return containerTypes[t]
	}
	return typeUnknown
}

// K8s actions and kinds, by number; the last one stands for any other.
var (
	k8sActions = [...]string{
		"K8S_COMPONENT_ADDED", "K8S_COMPONENT_MODIFIED", "K8S_COMPONENT_DELETED", "K8S_COMPONENT_ERROR",
		"K8S_COMPONENT_NONEXISTENT", "K8S_COMPONENT_UNKNOWN",
	}
	k8sKinds = [...]string{
		"K8S_NODES", "K8S_NAMESPACES", "K8S_PODS", "K8S_REPLICATIONCONTROLLERS", "K8S_SERVICES", "K8S_EVENTS",
		"K8S_REPLICASETS", "K8S_DAEMONSETS", "K8S_DEPLOYMENTS", "K8S_UNKNOWN",
	}
)

// orLast returns list[v], or its last element if v is out of range.
func orLast(list []string, v int64) string {
	if uint64(v) >= uint64(len(list)) {
		return list[len(list)-1]
	}
	return list[v]
}
