package reader_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/reader"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// plugin is a handler of the documented interface, without anything optional, that writes down its calls.
type plugin struct {
	entities bool
	calls    []string
	contexts []*plugins.CtxSysFlow
	err      error
}

func (p *plugin) call(name string, sf *plugins.CtxSysFlow, arg any) error {
	text := name
	if sf.Process != nil {
		text += fmt.Sprintf(" %d%s", sf.Process.Oid.Hpid, sf.Process.Exe)
	}
	if sf.Container != nil {
		text += " in " + sf.Container.Id
	}
	if sf.File != nil {
		text += " on " + sf.File.Path
	}
	if sf.NewFile != nil {
		text += " to " + sf.NewFile.Path
	}
	if sf.Header == nil {
		text += " without header"
	}
	p.calls = append(p.calls, text)
	p.contexts = append(p.contexts, sf)
	return p.err
}

func (p *plugin) RegisterChannel(plugins.SFPluginCache)  {}
func (p *plugin) RegisterHandler(plugins.SFHandlerCache) {}
func (p *plugin) Init(conf map[string]interface{}) error { return nil }
func (p *plugin) IsEntityEnabled() bool                  { return p.entities }
func (p *plugin) SetOutChan(ch []interface{})            {}
func (p *plugin) Cleanup()                               {}

func (p *plugin) HandleHeader(sf *plugins.CtxSysFlow, v *sfgo.SFHeader) error {
	return p.call("header "+v.Exporter, sf, v)
}
func (p *plugin) HandleContainer(sf *plugins.CtxSysFlow, v *sfgo.Container) error {
	return p.call("container "+v.Name, sf, v)
}
func (p *plugin) HandleProcess(sf *plugins.CtxSysFlow, v *sfgo.Process) error {
	return p.call("process "+v.Exe, sf, v)
}
func (p *plugin) HandleFile(sf *plugins.CtxSysFlow, v *sfgo.File) error {
	return p.call("file "+v.Path, sf, v)
}
func (p *plugin) HandleNetFlow(sf *plugins.CtxSysFlow, v *sfgo.NetworkFlow) error {
	return p.call(fmt.Sprint("netflow ", v.Dport), sf, v)
}
func (p *plugin) HandleNetEvt(sf *plugins.CtxSysFlow, v *sfgo.NetworkEvent) error {
	return p.call(fmt.Sprint("netevt ", v.Sport), sf, v)
}
func (p *plugin) HandleFileFlow(sf *plugins.CtxSysFlow, v *sfgo.FileFlow) error {
	return p.call(fmt.Sprint("fileflow ", v.Fd), sf, v)
}
func (p *plugin) HandleFileEvt(sf *plugins.CtxSysFlow, v *sfgo.FileEvent) error {
	return p.call(fmt.Sprint("fileevt ", v.Ret), sf, v)
}
func (p *plugin) HandleProcFlow(sf *plugins.CtxSysFlow, v *sfgo.ProcessFlow) error {
	return p.call(fmt.Sprint("procflow ", v.NumThreadsCloned), sf, v)
}
func (p *plugin) HandleProcEvt(sf *plugins.CtxSysFlow, v *sfgo.ProcessEvent) error {
	return p.call(fmt.Sprint("procevt ", v.Args), sf, v)
}

// laterPlugin also has the methods that came later.
type laterPlugin struct{ plugin }

func (p *laterPlugin) HandlePod(sf *plugins.CtxSysFlow, v *sfgo.Pod) error {
	return p.call("pod "+v.Name, sf, v)
}
func (p *laterPlugin) HandleK8sEvt(sf *plugins.CtxSysFlow, v *sfgo.K8sEvent) error {
	return p.call("k8s "+v.Message, sf, v)
}

// allTypes has a record of each type.
func allTypes() []*sfgo.SysFlow {
	oid, file, other := &sfgo.OID{Hpid: 1}, sfgo.FOID{1}, sfgo.FOID{2}
	union := func(u sfgo.RecUnion) *sfgo.SysFlow { return &sfgo.SysFlow{Rec: &u} }
	inK := &sfgo.ContainerIdUnion{String: "k", UnionType: sfgo.ContainerIdUnionTypeEnumString}
	return []*sfgo.SysFlow{
		header(),
		union(sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumPod, Pod: &sfgo.Pod{Id: "p", Name: "shop"}}),
		union(sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumContainer, Container: &sfgo.Container{Id: "k", Name: "web"}}),
		union(sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumProcess,
			Process: &sfgo.Process{Oid: oid, Exe: "sh", ContainerId: inK}}),
		union(sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumFile, File: &sfgo.File{Oid: file, Path: "/a"}}),
		union(sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumFile, File: &sfgo.File{Oid: other, Path: "/b"}}),
		union(sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumProcessEvent,
			ProcessEvent: &sfgo.ProcessEvent{ProcOID: oid, Args: []string{"root"}}}),
		union(sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumNetworkFlow,
			NetworkFlow: &sfgo.NetworkFlow{ProcOID: oid, Dport: 80}}),
		union(sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumFileFlow,
			FileFlow: &sfgo.FileFlow{ProcOID: oid, Fd: 3, FileOID: file}}),
		union(sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumFileEvent, FileEvent: &sfgo.FileEvent{ProcOID: oid, Ret: -2,
			FileOID:    file,
			NewFileOID: &sfgo.NewFileOIDUnion{FOID: other, UnionType: sfgo.NewFileOIDUnionTypeEnumFOID}}}),
		union(sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumNetworkEvent,
			NetworkEvent: &sfgo.NetworkEvent{ProcOID: &sfgo.OID{Hpid: 9}, Sport: 5}}),
		union(sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumProcessFlow,
			ProcessFlow: &sfgo.ProcessFlow{ProcOID: oid, NumThreadsCloned: 4}}),
		union(sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumK8sEvent, K8sEvent: &sfgo.K8sEvent{Message: "{}\n\x00"}}),
	}
}

func runPlugin(t *testing.T, h plugins.SFHandler, log *slog.Logger, recs []*sfgo.SysFlow) map[string]uint64 {
	t.Helper()
	got, err := run(t, reader.NewCustom[int](h, log), log, &plugins.Block{Stream: newStream(t, "s"), Records: recs})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestCustom(t *testing.T) {
	entities := []string{
		"header node", "pod shop", "container web in k", "process sh 1sh in k", "file /a on /a", "file /b on /b",
	}
	events := []string{
		"procevt [root] 1sh in k", "netflow 80 1sh in k", "fileflow 3 1sh in k on /a", "fileevt -2 1sh in k on /a to /b",
		"netevt 5 9", // the process is not known
		"procflow 4 1sh in k", "k8s {}",
	}
	for name, tt := range map[string]struct {
		plugin plugins.SFHandler
		want   []string
	}{
		"events":              {&plugin{}, events[:6]},
		"events, and later":   {&laterPlugin{}, events},
		"entities":            {&plugin{entities: true}, slices.Concat(entities[:1], entities[2:], events[:6])},
		"entities, and later": {&laterPlugin{plugin{entities: true}}, slices.Concat(entities, events)},
	} {
		t.Run(name, func(t *testing.T) {
			runPlugin(t, tt.plugin, nil, allTypes())
			var got []string
			switch p := tt.plugin.(type) {
			case *plugin:
				got = p.calls
			case *laterPlugin:
				got = p.calls
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// What a plugin gets with a record stays as it is, and its entities are those of the table.
func TestCustomMayKeepContexts(t *testing.T) {
	p := &plugin{}
	runPlugin(t, p, nil, []*sfgo.SysFlow{header(), proc(1, "a"), flow(1, 1), flow(1, 2), proc(1, "b"), flow(1, 3)})
	c := p.contexts
	if c[0].Rec.NetworkFlow.Ts != 1 || c[1].Rec.NetworkFlow.Ts != 2 || c[0].Process.Exe != "a" || c[2].Process.Exe != "b" {
		t.Errorf("contexts have changed: %+v %+v %+v", c[0], c[1], c[2])
	}
	if c[0].Process != c[1].Process || c[0].PTree[0] != c[0].Process {
		t.Error("the same process is there twice")
	}
}

// An unknown process is a placeholder that a plugin can look into like into any other.
func TestCustomPlaceholder(t *testing.T) {
	p := &plugin{}
	runPlugin(t, p, nil, []*sfgo.SysFlow{flow(7, 1)})
	q := p.contexts[0].Process
	if *q.Oid != (sfgo.OID{Hpid: 7}) || q.Poid.UnionType != 0 || q.ContainerId.UnionType != 0 || q.Exe != "" {
		t.Errorf("placeholder %+v", q)
	}
	if p.calls[0] != "netflow 0 7 without header" || p.contexts[0].PTree != nil {
		t.Errorf("call %q, tree %v", p.calls[0], p.contexts[0].PTree)
	}
}

func TestCustomErrors(t *testing.T) {
	var log bytes.Buffer
	p := &plugin{entities: true, err: errors.New("no disk")}
	got := runPlugin(t, p, slog.New(slog.NewTextHandler(&log, nil)), allTypes())
	if len(p.calls) != 11 || got["handler.errors"] != 11 {
		t.Errorf("%d calls, %d errors counted; want 11 of both", len(p.calls), got["handler.errors"])
	}
	if n := strings.Count(log.String(), "no disk"); n != 1 || !strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("want one line:\n%s", log.String())
	}
}
