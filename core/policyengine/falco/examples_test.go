package falco

import (
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// record describes a row by what the examples mention; the rest is missing.
type record struct {
	typ                 int64
	ops                 int64
	exe, args, user     string
	pid, tid, uid, ppid int64
	tty, entry          bool
	path, newPath       string
	ret                 int64
	sip, dip            int64
	sport, dport        int64
	wops                int64
	open                int64
	container, image    string
	containerType       int64
	tree                []string // executables of the ancestors, the parent first
}

// Bits of the operation bitmap.
const (
	opExec = 1 << 1
	opConn = 1 << 6
	opOpen = 1 << 7
	opRead = 1 << 8
	opWrit = 1 << 9
	opClos = 1 << 10
)

func (r record) row() *sfgo.FlatRecord {
	ints, strs := make([]int64, sfgo.INT_ARRAY_SIZE), make([]string, sfgo.STR_ARRAY_SIZE)
	ints[sfgo.SF_REC_TYPE] = r.typ
	ints[sfgo.OPFLAGS_INT] = r.ops
	ints[sfgo.PROC_OID_HPID_INT] = r.pid
	ints[sfgo.PROC_POID_HPID_INT] = r.ppid
	ints[sfgo.TID_INT] = r.tid
	ints[sfgo.PROC_UID_INT] = r.uid
	if r.tty {
		ints[sfgo.PROC_TTY_INT] = 1
	}
	if r.entry {
		ints[sfgo.PROC_ENTRY_INT] = 1
	}
	switch r.typ {
	case sfgo.PROC_EVT, sfgo.FILE_EVT:
		ints[sfgo.RET_INT] = r.ret
	case sfgo.NET_FLOW:
		ints[sfgo.FL_NETW_SIP_INT], ints[sfgo.FL_NETW_DIP_INT] = r.sip, r.dip
		ints[sfgo.FL_NETW_SPORT_INT], ints[sfgo.FL_NETW_DPORT_INT] = r.sport, r.dport
		ints[sfgo.FL_NETW_PROTO_INT] = 6
	case sfgo.FILE_FLOW:
		ints[sfgo.NUMWSENDOPS_INT] = r.wops
		ints[sfgo.FL_FILE_OPENFLAGS_INT] = r.open
	}
	if r.path != "" {
		ints[sfgo.FILE_RESTYPE_INT] = 'f'
	}
	strs[sfgo.PROC_EXE_STR], strs[sfgo.PROC_EXEARGS_STR], strs[sfgo.PROC_USERNAME_STR] = r.exe, r.args, r.user
	strs[sfgo.FILE_PATH_STR], strs[sfgo.SEC_FILE_PATH_STR] = r.path, r.newPath
	strs[sfgo.CONT_ID_STR], strs[sfgo.CONT_IMAGE_STR] = r.container, r.image
	ints[sfgo.CONT_TYPE_INT] = r.containerType
	row := &sfgo.FlatRecord{
		Sources: []sfgo.Source{sfgo.SYSFLOW_SRC},
		Ints:    [][]int64{ints}, Strs: [][]string{strs}, Anys: [][]any{make([]any, sfgo.ANY_ARRAY_SIZE)},
	}
	for _, exe := range append([]string{r.exe}, r.tree...) {
		if exe != "" {
			row.Ptree = append(row.Ptree, &sfgo.Process{Exe: exe})
		}
	}
	return row
}

// ip returns an address as records have it.
func ip(a, b, c, d int64) int64 { return a | b<<8 | c<<16 | d<<24 }

// mustLoad loads a policy set that must have no errors.
func mustLoad(t testing.TB, text string, opts Options) (*policy.Set, policy.Diagnostics) {
	t.Helper()
	opts.Catalogue = catalogue
	p, ds := LoadSources([]Source{{"test.yaml", []byte(text)}}, opts)
	if p == nil {
		for _, d := range ds {
			t.Log(d.Format())
		}
		t.Fatal("policy set has errors")
	}
	set, err := policy.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return set, ds
}

// matches returns the rules that match a record, and whether it was dropped.
func matches(set *policy.Set, r record) ([]*engine.Rule, bool) {
	return set.NewEvaluator().Eval(r.row(), 1)
}

// TestExamples evaluates the worked examples of the language's specification, by their numbers there.
func TestExamples(t *testing.T) {
	const lists = "- list: shells\n  items: [bash, zsh]\n- list: interp\n  items: [shells, python]\n"
	bash, zsh := record{typ: sfgo.PROC_EVT, exe: "/bin/bash"}, record{typ: sfgo.PROC_EVT, exe: "/bin/zsh", tty: true}
	python, ash := record{typ: sfgo.PROC_EVT, exe: "/usr/bin/python3.11"}, record{typ: sfgo.PROC_EVT, exe: "/bin/ash"}
	shadow, passwd := record{typ: sfgo.FILE_FLOW, path: "/etc/shadow"}, record{typ: sfgo.FILE_FLOW, path: "/etc/passwd"}
	etcetera := record{typ: sfgo.FILE_FLOW, path: "/etcetera/x"}
	key := record{typ: sfgo.FILE_FLOW, path: "/home/ann/.ssh/id_rsa"}
	written := record{typ: sfgo.FILE_FLOW, path: "/x", ops: opOpen | opWrit | opClos}
	received := record{typ: sfgo.NET_FLOW, ops: opConn | opRead}
	ssh := record{typ: sfgo.NET_FLOW, sip: ip(10, 0, 0, 5), sport: 51514, dip: ip(10, 0, 0, 9), dport: 22}
	tree := record{typ: sfgo.PROC_EVT, exe: "/bin/bash", tree: []string{"/usr/sbin/sshd", "/sbin/systemd"}}
	first := record{typ: sfgo.PROC_EVT, exe: "/sbin/init", pid: 1}
	same := record{typ: sfgo.PROC_EVT, exe: "/bin/sh", tree: []string{"/bin/sh"}}
	sed := record{typ: sfgo.PROC_EVT, ops: opExec, exe: "/usr/bin/sed", args: "-i s/a/b/ f"}
	for _, tt := range []struct {
		nr    string
		rec   record
		cond  string
		want  bool
		falco Mode
	}{
		{"1", bash, `sf.type = PE or sf.type = FF and sf.proc.name = nginx`, true, Off},
		{"1", bash, `(sf.type = PE or sf.type = FF) and sf.proc.name = nginx`, false, Off},
		{"2", zsh, `not sf.proc.name = bash and sf.proc.tty = true`, true, Off},
		{"2", zsh, `not (sf.proc.name = zsh and sf.proc.tty = true)`, false, Off},
		{"3", shadow, `sf.file.path = ["/etc/passwd", '/etc/shadow']`, true, Off},
		{"4", passwd, `sf.file.path != ["/etc/passwd", "/etc/shadow"]`, true, Off},
		{"4", passwd, `not sf.file.path in (/etc/passwd, /etc/shadow)`, false, Off},
		{"5", record{typ: sfgo.FILE_FLOW, wops: 12}, `sf.flow.wops >= [100, 10]`, true, Off},
		{"6", zsh, `sf.proc.name in (interp)`, true, Off},
		{"6", zsh, `sf.proc.name in interp`, true, Off},
		{"6", zsh, `sf.proc.name in ("interp")`, false, Off},
		{"7", python, `sf.proc.name pmatch (interp)`, true, Off},
		{"7", ash, `sf.proc.name pmatch (interp)`, false, Off},
		{"8", etcetera, `sf.file.path pmatch (/etc)`, true, On},
		{"8", etcetera, `fd.name pmatch (/etc)`, false, On},
		{"8", key, `fd.name pmatch ("/home/*/.ssh")`, true, On},
		{"9", written, `sf.opflags = WRITE and not sf.opflags in (CLOSE, TRUNCATE)`, false, Off},
		{"9", written, `sf.opflags != OPEN`, false, Off},
		{"9", written, `sf.opflags = [RENAME, WRITE]`, true, Off},
		{"9", written, `sf.opflags in (OP_WRITE_SEND)`, true, Off},
		{"10", received, `sf.opflags in (READ_RECV)`, true, Off},
		{"10", received, `sf.opflags = RECV`, true, Off},
		{"10", received, `sf.opflags = READ`, false, Off},
		{"10", received, `evt.type in (recvfrom, accept)`, true, Off},
		{"11", ssh, `sf.net.port in (22, 2222)`, true, Off},
		{"11", ssh, `sf.net.port < 1024`, true, Off},
		{"11", ssh, `sf.net.sport < 1024`, false, Off},
		{"11", ssh, `sf.net.port != 22`, false, Off},
		{"11", ssh, `sf.net.ip = 10.0.0.0/24`, true, Off},
		{"11", ssh, `fd.sport = 22`, false, Off},
		{"11", ssh, `fd.sport = 22`, true, On},
		{"12", tree, `sf.proc.aname = sshd and sf.proc.name != sshd`, true, Off},
		{"12", tree, `sf.proc.aname[1] = sshd`, true, Off},
		{"12", tree, `sf.proc.aname[2] = sshd`, false, Off},
		{"12", tree, `exists sf.proc.aname[9]`, false, Off},
		{"12", tree, `proc.aname = bash`, true, Off},
		{"12", tree, `proc.aname = bash`, false, On},
		{"13", first, `exists sf.pproc.name`, false, Off},
		{"13", first, `sf.pproc.pid exists`, false, Off},
		{"13", first, `exists sf.proc.uid`, false, Off},
		{"13", first, `not exists sf.pproc.name and sf.proc.pid = 1`, true, Off},
		{"14", bash, `sf.net.dport < 1024`, false, Off},
		{"14", bash, `sf.net.dport = 0`, true, Off},
		{"14", bash, `sf.file.path = ""`, true, Off},
		{"14", bash, `sf.file.path != /etc/passwd`, true, Off},
		{"14", bash, `sf.file.path startswith /etc`, false, Off},
		{"14", bash, `sf.net.ip != 10.0.0.1`, true, Off},
		{"15", bash, `sf.container.type = host`, true, Off},
		{"15", bash, `exists sf.container.id`, false, Off},
		{"15", bash, `container.id != host`, true, Off},
		{"15", bash, `container.id != host`, false, On},
		{"16", same, `sf.proc.exe = sf.pproc.exe`, true, Off},
		{"16", same, `sf.proc.exe = "sf.pproc.exe"`, false, Off},
		{"19", sed, `evt.type in (execve, execveat) and evt.dir = < and proc.cmdline startswith "sed -i"`, false, Off},
		{"19", sed, `evt.type in (execve, execveat) and evt.dir = < and proc.cmdline startswith "sed -i"`, true, On},
		{"19", sed, `not proc.name in ("<NA>","N/A")`, true, On},
		{"19", record{typ: sfgo.PROC_EVT}, `not proc.name in ("<NA>","N/A")`, false, On},
	} {
		t.Run(tt.nr+" "+tt.cond, func(t *testing.T) {
			set, _ := mustLoad(t, lists+"- rule: r\n  desc: d\n  condition: |\n    "+tt.cond+"\n", Options{Falco: tt.falco})
			if rules, _ := matches(set, tt.rec); (len(rules) == 1) != tt.want {
				t.Errorf("got %v, want %v", !tt.want, tt.want)
			}
		})
	}
}

// TestExampleExceptions is example 17.
func TestExampleExceptions(t *testing.T) {
	set, _ := mustLoad(t, `
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
`, Options{})
	nginx := record{typ: sfgo.FILE_FLOW, ops: opWrit, exe: "/usr/sbin/nginx", path: "/var/log/nginx/access.log", user: "www"}
	vim := nginx
	vim.exe = "/usr/bin/vim"
	root := vim
	root.user = "root"
	for name, tt := range map[string]struct {
		rec  record
		want bool
	}{"nginx": {nginx, false}, "vim": {vim, true}, "vim as root": {root, false}} {
		if rules, _ := matches(set, tt.rec); (len(rules) == 1) != tt.want {
			t.Errorf("%s: got %v, want %v", name, !tt.want, tt.want)
		}
	}
}

// TestExampleAppend is example 18.
func TestExampleAppend(t *testing.T) {
	set, ds := mustLoad(t, `
- macro: trusted
  condition: sf.proc.name = agent
- rule: untrusted
  desc: d
  condition: sf.type = PE and not trusted
- macro: trusted
  condition: or sf.proc.name = watcher
  override: {condition: append}
- rule: joined
  desc: d
  condition: sf.proc.name = a or sf.proc.name = b
- rule: joined
  append: true
  condition: and sf.type = FF
`, Options{})
	if len(ds) != 1 || ds[0].Code != "W507" {
		t.Errorf("got %v, want a warning W507", ds)
	}
	for name, want := range map[string]string{"watcher": "", "agent": "", "other": "untrusted", "a": "untrusted joined", "b": "untrusted"} {
		rules, _ := matches(set, record{typ: sfgo.PROC_EVT, exe: "/bin/" + name})
		if got := names(rules); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// TestExampleDrop is example 20.
func TestExampleDrop(t *testing.T) {
	set, _ := mustLoad(t, `
- rule: R1
  desc: d
  condition: sf.type = PE
  priority: notice
  tags: [a]
- rule: R2
  desc: d
  condition: sf.opflags = EXEC
  priority: critical
  tags: [b, a]
  prefilter: [PE]
- drop: noise
  condition: sf.proc.name = cron
`, Options{})
	if _, drop := matches(set, record{typ: sfgo.PROC_EVT, ops: opExec, exe: "/usr/sbin/cron"}); !drop {
		t.Error("cron is not dropped")
	}
	rules, drop := matches(set, record{typ: sfgo.PROC_EVT, ops: opExec, exe: "/usr/bin/vi"})
	if drop || names(rules) != "R1 R2" || rules[0].Priority != engine.Low || rules[1].Priority != engine.High ||
		rules[1].Rank != engine.RankCritical || len(rules[1].Tags) != 2 || rules[1].Tags[0] != "b" {
		t.Errorf("vi: got %v, dropped %v", rules, drop)
	}
	if rules, drop := matches(set, record{typ: sfgo.FILE_FLOW, ops: opOpen, exe: "/usr/bin/vi"}); drop || len(rules) != 0 {
		t.Errorf("file flow: got %q, dropped %v", names(rules), drop)
	}
}

func names(rules []*engine.Rule) string {
	var ns []string
	for _, r := range rules {
		ns = append(ns, r.Name)
	}
	return strings.Join(ns, " ")
}
