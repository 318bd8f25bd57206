package field

import (
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// ExportVersion is the version of the JSON document's layout, unless an exporter is told otherwise.
const ExportVersion = 4

// sets are the closed sets of values that fields share.
type sets struct {
	ops, evts, open, types, proto, fileTypes, fileWords, containers, actions, kinds, dirs *Names
}

func newSets() *sets {
	ops := newOpNames()
	return &sets{
		ops:        ops,
		evts:       newEvtNames(ops),
		open:       newOpenNames(),
		types:      newTypeNames(),
		proto:      newProtoNames(),
		fileTypes:  newFileTypeNames(),
		fileWords:  newFileWordNames(),
		containers: newContainerTypeNames(),
		actions:    numbered("", k8sActions[:]...),
		kinds:      numbered("", k8sKinds[:]...),
		dirs:       newNames("", Name{"<", 0}, Name{">", 1}),
	}
}

// sysflowFields declares the sf.* attributes in the order of the reference page.
func sysflowFields(s *sets) []*Field {
	var all []*Field
	for _, group := range [][]*Field{
		generalFields(s), ofProcess(procFields()), ofProcess(parentFields()), ofFile(fileFields(s)), netFields(s),
		containerFields(s), k8sFields(s),
	} {
		all = append(all, group...)
	}
	return all
}

// ofFile marks the fields that follow from the path and type of a file.
func ofFile(fields []*Field) []*Field {
	for _, f := range fields {
		switch f.Name {
		case "sf.file.path", "sf.file.name", "sf.file.directory", "sf.file.symlink", "sf.file.type":
			f.OfFile = true
		}
	}
	return fields
}

// ofProcess marks the fields of a process and its parent.
func ofProcess(fields []*Field) []*Field {
	for _, f := range fields {
		f.OfProcess = f.Name != "sf.proc.tid" // the thread is the event's
	}
	return fields
}

func generalFields(s *sets) []*Field {
	return []*Field{
		{Name: "sf.type", Type: Enum, Applies: onAll, Names: s.types, JSON: "type", FromType: true,
			Str:  func(r *sfgo.FlatRecord) string { return TypeCode(recType(r)) },
			Help: "record type", Example: "PE"},
		{Name: "sf.opflags", Type: Flags, Multi: true, Applies: onAll &^ onKE, Names: s.ops, JSON: "opflags",
			Int:  func(r *sfgo.FlatRecord) (int64, bool) { return ints(r)[sfgo.OPFLAGS_INT], true },
			Bits: opFlagBits,
			Strs: func(r *sfgo.FlatRecord, dst []string) []string { return s.ops.appendSet(dst, opFlagBits(r)) },
			Help: "operations", Example: "OPEN, READ, CLOSE"},
		{Name: "sf.ret", Aliases: []string{"evt.rawres"}, Type: Int, Applies: onAll, JSON: "ret", Int: known(result),
			Help: "return value of a process or file event; 0 for flows", Example: "-2"},
		{Name: "sf.ts", Aliases: []string{"evt.time", "evt.rawtime"}, Type: Int, Applies: onAll, JSON: "ts",
			Stored: true, Attr: sfgo.TS_INT,
			Help: "time of the event, or start of the flow, ns", Example: "1553543280704111050"},
		{Name: "sf.endts", Type: Int, Applies: onFF | onNF | onPF | onKE, JSON: "endts",
			Int: func(r *sfgo.FlatRecord) (int64, bool) {
				if recType(r) == sfgo.K8S_EVT {
					return ints(r)[sfgo.TS_INT], true
				}
				return ints(r)[sfgo.ENDTS_INT], true
			},
			Help: "end of the flow, ns; of a Kubernetes event, its time", Example: "1553543292823002683"},
		{Name: "sf.res", Aliases: []string{"fd.name"}, Type: Str, Applies: onFF | onFE | onNF, Query: true,
			Append: appendResource("-"),
			Help:   "path of the file, or both ends of the connection", Example: "10.0.0.5:51514-10.0.0.9:22"},
		{Name: "sf.node.id", Aliases: []string{"evt.hostname"}, Type: Str, Applies: onAll, JSON: "node.id",
			Stored: true, Attr: sfgo.SFHE_EXPORTER_STR,
			Help: "id of the node, as its collector calls it", Example: "minikube"},
		{Name: "sf.node.ip", Type: Str, Applies: onAll, JSON: "node.ip", Stored: true, Attr: sfgo.SFHE_IP_STR,
			Help: "address of the node", Example: "192.168.59.100"},
		{Name: "sf.schema.version", Aliases: []string{"sf.meta.schema"}, Type: Int, Applies: onAll, JSON: "meta.schema",
			Stored: true, Attr: sfgo.SFHE_VERSION_INT,
			Help: "version of the SysFlow schema that the trace's header claims", Example: "4"},
		{Name: "sf.version", Type: Int, Applies: onAll, JSON: "version", FromType: true,
			Int:  func(*sfgo.FlatRecord) (int64, bool) { return ExportVersion, true },
			Help: "version of the JSON document's layout", Example: "4"},
		{Name: "sf.meta.tracename", Type: Str, Applies: onAll, JSON: "meta.tracename",
			Str:  func(r *sfgo.FlatRecord) string { return Basename(strs(r)[sfgo.SFHE_FILENAME_STR]) },
			Help: "base name of the trace file, as its collector calls it", Example: "1647544455"},
	}
}

func procFields() []*Field {
	return []*Field{
		{Name: "sf.proc.oid", Type: Str, Applies: onProc, Query: true, JSON: "proc.oid",
			Append: func(r *sfgo.FlatRecord, dst []byte) []byte { return AppendProcOID(dst, ProcOID(r)) },
			Help:   "object id: a hash of pid and creation time", Example: "c2f5f8c25e766cd4"},
		{Name: "sf.proc.pid", Aliases: []string{"proc.pid"}, Type: Int, Applies: onProc, JSON: "proc.pid",
			Stored: true, Attr: sfgo.PROC_OID_HPID_INT,
			Help: "process id, as the host sees it", Example: "13823"},
		{Name: "sf.proc.tid", Aliases: []string{"thread.tid", "proc.tid"}, Type: Int, Applies: onProc, JSON: "proc.tid",
			Int: func(r *sfgo.FlatRecord) (int64, bool) {
				if recType(r) == sfgo.PROC_FLOW { // has no thread of its own
					return ints(r)[sfgo.PROC_OID_HPID_INT], true
				}
				return ints(r)[sfgo.TID_INT], true
			},
			Help: "id of the thread that acted; of a process flow, the pid", Example: "13824"},
		{Name: "sf.proc.uid", Aliases: []string{"user.uid", "proc.uid"}, Type: Int, Applies: onProc, JSON: "proc.uid",
			Int:  slotIf(knowsProc, sfgo.PROC_UID_INT),
			Help: "user id, -1 if the capture did not know it", Example: "1000"},
		{Name: "sf.proc.gid", Aliases: []string{"group.gid", "proc.gid"}, Type: Int, Applies: onProc, JSON: "proc.gid",
			Int:  slotIf(knowsProc, sfgo.PROC_GID_INT),
			Help: "group id, -1 if the capture did not know it", Example: "1000"},
		{Name: "sf.proc.user", Aliases: []string{"user.name", "proc.user"}, Type: Str, Applies: onProc, JSON: "proc.user",
			Stored: true, Attr: sfgo.PROC_USERNAME_STR, Help: "user name", Example: "root"},
		{Name: "sf.proc.group", Aliases: []string{"group.name", "proc.group"}, Type: Str, Applies: onProc,
			JSON: "proc.group", Stored: true, Attr: sfgo.PROC_GROUPNAME_STR, Help: "group name", Example: "root"},
		{Name: "sf.proc.exe", Aliases: []string{"proc.exe", "proc.exepath"}, Type: Str, Applies: onProc, JSON: "proc.exe",
			Stored: true, Attr: sfgo.PROC_EXE_STR, Help: "executable, with its path", Example: "/usr/bin/python3.11"},
		{Name: "sf.proc.args", Type: Str, Applies: onProc, JSON: "proc.args", Stored: true, Attr: sfgo.PROC_EXEARGS_STR,
			Help: "arguments, joined by blanks", Example: "-m http.server"},
		{Name: "sf.proc.name", Aliases: []string{"proc.name"}, Type: Str, Applies: onProc, Query: true, JSON: "proc.name",
			Str:  func(r *sfgo.FlatRecord) string { return Basename(exe(r)) },
			Help: "base name of the executable", Example: "python3.11"},
		{Name: "sf.proc.cmdline", Aliases: []string{"proc.cmdline", "proc.exeline"}, Type: Str, Applies: onProc,
			Query: true, JSON: "proc.cmdline",
			Append: func(r *sfgo.FlatRecord, dst []byte) []byte { return appendCmdline(dst, exe(r), exeArgs(r)) },
			Help:   "executable and arguments", Example: "/usr/bin/python3.11 -m http.server"},
		{Name: "sf.proc.tty", Type: Bool, Applies: onProc, JSON: "proc.tty",
			Bool: func(r *sfgo.FlatRecord) bool { return ints(r)[sfgo.PROC_TTY_INT] != 0 },
			Help: "whether it is attached to a terminal", Example: "true"},
		{Name: "sf.proc.entry", Type: Bool, Applies: onProc, JSON: "proc.entry",
			Bool: func(r *sfgo.FlatRecord) bool { return ints(r)[sfgo.PROC_ENTRY_INT] != 0 },
			Help: "whether it is the entry point of its container or host: process 1 there", Example: "false"},
		{Name: "sf.proc.createts", Aliases: []string{"proc.createtime", "proc.pid.ts"}, Type: Int, Applies: onProc,
			JSON: "proc.createts", Stored: true, Attr: sfgo.PROC_OID_CREATETS_INT,
			Help: "creation time, ns; 0 if before the capture", Example: "1602100309148000000"},
		chainStr(&Field{Name: "sf.proc.aname", Aliases: []string{"proc.aname"}, Type: Str, Multi: true, Applies: onProc,
			Query: true, Subscript: Index, JSON: "proc.aname",
			Help: "base names along the process tree, the process first", Example: "server, bash, sshd"}, 0, procName),
		chainStr(&Field{Name: "sf.proc.aexe", Aliases: []string{"proc.aexe", "proc.aexepath"}, Type: Str, Multi: true,
			Applies: onProc, Query: true, Subscript: Index, JSON: "proc.aexe",
			Help: "executables along the process tree", Example: "/srv/server, /bin/bash"}, 0, procExe),
		chainText(&Field{Name: "sf.proc.acmdline", Aliases: []string{"proc.acmdline"}, Type: Str, Multi: true,
			Applies: onProc, Query: true, Subscript: Index, JSON: "proc.acmdline",
			Help: "command lines along the process tree", Example: "/srv/server -v, /bin/bash"}, 0, appendProcCmdline),
		chainPid(&Field{Name: "sf.proc.apid", Aliases: []string{"proc.apid"}, Type: Int, Multi: true, Applies: onProc,
			Query: true, Subscript: Index, JSON: "proc.apid",
			Help: "process ids along the process tree", Example: "13823, 7955, 1"}, 0),
	}
}

func parentFields() []*Field {
	return []*Field{
		{Name: "sf.pproc.pid", Aliases: []string{"proc.ppid"}, Type: Int, Applies: onProc, JSON: "pproc.pid",
			Int:  slotIf(hasParentRef, sfgo.PROC_POID_HPID_INT),
			Help: "pid of the parent, known even if the parent itself is not", Example: "7955"},
		{Name: "sf.pproc.createts", Aliases: []string{"proc.pcreatetime", "proc.ppid.ts"}, Type: Int, Applies: onProc,
			JSON: "pproc.createts", Int: slotIf(hasParentRef, sfgo.PROC_POID_CREATETS_INT),
			Help: "creation time of the parent, ns", Example: "1602100309148000000"},
		{Name: "sf.pproc.oid", Type: Str, Applies: onProc, Query: true, JSON: "pproc.oid",
			Append: func(r *sfgo.FlatRecord, dst []byte) []byte {
				if !hasParentRef(r) {
					return dst
				}
				return AppendProcOID(dst, ParentOID(r))
			},
			Help: "object id of the parent", Example: "d98bb3dff5aeffc9"},
		{Name: "sf.pproc.name", Aliases: []string{"proc.pname"}, Type: Str, Applies: onProc, Query: true,
			JSON: "pproc.name", Str: parentStr(procName), Help: "base name of the parent's executable", Example: "bash"},
		{Name: "sf.pproc.exe", Aliases: []string{"proc.pexe", "proc.pexepath"}, Type: Str, Applies: onProc,
			JSON: "pproc.exe", Str: parentStr(procExe), Help: "executable of the parent", Example: "/usr/bin/bash"},
		{Name: "sf.pproc.args", Aliases: []string{"proc.pargs"}, Type: Str, Applies: onProc, JSON: "pproc.args",
			Str: parentStr(procArgs), Help: "arguments of the parent", Example: "-l"},
		{Name: "sf.pproc.cmdline", Aliases: []string{"proc.pcmdline"}, Type: Str, Applies: onProc, Query: true,
			JSON: "pproc.cmdline", Append: parentText(appendProcCmdline),
			Help: "executable and arguments of the parent", Example: "/usr/bin/bash -l"},
		{Name: "sf.pproc.uid", Aliases: []string{"proc.puid"}, Type: Int, Applies: onProc, JSON: "pproc.uid",
			Int:  parentInt(func(p *sfgo.Process) int64 { return int64(p.Uid) }),
			Help: "user id of the parent", Example: "1000"},
		{Name: "sf.pproc.gid", Type: Int, Applies: onProc, JSON: "pproc.gid",
			Int:  parentInt(func(p *sfgo.Process) int64 { return int64(p.Gid) }),
			Help: "group id of the parent", Example: "1000"},
		{Name: "sf.pproc.user", Aliases: []string{"proc.puser"}, Type: Str, Applies: onProc, JSON: "pproc.user",
			Str:  parentStr(func(p *sfgo.Process) string { return p.UserName }),
			Help: "user name of the parent", Example: "root"},
		{Name: "sf.pproc.group", Aliases: []string{"proc.pgroup"}, Type: Str, Applies: onProc, JSON: "pproc.group",
			Str:  parentStr(func(p *sfgo.Process) string { return p.GroupName }),
			Help: "group name of the parent", Example: "root"},
		{Name: "sf.pproc.tty", Aliases: []string{"proc.ptty"}, Type: Bool, Applies: onProc, JSON: "pproc.tty",
			Bool: parentBool(func(p *sfgo.Process) bool { return p.Tty }),
			Help: "whether the parent is attached to a terminal", Example: "true"},
		{Name: "sf.pproc.entry", Type: Bool, Applies: onProc, JSON: "pproc.entry",
			Bool: parentBool(func(p *sfgo.Process) bool { return p.Entry }),
			Help: "whether the parent is the entry point of its container or host", Example: "false"},
	}
}

func fileFields(s *sets) []*Field {
	const onFile = onFF | onFE
	return []*Field{
		{Name: "sf.file.path", Aliases: []string{"fd.nameraw", "fs.path.name", "fs.path.source"}, Type: Str,
			Applies: onFile, JSON: "file.path", Str: filePath, Help: "path", Example: "/data/db/journal"},
		{Name: "sf.file.name", Aliases: []string{"fd.filename"}, Type: Str, Applies: onFile, Query: true,
			JSON: "file.name", Str: func(r *sfgo.FlatRecord) string { return Basename(filePath(r)) },
			Help: "base name of the path", Example: "journal"},
		{Name: "sf.file.directory", Aliases: []string{"fd.directory"}, Type: Str, Applies: onFile, Query: true,
			JSON: "file.directory", Str: func(r *sfgo.FlatRecord) string { return Directory(filePath(r)) },
			Append: func(r *sfgo.FlatRecord, dst []byte) []byte { return appendDirectory(dst, filePath(r)) },
			Help:   "directory of the path", Example: "/data/db"},
		{Name: "sf.file.symlink", Type: Str, Applies: onFile, Query: true, JSON: "file.symlink", Str: fileLink,
			Help: "addresses of both ends of a unix socket", Example: "ffffa05a39575400->ffffa05a39574000"},
		{Name: "sf.file.oid", Type: Str, Applies: onFile, JSON: "file.oid", Stored: true, Attr: sfgo.FILE_OID_STR,
			Help: "object id", Example: "8d57b8c634ff3c042c2d003a93f46a7bc6cc86da"},
		{Name: "sf.file.newpath", Aliases: []string{"fs.path.target"}, Type: Str, Applies: onFE, JSON: "file.newpath",
			Str: newPath, Help: "path of the second file of a link, symbolic link or rename", Example: "/data/db/journal.1"},
		{Name: "sf.file.newname", Type: Str, Applies: onFE, Query: true, JSON: "file.newname",
			Str:  func(r *sfgo.FlatRecord) string { return Basename(newPath(r)) },
			Help: "base name of the second path", Example: "journal.1"},
		{Name: "sf.file.newdirectory", Type: Str, Applies: onFE, Query: true, JSON: "file.newdirectory",
			Str:    func(r *sfgo.FlatRecord) string { return Directory(newPath(r)) },
			Append: func(r *sfgo.FlatRecord, dst []byte) []byte { return appendDirectory(dst, newPath(r)) },
			Help:   "directory of the second path", Example: "/data/db"},
		{Name: "sf.file.newsymlink", Type: Str, Applies: onFE, Query: true, JSON: "file.newsymlink", Str: newLink,
			Help: "addresses of both ends of the second file, if a unix socket", Example: "0->ffff8803c9f45400"},
		{Name: "sf.file.newoid", Type: Str, Applies: onFE, JSON: "file.newoid", Stored: true, Attr: sfgo.SEC_FILE_OID_STR,
			Help: "object id of the second file", Example: "cc6aed9676bc7133181416b97916ec6185620191"},
		{Name: "sf.file.type", Aliases: []string{"fd.typechar"}, Type: Enum, Applies: onFile | onNF, Names: s.fileTypes,
			JSON: "file.type", Str: fileLetter, Help: "type of the file; of a network flow, that of an IPv4 socket", Example: "f"},
		{Name: "sf.file.fd", Aliases: []string{"fd.num"}, Type: Int, Applies: onFF | onNF, JSON: "file.fd",
			Stored: true, Attr: sfgo.FD_INT, Help: "file descriptor", Example: "3"},
		{Name: "sf.file.openflags", Aliases: []string{"evt.args"}, Type: Flags, Multi: true, Applies: onFF, Names: s.open,
			JSON: "file.openflags",
			Int:  func(r *sfgo.FlatRecord) (int64, bool) { return openFlags(r), true },
			Bits: func(r *sfgo.FlatRecord) int64 { return openBits(openFlags(r)) },
			Strs: func(r *sfgo.FlatRecord, dst []string) []string { return s.open.appendSet(dst, openBits(openFlags(r))) },
			Help: "how the file was opened", Example: "WRONLY, CREAT"},
		{Name: "sf.file.is_open_read", Aliases: []string{"evt.is_open_read"}, Type: Bool, Applies: onFF, Query: true,
			JSON: "file.is_open_read", Bool: func(r *sfgo.FlatRecord) bool { return openFlags(r)&sfgo.O_RDONLY != 0 },
			Help: "whether it was opened for reading", Example: "true"},
		{Name: "sf.file.is_open_write", Aliases: []string{"evt.is_open_write"}, Type: Bool, Applies: onFF, Query: true,
			JSON: "file.is_open_write", Bool: func(r *sfgo.FlatRecord) bool { return openFlags(r)&sfgo.O_WRONLY != 0 },
			Help: "whether it was opened for writing", Example: "false"},
	}
}

func netFields(s *sets) []*Field {
	const onFlow = onFF | onNF
	return []*Field{
		{Name: "sf.net.proto", Type: Int, Applies: onNF, JSON: "net.proto", Names: s.proto,
			Aliases: []string{"fd.l4proto", "fd.proto", "fd.lproto", "fd.rproto", "fd.cproto", "fd.sproto"},
			Stored:  true, Attr: sfgo.FL_NETW_PROTO_INT,
			Help: "protocol number, -1 if unknown", Example: "6"},
		{Name: "sf.net.sport", Aliases: []string{"fd.sport", "fd.cport"}, Type: Int, Applies: onNF, JSON: "net.sport",
			Stored: true, Attr: sfgo.FL_NETW_SPORT_INT, Help: "port of the source, which is the client", Example: "51514"},
		{Name: "sf.net.dport", Aliases: []string{"fd.dport"}, Type: Int, Applies: onNF, JSON: "net.dport",
			Stored: true, Attr: sfgo.FL_NETW_DPORT_INT, Help: "port of the destination, which is the server", Example: "22"},
		{Name: "sf.net.port", Aliases: []string{"fd.port"}, Type: Int, Multi: true, Applies: onNF, Query: true,
			JSON: "net.port", Ints: each(sport, dport), Help: "both ports", Example: "51514, 22"},
		{Name: "sf.net.sip", Aliases: []string{"fd.sip", "fd.cip"}, Type: IP, Applies: onNF, JSON: "net.sip",
			Int: known(sip), Help: "address of the source", Example: "172.17.0.1"},
		{Name: "sf.net.dip", Aliases: []string{"fd.dip"}, Type: IP, Applies: onNF, JSON: "net.dip",
			Int: known(dip), Help: "address of the destination", Example: "172.17.0.2"},
		{Name: "sf.net.ip", Aliases: []string{"fd.ip"}, Type: IP, Multi: true, Applies: onNF, Query: true,
			JSON: "net.ip", Ints: each(sip, dip), Help: "both addresses", Example: "172.17.0.1, 172.17.0.2"},
		{Name: "sf.flow.rbytes", Type: Int, Applies: onFlow, JSON: "flow.rbytes", Stored: true,
			Attr: sfgo.NUMRRECVBYTES_INT, Help: "bytes read or received", Example: "80"},
		{Name: "sf.flow.rops", Type: Int, Applies: onFlow, JSON: "flow.rops", Stored: true,
			Attr: sfgo.NUMRRECVOPS_INT, Help: "number of read or receive calls", Example: "1"},
		{Name: "sf.flow.wbytes", Type: Int, Applies: onFlow, JSON: "flow.wbytes", Stored: true,
			Attr: sfgo.NUMWSENDBYTES_INT, Help: "bytes written or sent", Example: "80"},
		{Name: "sf.flow.wops", Type: Int, Applies: onFlow, JSON: "flow.wops", Stored: true,
			Attr: sfgo.NUMWSENDOPS_INT, Help: "number of write or send calls", Example: "1"},
		{Name: "sf.pf.nthreads", Type: Int, Applies: onPF, JSON: "pf.nthreads", Stored: true,
			Attr: sfgo.FL_PROC_NUMTHREADSCLONED_INT, Help: "threads created", Example: "2"},
		{Name: "sf.pf.nexits", Type: Int, Applies: onPF, JSON: "pf.nexits", Stored: true,
			Attr: sfgo.FL_PROC_NUMTHREADSEXITED_INT, Help: "threads that ended", Example: "2"},
		{Name: "sf.pf.nerrors", Type: Int, Applies: onPF, JSON: "pf.nerrors", Stored: true,
			Attr: sfgo.FL_PROC_NUMCLONEERRORS_INT, Help: "threads that could not be created", Example: "0"},
	}
}

func containerFields(s *sets) []*Field {
	return []*Field{
		{Name: "sf.container.id", Aliases: []string{"container.id", "container.full_id"}, Type: Str, Applies: onProc,
			JSON: "container.id", Stored: true, Attr: sfgo.CONT_ID_STR,
			Help: "container id, as the collector writes it", Example: "477216583b2f"},
		{Name: "sf.container.name", Aliases: []string{"container.name"}, Type: Str, Applies: onProc,
			JSON: "container.name", Stored: true, Attr: sfgo.CONT_NAME_STR, Help: "container name", Example: "httpd_preforked"},
		{Name: "sf.container.image", Aliases: []string{"container.image"}, Type: Str, Applies: onProc,
			JSON: "container.image", Stored: true, Attr: sfgo.CONT_IMAGE_STR,
			Help: "reference to the image, with its tag", Example: "httpd:latest"},
		{Name: "sf.container.image.id", Aliases: []string{"sf.container.imageid", "container.image.id"}, Type: Str,
			Applies: onProc, JSON: "container.imageid", Stored: true, Attr: sfgo.CONT_IMAGEID_STR,
			Help: "id of the image", Example: "c3dc861cfb5b"},
		{Name: "sf.container.type", Aliases: []string{"container.type"}, Type: Enum, Applies: onAll &^ onKE,
			Names: s.containers, JSON: "container.type", Str: containerType,
			Help: "container runtime; host without container", Example: "DOCKER"},
		{Name: "sf.container.privileged", Aliases: []string{"container.privileged"}, Type: Bool, Applies: onProc,
			JSON: "container.privileged",
			Bool: func(r *sfgo.FlatRecord) bool { return ints(r)[sfgo.CONT_PRIVILEGED_INT] != 0 },
			Help: "whether the container is privileged", Example: "false"},
	}
}

func k8sFields(s *sets) []*Field {
	return []*Field{
		{Name: "sf.pod.id", Aliases: []string{"k8s.pod.id", "k8s.pod.uid"}, Type: Str, Applies: onProc, JSON: "pod.id",
			Stored: true, Attr: sfgo.POD_ID_STR, Help: "id of the pod", Example: "4233549f-7458-4880-831f-468570fd386b"},
		{Name: "sf.pod.name", Aliases: []string{"k8s.pod.name"}, Type: Str, Applies: onProc, JSON: "pod.name",
			Stored: true, Attr: sfgo.POD_NAME_STR, Help: "name of the pod", Example: "mongodb-67c5456f4-ddhnf"},
		{Name: "sf.pod.nodename", Aliases: []string{"k8s.node.name"}, Type: Str, Applies: onProc, JSON: "pod.nodename",
			Stored: true, Attr: sfgo.POD_NODENAME_STR, Help: "node that the pod runs on", Example: "minikube"},
		{Name: "sf.pod.namespace", Aliases: []string{"k8s.ns.name"}, Type: Str, Applies: onProc, JSON: "pod.namespace",
			Stored: true, Attr: sfgo.POD_NAMESPACE_STR, Help: "namespace of the pod", Example: "robot-shop"},
		{Name: "sf.pod.ts", Type: Int, Applies: onProc, JSON: "pod.ts", Int: slotIf(inPod, sfgo.POD_TS_INT),
			Help: "creation time of the pod, ns", Example: "1647543915026917000"},
		{Name: "sf.pod.restartcnt", Type: Int, Applies: onProc, JSON: "pod.restartcnt",
			Int: slotIf(inPod, sfgo.POD_RESTARTCOUNT_INT), Help: "how often the pod was restarted", Example: "0"},
		{Name: "sf.pod.hostip", Type: IP, Multi: true, Applies: onProc, JSON: "pod.hostip", Subscript: Path,
			Ints: podAddrs(sfgo.POD_HOSTIP_ANY), Str: podText(sfgo.POD_HOSTIP_STR),
			Help: "addresses of the pod's host; [0] is the first, as text", Example: "192.168.59.100"},
		{Name: "sf.pod.internalip", Aliases: []string{"k8s.pod.ip"}, Type: IP, Multi: true, Applies: onProc,
			JSON: "pod.internalip", Subscript: Path,
			Ints: podAddrs(sfgo.POD_INTERNALIP_ANY), Str: podText(sfgo.POD_INTERNALIP_STR),
			Help: "addresses of the pod; [0] is the first, as text", Example: "172.17.0.16"},
		{Name: "sf.pod.services", Type: JSON, Applies: onProc, JSON: "pod.services", Subscript: Path,
			Stored: true, Attr: sfgo.POD_SERVICES_STR,
			Help:    "services of the pod, an array of {clusterip, name, id, namespace, portList}",
			Example: "sf.pod.services[0.clusterip.0] = 10.111.214.104"},
		{Name: "sf.ke.action", Type: Enum, Applies: onKE, Names: s.actions, JSON: "k8s.action",
			Str:  func(r *sfgo.FlatRecord) string { return orLast(k8sActions[:], ints(r)[sfgo.K8SE_ACTION_INT]) },
			Help: "what happened to the object of a Kubernetes event", Example: "K8S_COMPONENT_ADDED"},
		{Name: "sf.ke.kind", Type: Enum, Applies: onKE, Names: s.kinds, JSON: "k8s.kind",
			Str:  func(r *sfgo.FlatRecord) string { return orLast(k8sKinds[:], ints(r)[sfgo.K8SE_KIND_INT]) },
			Help: "kind of the object of a Kubernetes event", Example: "K8S_PODS"},
		{Name: "sf.ke.message", Type: JSON, Applies: onKE, JSON: "k8s.message", Subscript: Path,
			Stored: true, Attr: sfgo.K8SE_MESSAGE_STR,
			Help: "text of the Kubernetes event", Example: "sf.ke.message[items.0.namespace] = robot-shop"},
	}
}
