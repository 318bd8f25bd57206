package plugins_test

import (
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// trial is a run with a plugin that misbehaves, and what must come of it.
type trial struct {
	fault string
	env   []string
	code  int
	docs  int      // records that come out
	want  []string // regular expressions for what is printed on standard error
	stop  string   // text after which the program is told to stop
}

// check runs a trial of a pipeline; no panic of a plugin may kill the process.
func (tr trial) check(t *testing.T, in *installation, args ...string) {
	t.Helper()
	p := in.start(t, append([]string{"FAULT=" + tr.fault}, tr.env...), args...)
	if tr.stop != "" {
		p.signal(t, tr.stop, syscall.SIGTERM)
	}
	start := time.Now()
	o := p.wait(t)
	if took := time.Since(start); took > patience/2 {
		t.Errorf("took %v", took)
	}
	o.mustExit(t, tr.code)
	if n := len(documents(t, o.stdout)); n != tr.docs {
		t.Errorf("%d records came out, want %d: %s", n, tr.docs, o.stdout)
	}
	for _, want := range tr.want {
		if !regexp.MustCompile(want).MatchString(o.stderr) {
			t.Errorf("no %s in: %s", want, o.stderr)
		}
	}
	if strings.Contains(o.stderr, "goroutine ") || strings.Contains(o.stderr, "cannot read a block") {
		t.Errorf("more is broken than the plugin: %s", o.stderr)
	}
}

// atEntry is how a fault of a plugin that one entry names is reported.
const atEntry = `(?m)^pipeline\.json:3:15: error: `

func TestFaultyProcessor(t *testing.T) {
	t.Parallel()
	in := install(t, map[string]string{"plugins/faulty.so": "plugins/testdata/faulty"})
	config := in.pipeline(t, readerEntry+`,
{"processor": "faulty", "in": "f flattenerchan", "out": "g flattenerchan"},
{"processor": "policyengine", "in": "g flattenerchan", "out": "e eventchan", "mode": "enrich"},
`+exporterEntry)
	const lib = `\.\./resources/plugins/faulty\.so`
	const hasDied = `\[Error\] .* stage failed stage=faulty err="panic in Process of faulty: boom \[P407\]; calls: faulty\.fail faulty\.go:\d+ < faulty\.\(\*Processor\)\.Process processor\.go:\d+ < `
	for _, tr := range []trial{
		{fault: "", docs: 10},
		{fault: "init", code: 1, want: []string{atEntry + `panic in initialization of ` + lib + `: boom \[P407\](\n.*)*\n +hint: calls: faulty\.fail faulty\.go:\d+ < faulty\.init\.0 faulty\.go:\d+`}},
		{fault: "GetName", code: 1, want: []string{atEntry + `panic in Register of ` + lib + `: boom \[P407\]`, `\*Processor\)\.GetName processor\.go`}},
		{fault: "Register", code: 1, want: []string{atEntry + `panic in Register of ` + lib + `: boom \[P407\]`, `\*Processor\)\.Register processor\.go`}},
		{fault: "constructor", code: 1, want: []string{atEntry + `panic in constructor of faulty: boom \[P407\]`, `faulty\.newProcessor processor\.go`}},
		{fault: "Attributes", code: 1, want: []string{atEntry + `panic in Attributes of faulty: boom \[P407\]`}},
		{fault: "Init", code: 1, want: []string{atEntry + `panic in Init of faulty: boom \[P407\]`, `\*Processor\)\.Init processor\.go`}},
		{fault: "Init error", code: 1, want: []string{`(?m)^faulty: there is no such mode$`}},
		{fault: "SetOutChan", code: 1, want: []string{atEntry + `panic in SetOutChan of faulty: boom \[P407\]`}},
		{fault: "Test", code: 1, want: []string{`health check of faulty: panic in Test of faulty: boom \[P407\]; calls: faulty\.fail`}},
		{fault: "Test error", code: 1, want: []string{`health check of faulty: the table cannot be read`}},
		{fault: "Test says no", code: 1, want: []string{`health check of faulty: the test says no, without a reason`}},
		{fault: "Process", code: 1, docs: 2, want: []string{hasDied, `records lost because the stage failed stage=faulty records=7`}},
		{fault: "Process with a lock", env: []string{"SHUTDOWN_TIMEOUT=1s"}, code: 1, want: []string{
			`panic in Process of faulty: boom`, `the drain deadline has passed; Cleanup of faulty still runs`}},
		{fault: "Process returns early", code: 1, docs: 2, want: []string{
			`stage failed stage=faulty err="the plugin's Process returned before its input ended"`, `records=7`}},
		{fault: "Process hangs", env: []string{"SHUTDOWN_TIMEOUT=1s"}, code: 3, docs: 2, stop: "hanging", want: []string{
			`the drain deadline has passed; Process of faulty still runs`, `Process of faulty does not return`, `records=7`}},
		{fault: "Done forgotten", docs: 10},
		{fault: "Done twice", docs: 10},
		{fault: "channels left open", docs: 10},
		{fault: "nonsense", docs: 10, want: []string{`records lost between stages.* channel=g records=20`}},
		{fault: "Cleanup", code: 1, docs: 10, want: []string{`clean-up failed stage=faulty err="panic in Cleanup of faulty: boom \[P407\]; calls: faulty\.fail`}},
		{fault: "Cleanup hangs", env: []string{"SHUTDOWN_TIMEOUT=1s"}, code: 3, docs: 10, want: []string{`Cleanup of faulty still runs`}},
	} {
		t.Run(tr.fault, func(t *testing.T) { tr.check(t, in, config, "../resources/traces/tcp.sf") })
	}
	for _, tr := range []trial{ // under -test
		{fault: "Process"},
		{fault: "Test", code: 1, want: []string{`panic in Test of faulty: boom`}},
		{fault: "Cleanup", code: 1, want: []string{`panic in Cleanup of faulty: boom \[P407\]; calls: `}},
		{fault: "Cleanup hangs", env: []string{"SHUTDOWN_TIMEOUT=1s"}, code: 1, want: []string{`Cleanup of faulty still runs`}},
	} {
		t.Run("test "+tr.fault, func(t *testing.T) { tr.check(t, in, "-test", config) })
	}
}

func TestFaultyHandler(t *testing.T) {
	t.Parallel()
	in := install(t, map[string]string{"handlers/faulty.so": "plugins/testdata/faulty", "plugins/relay.so": "plugins/testdata/relay"})
	// An exporter makes the log go to standard error; the handler gives it nothing.
	config := in.pipeline(t, `{"processor": "sysflowreader", "handler": "faulty", "in": "s sysflowchan", "out": ["c ctxchan", "e eventchan"]},
{"processor": "relay", "in": "c ctxchan"},
`+exporterEntry)
	const lib = `\.\./resources/handlers/faulty\.so`
	const at = `(?m)^pipeline\.json:2:43: error: `
	const died = `stage failed stage=sysflowreader err="panic in handler faulty of sysflowreader: boom \[P407\]; calls: faulty\.fail faulty\.go:\d+ < faulty\.\(\*Handle\)\.`
	for _, tr := range []trial{
		{fault: ""},
		{fault: "init", code: 1, want: []string{at + `panic in initialization of ` + lib + `: boom \[P407\]`}},
		{fault: "RegisterChannel", code: 1, want: []string{at + `panic in Register of ` + lib + `: boom \[P407\]`, `RegisterChannel handler\.go`}},
		{fault: "RegisterHandler", code: 1, want: []string{at + `panic in Register of ` + lib + `: boom \[P407\]`, `RegisterHandler handler\.go`}},
		{fault: "constructor", code: 1, want: []string{`panic in constructor of faulty: boom \[P407\]`}},
		{fault: "Init", code: 1, want: []string{`panic in Init of faulty: boom \[P407\]`}},
		{fault: "SetOutChan", code: 1, want: []string{`panic in SetOutChan of faulty: boom \[P407\]`}},
		{fault: "IsEntityEnabled", code: 1, want: []string{died + `IsEntityEnabled handler\.go`}},
		{fault: "HandleProcEvt", code: 1, want: []string{died + `HandleProcEvt handler\.go:\d+ < reader\.`}},
		{fault: "HandleProcEvt error", want: []string{`the handler failed on a record stage=sysflowreader type=PE err="the other side is full"`}},
		{fault: "Cleanup", code: 1, want: []string{`clean-up failed stage=sysflowreader err="panic in Cleanup of faulty: boom \[P407\]; calls: `}},
	} {
		t.Run(tr.fault, func(t *testing.T) { tr.check(t, in, config, "../resources/traces/tcp.sf") })
	}
}

func TestFaultyDriver(t *testing.T) {
	t.Parallel()
	in := install(t, map[string]string{"drivers/faulty.so": "plugins/testdata/faulty"})
	config := in.pipeline(t, readerEntry+",\n"+enrichEntry+",\n"+exporterEntry)
	const lib = `\.\./resources/drivers/faulty\.so`
	for _, tr := range []trial{
		{fault: ""},
		{fault: "init", code: 1, want: []string{
			`\[Error\] .* driver library not loaded path=` + lib + ` err="panic in initialization of ` + lib + `: boom \[P407\]; calls: `,
			`(?m)^-driver: error: driver 'faulty' is neither built in nor found at ` + lib + ` \[P401\]\n    hint: these libraries could not be loaded: ` + lib}},
		{fault: "GetName", code: 1, want: []string{`panic in Register of ` + lib, `\[P401\]`}},
		{fault: "Register", code: 1, want: []string{`panic in Register of ` + lib, `\[P401\]`}},
		{fault: "", env: []string{"FAULT_DRIVERS=file"}, code: 1, want: []string{`'file' is already registered \(by the program\) \[P406\]`, `\[P401\]`}},
		{fault: "", env: []string{"FAULT_DRIVERS=Not-A-Name"}, code: 1, want: []string{
			lib + `: plugin is named 'Not-A-Name', expected a name of lower-case letters, digits, '_' and '-' \[P405\]`, `\[P401\]`}},
		{fault: "constructor", code: 1, want: []string{`(?m)^-driver: error: panic in constructor of faulty: boom \[P407\]`}},
		{fault: "Init", code: 1, want: []string{`driver failed driver=faulty err="panic in Init of faulty: boom \[P407\]; calls: `}},
		{fault: "Run", code: 1, want: []string{`driver failed driver=faulty err="panic in Run of faulty: boom \[P407\]; calls: faulty\.fail faulty\.go:\d+ < faulty\.\(\*Drive\)\.Run driver\.go`}},
		{fault: "Run error", code: 1, want: []string{`driver failed driver=faulty err="the source is gone"`}},
		{fault: "Cleanup", code: 1, want: []string{`clean-up failed driver=faulty err="panic in Cleanup of faulty: boom \[P407\]; calls: `}},
	} {
		t.Run(tr.fault+strings.Join(tr.env, ""), func(t *testing.T) { tr.check(t, in, "-driver=faulty", config, "x") })
	}
	// A driver that nobody needs may be as broken as it likes; one that fails leaves the others alone.
	unneeded := trial{fault: "Register", docs: 10, want: []string{`\[Error\] .* driver library not loaded`}}
	t.Run("not needed", func(t *testing.T) { unneeded.check(t, in, config, "../resources/traces/tcp.sf") })
	beside := trial{fault: "Run", code: 1, docs: 10, want: []string{`panic in Run of faulty: boom`}}
	t.Run("beside another one", func(t *testing.T) {
		beside.check(t, in, in.pipeline(t, readerEntry+",\n"+enrichEntry+",\n"+exporterEntry,
			`"drivers": [{"driver": "faulty", "path": "x"}, {"driver": "file"}]`), "../resources/traces/tcp.sf")
	})
}

func TestFaultyAction(t *testing.T) {
	t.Parallel()
	in := install(t, map[string]string{"actions/faulty.so": "plugins/testdata/faulty", "actions/now.so": "plugins/actions/example"})
	config := in.pipeline(t, readerEntry+`,
{"processor": "policyengine", "in": "f flattenerchan", "out": "e eventchan", `+in.policy(t, "faulty")+`},
`+exporterEntry)
	const lib = `\.\./resources/actions/faulty\.so`
	const unknown = `error: unknown action 'faulty' in rule 'Exec'; registered: now \[E501\](\n.*)*hint: these action libraries could not be loaded: ` + lib
	const notLoaded = `\[Error\] .* action library not loaded path=` + lib + ` err=`
	for _, tr := range []trial{
		{fault: "", docs: 2},
		{fault: "init", code: 1, want: []string{notLoaded + `"panic in initialization of`, unknown}},
		{fault: "GetName", code: 1, want: []string{notLoaded + `"panic in GetName of ` + lib + `: boom \[P407\]; calls: `, unknown}},
		{fault: "GetFunc", code: 1, want: []string{notLoaded + `"panic in GetFunc of ` + lib + `: boom \[P407\]; calls: `, unknown}},
		{fault: "no function", code: 1, want: []string{notLoaded + `"` + lib + `: action 'faulty' has no function \[P404\]`, unknown}},
		{fault: "", env: []string{"FAULT_ACTION=Not A Name"}, code: 1, want: []string{notLoaded + `".*plugin is named 'Not A Name', expected a name of`, unknown}},
		{fault: "", env: []string{"FAULT_ACTION=tag"}, code: 1, want: []string{`action 'tag': built-in actions cannot be replaced`}},
		{fault: "action", docs: 2, want: []string{`\[Error\] .* action failed .*rule=Exec action=faulty failures=1 err="panic: boom" calls="faulty\.fail faulty\.go:\d+ < faulty\.\(\*Act\)\.GetFunc`}},
		{fault: "action error", docs: 2, want: []string{`\[Error\] .* action failed .*rule=Exec action=faulty failures=1 err="no such host"`}},
	} {
		t.Run(tr.fault+strings.Join(tr.env, ""), func(t *testing.T) { tr.check(t, in, config, "../resources/traces/tcp.sf") })
	}
	// Of two actions of one name the later library's counts.
	in.policy(t, "now")
	o := in.run(t, []string{"FAULT_ACTION=now"}, config, "../resources/traces/tcp.sf")
	o.mustExit(t, 0)
	if !strings.Contains(o.stderr, "[Warn]") || !strings.Contains(o.stderr, "action registered twice, the later one counts") ||
		!strings.Contains(o.stdout, "now_in_nanos:") || strings.Contains(o.stdout, "by faulty") {
		t.Errorf("got %s%s", o.stderr, o.stdout)
	}
}
