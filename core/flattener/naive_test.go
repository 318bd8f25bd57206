package flattener

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// naive makes rows the long way: it keeps the last record of each id, follows every reference anew for each record, and
// writes each slot by its name, from the structures that plugins know.
type naive struct {
	header *sfgo.SFHeader
	procs  map[sfgo.OID]*sfgo.Process
	files  map[sfgo.FOID]*sfgo.File
	conts  map[string]*sfgo.Container
	pods   map[string]*sfgo.Pod
}

func newNaive() *naive {
	return &naive{
		header: &sfgo.SFHeader{},
		procs:  map[sfgo.OID]*sfgo.Process{}, files: map[sfgo.FOID]*sfgo.File{},
		conts: map[string]*sfgo.Container{}, pods: map[string]*sfgo.Pod{},
	}
}

// row returns the row of a flow or event, or nil if the record has none.
func (n *naive) row(u *sfgo.RecUnion) *sfgo.FlatRecord {
	r := &sfgo.FlatRecord{
		Sources: []sfgo.Source{sfgo.SYSFLOW_SRC},
		Ints:    [][]int64{make([]int64, sfgo.INT_ARRAY_SIZE)},
		Strs:    [][]string{make([]string, sfgo.STR_ARRAY_SIZE)},
		Anys:    [][]any{make([]any, sfgo.ANY_ARRAY_SIZE)},
	}
	i, s := r.Ints[0], r.Strs[0]
	i[sfgo.SF_REC_TYPE] = int64(u.UnionType)
	switch u.UnionType {
	case sfgo.RecUnionTypeEnumSFHeader:
		*n = *newNaive()
		n.header = u.SFHeader
		return nil
	case sfgo.RecUnionTypeEnumContainer:
		n.conts[u.Container.Id] = u.Container
		return nil
	case sfgo.RecUnionTypeEnumProcess:
		p := u.Process
		p.Exe, p.ExeArgs = strings.TrimSpace(p.Exe), strings.TrimSpace(p.ExeArgs)
		p.Env = slices.DeleteFunc(p.Env, func(v string) bool { return v == "" })
		n.procs[*p.Oid] = p
		return nil
	case sfgo.RecUnionTypeEnumFile:
		n.files[u.File.Oid] = u.File
		return nil
	case sfgo.RecUnionTypeEnumPod:
		n.pods[u.Pod.Id] = u.Pod
		return nil
	case sfgo.RecUnionTypeEnumNetworkEvent:
		return nil
	case sfgo.RecUnionTypeEnumProcessEvent:
		e := u.ProcessEvent
		n.process(r, e.ProcOID)
		n.head(r, e.Ts, e.Tid, e.OpFlags)
		i[sfgo.EV_PROC_RET_INT] = int64(e.Ret)
		if len(e.Args) > 0 {
			r.Anys[0][sfgo.EV_PROC_ARGS_ANY] = e.Args
		}
	case sfgo.RecUnionTypeEnumFileEvent:
		e := u.FileEvent
		n.process(r, e.ProcOID)
		n.head(r, e.Ts, e.Tid, e.OpFlags)
		i[sfgo.EV_FILE_RET_INT] = int64(e.Ret)
		n.file(r, e.FileOID)
		if e.NewFileOID.UnionType == sfgo.NewFileOIDUnionTypeEnumFOID {
			n.secondFile(r, e.NewFileOID.FOID)
		}
	case sfgo.RecUnionTypeEnumFileFlow:
		e := u.FileFlow
		n.process(r, e.ProcOID)
		n.head(r, e.Ts, e.Tid, e.OpFlags)
		n.file(r, e.FileOID)
		i[sfgo.FL_FILE_ENDTS_INT] = e.EndTs
		i[sfgo.FL_FILE_FD_INT] = int64(e.Fd)
		i[sfgo.FL_FILE_OPENFLAGS_INT] = int64(e.OpenFlags)
		i[sfgo.FL_FILE_NUMRRECVOPS_INT], i[sfgo.FL_FILE_NUMWSENDOPS_INT] = e.NumRRecvOps, e.NumWSendOps
		i[sfgo.FL_FILE_NUMRRECVBYTES_INT], i[sfgo.FL_FILE_NUMWSENDBYTES_INT] = e.NumRRecvBytes, e.NumWSendBytes
	case sfgo.RecUnionTypeEnumNetworkFlow:
		e := u.NetworkFlow
		n.process(r, e.ProcOID)
		n.head(r, e.Ts, e.Tid, e.OpFlags)
		i[sfgo.FL_NETW_ENDTS_INT] = e.EndTs
		i[sfgo.FL_NETW_FD_INT] = int64(e.Fd)
		i[sfgo.FL_NETW_SIP_INT], i[sfgo.FL_NETW_SPORT_INT] = int64(e.Sip), int64(e.Sport)
		i[sfgo.FL_NETW_DIP_INT], i[sfgo.FL_NETW_DPORT_INT] = int64(e.Dip), int64(e.Dport)
		i[sfgo.FL_NETW_PROTO_INT] = int64(e.Proto)
		i[sfgo.FL_NETW_NUMRRECVOPS_INT], i[sfgo.FL_NETW_NUMWSENDOPS_INT] = e.NumRRecvOps, e.NumWSendOps
		i[sfgo.FL_NETW_NUMRRECVBYTES_INT], i[sfgo.FL_NETW_NUMWSENDBYTES_INT] = e.NumRRecvBytes, e.NumWSendBytes
	case sfgo.RecUnionTypeEnumProcessFlow:
		e := u.ProcessFlow
		n.process(r, e.ProcOID)
		n.head(r, e.Ts, e.ProcOID.Hpid, e.OpFlags)
		i[sfgo.ENDTS_INT] = e.EndTs
		i[sfgo.FL_PROC_NUMTHREADSCLONED_INT] = e.NumThreadsCloned
		i[sfgo.FL_PROC_NUMTHREADSEXITED_INT] = e.NumThreadsExited
		i[sfgo.FL_PROC_NUMCLONEERRORS_INT] = e.NumCloneErrors
	case sfgo.RecUnionTypeEnumK8sEvent:
		e := u.K8sEvent
		n.head(r, e.Ts, 0, 0)
		i[sfgo.K8SE_KIND_INT], i[sfgo.K8SE_ACTION_INT] = int64(e.Kind), int64(e.Action)
		s[sfgo.K8SE_MESSAGE_STR] = strings.TrimRight(e.Message, "\n\x00")
	}
	i[sfgo.SFHE_VERSION_INT] = n.header.Version
	s[sfgo.SFHE_EXPORTER_STR], s[sfgo.SFHE_IP_STR] = n.header.Exporter, n.header.Ip
	s[sfgo.SFHE_FILENAME_STR] = n.header.Filename
	return r
}

func (n *naive) head(r *sfgo.FlatRecord, ts, tid int64, opFlags int32) {
	r.Ints[0][sfgo.TS_INT], r.Ints[0][sfgo.TID_INT], r.Ints[0][sfgo.OPFLAGS_INT] = ts, tid, int64(opFlags)
}

func (n *naive) process(r *sfgo.FlatRecord, oid *sfgo.OID) {
	i, s := r.Ints[0], r.Strs[0]
	i[sfgo.PROC_OID_CREATETS_INT], i[sfgo.PROC_OID_HPID_INT] = oid.CreateTS, oid.Hpid
	p := n.procs[*oid]
	for a := p; a != nil && len(r.Ptree) < 64 && !slices.Contains(r.Ptree, a); {
		r.Ptree = append(r.Ptree, a)
		if a.Poid.OID == nil || *a.Poid.OID == (sfgo.OID{}) {
			break
		}
		a = n.procs[*a.Poid.OID]
	}
	if p == nil {
		return
	}
	i[sfgo.PROC_STATE_INT] = int64(p.State)
	if p.Poid.OID != nil {
		i[sfgo.PROC_POID_CREATETS_INT], i[sfgo.PROC_POID_HPID_INT] = p.Poid.OID.CreateTS, p.Poid.OID.Hpid
	}
	i[sfgo.PROC_TS_INT] = p.Ts
	i[sfgo.PROC_UID_INT], i[sfgo.PROC_GID_INT] = int64(p.Uid), int64(p.Gid)
	i[sfgo.PROC_TTY_INT], i[sfgo.PROC_ENTRY_INT] = number(p.Tty), number(p.Entry)
	s[sfgo.PROC_EXE_STR], s[sfgo.PROC_EXEARGS_STR] = p.Exe, p.ExeArgs
	s[sfgo.PROC_USERNAME_STR], s[sfgo.PROC_GROUPNAME_STR] = p.UserName, p.GroupName
	s[sfgo.PROC_CONTAINERID_STRING_STR] = p.ContainerId.String
	if c := n.conts[p.ContainerId.String]; c != nil {
		i[sfgo.CONT_TYPE_INT], i[sfgo.CONT_PRIVILEGED_INT] = int64(c.Type), number(c.Privileged)
		s[sfgo.CONT_ID_STR], s[sfgo.CONT_NAME_STR] = c.Id, strings.TrimSpace(c.Name)
		s[sfgo.CONT_IMAGE_STR], s[sfgo.CONT_IMAGEID_STR] = strings.TrimSpace(c.Image), c.Imageid
		s[sfgo.CONT_PODID_STRING_STR] = c.PodId.String
		if p := n.pods[c.PodId.String]; p != nil {
			n.pod(r, p)
		}
	}
}

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (n *naive) pod(r *sfgo.FlatRecord, p *sfgo.Pod) {
	i, s := r.Ints[0], r.Strs[0]
	i[sfgo.POD_TS_INT], i[sfgo.POD_RESTARTCOUNT_INT] = p.Ts, p.RestartCount
	s[sfgo.POD_ID_STR], s[sfgo.POD_NAME_STR] = p.Id, strings.TrimSpace(p.Name)
	s[sfgo.POD_NODENAME_STR], s[sfgo.POD_NAMESPACE_STR] = strings.TrimSpace(p.NodeName), strings.TrimSpace(p.Namespace)
	s[sfgo.POD_HOSTIP_STR], s[sfgo.POD_INTERNALIP_STR] = dotted(p.HostIP), dotted(p.InternalIP)
	r.Anys[0][sfgo.POD_HOSTIP_ANY], r.Anys[0][sfgo.POD_INTERNALIP_ANY] = p.HostIP, p.InternalIP
	r.Anys[0][sfgo.POD_SERVICES_ANY] = p.Services
	list := []map[string]any{}
	for _, v := range p.Services {
		ports := []map[string]any{}
		for _, q := range v.PortList {
			ports = append(ports, map[string]any{
				"port": q.Port, "targetPort": q.TargetPort, "nodePort": q.NodePort, "proto": q.Proto,
			})
		}
		list = append(list, map[string]any{
			"clusterip": json.RawMessage(dotted(v.ClusterIP)), "name": v.Name, "id": v.Id, "namespace": v.Namespace,
			"portList": ports,
		})
	}
	text, _ := json.Marshal(list)
	s[sfgo.POD_SERVICES_STR] = string(text)
}

// dotted returns addresses as a JSON array.
func dotted(ips []int64) string {
	var list []string
	for _, v := range ips {
		list = append(list, fmt.Sprintf(`"%d.%d.%d.%d"`, v&255, v>>8&255, v>>16&255, v>>24&255))
	}
	return "[" + strings.Join(list, ",") + "]"
}

func (n *naive) file(r *sfgo.FlatRecord, oid sfgo.FOID) {
	i, s := r.Ints[0], r.Strs[0]
	s[sfgo.FILE_OID_STR] = fmt.Sprintf("%x", oid[:])
	if f := n.files[oid]; f != nil {
		i[sfgo.FILE_STATE_INT], i[sfgo.FILE_TS_INT], i[sfgo.FILE_RESTYPE_INT] = int64(f.State), f.Ts, int64(f.Restype)
		s[sfgo.FILE_PATH_STR], s[sfgo.FILE_CONTAINERID_STRING_STR] = strings.TrimSpace(f.Path), f.ContainerId.String
	}
}

func (n *naive) secondFile(r *sfgo.FlatRecord, oid sfgo.FOID) {
	i, s := r.Ints[0], r.Strs[0]
	s[sfgo.SEC_FILE_OID_STR] = fmt.Sprintf("%x", oid[:])
	if f := n.files[oid]; f != nil {
		i[sfgo.SEC_FILE_STATE_INT], i[sfgo.SEC_FILE_TS_INT] = int64(f.State), f.Ts
		i[sfgo.SEC_FILE_RESTYPE_INT] = int64(f.Restype)
		s[sfgo.SEC_FILE_PATH_STR] = strings.TrimSpace(f.Path)
		s[sfgo.SEC_FILE_CONTAINERID_STRING_STR] = f.ContainerId.String
	}
}

// rowDiff says where two rows differ, or nothing.
func rowDiff(got, want *sfgo.FlatRecord) string {
	g, w := *got, *want
	services := int(sfgo.POD_SERVICES_STR)
	if a, b := g.Strs[0][services], w.Strs[0][services]; a != b {
		var x, y any
		if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil || !reflect.DeepEqual(x, y) {
			return fmt.Sprintf("services %s, want %s", a, b)
		}
	}
	for i := range w.Ints[0] {
		if g.Ints[0][i] != w.Ints[0][i] {
			return fmt.Sprintf("int %d is %d, want %d", i, g.Ints[0][i], w.Ints[0][i])
		}
	}
	for i := range w.Strs[0] {
		if g.Strs[0][i] != w.Strs[0][i] && i != services {
			return fmt.Sprintf("string %d is %q, want %q", i, g.Strs[0][i], w.Strs[0][i])
		}
	}
	if !reflect.DeepEqual(g.Anys, w.Anys) {
		return fmt.Sprintf("anys are %v, want %v", g.Anys, w.Anys)
	}
	if !reflect.DeepEqual(g.Ptree, w.Ptree) {
		return fmt.Sprintf("tree %v, want %v", g.Ptree, w.Ptree)
	}
	if !slices.Equal(g.Sources, w.Sources) || g.GraphletID != 0 {
		return fmt.Sprintf("sources %v, graphlet %d", g.Sources, g.GraphletID)
	}
	return ""
}
