package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// TestSemantics states what operators, quantifiers, missing values, transformers and subscripts mean, one condition a
// line: those that hold on a record, then those that do not.
func TestSemantics(t *testing.T) {
	exec := record(sfgo.PROC_EVT, did(opExec), tree("/usr/bin/Python3.11", "/bin/bash", "/usr/sbin/sshd"), user("root"),
		text(sfgo.PROC_EXEARGS_STR, "-m http.server"), text(sfgo.CONT_ID_STR, "477216583b2f"),
		text(sfgo.CONT_IMAGE_STR, "registry:5000/foo/Bar:1.2"), num(sfgo.RET_INT, -2), num(sfgo.TID_INT, 102),
		num(sfgo.PROC_OID_HPID_INT, 100), num(sfgo.PROC_TTY_INT, 1), text(sfgo.POD_ID_STR, "p"),
		text(sfgo.POD_SERVICES_STR, `[{"clusterip":["10.111.214.104"],"name":"web","portList":[{"port":80}]}]`),
		text(sfgo.POD_HOSTIP_STR, `["10.0.0.7","10.0.0.8"]`),
		func(r *sfgo.FlatRecord) { r.Anys[0][sfgo.POD_HOSTIP_ANY] = []int64{10 | 7<<24, 10 | 8<<24} })
	file := record(sfgo.FILE_FLOW, did(opOpen|opRead|opClose), path("/home/ann/.ssh/id_rsa"), num(sfgo.FILE_RESTYPE_INT, 'f'),
		num(sfgo.FL_FILE_OPENFLAGS_INT, 1|4), num(sfgo.NUMRRECVBYTES_INT, 80), tree("/usr/bin/aGVsbG8="))
	flow := record(sfgo.NET_FLOW, did(opConnect|opWrite), num(sfgo.FL_NETW_SIP_INT, 10|5<<24), num(sfgo.FL_NETW_SPORT_INT, 51514),
		num(sfgo.FL_NETW_DIP_INT, 10|9<<24), num(sfgo.FL_NETW_DPORT_INT, 22), num(sfgo.FL_NETW_PROTO_INT, 6))
	for _, tt := range []struct {
		name      string
		rec       *sfgo.FlatRecord
		mode      falco.Mode
		hold, not string
	}{
		{name: "texts", rec: exec, hold: `
			sf.proc.exe = /usr/bin/Python3.11
			sf.proc.exe == "/usr/bin/Python3.11"
			sf.proc.name contains thon
			sf.proc.name contains ""
			sf.proc.name icontains THON3
			sf.proc.exe startswith /usr
			sf.proc.exe endswith 3.11
			sf.proc.exe glob "/usr/*.11"
			sf.proc.name iglob "python?.[0-1][[:digit:]]"
			sf.proc.name regex "Py.*"
			sf.proc.exe pmatch (bin/Py, x)
			sf.proc.args = "-m http.server"`, not: `
			sf.proc.exe = /usr/bin/python3.11
			sf.proc.name contains THON
			sf.proc.exe startswith usr
			sf.proc.exe endswith 3.1
			sf.proc.exe glob "/usr"
			sf.proc.exe glob "*python*"
			sf.proc.name regex "thon"
			sf.proc.name pmatch (Python3.11x)`},
		{name: "lists and quantifiers", rec: exec, hold: `
			sf.proc.name in (bash, Python3.11)
			sf.proc.name intersects (bash, Python3.11)
			sf.proc.name startswith (x, Py)
			sf.proc.name startswith anyof (x, Py)
			sf.proc.name contains allof (Py, "3.", "")
			sf.proc.name contains oneof (Py, x)
			sf.proc.name != oneof (Python3.11, y)
			sf.proc.pid <= [1, 100]
			sf.proc.pid > [100, 99]`, not: `
			sf.proc.name in (bash, zsh)
			sf.proc.name contains allof (Py, x)
			sf.proc.name contains oneof (Py, 3)
			sf.proc.name contains oneof (x, z)
			sf.proc.name contains oneof (Py, Py)
			sf.proc.pid > [100, 101]`},
		{name: "numbers and booleans", rec: exec, hold: `
			sf.proc.pid = 0x64
			sf.ret = -2
			sf.ret < 0
			sf.proc.tid >= 102
			sf.proc.pid in (1, 100)
			sf.proc.pid < val(sf.proc.tid)
			sf.proc.pid != sf.proc.tid
			sf.proc.tty = true
			sf.proc.tty = 1
			exists sf.proc.tty
			sf.proc.entry = false
			sf.proc.entry != sf.proc.tty
			not exists sf.proc.entry`, not: `
			sf.proc.pid = 101
			sf.proc.tid <= 101
			sf.proc.pid = sf.proc.tid
			sf.proc.tty = FALSE
			sf.proc.tty != true`},
		{name: "enumerations", rec: exec, hold: `
			sf.type = pe
			sf.type in (FF, PE)
			sf.container.type = DOCKER
			sf.container.type = ct_docker
			sf.container.type startswith DO`, not: `
			sf.type = FF
			sf.container.type = host
			sf.container.type startswith do`},
		{name: "flags", rec: file, hold: `
			sf.opflags = OP_READ
			sf.opflags = read
			sf.opflags in (RENAME, CLOSE)
			sf.opflags = 1408
			sf.opflags >= 1408
			sf.opflags startswith REA
			sf.opflags endswith allof (D, N, E)
			sf.file.openflags = CREAT
			sf.file.openflags = O_RDONLY
			sf.file.openflags = 5
			sf.file.openflags != 4
			exists sf.opflags`, not: `
			sf.opflags = RECV
			sf.opflags = 128
			sf.opflags > 1408
			sf.opflags != READ
			sf.file.openflags = RDWR
			sf.file.openflags = WRONLY
			sf.file.is_open_write = true`},
		{name: "addresses", rec: flow, hold: `
			sf.net.sip = 10.0.0.5
			sf.net.sip = 83886090
			sf.net.sip in (10.0.0.0/30, 10.0.0.4/30)
			sf.net.ip = 10.0.0.9
			sf.net.dip startswith 10.0
			sf.net.dip glob "*.9"
			sf.net.sip != sf.net.dip
			sf.net.ip = val(sf.net.dip)
			fd.net = 10.0.0.8/29
			fd.net in (10.0.0.9)
			sf.net.proto = tcp
			sf.net.proto = 6
			sf.res = 10.0.0.5:51514-10.0.0.9:22
			fd.lport = 51514
			fd.is_server = false`, not: `
			sf.net.sip = 10.0.0.9
			sf.net.ip = 10.0.0.6
			sf.net.ip != 10.0.0.9
			sf.net.sip = 10.0.0.0/30
			fd.net = 10.0.1.0/24
			sf.net.proto = udp
			fd.lport = 22`},
		{name: "several values", rec: exec, hold: `
			sf.proc.aname = bash
			sf.proc.aname != zsh
			sf.proc.aname startswith ss
			sf.proc.apid > 99
			sf.proc.apid = 98
			sf.proc.aexe contains allof (ssh, Python)
			sf.proc.aname = sf.pproc.name
			sf.pod.hostip = 10.0.0.8
			exists sf.proc.aname`, not: `
			sf.proc.aname = zsh
			sf.proc.aname != bash
			sf.proc.apid > 100
			sf.proc.aexe contains allof (ssh, zsh)
			sf.pod.internalip = 10.0.0.8
			exists sf.pod.internalip`},
		{name: "subscripts", rec: exec, hold: `
			sf.proc.aname[0] = Python3.11
			sf.proc.aexe[2] = /usr/sbin/sshd
			sf.proc.apid[1] = 99
			sf.proc.apid[7] = 0
			sf.proc.aname[7] = ""
			proc.args[1] = http.server
			proc.args[2] = ""
			sf.pod.services[0.clusterip.0] = 10.111.214.104
			sf.pod.services[0.portList.0.port] = 80
			sf.pod.services["0.name"] startswith w
			sf.pod.hostip[1] = 10.0.0.8
			sf.pod.services contains clusterip`, not: `
			sf.proc.aname[1] = sshd
			sf.proc.apid[7] < 5
			exists sf.proc.aname[7]
			sf.pod.services[1.name] exists
			sf.pod.services[0.Name] = web
			sf.pod.hostip[2] exists`},
		{name: "missing", rec: file, hold: `
			sf.net.dport = 0
			sf.net.dport in (0, 22)
			sf.net.dport != 22
			sf.net.sip = ""
			sf.net.sip != 10.0.0.1
			sf.net.ip != 0.0.0.0
			sf.net.sip = sf.net.dip
			sf.net.port != 0
			sf.file.newpath = ""
			sf.file.newpath contains ""
			sf.pod.name = ""
			sf.ke.action != K8S_COMPONENT_ADDED
			sf.container.type = host
			sf.container.privileged = false
			len(sf.net.ip) = 0
			len(sf.pod.name) < 1
			sf.pf.nthreads = sf.net.dport
			sf.flow.rbytes >= 80`, not: `
			sf.net.dport < 1
			sf.net.dport >= 0
			sf.net.dport <= sf.flow.rbytes
			sf.net.sip = 0.0.0.0
			sf.net.ip = 0.0.0.0
			sf.net.port = 0
			sf.net.port >= 0
			fd.net = 0.0.0.0/0
			sf.file.newpath startswith /
			exists sf.file.newpath
			exists sf.net.dport
			exists sf.net.ip
			exists sf.ret`},
		{name: "not available", rec: file, hold: `
			k8s.pod.name = <NA>
			k8s.pod.name in ("N/A", x)
			fd.sport in ("<NA>")
			fd.ip = "<NA>"
			not proc.name in ("<NA>", "N/A")
			evt.type != "<NA>"`, not: `
			k8s.pod.name != <NA>
			sf.pod.name = <NA>
			fd.num = "<NA>"
			fd.sport in ("<NA>", 1) and fd.sport != "<NA>"`},
		{name: "transformers", rec: exec, hold: `
			tolower(sf.proc.name) = python3.11
			toupper(sf.proc.name) startswith PYTHON
			basename(sf.proc.exe) = Python3.11
			basename(sf.proc.exe) = val(sf.proc.name)
			sf.proc.name = basename(sf.proc.exe)
			len(sf.proc.name) = 10
			len(sf.proc.aname) = 3
			len(sf.proc.aname[1]) = 4
			len(tolower(sf.proc.name)) >= 10
			toupper(basename(sf.proc.aexe)) = SSHD
			len(sf.opflags) = 1
			exists basename(sf.proc.exe)
			tolower(sf.container.type) = docker`, not: `
			tolower(sf.proc.name) = Python3.11
			len(sf.proc.name) > 10
			b64(sf.proc.name) exists
			basename(sf.proc.aexe) = /bin/bash`},
		{name: "base64", rec: file, hold: `
			b64(sf.proc.name) = hello
			toupper(b64(sf.proc.name)) = HELLO
			len(b64(sf.proc.name)) = 5
			b64(sf.file.name) = ""`, not: `
			b64(sf.proc.name) != hello`},
		{name: "results", rec: exec, hold: `
			evt.res = ENOENT
			evt.res = -2
			evt.res < 0
			evt.res startswith E
			evt.res in (SUCCESS, -2)
			evt.failed = true`, not: `
			evt.res = SUCCESS
			evt.res >= 0
			evt.res in (EACCES, 2)`},
		{name: "Falco mode", mode: falco.On, rec: record(sfgo.PROC_EVT, did(opExec), tree("/usr/bin/dpkg-preconfigure", "/bin/sh")), hold: `
			proc.name = dpkg-preconfigure
			proc.name = dpkg-preconfigu
			proc.name != dpkg
			proc.aname[0] = dpkg-preconfigu
			proc.aname = sh
			proc.cmdline = dpkg-preconfigure
			len(proc.name) = 17
			container.id = host`, not: `
			proc.name != dpkg-preconfigu
			proc.name != dpkg-preconfigure
			proc.aname = dpkg-preconfigu
			sf.proc.name = dpkg-preconfigu
			sf.container.id = host`},
	} {
		mode := tt.mode
		if mode == "" {
			mode = falco.Off
		}
		for i, conds := range []string{tt.hold, tt.not} {
			for _, cond := range strings.Split(strings.TrimSpace(conds), "\n") {
				cond = strings.TrimSpace(cond)
				t.Run(tt.name+" "+cond, func(t *testing.T) {
					yaml := "- rule: r\n  desc: d\n  condition: >\n    " + cond + "\n- rule: n\n  desc: d\n  condition: >\n    not (" + cond + ")\n"
					p, diags := falco.LoadSources([]falco.Source{{Name: "r.yaml", Text: []byte(yaml)}}, falco.Options{Falco: mode, Catalogue: catalogue})
					if diags.HasErrors() {
						t.Fatal(diags[0].Format())
					}
					if got, want := matched(t, p, tt.rec), []string{"r", "n"}[i]; got != want {
						t.Errorf("holds: %t", got == "r")
					}
				})
			}
		}
	}
}

// TestRulesThatCannotBeMade lists what only a wrong front end would ask for.
func TestRulesThatCannotBeMade(t *testing.T) {
	operand := func(name string, apply ...policy.Transform) policy.Operand {
		f, ok := catalogue.Lookup(name, false)
		if !ok {
			t.Fatal(name)
		}
		return policy.Operand{Field: f, Index: -1, Apply: apply}
	}
	pair := func(op policy.Op, left, right policy.Operand) *policy.Test {
		return &policy.Test{Op: op, Left: left, Right: &right}
	}
	one := []policy.Literal{{Text: "x"}}
	for name, tt := range map[string]struct {
		cond policy.Node
		want string
	}{
		"no attribute":         {&policy.Test{Op: policy.Eq, Lits: one}, "without an attribute"},
		"no right attribute":   {&policy.Test{Op: policy.Eq, Left: operand("sf.type"), Right: &policy.Operand{}}, "without an attribute"},
		"nothing":              {nil, "cannot hold"},
		"order of texts":       {&policy.Test{Op: policy.Lt, Left: operand("sf.proc.exe"), Lits: one}, "sf.proc.exe"},
		"contains in integers": {&policy.Test{Op: policy.Contains, Left: operand("sf.ret"), Lits: one}, "sf.ret"},
		"regex not compiled":   {&policy.Test{Op: policy.Regex, Left: operand("sf.proc.exe"), Lits: one}, "not a compiled"},
		"regex of attributes":  {pair(policy.Regex, operand("sf.proc.exe"), operand("sf.proc.name")), "cannot compare"},
		"text with integer":    {pair(policy.Eq, operand("sf.proc.exe"), operand("sf.ret")), "integer"},
		"order of attributes":  {pair(policy.Lt, operand("sf.proc.exe"), operand("sf.proc.name")), "cannot compare"},
		"tolower of integers":  {&policy.Test{Op: policy.Eq, Left: operand("sf.ret", policy.ToLower), Lits: one}, "transformer"},
		"tolower after len":    {&policy.Test{Op: policy.Eq, Left: operand("sf.proc.exe", policy.Len, policy.ToLower), Lits: one}, "follow len"},
		"missing is less":      {&policy.Test{Op: policy.Lt, Left: operand("sf.ret"), Lits: []policy.Literal{{Missing: true}}}, "missing"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &policy.Policy{Rules: []*policy.Rule{{
				Rule: &engine.Rule{Name: "bad", Enabled: true}, Cond: policy.And{policy.Const(true), tt.cond}, Pos: policy.Pos{File: "r.yaml", Line: 7},
			}}}
			_, err := policy.Compile(p)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "r.yaml:7: rule 'bad': ") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// TestSharedMacros compiles a condition that, written out, has 2^60 terms.
func TestSharedMacros(t *testing.T) {
	test := func(exe string) policy.Node {
		f, _ := catalogue.Lookup("sf.proc.exe", false)
		return &policy.Test{Op: policy.Contains, Left: policy.Operand{Field: f, Index: -1}, Lits: []policy.Literal{{Text: exe}}}
	}
	cond := policy.Node(policy.Const(true))
	for i := range 60 {
		cond = policy.Or{policy.And{cond, test(fmt.Sprint("a", i))}, policy.And{cond, test(fmt.Sprint("b", i))}}
	}
	all := ""
	for i := range 60 {
		all += fmt.Sprint("-", []string{"a", "b"}[i%2], i, "-")
	}
	p := &policy.Policy{Rules: []*policy.Rule{{Rule: &engine.Rule{Name: "r", Enabled: true}, Cond: cond}}}
	if got := matched(t, p, record(sfgo.PROC_EVT, tree(all))); got != "r" {
		t.Error("no match")
	}
	if got := matched(t, p, record(sfgo.PROC_EVT, tree(strings.Replace(all, "-a30-", "", 1)))); got != "" {
		t.Error("a match, although the condition fails half-way")
	}
}
