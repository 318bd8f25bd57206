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

// holds says whether a condition holds for a record.
func holds(t *testing.T, cond string, rec record, opts Options) bool {
	t.Helper()
	set, _ := mustLoad(t, "- list: shells\n  items: [bash, zsh]\n- list: none\n  items: []\n"+
		"- macro: never\n  condition: evt.num = 0\n- rule: r\n  desc: d\n  condition: |\n    "+cond+"\n", opts)
	rules, _ := matches(set, rec)
	return len(rules) == 1
}

// TestConditions evaluates conditions whose nodes are more than one test. What single operators mean is tested in
// package policy, the examples of the language's specification in package policyengine.
func TestConditions(t *testing.T) {
	bash := record{typ: sfgo.PROC_EVT, exe: "/bin/bash", pid: 7, tid: 7, ops: opExec}
	tree := record{typ: sfgo.PROC_EVT, exe: "/bin/bash", tree: []string{"/usr/sbin/sshd", "/sbin/systemd"}}
	setuid := record{typ: sfgo.PROC_EVT, exe: "/bin/su", user: "root", uid: 0, ops: 1 << 3, ret: -2}
	ssh := record{typ: sfgo.NET_FLOW, sip: ip(10, 0, 0, 5), sport: 51514, dip: ip(10, 0, 0, 9), dport: 22}
	for cond, tt := range map[string]struct {
		rec  record
		want bool
	}{
		// != with a list: different from any element, or from as many as the quantifier says.
		`sf.proc.name != [bash]`:                 {bash, false},
		`sf.proc.name != [bash, zsh]`:            {bash, true},
		`sf.proc.name != anyof (bash, zsh)`:      {bash, true},
		`sf.proc.name != allof (bash, zsh)`:      {bash, false},
		`sf.proc.name != allof (ash, zsh)`:       {bash, true},
		`sf.proc.name != oneof (bash, zsh)`:      {bash, true},
		`sf.proc.name != oneof (ash, zsh)`:       {bash, false},
		`sf.proc.name != oneof (ash)`:            {bash, true},
		`sf.proc.name != []`:                     {bash, false},
		`sf.proc.name != allof ()`:               {bash, false},
		`sf.type != [PE, XX]`:                    {bash, true},
		`sf.type != [PE, PE]`:                    {bash, false},
		`sf.type != oneof (PE, XX)`:              {bash, true},
		`sf.type != oneof (PF, XX)`:              {bash, false},
		`sf.type != oneof (XX)`:                  {bash, true},
		`sf.proc.aname != oneof (bash, xx)`:      {tree, true},
		`sf.proc.aname != oneof (bash, sshd)`:    {tree, false},
		`sf.proc.aname != oneof (a, bash, b)`:    {tree, false},
		`sf.proc.aname != oneof (sshd, a, bash)`: {tree, true},

		// Quantifiers, with names that stand for lists and values that can never match.
		`sf.proc.name = oneof (shells)`:             {bash, true},
		`sf.proc.aname startswith allof (b, ss, s)`: {tree, true},
		`sf.proc.aname startswith oneof (b, ss)`:    {tree, false},
		`sf.proc.name startswith allof (none)`:      {bash, false},
		`sf.type = allof (PE, XX)`:                  {bash, false},
		`sf.type = oneof (PE, XX)`:                  {bash, true},
		`sf.proc.name = [shells]`:                   {bash, false},
		`sf.proc.name in (none, [ash, (bash)],)`:    {bash, true},
		`sf.proc.name in ("shells")`:                {bash, false},

		// The right side as an attribute.
		`sf.proc.pid = sf.proc.tid`:                      {bash, true},
		`sf.proc.name = "sf.proc.name"`:                  {bash, false},
		`sf.proc.name = val(sf.proc.name)`:               {bash, true},
		`sf.proc.aname[0] != sf.proc.aname[1]`:           {tree, true},
		`sf.proc.exe endswith sf.proc.name`:              {bash, true},
		`toupper(sf.proc.name) = toupper(sf.proc.name)`:  {bash, true},
		`sf.proc.name in val(sf.proc.aname)`:             {tree, true},
		`len(sf.proc.name) = len(basename(sf.proc.exe))`: {bash, true},

		// Fields that answer in part, and constants.
		`proc.vpid = 1`:                         {record{typ: sfgo.PROC_EVT, entry: true}, true},
		`proc.vpid in (1, 2)`:                   {record{typ: sfgo.PROC_EVT, entry: true}, true},
		`proc.vpid != 2 or sf.type = PF`:        {bash, false},
		`not proc.vpid > 0`:                     {bash, true},
		`not container.mounts = "<NA>"`:         {bash, false},
		`not container.mounts in (a, N/A)`:      {bash, false},
		`container.mounts != N/A or sf.type=PF`: {bash, false},
		`not container.mounts != a`:             {bash, true},
		`never or sf.type = PE`:                 {bash, true},
		`not never and sf.type = PE`:            {bash, true},
		`evt.num > 1`:                           {bash, false},
		`evt.num in (0, 1)`:                     {bash, true},
		`evt.num != 0`:                          {bash, true},
		`evt.type != ptrace`:                    {bash, true},
		`evt.type in (ptrace, execve)`:          {bash, true},
		`evt.dir = > and evt.dir=<`:             {bash, true},
		`exists evt.num`:                        {bash, true},

		// Literals.
		`evt.res = ENOENT and evt.res = -2 and evt.res < 0`: {setuid, true},
		`evt.arg.uid = 0 and evt.arg.uid = root`:            {setuid, true},
		`sf.net.dip = 150994954`:                            {ssh, true}, // 10.0.0.9
		`sf.net.proto = tcp and sf.net.proto = 0x6`:         {ssh, true},
		`sf.net.sip = ""`:                                   {bash, true},
		`sf.net.ip = ""`:                                    {ssh, false},
		`fd.sip = <NA>`:                                     {bash, true},
		`sf.proc.name = <NA>`:                               {record{typ: sfgo.PROC_EVT}, false},
		`proc.name = <NA>`:                                  {record{typ: sfgo.PROC_EVT}, true},
		`sf.opflags = 2 and sf.opflags >= 0x2`:              {bash, true},
		`sf.proc.tty = FALSE and proc.tty != 5`:             {bash, true},
		`sf.proc.name regex "(a|b)a.h"`:                     {bash, true},
		`sf.proc.name regex ba`:                             {bash, false},
	} {
		if got := holds(t, cond, tt.rec, Options{}); got != tt.want {
			t.Errorf("%s: got %v, want %v", cond, got, tt.want)
		}
	}
}

// TestExceptions evaluates the forms of exceptions.
func TestExceptions(t *testing.T) {
	set, _ := mustLoad(t, `
- list: shells
  items: [bash, zsh]
- rule: r
  desc: d
  condition: sf.type = PE
  exceptions:
    - name: cells
      fields: [sf.proc.name, sf.proc.args]
      comps: [in, =]
      values:
        - [shells, [-c, "a, b"]]
        - [[ash, '"shells"'], val(sf.proc.user)]
    - name: one
      fields: sf.proc.args
      comps: startswith oneof
      values: [--x, --xy]
    - name: nothing
      fields: sf.proc.user
`, Options{})
	for _, tt := range []struct {
		exe, args, user string
		want            bool
	}{
		{"bash", "", "", true},
		{"bash", "-c", "", false},
		{"zsh", "a, b", "", false},
		{"ash", "-c", "", true},
		{"ash", "root", "root", false},
		{"shells", "x", "x", false},
		{"python", "--x", "", false},
		{"python", "--xy", "", true},
	} {
		rules, _ := matches(set, record{typ: sfgo.PROC_EVT, exe: tt.exe, args: tt.args, user: tt.user})
		if (len(rules) == 1) != tt.want {
			t.Errorf("%+v: got %v", tt, !tt.want)
		}
	}
}

// TestOverlays loads vendor items with local ones on top, and looks at what became of the rules.
func TestOverlays(t *testing.T) {
	set, _ := mustLoad(t, `
- list: shells
  items: [bash]
- macro: shell
  condition: sf.proc.name in (shells)
- rule: first
  desc: d
  condition: shell
  tags: [a, b]
  output: from %proc.name
- rule: second
  desc: d
  condition: sf.type = FF
- rule: third
  desc: d
  condition: sf.type = PE
- drop: noise
  condition: sf.proc.name = cron
- list: shells
  items: [zsh]
  append: true
- macro: shell
  condition: or sf.proc.name = ash
  append: true
- rule: first
  desc: e
  output: as %user.name
  tags: [b, c]
  priority: high
  override: {desc: append, output: append, tags: append, priority: replace}
- rule: second
  desc: again
  condition: sf.type = PE
- rule: third
  enabled: false
- drop: noise
  condition: or sf.proc.name = at
  enabled: true
  override:
    condition: append
    enabled: replace
`, Options{})
	rule := set.Rules()[0]
	if rule.Desc != "d e" || len(rule.Tags) != 3 || rule.Tags[2] != "c" || rule.Rank != engine.RankError {
		t.Errorf("first: got %+v", rule.Rule)
	}
	bash := record{typ: sfgo.PROC_EVT, exe: "/bin/bash", user: "ann"}
	if got := string(rule.Output(nil, bash.row())); got != "from bash as ann" {
		t.Errorf("output: got %q", got)
	}
	for name, want := range map[string]string{"bash": "first second", "zsh": "first second", "ash": "first second", "vi": "second", "at": "dropped"} {
		rules, drop := matches(set, record{typ: sfgo.PROC_EVT, exe: "/bin/" + name})
		got := names(rules)
		if drop {
			got = "dropped"
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// TestAcrossFiles uses items before they are defined, in other files: the last definition counts everywhere.
func TestAcrossFiles(t *testing.T) {
	p, ds := LoadSources([]Source{
		{"a.yaml", []byte("- rule: r\n  desc: d\n  condition: wanted\n- macro: wanted\n  condition: sf.proc.name = nobody\n")},
		{"b.yml", []byte("- macro: wanted\n  condition: sf.proc.name in (tools)\n---\n- list: tools\n  items: [more, vi]\n")},
		{"c.yml", []byte("- list: more\n  items:\n    - ed\n    - '\"more\"'\n    - 'a, b'\n    - 0755\n    - yes\n    - ~\n")},
	}, Options{Catalogue: catalogue})
	if p == nil || len(ds) != 1 || ds[0].Error() != "b.yml:1:10: warning: macro 'wanted' replaces the definition at a.yaml:4 [W120]" {
		t.Fatal(ds)
	}
	set, err := policy.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"vi": true, "ed": true, "more": true, "a, b": true, "0755": true, "yes": true, "~": true,
		"nobody": false, "a": false, "true": false, "493": false, "": false,
	} {
		if rules, _ := matches(set, record{typ: sfgo.PROC_EVT, exe: name}); (len(rules) == 1) != want {
			t.Errorf("%q: got %v", name, !want)
		}
	}
}

// TestOutput renders output texts.
func TestOutput(t *testing.T) {
	file := record{
		typ: sfgo.FILE_FLOW, exe: "/usr/bin/python3.11", args: "-m http.server", user: "ann", pid: 42, tty: true,
		path: "/etc/passwd", ops: opOpen | opRead | opClos, open: 1 << 2, tree: []string{"/bin/bash", "/sbin/dpkg-preconfigure"},
	}
	ssh := record{typ: sfgo.NET_FLOW, sip: ip(10, 0, 0, 5), sport: 51514, dip: ip(10, 0, 0, 9), dport: 22}
	for _, tt := range []struct {
		output string
		rec    record
		want   string
		falco  Mode
	}{
		{"plain", file, "plain", Off},
		{"*leading star", file, "leading star", Off},
		{"100%% of %proc.name.", file, "100% of python3.11.", Off},
		{"%proc.name-%proc.pid", file, "python3.11-42", Off},
		{"(%sf.proc.name|%sf.proc.tty|%fd.name)", file, "(python3.11|true|/etc/passwd)", Off},
		{"%8proc.name|%4user.name|%2user.name", file, "python3.|ann |an", Off},
		{"%4proc.pname|%12evt.res", record{typ: sfgo.PROC_EVT, ret: -2}, "<NA>|ENOENT      ", Off},
		{"%sf.net.sip:%sf.net.sport %sf.net.ip %fd.net", ssh, "10.0.0.5:51514 10.0.0.5 10.0.0.9 10.0.0.5 10.0.0.9", Off},
		{"%fd.name", ssh, "10.0.0.5:51514-10.0.0.9:22", Off},
		{"%fd.name", ssh, "10.0.0.5:51514->10.0.0.9:22", On},
		{"%sf.proc.aname", file, "python3.11 bash dpkg-preconfigure", Off},
		{"%proc.aname %proc.aname[2] %proc.aname[9]", file, "bash dpkg-preconfigure dpkg-preconfigure <NA>", On},
		{"%proc.name[2]", file, "python3.11[2]", Off},
		{"%toupper(proc.name) %len(proc.name) %len(sf.proc.aname) %tolower(toupper(user.name)))", file, "PYTHON3.11 10 3 ann)", Off},
		{"%evt.type %sf.opflags %sf.file.openflags %evt.arg.flags", file, "open close read OPEN CLOSE READ CREAT O_CREAT", Off},
		{"%proc.env[PATH] %evt.arg.foo. %fd.sip.name %proc.exe_ino.ctime %evt.num", file, "<NA> <NA>. <NA> <NA> <NA>", Off},
		{"x %container.info%proc.cmdline", file, "x /usr/bin/python3.11 -m http.server", Off},
		{"%sf.proc.uid %sf.proc.name %sf.container.type %sf.pproc.uid", record{typ: sfgo.K8S_EVT}, "<NA> <NA> <NA> <NA>", Off},
		{"é%proc.args[1]世", file, "éhttp.server世", Off},
		{`%sf.pod.services["0.a[x]"] %sf.pod.services[0.b]`, file, "<NA> <NA>", Off},
	} {
		set, _ := mustLoad(t, "- rule: r\n  desc: d\n  condition: sf.type = PE\n  output: |-\n    "+tt.output+"\n", Options{Falco: tt.falco})
		if got := string(set.Rules()[0].Output([]byte("> "), tt.rec.row())); got != "> "+tt.want {
			t.Errorf("%s: got %q, want %q", tt.output, got, tt.want)
		}
	}
}

func names(rules []*engine.Rule) string {
	var ns []string
	for _, r := range rules {
		ns = append(ns, r.Name)
	}
	return strings.Join(ns, " ")
}
