package scenario

import (
	"crypto/sha1"
	"slices"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// firstPID is the pid of the first process of a scenario that gives it none.
const firstPID = 1000

// lastPID is the largest pid that Linux gives.
const lastPID = 1 << 22

// process is a process while a scenario is played.
type process struct {
	rec     sfgo.Process
	parent  *process
	box     *container // nil: on the host
	slot    int        // the name it goes by
	threads int64
	hidden  bool // its record is never written
	exited  bool
	fds     int32 // open descriptors beyond the standard ones
	epoch   int   // in which its record was last written
}

type container struct {
	rec   sfgo.Container
	pod   *pod // nil: none
	epoch int
}

type pod struct {
	rec   sfgo.Pod
	epoch int
}

// file is a file as seen from one container.
type file struct {
	rec   sfgo.File
	epoch int
}

// fileKey says when two paths mean the same file.
type fileKey struct {
	box  *container
	path string
}

// entities is what exists while a scenario is played.
type entities struct {
	epoch      int          // number of headers written
	procs      [][]*process // by slot: what a name stands for now
	nextPID    int64
	containers []*container
	pods       []*pod

	// files and older hold the files seen last: when files is full it becomes older, which is forgotten. What is
	// forgotten and seen again is written again, as collectors do.
	files, older map[fileKey]*file
}

// maxFiles is the number of files in one generation of entities.files.
const maxFiles = 1 << 14

// newEntities returns copies of what a scenario begins with: playing it changes them.
func newEntities(s *Scenario) entities {
	e := entities{procs: make([][]*process, s.slots), nextPID: firstPID, files: map[fileKey]*file{}}
	for _, p := range s.pods {
		c := *p
		e.pods = append(e.pods, &c)
	}
	for _, box := range s.containers {
		c := *box
		if i := slices.Index(s.pods, box.pod); i >= 0 {
			c.pod = e.pods[i]
		}
		e.containers = append(e.containers, &c)
	}
	copies := map[*process]*process{}
	for _, p := range s.running { // parents come before their children
		c := *p
		c.parent = copies[p.parent]
		if i := slices.Index(s.containers, p.box); i >= 0 {
			c.box = e.containers[i]
		}
		copies[p] = &c
		e.procs[p.slot] = append(e.procs[p.slot], &c)
		e.nextPID = max(e.nextPID, p.rec.Oid.Hpid+p.threads)
	}
	return e
}

// writeHeader begins an epoch: every entity is written again before its next use.
func (r *runner) writeHeader() {
	r.epoch++
	h := r.s.header
	if h.Version == 0 {
		h.Version = versionOf(r.opts.Schema)
	}
	r.union.SFHeader = &h
	r.write(sfgo.RecUnionTypeEnumSFHeader)
}

func (r *runner) writePod(p *pod) {
	p.epoch = r.epoch
	r.union.Pod = &p.rec
	r.write(sfgo.RecUnionTypeEnumPod)
}

// writeContainer writes a container, after its pod.
func (r *runner) writeContainer(c *container) {
	if c.pod != nil && c.pod.epoch != r.epoch {
		r.writePod(c.pod)
	}
	c.epoch = r.epoch
	r.union.Container = &c.rec
	r.write(sfgo.RecUnionTypeEnumContainer)
}

// needProcess writes a process unless its record is current, after its container and its ancestors.
func (r *runner) needProcess(p *process) {
	if p.epoch == r.epoch {
		return
	}
	if p.epoch != 0 {
		p.rec.State = sfgo.SFObjectStateREUP
	}
	r.writeProcess(p)
}

func (r *runner) writeProcess(p *process) {
	if p.hidden {
		return
	}
	if p.epoch == 0 {
		p.rec.Ts = r.now
	}
	p.epoch = r.epoch
	if p.box != nil && p.box.epoch != r.epoch {
		r.writeContainer(p.box)
	}
	if p.parent != nil {
		r.needProcess(p.parent)
	}
	r.union.Process = &p.rec
	r.write(sfgo.RecUnionTypeEnumProcess)
}

// change records that a process is no longer what was written of it.
func (r *runner) change(p *process) {
	p.rec.State = sfgo.SFObjectStateMODIFIED
	p.rec.Ts = r.now
	r.writeProcess(p)
}

// needFile writes a file unless its record is current. since is when it was first seen.
func (r *runner) needFile(f *file, since int64) {
	if f.epoch == r.epoch {
		return
	}
	if f.epoch == 0 {
		f.rec.Ts = since
	}
	f.epoch = r.epoch
	r.union.File = &f.rec
	r.write(sfgo.RecUnionTypeEnumFile)
}

// fileAt returns the file that a process means by a path; it is of the given type if it was not seen before.
func (r *runner) fileAt(p *process, path string, restype byte) *file {
	key := fileKey{p.box, path}
	if f := r.files[key]; f != nil {
		return f
	}
	f := r.older[key]
	if f == nil {
		f = &file{rec: sfgo.File{State: sfgo.SFObjectStateREUP, Restype: int32(restype), Path: path}}
		var box string
		if p.box != nil {
			box = p.box.rec.Id
			f.rec.ContainerId = p.rec.ContainerId
		}
		f.rec.Oid = sha1.Sum([]byte(box + path))
	}
	if len(r.files) == maxFiles {
		r.files, r.older = make(map[fileKey]*file, maxFiles), r.files
	}
	r.files[key] = f
	return f
}

// pick returns the process that a name stands for: one that lives, drawn if there are several.
func (r *runner) pick(slot int) *process {
	all := r.procs[slot]
	if len(all) > 0 {
		first := r.below(int64(len(all)))
		for i := range all {
			if p := all[(int(first)+i)%len(all)]; !p.exited {
				return p
			}
		}
	}
	r.failf("the process has exited, or was not started")
	return &process{rec: sfgo.Process{Oid: &sfgo.OID{}}, threads: 1}
}

// tid draws the thread of a process that acts.
func (r *runner) tid(p *process) int64 { return p.rec.Oid.Hpid + r.below(p.threads) }

// newPID returns an unused pid, with room for threads after it.
func (r *runner) newPID(threads int64) int64 {
	if r.nextPID+threads > lastPID {
		r.nextPID = firstPID
	}
	pid := r.nextPID + 1 + r.below(3)
	r.nextPID = pid + threads - 1
	return pid
}
