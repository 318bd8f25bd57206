package encode

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// This file holds a second, naive JSON encoder, written from the description of the document and not from the
// catalogue. It is the oracle of the tests.

type object2 = map[string]any

var opNames = strings.Fields(`CLONE EXEC EXIT SETUID SETNS ACCEPT CONNECT OPEN READ WRITE CLOSE TRUNCATE SHUTDOWN MMAP DIGEST
	MKDIR RMDIR LINK UNLINK SYMLINK RENAME`)

var opOrder = strings.Fields(`MKDIR RMDIR LINK SYMLINK UNLINK RENAME CLONE EXEC EXIT SETUID OPEN ACCEPT CONNECT CLOSE WRITE READ
	SETNS MMAP SHUTDOWN TRUNCATE DIGEST`)

var openNames = strings.Fields(`RDONLY WRONLY CREAT APPEND DSYNC EXCL NONBLOCK SYNC TRUNC DIRECT DIRECTORY LARGEFILE CLOEXEC`)

var openOrder = strings.Fields(`NONE RDONLY WRONLY RDWR CREAT EXCL TRUNC APPEND NONBLOCK DSYNC DIRECT LARGEFILE DIRECTORY CLOEXEC
	SYNC`)

var socketPath = regexp.MustCompile(`(?s)^([0-9a-fA-F]{1,16})-(?:>|\\u003e)([0-9a-fA-F]{1,16}) (.*)$`)

// pick returns those of order that are in the set.
func pick(order []string, set map[string]bool) []any {
	list := []any{}
	for _, n := range order {
		if set[n] {
			list = append(list, n)
		}
	}
	return list
}

func naiveOps(flags int64, net bool) []any {
	set := map[string]bool{}
	for i, n := range opNames {
		set[n] = flags>>i&1 == 1
	}
	list := pick(opOrder, set)
	for i, n := range list {
		if net {
			list[i] = strings.NewReplacer("READ", "RECV", "WRITE", "SEND").Replace(n.(string))
		}
	}
	return list
}

func naiveOpenFlags(flags int64) []any {
	set := map[string]bool{"NONE": flags == 0}
	for i, n := range openNames {
		set[n] = flags>>i&1 == 1
	}
	set["RDWR"] = set["RDONLY"] && set["WRONLY"]
	return pick(openOrder, set)
}

func naiveBase(p string) string {
	if p == "" {
		return ""
	}
	return path.Base(p)
}

func naiveDir(p string) string {
	if p == "" {
		return ""
	}
	if trimmed := strings.TrimRight(p, "/"); trimmed != "" {
		p = trimmed
	}
	return path.Dir(p)
}

func naiveOID(pid, createTS int64) string {
	return fmt.Sprintf("%016x", xxhash.Sum64String(strconv.FormatInt(pid, 10)+strconv.FormatInt(createTS, 10)))
}

func naiveIP(v int64) string {
	return fmt.Sprintf("%d.%d.%d.%d", v&255, v>>8&255, v>>16&255, v>>24&255)
}

func naiveIPs(v any) []any {
	list := []any{}
	ips, _ := v.([]int64)
	for _, ip := range ips {
		list = append(list, naiveIP(ip))
	}
	return list
}

func naiveCmdline(exe, args string) string {
	if exe == "" || args == "" {
		return exe + args
	}
	return exe + " " + args
}

func naiveFile(raw string) (p, link string) {
	if m := socketPath.FindStringSubmatch(raw); m != nil {
		return m[3], m[1] + "->" + m[2]
	}
	return raw, ""
}

func naiveServices(v any) []any {
	list := []any{}
	services, _ := v.([]*sfgo.Service)
	for _, s := range services {
		ports := []any{}
		for _, p := range s.PortList {
			ports = append(ports, object2{"port": p.Port, "targetport": p.TargetPort, "nodeport": p.NodePort, "proto": p.Proto})
		}
		list = append(list, object2{"id": s.Id, "name": s.Name, "namespace": s.Namespace, "clusterIP": naiveIPs(s.ClusterIP),
			"ports": ports})
	}
	return list
}

// naive returns the document for e.
func naive(e *engine.Event, options JSONOptions) object2 {
	r := e.Row
	in, st, an := r.Ints[0], r.Strs[0], r.Anys[0]
	typ := in[sfgo.SF_REC_TYPE]
	pe, pf, ff := typ == sfgo.PROC_EVT, typ == sfgo.PROC_FLOW, typ == sfgo.FILE_FLOW
	fe, nf, ke := typ == sfgo.FILE_EVT, typ == sfgo.NET_FLOW, typ == sfgo.K8S_EVT
	doc := object2{
		"version": 4, "endts": 0, "ret": 0, "ts": in[sfgo.TS_INT], "opflags": naiveOps(in[sfgo.OPFLAGS_INT], nf),
		"type": map[int64]string{sfgo.PROC_EVT: "PE", sfgo.PROC_FLOW: "PF", sfgo.FILE_FLOW: "FF", sfgo.FILE_EVT: "FE",
			sfgo.NET_FLOW: "NF", sfgo.K8S_EVT: "KE"}[typ],
		"meta": object2{"schema": in[sfgo.SFHE_VERSION_INT], "tracename": naiveBase(st[sfgo.SFHE_FILENAME_STR])},
		"node": object2{"id": st[sfgo.SFHE_EXPORTER_STR], "ip": st[sfgo.SFHE_IP_STR]},
	}
	if options.Version != 0 {
		doc["version"] = options.Version
	}
	switch {
	case ff, nf, pf:
		doc["endts"] = in[sfgo.ENDTS_INT]
	case ke:
		doc["endts"], doc["opflags"] = in[sfgo.TS_INT], []any{}
	default:
		doc["ret"] = in[sfgo.RET_INT]
	}
	if ke {
		actions := strings.Fields("ADDED MODIFIED DELETED ERROR NONEXISTENT UNKNOWN")
		kinds := strings.Fields("NODES NAMESPACES PODS REPLICATIONCONTROLLERS SERVICES EVENTS REPLICASETS DAEMONSETS DEPLOYMENTS UNKNOWN")
		action, kind := in[sfgo.K8SE_ACTION_INT], in[sfgo.K8SE_KIND_INT]
		if action < 0 || action > 5 {
			action = 5
		}
		if kind < 0 || kind > 9 {
			kind = 9
		}
		doc["k8s"] = object2{"action": "K8S_COMPONENT_" + actions[action], "kind": "K8S_" + kinds[kind],
			"message": st[sfgo.K8SE_MESSAGE_STR]}
		naiveVerdicts(doc, e, options)
		return doc
	}
	if st[sfgo.CONT_ID_STR] != "" {
		typ := "unknown"
		names := strings.Fields("DOCKER LXC LIBVIRT_LXC MESOS RKT CUSTOM CRI CONTAINERD CRIO BPM")
		if t := in[sfgo.CONT_TYPE_INT]; t >= 0 && t < int64(len(names)) {
			typ = names[t]
		}
		doc["container"] = object2{"id": st[sfgo.CONT_ID_STR], "image": st[sfgo.CONT_IMAGE_STR], "imageid": st[sfgo.CONT_IMAGEID_STR],
			"name": st[sfgo.CONT_NAME_STR], "privileged": in[sfgo.CONT_PRIVILEGED_INT], "type": typ}
	}
	if ff || fe {
		p, link := naiveFile(st[sfgo.FILE_PATH_STR])
		f := object2{"directory": naiveDir(p), "fd": 0, "is_open_read": false, "is_open_write": false, "name": naiveBase(p),
			"newdirectory": "", "newname": "", "newoid": "", "newpath": "", "newsymlink": "", "oid": st[sfgo.FILE_OID_STR],
			"openflags": []any{"NONE"}, "path": p, "symlink": link, "type": "?"}
		if t := in[sfgo.FILE_RESTYPE_INT]; t > 0 && t < 128 && strings.ContainsRune("fd46upesliof", rune(t)) {
			f["type"] = string(rune(t))
		}
		if ff {
			flags := in[sfgo.FL_FILE_OPENFLAGS_INT]
			f["fd"], f["openflags"] = in[sfgo.FD_INT], naiveOpenFlags(flags)
			f["is_open_read"], f["is_open_write"] = flags&1 != 0, flags&2 != 0
		} else {
			p, link := naiveFile(st[sfgo.SEC_FILE_PATH_STR])
			f["newpath"], f["newsymlink"], f["newname"], f["newdirectory"] = p, link, naiveBase(p), naiveDir(p)
			f["newoid"] = st[sfgo.SEC_FILE_OID_STR]
		}
		doc["file"] = f
	}
	if ff || nf {
		doc["flow"] = object2{"rbytes": in[sfgo.NUMRRECVBYTES_INT], "rops": in[sfgo.NUMRRECVOPS_INT],
			"wbytes": in[sfgo.NUMWSENDBYTES_INT], "wops": in[sfgo.NUMWSENDOPS_INT]}
	}
	if nf {
		sip, dip := naiveIP(in[sfgo.FL_NETW_SIP_INT]), naiveIP(in[sfgo.FL_NETW_DIP_INT])
		sport, dport := in[sfgo.FL_NETW_SPORT_INT], in[sfgo.FL_NETW_DPORT_INT]
		doc["net"] = object2{"sip": sip, "dip": dip, "sport": sport, "dport": dport, "ip": []any{sip, dip},
			"port": []any{sport, dport}, "proto": in[sfgo.FL_NETW_PROTO_INT]}
	}
	if pf {
		doc["pf"] = object2{"nthreads": in[sfgo.FL_PROC_NUMTHREADSCLONED_INT], "nexits": in[sfgo.FL_PROC_NUMTHREADSEXITED_INT],
			"nerrors": in[sfgo.FL_PROC_NUMCLONEERRORS_INT]}
	}
	if st[sfgo.POD_ID_STR] != "" {
		doc["pod"] = object2{"id": st[sfgo.POD_ID_STR], "name": st[sfgo.POD_NAME_STR], "namespace": st[sfgo.POD_NAMESPACE_STR],
			"nodename": st[sfgo.POD_NODENAME_STR], "restartcnt": in[sfgo.POD_RESTARTCOUNT_INT], "ts": in[sfgo.POD_TS_INT],
			"hostip": naiveIPs(an[sfgo.POD_HOSTIP_ANY]), "internalip": naiveIPs(an[sfgo.POD_INTERNALIP_ANY]),
			"services": naiveServices(an[sfgo.POD_SERVICES_ANY])}
	}
	naiveProcs(doc, r, options)
	if pe && options.Extended {
		args, _ := an[sfgo.EV_PROC_ARGS_ANY].([]string)
		doc["args"] = append([]string{}, args...)
	}
	naiveVerdicts(doc, e, options)
	return doc
}

// naiveProcs adds the process and its parent.
func naiveProcs(doc object2, r *sfgo.FlatRecord, options JSONOptions) {
	in, st := r.Ints[0], r.Strs[0]
	pid, createTS := in[sfgo.PROC_OID_HPID_INT], in[sfgo.PROC_OID_CREATETS_INT]
	exe, args := st[sfgo.PROC_EXE_STR], st[sfgo.PROC_EXEARGS_STR]
	proc := object2{"args": args, "cmdline": naiveCmdline(exe, args), "exe": exe, "name": naiveBase(exe),
		"user": st[sfgo.PROC_USERNAME_STR], "group": st[sfgo.PROC_GROUPNAME_STR], "uid": in[sfgo.PROC_UID_INT],
		"gid": in[sfgo.PROC_GID_INT], "tty": in[sfgo.PROC_TTY_INT] != 0, "entry": in[sfgo.PROC_ENTRY_INT] != 0, "pid": pid,
		"createts": createTS, "oid": naiveOID(pid, createTS), "tid": in[sfgo.TID_INT]}
	if in[sfgo.SF_REC_TYPE] == sfgo.PROC_FLOW {
		proc["tid"] = pid
	}
	var names, exes, cmdlines, pids = []any{}, []any{}, []any{}, []any{}
	for _, p := range r.Ptree {
		names, exes = append(names, naiveBase(p.Exe)), append(exes, p.Exe)
		cmdlines, pids = append(cmdlines, naiveCmdline(p.Exe, p.ExeArgs)), append(pids, p.Oid.Hpid)
	}
	proc["aname"], proc["aexe"], proc["acmdline"], proc["apid"] = names, exes, cmdlines, pids
	if options.Extended {
		cwd, env := "", []any{}
		if len(r.Ptree) > 0 {
			cwd = r.Ptree[0].Cwd
			for _, v := range r.Ptree[0].Env {
				if v != "" {
					env = append(env, v)
				}
			}
		}
		proc["cwd"], proc["env"] = cwd, env
	}
	doc["proc"] = proc

	ppid, pcreateTS := in[sfgo.PROC_POID_HPID_INT], in[sfgo.PROC_POID_CREATETS_INT]
	if ppid == 0 {
		return
	}
	p := &sfgo.Process{}
	if len(r.Ptree) > 1 {
		p = r.Ptree[1]
	}
	doc["pproc"] = object2{"args": p.ExeArgs, "cmdline": naiveCmdline(p.Exe, p.ExeArgs), "exe": p.Exe, "name": naiveBase(p.Exe),
		"user": p.UserName, "group": p.GroupName, "uid": p.Uid, "gid": p.Gid, "tty": p.Tty, "entry": p.Entry, "pid": ppid,
		"createts": pcreateTS, "oid": naiveOID(ppid, pcreateTS)}
}

func naiveVerdicts(doc object2, e *engine.Event, options JSONOptions) {
	var tags, policies []any
	for _, t := range e.Tags {
		tags = append(tags, t)
	}
	for _, r := range e.Rules {
		p := object2{"id": r.Name, "desc": r.Desc, "priority": int(r.Priority)}
		if options.Output && r.Output != nil {
			p["output"] = string(r.Output(nil, e.Row))
		}
		policies = append(policies, p)
		for _, t := range r.Tags {
			tags = append(tags, fmt.Sprint(t))
		}
	}
	if policies != nil {
		doc["policies"] = policies
	}
	if tags != nil {
		doc["tags"] = tags
	}
}

// parse returns what a JSON text says, numbers as they are written.
func parse(text []byte) (any, error) {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	if err == nil && d.More() {
		err = fmt.Errorf("something follows the document")
	}
	return v, err
}
