package field

import (
	"slices"
	"strings"
	"testing"
)

// wantFields is the language's table of attributes: name, type, record types, and Falco names that mean the same outside
// of Falco mode.
const wantFields = `
sf.type                 enum     all
sf.opflags              flags    PE PF FF FE NF NE
sf.ret                  int      all              : evt.rawres
sf.ts                   int      all              : evt.time evt.rawtime
sf.endts                int      PF FF NF KE
sf.res                  string   FF FE NF         : fd.name
sf.node.id              string   all              : evt.hostname
sf.node.ip              string   all
sf.schema.version       int      all              : sf.meta.schema
sf.version              int      all
sf.meta.tracename       string   all
sf.proc.oid             string   PE PF FF FE NF
sf.proc.pid             int      PE PF FF FE NF   : proc.pid
sf.proc.tid             int      PE PF FF FE NF   : thread.tid proc.tid
sf.proc.uid             int      PE PF FF FE NF   : user.uid proc.uid
sf.proc.gid             int      PE PF FF FE NF   : group.gid proc.gid
sf.proc.user            string   PE PF FF FE NF   : user.name proc.user
sf.proc.group           string   PE PF FF FE NF   : group.name proc.group
sf.proc.exe             string   PE PF FF FE NF   : proc.exe proc.exepath
sf.proc.args            string   PE PF FF FE NF
sf.proc.name            string   PE PF FF FE NF   : proc.name
sf.proc.cmdline         string   PE PF FF FE NF   : proc.cmdline proc.exeline
sf.proc.tty             bool     PE PF FF FE NF
sf.proc.entry           bool     PE PF FF FE NF
sf.proc.createts        int      PE PF FF FE NF   : proc.createtime proc.pid.ts
sf.proc.aname           []string PE PF FF FE NF   : proc.aname
sf.proc.aexe            []string PE PF FF FE NF   : proc.aexe proc.aexepath
sf.proc.acmdline        []string PE PF FF FE NF   : proc.acmdline
sf.proc.apid            []int    PE PF FF FE NF   : proc.apid
sf.pproc.pid            int      PE PF FF FE NF   : proc.ppid
sf.pproc.createts       int      PE PF FF FE NF   : proc.pcreatetime proc.ppid.ts
sf.pproc.oid            string   PE PF FF FE NF
sf.pproc.name           string   PE PF FF FE NF   : proc.pname
sf.pproc.exe            string   PE PF FF FE NF   : proc.pexe proc.pexepath
sf.pproc.args           string   PE PF FF FE NF   : proc.pargs
sf.pproc.cmdline        string   PE PF FF FE NF   : proc.pcmdline
sf.pproc.uid            int      PE PF FF FE NF   : proc.puid
sf.pproc.gid            int      PE PF FF FE NF
sf.pproc.user           string   PE PF FF FE NF   : proc.puser
sf.pproc.group          string   PE PF FF FE NF   : proc.pgroup
sf.pproc.tty            bool     PE PF FF FE NF   : proc.ptty
sf.pproc.entry          bool     PE PF FF FE NF
sf.file.path            string   FF FE            : fd.nameraw fs.path.name fs.path.source
sf.file.name            string   FF FE            : fd.filename
sf.file.directory       string   FF FE            : fd.directory
sf.file.symlink         string   FF FE
sf.file.oid             string   FF FE
sf.file.newpath         string   FE               : fs.path.target
sf.file.newname         string   FE
sf.file.newdirectory    string   FE
sf.file.newsymlink      string   FE
sf.file.newoid          string   FE
sf.file.type            enum     FF FE NF         : fd.typechar
sf.file.fd              int      FF NF            : fd.num
sf.file.openflags       flags    FF               : evt.args
sf.file.is_open_read    bool     FF               : evt.is_open_read
sf.file.is_open_write   bool     FF               : evt.is_open_write
sf.net.proto            int      NF               : fd.l4proto fd.proto fd.lproto fd.rproto fd.cproto fd.sproto
sf.net.sport            int      NF               : fd.sport fd.cport
sf.net.dport            int      NF               : fd.dport
sf.net.port             []int    NF               : fd.port
sf.net.sip              ip       NF               : fd.sip fd.cip
sf.net.dip              ip       NF               : fd.dip
sf.net.ip               []ip     NF               : fd.ip
sf.flow.rbytes          int      FF NF
sf.flow.rops            int      FF NF
sf.flow.wbytes          int      FF NF
sf.flow.wops            int      FF NF
sf.pf.nthreads          int      PF
sf.pf.nexits            int      PF
sf.pf.nerrors           int      PF
sf.container.id         string   PE PF FF FE NF   : container.id container.full_id
sf.container.name       string   PE PF FF FE NF   : container.name
sf.container.image      string   PE PF FF FE NF   : container.image
sf.container.image.id   string   PE PF FF FE NF   : sf.container.imageid container.image.id
sf.container.type       enum     PE PF FF FE NF NE : container.type
sf.container.privileged bool     PE PF FF FE NF   : container.privileged
sf.pod.id               string   PE PF FF FE NF   : k8s.pod.id k8s.pod.uid
sf.pod.name             string   PE PF FF FE NF   : k8s.pod.name
sf.pod.nodename         string   PE PF FF FE NF   : k8s.node.name
sf.pod.namespace        string   PE PF FF FE NF   : k8s.ns.name
sf.pod.ts               int      PE PF FF FE NF
sf.pod.restartcnt       int      PE PF FF FE NF
sf.pod.hostip           []ip     PE PF FF FE NF
sf.pod.internalip       []ip     PE PF FF FE NF   : k8s.pod.ip
sf.pod.services         json     PE PF FF FE NF
sf.ke.action            enum     KE
sf.ke.kind              enum     KE
sf.ke.message           json     KE
evt.type                flags    PE PF FF FE NF NE : syscall.type
evt.dir                 []enum   all
evt.res                 string   all
evt.failed              bool     all
evt.num                 int      all
evt.arg.path            string   FF FE            : evt.arg.name
evt.arg.oldpath         string   FE
evt.arg.newpath         string   FE
evt.arg.target          string   FE
evt.arg.linkpath        string   FE
evt.arg.filename        string   PE FF FE
evt.arg.exe             string   PE
evt.arg.args            string   PE
evt.arg.flags           string   FF
evt.arg.uid             string   PE
evt.is_open_create      bool     FF
proc.args               string   PE PF FF FE NF
proc.aargs              []string PE PF FF FE NF
proc.tty                bool     PE PF FF FE NF
proc.vpid               int      PE PF FF FE NF
proc.duration           int      PE PF FF FE NF
proc.ppid.duration      int      PE PF FF FE NF
fd.type                 enum     FF FE NF
fd.sockfamily           string   FF FE NF
fd.is_server            bool     FF NF
fd.lip                  []ip     NF
fd.rip                  []ip     NF
fd.lport                []int    NF
fd.rport                []int    NF
fd.net                  net      NF
fd.cnet                 net      NF
fd.snet                 net      NF
fd.lnet                 net      NF
fd.rnet                 net      NF
container.image.repository string PE PF FF FE NF
container.image.tag     string   PE PF FF FE NF
container.image.digest  string   PE PF FF FE NF
sf.proc.username        string   PE PF FF FE NF
sf.pproc.username       string   PE PF FF FE NF
sf.file.typechar        enum     FF FE NF
sf.net.sockfamily       string   FF FE NF
sf.net.mask             net      NF
`

func TestFields(t *testing.T) {
	c := SysFlow()
	seen := map[string]bool{}
	for line := range strings.Lines(strings.TrimSpace(wantFields)) {
		left, aliases, _ := strings.Cut(line, ":")
		words := strings.Fields(left)
		name, typ, records := words[0], words[1], strings.Join(words[2:], " ")
		f, ok := c.Lookup(name, false)
		if !ok {
			t.Errorf("no attribute %s", name)
			continue
		}
		seen[name] = true
		if f.Name != name || f.TypeText() != typ || f.Applies.String() != records {
			t.Errorf("%s is %s %s on %s, want %s on %s", name, f.Name, f.TypeText(), f.Applies, typ, records)
		}
		if want := strings.Fields(aliases); !slices.Equal(f.Aliases, want) {
			t.Errorf("%s is also called %q, want %q", name, f.Aliases, want)
		}
		for _, a := range f.Aliases {
			if g, ok := c.Lookup(a, false); !ok || g != f {
				t.Errorf("%s is not %s", a, name)
			}
		}
	}
	for f := range c.Fields() {
		if !seen[f.Name] {
			t.Errorf("%s is in the catalogue and not in the language", f.Name)
		}
	}
}

// TestDeclarations holds every declaration to what the comment on Field promises.
func TestDeclarations(t *testing.T) {
	c := SysFlow()
	names, places := map[string]bool{}, map[string]string{}
	check := func(f *Field, variant bool) {
		for _, n := range append([]string{f.Name}, f.Aliases...) {
			if names[n] && !variant {
				t.Errorf("%s is declared twice", n)
			}
			if c.unanswerable.names[n] {
				t.Errorf("%s is declared as unanswerable, too", n)
			}
			names[n] = true
		}
		if f.Help == "" || strings.ContainsAny(f.Help, "\n|") {
			t.Errorf("%s: help %q", f.Name, f.Help)
		}
		if f.JSON != "" {
			if other := places[f.JSON]; other != "" {
				t.Errorf("%s and %s are both at %s", other, f.Name, f.JSON)
			}
			places[f.JSON] = f.Name
		}
		var want string
		switch {
		case f.Counter:
		case f.Type == Flags:
			want = "Int Bits Strs"
		case f.Type == Net:
			want = "Ints"
		case f.Type == Bool:
			want = "Bool"
		case (f.Type == Int || f.Type == IP) && f.Multi:
			want = "Ints"
		case f.Type == Int || f.Type == IP:
			want = "Int"
		case f.Multi:
			want = "Strs"
		default:
			want = "Str"
		}
		has := map[string]bool{
			"Int": f.Int != nil, "Bits": f.Bits != nil, "Bool": f.Bool != nil, "Str": f.Str != nil,
			"Ints": f.Ints != nil, "Strs": f.Strs != nil,
		}
		for w := range strings.FieldsSeq(want) {
			if !has[w] {
				t.Errorf("%s (%s) has no reader %s", f.Name, f.TypeText(), w)
			}
			delete(has, w)
		}
		for w, set := range has {
			dual := w == "Int" && f.Type == Str || w == "Str" && f.Subscript == Path
			if set && !dual {
				t.Errorf("%s (%s) has a reader %s", f.Name, f.TypeText(), w)
			}
		}
		if at := f.AtStr != nil || f.AtInt != nil || f.AtStrs != nil; at != (f.Subscript == Index) {
			t.Errorf("%s: reader of a position and subscript do not go together", f.Name)
		}
		if (f.Type == Enum || f.Type == Flags) && f.Names == nil {
			t.Errorf("%s has no set of names", f.Name)
		}
		for _, ref := range []string{f.Of, f.Deprecated} {
			if _, ok := c.Lookup(ref, false); ref != "" && !ok {
				t.Errorf("%s refers to %s, which there is not", f.Name, ref)
			}
		}
	}
	for f := range c.Fields() {
		check(f, false)
	}
	for f := range c.Variants() {
		if _, ok := c.Lookup(f.Name, false); !ok {
			t.Errorf("%s exists in Falco mode only", f.Name)
		}
		if strings.HasPrefix(f.Name, "sf.") {
			t.Errorf("%s means something else in Falco mode", f.Name)
		}
		check(f, true)
	}
}

func TestLookupFalcoMode(t *testing.T) {
	c := SysFlow()
	changed := strings.Fields("fd.sip fd.sport fd.snet proc.aname proc.aexe proc.aexepath proc.aargs proc.acmdline proc.apid " +
		"proc.cmdline proc.pcmdline proc.name proc.pname container.id fd.name evt.args")
	for n := range c.Names() {
		off, _ := c.Lookup(n, false)
		on, ok := c.Lookup(n, true)
		if !ok {
			t.Errorf("%s is not known in Falco mode", n)
		}
		if (on != off) != slices.Contains(changed, n) {
			t.Errorf("%s: different meaning in Falco mode is %v", n, on != off)
		}
	}
	if _, ok := c.Lookup("sf.proc.nmae", true); ok {
		t.Error("sf.proc.nmae is known")
	}
}

func TestUnanswerable(t *testing.T) {
	c := SysFlow()
	for _, n := range strings.Fields(`evt.latency evt.latency.human evt.deltatime.ns evt.buflen evt.buflen.in evt.count
		evt.count.error evt.abspath.src evt.infra.docker_container_id evt.rawtime.s evt.asynctype evt.arg evt.arg.request
		evt.arg.data evt.rawarg.fd proc.env proc.cwd proc.exe_ino proc.exe_ino.ctime proc.stdin.type proc.pgid proc.sname
		thread.cap_permitted thread.vtid user.loginuid fd.connected fd.sip.name fd.dev.major fdlist.names
		container.mount container.mount.dest container.labels container.info k8s.deployment.name ka.verb jevt.value
		json.value ct.name okta.actor github.user gcp.user k8smeta.pod.name mesos.task.name marathon.app.name span.id
		ext.proc.guid ext.file.imp ext.registry.details ext.net.srchostname ext.targetproc.newthreadid
		ext.targetpproc.pid ext.targetcontainer.id`) {
		if !c.Unanswerable(n) {
			t.Errorf("%s is not unanswerable", n)
		}
	}
	for _, n := range strings.Fields(`sf.proc.nmae sf.type evt.type evt.arg.path evt.typ thread.tid thread k8s k8s.pod.name ct
		proc.nmae ext.proc.nothing ext.registry evt.latency.days user.name mesos`) {
		if c.Unanswerable(n) {
			t.Errorf("%s is unanswerable", n)
		}
	}
	for n := range c.UnanswerableNames() {
		if n = strings.TrimSuffix(n, "*"); strings.HasSuffix(n, ".") {
			n += "x"
		}
		if !c.Unanswerable(n) {
			t.Errorf("%s is in the list and not unanswerable", n)
		}
	}
}

func TestSuggest(t *testing.T) {
	c := SysFlow()
	for given, want := range map[string][]string{
		"sf.proc.nmae":    {"sf.proc.name"},
		"sf.process.name": {"sf.proc.name"}, // by its last component, too
		"sf.k8s.name":     {"sf.pod.name"},
		"proc.nmae":       {"proc.name"},
		"evt.typ":         {"evt.type"},
		"fd.nam":          {"fd.name", "fd.num"},
		"sf.proc.axe":     {"sf.proc.exe", "sf.proc.aexe"},
		"sf.proc.id":      {"sf.proc.oid", "sf.proc.pid", "sf.proc.tid"}, // and more, but three are enough
		"colour":          nil,
	} {
		if got := c.Suggest(given); !slices.Equal(got, want) {
			t.Errorf("for %s, %q is suggested, want %q", given, got, want)
		}
	}
	for n := range c.Names() {
		if f, _ := c.Lookup(n, false); f.Deprecated != "" {
			t.Errorf("%s is deprecated and would be suggested", n)
		}
	}
}
