package plugins_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// TestContract compares what plugins are compiled against with what is documented for SysFlow 0.4 and for ours: a change
// here breaks plugins that exist.
func TestContract(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		of   reflect.Type
		want []string
	}{
		{reflect.TypeFor[plugins.SFProcessor](), []string{
			"Cleanup()", "GetName() string", "Init(map[string]interface {}) error", "Process(interface {}, *sync.WaitGroup)",
			"Register(plugins.SFPluginCache)", "SetOutChan([]interface {})"}},
		{reflect.TypeFor[plugins.SFTestableProcessor](), []string{
			"Cleanup()", "GetName() string", "Init(map[string]interface {}) error", "Process(interface {}, *sync.WaitGroup)",
			"Register(plugins.SFPluginCache)", "SetOutChan([]interface {})", "Test() (bool, error)"}},
		{reflect.TypeFor[plugins.SFHandler](), []string{
			"Cleanup()", "HandleContainer(*plugins.CtxSysFlow, *sfgo.Container) error", "HandleFile(*plugins.CtxSysFlow, *sfgo.File) error",
			"HandleFileEvt(*plugins.CtxSysFlow, *sfgo.FileEvent) error", "HandleFileFlow(*plugins.CtxSysFlow, *sfgo.FileFlow) error",
			"HandleHeader(*plugins.CtxSysFlow, *sfgo.SFHeader) error", "HandleNetEvt(*plugins.CtxSysFlow, *sfgo.NetworkEvent) error",
			"HandleNetFlow(*plugins.CtxSysFlow, *sfgo.NetworkFlow) error", "HandleProcEvt(*plugins.CtxSysFlow, *sfgo.ProcessEvent) error",
			"HandleProcFlow(*plugins.CtxSysFlow, *sfgo.ProcessFlow) error", "HandleProcess(*plugins.CtxSysFlow, *sfgo.Process) error",
			"Init(map[string]interface {}) error", "IsEntityEnabled() bool", "RegisterChannel(plugins.SFPluginCache)",
			"RegisterHandler(plugins.SFHandlerCache)", "SetOutChan([]interface {})"}},
		{reflect.TypeFor[plugins.PodHandler](), []string{"HandlePod(*plugins.CtxSysFlow, *sfgo.Pod) error"}},
		{reflect.TypeFor[plugins.K8sEvtHandler](), []string{"HandleK8sEvt(*plugins.CtxSysFlow, *sfgo.K8sEvent) error"}},
		{reflect.TypeFor[plugins.SFDriver](), []string{
			"Cleanup()", "GetName() string", "Init(plugins.SFPipeline) error", "Register(plugins.SFPluginCache)", "Run(string, *bool) error"}},
		{reflect.TypeFor[plugins.SFContextDriver](), []string{
			"Cleanup()", "GetName() string", "Init(plugins.SFPipeline) error", "Register(plugins.SFPluginCache)", "Run(string, *bool) error",
			"RunContext(context.Context, map[string]interface {}, *plugins.SFChannel) error"}},
		{reflect.TypeFor[plugins.SFPluginCache](), []string{
			"AddChannel(string, interface {})", "AddDriver(string, interface {})", "AddProcessor(string, interface {})"}},
		{reflect.TypeFor[plugins.SFHandlerCache](), []string{"AddHandler(string, interface {})"}},
		{reflect.TypeFor[plugins.SFPipeline](), []string{
			"AddChannel(string, interface {})", "GetNumChannels() int", "GetNumHandlers() int", "GetNumProcessors() int",
			"GetPluginCache() plugins.SFPluginCache", "GetRootChannel() interface {}", "Init(string) error", "Load(string) error", "Print()",
			"Shutdown() error", "Wait()"}},
		{reflect.TypeFor[engine.Action](), []string{"GetFunc() engine.ActionFunc", "GetName() string"}},
		{reflect.TypeFor[*engine.Context](), []string{
			"AddRule(engine.Rule)", "AddTag(string)", "AddTags(...string)", "GetHash(engine.HashType) *engine.HashSet",
			"GetRules() []engine.Rule", "GetTags() []string", "IsAlert() bool", "SetAlert(bool)", "SetHashes(engine.HashType, *engine.HashSet)",
			"SetTags([]string)"}},
		{reflect.TypeFor[*engine.Record](), []string{"GetInt(sfgo.Attribute, sfgo.Source) int64", "GetStr(sfgo.Attribute, sfgo.Source) string"}},
	} {
		if got := methods(tt.of); !slices.Equal(got, tt.want) {
			t.Errorf("%v has\n%s\nwant\n%s", tt.of, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
	for _, tt := range []struct {
		of   reflect.Type
		want []string
	}{
		{reflect.TypeFor[plugins.SFChannel](), []string{"In chan *sfgo.SysFlow"}},
		{reflect.TypeFor[plugins.CtxSFChannel](), []string{"In chan *plugins.CtxSysFlow"}},
		{reflect.TypeFor[flattener.FlatChannel](), []string{"In chan *sfgo.FlatRecord"}},
		{reflect.TypeFor[engine.RecordChannel](), []string{"In chan *engine.Record"}},
		{reflect.TypeFor[plugins.CtxSysFlow](), []string{
			"SysFlow *sfgo.SysFlow", "Header *sfgo.SFHeader", "Container *sfgo.Container", "Process *sfgo.Process", "File *sfgo.File",
			"NewFile *sfgo.File", "PTree []*sfgo.Process", "GraphletID uint64"}},
		{reflect.TypeFor[engine.Record](), []string{"Fr sfgo.FlatRecord", "Ctx engine.Context"}},
		{reflect.TypeFor[sfgo.FlatRecord](), []string{
			"Sources []sfgo.Source", "Ints [][]int64", "Strs [][]string", "Anys [][]interface {}", "Ptree []*sfgo.Process", "GraphletID uint64"}},
		{reflect.TypeFor[sfgo.OID](), []string{"CreateTS int64", "Hpid int64"}},
		{reflect.TypeFor[sfgo.PoidUnion](), []string{"Null *sfgo.NullVal", "OID *sfgo.OID", "UnionType sfgo.PoidUnionTypeEnum"}},
		{reflect.TypeFor[sfgo.ProcessEvent](), []string{"ProcOID *sfgo.OID", "Ts int64", "Tid int64", "OpFlags int32", "Args []string", "Ret int32"}},
	} {
		if got := fields(tt.of); !slices.Equal(got, tt.want) {
			t.Errorf("%v has fields %q, want %q", tt.of, got, tt.want)
		}
	}
	for name, tt := range map[string][2]any{
		"SYSFLOW_IDX": {sfgo.SYSFLOW_IDX, 0}, "SYSFLOW_SRC": {sfgo.SYSFLOW_SRC, sfgo.Source(0)},
		"SF_REC_TYPE": {sfgo.SF_REC_TYPE, sfgo.Attribute(0)}, "PROC_EXE_STR": {sfgo.PROC_EXE_STR, sfgo.Attribute(16)},
		"EV_PROC_TID_INT": {sfgo.EV_PROC_TID_INT, sfgo.Attribute(23)}, "PROC_EVT": {sfgo.PROC_EVT, int64(4)}, "K8S_EVT": {sfgo.K8S_EVT, int64(11)},
		"kind of Attribute": {reflect.TypeFor[sfgo.Attribute]().Kind(), reflect.Uint32}, "kind of Source": {reflect.TypeFor[sfgo.Source]().Kind(), reflect.Uint32},
		"kind of FOID": {reflect.TypeFor[sfgo.FOID]().Len(), 20}, "kind of Priority": {reflect.TypeFor[engine.Priority]().Kind(), reflect.Int},
		"symbols": {[4]string{plugins.DriverSym, plugins.PlugSym, plugins.HandlerSym, plugins.ActionSym}, [4]string{"Driver", "Plugin", "Handler", "Action"}},
	} {
		if tt[0] != tt[1] {
			t.Errorf("%s is %v (%T), want %v (%T)", name, tt[0], tt[0], tt[1], tt[1])
		}
	}
}

// shortNames are what instances of a generic type are called where they are documented.
var shortNames = strings.NewReplacer(
	reflect.TypeFor[plugins.SFChannel]().String(), "plugins.SFChannel",
)

// methods returns the methods of a type with their signatures, in order of their names.
func methods(t reflect.Type) (list []string) {
	skip := 0
	if t.Kind() != reflect.Interface {
		skip = 1 // the receiver
	}
	for i := range t.NumMethod() {
		m := t.Method(i)
		var in, out []string
		for j := skip; j < m.Type.NumIn(); j++ {
			in = append(in, m.Type.In(j).String())
		}
		if m.Type.IsVariadic() {
			in[len(in)-1] = "..." + m.Type.In(m.Type.NumIn()-1).Elem().String()
		}
		for j := range m.Type.NumOut() {
			out = append(out, m.Type.Out(j).String())
		}
		text := fmt.Sprintf("%s(%s)", m.Name, strings.Join(in, ", "))
		switch len(out) {
		case 0:
		case 1:
			text += " " + out[0]
		default:
			text += " (" + strings.Join(out, ", ") + ")"
		}
		list = append(list, shortNames.Replace(text))
	}
	return list
}

// fields returns the exported fields of a structure with their types.
func fields(t reflect.Type) (list []string) {
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() {
			list = append(list, f.Name+" "+f.Type.String())
		}
	}
	return list
}
