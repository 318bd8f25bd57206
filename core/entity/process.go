package entity

import (
	"bytes"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

const (
	maxDepth = 64 // of a chain of ancestors; real ones have up to 12

	maxNames = 1024 // user and group names that are shared
	maxName  = 64   // length of such a name

	// Bytes of memory.
	processCost = 560 // what a process takes besides its text: its cell, its image and its place in the map
	stringCost  = 16  // what a string takes besides its text
	chainCost   = 8   // what a process takes in a chain
)

// process is the cell of a process. Without an image it stands for one that only children know.
type process struct {
	oid      sfgo.OID
	img      *image
	env      *environment     // of the image
	parent   *cell[process]   // nil at the root, or if unknown to the record
	cont     *cell[container] // nil outside of containers
	children int              // cells that have this one as parent

	chain []*sfgo.Process // itself and its ancestors; never changed, but replaced
	cut   bool            // an ancestor is missing from chain
	gen   uint64          // the table's, when chain was last compared with the tree
	mark  uint64          // the last walk that came by

	exited   bool
	exit     int64 // when it exited, or was last heard of after that
	deadline int64 // when it may be forgotten
	place    int   // in exits, from 1; 0 if it is not there
}

// image is a process and all that its pointers refer to, in one piece of memory. It never changes.
type image struct {
	proc      sfgo.Process
	oid, poid sfgo.OID
	poidUnion sfgo.PoidUnion
	contUnion sfgo.ContainerIdUnion
}

// environment is the environment of one or several processes. Its bytes count once. A nil environment is empty.
type environment struct {
	vars  []string
	bytes int
	users int
}

func (e *environment) values() []string {
	if e == nil {
		return nil
	}
	return e.vars
}

func (t *Table) holdEnv(e *environment) {
	if e == nil {
		return
	}
	if e.users == 0 {
		t.procLRU.bytes += e.bytes
	}
	e.users++
}

// releaseEnv returns how many bytes went with the last user.
func (t *Table) releaseEnv(e *environment) int {
	if e == nil {
		return 0
	}
	e.users--
	if e.users > 0 {
		return 0
	}
	t.procLRU.bytes -= e.bytes
	return e.bytes
}

// putProcess replaces or adds a process. A record that says nothing new only counts as use.
func (t *Table) putProcess(p *codec.Process) {
	c := t.procs[p.OID]
	if c != nil && c.listed() && c.e.img.says(p) {
		t.touchChain(c)
		return
	}
	if c == nil {
		c = t.newProcess(p.OID)
	}
	t.gen++
	parent, cont := t.linkParent(p), t.linkContainer(p.ContainerID)
	img, env := t.newImage(p, c, parent, cont)
	t.holdEnv(env)
	c.e.exited = false
	c.e.children++ // keeps the cell if it was its own parent
	t.dropProcess(c)
	c.e.children--

	c.e.img, c.e.env, c.e.parent, c.e.cont = img, env, parent, cont
	c.cost = img.cost() + chainCost*len(c.e.chain)
	t.procLRU.add(c)
	t.touchChain(c)
	for s := t.procLRU.surplus(); s != nil; s = t.procLRU.surplus() {
		t.stats.Evicted[Process]++
		t.forgetProcess(s)
	}
}

func (t *Table) newProcess(oid sfgo.OID) *cell[process] {
	c := &cell[process]{e: process{oid: oid}}
	t.procs[oid] = c
	return c
}

// linkParent returns the cell of the parent that p names, with p counted among its children; nil if p names none. (0,0)
// is the kernel's, which has no record: the tree ends there.
func (t *Table) linkParent(p *codec.Process) *cell[process] {
	if !p.HasPOID || p.POID == (sfgo.OID{}) {
		return nil
	}
	c := t.procs[p.POID]
	if c == nil {
		c = t.newProcess(p.POID)
	}
	c.e.children++
	t.exits.remove(c)
	return c
}

// dropProcess takes the image and the references from a cell, if it has any. The cell itself stays in the table.
func (t *Table) dropProcess(c *cell[process]) {
	if !c.listed() {
		return
	}
	t.procLRU.remove(c)
	t.exits.remove(c)
	t.dropped += c.cost + t.releaseEnv(c.e.env)
	parent, cont := c.e.parent, c.e.cont
	c.e.img, c.e.env, c.e.parent, c.e.cont = nil, nil, nil, nil
	if parent != nil {
		t.releaseParent(parent)
	}
	if cont != nil {
		t.releaseContainer(cont)
	}
	if t.dropped > t.procLRU.maxBytes/4 {
		t.forgetChains()
	}
}

// forgetChains drops the chains that are out of date. They hold on to images that the table has dropped.
func (t *Table) forgetChains() {
	t.dropped = 0
	for c := t.procLRU.root.next; c != &t.procLRU.root; c = c.next {
		if c.e.gen != t.gen {
			t.setChain(c, nil)
		}
	}
}

// releaseParent takes one child from a cell. With its last child a cell goes that has no image, and a process that has
// exited may.
func (t *Table) releaseParent(c *cell[process]) {
	c.e.children--
	switch {
	case c.e.children > 0:
	case !c.listed():
		delete(t.procs, c.e.oid)
	case c.e.exited:
		t.exits.add(c)
	}
}

// forgetProcess evicts a process. Its cell stays as long as it has children: they have lost their parent.
func (t *Table) forgetProcess(c *cell[process]) {
	t.dropProcess(c)
	c.e.chain = nil
	if c.e.children == 0 {
		delete(t.procs, c.e.oid)
	}
}

// expire forgets the processes whose time is over at record time now. A process has no children then, so no chain
// changes but its own.
func (t *Table) expire(now int64) {
	for c := t.exits.due(now); c != nil; c = t.exits.due(now) {
		t.stats.Expired++
		t.forgetProcess(c)
	}
}

// heard notes an event of a process at record time ts. An exit starts the time until the process is forgotten, and
// whatever is heard later, from threads that outlive the first one, starts it again.
func (t *Table) heard(c *cell[process], ts int64, exit bool) {
	if !exit && !c.e.exited || c.e.exited && ts <= c.e.exit {
		return
	}
	c.e.exited, c.e.exit, c.e.deadline = true, ts, after(ts, t.ttl)
	switch {
	case c.e.place > 0:
		t.exits.fix(c)
	case c.e.children == 0:
		t.exits.add(c)
	}
}

// process returns the cell of a process that is known, or nil.
func (t *Table) process(oid sfgo.OID) *cell[process] {
	slot := &t.recent[uint64(oid.Hpid)%uint64(len(t.recent))]
	if c := *slot; c != nil && c.e.oid == oid && c.listed() {
		return c
	}
	c := t.procs[oid]
	if c == nil || !c.listed() {
		return nil
	}
	*slot = c
	return c
}

// resolveProcess finds the acting process of an event and what hangs on it.
func (t *Table) resolveProcess(rec *codec.Record) {
	ev := &rec.Event
	ts := ev.Ints[sfgo.TS_INT]
	c := t.process(ev.ProcOID())
	if c == nil {
		t.stats.Missing[Process]++
		t.expire(ts)
		return
	}
	exit := rec.Type == sfgo.PROC_EVT && ev.Ints[sfgo.OPFLAGS_INT]&sfgo.OP_EXIT != 0 &&
		ev.Ints[sfgo.TID_INT] == ev.Ints[sfgo.PROC_OID_HPID_INT]
	if exit || c.e.exited {
		t.heard(c, ts, exit)
	}
	t.expire(ts)
	if c.e.gen != t.gen {
		t.refresh(c)
	}
	t.setProcess(c)
	if c.e.cut {
		t.stats.MissingParent++
	}
	if c.e.cont != nil && t.res.Container == nil {
		t.stats.Missing[Container]++
	}
	if t.res.Container != nil && c.e.cont.e.pod != nil && t.res.Pod == nil {
		t.stats.Missing[Pod]++
	}
}

// setProcess fills in a process that is up to date.
func (t *Table) setProcess(c *cell[process]) {
	t.res.Process, t.res.Ptree = &c.e.img.proc, c.e.chain
	if c.e.cont != nil {
		t.setContainer(c.e.cont)
	}
}

// walk returns the cells of a process and its known ancestors, and whether one is missing after them. The result is
// the table's scratch.
func (t *Table) walk(c *cell[process]) (path []*cell[process], cut bool) {
	t.walks++
	path = t.path[:0]
	for ; c != nil && c.e.mark != t.walks && len(path) < maxDepth; c = c.e.parent {
		if !c.listed() {
			return path, true
		}
		c.e.mark = t.walks
		path = append(path, c)
	}
	return path, false
}

// touchChain counts a process as used, and with it its ancestors.
func (t *Table) touchChain(c *cell[process]) {
	path, _ := t.walk(c)
	t.touchPath(path)
}

// touchPath leaves the ancestors more recently used than their descendants, so that the descendants go first.
func (t *Table) touchPath(path []*cell[process]) {
	for _, c := range path {
		t.procLRU.touch(c)
	}
	if cont := path[0].e.cont; cont != nil {
		t.touchContainer(cont)
	}
}

// refresh brings a process up to date after the table has changed: its chain, and the order in which it, its
// ancestors, its container and its pod were used. A chain that has not changed is kept.
func (t *Table) refresh(c *cell[process]) {
	path, cut := t.walk(c)
	t.touchPath(path)
	c.e.gen, c.e.cut = t.gen, cut
	if isChain(c.e.chain, path) {
		return
	}
	chain := make([]*sfgo.Process, len(path))
	for i, a := range path {
		chain[i] = &a.e.img.proc
	}
	t.setChain(c, chain)
}

func (t *Table) setChain(c *cell[process], chain []*sfgo.Process) {
	t.procLRU.recost(c, c.cost+chainCost*(len(chain)-len(c.e.chain)))
	c.e.chain = chain
}

func isChain(chain []*sfgo.Process, path []*cell[process]) bool {
	if len(chain) != len(path) {
		return false
	}
	for i, a := range path {
		if chain[i] != &a.e.img.proc {
			return false
		}
	}
	return true
}

// says tells whether the record p says what the image does.
func (img *image) says(p *codec.Process) bool {
	q := &img.proc
	return q.State == sfgo.SFObjectState(p.State) && q.Ts == p.TS && q.Uid == p.UID && q.Gid == p.GID &&
		q.Tty == p.TTY && q.Entry == p.Entry && img.hasPOID() == p.HasPOID && (!p.HasPOID || img.poid == p.POID) &&
		img.contUnion.String == string(p.ContainerID.Bytes) && img.inContainer() == p.ContainerID.Valid &&
		q.UserName == string(p.UserName) && q.GroupName == string(p.GroupName) &&
		img.hasText(bytes.TrimSpace(p.Exe), bytes.TrimSpace(p.ExeArgs), p.Cwd) && hasVars(q.Env, p.Env)
}

// cost returns the bytes that the image answers for. Shared texts count with each image, since any of them may be the
// last to hold them.
func (img *image) cost() int {
	q := &img.proc
	return processCost + len(q.Exe) + len(q.ExeArgs) + len(q.Cwd) + len(q.UserName) + len(q.GroupName) +
		len(img.contUnion.String)
}

func (img *image) hasPOID() bool { return img.poidUnion.UnionType == sfgo.PoidUnionTypeEnumOID }

func (img *image) inContainer() bool {
	return img.contUnion.UnionType == sfgo.ContainerIdUnionTypeEnumString
}

func (img *image) hasText(exe, args, cwd []byte) bool {
	return img.proc.Exe == string(exe) && img.proc.ExeArgs == string(args) && img.proc.Cwd == string(cwd)
}

// hasVars tells whether vars are env without its empty strings.
func hasVars(vars []string, env [][]byte) bool {
	n := 0
	for _, v := range env {
		if len(v) == 0 {
			continue
		}
		if n == len(vars) || vars[n] != string(v) {
			return false
		}
		n++
	}
	return n == len(vars)
}

// newImage makes the image of a record. Text that the parent has, or the process had, is shared with them.
func (t *Table) newImage(p *codec.Process, c, parent *cell[process], cont *cell[container]) (*image, *environment) {
	img := &image{oid: p.OID, poid: p.POID}
	if p.HasPOID {
		img.poidUnion = sfgo.PoidUnion{OID: &img.poid, UnionType: sfgo.PoidUnionTypeEnumOID}
	}
	if p.ContainerID.Valid {
		img.contUnion.UnionType = sfgo.ContainerIdUnionTypeEnumString
	}
	if cont != nil {
		img.contUnion.String = cont.e.id
	}
	kin := [...]*cell[process]{c, parent}
	env := t.shareEnv(p.Env, kin[:])
	img.proc = sfgo.Process{
		State:       sfgo.SFObjectState(p.State),
		Oid:         &img.oid,
		Poid:        &img.poidUnion,
		Ts:          p.TS,
		Uid:         p.UID,
		UserName:    t.name(p.UserName),
		Gid:         p.GID,
		GroupName:   t.name(p.GroupName),
		Tty:         p.TTY,
		ContainerId: &img.contUnion,
		Entry:       p.Entry,
		Env:         env.values(),
	}
	t.shareText(&img.proc, p, kin[:])
	return img, env
}

// shareText sets the texts of a process. They are shared all together or not at all: one string alone would hold on to
// the memory of the others.
func (t *Table) shareText(q *sfgo.Process, p *codec.Process, kin []*cell[process]) {
	exe, args := bytes.TrimSpace(p.Exe), bytes.TrimSpace(p.ExeArgs)
	for _, k := range kin {
		if k != nil && k.listed() && k.e.img.hasText(exe, args, p.Cwd) {
			o := &k.e.img.proc
			q.Exe, q.ExeArgs, q.Cwd = o.Exe, o.ExeArgs, o.Cwd
			return
		}
	}
	t.buf = append(append(append(t.buf[:0], exe...), args...), p.Cwd...)
	all := t.text()
	q.Exe, all = all[:len(exe)], all[len(exe):]
	q.ExeArgs, q.Cwd = all[:len(args)], all[len(args):]
}

// shareEnv returns the environment env without its empty strings.
func (t *Table) shareEnv(env [][]byte, kin []*cell[process]) *environment {
	for _, k := range kin {
		if k != nil && k.listed() && hasVars(k.e.env.values(), env) {
			return k.e.env
		}
	}
	t.buf = t.buf[:0]
	n := 0
	for _, v := range env {
		if len(v) > 0 {
			t.buf = append(t.buf, v...)
			n++
		}
	}
	if n == 0 {
		return nil
	}
	e := &environment{vars: make([]string, 0, n), bytes: len(t.buf) + n*stringCost}
	all := t.text()
	for _, v := range env {
		if len(v) > 0 {
			e.vars, all = append(e.vars, all[:len(v)]), all[len(v):]
		}
	}
	return e
}

// name returns b as a string that is shared with the other processes of the user or group.
func (t *Table) name(b []byte) string {
	if s, ok := t.names[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(s) > maxName {
		return s
	}
	if len(t.names) >= maxNames {
		clear(t.names)
	}
	t.names[s] = s
	return s
}
