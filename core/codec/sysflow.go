package codec

import "github.com/sysflow-telemetry/sf-processor/core/sfgo"

// SysFlow returns the record as the structures that plugins know, or nil if its type is not known. Nothing in them
// belongs to r or the data it was decoded from.
func (r *Record) SysFlow() *sfgo.SysFlow {
	u := &sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnum(r.Type)}
	switch r.Type {
	case sfgo.HEADER:
		u.SFHeader = r.Header.sysFlow()
	case sfgo.CONT:
		u.Container = r.Container.sysFlow()
	case sfgo.PROC:
		u.Process = r.Process.sysFlow()
	case sfgo.FILE:
		u.File = r.File.sysFlow()
	case sfgo.PROC_EVT:
		u.ProcessEvent = r.Event.processEvent()
	case sfgo.NET_FLOW:
		u.NetworkFlow = r.Event.networkFlow()
	case sfgo.FILE_FLOW:
		u.FileFlow = r.Event.fileFlow()
	case sfgo.FILE_EVT:
		u.FileEvent = r.Event.fileEvent()
	case sfgo.NET_EVT:
		u.NetworkEvent = r.Event.networkEvent()
	case sfgo.PROC_FLOW:
		u.ProcessFlow = r.Event.processFlow()
	case sfgo.POD:
		u.Pod = r.Pod.sysFlow()
	case sfgo.K8S_EVT:
		u.K8sEvent = r.Event.k8sEvent()
	default:
		return nil
	}
	return &sfgo.SysFlow{Rec: u}
}

func (h *Header) sysFlow() *sfgo.SFHeader {
	return &sfgo.SFHeader{
		Version: h.Version, Exporter: string(h.Exporter), Ip: string(h.IP), Filename: string(h.Filename),
	}
}

func (c *Container) sysFlow() *sfgo.Container {
	pod := &sfgo.PodIdUnion{}
	if c.PodID.Valid {
		pod.String, pod.UnionType = string(c.PodID.Bytes), sfgo.PodIdUnionTypeEnumString
	}
	return &sfgo.Container{
		Id: string(c.ID), Name: string(c.Name), Image: string(c.Image), Imageid: string(c.ImageID),
		Type: sfgo.ContainerType(c.Type), Privileged: c.Privileged, PodId: pod,
	}
}

func (p *Process) sysFlow() *sfgo.Process {
	parent := &sfgo.PoidUnion{}
	if p.HasPOID {
		oid := p.POID
		parent.OID, parent.UnionType = &oid, sfgo.PoidUnionTypeEnumOID
	}
	oid := p.OID
	return &sfgo.Process{
		State: sfgo.SFObjectState(p.State), Oid: &oid, Poid: parent, Ts: p.TS,
		Exe: string(p.Exe), ExeArgs: string(p.ExeArgs),
		Uid: p.UID, UserName: string(p.UserName), Gid: p.GID, GroupName: string(p.GroupName),
		Tty: p.TTY, ContainerId: p.ContainerID.containerID(), Entry: p.Entry,
		Cwd: string(p.Cwd), Env: ownStrings(p.Env),
	}
}

func (f *File) sysFlow() *sfgo.File {
	return &sfgo.File{
		State: sfgo.SFObjectState(f.State), Oid: f.OID, Ts: f.TS, Restype: f.ResType,
		Path: string(f.Path), ContainerId: f.ContainerID.containerID(),
	}
}

func (o Optional) containerID() *sfgo.ContainerIdUnion {
	if !o.Valid {
		return &sfgo.ContainerIdUnion{}
	}
	return &sfgo.ContainerIdUnion{String: string(o.Bytes), UnionType: sfgo.ContainerIdUnionTypeEnumString}
}

func (p *Pod) sysFlow() *sfgo.Pod {
	pod := &sfgo.Pod{
		Ts: p.TS, Id: string(p.ID), Name: string(p.Name), NodeName: string(p.NodeName),
		HostIP: append([]int64(nil), p.HostIP...), InternalIP: append([]int64(nil), p.InternalIP...),
		Namespace: string(p.Namespace), RestartCount: p.RestartCount,
		Labels: ownPairs(p.Labels), Selectors: ownPairs(p.Selectors),
	}
	for i := range p.Services {
		pod.Services = append(pod.Services, p.Services[i].sysFlow())
	}
	return pod
}

func (s *Service) sysFlow() *sfgo.Service {
	service := &sfgo.Service{
		Name: string(s.Name), Id: string(s.ID), Namespace: string(s.Namespace),
		ClusterIP: append([]int64(nil), s.ClusterIP...),
	}
	for _, p := range s.Ports {
		service.PortList = append(service.PortList, &sfgo.Port{
			Port: p.Port, TargetPort: p.TargetPort, NodePort: p.NodePort, Proto: string(p.Proto),
		})
	}
	return service
}

func (e *Event) proc() *sfgo.OID {
	oid := e.ProcOID()
	return &oid
}

// num returns a slot that holds an int of the schema.
func (e *Event) num(slot sfgo.Attribute) int32 { return int32(e.Ints[slot]) }

func (e *Event) processEvent() *sfgo.ProcessEvent {
	return &sfgo.ProcessEvent{
		ProcOID: e.proc(), Ts: e.Ints[sfgo.TS_INT], Tid: e.Ints[sfgo.TID_INT], OpFlags: e.num(sfgo.OPFLAGS_INT),
		Args: ownStrings(e.Args), Ret: e.num(sfgo.RET_INT),
	}
}

func (e *Event) networkFlow() *sfgo.NetworkFlow {
	return &sfgo.NetworkFlow{
		ProcOID: e.proc(), Ts: e.Ints[sfgo.TS_INT], Tid: e.Ints[sfgo.TID_INT], OpFlags: e.num(sfgo.OPFLAGS_INT),
		EndTs: e.Ints[sfgo.ENDTS_INT],
		Sip:   e.num(sfgo.FL_NETW_SIP_INT), Sport: e.num(sfgo.FL_NETW_SPORT_INT),
		Dip: e.num(sfgo.FL_NETW_DIP_INT), Dport: e.num(sfgo.FL_NETW_DPORT_INT),
		Proto: e.num(sfgo.FL_NETW_PROTO_INT), Fd: e.num(sfgo.FD_INT),
		NumRRecvOps: e.Ints[sfgo.NUMRRECVOPS_INT], NumWSendOps: e.Ints[sfgo.NUMWSENDOPS_INT],
		NumRRecvBytes: e.Ints[sfgo.NUMRRECVBYTES_INT], NumWSendBytes: e.Ints[sfgo.NUMWSENDBYTES_INT],
	}
}

func (e *Event) fileFlow() *sfgo.FileFlow {
	return &sfgo.FileFlow{
		ProcOID: e.proc(), Ts: e.Ints[sfgo.TS_INT], Tid: e.Ints[sfgo.TID_INT], OpFlags: e.num(sfgo.OPFLAGS_INT),
		OpenFlags: e.num(sfgo.FL_FILE_OPENFLAGS_INT), EndTs: e.Ints[sfgo.ENDTS_INT], FileOID: e.FileOID,
		Fd:          e.num(sfgo.FD_INT),
		NumRRecvOps: e.Ints[sfgo.NUMRRECVOPS_INT], NumWSendOps: e.Ints[sfgo.NUMWSENDOPS_INT],
		NumRRecvBytes: e.Ints[sfgo.NUMRRECVBYTES_INT], NumWSendBytes: e.Ints[sfgo.NUMWSENDBYTES_INT],
	}
}

func (e *Event) fileEvent() *sfgo.FileEvent {
	second := &sfgo.NewFileOIDUnion{}
	if e.HasNewFile {
		second.FOID, second.UnionType = e.NewFileOID, sfgo.NewFileOIDUnionTypeEnumFOID
	}
	return &sfgo.FileEvent{
		ProcOID: e.proc(), Ts: e.Ints[sfgo.TS_INT], Tid: e.Ints[sfgo.TID_INT], OpFlags: e.num(sfgo.OPFLAGS_INT),
		FileOID: e.FileOID, Ret: e.num(sfgo.RET_INT), NewFileOID: second,
	}
}

func (e *Event) networkEvent() *sfgo.NetworkEvent {
	return &sfgo.NetworkEvent{
		ProcOID: e.proc(), Ts: e.Ints[sfgo.TS_INT], Tid: e.Ints[sfgo.TID_INT], OpFlags: e.num(sfgo.OPFLAGS_INT),
		Sip: e.num(sfgo.FL_NETW_SIP_INT), Sport: e.num(sfgo.FL_NETW_SPORT_INT),
		Dip: e.num(sfgo.FL_NETW_DIP_INT), Dport: e.num(sfgo.FL_NETW_DPORT_INT),
		Proto: e.num(sfgo.FL_NETW_PROTO_INT), Ret: e.num(sfgo.RET_INT),
	}
}

func (e *Event) processFlow() *sfgo.ProcessFlow {
	return &sfgo.ProcessFlow{
		ProcOID: e.proc(), Ts: e.Ints[sfgo.TS_INT], OpFlags: e.num(sfgo.OPFLAGS_INT), EndTs: e.Ints[sfgo.ENDTS_INT],
		NumThreadsCloned: e.Ints[sfgo.FL_PROC_NUMTHREADSCLONED_INT],
		NumThreadsExited: e.Ints[sfgo.FL_PROC_NUMTHREADSEXITED_INT],
		NumCloneErrors:   e.Ints[sfgo.FL_PROC_NUMCLONEERRORS_INT],
	}
}

func (e *Event) k8sEvent() *sfgo.K8sEvent {
	return &sfgo.K8sEvent{
		Kind: sfgo.K8sComponent(e.Ints[sfgo.K8SE_KIND_INT]), Action: sfgo.K8sAction(e.Ints[sfgo.K8SE_ACTION_INT]),
		Ts: e.Ints[sfgo.TS_INT], Message: string(e.Message),
	}
}

func ownStrings(list [][]byte) []string {
	if len(list) == 0 {
		return nil
	}
	own := make([]string, len(list))
	for i, s := range list {
		own[i] = string(s)
	}
	return own
}

func ownPairs(list [][]byte) map[string]string {
	own := make(map[string]string, len(list)/2)
	for i := 0; i+1 < len(list); i += 2 {
		own[string(list[i])] = string(list[i+1])
	}
	return own
}
