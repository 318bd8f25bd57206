package field

import "github.com/sysflow-telemetry/sf-processor/core/sfgo"

// noise is what a slot holds that no reader of the record's type may look at.
const noise = 0x5a5a5a5a

// row returns a record of the given type. Slots that are not set hold noise if they mean something on other types, so
// that a reader that does not look at the type shows.
func row(typ int64, set func(r *sfgo.FlatRecord)) *sfgo.FlatRecord {
	r := &sfgo.FlatRecord{
		Sources: []sfgo.Source{sfgo.SYSFLOW_SRC},
		Ints:    [][]int64{make([]int64, sfgo.INT_ARRAY_SIZE)},
		Strs:    [][]string{make([]string, sfgo.STR_ARRAY_SIZE)},
		Anys:    [][]any{make([]any, sfgo.ANY_ARRAY_SIZE)},
	}
	for i := sfgo.TS_INT; i < sfgo.INT_ARRAY_SIZE; i++ {
		r.Ints[0][i] = noise
	}
	r.Ints[0][sfgo.SF_REC_TYPE] = typ
	if set != nil {
		set(r)
	}
	return r
}

func process(pid, createTS int64, exe, args string) *sfgo.Process {
	return &sfgo.Process{Oid: &sfgo.OID{Hpid: pid, CreateTS: createTS}, Exe: exe, ExeArgs: args, Uid: 1000, UserName: "ann",
		Gid: 100, GroupName: "users", Tty: true}
}

// withProc fills in a process whose tree is given, its parent known from the tree.
func withProc(r *sfgo.FlatRecord, tree ...*sfgo.Process) {
	in, st := r.Ints[0], r.Strs[0]
	p := tree[0]
	r.Ptree = tree
	in[sfgo.PROC_OID_HPID_INT], in[sfgo.PROC_OID_CREATETS_INT] = p.Oid.Hpid, p.Oid.CreateTS
	if len(tree) > 1 {
		in[sfgo.PROC_POID_HPID_INT], in[sfgo.PROC_POID_CREATETS_INT] = tree[1].Oid.Hpid, tree[1].Oid.CreateTS
	}
	in[sfgo.PROC_UID_INT], in[sfgo.PROC_GID_INT] = int64(p.Uid), int64(p.Gid)
	if p.Tty {
		in[sfgo.PROC_TTY_INT] = 1
	}
	if p.Entry {
		in[sfgo.PROC_ENTRY_INT] = 1
	}
	st[sfgo.PROC_EXE_STR], st[sfgo.PROC_EXEARGS_STR] = p.Exe, p.ExeArgs
	st[sfgo.PROC_USERNAME_STR], st[sfgo.PROC_GROUPNAME_STR] = p.UserName, p.GroupName
}

// set fills in integer slots.
func set(r *sfgo.FlatRecord, slots map[sfgo.Attribute]int64) {
	for a, v := range slots {
		r.Ints[0][a] = v
	}
}

var tree = []*sfgo.Process{
	process(13823, 7, "/opt/srv/server", "-p 80 -v"),
	process(7955, 5, "/usr/bin/bash", ""),
	process(1, 0, "/usr/lib/systemd/systemd-with-a-long-name", "--system"),
}

func netFlow(ops int64) *sfgo.FlatRecord {
	return row(sfgo.NET_FLOW, func(r *sfgo.FlatRecord) {
		withProc(r, tree...)
		set(r, map[sfgo.Attribute]int64{
			sfgo.TS_INT: 100, sfgo.ENDTS_INT: 200, sfgo.TID_INT: 13824, sfgo.OPFLAGS_INT: ops, sfgo.FD_INT: 5,
			sfgo.NUMRRECVOPS_INT: 1, sfgo.NUMWSENDOPS_INT: 2, sfgo.NUMRRECVBYTES_INT: 80, sfgo.NUMWSENDBYTES_INT: 81,
			sfgo.FL_NETW_SIP_INT: 0x0500000a, sfgo.FL_NETW_SPORT_INT: 51514,
			sfgo.FL_NETW_DIP_INT: -0x36fffff6, sfgo.FL_NETW_DPORT_INT: 22, sfgo.FL_NETW_PROTO_INT: 6,
		})
	})
}

func fileFlow(path string, ops, openFlags int64) *sfgo.FlatRecord {
	return row(sfgo.FILE_FLOW, func(r *sfgo.FlatRecord) {
		withProc(r, tree...)
		set(r, map[sfgo.Attribute]int64{
			sfgo.TS_INT: 100, sfgo.ENDTS_INT: 200, sfgo.TID_INT: 13824, sfgo.OPFLAGS_INT: ops, sfgo.FD_INT: 3,
			sfgo.NUMRRECVOPS_INT: 1, sfgo.NUMWSENDOPS_INT: 2, sfgo.NUMRRECVBYTES_INT: 80, sfgo.NUMWSENDBYTES_INT: 81,
			sfgo.FL_FILE_OPENFLAGS_INT: openFlags, sfgo.FILE_RESTYPE_INT: 'f',
		})
		r.Strs[0][sfgo.FILE_PATH_STR], r.Strs[0][sfgo.FILE_OID_STR] = path, "8d57"
	})
}

func fileEvent(ops int64, path, second string) *sfgo.FlatRecord {
	return row(sfgo.FILE_EVT, func(r *sfgo.FlatRecord) {
		withProc(r, tree...)
		set(r, map[sfgo.Attribute]int64{
			sfgo.TS_INT: 100, sfgo.RET_INT: -2, sfgo.TID_INT: 13823, sfgo.OPFLAGS_INT: ops, sfgo.FILE_RESTYPE_INT: '?',
			sfgo.SEC_FILE_STATE_INT: 2, sfgo.SEC_FILE_TS_INT: 99, sfgo.SEC_FILE_RESTYPE_INT: 'f',
		})
		r.Strs[0][sfgo.FILE_PATH_STR], r.Strs[0][sfgo.FILE_OID_STR] = path, "8d57"
		r.Strs[0][sfgo.SEC_FILE_PATH_STR], r.Strs[0][sfgo.SEC_FILE_OID_STR] = second, "cc6a"
	})
}

func procEvent(ops, ret int64) *sfgo.FlatRecord {
	return row(sfgo.PROC_EVT, func(r *sfgo.FlatRecord) {
		withProc(r, tree...)
		set(r, map[sfgo.Attribute]int64{sfgo.TS_INT: 100, sfgo.RET_INT: ret, sfgo.TID_INT: 13823, sfgo.OPFLAGS_INT: ops})
	})
}

func procFlow() *sfgo.FlatRecord {
	return row(sfgo.PROC_FLOW, func(r *sfgo.FlatRecord) {
		withProc(r, tree...)
		set(r, map[sfgo.Attribute]int64{
			sfgo.TS_INT: 100, sfgo.ENDTS_INT: 200, sfgo.OPFLAGS_INT: 5,
			sfgo.FL_PROC_NUMTHREADSCLONED_INT: 3, sfgo.FL_PROC_NUMTHREADSEXITED_INT: 2, sfgo.FL_PROC_NUMCLONEERRORS_INT: 1,
		})
	})
}

func k8sEvent() *sfgo.FlatRecord {
	return row(sfgo.K8S_EVT, func(r *sfgo.FlatRecord) {
		set(r, map[sfgo.Attribute]int64{sfgo.TS_INT: 100, sfgo.K8SE_ACTION_INT: 1, sfgo.K8SE_KIND_INT: 2})
		r.Strs[0][sfgo.K8SE_MESSAGE_STR] = `{"kind":"Pod"}`
	})
}

func inPodRow() *sfgo.FlatRecord {
	r := procEvent(sfgo.OP_EXEC, 0)
	set(r, map[sfgo.Attribute]int64{
		sfgo.CONT_TYPE_INT: 8, sfgo.CONT_PRIVILEGED_INT: 1, sfgo.POD_TS_INT: 50, sfgo.POD_RESTARTCOUNT_INT: 2,
		sfgo.SFHE_VERSION_INT: 4,
	})
	st := r.Strs[0]
	st[sfgo.SFHE_EXPORTER_STR], st[sfgo.SFHE_IP_STR] = "minikube", "192.168.59.100"
	st[sfgo.SFHE_FILENAME_STR] = "/mnt/data/1647544455"
	st[sfgo.CONT_ID_STR], st[sfgo.CONT_NAME_STR] = "477216583b2f", "web"
	st[sfgo.CONT_IMAGE_STR], st[sfgo.CONT_IMAGEID_STR] = "registry:5000/foo/bar:1.2", "c3dc"
	st[sfgo.POD_ID_STR], st[sfgo.POD_NAME_STR], st[sfgo.POD_NODENAME_STR] = "4233", "mongo", "node1"
	st[sfgo.POD_NAMESPACE_STR], st[sfgo.POD_SERVICES_STR] = "shop", `[{"name":"redis"}]`
	st[sfgo.POD_HOSTIP_STR], st[sfgo.POD_INTERNALIP_STR] = `["10.0.0.5"]`, `["10.0.0.9","10.0.0.5"]`
	r.Anys[0][sfgo.POD_HOSTIP_ANY] = []int64{0x0500000a}
	r.Anys[0][sfgo.POD_INTERNALIP_ANY] = []int64{0x0900000a, 0x0500000a}
	return r
}

// rows are records of each type.
func rows() map[string]*sfgo.FlatRecord {
	return map[string]*sfgo.FlatRecord{
		"PE": procEvent(sfgo.OP_EXEC, -2), "PF": procFlow(), "NF": netFlow(sfgo.OP_CONNECT | sfgo.OP_READ_RECV | sfgo.OP_WRITE_SEND),
		"FF": fileFlow("/data/db/x.set", sfgo.OP_OPEN|sfgo.OP_READ_RECV, 0x1001), "FE": fileEvent(sfgo.OP_RENAME, "/a/b", "/c/d"), "KE": k8sEvent(),
		"pod": inPodRow(),
	}
}
