package codec_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// This file is a second opinion on what records mean: a general Avro library decodes them by the writer schema, and
// modern turns the result into the terms of the current schema by the rules of the format's description. Values are
// plain: every number is an int64, every string, FOID and symbol a string, null is nil.

// opinion decodes records of any schema.
type opinion struct {
	codec    *goavro.Codec
	oldFlags bool // operation flags are those of S2
}

// newOpinion makes an opinion for a schema, whose logical types it removes: they say of nanoseconds that they are
// milliseconds.
func newOpinion(t testing.TB, schema string) *opinion {
	t.Helper()
	var tree any
	if err := json.Unmarshal([]byte(schema), &tree); err != nil {
		t.Fatal(err)
	}
	removeKey(tree, "logicalType")
	plain, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	c, err := goavro.NewCodec(string(plain))
	if err != nil {
		t.Fatal(err)
	}
	return &opinion{
		codec:    c,
		oldFlags: strings.Contains(schema, "FileFlow") && !strings.Contains(schema, "openFlags"),
	}
}

func removeKey(tree any, key string) {
	switch v := tree.(type) {
	case map[string]any:
		delete(v, key)
		for _, sub := range v {
			removeKey(sub, key)
		}
	case []any:
		for _, sub := range v {
			removeKey(sub, key)
		}
	}
}

// decode decodes the record that b begins with: its type, its fields in terms of the current schema, and how many bytes
// it has.
func (o *opinion) decode(b []byte) (typ int64, fields map[string]any, n int, err error) {
	native, rest, err := o.codec.NativeFromBinary(b)
	if err != nil {
		return 0, nil, 0, err
	}
	for name, v := range native.(map[string]any)["rec"].(map[string]any) {
		m, ok := plain(v).(map[string]any)
		if !ok {
			return sfgo.UNKNOWN_TYPE, nil, len(b) - len(rest), nil
		}
		typ = o.modern(name, m)
		fields = m
	}
	return typ, fields, len(b) - len(rest), nil
}

// plain simplifies what the general library returns.
func plain(v any) any {
	switch x := v.(type) {
	case int32:
		return int64(x)
	case []byte:
		return string(x)
	case []any:
		list := []any{}
		for _, e := range x {
			list = append(list, plain(e))
		}
		return list
	case map[string]any:
		m := map[string]any{}
		for k, e := range x {
			m[k] = plain(e)
		}
		return m
	}
	return v
}

// typeOf gives the record types by the last part of their name.
var typeOf = map[string]int64{
	"SFHeader": sfgo.HEADER, "Container": sfgo.CONT, "Process": sfgo.PROC, "File": sfgo.FILE,
	"ProcessEvent": sfgo.PROC_EVT, "NetworkFlow": sfgo.NET_FLOW, "FileFlow": sfgo.FILE_FLOW, "FileEvent": sfgo.FILE_EVT,
	"NetworkEvent": sfgo.NET_EVT, "ProcessFlow": sfgo.PROC_FLOW, "Pod": sfgo.POD, "K8sEvent": sfgo.K8S_EVT,
}

// modern changes the fields of a record of any age to those of the current schema, and returns its type.
func (o *opinion) modern(name string, m map[string]any) int64 {
	typ, ok := typeOf[name[strings.LastIndexByte(name, '.')+1:]]
	if !ok {
		return sfgo.UNKNOWN_TYPE
	}
	if _, ok := m["ret"]; ok && typ == sfgo.PROC_FLOW {
		typ = sfgo.PROC_EVT
	}
	for _, union := range []string{"podId", "poid", "containerId", "newFileOID"} {
		if u, ok := m[union].(map[string]any); ok {
			for _, v := range u {
				m[union] = v
			}
		}
	}
	absent := func(name string, v any) {
		if _, ok := m[name]; !ok {
			m[name] = v
		}
	}
	switch typ {
	case sfgo.HEADER:
		absent("ip", "NA")
		absent("filename", "")
	case sfgo.CONT:
		delete(m, "imagerepo")
		absent("privileged", false)
		absent("podId", nil)
	case sfgo.PROC:
		if state, ok := m["type"]; ok {
			delete(m, "type")
			m["state"] = state
		}
		absent("tty", false)
		absent("entry", false)
		absent("cwd", "")
		absent("env", []any{})
	case sfgo.PROC_EVT:
		if op, ok := m["type"].(string); ok {
			delete(m, "type")
			m["opFlags"] = map[string]int64{"CLONE": 1, "EXEC": 2, "EXIT": 4}[op]
		}
	case sfgo.NET_FLOW:
		absent("fd", int64(0))
	case sfgo.FILE_FLOW:
		absent("openFlags", int64(0))
	case sfgo.K8S_EVT:
		m["message"] = strings.TrimRight(m["message"].(string), "\n\x00")
	}
	if flags, ok := m["opFlags"].(int64); ok && o.oldFlags {
		var now int64
		for bit := range 30 {
			to := bit
			if bit > 2 {
				to = bit + 2
			}
			now |= flags >> bit & 1 << to
		}
		m["opFlags"] = int64(int32(now))
	}
	return typ
}

// slotsOf says which slots of Event.Ints the number fields of flows and events are decoded to.
var slotsOf = map[int64]map[string]sfgo.Attribute{
	sfgo.PROC_EVT: {"ts": 22, "tid": 23, "opFlags": 24, "ret": 25},
	sfgo.FILE_EVT: {"ts": 22, "tid": 23, "opFlags": 24, "ret": 25},
	sfgo.NET_EVT: {"ts": 22, "tid": 23, "opFlags": 24, "ret": 25,
		"sip": 31, "sport": 32, "dip": 33, "dport": 34, "proto": 35},
	sfgo.NET_FLOW: {"ts": 22, "tid": 23, "opFlags": 24, "endTs": 25, "fd": 26,
		"numRRecvOps": 27, "numWSendOps": 28, "numRRecvBytes": 29, "numWSendBytes": 30,
		"sip": 31, "sport": 32, "dip": 33, "dport": 34, "proto": 35},
	sfgo.FILE_FLOW: {"ts": 22, "tid": 23, "opFlags": 24, "endTs": 25, "fd": 26,
		"numRRecvOps": 27, "numWSendOps": 28, "numRRecvBytes": 29, "numWSendBytes": 30, "openFlags": 31},
	sfgo.PROC_FLOW: {"ts": 22, "opFlags": 24, "endTs": 25,
		"numThreadsCloned": 27, "numThreadsExited": 28, "numCloneErrors": 29},
	sfgo.K8S_EVT: {"ts": 22},
}

// Symbols of the current schema.
var (
	stateNames     = []string{"CREATED", "MODIFIED", "REUP"}
	containerNames = []string{"CT_DOCKER", "CT_LXC", "CT_LIBVIRT_LXC", "CT_MESOS", "CT_RKT", "CT_CUSTOM", "CT_CRI",
		"CT_CONTAINERD", "CT_CRIO", "CT_BPM"}
	componentNames = []string{"K8S_NODES", "K8S_NAMESPACES", "K8S_PODS", "K8S_REPLICATIONCONTROLLERS", "K8S_SERVICES",
		"K8S_EVENTS", "K8S_REPLICASETS", "K8S_DAEMONSETS", "K8S_DEPLOYMENTS", "K8S_UNKNOWN"}
	actionNames = []string{"K8S_COMPONENT_ADDED", "K8S_COMPONENT_MODIFIED", "K8S_COMPONENT_DELETED",
		"K8S_COMPONENT_ERROR", "K8S_COMPONENT_NONEXISTENT", "K8S_COMPONENT_UNKNOWN"}
)

// fieldsOf returns the fields of a decoded record, for comparison with an opinion. It is an error if a slot that the
// record's type does not have is not zero.
func fieldsOf(r *codec.Record) (map[string]any, error) {
	switch r.Type {
	case sfgo.HEADER:
		h := &r.Header
		return map[string]any{"version": h.Version, "exporter": string(h.Exporter), "ip": string(h.IP),
			"filename": string(h.Filename)}, nil
	case sfgo.CONT:
		c := &r.Container
		return map[string]any{"id": string(c.ID), "name": string(c.Name), "image": string(c.Image),
			"imageid": string(c.ImageID), "type": containerNames[c.Type], "privileged": c.Privileged,
			"podId": nullable(c.PodID)}, nil
	case sfgo.PROC:
		p := &r.Process
		m := map[string]any{"state": stateNames[p.State], "oid": oidFields(p.OID), "poid": nil, "ts": p.TS,
			"exe": string(p.Exe), "exeArgs": string(p.ExeArgs), "uid": int64(p.UID), "userName": string(p.UserName),
			"gid": int64(p.GID), "groupName": string(p.GroupName), "tty": p.TTY, "containerId": nullable(p.ContainerID),
			"entry": p.Entry, "cwd": string(p.Cwd), "env": list(p.Env)}
		if p.HasPOID {
			m["poid"] = oidFields(p.POID)
		}
		return m, nil
	case sfgo.FILE:
		f := &r.File
		return map[string]any{"state": stateNames[f.State], "oid": string(f.OID[:]), "ts": f.TS,
			"restype": int64(f.ResType), "path": string(f.Path), "containerId": nullable(f.ContainerID)}, nil
	case sfgo.POD:
		return podFields(&r.Pod), nil
	case sfgo.UNKNOWN_TYPE:
		return nil, nil
	default:
		return eventFields(r)
	}
}

func eventFields(r *codec.Record) (map[string]any, error) {
	e := &r.Event
	m := map[string]any{}
	rest := e.Ints
	for name, slot := range slotsOf[r.Type] {
		m[name] = e.Ints[slot]
		rest[slot] = 0
	}
	if r.Type == sfgo.K8S_EVT {
		m["kind"], m["action"] = componentNames[e.Ints[6]], actionNames[e.Ints[7]]
		m["message"] = string(e.Message)
		rest[6], rest[7] = 0, 0
	} else {
		m["procOID"] = oidFields(e.ProcOID())
		rest[10], rest[11] = 0, 0
	}
	switch r.Type {
	case sfgo.PROC_EVT:
		m["args"] = list(e.Args)
	case sfgo.FILE_FLOW:
		m["fileOID"] = string(e.FileOID[:])
	case sfgo.FILE_EVT:
		m["fileOID"], m["newFileOID"] = string(e.FileOID[:]), nil
		if e.HasNewFile {
			m["newFileOID"] = string(e.NewFileOID[:])
		}
	case sfgo.PROC_FLOW:
		if rest[23] != e.Ints[11] {
			return nil, fmt.Errorf("tid of a process flow is %d, want its process id", rest[23])
		}
		rest[23] = 0
	}
	if rest != [sfgo.INT_ARRAY_SIZE]int64{} {
		return nil, fmt.Errorf("slots that type %d does not have are not zero: %v", r.Type, rest)
	}
	return m, nil
}

func podFields(p *codec.Pod) map[string]any {
	services := []any{}
	for _, s := range p.Services {
		ports := []any{}
		for _, q := range s.Ports {
			ports = append(ports, map[string]any{"port": int64(q.Port), "targetPort": int64(q.TargetPort),
				"nodePort": int64(q.NodePort), "proto": string(q.Proto)})
		}
		services = append(services, map[string]any{"name": string(s.Name), "id": string(s.ID),
			"namespace": string(s.Namespace), "portList": ports, "clusterIP": list(s.ClusterIP)})
	}
	return map[string]any{"ts": p.TS, "id": string(p.ID), "name": string(p.Name), "nodeName": string(p.NodeName),
		"hostIP": list(p.HostIP), "internalIP": list(p.InternalIP), "namespace": string(p.Namespace),
		"restartCount": p.RestartCount, "labels": pairs(p.Labels), "selectors": pairs(p.Selectors), "services": services}
}

func oidFields(o sfgo.OID) map[string]any {
	return map[string]any{"createTS": o.CreateTS, "hpid": o.Hpid}
}

func nullable(o codec.Optional) any {
	if !o.Valid {
		return nil
	}
	return string(o.Bytes)
}

// list makes a plain list of strings or longs.
func list[T []byte | int64](items []T) []any {
	all := []any{}
	for _, v := range items {
		all = append(all, plain(any(v)))
	}
	return all
}

func pairs(kv [][]byte) map[string]any {
	m := map[string]any{}
	for i := 0; i < len(kv); i += 2 {
		m[string(kv[i])] = string(kv[i+1])
	}
	return m
}

// structFields returns the fields of the structures that plugins know, for comparison with an opinion.
func structFields(g *generic, sf *sfgo.SysFlow) map[string]any {
	m := map[string]any{}
	v := reflect.ValueOf(of(sf)).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		value := plain(g.native(v.Field(i)))
		if u, ok := value.(map[string]any); ok && strings.HasSuffix(v.Field(i).Type().String(), "Union") {
			for _, branch := range u {
				value = branch
			}
		}
		m[strings.ToLower(name[:1])+name[1:]] = value
	}
	return m
}

// compare checks that a decoded record, and the structures made of it, are what the opinion says.
func compare(t testing.TB, g *generic, r *codec.Record, typ int64, want map[string]any) {
	t.Helper()
	compareRecord(t, r, typ, want)
	sf := r.SysFlow()
	if typ == sfgo.UNKNOWN_TYPE {
		if sf != nil {
			t.Fatalf("an unknown record became %v", sf)
		}
		return
	}
	if got := structFields(g, sf); !reflect.DeepEqual(got, want) {
		t.Fatalf("structure of type %d:\n got %v\nwant %v", typ, got, want)
	}
}

// compareRecord checks that a decoded record is what the opinion says.
func compareRecord(t testing.TB, r *codec.Record, typ int64, want map[string]any) {
	t.Helper()
	if r.Type != typ {
		t.Fatalf("type is %d, want %d", r.Type, typ)
	}
	got, err := fieldsOf(r)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("type %d:\n got %v\nwant %v", typ, got, want)
	}
}
