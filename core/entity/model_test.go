package entity_test

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/entity"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// model is what Table should do, without any care for speed: it keeps the last record of each id and follows every
// reference anew for each event.
type model struct {
	max, others int
	ttl         int64

	header *sfgo.SFHeader
	procs  map[sfgo.OID]*modelProcess
	files  map[sfgo.FOID]*sfgo.File
	conts  map[string]*sfgo.Container
	pods   map[string]*sfgo.Pod

	// The keys of the entities, the least recently used first.
	procUse recency[sfgo.OID]
	fileUse recency[sfgo.FOID]
	contUse recency[string]
	podUse  recency[string]

	gen   int // changes with each change of a process, container or pod
	stats entity.Stats
}

type modelProcess struct {
	*sfgo.Process
	gen    int // when its use was last noted
	exited bool
	exit   int64
}

func newModel(o entity.Options) *model {
	m := &model{max: o.Max, others: max(256, o.Max/16), ttl: o.TTL.Nanoseconds()}
	m.clear()
	return m
}

func (m *model) clear() {
	m.header = nil
	m.procs = map[sfgo.OID]*modelProcess{}
	m.files = map[sfgo.FOID]*sfgo.File{}
	m.conts = map[string]*sfgo.Container{}
	m.pods = map[string]*sfgo.Pod{}
	m.procUse, m.fileUse, m.contUse, m.podUse = nil, nil, nil, nil
	m.gen++
}

// recency is a list of keys in the order of their use.
type recency[K comparable] []K

func (l *recency[K]) touch(k K) { *l = append(l.without(k), k) }

func (l recency[K]) without(k K) recency[K] {
	for i := len(l) - 1; i >= 0; i-- {
		if l[i] == k {
			return slices.Delete(l, i, i+1)
		}
	}
	return l
}

// evict forgets the least recently used keys of a map beyond max.
func evict[K comparable, V any](l *recency[K], m map[K]V, max int, evicted *uint64) {
	for ; len(*l) > max; *l = (*l)[1:] {
		delete(m, (*l)[0])
		*evicted++
	}
}

// put does what Table.Put does.
func (m *model) put(rec *codec.Record) {
	u := rec.SysFlow().Rec
	switch rec.Type {
	case sfgo.HEADER:
		m.clear()
		m.header = u.SFHeader
	case sfgo.CONT:
		c := u.Container
		if old := m.conts[c.Id]; old == nil || *old.PodId != *c.PodId || !sameButPod(old, c) {
			m.gen++
		}
		m.conts[c.Id] = c
		m.contUse.touch(c.Id)
		m.touchPod(c)
		evict(&m.contUse, m.conts, m.others, &m.stats.Evicted[entity.Container])
	case sfgo.PROC:
		m.putProcess(u.Process)
	case sfgo.FILE:
		m.files[u.File.Oid] = u.File
		m.fileUse.touch(u.File.Oid)
		evict(&m.fileUse, m.files, m.max, &m.stats.Evicted[entity.File])
	case sfgo.POD:
		m.gen++
		m.pods[u.Pod.Id] = u.Pod
		m.podUse.touch(u.Pod.Id)
		evict(&m.podUse, m.pods, m.others, &m.stats.Evicted[entity.Pod])
	}
}

func sameButPod(a, b *sfgo.Container) bool {
	c, d := *a, *b
	c.PodId, d.PodId = nil, nil
	return c == d
}

func (m *model) putProcess(p *sfgo.Process) {
	p.Exe, p.ExeArgs = strings.TrimSpace(p.Exe), strings.TrimSpace(p.ExeArgs)
	p.Env = slices.DeleteFunc(p.Env, func(v string) bool { return v == "" })
	old := m.procs[*p.Oid]
	if old == nil || !sameProcess(old.Process, p) {
		m.gen++
		m.procs[*p.Oid] = &modelProcess{Process: p}
	}
	m.touchProcess(*p.Oid)
	evict(&m.procUse, m.procs, m.max, &m.stats.Evicted[entity.Process])
}

func sameProcess(a, b *sfgo.Process) bool {
	c, d := *a, *b
	c.Oid, d.Oid, c.Poid, d.Poid, c.ContainerId, d.ContainerId, c.Env, d.Env = nil, nil, nil, nil, nil, nil, nil, nil
	return c.State == d.State && c.Ts == d.Ts && c.Exe == d.Exe && c.ExeArgs == d.ExeArgs && c.Uid == d.Uid &&
		c.UserName == d.UserName && c.Gid == d.Gid && c.GroupName == d.GroupName && c.Tty == d.Tty &&
		c.Entry == d.Entry && c.Cwd == d.Cwd && slices.Equal(a.Env, b.Env) &&
		a.Poid.UnionType == b.Poid.UnionType && (a.Poid.OID == nil || *a.Poid.OID == *b.Poid.OID) &&
		*a.ContainerId == *b.ContainerId
}

// chain returns a process and its ancestors, and whether one is missing.
func (m *model) chain(oid sfgo.OID) (chain []*modelProcess, cut bool) {
	for len(chain) < 64 {
		p := m.procs[oid]
		if p == nil {
			return chain, true
		}
		if slices.Contains(chain, p) {
			return chain, false
		}
		chain = append(chain, p)
		if p.Poid.OID == nil || *p.Poid.OID == (sfgo.OID{}) {
			return chain, false
		}
		oid = *p.Poid.OID
	}
	return chain, false
}

// touchProcess notes the use of a process, its ancestors, its container and its pod.
func (m *model) touchProcess(oid sfgo.OID) {
	chain, _ := m.chain(oid)
	for _, p := range chain {
		m.procUse.touch(*p.Oid)
	}
	if c := m.conts[chain[0].ContainerId.String]; c != nil && c.Id != "" {
		m.contUse.touch(c.Id)
		m.touchPod(c)
	}
}

func (m *model) touchPod(c *sfgo.Container) {
	if p := m.pods[c.PodId.String]; p != nil && p.Id != "" {
		m.podUse.touch(p.Id)
	}
}

func (m *model) hasChild(oid sfgo.OID) bool {
	for _, p := range m.procs {
		if p.Poid.OID != nil && *p.Poid.OID == oid && oid != (sfgo.OID{}) {
			return true
		}
	}
	return false
}

// expire forgets what time is over for, again and again until nothing more goes.
func (m *model) expire(now int64) {
	for again := true; again; {
		again = false
		for oid, p := range m.procs {
			if p.exited && p.exit+m.ttl < now && !m.hasChild(oid) {
				delete(m.procs, oid)
				m.procUse = m.procUse.without(oid)
				m.stats.Expired++
				again = true
			}
		}
	}
}

// want is what Resolve should return, in plain form.
type want struct {
	header    *sfgo.SFHeader
	chain     []*sfgo.Process
	container *sfgo.Container
	pod       *sfgo.Pod
	file, new *sfgo.File
}

// resolve does what Table.Resolve does.
func (m *model) resolve(rec *codec.Record) want {
	ev := &rec.Event
	ts := ev.Ints[sfgo.TS_INT]
	w := want{header: m.header}
	if m.header == nil {
		m.stats.MissingHeader++
	}
	if rec.Type == sfgo.K8S_EVT {
		m.expire(ts)
		return w
	}
	oid := ev.ProcOID()
	if p := m.procs[oid]; p != nil {
		isExit := rec.Type == sfgo.PROC_EVT && ev.Ints[sfgo.OPFLAGS_INT]&sfgo.OP_EXIT != 0 && ev.Ints[sfgo.TID_INT] == oid.Hpid
		if isExit && !p.exited {
			p.exited, p.exit = true, ts
		} else if p.exited {
			p.exit = max(p.exit, ts)
		}
		m.expire(ts)
		m.resolveProcess(oid, &w)
	} else {
		m.expire(ts)
		m.stats.Missing[entity.Process]++
	}
	if rec.Type == sfgo.FILE_FLOW || rec.Type == sfgo.FILE_EVT {
		w.file = m.file(ev.FileOID)
	}
	if rec.Type == sfgo.FILE_EVT && ev.HasNewFile {
		w.new = m.file(ev.NewFileOID)
	}
	return w
}

func (m *model) resolveProcess(oid sfgo.OID, w *want) {
	p := m.procs[oid]
	if p.gen != m.gen {
		p.gen = m.gen
		m.touchProcess(oid)
	}
	chain, cut := m.chain(oid)
	if cut {
		m.stats.MissingParent++
	}
	for _, a := range chain {
		w.chain = append(w.chain, a.Process)
	}
	if id := p.ContainerId.String; id != "" {
		if w.container = m.conts[id]; w.container == nil {
			m.stats.Missing[entity.Container]++
			return
		}
		if id := w.container.PodId.String; id != "" {
			if w.pod = m.pods[id]; w.pod == nil {
				m.stats.Missing[entity.Pod]++
			}
		}
	}
}

func (m *model) file(oid sfgo.FOID) *sfgo.File {
	f := m.files[oid]
	if f == nil {
		m.stats.Missing[entity.File]++
		return nil
	}
	m.fileUse.touch(oid)
	return f
}

func (m *model) total() entity.Stats {
	s := m.stats
	s.Held = [entity.Kinds]int{len(m.procs), len(m.files), len(m.conts), len(m.pods)}
	return s
}

// diff says what is wrong with a resolved record, or nothing.
func (w *want) diff(got *entity.Resolved) string {
	var b bytes.Buffer
	check := func(ok bool, what string) {
		if !ok {
			b.WriteString(what + " ")
		}
	}
	if w.header == nil {
		check(*got.Header == entity.HeaderRow{}, "header")
	} else {
		check(*got.Header.SysFlow == *w.header && got.Header.Version == w.header.Version &&
			got.Header.Strs == [3]string{w.header.Exporter, w.header.Ip, w.header.Filename}, "header")
	}
	check(slices.EqualFunc(w.chain, got.Ptree, sameProcessAndID), "chain")
	check((got.Process == nil) == (len(w.chain) == 0), "process")
	check(got.Process == nil || got.Process == got.Ptree[0], "process is not first in its chain")
	check((w.container == nil) == (got.Container == nil), "container")
	if w.container != nil && got.Container != nil {
		c := got.Container
		check(*c.SysFlow.PodId == *w.container.PodId && sameButPod(c.SysFlow, w.container), "container structure")
		check(c.Strs[0] == w.container.Id && c.Strs[1] == strings.TrimSpace(w.container.Name) &&
			c.Strs[3] == w.container.Imageid && c.Strs[4] == w.container.PodId.String &&
			c.Ints[0] == int64(w.container.Type) && (c.Ints[1] == 1) == w.container.Privileged, "container row")
	}
	check((w.pod == nil) == (got.Pod == nil), "pod")
	if w.pod != nil && got.Pod != nil {
		check(got.Pod.SysFlow.Id == w.pod.Id && got.Pod.Strs[0] == w.pod.Id && got.Pod.Ints[0] == w.pod.Ts &&
			got.Pod.Strs[1] == strings.TrimSpace(w.pod.Name), "pod row")
	}
	check(sameFile(w.file, got.File), "file")
	check(sameFile(w.new, got.NewFile), "new file")
	return b.String()
}

func sameProcessAndID(a, b *sfgo.Process) bool { return *a.Oid == *b.Oid && sameProcess(a, b) }

func sameFile(w *sfgo.File, got *entity.FileRow) bool {
	if w == nil || got == nil {
		return w == nil && got == nil
	}
	f := got.SysFlow()
	return f.Oid == w.Oid && f.Path == w.Path && f.State == w.State && f.Ts == w.Ts && f.Restype == w.Restype &&
		*f.ContainerId == *w.ContainerId &&
		got.Ints == [3]int64{int64(w.State), w.Ts, int64(w.Restype)} &&
		got.Strs == [3]string{hex.EncodeToString(w.Oid[:]), strings.TrimSpace(w.Path), w.ContainerId.String}
}
