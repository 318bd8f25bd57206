package codec

import (
	"bytes"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Record is one decoded record, in the terms of the current schema whatever the writer's. Which of its members counts
// follows from Type. A Record is reused for the next one: the byte slices in it point into the block it was decoded
// from, and what is kept must be copied. Members that Type does not name hold old values.
type Record struct {
	// Type is the record type, sfgo.HEADER and so on.
	Type int64

	Event     Event     // PROC_EVT, NET_FLOW, FILE_FLOW, FILE_EVT, NET_EVT, PROC_FLOW, K8S_EVT
	Header    Header    // HEADER
	Container Container // CONT
	Process   Process   // PROC
	File      File      // FILE
	Pod       Pod       // POD

	items int // of all arrays and maps of the record so far
}

// notConfigured is the address of a header whose schema has none. It is never written.
var notConfigured = []byte("NA")

// reset makes r ready for a record of a type: each field has the value it keeps if the writer does not have the field.
// Memory of slices is kept.
func (r *Record) reset(typ int64) {
	r.Type = typ
	r.items = 0
	switch typ {
	case sfgo.HEADER:
		r.Header = Header{Version: 5, IP: notConfigured}
	case sfgo.CONT:
		r.Container = Container{}
	case sfgo.PROC:
		r.Process = Process{Env: r.Process.Env[:0]}
	case sfgo.FILE:
		r.File = File{}
	case sfgo.POD:
		p := &r.Pod
		*p = Pod{
			HostIP: p.HostIP[:0], InternalIP: p.InternalIP[:0],
			Labels: p.Labels[:0], Selectors: p.Selectors[:0], Services: p.Services[:0],
		}
	case sfgo.UNKNOWN_TYPE:
	default:
		e := &r.Event
		// No other slots below TS_INT are ever written.
		e.Ints[sfgo.K8SE_KIND_INT], e.Ints[sfgo.K8SE_ACTION_INT] = 0, 0
		e.Ints[sfgo.PROC_OID_CREATETS_INT], e.Ints[sfgo.PROC_OID_HPID_INT] = 0, 0
		clear(e.Ints[sfgo.TS_INT:])
		e.HasNewFile = false
		e.Args = e.Args[:0]
		e.Message = nil
	}
}

// finish derives what is not written as it is wanted.
func (r *Record) finish() {
	switch r.Type {
	case sfgo.PROC_FLOW:
		r.Event.Ints[sfgo.TID_INT] = r.Event.Ints[sfgo.PROC_OID_HPID_INT]
	case sfgo.K8S_EVT:
		r.Event.Message = bytes.TrimRight(r.Event.Message, "\n\x00")
	}
}

// itemRun is like the function of that name and keeps the number of items within bounds.
func (r *Record) itemRun(b []byte, i int) (count, end, next int) {
	count, end, next = itemRun(b, i)
	if r.items += count; r.items > maxItems {
		return 0, 0, faultItems
	}
	return count, end, next
}

// Event is a flow or event. Its numbers are decoded into the slots they have in a flat record: those of the acting
// process (PROC_OID_CREATETS_INT, PROC_OID_HPID_INT) and those from TS_INT up, or the K8SE ones. All other slots are
// zero, and so are those from TS_INT up that the type does not have; but PROC_FLOW, which has no thread, has the process
// id in TID_INT.
type Event struct {
	Ints       [sfgo.INT_ARRAY_SIZE]int64
	FileOID    sfgo.FOID // FILE_FLOW, FILE_EVT
	NewFileOID sfgo.FOID // FILE_EVT, if HasNewFile
	HasNewFile bool
	Args       [][]byte // PROC_EVT
	Message    []byte   // K8S_EVT, without the newline and NUL that end it
}

// ProcOID returns the acting process.
func (e *Event) ProcOID() sfgo.OID {
	return sfgo.OID{CreateTS: e.Ints[sfgo.PROC_OID_CREATETS_INT], Hpid: e.Ints[sfgo.PROC_OID_HPID_INT]}
}

// Optional is a string that may be null.
type Optional struct {
	Bytes []byte
	Valid bool
}

// Header is an SFHeader.
type Header struct {
	Version  int64
	Exporter []byte
	IP       []byte
	Filename []byte
}

// Container is a container.
type Container struct {
	ID         []byte
	Name       []byte
	Image      []byte
	ImageID    []byte
	Type       int32 // an sfgo.ContainerType; out of its range if the writer's symbol is unknown
	Privileged bool
	PodID      Optional
}

// Process is a process.
type Process struct {
	State       int32
	OID         sfgo.OID
	POID        sfgo.OID
	HasPOID     bool
	TS          int64
	Exe         []byte
	ExeArgs     []byte
	UID         int32
	UserName    []byte
	GID         int32
	GroupName   []byte
	TTY         bool
	ContainerID Optional
	Entry       bool
	Cwd         []byte
	Env         [][]byte
}

// File is a file.
type File struct {
	State       int32
	OID         sfgo.FOID
	TS          int64
	ResType     int32
	Path        []byte
	ContainerID Optional
}

// Pod is a Kubernetes pod. Labels and Selectors alternate keys and values.
type Pod struct {
	TS           int64
	ID           []byte
	Name         []byte
	NodeName     []byte
	HostIP       []int64
	InternalIP   []int64
	Namespace    []byte
	RestartCount int64
	Labels       [][]byte
	Selectors    [][]byte
	Services     []Service
}

// Service is a Kubernetes service.
type Service struct {
	Name      []byte
	ID        []byte
	Namespace []byte
	Ports     []Port
	ClusterIP []int64
}

// Port is a port of a Kubernetes service.
type Port struct {
	Port       int32
	TargetPort int32
	NodePort   int32
	Proto      []byte
}
