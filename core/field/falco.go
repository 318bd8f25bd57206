package field

import (
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// falcoFields declares the attributes that have a Falco name only, in the order of the reference page.
func falcoFields(s *sets) []*Field {
	const onFile = onFF | onFE
	imagePart := func(part func(repository, tag, digest string) string) func(r *sfgo.FlatRecord) string {
		return func(r *sfgo.FlatRecord) string { return part(splitImage(strs(r)[sfgo.CONT_IMAGE_STR])) }
	}
	net := func(name string, addrs func(r *sfgo.FlatRecord, dst []int64) []int64, help string) *Field {
		return &Field{Name: name, Type: Net, Multi: true, Applies: onNF, Query: true, Ints: addrs, Help: help,
			Example: "10.0.0.0/8"}
	}
	return []*Field{
		{Name: "evt.type", Aliases: []string{"syscall.type"}, Of: "sf.opflags", Type: Flags, Multi: true,
			Applies: onAll &^ onKE, Query: true, Names: s.evts,
			Int:  func(r *sfgo.FlatRecord) (int64, bool) { return ints(r)[sfgo.OPFLAGS_INT], true },
			Bits: evtBits, Strs: evtTypes, Print: evtBaseTypes,
			Help: "event types that the operations answer", Example: "open, openat, openat2"},
		{Name: "evt.dir", Type: Enum, Multi: true, Applies: onAll, Query: true, Names: s.dirs, Deprecated: "evt.type",
			FromType: true,
			Strs:     func(_ *sfgo.FlatRecord, dst []string) []string { return append(dst, "<", ">") },
			Help:     "direction: a record is both call and return", Example: "<"},
		{Name: "evt.res", Of: "sf.ret", Type: Str, Applies: onAll, Query: true, Int: known(result),
			Append: func(r *sfgo.FlatRecord, dst []byte) []byte { return appendResult(dst, result(r)) },
			Help:   "SUCCESS or the name of the error; against an integer, the return value", Example: "ENOENT"},
		{Name: "evt.failed", Of: "sf.ret", Type: Bool, Applies: onAll, Query: true,
			Bool: func(r *sfgo.FlatRecord) bool { return result(r) < 0 },
			Help: "whether the call failed", Example: "false"},
		{Name: "evt.num", Type: Int, Applies: onAll, Query: true, Counter: true,
			Help: "number of the record in the engine's input, from 1", Example: "1"},
		{Name: "evt.arg.path", Of: "sf.file.path", Type: Str, Applies: onFile, Query: true, Aliases: []string{"evt.arg.name"},
			Str:  doing(sfgo.OP_MKDIR|sfgo.OP_RMDIR|sfgo.OP_UNLINK|sfgo.OP_OPEN, filePath),
			Help: "path of an open, mkdir, rmdir or unlink", Example: "/tmp/x"},
		{Name: "evt.arg.oldpath", Of: "sf.file.path", Type: Str, Applies: onFE, Query: true,
			Str: doing(sfgo.OP_RENAME|sfgo.OP_LINK, filePath), Help: "first path of a rename or link", Example: "/tmp/x"},
		{Name: "evt.arg.newpath", Of: "sf.file.newpath", Type: Str, Applies: onFE, Query: true,
			Str: doing(sfgo.OP_RENAME|sfgo.OP_LINK, newPath), Help: "second path of a rename or link", Example: "/tmp/y"},
		{Name: "evt.arg.target", Of: "sf.file.path", Type: Str, Applies: onFE, Query: true,
			Str: doing(sfgo.OP_SYMLINK, filePath), Help: "what a symbolic link points to", Example: "/etc/shadow"},
		{Name: "evt.arg.linkpath", Of: "sf.file.newpath", Type: Str, Applies: onFE, Query: true,
			Str: doing(sfgo.OP_SYMLINK, newPath), Help: "path of a symbolic link", Example: "/tmp/y"},
		{Name: "evt.arg.filename", Type: Str, Applies: onFile | onPE, Query: true,
			Str: func(r *sfgo.FlatRecord) string {
				if recType(r) == sfgo.PROC_EVT {
					return doing(sfgo.OP_EXEC, exe)(r)
				}
				return filePath(r)
			},
			Help: "path of the file; of an exec, the executable", Example: "/bin/sh"},
		{Name: "evt.arg.exe", Of: "sf.proc.exe", Type: Str, Applies: onPE, Query: true, Str: doing(sfgo.OP_EXEC, exe),
			Help: "executable of an exec", Example: "/bin/sh"},
		{Name: "evt.arg.args", Of: "sf.proc.args", Type: Str, Applies: onPE, Query: true, Str: doing(sfgo.OP_EXEC, exeArgs),
			Help: "arguments of an exec", Example: "-c id"},
		openText("evt.arg.flags", s),
		{Name: "evt.arg.uid", Type: Str, Applies: onPE, Query: true,
			Int: func(r *sfgo.FlatRecord) (int64, bool) {
				if ints(r)[sfgo.OPFLAGS_INT]&sfgo.OP_SETUID == 0 || !knowsProc(r) {
					return 0, false
				}
				return ints(r)[sfgo.PROC_UID_INT], true
			},
			Str:  doing(sfgo.OP_SETUID, func(r *sfgo.FlatRecord) string { return strs(r)[sfgo.PROC_USERNAME_STR] }),
			Help: "user of a setuid, by name or against an integer by id", Example: "root"},
		{Name: "evt.is_open_create", Of: "sf.file.openflags", Type: Bool, Applies: onFF, Query: true,
			Bool: func(r *sfgo.FlatRecord) bool { return openFlags(r)&sfgo.O_CREAT != 0 },
			Help: "whether the file was opened to be created if need be", Example: "true"},

		{Name: "proc.args", Of: "sf.proc.args", Type: Str, Applies: onProc, Stored: true, Attr: sfgo.PROC_EXEARGS_STR,
			OfProcess: true, Subscript: Index,
			AtStr: func(r *sfgo.FlatRecord, i int) (string, bool) { return argument(exeArgs(r), i) },
			Help:  "arguments, joined by blanks; [n] is one of them, from 0", Example: "-m http.server"},
		chainStr(&Field{Name: "proc.aargs", Type: Str, Multi: true, Applies: onProc, Query: true, Subscript: Index,
			Help: "arguments along the process tree", Example: "-v"}, 0, procArgs),
		{Name: "proc.tty", Of: "sf.proc.tty", OfProcess: true, Type: Bool, Applies: onProc, Truthy: true,
			Bool: func(r *sfgo.FlatRecord) bool { return ints(r)[sfgo.PROC_TTY_INT] != 0 },
			Help: "whether the process is attached to a terminal; any integer but 0 means it is", Example: "true"},
		{Name: "proc.vpid", Of: "sf.proc.entry", Type: Int, Applies: onProc, Query: true, Answers: []int64{1},
			OfProcess: true,
			Int: func(r *sfgo.FlatRecord) (int64, bool) {
				if ints(r)[sfgo.PROC_ENTRY_INT] == 0 {
					return 0, false
				}
				return 1, true
			},
			Help: "1 for the entry point of a container or host, otherwise not known", Example: "1"},
		{Name: "proc.duration", Type: Int, Applies: onProc, Query: true, Int: since(sfgo.PROC_OID_CREATETS_INT),
			Help: "time since the process was created, ns", Example: "1200000"},
		{Name: "proc.ppid.duration", Type: Int, Applies: onProc, Query: true, Int: since(sfgo.PROC_POID_CREATETS_INT),
			Help: "time since the parent was created, ns", Example: "1200000"},

		{Name: "fd.type", Of: "sf.file.type", Type: Enum, Applies: onFile | onNF, Query: true, Names: s.fileWords,
			Str: fileWord, Help: "type of the file, in a word", Example: "file"},
		sockFamily("fd.sockfamily"),
		{Name: "fd.is_server", Type: Bool, Applies: onNF | onFF, Query: true,
			Bool: func(r *sfgo.FlatRecord) bool { return ints(r)[sfgo.OPFLAGS_INT]&sfgo.OP_ACCEPT != 0 },
			Help: "whether the connection was accepted; missing if the record does not say", Example: "true"},
		{Name: "fd.lip", Type: IP, Multi: true, Applies: onNF, Query: true, Ints: side(true, sip, dip),
			Help: "local address; both if the record does not say which it is", Example: "10.0.0.5"},
		{Name: "fd.rip", Type: IP, Multi: true, Applies: onNF, Query: true, Ints: side(false, sip, dip),
			Help: "remote address; both if the record does not say which it is", Example: "10.0.0.9"},
		{Name: "fd.lport", Type: Int, Multi: true, Applies: onNF, Query: true, Ints: side(true, sport, dport),
			Help: "local port; both if the record does not say which it is", Example: "51514"},
		{Name: "fd.rport", Type: Int, Multi: true, Applies: onNF, Query: true, Ints: side(false, sport, dport),
			Help: "remote port; both if the record does not say which it is", Example: "22"},
		net("fd.net", each(sip, dip), "both addresses, compared with networks"),
		net("fd.cnet", each(sip), "client's address, compared with networks"),
		net("fd.snet", each(sip), "source address, compared with networks"),
		net("fd.lnet", side(true, sip, dip), "local address, compared with networks"),
		net("fd.rnet", side(false, sip, dip), "remote address, compared with networks"),

		{Name: "container.image.repository", Of: "sf.container.image", Type: Str, Applies: onProc, Query: true,
			Str:  imagePart(func(repository, _, _ string) string { return repository }),
			Help: "image without tag and digest", Example: "registry:5000/foo/bar"},
		{Name: "container.image.tag", Of: "sf.container.image", Type: Str, Applies: onProc, Query: true,
			Str:  imagePart(func(_, tag, _ string) string { return tag }),
			Help: "tag of the image", Example: "1.2"},
		{Name: "container.image.digest", Of: "sf.container.image", Type: Str, Applies: onProc, Query: true,
			Str:  imagePart(func(_, _, digest string) string { return digest }),
			Help: "digest of the image", Example: "sha256:c3dc861cfb5b"},
	}
}

// falcoMode declares what Falco names mean in Falco mode, as far as that differs. The numbers F1 to F8 are those of the
// policy language's list of differences; F2 is about an operator.
func falcoMode(s *sets) []*Field {
	ancestors := func(name, of string) *Field {
		return &Field{Name: name, Of: of, Type: Str, Multi: true, Applies: onProc, Query: true, Subscript: Index,
			Example: "bash"}
	}
	help := func(f *Field, text string) *Field { f.Help = text; return f }
	const onlyAncestors = " of the ancestors; [0] is the process itself"
	return []*Field{
		{Name: "fd.sip", Of: "sf.net.dip", Type: IP, Applies: onNF, Int: known(dip), // F1
			Help: "address of the server", Example: "10.0.0.9"},
		{Name: "fd.sport", Of: "sf.net.dport", Type: Int, Applies: onNF, Stored: true, Attr: sfgo.FL_NETW_DPORT_INT,
			Help: "port of the server", Example: "22"},
		{Name: "fd.snet", Type: Net, Multi: true, Applies: onNF, Query: true, Ints: each(dip),
			Help: "server's address, compared with networks", Example: "10.0.0.0/8"},

		chainNames(help(ancestors("proc.aname", "sf.proc.aname"), "names"+onlyAncestors), 1), // F3, F5
		chainStr(help(ancestors("proc.aexe", "sf.proc.aexe"), "executables"+onlyAncestors), 1, procExe),
		chainStr(help(ancestors("proc.aexepath", "sf.proc.aexe"), "executables"+onlyAncestors), 1, procExe),
		chainStr(help(ancestors("proc.aargs", ""), "arguments"+onlyAncestors), 1, procArgs),
		chainText(help(ancestors("proc.acmdline", "sf.proc.acmdline"), "command lines"+onlyAncestors), 1, // F3, F4
			appendShortCmdline),
		chainPid(&Field{Name: "proc.apid", Of: "sf.proc.apid", Type: Int, Multi: true, Applies: onProc, Query: true,
			Subscript: Index, Help: "process ids" + onlyAncestors, Example: "7955, 1"}, 1),

		{Name: "proc.cmdline", Of: "sf.proc.cmdline", OfProcess: true, Type: Str, Applies: onProc, Query: true, // F4
			Append: func(r *sfgo.FlatRecord, dst []byte) []byte { return appendCmdline(dst, Basename(exe(r)), exeArgs(r)) },
			Help:   "base name of the executable, and arguments", Example: "python3.11 -m http.server"},
		{Name: "proc.pcmdline", Of: "sf.pproc.cmdline", OfProcess: true, Type: Str, Applies: onProc, Query: true,
			Append: parentText(appendShortCmdline),
			Help:   "base name of the parent's executable, and its arguments", Example: "bash -l"},

		// F5. Two forms of one value, so there always is one, if only the empty text: hence on all types.
		{Name: "proc.name", Of: "sf.proc.name", Type: Str, Multi: true, Forms: true, Applies: onAll, Query: true,
			OfProcess: true,
			Strs:      func(r *sfgo.FlatRecord, dst []string) []string { return appendNameForms(dst, Basename(exe(r))) },
			Help:      "base name of the executable, and its first 15 bytes", Example: "dpkg-preconfigure, dpkg-preconfigu"},
		{Name: "proc.pname", Of: "sf.pproc.name", Type: Str, Multi: true, Forms: true, Applies: onAll, Query: true,
			OfProcess: true,
			Strs: func(r *sfgo.FlatRecord, dst []string) []string {
				return appendNameForms(dst, parentStr(procName)(r))
			},
			Help: "base name of the parent's executable, and its first 15 bytes", Example: "bash"},

		{Name: "container.id", Of: "sf.container.id", Type: Str, Applies: onProc, Query: true, // F6
			Str: func(r *sfgo.FlatRecord) string {
				if !inContainer(r) {
					return typeHost
				}
				return strs(r)[sfgo.CONT_ID_STR]
			},
			Help: "container id, host without container", Example: "477216583b2f"},
		{Name: "fd.name", Of: "sf.res", Type: Str, Applies: onFF | onFE | onNF, Query: true, // F7
			Append: appendResource("->"),
			Help:   "path of the file, or client and server", Example: "10.0.0.5:51514->10.0.0.9:22"},
		openText("evt.args", s), // F8
	}
}

// deprecatedFields declares spellings that published policies use.
func deprecatedFields() []*Field {
	str := func(name, of string, a sfgo.Attribute) *Field {
		return &Field{Name: name, Deprecated: of, Type: Str, Applies: onProc, OfProcess: true, Stored: true, Attr: a,
			Help: "see " + of}
	}
	family := sockFamily("sf.net.sockfamily")
	family.Deprecated = "fd.sockfamily"
	return []*Field{
		str("sf.proc.username", "sf.proc.user", sfgo.PROC_USERNAME_STR),
		{Name: "sf.pproc.username", Deprecated: "sf.pproc.user", OfProcess: true, Type: Str, Applies: onProc,
			Str: parentStr(func(p *sfgo.Process) string { return p.UserName }), Help: "see sf.pproc.user"},
		{Name: "sf.file.typechar", Deprecated: "sf.file.type", Type: Enum, Applies: onFF | onFE | onNF,
			Names: newFileTypeNames(), Str: fileLetter, Help: "see sf.file.type"},
		family,
		{Name: "sf.net.mask", Deprecated: "fd.net", Type: Net, Multi: true, Applies: onNF, Query: true,
			Ints: each(sip, dip), Help: "see fd.net"},
	}
}

func openText(name string, s *sets) *Field {
	return &Field{Name: name, Of: "sf.file.openflags", Type: Str, Applies: onFF, Query: true,
		Append: func(r *sfgo.FlatRecord, dst []byte) []byte {
			set, start := openBits(openFlags(r)), len(dst)
			for _, n := range s.open.list {
				if set&n.Value == 0 {
					continue
				}
				if len(dst) > start {
					dst = append(dst, '|')
				}
				dst = append(append(dst, "O_"...), n.Text...)
			}
			return dst
		},
		Help: "open flags, as one text", Example: "O_WRONLY|O_CREAT"}
}

func sockFamily(name string) *Field {
	return &Field{Name: name, Type: Str, Applies: onNF | onFF | onFE, Query: true,
		Str: func(r *sfgo.FlatRecord) string {
			switch {
			case recType(r) == sfgo.NET_FLOW:
				return "ip"
			case fileLetter(r) == "u":
				return "unix"
			}
			return ""
		},
		Help: "ip on the network, unix on a unix socket", Example: "ip"}
}
