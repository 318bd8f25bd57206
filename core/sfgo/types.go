package sfgo

// SFObjectState says why an entity was exported.
type SFObjectState int32

// Entity states, in schema order.
const (
	SFObjectStateCREATED SFObjectState = iota
	SFObjectStateMODIFIED
	SFObjectStateREUP
)

// ContainerType is the container runtime. Values outside the constants occur and mean "unknown".
type ContainerType int32

// Container types, in schema order.
const (
	ContainerTypeCT_DOCKER ContainerType = iota
	ContainerTypeCT_LXC
	ContainerTypeCT_LIBVIRT_LXC
	ContainerTypeCT_MESOS
	ContainerTypeCT_RKT
	ContainerTypeCT_CUSTOM
	ContainerTypeCT_CRI
	ContainerTypeCT_CONTAINERD
	ContainerTypeCT_CRIO
	ContainerTypeCT_BPM
)

// K8sComponent is the kind of object a Kubernetes event is about.
type K8sComponent int32

// Kubernetes components, in schema order.
const (
	K8sComponentK8S_NODES K8sComponent = iota
	K8sComponentK8S_NAMESPACES
	K8sComponentK8S_PODS
	K8sComponentK8S_REPLICATIONCONTROLLERS
	K8sComponentK8S_SERVICES
	K8sComponentK8S_EVENTS
	K8sComponentK8S_REPLICASETS
	K8sComponentK8S_DAEMONSETS
	K8sComponentK8S_DEPLOYMENTS
	K8sComponentK8S_UNKNOWN
)

// K8sAction is what happened to the object of a Kubernetes event.
type K8sAction int32

// Kubernetes actions, in schema order.
const (
	K8sActionK8S_COMPONENT_ADDED K8sAction = iota
	K8sActionK8S_COMPONENT_MODIFIED
	K8sActionK8S_COMPONENT_DELETED
	K8sActionK8S_COMPONENT_ERROR
	K8sActionK8S_COMPONENT_NONEXISTENT
	K8sActionK8S_COMPONENT_UNKNOWN
)

// OID identifies a process on one host: its creation time in nanoseconds (0 if unknown) and its host pid.
type OID struct {
	CreateTS int64
	Hpid     int64
}

// FOID identifies a file: 20 opaque bytes.
type FOID [20]byte

// SysFlow is one record of a trace.
type SysFlow struct {
	Rec *RecUnion
}

// RecUnionTypeEnum says which branch of a [RecUnion] is set; its values are the union indices of schema version 5.
type RecUnionTypeEnum int

// Branches of a RecUnion.
const (
	RecUnionTypeEnumSFHeader RecUnionTypeEnum = iota
	RecUnionTypeEnumContainer
	RecUnionTypeEnumProcess
	RecUnionTypeEnumFile
	RecUnionTypeEnumProcessEvent
	RecUnionTypeEnumNetworkFlow
	RecUnionTypeEnumFileFlow
	RecUnionTypeEnumFileEvent
	RecUnionTypeEnumNetworkEvent
	RecUnionTypeEnumProcessFlow
	RecUnionTypeEnumPod
	RecUnionTypeEnumK8sEvent
)

// RecUnion holds one record; the field that UnionType names is set, all others are nil.
type RecUnion struct {
	SFHeader     *SFHeader
	Container    *Container
	Process      *Process
	File         *File
	ProcessEvent *ProcessEvent
	NetworkFlow  *NetworkFlow
	FileFlow     *FileFlow
	FileEvent    *FileEvent
	NetworkEvent *NetworkEvent
	ProcessFlow  *ProcessFlow
	Pod          *Pod
	K8sEvent     *K8sEvent
	UnionType    RecUnionTypeEnum
}

// NullVal is the null branch of a union.
type NullVal struct{}

// PoidUnionTypeEnum says whether a [PoidUnion] holds an OID; its zero value means null.
type PoidUnionTypeEnum int

// PoidUnionTypeEnumOID marks a PoidUnion that holds an OID.
const PoidUnionTypeEnumOID PoidUnionTypeEnum = 1

// PoidUnion is an optional OID.
type PoidUnion struct {
	Null      *NullVal
	OID       *OID
	UnionType PoidUnionTypeEnum
}

// ContainerIdUnionTypeEnum says whether a [ContainerIdUnion] holds an id; its zero value means null.
type ContainerIdUnionTypeEnum int

// ContainerIdUnionTypeEnumString marks a ContainerIdUnion that holds an id.
const ContainerIdUnionTypeEnumString ContainerIdUnionTypeEnum = 1

// ContainerIdUnion is an optional container id.
type ContainerIdUnion struct {
	Null      *NullVal
	String    string
	UnionType ContainerIdUnionTypeEnum
}

// PodIdUnionTypeEnum says whether a [PodIdUnion] holds an id; its zero value means null.
type PodIdUnionTypeEnum int

// PodIdUnionTypeEnumString marks a PodIdUnion that holds an id.
const PodIdUnionTypeEnumString PodIdUnionTypeEnum = 1

// PodIdUnion is an optional pod id.
type PodIdUnion struct {
	Null      *NullVal
	String    string
	UnionType PodIdUnionTypeEnum
}

// NewFileOIDUnionTypeEnum says whether a [NewFileOIDUnion] holds a FOID; its zero value means null.
type NewFileOIDUnionTypeEnum int

// NewFileOIDUnionTypeEnumFOID marks a NewFileOIDUnion that holds a FOID.
const NewFileOIDUnionTypeEnumFOID NewFileOIDUnionTypeEnum = 1

// NewFileOIDUnion is an optional FOID.
type NewFileOIDUnion struct {
	Null      *NullVal
	FOID      FOID
	UnionType NewFileOIDUnionTypeEnum
}

// SFHeader starts a trace, or a new epoch of a stream: every entity known before is forgotten.
type SFHeader struct {
	Version  int64  // as claimed by the writer; informational only
	Exporter string // id of the node
	Ip       string // address of the node, "NA" where the schema has none
	Filename string // output path as the collector sees it
}

// Container is a container. A later record with the same Id replaces it.
type Container struct {
	Id         string
	Name       string
	Image      string
	Imageid    string
	Type       ContainerType
	Privileged bool
	PodId      *PodIdUnion
}

// Process is a process. A later record with the same Oid replaces it.
type Process struct {
	State       SFObjectState
	Oid         *OID
	Poid        *PoidUnion
	Ts          int64 // last change seen, ns
	Exe         string
	ExeArgs     string
	Uid         int32 // -1 if unknown
	UserName    string
	Gid         int32 // -1 if unknown
	GroupName   string
	Tty         bool
	ContainerId *ContainerIdUnion
	Entry       bool
	Cwd         string
	Env         []string
}

// File is a file, pipe or socket. A later record with the same Oid replaces it.
type File struct {
	State       SFObjectState
	Oid         FOID
	Ts          int64 // first seen, ns
	Restype     int32 // ASCII code of the resource type letter
	Path        string
	ContainerId *ContainerIdUnion
}

// Port is a port of a Kubernetes service.
type Port struct {
	Port       int32
	TargetPort int32
	NodePort   int32
	Proto      string
}

// Service is a Kubernetes service that selects a pod.
type Service struct {
	Name      string
	Id        string
	Namespace string
	PortList  []*Port
	ClusterIP []int64
}

// Pod is a Kubernetes pod. A later record with the same Id replaces it.
type Pod struct {
	Ts           int64
	Id           string
	Name         string
	NodeName     string
	HostIP       []int64
	InternalIP   []int64
	Namespace    string
	RestartCount int64
	Labels       map[string]string
	Selectors    map[string]string
	Services     []*Service
}

// ProcessEvent is an operation on a process.
type ProcessEvent struct {
	ProcOID *OID
	Ts      int64
	Tid     int64
	OpFlags int32
	Args    []string // SETUID: the target user's name
	Ret     int32
}

// FileEvent is an operation on a file's name.
type FileEvent struct {
	ProcOID    *OID
	Ts         int64
	Tid        int64
	OpFlags    int32
	FileOID    FOID
	Ret        int32
	NewFileOID *NewFileOIDUnion
}

// NetworkEvent is reserved by the schema; no writer produces it.
type NetworkEvent struct {
	ProcOID *OID
	Ts      int64
	Tid     int64
	OpFlags int32
	Sip     int32
	Sport   int32
	Dip     int32
	Dport   int32
	Proto   int32
	Ret     int32
}

// NetworkFlow sums up the operations on one network descriptor.
type NetworkFlow struct {
	ProcOID       *OID
	Ts            int64
	Tid           int64
	OpFlags       int32
	EndTs         int64
	Sip           int32
	Sport         int32
	Dip           int32
	Dport         int32
	Proto         int32
	Fd            int32
	NumRRecvOps   int64
	NumWSendOps   int64
	NumRRecvBytes int64
	NumWSendBytes int64
}

// FileFlow sums up the operations on one file descriptor.
type FileFlow struct {
	ProcOID       *OID
	Ts            int64
	Tid           int64
	OpFlags       int32
	OpenFlags     int32
	EndTs         int64
	FileOID       FOID
	Fd            int32
	NumRRecvOps   int64
	NumWSendOps   int64
	NumRRecvBytes int64
	NumWSendBytes int64
}

// ProcessFlow sums up the threads that a process created and lost.
type ProcessFlow struct {
	ProcOID          *OID
	Ts               int64
	NumThreadsCloned int64
	OpFlags          int32
	EndTs            int64
	NumThreadsExited int64
	NumCloneErrors   int64
}

// K8sEvent is an event of the Kubernetes API server.
type K8sEvent struct {
	Kind    K8sComponent
	Action  K8sAction
	Ts      int64
	Message string // JSON
}
