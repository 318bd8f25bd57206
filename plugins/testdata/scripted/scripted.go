// Package main is a library of two drivers that bring in records made up on the spot: oldscripted has the documented
// methods only, scripted is told its configuration. The path says which records:
//
//	everything   one record of each type, and events whose process or files are not known
//	<word>       many events of one process, whose id is the same for every word and whose executable ends in the word
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/sysflow-telemetry/sf-processor/core/logger"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// rounds is how many events a word stands for.
const rounds = 500

// Driver is the symbol that the program looks up. It stands for both drivers.
var Driver Old

// Old is a driver of the documented kind.
type Old struct{ pipeline plugins.SFPipeline }

func (d *Old) GetName() string { return "oldscripted" }

func (d *Old) Register(pc plugins.SFPluginCache) {
	pc.AddDriver("oldscripted", func() plugins.SFDriver { return new(Old) })
	pc.AddDriver("scripted", func() plugins.SFDriver { return new(Scripted) })
}

func (d *Old) Init(pipeline plugins.SFPipeline) error {
	d.pipeline = pipeline
	logger.Trace.Printf("channels %d, processors %d, handlers %d, load: %v", pipeline.GetNumChannels(), pipeline.GetNumProcessors(),
		pipeline.GetNumHandlers(), pipeline.Load("x") != nil)
	return nil
}

func (d *Old) Run(path string, running *bool) error {
	ch := d.pipeline.GetRootChannel().(*plugins.SFChannel)
	play(path, func(r *sfgo.RecUnion) bool {
		ch.In <- &sfgo.SysFlow{Rec: r}
		return true
	})
	logger.Trace.Println("closing the root channel")
	close(ch.In)
	d.pipeline.Wait()
	logger.Trace.Println("the pipeline has ended")
	return nil
}

func (d *Old) Cleanup() { logger.Trace.Println("oldscripted cleaned up") }

// Scripted is a driver of the newer kind.
type Scripted struct{ Old }

func (d *Scripted) GetName() string { return "scripted" }

func (d *Scripted) Attributes() []string { return []string{"prefix", "max.rate"} }

func (d *Scripted) Init(plugins.SFPipeline) error { return errors.New("Init is not for this driver") }

func (d *Scripted) Run(string, *bool) error { return errors.New("Run is not for this driver") }

func (d *Scripted) RunContext(ctx context.Context, conf map[string]interface{}, out *plugins.SFChannel) error {
	path, _ := conf["path"].(string)
	prefix, _ := conf["prefix"].(string)
	if path == "endless" {
		<-ctx.Done()
		return ctx.Err()
	}
	play(prefix+path, func(r *sfgo.RecUnion) bool {
		select {
		case out.In <- &sfgo.SysFlow{Rec: r}:
			return true
		case <-ctx.Done():
			return false
		}
	})
	return nil
}

// play sends the records that a path stands for.
func play(path string, send func(*sfgo.RecUnion) bool) {
	if path == "everything" {
		everything(send)
		return
	}
	send(&sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumSFHeader, SFHeader: &sfgo.SFHeader{Version: 5, Exporter: path, Ip: "NA"}})
	oid := &sfgo.OID{CreateTS: 1, Hpid: 7}
	for i := range int64(rounds) {
		exe := fmt.Sprintf("/bin/%d-%s", i, path)
		if !send(process(oid, nil, exe, "")) || !send(event(oid, i, 100+i)) {
			return
		}
	}
}

func process(oid, parent *sfgo.OID, exe, container string) *sfgo.RecUnion {
	p := &sfgo.Process{Oid: oid, Poid: &sfgo.PoidUnion{}, Exe: exe, ContainerId: &sfgo.ContainerIdUnion{}}
	if parent != nil {
		p.Poid = &sfgo.PoidUnion{OID: parent, UnionType: sfgo.PoidUnionTypeEnumOID}
	}
	if container != "" {
		p.ContainerId = &sfgo.ContainerIdUnion{String: container, UnionType: sfgo.ContainerIdUnionTypeEnumString}
	}
	return &sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumProcess, Process: p}
}

func event(oid *sfgo.OID, tid, ts int64) *sfgo.RecUnion {
	e := &sfgo.ProcessEvent{ProcOID: oid, Ts: ts, Tid: tid, OpFlags: sfgo.OP_EXEC}
	return &sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumProcessEvent, ProcessEvent: e}
}

func everything(send func(*sfgo.RecUnion) bool) {
	parent, child, stranger := &sfgo.OID{CreateTS: 1, Hpid: 10}, &sfgo.OID{CreateTS: 2, Hpid: 20}, &sfgo.OID{CreateTS: 3, Hpid: 30}
	inContainer := &sfgo.ContainerIdUnion{String: "c1", UnionType: sfgo.ContainerIdUnionTypeEnumString}
	noContainer := &sfgo.ContainerIdUnion{}
	for _, r := range []*sfgo.RecUnion{
		{UnionType: sfgo.RecUnionTypeEnumSFHeader, SFHeader: &sfgo.SFHeader{Version: 5, Exporter: "node1", Ip: "10.0.0.1"}},
		{UnionType: sfgo.RecUnionTypeEnumPod, Pod: &sfgo.Pod{Id: "p1", Name: "web"}},
		{UnionType: sfgo.RecUnionTypeEnumContainer, Container: &sfgo.Container{Id: "c1", Name: "nginx", PodId: &sfgo.PodIdUnion{String: "p1", UnionType: sfgo.PodIdUnionTypeEnumString}}},
		process(parent, nil, "/sbin/init", ""),
		process(child, parent, "/bin/nginx", "c1"),
		{UnionType: sfgo.RecUnionTypeEnumFile, File: &sfgo.File{Oid: sfgo.FOID{1}, Path: "/etc/a", Restype: 'f', ContainerId: inContainer}},
		{UnionType: sfgo.RecUnionTypeEnumFile, File: &sfgo.File{Oid: sfgo.FOID{2}, Path: "/etc/b", Restype: 'f', ContainerId: noContainer}},
		event(child, 20, 1000),
		{UnionType: sfgo.RecUnionTypeEnumProcessFlow, ProcessFlow: &sfgo.ProcessFlow{ProcOID: child, Ts: 1001, NumThreadsCloned: 4}},
		{UnionType: sfgo.RecUnionTypeEnumFileFlow, FileFlow: &sfgo.FileFlow{ProcOID: child, Ts: 1002, FileOID: sfgo.FOID{1}, Fd: 5}},
		{UnionType: sfgo.RecUnionTypeEnumFileEvent, FileEvent: &sfgo.FileEvent{ProcOID: child, Ts: 1003, Tid: 21, OpFlags: sfgo.OP_RENAME, FileOID: sfgo.FOID{1},
			NewFileOID: &sfgo.NewFileOIDUnion{FOID: sfgo.FOID{2}, UnionType: sfgo.NewFileOIDUnionTypeEnumFOID}}},
		{UnionType: sfgo.RecUnionTypeEnumNetworkFlow, NetworkFlow: &sfgo.NetworkFlow{ProcOID: parent, Ts: 1004, Dport: 443, Proto: 6}},
		{UnionType: sfgo.RecUnionTypeEnumNetworkEvent, NetworkEvent: &sfgo.NetworkEvent{ProcOID: parent, Ts: 1005, Tid: 11}},
		{UnionType: sfgo.RecUnionTypeEnumK8sEvent, K8sEvent: &sfgo.K8sEvent{Ts: 1006, Message: "{}"}},
		event(stranger, 31, 1007),
		{UnionType: sfgo.RecUnionTypeEnumFileFlow, FileFlow: &sfgo.FileFlow{ProcOID: stranger, Ts: 1008, FileOID: sfgo.FOID{9}, Fd: 6}},
	} {
		if !send(r) {
			return
		}
	}
}

func main() {}
