package scenario

import (
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/config/yamldoc"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// verb reads what belongs to a step and returns what the step does.
type verb func(p *parser, m *yamldoc.Map) func(r *runner)

// verbs returns what a step can be; the README beside the scenarios describes each.
func verbs() map[string]verb {
	return map[string]verb{
		"clone": clone, "run": run, "exec": exec, "setuid": setuid, "exit": exit, "threads": threads,
		"open":    fileVerb(sfgo.O_RDONLY|sfgo.O_CLOEXEC, 0),
		"read":    fileVerb(sfgo.O_RDONLY|sfgo.O_CLOEXEC, sfgo.OP_READ_RECV),
		"write":   fileVerb(sfgo.O_WRONLY|sfgo.O_CREAT|sfgo.O_TRUNC, sfgo.OP_WRITE_SEND),
		"mmap":    fileVerb(sfgo.O_RDONLY|sfgo.O_CLOEXEC, sfgo.OP_READ_RECV|sfgo.OP_MMAP),
		"setns":   fileVerb(sfgo.O_RDONLY, sfgo.OP_SETNS),
		"unix":    unix,
		"mkdir":   fileEvent(sfgo.OP_MKDIR, 'd', false),
		"rmdir":   fileEvent(sfgo.OP_RMDIR, 'd', false),
		"unlink":  fileEvent(sfgo.OP_UNLINK, '?', false),
		"link":    fileEvent(sfgo.OP_LINK, '?', true),
		"symlink": fileEvent(sfgo.OP_SYMLINK, '?', true),
		"rename":  fileEvent(sfgo.OP_RENAME, '?', true),
		"connect": netVerb(sfgo.OP_CONNECT), "accept": netVerb(sfgo.OP_ACCEPT), "netevent": netEvent,
		"pod": podVerb, "container": containerVerb, "k8s": k8s, "rotate": rotate,
		"repeat": repeat, "mix": mix,
	}
}

// proc reads the name of a process that acts.
func (p *parser) proc(v yamldoc.Value) func(r *runner) *process {
	slot, _ := find(v, "process", p.slots)
	return func(r *runner) *process { return r.pick(slot) }
}

// processEvent writes an event of a process.
func (r *runner) processEvent(p *process, op, ret int32, args ...string) {
	r.needProcess(p)
	r.union.ProcessEvent = &sfgo.ProcessEvent{ProcOID: p.rec.Oid, Ts: r.now, Tid: p.rec.Oid.Hpid, OpFlags: op, Args: args, Ret: ret}
	r.write(sfgo.RecUnionTypeEnumProcessEvent)
}

// fork reads what a new process is told apart by, and returns what makes it.
func (p *parser) fork(parent func(*runner) *process, m *yamldoc.Map) func(r *runner) *process {
	as := m.Need("as")
	slot := p.slot(as.Text())
	identity := p.identity(m)
	box, inBox := -1, m.Key("container")
	if inBox.Present() {
		box, _ = find(inBox, "container", p.boxes)
	}
	entry, tty := m.Key("entry"), m.Key("tty")
	isEntry, hasTTY := entry.Bool(), tty.Bool()
	threads := max(1, m.Key("threads").Int())
	return func(r *runner) *process {
		from := parent(r)
		pid := r.newPID(threads)
		r.processEvent(from, sfgo.OP_CLONE, int32(pid))
		child := &process{rec: from.rec, parent: from, box: from.box, slot: slot, threads: threads}
		child.rec.State = sfgo.SFObjectStateCREATED
		child.rec.Oid = &sfgo.OID{CreateTS: r.now, Hpid: pid}
		child.rec.Poid = poid(from)
		child.rec.Entry = isEntry
		if tty.Present() {
			child.rec.Tty = hasTTY
		}
		if box >= 0 {
			child.enter(r.containers[box])
		}
		identity(&child.rec)
		r.pass(span{30_000, 90_000})
		child.rec.Ts = r.now
		r.procs[slot] = append(r.procs[slot][:0], child)
		r.processEvent(child, sfgo.OP_CLONE, 0)
		return child
	}
}

func clone(p *parser, m *yamldoc.Map) func(r *runner) {
	make := p.fork(p.proc(m.Need("proc")), m)
	return func(r *runner) { make(r) }
}

// program reads what a process executes, and returns what makes it do so.
func (p *parser) program(m *yamldoc.Map, exe yamldoc.Value) func(r *runner, proc *process) {
	path, args, hasArgs := p.readText(exe), p.readText(m.Key("args")), m.Key("args").Present()
	return func(r *runner, proc *process) {
		created := proc.rec.State == sfgo.SFObjectStateCREATED && proc.epoch == 0
		if exe.Present() {
			proc.rec.Exe, proc.rec.ExeArgs = path(r), ""
		}
		if hasArgs {
			proc.rec.ExeArgs = args(r)
		}
		if !created { // one that was only just created is written as what it has become
			r.change(proc)
		}
		r.processEvent(proc, sfgo.OP_EXEC, 0)
	}
}

func exec(p *parser, m *yamldoc.Map) func(r *runner) {
	proc, execute := p.proc(m.Need("proc")), p.program(m, m.Key("exe"))
	return func(r *runner) { execute(r, proc(r)) }
}

// run is a clone and an exec.
func run(p *parser, m *yamldoc.Map) func(r *runner) {
	make, execute := p.fork(p.proc(m.Need("parent")), m), p.program(m, m.Need("exe"))
	return func(r *runner) {
		child := make(r)
		r.pass(span{100_000, 900_000})
		execute(r, child)
	}
}

func setuid(p *parser, m *yamldoc.Map) func(r *runner) {
	proc, user, ret := p.proc(m.Need("proc")), m.Need("user").Text(), int32(m.Key("ret").Int())
	identity := p.identity(m)
	return func(r *runner) {
		q := proc(r)
		if ret == 0 {
			identity(&q.rec)
			r.change(q)
		}
		r.processEvent(q, sfgo.OP_SETUID, ret, user)
	}
}

func exit(p *parser, m *yamldoc.Map) func(r *runner) {
	proc, status := p.proc(m.Need("proc")), int32(m.Key("code").Int()<<8|m.Key("signal").Int())
	return func(r *runner) {
		q := proc(r)
		r.cutFlows(q)
		r.processEvent(q, sfgo.OP_EXIT, status)
		q.exited = true
	}
}

// threads writes a process flow.
func threads(p *parser, m *yamldoc.Map) func(r *runner) {
	proc, lasts := p.proc(m.Need("proc")), readTime(m.Need("for"), span{})
	created, exited, failed := readSize(m.Key("created"), 0), readSize(m.Key("exited"), 0), readSize(m.Key("errors"), 0)
	return func(r *runner) {
		q := proc(r)
		v := &sfgo.ProcessFlow{ProcOID: q.rec.Oid, Ts: r.now, EndTs: r.now + lasts.draw(r.random),
			NumThreadsCloned: created.draw(r.random), NumThreadsExited: exited.draw(r.random), NumCloneErrors: failed.draw(r.random)}
		if v.NumThreadsCloned+v.NumCloneErrors > 0 {
			v.OpFlags |= sfgo.OP_CLONE
		}
		if v.NumThreadsExited > 0 {
			v.OpFlags |= sfgo.OP_EXIT
		}
		r.now = v.EndTs
		r.finishFlows(r.now)
		r.needProcess(q)
		r.union.ProcessFlow = v
		r.write(sfgo.RecUnionTypeEnumProcessFlow)
	}
}

// lasting reads how long a flow lasts; what is returned is negative for a flow that ends with its process.
func lasting(m *yamldoc.Map, usual span) span {
	until := m.Key("until")
	lasts := readTime(m.Key("for"), usual)
	if until.Present() {
		until.OneOf("exit")
		return span{-1, -1}
	}
	return lasts
}

// operations returns how many calls move a number of bytes, if nothing says it.
func operations(bytes int64) int64 { return (bytes + math.MaxUint16) / (math.MaxUint16 + 1) }

// openFlags are the names of open flags, by bit.
var openFlags = []string{"RDONLY", "WRONLY", "CREAT", "APPEND", "DSYNC", "EXCL", "NONBLOCK", "SYNC", "TRUNC", "DIRECT",
	"DIRECTORY", "LARGEFILE", "CLOEXEC"}

func readFlags(v yamldoc.Value, usual int32) int32 {
	if !v.Present() {
		return usual
	}
	var flags int32
	for _, v := range v.List() {
		if name := v.Text(); name == "RDWR" {
			flags |= sfgo.O_RDWR
		} else if bit := slices.Index(openFlags, name); bit >= 0 {
			flags |= 1 << bit
		} else {
			v.Faultf("%q is not one of RDWR, %s", name, strings.Join(openFlags, ", "))
		}
	}
	return flags
}

// fileType reads the letter of a file's type.
func fileType(v yamldoc.Value, usual byte) byte {
	if !v.Present() {
		return usual
	}
	if t := v.OneOf("f", "d", "u", "p", "?"); t != "" {
		return t[0]
	}
	return usual
}

// fileVerb is a flow on a file, from open to close, that does what ops says.
func fileVerb(usual, ops int32) verb {
	return func(p *parser, m *yamldoc.Map) func(r *runner) {
		proc, path, typ := p.proc(m.Need("proc")), p.readText(m.Need("path")), fileType(m.Key("type"), 'f')
		lasts := lasting(m, span{8_000, 60_000})
		fd := int32(m.Key("fd").Int())
		flags := usual
		if ops&sfgo.OP_WRITE_SEND != 0 && m.Key("append").Bool() {
			flags = usual&^sfgo.O_TRUNC | sfgo.O_APPEND
		}
		flags = readFlags(m.Key("flags"), flags)
		begin := ops&(sfgo.OP_MMAP|sfgo.OP_SETNS) | sfgo.OP_OPEN
		if m.Key("inherited").Bool() { // opened before anybody looked
			begin &^= sfgo.OP_OPEN
			flags = 0
		}
		var bytes, calls span
		if ops&(sfgo.OP_READ_RECV|sfgo.OP_WRITE_SEND) != 0 {
			bytes, calls = readSize(m.Key("bytes"), 832), readSize(m.Key("ops"), 0)
		}
		return func(r *runner) {
			q := proc(r)
			f := r.newFlow(q, lasts.draw(r.random))
			f.file = r.fileAt(q, path(r), typ)
			f.ff = sfgo.FileFlow{ProcOID: q.rec.Oid, Ts: r.now, Tid: r.tid(q), OpFlags: begin, OpenFlags: flags,
				FileOID: f.file.rec.Oid, Fd: fd}
			if fd == 0 {
				f.ff.Fd = 3 + q.fds
			}
			n, c := bytes.draw(r.random), calls.draw(r.random)
			if c == 0 {
				c = operations(n)
			}
			if ops&sfgo.OP_READ_RECV != 0 {
				f.ff.NumRRecvBytes, f.ff.NumRRecvOps = n, c
			} else {
				f.ff.NumWSendBytes, f.ff.NumWSendOps = n, c
			}
			r.begin(f)
		}
	}
}

// traffic reads what goes both ways on a socket, and returns what sets a flow's counters.
func traffic(m *yamldoc.Map) func(r *runner, f *flow) {
	sent, received := readSize(m.Key("send"), 0), readSize(m.Key("recv"), 0)
	sends, recvs := readSize(m.Key("sends"), 0), readSize(m.Key("recvs"), 0)
	return func(r *runner, f *flow) {
		c := f.counters()
		*c[1], *c[3] = received.draw(r.random), sent.draw(r.random)
		*c[0], *c[2] = recvs.draw(r.random), sends.draw(r.random)
		if *c[0] == 0 {
			*c[0] = operations(*c[1])
		}
		if *c[2] == 0 {
			*c[2] = operations(*c[3])
		}
	}
}

// unix is a flow on a unix socket.
func unix(p *parser, m *yamldoc.Map) func(r *runner) {
	proc, path := p.proc(m.Need("proc")), p.readText(m.Need("path"))
	lasts, count := lasting(m, span{100_000, 2_000_000}), traffic(m)
	op := int32(sfgo.OP_CONNECT)
	if m.Key("accept").Bool() {
		op = sfgo.OP_ACCEPT
	}
	return func(r *runner) {
		q := proc(r)
		f := r.newFlow(q, lasts.draw(r.random))
		f.file = r.fileAt(q, path(r), 'u')
		f.ff = sfgo.FileFlow{ProcOID: q.rec.Oid, Ts: r.now, Tid: r.tid(q), OpFlags: op, FileOID: f.file.rec.Oid, Fd: 3 + q.fds}
		count(r, f)
		r.begin(f)
	}
}

// fileEvent is an operation on one name, or on two.
func fileEvent(op int32, usual byte, two bool) verb {
	return func(p *parser, m *yamldoc.Map) func(r *runner) {
		proc, path, typ := p.proc(m.Need("proc")), p.readText(m.Need("path")), fileType(m.Key("type"), usual)
		to := text(func(*runner) string { return "" })
		if two {
			to = p.readText(m.Need("to"))
		}
		ret := int32(m.Key("ret").Int())
		return func(r *runner) {
			q := proc(r)
			f := r.fileAt(q, path(r), typ)
			v := &sfgo.FileEvent{ProcOID: q.rec.Oid, Ts: r.now, Tid: r.tid(q), OpFlags: op, FileOID: f.rec.Oid, Ret: ret}
			r.needProcess(q)
			r.needFile(f, r.now)
			if two {
				second := r.fileAt(q, to(r), typ)
				r.needFile(second, r.now)
				v.NewFileOID = &sfgo.NewFileOIDUnion{FOID: second.rec.Oid, UnionType: sfgo.NewFileOIDUnionTypeEnumFOID}
			}
			r.union.FileEvent = v
			r.write(sfgo.RecUnionTypeEnumFileEvent)
		}
	}
}

// protocols are those that have names.
var protocols = map[string]int32{"icmp": 1, "tcp": 6, "udp": 17, "raw": 254, "unknown": -1}

// ends reads the two ends of a connection, the client first. A client without an address is on the node, one without a
// port is given one.
func (p *parser) ends(m *yamldoc.Map) func(r *runner) (from, to netip.AddrPort, proto int32) {
	client, server := p.readAddress(m.Key("from"), true), p.readAddress(m.Need("to"), false)
	proto := int32(6)
	if v := m.Key("proto"); v.Present() {
		proto = protocols[v.OneOf("icmp", "tcp", "udp", "raw", "unknown")]
	}
	return func(r *runner) (netip.AddrPort, netip.AddrPort, int32) {
		from, to := client(r), server(r)
		if !from.IsValid() {
			from = netip.AddrPortFrom(r.s.address, 0)
		}
		if from.Port() == 0 && (proto == 6 || proto == 17) {
			from = netip.AddrPortFrom(from.Addr(), uint16(span{32768, 60999}.draw(r.random)))
		}
		return from, to, proto
	}
}

// netVerb is a flow on a network connection that begins with op.
func netVerb(op int32) verb {
	return func(p *parser, m *yamldoc.Map) func(r *runner) {
		proc, ends, count := p.proc(m.Need("proc")), p.ends(m), traffic(m)
		lasts := lasting(m, span{1_000_000, 20_000_000})
		fd := int32(m.Key("fd").Int())
		begin := op
		if m.Key("inherited").Bool() {
			begin = 0
		}
		if m.Key("shutdown").Bool() {
			begin |= sfgo.OP_SHUTDOWN
		}
		return func(r *runner) {
			q := proc(r)
			from, to, proto := ends(r)
			if r.err != nil {
				return
			}
			f := r.newFlow(q, lasts.draw(r.random))
			f.nf = sfgo.NetworkFlow{ProcOID: q.rec.Oid, Ts: r.now, Tid: r.tid(q), OpFlags: begin, Fd: fd,
				Sip: ipNumber(from.Addr()), Sport: int32(from.Port()), Dip: ipNumber(to.Addr()), Dport: int32(to.Port()), Proto: proto}
			if fd == 0 {
				f.nf.Fd = 3 + q.fds
			}
			count(r, f)
			r.begin(f)
		}
	}
}

// netEvent writes a network event, which no collector does.
func netEvent(p *parser, m *yamldoc.Map) func(r *runner) {
	proc, ends, ret := p.proc(m.Need("proc")), p.ends(m), int32(m.Key("ret").Int())
	return func(r *runner) {
		q := proc(r)
		from, to, proto := ends(r)
		if r.err != nil {
			return
		}
		r.needProcess(q)
		r.union.NetworkEvent = &sfgo.NetworkEvent{ProcOID: q.rec.Oid, Ts: r.now, Tid: r.tid(q), OpFlags: sfgo.OP_CONNECT,
			Sip: ipNumber(from.Addr()), Sport: int32(from.Port()), Dip: ipNumber(to.Addr()), Dport: int32(to.Port()), Proto: proto, Ret: ret}
		r.write(sfgo.RecUnionTypeEnumNetworkEvent)
	}
}

// podVerb writes a pod again, after what changed.
func podVerb(p *parser, m *yamldoc.Map) func(r *runner) {
	i, _ := find(m.Need("pod"), "pod", p.pods)
	restarts := m.Key("restarts")
	n := restarts.Int()
	return func(r *runner) {
		q := r.pods[i]
		if restarts.Present() {
			q.rec.RestartCount = n
		}
		r.writePod(q)
	}
}

// containerVerb writes a container again, after what changed.
func containerVerb(p *parser, m *yamldoc.Map) func(r *runner) {
	i, _ := find(m.Need("container"), "container", p.boxes)
	name, image := m.Key("name"), m.Key("image")
	nameText, imageText := name.Text(), image.Text()
	return func(r *runner) {
		c := r.containers[i]
		if name.Present() {
			c.rec.Name = nameText
		}
		if image.Present() {
			c.rec.Image = imageText
		}
		r.writeContainer(c)
	}
}

var (
	components = []string{"nodes", "namespaces", "pods", "replicationcontrollers", "services", "events", "replicasets", "daemonsets",
		"deployments", "unknown"}
	actions = []string{"added", "modified", "deleted", "error", "nonexistent", "unknown"}
)

// k8s writes a Kubernetes event.
func k8s(_ *parser, m *yamldoc.Map) func(r *runner) {
	v := sfgo.K8sEvent{
		Kind:    sfgo.K8sComponent(slices.Index(components, m.Need("kind").OneOf(components...))),
		Action:  sfgo.K8sAction(slices.Index(actions, m.Need("action").OneOf(actions...))),
		Message: message(m.Need("message")),
	}
	return func(r *runner) {
		event := v
		event.Ts = r.now
		r.union.K8sEvent = &event
		r.write(sfgo.RecUnionTypeEnumK8sEvent)
	}
}

// rotate begins a new file, or what looks like one on a socket: a header, after which every entity is written again.
func rotate(*parser, *yamldoc.Map) func(r *runner) {
	return func(r *runner) { r.writeHeader() }
}

// repeat plays steps several times.
func repeat(p *parser, m *yamldoc.Map) func(r *runner) {
	times, steps := readSize(m.Need("times"), 1), p.steps(m.Need("steps"))
	return func(r *runner) {
		for n := times.draw(r.random); n > 0 && r.err == nil; n-- {
			r.run(steps)
		}
	}
}

// mix plays one of several series of steps, drawn by their weights, until there are enough records.
func mix(p *parser, m *yamldoc.Map) func(r *runner) {
	records, wait := m.Need("records").Int(), readTime(m.Key("gap"), gap)
	var sum int64
	var bounds []int64 // of the numbers drawn, by series
	var series [][]step
	for _, v := range m.Need("of").List() {
		one := v.Map()
		weight := one.Need("weight")
		if weight.Int() < 1 && weight.Present() {
			weight.Faultf("a weight is at least 1")
		}
		sum += weight.Int()
		bounds = append(bounds, sum)
		series = append(series, p.steps(one.Need("steps")))
		one.Done()
	}
	if sum < 1 {
		m.Faultf("nothing to draw from")
	}
	p.s.sizable = true
	return func(r *runner) {
		n := int(records)
		if r.opts.Records > 0 {
			n = r.opts.Records
		}
		for end := r.written + n; r.written < end && r.err == nil; {
			i, _ := slices.BinarySearch(bounds, r.below(sum)+1)
			r.pass(wait)
			r.run(series[i])
		}
	}
}
