package entity

import (
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Options are the limits of a Table.
type Options struct {
	Max int           // processes, and as many files; at least 1
	TTL time.Duration // record time that a process is kept after its exit; not negative
}

// Limits on the other kinds, and on the bytes of each. A process is generously 768 bytes (with cwd and its share of the
// environment), a file half of that, a container less than a process and a pod with labels and services a few KiB.
const (
	minOthers = 256 // containers, and pods, even if Max is small
	perOther  = 16  // processes for each container and pod

	processBytes   = 768
	fileBytes      = 384
	containerBytes = 1 << 10
	podBytes       = 4 << 10
)

// maxBuf is the size up to which the buffer for texts is kept, in bytes.
const maxBuf = 64 << 10

// Kind is a kind of entity.
type Kind int

// Kinds of entities.
const (
	Process Kind = iota
	File
	Container
	Pod
	Kinds // how many there are
)

// String returns the kind's name, such as process.
func (k Kind) String() string { return [Kinds]string{"process", "file", "container", "pod"}[k] }

// Stats says what a Table holds and what happened in it since it was made.
type Stats struct {
	Held    [Kinds]int    // entities known now
	Evicted [Kinds]uint64 // forgotten because a limit was reached
	Expired uint64        // processes forgotten some time after their exit

	// Flows and events that referred to an entity that is not known.
	Missing       [Kinds]uint64
	MissingParent uint64 // the chain of ancestors is cut short
	MissingHeader uint64 // no header has come yet
}

// Table holds the entities of one stream. It is for one goroutine.
type Table struct {
	header *HeaderRow

	procs map[sfgo.OID]*cell[process]
	files map[sfgo.FOID]*cell[FileRow]
	conts map[string]*cell[container]
	pods  map[string]*cell[pod]

	recent [256]*cell[process] // by process id, to save a look-up in procs; cells may have left the table

	procLRU *lru[process]
	fileLRU *lru[FileRow]
	contLRU *lru[container]
	podLRU  *lru[pod]

	exits exits
	ttl   int64 // ns

	// gen changes with every process, container and pod that comes, changes or goes by a limit. A process whose own gen is
	// the same has a chain, and a place in its lru, that are up to date.
	gen     uint64
	dropped int    // bytes of processes that have gone but may live on in chains
	walks   uint64 // counts walks up the tree: a process with this mark has been visited
	path    [maxDepth]*cell[process]

	names map[string]string // users and groups: few and repeated
	buf   []byte            // where the strings of an entity are collected
	res   Resolved
	stats Stats
}

// NewTable returns an empty table.
func NewTable(o Options) *Table {
	others := max(minOthers, o.Max/perOther)
	return &Table{
		header:  &HeaderRow{},
		procs:   map[sfgo.OID]*cell[process]{},
		files:   map[sfgo.FOID]*cell[FileRow]{},
		conts:   map[string]*cell[container]{},
		pods:    map[string]*cell[pod]{},
		procLRU: newLRU[process](o.Max, o.Max*processBytes),
		fileLRU: newLRU[FileRow](o.Max, o.Max*fileBytes),
		contLRU: newLRU[container](others, others*containerBytes),
		podLRU:  newLRU[pod](others, others*podBytes),
		ttl:     o.TTL.Nanoseconds(),
		gen:     1,
		names:   map[string]string{},
	}
}

// Resolved is what a flow or event refers to. An entity that is not known is nil.
type Resolved struct {
	Header    *HeaderRow      // never nil; all zero before the first header
	Process   *sfgo.Process   // may be kept
	Ptree     []*sfgo.Process // the process and its ancestors, as far as known; may be kept
	Container *ContainerRow   // the process's
	Pod       *PodRow         // the container's
	File      *FileRow        // FILE_FLOW, FILE_EVT
	NewFile   *FileRow        // FILE_EVT, the second file
}

// Put adds an entity, replacing what was known under its id. Records of other types are ignored. It keeps nothing of rec.
func (t *Table) Put(rec *codec.Record) {
	switch rec.Type {
	case sfgo.HEADER:
		t.putHeader(rec)
	case sfgo.CONT:
		t.putContainer(rec)
	case sfgo.PROC:
		t.putProcess(&rec.Process)
	case sfgo.FILE:
		t.putFile(&rec.File)
	case sfgo.POD:
		t.putPod(rec)
	}
}

// Resolve returns what the flow or event in rec refers to, as known now, and counts what is missing. The result belongs
// to the table and holds until its next method call.
func (t *Table) Resolve(rec *codec.Record) *Resolved {
	ev := &rec.Event
	t.res = Resolved{Header: t.header}
	if t.header.SysFlow == nil {
		t.stats.MissingHeader++
	}
	if rec.Type == sfgo.K8S_EVT {
		t.expire(ev.Ints[sfgo.TS_INT])
		return &t.res
	}
	t.resolveProcess(rec)
	switch rec.Type {
	case sfgo.FILE_FLOW:
		t.res.File = t.resolveFile(&ev.FileOID)
	case sfgo.FILE_EVT:
		t.res.File = t.resolveFile(&ev.FileOID)
		if ev.HasNewFile {
			t.res.NewFile = t.resolveFile(&ev.NewFileOID)
		}
	}
	return &t.res
}

// Entity returns what the entity in rec, which has been put, is now: itself under the member of its kind, a process also
// with its ancestors, container and pod. Nothing counts as used or missing. The result belongs to the table and holds
// until its next method call.
func (t *Table) Entity(rec *codec.Record) *Resolved {
	t.res = Resolved{Header: t.header}
	switch rec.Type {
	case sfgo.CONT:
		if c := t.conts[string(rec.Container.ID)]; c != nil {
			t.setContainer(c)
		}
	case sfgo.PROC:
		if c := t.procs[rec.Process.OID]; c != nil && c.listed() {
			t.refresh(c)
			t.setProcess(c)
		}
	case sfgo.FILE:
		if c := t.files[rec.File.OID]; c != nil {
			t.res.File = &c.e
		}
	case sfgo.POD:
		if c := t.pods[string(rec.Pod.ID)]; c != nil {
			t.res.Pod = c.e.row
		}
	}
	return &t.res
}

// Stats returns the table's counters.
func (t *Table) Stats() Stats {
	s := t.stats
	s.Held = [Kinds]int{Process: t.procLRU.n, File: t.fileLRU.n, Container: t.contLRU.n, Pod: t.podLRU.n}
	return s
}

// putHeader starts an epoch.
func (t *Table) putHeader(rec *codec.Record) {
	clear(t.procs)
	clear(t.files)
	clear(t.conts)
	clear(t.pods)
	t.procLRU.clear()
	t.fileLRU.clear()
	t.contLRU.clear()
	t.podLRU.clear()
	clear(t.exits)
	t.exits = t.exits[:0]
	clear(t.path[:])
	clear(t.recent[:])
	t.gen++

	t.header = newHeaderRow(rec.SysFlow().Rec.SFHeader)
}
