package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// The examples that the language's specification gives, from policy text to verdict.

var catalogue = field.SysFlow()

// fact is something known of a record.
type fact func(r *sfgo.FlatRecord)

// record returns a record of which only the given facts are known.
func record(recordType int64, facts ...fact) *sfgo.FlatRecord {
	r := &sfgo.FlatRecord{
		Sources: []sfgo.Source{sfgo.SYSFLOW_SRC},
		Ints:    [][]int64{make([]int64, sfgo.INT_ARRAY_SIZE)},
		Strs:    [][]string{make([]string, sfgo.STR_ARRAY_SIZE)},
		Anys:    [][]any{make([]any, sfgo.ANY_ARRAY_SIZE)},
	}
	num(sfgo.SF_REC_TYPE, recordType)(r)
	for _, f := range facts {
		f(r)
	}
	return r
}

func num(a sfgo.Attribute, v int64) fact {
	return func(r *sfgo.FlatRecord) { r.Ints[sfgo.SYSFLOW_IDX][a] = v }
}

func text(a sfgo.Attribute, v string) fact {
	return func(r *sfgo.FlatRecord) { r.Strs[sfgo.SYSFLOW_IDX][a] = v }
}

func path(p string) fact { return text(sfgo.FILE_PATH_STR, p) }
func user(u string) fact { return text(sfgo.PROC_USERNAME_STR, u) }

// tree sets the executables of the process and its ancestors.
func tree(exes ...string) fact {
	return func(r *sfgo.FlatRecord) {
		for i, exe := range exes {
			r.Ptree = append(r.Ptree, &sfgo.Process{Oid: &sfgo.OID{Hpid: int64(100 - i)}, Exe: exe})
		}
		text(sfgo.PROC_EXE_STR, exes[0])(r)
	}
}

// Operations.
const (
	opExec    = 1 << 1
	opAccept  = 1 << 5
	opConnect = 1 << 6
	opOpen    = 1 << 7
	opRead    = 1 << 8
	opWrite   = 1 << 9
	opClose   = 1 << 10
)

func did(ops int64) fact { return num(sfgo.OPFLAGS_INT, ops) }

// parse returns the policies of a text.
func parse(t *testing.T, yaml string, mode falco.Mode, wantCodes string) *policy.Policy {
	t.Helper()
	p, diags := falco.LoadSources([]falco.Source{{Name: "rules.yaml", Text: []byte(yaml)}}, falco.Options{Falco: mode, Catalogue: catalogue})
	codes := ""
	for _, d := range diags {
		if d.Severity == policy.Error {
			t.Fatal(d.Format())
		}
		if d.Severity == policy.Warning && d.Code != "W125" {
			codes += d.Code
		}
	}
	if codes != wantCodes {
		t.Errorf("warnings %s, want %s", codes, wantCodes)
	}
	return p
}

// matched returns the names of the rules that a record matches, or "dropped".
func matched(t *testing.T, p *policy.Policy, r *sfgo.FlatRecord) string {
	t.Helper()
	set, err := policy.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	rules, drop := set.NewEvaluator().Eval(r, 1)
	if drop {
		return "dropped"
	}
	var names []string
	for _, r := range rules {
		names = append(names, r.Name)
	}
	return strings.Join(names, " ")
}

func TestWorkedExamples(t *testing.T) {
	const lists = "- list: shells\n  items: [bash, zsh]\n- list: interp\n  items: [shells, python]\n"
	flow := record(sfgo.NET_FLOW, did(opConnect|opRead),
		num(sfgo.FL_NETW_SIP_INT, 10|5<<24), num(sfgo.FL_NETW_SPORT_INT, 51514), num(sfgo.FL_NETW_DIP_INT, 10|9<<24), num(sfgo.FL_NETW_DPORT_INT, 22))
	zsh := record(sfgo.PROC_EVT, tree("/bin/zsh"), num(sfgo.PROC_TTY_INT, 1))
	file := record(sfgo.FILE_FLOW, did(opOpen|opWrite|opClose), path("/etc/passwd"))
	first := record(sfgo.PROC_EVT, tree("/sbin/init"), num(sfgo.PROC_OID_HPID_INT, 1))
	host := record(sfgo.PROC_EVT, tree("/bin/sh", "/bin/sh"))
	sed := record(sfgo.PROC_EVT, did(opExec), tree("/usr/bin/sed"), text(sfgo.PROC_EXEARGS_STR, "-i s/a/b/ f"))
	family := record(sfgo.PROC_EVT, tree("/bin/bash", "/usr/sbin/sshd", "/lib/systemd"))
	const on, off = falco.On, falco.Off
	for i, tt := range []struct {
		cond  string
		rec   *sfgo.FlatRecord
		mode  falco.Mode
		want  bool
		codes string
	}{
		{"sf.type = PE or sf.type = FF and sf.proc.name = nginx", family, off, true, ""}, // 1
		{"(sf.type = PE or sf.type = FF) and sf.proc.name = nginx", family, off, false, ""},
		{"not sf.proc.name = bash and sf.proc.tty = true", zsh, off, true, ""}, // 2
		{"not (sf.proc.name = zsh and sf.proc.tty = true)", zsh, off, false, ""},
		{`sf.file.path = ["/etc/passwd", '/etc/shadow']`, file, off, true, ""}, // 3
		{`sf.file.path != ["/etc/passwd", "/etc/shadow"]`, file, off, true, "W310"},
		{"not sf.file.path in (/etc/passwd, /etc/shadow)", file, off, false, ""},
		{"sf.flow.wops >= [100, 10]", record(sfgo.FILE_FLOW, num(sfgo.NUMWSENDOPS_INT, 12)), off, true, ""}, // 5
		{"sf.proc.name in (interp)", zsh, off, true, ""},                                                    // 6
		{"sf.proc.name in interp", zsh, off, true, ""},
		{`sf.proc.name in ("interp")`, zsh, off, false, ""},
		{"sf.proc.name pmatch (interp)", record(sfgo.PROC_EVT, tree("/usr/bin/python3.11")), off, true, ""}, // 7
		{"sf.proc.name pmatch (interp)", record(sfgo.PROC_EVT, tree("/bin/ash")), off, false, ""},
		{"sf.file.path pmatch (/etc)", record(sfgo.FILE_FLOW, path("/etcetera/x")), on, true, ""}, // 8
		{"fd.name pmatch (/etc)", record(sfgo.FILE_FLOW, path("/etcetera/x")), on, false, ""},
		{`fd.name pmatch ("/home/*/.ssh")`, record(sfgo.FILE_FLOW, path("/home/ann/.ssh/id_rsa")), on, true, ""},
		{"sf.opflags = WRITE and not sf.opflags in (CLOSE, TRUNCATE)", file, off, false, ""}, // 9
		{"sf.opflags != OPEN", file, off, false, ""},
		{"sf.opflags = [RENAME, WRITE]", file, off, true, ""},
		{"sf.opflags in (OP_WRITE_SEND)", file, off, true, ""},
		{"sf.opflags in (READ_RECV)", flow, off, true, ""}, // 10
		{"sf.opflags = RECV", flow, off, true, ""},
		{"sf.opflags = READ", flow, off, false, ""},
		{"evt.type in (recvfrom, accept)", flow, off, true, ""},
		{"sf.net.port in (22, 2222)", flow, off, true, ""}, // 11
		{"sf.net.port < 1024", flow, off, true, ""},
		{"sf.net.sport < 1024", flow, off, false, ""},
		{"sf.net.port != 22", flow, off, false, ""},
		{"sf.net.ip = 10.0.0.0/24", flow, off, true, ""},
		{"fd.sport = 22", flow, off, false, ""},
		{"fd.sport = 22", flow, on, true, ""},
		{"sf.proc.aname = sshd and sf.proc.name != sshd", family, off, true, ""}, // 12
		{"sf.proc.aname[1] = sshd", family, off, true, ""},
		{"sf.proc.aname[2] = sshd", family, off, false, ""},
		{"exists sf.proc.aname[9]", family, off, false, ""},
		{"proc.aname = bash", family, off, true, ""},
		{"proc.aname = bash", family, on, false, ""},
		{"exists sf.pproc.name", first, off, false, ""}, // 13
		{"sf.pproc.pid exists", first, off, false, ""},
		{"exists sf.proc.uid", first, off, false, ""},
		{"not exists sf.pproc.name and sf.proc.pid = 1", first, off, true, ""},
		{"sf.net.dport < 1024", first, off, false, ""}, // 14
		{"sf.net.dport = 0", first, off, true, ""},
		{`sf.file.path = ""`, first, off, true, ""},
		{"sf.file.path != /etc/passwd", first, off, true, ""},
		{"sf.file.path startswith /etc", first, off, false, ""},
		{"sf.net.ip != 10.0.0.1", first, off, true, ""},
		{"sf.container.type = host", host, off, true, ""}, // 15
		{"exists sf.container.id", host, off, false, ""},
		{"container.id != host", host, off, true, ""},
		{"container.id != host", host, on, false, ""},
		{"sf.proc.exe = sf.pproc.exe", host, off, true, ""}, // 16
		{`sf.proc.exe = "sf.pproc.exe"`, host, off, false, ""},
		{`evt.type in (execve, execveat) and evt.dir = < and proc.cmdline startswith "sed -i"`, sed, off, false, "W312"}, // 19
		{`evt.type in (execve, execveat) and evt.dir = < and proc.cmdline startswith "sed -i"`, sed, on, true, "W312"},
		{`not proc.name in ("<NA>","N/A")`, sed, on, true, ""},
		{`not proc.name in ("<NA>","N/A")`, record(sfgo.PROC_EVT, did(opExec)), on, false, ""},
	} {
		t.Run(fmt.Sprint(i, " ", tt.cond), func(t *testing.T) {
			p := parse(t, lists+"- rule: r\n  condition: >\n    "+tt.cond+"\n", tt.mode, tt.codes)
			if got := matched(t, p, tt.rec) == "r"; got != tt.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestWorkedExceptions(t *testing.T) {
	p := parse(t, `
- rule: Log writer
  desc: unexpected writer below /var/log
  condition: sf.opflags = WRITE and sf.file.path startswith /var/log
  priority: warning
  exceptions:
    - name: by_program
      fields: [sf.proc.name, sf.file.path]
      comps:  [=, startswith]
      values:
        - [nginx, /var/log/nginx]
        - [cron,  /var/log/cron]
    - name: by_user
      fields: sf.proc.user
      comps: in
      values: [syslog, root]
`, falco.Off, "")
	for _, tt := range []struct{ exe, user, want string }{
		{"/usr/sbin/nginx", "www", ""},
		{"/usr/bin/vim", "www", "Log writer"},
		{"/usr/bin/vim", "root", ""},
	} {
		r := record(sfgo.FILE_FLOW, did(opWrite), path("/var/log/nginx/access.log"), tree(tt.exe), user(tt.user))
		if got := matched(t, p, r); got != tt.want {
			t.Errorf("%s of %s: got %q, want %q", tt.exe, tt.user, got, tt.want)
		}
	}
}

func TestWorkedAppend(t *testing.T) {
	p := parse(t, `
- macro: trusted
  condition: sf.proc.name = agent
- macro: trusted
  condition: or sf.proc.name = watcher
  override: {condition: append}
- rule: untrusted
  desc: an untrusted process
  condition: sf.type = PE and not trusted
`, falco.Off, "")
	for exe, want := range map[string]string{"/opt/watcher": "", "/opt/agent": "", "/opt/other": "untrusted"} {
		if got := matched(t, p, record(sfgo.PROC_EVT, tree(exe))); got != want {
			t.Errorf("%s: got %q, want %q", exe, got, want)
		}
	}
}

func TestWorkedDrop(t *testing.T) {
	p := parse(t, `
- rule: R1
  desc: any process event
  condition: sf.type = PE
  priority: notice
  tags: [a]
- rule: R2
  desc: a program starts
  condition: sf.opflags = EXEC
  priority: critical
  tags: [b, a]
  prefilter: [PE]
- drop: noise
  condition: sf.proc.name = cron
`, falco.Off, "")
	cron := record(sfgo.PROC_EVT, did(opExec), tree("/usr/sbin/cron"))
	vi := record(sfgo.PROC_EVT, did(opExec), tree("/usr/bin/vi"))
	file := record(sfgo.FILE_FLOW, did(opOpen), tree("/usr/bin/vi"))
	if got := matched(t, p, cron); got != "dropped" {
		t.Errorf("cron: got %s", got)
	}
	if got := matched(t, p, vi); got != "R1 R2" {
		t.Errorf("vi: got %s", got)
	}
	if got := matched(t, p, file); got != "" {
		t.Errorf("file flow: got %s", got)
	}
	e := new(engine.Batch).Add(vi, []*engine.Rule{p.Rules[0].Rule, p.Rules[1].Rule})
	tags := ""
	for _, r := range e.Rules {
		tags += fmt.Sprint(r.Priority, r.Tags)
	}
	if tags != "1 [a]3 [b a]" {
		t.Errorf("levels and tags are %s", tags)
	}
	if top := e.Top(); top.Name != "R2" || top.Rank != engine.RankCritical || e.Level() != engine.High {
		t.Errorf("priority of the record is that of %s, level %d", top.Name, e.Level())
	}
}
