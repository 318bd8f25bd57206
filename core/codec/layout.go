package codec

import "github.com/sysflow-telemetry/sf-processor/core/sfgo"

// This file is the current schema, version 5, as the decoder sees it: the fields it looks for in a writer's records, by
// name, and where in a Record their values go. Fields that a writer lacks keep what Record.reset has put there, fields
// that only a writer has are skipped.

// A target is a field to look for.
type target struct {
	name string
	to   dest
	key  bool // without it the record is of no use
}

// A dest is a place for the values of a field. Which types of a writer it takes is up to its compile method.
type dest interface {
	compile(t *avroType, s *seq, name string) error
}

// The places there are. A function returns the place within a record; for an item of a list, that is the item added
// last.
type (
	slotLong   sfgo.Attribute // a long in Event.Ints
	slotInt    sfgo.Attribute // an int in Event.Ints
	slotFlags  sfgo.Attribute // an int in Event.Ints, with the bits of an operation
	slotSymbol struct {       // an enum in Event.Ints
		slot   sfgo.Attribute
		values symbols
	}
	toLong     func(*Record) *int64
	toInt      func(*Record) *int32
	toBool     func(*Record) *bool
	toBytes    func(*Record) *[]byte
	toOptional func(*Record) *Optional
	toFOID     func(*Record) *sfgo.FOID
	toStrings  func(*Record) *[][]byte // an array of strings
	toPairs    func(*Record) *[][]byte // a map of strings
	toLongs    func(*Record) *[]int64  // an array of longs
	toSymbol   struct {                // an enum
		at     func(*Record) *int32
		values symbols
	}
	toList struct { // an array of records
		add    func(*Record)
		fields []target
	}
	toFields []target // a record
	toMaybe  struct { // a value that may be null
		valid func(*Record) *bool
		to    dest
	}
)

// symbols are the symbols of an enum of ours.
type symbols struct {
	values  map[string]int32
	unknown int32 // stands for a symbol that is not in values
	lenient bool  // an index without a symbol is unknown, too, and not a fault
}

// numbered gives symbols the values from 0 up.
func numbered(names ...string) map[string]int32 {
	m := make(map[string]int32, len(names))
	for i, n := range names {
		m[n] = int32(i)
	}
	return m
}

// branch is a record type of ours.
type branch struct {
	typ    int64 // sfgo.HEADER and so on
	fields []target
}

// A layout is the set of record types by their full name.
type layout map[string]branch

// processFlow is the name that two record types have had.
const processFlow = "sysflow.flow.ProcessFlow"

// find returns the record type of a writer's record.
func (l layout) find(t *avroType) (branch, bool) {
	name := t.name
	if name == processFlow && t.field("ret") != nil {
		name = "sysflow.event.ProcessEvent" // its name in the schemas S1 and S2
	}
	b, ok := l[name]
	return b, ok
}

// currentLayout returns the layout of schema version 5, with the fields that only older versions had.
func currentLayout() layout {
	return layout{
		"sysflow.entity.SFHeader":    {sfgo.HEADER, headerFields()},
		"sysflow.entity.Container":   {sfgo.CONT, containerFields()},
		"sysflow.entity.Process":     {sfgo.PROC, processFields()},
		"sysflow.entity.File":        {sfgo.FILE, fileFields()},
		"sysflow.entity.Pod":         {sfgo.POD, podFields()},
		"sysflow.event.ProcessEvent": {sfgo.PROC_EVT, processEventFields()},
		"sysflow.event.FileEvent":    {sfgo.FILE_EVT, fileEventFields()},
		"sysflow.event.NetworkEvent": {sfgo.NET_EVT, networkEventFields()},
		"sysflow.event.K8sEvent":     {sfgo.K8S_EVT, k8sEventFields()},
		"sysflow.flow.NetworkFlow":   {sfgo.NET_FLOW, networkFlowFields()},
		"sysflow.flow.FileFlow":      {sfgo.FILE_FLOW, fileFlowFields()},
		processFlow:                  {sfgo.PROC_FLOW, processFlowFields()},
	}
}

func headerFields() []target {
	return []target{
		{name: "version", to: toLong(func(r *Record) *int64 { return &r.Header.Version })},
		{name: "exporter", to: toBytes(func(r *Record) *[]byte { return &r.Header.Exporter })},
		{name: "ip", to: toBytes(func(r *Record) *[]byte { return &r.Header.IP })},
		{name: "filename", to: toBytes(func(r *Record) *[]byte { return &r.Header.Filename })},
	}
}

func containerFields() []target {
	types := symbols{
		values: numbered("CT_DOCKER", "CT_LXC", "CT_LIBVIRT_LXC", "CT_MESOS", "CT_RKT", "CT_CUSTOM", "CT_CRI",
			"CT_CONTAINERD", "CT_CRIO", "CT_BPM"),
		unknown: -1,
		lenient: true,
	}
	return []target{
		{name: "id", key: true, to: toBytes(func(r *Record) *[]byte { return &r.Container.ID })},
		{name: "name", to: toBytes(func(r *Record) *[]byte { return &r.Container.Name })},
		{name: "image", to: toBytes(func(r *Record) *[]byte { return &r.Container.Image })},
		{name: "imageid", to: toBytes(func(r *Record) *[]byte { return &r.Container.ImageID })},
		{name: "type", to: toSymbol{func(r *Record) *int32 { return &r.Container.Type }, types}},
		{name: "privileged", to: toBool(func(r *Record) *bool { return &r.Container.Privileged })},
		{name: "podId", to: toOptional(func(r *Record) *Optional { return &r.Container.PodID })},
	}
}

// objectStates is the enum SFObjectState, which S1 calls ActionType.
func objectStates() symbols {
	return symbols{values: numbered("CREATED", "MODIFIED", "REUP"), unknown: -1}
}

func processFields() []target {
	state := toSymbol{func(r *Record) *int32 { return &r.Process.State }, objectStates()}
	return []target{
		{name: "state", to: state},
		{name: "type", to: state}, // S1
		{name: "oid", key: true, to: oidFields(func(r *Record) *sfgo.OID { return &r.Process.OID })},
		{name: "poid", to: toMaybe{
			func(r *Record) *bool { return &r.Process.HasPOID },
			oidFields(func(r *Record) *sfgo.OID { return &r.Process.POID }),
		}},
		{name: "ts", to: toLong(func(r *Record) *int64 { return &r.Process.TS })},
		{name: "exe", to: toBytes(func(r *Record) *[]byte { return &r.Process.Exe })},
		{name: "exeArgs", to: toBytes(func(r *Record) *[]byte { return &r.Process.ExeArgs })},
		{name: "uid", to: toInt(func(r *Record) *int32 { return &r.Process.UID })},
		{name: "userName", to: toBytes(func(r *Record) *[]byte { return &r.Process.UserName })},
		{name: "gid", to: toInt(func(r *Record) *int32 { return &r.Process.GID })},
		{name: "groupName", to: toBytes(func(r *Record) *[]byte { return &r.Process.GroupName })},
		{name: "tty", to: toBool(func(r *Record) *bool { return &r.Process.TTY })},
		{name: "containerId", to: toOptional(func(r *Record) *Optional { return &r.Process.ContainerID })},
		{name: "entry", to: toBool(func(r *Record) *bool { return &r.Process.Entry })},
		{name: "cwd", to: toBytes(func(r *Record) *[]byte { return &r.Process.Cwd })},
		{name: "env", to: toStrings(func(r *Record) *[][]byte { return &r.Process.Env })},
	}
}

func oidFields(at func(*Record) *sfgo.OID) toFields {
	return toFields{
		{name: "createTS", key: true, to: toLong(func(r *Record) *int64 { return &at(r).CreateTS })},
		{name: "hpid", key: true, to: toLong(func(r *Record) *int64 { return &at(r).Hpid })},
	}
}

func fileFields() []target {
	return []target{
		{name: "state", to: toSymbol{func(r *Record) *int32 { return &r.File.State }, objectStates()}},
		{name: "oid", key: true, to: toFOID(func(r *Record) *sfgo.FOID { return &r.File.OID })},
		{name: "ts", to: toLong(func(r *Record) *int64 { return &r.File.TS })},
		{name: "restype", to: toInt(func(r *Record) *int32 { return &r.File.ResType })},
		{name: "path", to: toBytes(func(r *Record) *[]byte { return &r.File.Path })},
		{name: "containerId", to: toOptional(func(r *Record) *Optional { return &r.File.ContainerID })},
	}
}

func podFields() []target {
	return []target{
		{name: "ts", to: toLong(func(r *Record) *int64 { return &r.Pod.TS })},
		{name: "id", key: true, to: toBytes(func(r *Record) *[]byte { return &r.Pod.ID })},
		{name: "name", to: toBytes(func(r *Record) *[]byte { return &r.Pod.Name })},
		{name: "nodeName", to: toBytes(func(r *Record) *[]byte { return &r.Pod.NodeName })},
		{name: "hostIP", to: toLongs(func(r *Record) *[]int64 { return &r.Pod.HostIP })},
		{name: "internalIP", to: toLongs(func(r *Record) *[]int64 { return &r.Pod.InternalIP })},
		{name: "namespace", to: toBytes(func(r *Record) *[]byte { return &r.Pod.Namespace })},
		{name: "restartCount", to: toLong(func(r *Record) *int64 { return &r.Pod.RestartCount })},
		{name: "labels", to: toPairs(func(r *Record) *[][]byte { return &r.Pod.Labels })},
		{name: "selectors", to: toPairs(func(r *Record) *[][]byte { return &r.Pod.Selectors })},
		{name: "services", to: toList{addService, serviceFields()}},
	}
}

// addService appends an empty service to the pod. One that was there before lends it the memory of its slices.
func addService(r *Record) {
	n := len(r.Pod.Services)
	if n == cap(r.Pod.Services) {
		r.Pod.Services = append(r.Pod.Services, Service{})
		return
	}
	r.Pod.Services = r.Pod.Services[:n+1]
	s := &r.Pod.Services[n]
	*s = Service{Ports: s.Ports[:0], ClusterIP: s.ClusterIP[:0]}
}

func lastService(r *Record) *Service { return &r.Pod.Services[len(r.Pod.Services)-1] }

func addPort(r *Record) {
	s := lastService(r)
	s.Ports = append(s.Ports, Port{})
}

func lastPort(r *Record) *Port {
	ports := lastService(r).Ports
	return &ports[len(ports)-1]
}

func serviceFields() []target {
	return []target{
		{name: "name", to: toBytes(func(r *Record) *[]byte { return &lastService(r).Name })},
		{name: "id", to: toBytes(func(r *Record) *[]byte { return &lastService(r).ID })},
		{name: "namespace", to: toBytes(func(r *Record) *[]byte { return &lastService(r).Namespace })},
		{name: "portList", to: toList{addPort, portFields()}},
		{name: "clusterIP", to: toLongs(func(r *Record) *[]int64 { return &lastService(r).ClusterIP })},
	}
}

func portFields() []target {
	return []target{
		{name: "port", to: toInt(func(r *Record) *int32 { return &lastPort(r).Port })},
		{name: "targetPort", to: toInt(func(r *Record) *int32 { return &lastPort(r).TargetPort })},
		{name: "nodePort", to: toInt(func(r *Record) *int32 { return &lastPort(r).NodePort })},
		{name: "proto", to: toBytes(func(r *Record) *[]byte { return &lastPort(r).Proto })},
	}
}

// eventHead is what flows and events begin with; ProcessFlow has no tid.
func eventHead() []target {
	return []target{
		{name: "procOID", key: true, to: toFields{
			{name: "createTS", key: true, to: slotLong(sfgo.PROC_OID_CREATETS_INT)},
			{name: "hpid", key: true, to: slotLong(sfgo.PROC_OID_HPID_INT)},
		}},
		{name: "ts", to: slotLong(sfgo.TS_INT)},
		{name: "tid", to: slotLong(sfgo.TID_INT)},
		{name: "opFlags", to: slotFlags(sfgo.OPFLAGS_INT)},
	}
}

// counters are the fields that flows end with.
func counters() []target {
	return []target{
		{name: "fd", to: slotInt(sfgo.FD_INT)},
		{name: "numRRecvOps", to: slotLong(sfgo.NUMRRECVOPS_INT)},
		{name: "numWSendOps", to: slotLong(sfgo.NUMWSENDOPS_INT)},
		{name: "numRRecvBytes", to: slotLong(sfgo.NUMRRECVBYTES_INT)},
		{name: "numWSendBytes", to: slotLong(sfgo.NUMWSENDBYTES_INT)},
	}
}

// peers are the two ends of a connection.
func peers() []target {
	return []target{
		{name: "sip", to: slotInt(sfgo.FL_NETW_SIP_INT)},
		{name: "sport", to: slotInt(sfgo.FL_NETW_SPORT_INT)},
		{name: "dip", to: slotInt(sfgo.FL_NETW_DIP_INT)},
		{name: "dport", to: slotInt(sfgo.FL_NETW_DPORT_INT)},
		{name: "proto", to: slotInt(sfgo.FL_NETW_PROTO_INT)},
	}
}

func processEventFields() []target {
	// In S1 the operation is an enum; its symbols have the values of the bits that came later.
	operation := symbols{values: map[string]int32{"CLONE": 1, "EXEC": 2, "EXIT": 4}}
	return append(eventHead(),
		target{name: "type", to: slotSymbol{sfgo.OPFLAGS_INT, operation}},
		target{name: "args", to: toStrings(func(r *Record) *[][]byte { return &r.Event.Args })},
		target{name: "ret", to: slotInt(sfgo.RET_INT)},
	)
}

func eventFile() target {
	return target{name: "fileOID", key: true, to: toFOID(func(r *Record) *sfgo.FOID { return &r.Event.FileOID })}
}

func fileEventFields() []target {
	return append(eventHead(),
		eventFile(),
		target{name: "ret", to: slotInt(sfgo.RET_INT)},
		target{name: "newFileOID", to: toMaybe{
			func(r *Record) *bool { return &r.Event.HasNewFile },
			toFOID(func(r *Record) *sfgo.FOID { return &r.Event.NewFileOID }),
		}},
	)
}

func networkEventFields() []target {
	return append(append(eventHead(), peers()...), target{name: "ret", to: slotInt(sfgo.RET_INT)})
}

func networkFlowFields() []target {
	fields := append(eventHead(), target{name: "endTs", to: slotLong(sfgo.ENDTS_INT)})
	return append(append(fields, peers()...), counters()...)
}

func fileFlowFields() []target {
	fields := append(eventHead(),
		target{name: "openFlags", to: slotInt(sfgo.FL_FILE_OPENFLAGS_INT)},
		target{name: "endTs", to: slotLong(sfgo.ENDTS_INT)},
		eventFile())
	return append(fields, counters()...)
}

func processFlowFields() []target {
	return append(eventHead(),
		target{name: "numThreadsCloned", to: slotLong(sfgo.FL_PROC_NUMTHREADSCLONED_INT)},
		target{name: "endTs", to: slotLong(sfgo.ENDTS_INT)},
		target{name: "numThreadsExited", to: slotLong(sfgo.FL_PROC_NUMTHREADSEXITED_INT)},
		target{name: "numCloneErrors", to: slotLong(sfgo.FL_PROC_NUMCLONEERRORS_INT)},
	)
}

func k8sEventFields() []target {
	kinds := symbols{
		values: numbered("K8S_NODES", "K8S_NAMESPACES", "K8S_PODS", "K8S_REPLICATIONCONTROLLERS", "K8S_SERVICES",
			"K8S_EVENTS", "K8S_REPLICASETS", "K8S_DAEMONSETS", "K8S_DEPLOYMENTS", "K8S_UNKNOWN"),
		unknown: int32(sfgo.K8sComponentK8S_UNKNOWN),
	}
	actions := symbols{
		values: numbered("K8S_COMPONENT_ADDED", "K8S_COMPONENT_MODIFIED", "K8S_COMPONENT_DELETED",
			"K8S_COMPONENT_ERROR", "K8S_COMPONENT_NONEXISTENT", "K8S_COMPONENT_UNKNOWN"),
		unknown: int32(sfgo.K8sActionK8S_COMPONENT_UNKNOWN),
	}
	return []target{
		{name: "kind", to: slotSymbol{sfgo.K8SE_KIND_INT, kinds}},
		{name: "action", to: slotSymbol{sfgo.K8SE_ACTION_INT, actions}},
		{name: "ts", to: slotLong(sfgo.TS_INT)},
		{name: "message", to: toBytes(func(r *Record) *[]byte { return &r.Event.Message })},
	}
}
