package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// ErrNotInSchema is the cause of an error for a record, or a value in one, that a writer schema cannot express. The
// record can be left out, or written with a newer schema.
var ErrNotInSchema = errors.New("the writer schema has no place for it")

// Encoder encodes records for one writer schema. Attributes that the schema lacks are left out. An Encoder has no
// state: any number of goroutines may use it.
//
// It is written by hand because a general Avro encoder wants each record as a map, made anew by code as long as this, takes
// 25 times as long, and insists that the times of S5 and S6 are milliseconds. The tests hold it to one.
type Encoder struct {
	age    int                             // the n of schema Sn; the comments below say what changed when
	branch [sfgo.UNKNOWN_TYPE]int64        // position in the schema's union by record type, -1 if it has none
	opBits func(flags int32) (int32, bool) // current opFlags to those of the schema
}

// NewEncoder returns an encoder for the writer schema with the given id, S1 to S11.
func NewEncoder(schema string) (*Encoder, error) {
	i := slices.Index(SchemaIDs(), schema)
	if i < 0 {
		return nil, fmt.Errorf("unknown writer schema %q: want one of %v", schema, SchemaIDs())
	}
	e := &Encoder{age: i + 1, opBits: sameBits}
	since := [sfgo.UNKNOWN_TYPE]int{
		sfgo.HEADER: 1, sfgo.CONT: 1, sfgo.PROC: 1, sfgo.FILE: 2, sfgo.PROC_EVT: 1, sfgo.NET_FLOW: 2, sfgo.FILE_FLOW: 2,
		sfgo.FILE_EVT: 3, sfgo.NET_EVT: 4, sfgo.PROC_FLOW: 7, sfgo.POD: 10, sfgo.K8S_EVT: 10,
	}
	var next int64 // branches were only ever added in the order of the record types
	for t, age := range since {
		e.branch[t] = -1
		if e.age >= age {
			e.branch[t] = next
			next++
		}
	}
	if e.age == 2 {
		e.opBits = oldBits
	}
	return e, nil
}

// Append appends rec to dst as one datum, which is also what a message on a collector's socket holds. If it fails, dst
// is returned as it was.
func (e *Encoder) Append(dst []byte, rec *sfgo.SysFlow) ([]byte, error) {
	if rec == nil || rec.Rec == nil {
		return dst, errors.New("encode record: it is nil")
	}
	kind := rec.Rec.UnionType
	if kind < 0 || int64(kind) >= sfgo.UNKNOWN_TYPE {
		return dst, fmt.Errorf("encode record: unknown type %d", kind)
	}
	if e.branch[kind] < 0 {
		return dst, fmt.Errorf("encode record of type %d for S%d: %w", kind, e.age, ErrNotInSchema)
	}
	b, err := e.record(binary.AppendVarint(dst, e.branch[kind]), rec.Rec)
	if err != nil {
		return dst, fmt.Errorf("encode record of type %d for S%d: %w", kind, e.age, err)
	}
	return b, nil
}

// errNoBranch says that UnionType names a branch that is nil.
var errNoBranch = errors.New("the branch that UnionType names is nil")

func (e *Encoder) record(b []byte, r *sfgo.RecUnion) ([]byte, error) {
	switch int64(r.UnionType) {
	case sfgo.HEADER:
		if v := r.SFHeader; v != nil {
			return e.header(b, v), nil
		}
	case sfgo.CONT:
		if v := r.Container; v != nil {
			return e.container(b, v)
		}
	case sfgo.PROC:
		if v := r.Process; v != nil {
			return e.process(b, v)
		}
	case sfgo.FILE:
		if v := r.File; v != nil {
			return e.file(b, v)
		}
	case sfgo.PROC_EVT:
		if v := r.ProcessEvent; v != nil && e.age == 1 {
			return e.oldProcessEvent(b, v)
		} else if v != nil {
			return e.processEvent(b, v)
		}
	case sfgo.NET_FLOW:
		if v := r.NetworkFlow; v != nil {
			return e.networkFlow(b, v)
		}
	case sfgo.FILE_FLOW:
		if v := r.FileFlow; v != nil {
			return e.fileFlow(b, v)
		}
	case sfgo.FILE_EVT:
		if v := r.FileEvent; v != nil {
			return e.fileEvent(b, v)
		}
	case sfgo.NET_EVT:
		if v := r.NetworkEvent; v != nil {
			return e.networkEvent(b, v)
		}
	case sfgo.PROC_FLOW:
		if v := r.ProcessFlow; v != nil {
			return e.processFlow(b, v)
		}
	case sfgo.POD:
		if v := r.Pod; v != nil {
			return e.pod(b, v)
		}
	case sfgo.K8S_EVT:
		if v := r.K8sEvent; v != nil {
			return e.k8sEvent(b, v)
		}
	}
	return b, errNoBranch
}

func (e *Encoder) header(b []byte, h *sfgo.SFHeader) []byte {
	b = appendInts(b, h.Version)
	b = appendText(b, h.Exporter)
	if e.age >= 7 {
		b = appendText(b, h.Ip)
	}
	if e.age >= 9 {
		b = appendText(b, h.Filename)
	}
	return b
}

func (e *Encoder) container(b []byte, c *sfgo.Container) ([]byte, error) {
	types := int64(10)
	if e.age < 6 {
		types = 6
	}
	b = appendText(b, c.Id, c.Name, c.Image, c.Imageid)
	b, err := appendEnum(b, "container type", int64(c.Type), types)
	if err != nil {
		return b, err
	}
	if e.age >= 2 {
		b = appendBool(b, c.Privileged)
	}
	if e.age == 7 {
		b = appendText(b, "NA") // imagerepo, at its default
	}
	if e.age >= 10 {
		if id := c.PodId; id != nil && id.UnionType == sfgo.PodIdUnionTypeEnumString {
			return appendText(appendInts(b, 1), id.String), nil
		}
		b = appendInts(b, 0)
	}
	return b, nil
}

func (e *Encoder) process(b []byte, p *sfgo.Process) ([]byte, error) {
	b, err := appendEnum(b, "state", int64(p.State), 3)
	if err != nil {
		return b, err
	}
	if b, err = appendOID(b, p.Oid); err != nil {
		return b, err
	}
	if p.Poid == nil || p.Poid.UnionType != sfgo.PoidUnionTypeEnumOID {
		b = appendInts(b, 0)
	} else if b, err = appendOID(appendInts(b, 1), p.Poid.OID); err != nil {
		return b, err
	}
	b = appendInts(b, p.Ts)
	b = appendText(b, p.Exe, p.ExeArgs)
	b = appendText(appendInts(b, int64(p.Uid)), p.UserName)
	b = appendText(appendInts(b, int64(p.Gid)), p.GroupName)
	if e.age >= 2 {
		b = appendBool(b, p.Tty)
	}
	b = appendContainerID(b, p.ContainerId)
	if e.age >= 7 {
		b = appendBool(b, p.Entry)
	}
	if e.age >= 11 {
		b = appendText(b, p.Cwd)
		b = appendTexts(b, p.Env)
	}
	return b, nil
}

func (e *Encoder) file(b []byte, f *sfgo.File) ([]byte, error) {
	b, err := appendEnum(b, "state", int64(f.State), 3)
	if err != nil {
		return b, err
	}
	b = append(b, f.Oid[:]...)
	b = appendInts(b, f.Ts, int64(f.Restype))
	b = appendText(b, f.Path)
	return appendContainerID(b, f.ContainerId), nil
}

// oldProcessEvent encodes the event-shaped ProcessFlow of S1, which names its operation.
func (e *Encoder) oldProcessEvent(b []byte, v *sfgo.ProcessEvent) ([]byte, error) {
	op := slices.Index([]int32{sfgo.OP_CLONE, sfgo.OP_EXEC, sfgo.OP_EXIT}, v.OpFlags)
	if op < 0 {
		return b, fmt.Errorf("operation flags %d: %w", v.OpFlags, ErrNotInSchema)
	}
	b, err := appendOID(appendInts(b, int64(op), v.Ts), v.ProcOID)
	if err != nil {
		return b, err
	}
	b = appendTexts(appendInts(b, v.Tid), v.Args)
	return appendInts(b, int64(v.Ret)), nil
}

// eventHead encodes what most flows and events begin with.
func (e *Encoder) eventHead(b []byte, oid *sfgo.OID, ts, tid int64, opFlags int32) ([]byte, error) {
	flags, ok := e.opBits(opFlags)
	if !ok {
		return b, fmt.Errorf("operation flags %d: %w", opFlags, ErrNotInSchema)
	}
	b, err := appendOID(b, oid)
	return appendInts(b, ts, tid, int64(flags)), err
}

func (e *Encoder) processEvent(b []byte, v *sfgo.ProcessEvent) ([]byte, error) {
	b, err := e.eventHead(b, v.ProcOID, v.Ts, v.Tid, v.OpFlags)
	return appendInts(appendTexts(b, v.Args), int64(v.Ret)), err
}

func (e *Encoder) networkFlow(b []byte, v *sfgo.NetworkFlow) ([]byte, error) {
	b, err := e.eventHead(b, v.ProcOID, v.Ts, v.Tid, v.OpFlags)
	b = appendInts(b, v.EndTs, int64(v.Sip), int64(v.Sport), int64(v.Dip), int64(v.Dport), int64(v.Proto))
	if e.age >= 4 {
		b = appendInts(b, int64(v.Fd))
	}
	return appendInts(b, v.NumRRecvOps, v.NumWSendOps, v.NumRRecvBytes, v.NumWSendBytes), err
}

func (e *Encoder) fileFlow(b []byte, v *sfgo.FileFlow) ([]byte, error) {
	b, err := e.eventHead(b, v.ProcOID, v.Ts, v.Tid, v.OpFlags)
	if e.age >= 3 {
		b = appendInts(b, int64(v.OpenFlags))
	}
	b = append(appendInts(b, v.EndTs), v.FileOID[:]...)
	return appendInts(b, int64(v.Fd), v.NumRRecvOps, v.NumWSendOps, v.NumRRecvBytes, v.NumWSendBytes), err
}

func (e *Encoder) fileEvent(b []byte, v *sfgo.FileEvent) ([]byte, error) {
	b, err := e.eventHead(b, v.ProcOID, v.Ts, v.Tid, v.OpFlags)
	b = appendInts(append(b, v.FileOID[:]...), int64(v.Ret))
	if v.NewFileOID == nil || v.NewFileOID.UnionType != sfgo.NewFileOIDUnionTypeEnumFOID {
		return appendInts(b, 0), err
	}
	return append(appendInts(b, 1), v.NewFileOID.FOID[:]...), err
}

func (e *Encoder) networkEvent(b []byte, v *sfgo.NetworkEvent) ([]byte, error) {
	b, err := e.eventHead(b, v.ProcOID, v.Ts, v.Tid, v.OpFlags)
	return appendInts(b, int64(v.Sip), int64(v.Sport), int64(v.Dip), int64(v.Dport), int64(v.Proto), int64(v.Ret)), err
}

func (e *Encoder) processFlow(b []byte, v *sfgo.ProcessFlow) ([]byte, error) {
	b, err := appendOID(b, v.ProcOID)
	return appendInts(b, v.Ts, v.NumThreadsCloned, int64(v.OpFlags), v.EndTs, v.NumThreadsExited, v.NumCloneErrors), err
}

func (e *Encoder) pod(b []byte, v *sfgo.Pod) ([]byte, error) {
	b = appendInts(b, v.Ts)
	b = appendText(b, v.Id, v.Name, v.NodeName)
	b = appendLongs(b, v.HostIP)
	b = appendLongs(b, v.InternalIP)
	b = appendInts(appendText(b, v.Namespace), v.RestartCount)
	b = appendMap(b, v.Labels)
	b = appendMap(b, v.Selectors)
	if n := int64(len(v.Services)); n > 0 {
		b = appendInts(b, n)
	}
	for _, s := range v.Services {
		if s == nil {
			return b, errors.New("a service is nil")
		}
		var err error
		if b, err = appendService(b, s); err != nil {
			return b, err
		}
	}
	return appendInts(b, 0), nil
}

func appendService(b []byte, s *sfgo.Service) ([]byte, error) {
	b = appendText(b, s.Name, s.Id, s.Namespace)
	if n := int64(len(s.PortList)); n > 0 {
		b = appendInts(b, n)
	}
	for _, p := range s.PortList {
		if p == nil {
			return b, errors.New("a port is nil")
		}
		b = appendText(appendInts(b, int64(p.Port), int64(p.TargetPort), int64(p.NodePort)), p.Proto)
	}
	return appendLongs(appendInts(b, 0), s.ClusterIP), nil
}

func (e *Encoder) k8sEvent(b []byte, v *sfgo.K8sEvent) ([]byte, error) {
	b, err := appendEnum(b, "component", int64(v.Kind), 10)
	if err != nil {
		return b, err
	}
	if b, err = appendEnum(b, "action", int64(v.Action), 6); err != nil {
		return b, err
	}
	return appendText(appendInts(b, v.Ts), v.Message), nil
}

func sameBits(flags int32) (int32, bool) { return flags, true }

// oldBits renumbers operation flags for S2, which knew neither SETUID (bit 3) nor SETNS (bit 4): what comes after them
// stood two bits lower.
func oldBits(flags int32) (int32, bool) {
	const low, missing = sfgo.OP_CLONE | sfgo.OP_EXEC | sfgo.OP_EXIT, sfgo.OP_SETUID | sfgo.OP_SETNS
	return flags&low | flags&^(low|missing)>>2, flags >= 0 && flags&missing == 0
}

// appendInts appends values of Avro's types int, long and enum.
func appendInts(b []byte, vs ...int64) []byte {
	for _, v := range vs {
		b = binary.AppendVarint(b, v)
	}
	return b
}

func appendText(b []byte, vs ...string) []byte {
	for _, v := range vs {
		b = append(binary.AppendVarint(b, int64(len(v))), v...)
	}
	return b
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendEnum(b []byte, what string, v, n int64) ([]byte, error) {
	if v < 0 || v >= n {
		return b, fmt.Errorf("%s %d: %w", what, v, ErrNotInSchema)
	}
	return binary.AppendVarint(b, v), nil
}

func appendOID(b []byte, oid *sfgo.OID) ([]byte, error) {
	if oid == nil {
		return b, errors.New("a process id is nil")
	}
	return appendInts(b, oid.CreateTS, oid.Hpid), nil
}

func appendContainerID(b []byte, id *sfgo.ContainerIdUnion) []byte {
	if id == nil || id.UnionType != sfgo.ContainerIdUnionTypeEnumString {
		return appendInts(b, 0)
	}
	return appendText(appendInts(b, 1), id.String)
}

// appendTexts appends an array of strings.
func appendTexts(b []byte, vs []string) []byte {
	if len(vs) > 0 {
		b = appendText(appendInts(b, int64(len(vs))), vs...)
	}
	return appendInts(b, 0)
}

// appendLongs appends an array of numbers.
func appendLongs(b []byte, vs []int64) []byte {
	if len(vs) > 0 {
		b = appendInts(appendInts(b, int64(len(vs))), vs...)
	}
	return appendInts(b, 0)
}

// appendMap appends a map of strings, sorted so that equal maps have equal bytes.
func appendMap(b []byte, m map[string]string) []byte {
	if len(m) > 0 {
		b = appendInts(b, int64(len(m)))
	}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		b = appendText(b, k, m[k])
	}
	return appendInts(b, 0)
}
