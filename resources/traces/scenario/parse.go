package scenario

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/config/suggest"
	"github.com/sysflow-telemetry/sf-processor/core/config/yamldoc"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// parser turns a document into a scenario.
type parser struct {
	doc    *yamldoc.Doc
	root   *yamldoc.Map
	s      *Scenario
	users  map[string]int32
	pods   map[string]int // positions in Scenario.pods
	boxes  map[string]int // positions in Scenario.containers
	slots  map[string]int // of process names
	verbs  map[string]verb
	counts int // counts in texts so far
}

func newParser(file string, data []byte) *parser {
	doc, root := yamldoc.Parse(file, data)
	return &parser{doc: doc, root: root.Map(), s: &Scenario{Name: baseName(file), file: file},
		users: map[string]int32{"root": 0}, pods: map[string]int{}, boxes: map[string]int{}, slots: map[string]int{}, verbs: verbs()}
}

// gap is the time, in nanoseconds, between two steps that do not say it.
var gap = span{20_000, 200_000}

func (p *parser) scenario() *Scenario {
	m, s := p.root, p.s
	s.About = m.Need("about").Text()
	s.Schema = codec.CurrentSchema
	if v := m.Key("schema"); v.Present() {
		s.Schema = v.OneOf(codec.SchemaIDs()...)
	}
	if v := m.Need("start"); v.Present() {
		s.start = p.time(v)
	}
	s.seed = uint64(m.Key("seed").Int())
	node := m.Need("node").Map()
	s.header = sfgo.SFHeader{
		Version: node.Key("version").Int(), Exporter: node.Need("id").Text(),
		Ip: node.Key("ip").Text(), Filename: node.Key("file").Text(),
	}
	node.Done()
	if s.address, _ = netip.ParseAddr(s.header.Ip); !s.address.Is4() {
		s.address = netip.IPv4Unspecified()
	}
	each(m.Key("users"), func(name string, v yamldoc.Value) { p.users[name] = int32(v.Int()) })
	each(m.Key("pods"), p.pod)
	each(m.Key("containers"), p.container)
	each(m.Key("processes"), p.process)
	s.steps = p.steps(m.Need("steps"))
	m.Done()
	s.slots, s.counts = len(p.slots), p.counts
	return s
}

// each calls f for each key of a mapping, in the order of the document.
func each(v yamldoc.Value, f func(name string, v yamldoc.Value)) {
	m := v.Map()
	for _, k := range m.All() {
		f(k.Text(), m.Key(k.Text()))
	}
}

// find returns what a name stands for among known; an unknown name is a fault.
func find(v yamldoc.Value, kind string, known map[string]int) (int, bool) {
	name := v.Text()
	i, ok := known[name]
	if ok || name == "" {
		return i, ok
	}
	names := slices.Sorted(maps.Keys(known))
	if near := suggest.Names(name, slices.Values(names), 1); len(near) > 0 {
		v.Faultf("no %s is called %q: did you mean %q?", kind, name, near[0])
	} else {
		v.Faultf("no %s is called %q before this line: there are %s", kind, name, strings.Join(names, ", "))
	}
	return 0, false
}

// time reads a time, such as 2026-03-02T08:15:00.000000001Z, or a duration since the start.
func (p *parser) time(v yamldoc.Value) int64 {
	if d, err := time.ParseDuration(v.Text()); err == nil && p.s.start != 0 {
		return p.s.start + int64(d)
	}
	t, err := time.Parse(time.RFC3339Nano, v.Text())
	if err != nil {
		v.Faultf("want a time such as 2026-03-02T08:15:00Z, or a duration since the start such as 250ms, found %q", v.Text())
		return 0
	}
	return t.UnixNano()
}

func (p *parser) pod(name string, v yamldoc.Value) {
	m := v.Map()
	rec := sfgo.Pod{Ts: p.s.start, Id: m.Need("id").Text(), Name: m.Need("name").Text(), NodeName: m.Key("node").Text(),
		Namespace: m.Key("namespace").Text(), RestartCount: m.Key("restarts").Int(), Labels: texts(m.Key("labels")),
		Selectors: texts(m.Key("selectors")), HostIP: addresses(m.Key("hostip")), InternalIP: addresses(m.Key("ip"))}
	if v := m.Key("since"); v.Present() {
		rec.Ts = p.time(v)
	}
	for _, v := range m.Key("services").List() {
		s := v.Map()
		service := &sfgo.Service{Name: s.Need("name").Text(), Id: s.Need("id").Text(), Namespace: s.Key("namespace").Text(),
			ClusterIP: addresses(s.Key("ip"))}
		for _, v := range s.Key("ports").List() {
			port := v.Map()
			service.PortList = append(service.PortList, &sfgo.Port{Port: int32(port.Need("port").Int()),
				TargetPort: int32(port.Key("target").Int()), NodePort: int32(port.Key("node").Int()), Proto: port.Need("proto").Text()})
			port.Done()
		}
		s.Done()
		rec.Services = append(rec.Services, service)
	}
	m.Done()
	p.pods[name] = len(p.s.pods)
	p.s.pods = append(p.s.pods, &pod{rec: rec})
}

func texts(v yamldoc.Value) map[string]string {
	all := map[string]string{}
	each(v, func(name string, v yamldoc.Value) { all[name] = v.Text() })
	return all
}

func addresses(v yamldoc.Value) []int64 {
	var all []int64
	for _, v := range v.List() {
		all = append(all, readIP(v))
	}
	return all
}

// runtimes are the names of container types, in the order of the schema.
var runtimes = []string{"docker", "lxc", "libvirt_lxc", "mesos", "rkt", "custom", "cri", "containerd", "crio", "bpm"}

func (p *parser) container(name string, v yamldoc.Value) {
	m := v.Map()
	c := &container{rec: sfgo.Container{Id: m.Need("id").Text(), Name: m.Key("name").Text(), Image: m.Key("image").Text(),
		Imageid: m.Key("imageid").Text(), Privileged: m.Key("privileged").Bool()}}
	if v := m.Key("type"); v.Present() {
		c.rec.Type = sfgo.ContainerType(slices.Index(runtimes, v.OneOf(runtimes...)))
	}
	if v := m.Key("pod"); v.Present() {
		if i, ok := find(v, "pod", p.pods); ok {
			c.pod = p.s.pods[i]
			c.rec.PodId = &sfgo.PodIdUnion{String: c.pod.rec.Id, UnionType: sfgo.PodIdUnionTypeEnumString}
		}
	}
	m.Done()
	p.boxes[name] = len(p.s.containers)
	p.s.containers = append(p.s.containers, c)
}

// process reads a process that runs when the story begins, or several of them under one name.
func (p *parser) process(name string, v yamldoc.Value) {
	m := v.Map()
	proc := &process{threads: 1, slot: p.slot(name)}
	proc.rec = sfgo.Process{State: sfgo.SFObjectStateREUP, Ts: p.s.start, Exe: m.Need("exe").Text(), ExeArgs: m.Key("args").Text(),
		Tty: m.Key("tty").Bool(), Entry: m.Key("entry").Bool(), Cwd: m.Key("cwd").Text(), Env: m.Key("env").Texts()}
	if v := m.Key("parent"); v.Present() {
		if slot, ok := find(v, "process", p.slots); ok {
			proc.parent = p.first(slot)
			proc.rec.Poid = poid(proc.parent)
		}
	}
	p.identity(m)(&proc.rec)
	if v := m.Key("container"); v.Present() {
		if i, ok := find(v, "container", p.boxes); ok {
			proc.enter(p.s.containers[i])
		}
	}
	if v := m.Key("threads"); v.Present() {
		if proc.threads = v.Int(); proc.threads < 1 {
			v.Faultf("a process has at least one thread")
		}
	}
	if m.Key("state").OneOf("reup", "created") == "created" {
		proc.rec.State = sfgo.SFObjectStateCREATED
	}
	proc.hidden = m.Key("unknown").Bool()
	count := max(1, m.Key("count").Int())
	pid, created := m.Key("pid").Int(), m.Key("created")
	if pid == 0 {
		pid = p.nextPID()
	}
	for i := range count {
		one := *proc
		one.rec.Oid = &sfgo.OID{Hpid: pid + i*proc.threads}
		switch {
		case created.Text() == "0": // before anybody looked
		case created.Present():
			one.rec.Oid.CreateTS = p.time(created)
		default: // live collectors know the time to ten milliseconds
			one.rec.Oid.CreateTS = p.s.start/10_000_000*10_000_000 - 3_600_000_000_000 + one.rec.Oid.Hpid*10_000_000
		}
		p.s.running = append(p.s.running, &one)
	}
	m.Done()
}

// first returns the process, or the first of those, that runs under a name.
func (p *parser) first(slot int) *process {
	for _, q := range p.s.running {
		if q.slot == slot {
			return q
		}
	}
	return nil // the name is declared by a step; processes come first, so this is not reached
}

func (p *parser) nextPID() int64 {
	next := int64(firstPID)
	for _, q := range p.s.running {
		next = max(next, q.rec.Oid.Hpid+q.threads)
	}
	return next
}

// slot returns the slot of a process name, a new one if the name is new.
func (p *parser) slot(name string) int {
	slot, ok := p.slots[name]
	if !ok {
		slot = len(p.slots)
		p.slots[name] = slot
	}
	return slot
}

// identity reads user, uid, group and gid, and returns what sets them; absent ones stay as they are.
func (p *parser) identity(m *yamldoc.Map) func(*sfgo.Process) {
	user, uid, group, gid := m.Key("user"), m.Key("uid"), m.Key("group"), m.Key("gid")
	if uid.Present() && !user.Present() {
		uid.Faultf("uid goes with user, which may be empty")
	}
	if gid.Present() && !group.Present() {
		gid.Faultf("gid goes with group, which may be empty")
	}
	id := func(name, number yamldoc.Value) int32 {
		if number.Present() {
			return int32(number.Int())
		}
		n, ok := p.users[name.Text()]
		if !ok && name.Present() {
			name.Faultf("the number of %q is not known: list it under users, or give it here", name.Text())
		}
		return n
	}
	uidNumber, gidNumber := id(user, uid), id(group, gid)
	return func(rec *sfgo.Process) {
		if user.Present() {
			rec.UserName, rec.Uid, rec.GroupName, rec.Gid = user.Text(), uidNumber, user.Text(), uidNumber
		} else if rec.UserName == "" && rec.Uid == 0 {
			rec.UserName, rec.GroupName = "root", "root"
		}
		if group.Present() {
			rec.GroupName, rec.Gid = group.Text(), gidNumber
		}
	}
}

func poid(parent *process) *sfgo.PoidUnion {
	if parent == nil {
		return nil
	}
	return &sfgo.PoidUnion{OID: parent.rec.Oid, UnionType: sfgo.PoidUnionTypeEnumOID}
}

// enter moves a process into a container.
func (q *process) enter(c *container) {
	q.box = c
	q.rec.ContainerId = &sfgo.ContainerIdUnion{String: c.rec.Id, UnionType: sfgo.ContainerIdUnionTypeEnumString}
}

// message reads JSON and returns it without blanks, ended by a newline and a NUL, as collectors send it.
func message(v yamldoc.Value) string {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(v.Text())); err != nil && v.Present() {
		v.Faultf("want JSON: %v", err)
	}
	return b.String() + "\n\x00"
}

func (p *parser) steps(v yamldoc.Value) []step {
	var steps []step
	for _, v := range v.List() {
		steps = append(steps, p.step(v))
	}
	return steps
}

// step reads one step: a verb with what belongs to it, and when it happens. A step may be no more than a wait.
func (p *parser) step(v yamldoc.Value) step {
	m := v.Map()
	s := step{line: v.Place().Line, wait: gap, do: func(*runner) {}}
	at, wait := m.Key("at"), m.Key("wait")
	if at.Present() {
		s.at = p.time(at)
	}
	s.wait = readTime(wait, gap)
	if at.Present() && wait.Present() {
		m.Faultf("give at or wait, not both")
	}
	found := false
	for _, name := range slices.Sorted(maps.Keys(p.verbs)) {
		body := m.Key(name)
		if !body.Present() {
			continue
		}
		if found {
			m.Faultf("a step does one thing: give what follows %q a step of its own", name)
			break
		}
		found = true
		args := body.Map()
		s.do = p.verbs[name](p, args)
		args.Done()
	}
	m.Done()
	if m.Len() == 0 {
		m.Faultf("an empty step")
	}
	return s
}
