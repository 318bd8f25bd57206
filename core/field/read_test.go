package field

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// value renders what all readers of f say of r; what is missing is "-".
func value(f *Field, r *sfgo.FlatRecord) string {
	switch {
	case f.Type == Flags:
		if v, ok := f.Int(r); !ok {
			if v != 0 || f.Bits(r) != 0 || len(f.Strs(r, nil)) != 0 {
				return "readers do not agree"
			}
			return "-"
		}
		return strings.Join(f.Strs(r, nil), " ")
	case f.Bool != nil:
		return fmt.Sprint(f.Bool(r))
	case f.Ints != nil && f.Type != Int:
		var ips []string
		for _, ip := range f.Ints(r, nil) {
			ips = append(ips, string(AppendIPv4(nil, ip)))
		}
		return strings.Join(ips, " ")
	case f.Ints != nil:
		return strings.Trim(fmt.Sprint(f.Ints(r, nil)), "[]")
	case f.Strs != nil:
		return strings.Join(f.Strs(r, nil), " / ")
	case f.Str != nil:
		s := f.Str(r)
		if f.Append != nil && string(f.Append(r, []byte("x"))) != "x"+s {
			return "readers do not agree"
		}
		return s
	}
	v, ok := f.Int(r)
	switch {
	case !ok && v != 0:
		return "a missing value is not zero"
	case !ok:
		return "-"
	case f.Type == IP:
		return string(AppendIPv4(nil, v))
	}
	return fmt.Sprint(v)
}

// missing is what value returns for a missing value.
func missing(f *Field) string {
	switch {
	case f.Type == Bool:
		return "false"
	case f.Int != nil && f.Type != Str:
		return "-"
	}
	return ""
}

func TestValues(t *testing.T) {
	c := SysFlow()
	for name, tt := range map[string]struct {
		row  *sfgo.FlatRecord
		want string // name: value, one a line
	}{
		"process event": {procEvent(sfgo.OP_EXEC, -2), `
			sf.type: PE
			sf.opflags: EXEC
			sf.ret: -2
			sf.ts: 100
			sf.version: 4
			sf.proc.pid: 13823
			sf.proc.tid: 13823
			sf.proc.oid: ` + string(AppendProcOID(nil, sfgo.OID{Hpid: 13823, CreateTS: 7})) + `
			sf.proc.uid: 1000
			sf.proc.gid: 100
			sf.proc.user: ann
			sf.proc.group: users
			sf.proc.exe: /opt/srv/server
			sf.proc.args: -p 80 -v
			sf.proc.name: server
			sf.proc.cmdline: /opt/srv/server -p 80 -v
			sf.proc.tty: true
			sf.proc.entry: false
			sf.proc.createts: 7
			sf.proc.aname: server / bash / systemd-with-a-long-name
			sf.proc.aexe: /opt/srv/server / /usr/bin/bash / /usr/lib/systemd/systemd-with-a-long-name
			sf.proc.acmdline: /opt/srv/server -p 80 -v / /usr/bin/bash / /usr/lib/systemd/systemd-with-a-long-name --system
			sf.proc.apid: 13823 7955 1
			sf.pproc.pid: 7955
			sf.pproc.createts: 5
			sf.pproc.name: bash
			sf.pproc.exe: /usr/bin/bash
			sf.pproc.args:
			sf.pproc.cmdline: /usr/bin/bash
			sf.pproc.uid: 1000
			sf.pproc.gid: 100
			sf.pproc.user: ann
			sf.pproc.group: users
			sf.pproc.tty: true
			sf.pproc.entry: false
			sf.container.type: host
			sf.container.privileged: false
			sf.pod.ts: -
			evt.type: execve execveat
			evt.dir: < / >
			evt.res: ENOENT
			evt.failed: true
			evt.arg.exe: /opt/srv/server
			evt.arg.filename: /opt/srv/server
			evt.arg.args: -p 80 -v
			evt.arg.uid:
			proc.aargs: -p 80 -v /  / --system
			proc.vpid: -
			proc.duration: 93
			proc.ppid.duration: 95
			sf.proc.username: ann
			sf.pproc.username: ann`},
		"setuid": {procEvent(sfgo.OP_SETUID, 0), `
			evt.type: setuid setresuid
			evt.res: SUCCESS
			evt.arg.uid: ann
			evt.arg.exe:
			evt.arg.filename:`},
		"clone of a thread that fails oddly": {procEvent(1, -4000), `
			evt.type: clone clone3 fork vfork
			evt.res: -4000`},
		"smallest return value": {procEvent(1, math.MinInt64), `
			evt.res: -9223372036854775808`},
		"process flow": {procFlow(), `
			sf.type: PF
			sf.opflags: CLONE EXIT
			sf.ret: 0
			sf.ts: 100
			sf.endts: 200
			sf.proc.pid: 13823
			sf.proc.tid: 13823
			sf.pf.nthreads: 3
			sf.pf.nexits: 2
			sf.pf.nerrors: 1
			evt.type: clone clone3 fork vfork exit exit_group procexit`},
		"network flow": {netFlow(sfgo.OP_CONNECT | sfgo.OP_READ_RECV | sfgo.OP_WRITE_SEND | 1<<11), `
			sf.type: NF
			sf.opflags: CONNECT SEND RECV TRUNCATE
			sf.ret: 0
			sf.endts: 200
			sf.res: 10.0.0.5:51514-10.0.0.201:22
			sf.proc.tid: 13824
			sf.file.type: 4
			sf.file.fd: 5
			sf.net.proto: 6
			sf.net.sport: 51514
			sf.net.dport: 22
			sf.net.port: 51514 22
			sf.net.sip: 10.0.0.5
			sf.net.dip: 10.0.0.201
			sf.net.ip: 10.0.0.5 10.0.0.201
			sf.flow.rbytes: 80
			sf.flow.rops: 1
			sf.flow.wbytes: 81
			sf.flow.wops: 2
			evt.type: connect write writev pwrite pwritev send sendto sendmsg sendmmsg read readv pread preadv recv recvfrom recvmsg recvmmsg
			evt.failed: false
			fd.type: ipv4
			fd.sockfamily: ip
			fd.is_server: false
			fd.lip: 10.0.0.5
			fd.rip: 10.0.0.201
			fd.lport: 51514
			fd.rport: 22
			fd.net: 10.0.0.5 10.0.0.201
			fd.cnet: 10.0.0.5
			fd.snet: 10.0.0.5
			fd.lnet: 10.0.0.5
			fd.rnet: 10.0.0.201
			sf.net.sockfamily: ip
			sf.net.mask: 10.0.0.5 10.0.0.201`},
		"accepted": {netFlow(sfgo.OP_ACCEPT), `
			fd.is_server: true
			fd.lip: 10.0.0.201
			fd.rip: 10.0.0.5
			fd.lport: 22
			fd.rport: 51514`},
		"continued flow": {netFlow(sfgo.OP_READ_RECV), `
			fd.is_server: false
			fd.lip: 10.0.0.5 10.0.0.201
			fd.rip: 10.0.0.5 10.0.0.201
			fd.lport: 51514 22
			fd.rport: 51514 22`},
		"file flow": {fileFlow("/data/db/x.set", sfgo.OP_OPEN|sfgo.OP_READ_RECV|sfgo.OP_WRITE_SEND|1<<10|1<<14, 0x1003), `
			sf.type: FF
			sf.opflags: OPEN CLOSE WRITE READ DIGEST
			sf.ret: 0
			sf.endts: 200
			sf.res: /data/db/x.set
			sf.file.path: /data/db/x.set
			sf.file.name: x.set
			sf.file.directory: /data/db
			sf.file.symlink:
			sf.file.oid: 8d57
			sf.file.type: f
			sf.file.fd: 3
			sf.file.openflags: RDONLY WRONLY RDWR CLOEXEC
			sf.file.is_open_read: true
			sf.file.is_open_write: true
			sf.flow.rbytes: 80
			sf.flow.wops: 2
			evt.type: open openat openat2 creat open_by_handle_at close write writev pwrite pwritev read readv pread preadv
			evt.arg.path: /data/db/x.set
			evt.arg.filename: /data/db/x.set
			evt.arg.flags: O_RDONLY|O_WRONLY|O_RDWR|O_CLOEXEC
			evt.is_open_create: false
			fd.type: file
			fd.sockfamily:
			sf.file.typechar: f`},
		"file flow without open flags": {fileFlow("", sfgo.OP_READ_RECV, 0), `
			sf.res:
			sf.file.path:
			sf.file.name:
			sf.file.directory:
			sf.file.openflags: NONE
			sf.file.is_open_read: false
			evt.arg.flags: O_NONE
			evt.arg.path:`},
		"file event": {fileEvent(sfgo.OP_RENAME, "/a/b", "/c/d"), `
			sf.type: FE
			sf.opflags: RENAME
			sf.ret: -2
			sf.file.path: /a/b
			sf.file.type: ?
			sf.file.newpath: /c/d
			sf.file.newname: d
			sf.file.newdirectory: /c
			sf.file.newsymlink:
			sf.file.newoid: cc6a
			evt.arg.oldpath: /a/b
			evt.arg.newpath: /c/d
			evt.arg.target:
			evt.arg.linkpath:
			evt.arg.path:
			evt.arg.filename: /a/b
			fd.type:`},
		"symbolic link": {fileEvent(sfgo.OP_SYMLINK, "/a/b", "/c/d"), `
			evt.arg.oldpath:
			evt.arg.newpath:
			evt.arg.target: /a/b
			evt.arg.linkpath: /c/d`},
		"mkdir": {fileEvent(sfgo.OP_MKDIR, "/a/b", ""), `
			evt.arg.path: /a/b
			evt.arg.oldpath:
			sf.file.newdirectory:`},
		"Kubernetes event": {k8sEvent(), `
			sf.type: KE
			sf.opflags: -
			sf.ret: 0
			sf.ts: 100
			sf.endts: 100
			sf.ke.action: K8S_COMPONENT_MODIFIED
			sf.ke.kind: K8S_PODS
			sf.ke.message: {"kind":"Pod"}
			sf.proc.name:
			sf.proc.pid: -
			sf.proc.oid:
			sf.meta.tracename:
			sf.container.type:
			sf.file.directory:`},
		"in a pod": {inPodRow(), `
			sf.node.id: minikube
			sf.node.ip: 192.168.59.100
			sf.schema.version: 4
			sf.meta.tracename: 1647544455
			sf.container.id: 477216583b2f
			sf.container.name: web
			sf.container.image: registry:5000/foo/bar:1.2
			sf.container.image.id: c3dc
			sf.container.type: CRIO
			sf.container.privileged: true
			container.image.repository: registry:5000/foo/bar
			container.image.tag: 1.2
			container.image.digest:
			sf.pod.id: 4233
			sf.pod.name: mongo
			sf.pod.nodename: node1
			sf.pod.namespace: shop
			sf.pod.ts: 50
			sf.pod.restartcnt: 2
			sf.pod.hostip: 10.0.0.5
			sf.pod.internalip: 10.0.0.9 10.0.0.5
			sf.pod.services: [{"name":"redis"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			for line := range strings.Lines(strings.TrimSpace(tt.want)) {
				name, want, _ := strings.Cut(strings.TrimSpace(line), ":")
				f, ok := c.Lookup(name, false)
				if !ok {
					t.Fatalf("no attribute %s", name)
				}
				if got, want := value(f, tt.row), strings.TrimSpace(want); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestFalcoModeValues(t *testing.T) {
	c := SysFlow()
	for name, tt := range map[string]struct {
		row     *sfgo.FlatRecord
		off, on string
	}{
		"fd.sip":        {netFlow(sfgo.OP_CONNECT), "10.0.0.5", "10.0.0.201"},
		"fd.sport":      {netFlow(sfgo.OP_CONNECT), "51514", "22"},
		"fd.snet":       {netFlow(sfgo.OP_CONNECT), "10.0.0.5", "10.0.0.201"},
		"proc.aexe":     {procEvent(sfgo.OP_EXEC, 0), "/opt/srv/server / /usr/bin/bash / " + tree[2].Exe, "/usr/bin/bash / " + tree[2].Exe},
		"proc.aexepath": {procEvent(sfgo.OP_EXEC, 0), "/opt/srv/server / /usr/bin/bash / " + tree[2].Exe, "/usr/bin/bash / " + tree[2].Exe},
		"proc.apid":     {procEvent(sfgo.OP_EXEC, 0), "13823 7955 1", "7955 1"},
		"proc.aargs":    {procEvent(sfgo.OP_EXEC, 0), "-p 80 -v /  / --system", " / --system"},
		"proc.aname": {procEvent(sfgo.OP_EXEC, 0), "server / bash / systemd-with-a-long-name",
			"bash / systemd-with-a-long-name / systemd-with-a-"},
		"proc.acmdline": {procEvent(sfgo.OP_EXEC, 0),
			"/opt/srv/server -p 80 -v / /usr/bin/bash / /usr/lib/systemd/systemd-with-a-long-name --system",
			"bash / systemd-with-a-long-name --system"},
		"proc.cmdline":  {procEvent(sfgo.OP_EXEC, 0), "/opt/srv/server -p 80 -v", "server -p 80 -v"},
		"proc.pcmdline": {procEvent(sfgo.OP_EXEC, 0), "/usr/bin/bash", "bash"},
		"proc.name":     {procEvent(sfgo.OP_EXEC, 0), "server", "server"},
		"proc.pname":    {row(sfgo.PROC_EVT, func(r *sfgo.FlatRecord) { withProc(r, tree[1:]...) }), "systemd-with-a-long-name", "systemd-with-a-long-name / systemd-with-a-"},
		"container.id":  {procEvent(sfgo.OP_EXEC, 0), "", "host"},
		"fd.name":       {netFlow(sfgo.OP_CONNECT), "10.0.0.5:51514-10.0.0.201:22", "10.0.0.5:51514->10.0.0.201:22"},
		"evt.args":      {fileFlow("/x", sfgo.OP_OPEN, 6), "WRONLY CREAT", "O_WRONLY|O_CREAT"},
	} {
		plain, _ := c.Lookup(name, false)
		falco, _ := c.Lookup(name, true)
		if got := value(plain, tt.row); got != tt.off {
			t.Errorf("%s is %q, want %q", name, got, tt.off)
		}
		if got := value(falco, tt.row); got != tt.on {
			t.Errorf("in Falco mode, %s is %q, want %q", name, got, tt.on)
		}
		delete(c.inFalcoMode, name)
	}
	for n := range c.inFalcoMode {
		t.Errorf("%s is not tested", n)
	}
}

// TestMissing reads every attribute from records that do not have it, among them one of no known type and one about
// whose process, container and file nothing is known.
func TestMissing(t *testing.T) {
	c := SysFlow()
	all := rows()
	all["unknown type"] = row(sfgo.UNKNOWN_TYPE, func(r *sfgo.FlatRecord) { withProc(r, tree...) })
	all["no type"] = row(-1, nil)
	for name, r := range all {
		for f := range c.Fields() {
			if f.Applies.Has(recType(r)) || f.Counter {
				continue
			}
			if got := value(f, r); got != missing(f) {
				t.Errorf("%s does not apply to %s, but is %q", f.Name, name, got)
			}
			if f.AtStr != nil {
				if v, ok := f.AtStr(r, 0); v != "" || ok {
					t.Errorf("%s[0] does not apply to %s, but is %q", f.Name, name, v)
				}
			}
			if f.AtInt != nil {
				if v, ok := f.AtInt(r, 0); v != 0 || ok {
					t.Errorf("%s[0] does not apply to %s, but is %d", f.Name, name, v)
				}
			}
			if f.AppendAt != nil {
				if v, ok := f.AppendAt(r, 0, nil); v != nil || ok {
					t.Errorf("%s[0] does not apply to %s, but is %q", f.Name, name, v)
				}
			}
		}
	}

	bare := row(sfgo.FILE_FLOW, func(r *sfgo.FlatRecord) {
		set(r, map[sfgo.Attribute]int64{sfgo.PROC_OID_HPID_INT: 9, sfgo.TS_INT: 1, sfgo.TID_INT: 9})
		r.Strs[0][sfgo.FILE_OID_STR] = "8d57"
	})
	for line := range strings.Lines(`sf.proc.pid: 9
		sf.proc.tid: 9
		sf.proc.uid: -
		sf.proc.gid: -
		sf.proc.name:
		sf.proc.cmdline:
		sf.proc.aname:
		sf.proc.apid:
		sf.pproc.pid: -
		sf.pproc.createts: -
		sf.pproc.oid:
		sf.pproc.uid: -
		sf.pproc.cmdline:
		sf.pproc.tty: false
		sf.file.oid: 8d57
		sf.file.path:
		sf.file.type: ?
		sf.container.id:
		sf.container.type: host
		sf.pod.ts: -
		sf.pod.hostip:
		proc.duration: -
		proc.ppid.duration: -`) {
		name, want, _ := strings.Cut(strings.TrimSpace(line), ":")
		f, _ := c.Lookup(name, false)
		if got := value(f, bare); got != strings.TrimSpace(want) {
			t.Errorf("without entities, %s is %q, want %q", name, got, want)
		}
	}

	orphan := row(sfgo.PROC_EVT, func(r *sfgo.FlatRecord) {
		withProc(r, tree[0])
		set(r, map[sfgo.Attribute]int64{sfgo.PROC_POID_HPID_INT: 7955, sfgo.PROC_POID_CREATETS_INT: 5, sfgo.TS_INT: 100})
	})
	for name, want := range map[string]string{
		"sf.pproc.pid": "7955", "sf.pproc.createts": "5", "sf.pproc.oid": string(AppendProcOID(nil, *tree[1].Oid)),
		"sf.pproc.exe": "", "sf.pproc.uid": "-", "proc.ppid.duration": "95",
	} {
		f, _ := c.Lookup(name, false)
		if got := value(f, orphan); got != want {
			t.Errorf("with an unknown parent, %s is %q, want %q", name, got, want)
		}
	}
}

func TestPositions(t *testing.T) {
	c := SysFlow()
	r := procEvent(sfgo.OP_EXEC, 0)
	at := func(name string, falco bool, i int) string {
		f, ok := c.Lookup(name, falco)
		if !ok || f.Subscript != Index {
			t.Fatalf("%s takes no index", name)
		}
		if f.AtStrs != nil {
			return strings.Join(f.AtStrs(r, i, nil), " / ")
		}
		if f.AtInt != nil {
			v, ok := f.AtInt(r, i)
			return fmt.Sprint(v, ok)
		}
		v, ok := f.AtStr(r, i)
		if f.AppendAt != nil {
			if text, has := f.AppendAt(r, i, []byte("x")); has != ok || string(text) != "x"+v {
				t.Errorf("%s[%d]: readers do not agree: %q, %q", name, i, text, v)
			}
		}
		return fmt.Sprint(v, ok)
	}
	for _, tt := range []struct {
		name    string
		i       int
		off, on string
	}{
		{"sf.proc.aname", 1, "bashtrue", "bashtrue"},
		{"sf.proc.aname", 3, "false", "false"},
		{"proc.aname", 0, "servertrue", "server"},
		{"proc.aname", 2, "systemd-with-a-long-nametrue", "systemd-with-a-long-name / systemd-with-a-"},
		{"proc.aname", 9, "false", ""},
		{"proc.aexe", 0, "/opt/srv/servertrue", "/opt/srv/servertrue"},
		{"proc.acmdline", 0, "/opt/srv/server -p 80 -vtrue", "server -p 80 -vtrue"},
		{"proc.acmdline", 3, "false", "false"},
		{"proc.apid", 0, "13823 true", "13823 true"},
		{"proc.apid", 2, "1 true", "1 true"},
		{"proc.apid", 3, "0 false", "0 false"},
		{"proc.aargs", 2, "--systemtrue", "--systemtrue"},
		{"proc.args", 1, "80true", "80true"},
		{"proc.args", 3, "false", "false"},
	} {
		for falco, want := range map[bool]string{false: tt.off, true: tt.on} {
			if got := strings.ReplaceAll(at(tt.name, falco, tt.i), "  ", " "); strings.TrimSpace(got) != want && got != want {
				t.Errorf("%s[%d] (Falco mode %v) is %q, want %q", tt.name, tt.i, falco, got, want)
			}
		}
	}
	if f, _ := c.Lookup("sf.proc.args", false); f.Subscript != NoSubscript {
		t.Error("sf.proc.args takes a subscript")
	}
}

// TestStored compares what Stored promises with the reader.
func TestStored(t *testing.T) {
	c := SysFlow()
	for name, r := range rows() {
		for f := range c.Fields() {
			if !f.Stored || !f.Applies.Has(recType(r)) {
				continue
			}
			if f.Type == Int {
				if v, ok := f.Int(r); !ok || v != r.Ints[0][f.Attr] {
					t.Errorf("%s on %s is %d, in the slot %d", f.Name, name, v, r.Ints[0][f.Attr])
				}
			} else if v := f.Str(r); v != r.Strs[0][f.Attr] {
				t.Errorf("%s on %s is %q, in the slot %q", f.Name, name, v, r.Strs[0][f.Attr])
			}
		}
	}
}

func TestReadersDoNotAllocate(t *testing.T) {
	c := SysFlow()
	ints, strs, text := make([]int64, 0, 64), make([]string, 0, 64), make([]byte, 0, 4096)
	for name, r := range rows() {
		for f := range c.Fields() {
			read := func() {
				if f.Int != nil {
					f.Int(r)
				}
				if f.Bits != nil {
					f.Bits(r)
				}
				if f.Bool != nil {
					f.Bool(r)
				}
				if f.Ints != nil {
					ints = f.Ints(r, ints[:0])
				}
				if f.Append != nil {
					text = f.Append(r, text[:0])
				} else if f.Str != nil {
					f.Str(r)
				}
				if f.AppendAt != nil {
					for i, ok := 0, true; ok; i++ {
						text, ok = f.AppendAt(r, i, text[:0])
					}
				} else {
					if f.Strs != nil {
						strs = f.Strs(r, strs[:0])
					}
					if f.AtStr != nil {
						f.AtStr(r, 1)
					}
				}
				if f.AtInt != nil {
					f.AtInt(r, 1)
				}
			}
			if n := testing.AllocsPerRun(10, read); n != 0 {
				t.Errorf("reading %s from %s allocates %v times", f.Name, name, n)
			}
		}
	}
}

// TestReadersShareNothing lets goroutines read at once; the race detector says whether they may.
func TestReadersShareNothing(t *testing.T) {
	c := SysFlow()
	all := rows()
	done := make(chan string)
	for range 4 {
		go func() {
			var b strings.Builder
			for _, name := range []string{"PE", "PF", "NF", "FF", "FE", "KE", "pod"} {
				for f := range c.Fields() {
					if !f.Counter {
						b.WriteString(value(f, all[name]) + "\n")
					}
				}
			}
			done <- b.String()
		}()
	}
	first := <-done
	for range 3 {
		if again := <-done; again != first {
			t.Error("goroutines read different values")
		}
	}
}

func TestTypes(t *testing.T) {
	s := TypesOf(sfgo.PROC_EVT, sfgo.K8S_EVT)
	for typ := int64(-2); typ < 20; typ++ {
		if want := typ == sfgo.PROC_EVT || typ == sfgo.K8S_EVT; s.Has(typ) != want {
			t.Errorf("the set of PE and KE has %d: %v", typ, !want)
		}
	}
	if s.String() != "PE KE" || onAll.String() != "all" || !slices.Equal(s.Codes(), []string{"PE", "KE"}) {
		t.Errorf("sets print as %q and %q", s, onAll)
	}
}
