package field

import (
	"slices"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

func lookup(t *testing.T, name string) *Field {
	t.Helper()
	f, ok := SysFlow().Lookup(name, false)
	if !ok {
		t.Fatalf("no attribute %s", name)
	}
	return f
}

// holds says whether the value called name is among those that f has on r, as a rule would test it.
func holds(t *testing.T, f *Field, r *sfgo.FlatRecord, name string) bool {
	t.Helper()
	v, ok := f.Names.Find(name)
	if !ok {
		t.Fatalf("%s has no value %s", f.Name, name)
	}
	return f.Bits(r)&v.Value != 0
}

// TestOperations holds the names of each bit to the language's table.
func TestOperations(t *testing.T) {
	ops, evts := lookup(t, "sf.opflags"), lookup(t, "evt.type")
	for bit, tt := range []struct{ flag, events string }{
		{"CLONE", "clone clone3 fork vfork"}, {"EXEC", "execve execveat"}, {"EXIT", "procexit exit exit_group"},
		{"SETUID", "setuid setresuid"}, {"SETNS", "setns"}, {"ACCEPT", "accept accept4"}, {"CONNECT", "connect"},
		{"OPEN", "open openat openat2 creat open_by_handle_at"}, {"READ", "read readv pread preadv"},
		{"WRITE", "write writev pwrite pwritev"}, {"CLOSE", "close"}, {"TRUNCATE", ""}, {"SHUTDOWN", "shutdown"},
		{"MMAP", "mmap mmap2"}, {"DIGEST", ""}, {"MKDIR", "mkdir mkdirat"}, {"RMDIR", "rmdir"}, {"LINK", "link linkat"},
		{"UNLINK", "unlink unlinkat"}, {"SYMLINK", "symlink symlinkat"}, {"RENAME", "rename renameat renameat2"},
	} {
		r := fileFlow("/x", 1<<bit, 1)
		if got := ops.Strs(r, nil); !slices.Equal(got, []string{tt.flag}) {
			t.Errorf("bit %d is called %q, want %s", bit, got, tt.flag)
		}
		for _, spelling := range []string{tt.flag, strings.ToLower(tt.flag), "OP_" + tt.flag, "op_" + tt.flag} {
			if !holds(t, ops, r, spelling) {
				t.Errorf("%s does not hold for bit %d", spelling, bit)
			}
		}
		if !holds(t, evts, r, tt.flag) {
			t.Errorf("event type %s does not hold for bit %d", tt.flag, bit)
		}
		want := strings.Fields(tt.events)
		got := evts.Strs(r, nil)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("bit %d answers %q, want %q", bit, got, want)
		}
		for _, e := range want {
			if !holds(t, evts, r, e) || !holds(t, evts, r, strings.ToUpper(e[:1])+e[1:]) {
				t.Errorf("event type %s does not hold for bit %d", e, bit)
			}
			if holds(t, evts, fileFlow("/x", 0, 1), e) {
				t.Errorf("event type %s holds without an operation", e)
			}
		}
	}
	if got := ops.Strs(fileFlow("/x", 1<<21|1<<40, 1), nil); len(got) != 0 {
		t.Errorf("bits without a name are called %q", got)
	}
	want := strings.Fields(`MKDIR RMDIR LINK SYMLINK UNLINK RENAME CLONE EXEC EXIT SETUID OPEN ACCEPT CONNECT CLOSE WRITE
		READ SETNS MMAP SHUTDOWN TRUNCATE DIGEST`)
	if got := ops.Strs(fileFlow("/x", 1<<21-1, 1), nil); !slices.Equal(got, want) {
		t.Errorf("all operations print as %q", got)
	}
	evtOrder := strings.Fields(`mkdir rmdir link symlink unlink rename clone execve exit setuid open accept connect close
		send recv setns mmap shutdown`)
	if got := evts.Print(netFlow(1<<21-1), nil); !slices.Equal(got, evtOrder) {
		t.Errorf("all event types print as %q", got)
	}
	for _, never := range strings.Fields("ptrace chmod listen dup socket bpf unshare container truncate digest Exec") {
		if _, ok := evts.Names.Find(never); ok {
			t.Errorf("event type %s is accepted", never)
		}
	}
}

// TestReadOrReceive goes through what the two operations that files and the network share are called where.
func TestReadOrReceive(t *testing.T) {
	ops, evts := lookup(t, "sf.opflags"), lookup(t, "evt.type")
	socket := fileFlow("/run/x.sock", sfgo.OP_READ_RECV|sfgo.OP_WRITE_SEND, 0)
	socket.Ints[0][sfgo.FILE_RESTYPE_INT] = 'u'
	for _, tt := range []struct {
		name       string
		field      *Field
		file       bool
		unix, inet bool
	}{
		{"READ", ops, true, true, false},
		{"WRITE", ops, true, true, false},
		{"RECV", ops, false, false, true},
		{"SEND", ops, false, false, true},
		{"READ_RECV", ops, true, true, true},
		{"OP_WRITE_SEND", ops, true, true, true},
		{"read", evts, true, true, true},
		{"preadv", evts, true, true, true},
		{"write", evts, true, true, true},
		{"recv", evts, false, true, true},
		{"recvmmsg", evts, false, true, true},
		{"sendto", evts, false, true, true},
		{"READ", evts, true, true, false},
		{"WRITE", evts, true, true, false},
		{"RECV", evts, false, false, true},
		{"SEND", evts, false, false, true},
		{"READ_RECV", evts, true, true, true},
	} {
		for where, want := range map[*sfgo.FlatRecord]bool{
			fileFlow("/x", sfgo.OP_READ_RECV|sfgo.OP_WRITE_SEND, 1): tt.file, socket: tt.unix, netFlow(sfgo.OP_READ_RECV | sfgo.OP_WRITE_SEND): tt.inet,
		} {
			if got := holds(t, tt.field, where, tt.name); got != want {
				t.Errorf("%s %s on %s, file type %s: %v", tt.field.Name, tt.name, TypeCode(recType(where)), fileLetter(where), got)
			}
		}
	}
	if got := evts.Print(socket, nil); !slices.Equal(got, []string{"write", "read"}) {
		t.Errorf("on a unix socket, event types print as %q", got)
	}
	// The same bitmap on a network flow and a file flow, in either order.
	for range 2 {
		if got := ops.Strs(netFlow(1280), nil); !slices.Equal(got, []string{"CLOSE", "RECV"}) {
			t.Errorf("operations of the network flow: %q", got)
		}
		if got := ops.Strs(fileFlow("/x", 1280, 1), nil); !slices.Equal(got, []string{"CLOSE", "READ"}) {
			t.Errorf("operations of the file flow: %q", got)
		}
	}
}

func TestOpenFlags(t *testing.T) {
	f := lookup(t, "sf.file.openflags")
	for flags, want := range map[int64]string{
		0: "NONE", 1: "RDONLY", 2: "WRONLY", 3: "RDONLY WRONLY RDWR", 262: "WRONLY CREAT TRUNC", 4097: "RDONLY CLOEXEC",
		4096: "CLOEXEC", 5185: "RDONLY NONBLOCK DIRECTORY CLOEXEC", 8192: "", 8193: "RDONLY",
		0x1fff: "RDONLY WRONLY RDWR CREAT EXCL TRUNC APPEND NONBLOCK DSYNC DIRECT LARGEFILE DIRECTORY CLOEXEC SYNC",
	} {
		r := fileFlow("/x", sfgo.OP_OPEN, flags)
		if got := strings.Join(f.Strs(r, nil), " "); got != want {
			t.Errorf("open flags %d are %q, want %q", flags, got, want)
		}
		for n := range f.Names.All() {
			has := slices.Contains(strings.Fields(want), n)
			if holds(t, f, r, "o_"+n) != has {
				t.Errorf("open flags %d hold %s: %v", flags, n, !has)
			}
		}
		if v, ok := f.Int(r); !ok || v != flags {
			t.Errorf("open flags %d are the number %d", flags, v)
		}
	}
}

func TestNames(t *testing.T) {
	for _, tt := range []struct{ attr, text, want string }{
		{"sf.type", "pe", "PE"},
		{"sf.container.type", "docker", "DOCKER"},
		{"sf.container.type", "CT_crio", "CRIO"},
		{"sf.container.type", "HOST", "host"},
		{"sf.container.type", "CT_host", ""},
		{"sf.container.type", "podman", ""},
		{"sf.file.type", "U", "u"},
		{"sf.file.type", "?", "?"},
		{"sf.file.type", "file", ""},
		{"fd.type", "FILE", "file"},
		{"fd.type", "f", ""},
		{"sf.net.proto", "TCP", "tcp"},
		{"sf.ke.action", "k8s_component_added", "K8S_COMPONENT_ADDED"},
		{"sf.opflags", "OP_OP_EXEC", ""},
		{"sf.opflags", "O_EXEC", ""},
		{"evt.dir", "<", "<"},
	} {
		v, ok := lookup(t, tt.attr).Names.Find(tt.text)
		if v.Text != tt.want || ok != (tt.want != "") {
			t.Errorf("%s %q is %q, want %q", tt.attr, tt.text, v.Text, tt.want)
		}
	}
	for name, want := range map[string]int64{"icmp": 1, "tcp": 6, "udp": 17, "raw": 254} {
		if v, _ := lookup(t, "sf.net.proto").Names.Find(name); v.Value != want {
			t.Errorf("protocol %s is %d, want %d", name, v.Value, want)
		}
	}
}

// TestEnums checks that what a reader returns is what its set of names says.
func TestEnums(t *testing.T) {
	for _, tt := range []struct {
		attr string
		slot sfgo.Attribute
		row  *sfgo.FlatRecord
		want map[int64]string
	}{
		{"sf.container.type", sfgo.CONT_TYPE_INT, inPodRow(), map[int64]string{0: "DOCKER", 1: "LXC", 2: "LIBVIRT_LXC",
			3: "MESOS", 4: "RKT", 5: "CUSTOM", 6: "CRI", 7: "CONTAINERD", 8: "CRIO", 9: "BPM", 10: "unknown", -1: "unknown"}},
		{"sf.ke.action", sfgo.K8SE_ACTION_INT, k8sEvent(), map[int64]string{0: "K8S_COMPONENT_ADDED",
			1: "K8S_COMPONENT_MODIFIED", 2: "K8S_COMPONENT_DELETED", 3: "K8S_COMPONENT_ERROR", 4: "K8S_COMPONENT_NONEXISTENT",
			5: "K8S_COMPONENT_UNKNOWN", 6: "K8S_COMPONENT_UNKNOWN", -1: "K8S_COMPONENT_UNKNOWN"}},
		{"sf.ke.kind", sfgo.K8SE_KIND_INT, k8sEvent(), map[int64]string{0: "K8S_NODES", 1: "K8S_NAMESPACES", 2: "K8S_PODS",
			3: "K8S_REPLICATIONCONTROLLERS", 4: "K8S_SERVICES", 5: "K8S_EVENTS", 6: "K8S_REPLICASETS", 7: "K8S_DAEMONSETS",
			8: "K8S_DEPLOYMENTS", 9: "K8S_UNKNOWN", 99: "K8S_UNKNOWN"}},
		{"sf.file.type", sfgo.FILE_RESTYPE_INT, fileFlow("/x", sfgo.OP_OPEN, 1), map[int64]string{'f': "f", 'd': "d", '4': "4", '6': "6",
			'u': "u", 'p': "p", 'e': "e", 's': "s", 'l': "l", 'i': "i", 'o': "o", '?': "?", 0: "?", 'Z': "?", -1: "?"}},
		{"fd.type", sfgo.FILE_RESTYPE_INT, fileFlow("/x", sfgo.OP_OPEN, 1), map[int64]string{'f': "file", 'd': "directory", '4': "ipv4",
			'6': "ipv6", 'u': "unix", 'p': "pipe", 'e': "event", 's': "signalfd", 'l': "eventpoll", 'i': "inotify", 'o': "", '?': ""}},
		{"sf.type", sfgo.SF_REC_TYPE, procEvent(1, 0), map[int64]string{sfgo.PROC_EVT: "PE", sfgo.NET_FLOW: "NF",
			sfgo.FILE_FLOW: "FF", sfgo.FILE_EVT: "FE", sfgo.NET_EVT: "NE", sfgo.PROC_FLOW: "PF", sfgo.K8S_EVT: "KE",
			sfgo.PROC: "", sfgo.UNKNOWN_TYPE: ""}},
	} {
		f := lookup(t, tt.attr)
		for v, want := range tt.want {
			tt.row.Ints[0][tt.slot] = v
			got := f.Str(tt.row)
			if got != want {
				t.Errorf("%s of %d is %q, want %q", tt.attr, v, got, want)
			}
			if n, ok := f.Names.Find(got); want != "" && (!ok || n.Text != got) {
				t.Errorf("%s: %q is none of its values", tt.attr, got)
			}
		}
	}
}
