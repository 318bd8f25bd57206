package encode

import (
	"slices"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// What a document says of a process is most of it, and the same for all records of the process. A procMemo remembers
// the texts, so that they are copied and not built again.

// Limits of a procMemo. What is larger than maxProcText is not worth its place; when all texts together become larger
// than maxProcMemo, or there are more processes, everything is forgotten.
const (
	maxProcText = 16 << 10
	maxProcMemo = 4 << 20
	maxProcs    = 4096
)

// procRuns is the number of runs of a plan that depend on nothing but the process: the parent, and what stands before
// and behind the thread.
const procRuns = 3

// procMemo remembers texts by process. The zero value is empty.
type procMemo struct {
	procs map[*sfgo.Process]*procTexts
	size  int
}

// procTexts are the texts of a process.
type procTexts struct {
	from  procSource
	tree  []*sfgo.Process
	texts [1 + procRuns][]byte // by run.proc; nil: not known yet
}

// procSource is what the texts are made from, besides the tree. It is compared as a whole: a plugin may have changed a
// row of a process that is known.
type procSource struct {
	ints [sfgo.PROC_ENTRY_INT - sfgo.PROC_OID_CREATETS_INT + 1]int64
	strs [sfgo.PROC_GROUPNAME_STR - sfgo.PROC_EXE_STR + 1]string
}

// of returns the texts of the process of r, whose tree is known.
func (m *procMemo) of(r *sfgo.FlatRecord) *procTexts {
	ints, strs := r.Ints[sfgo.SYSFLOW_IDX], r.Strs[sfgo.SYSFLOW_IDX]
	from := procSource{
		ints: [len(procSource{}.ints)]int64(ints[sfgo.PROC_OID_CREATETS_INT:]),
		strs: [len(procSource{}.strs)]string(strs[sfgo.PROC_EXE_STR:]),
	}
	t, ok := m.procs[r.Ptree[0]]
	if ok && t.from == from && slices.Equal(t.tree, r.Ptree) {
		return t
	}
	if ok {
		m.drop(t)
	} else if m.procs == nil || len(m.procs) >= maxProcs {
		m.forget()
	}
	// The tree is copied, since a plugin may change that of its rows.
	t = &procTexts{from: from, tree: slices.Clone(r.Ptree)}
	m.procs[r.Ptree[0]] = t
	return t
}

// keep remembers a text.
func (m *procMemo) keep(t *procTexts, run int, text []byte) {
	if len(text) > maxProcText {
		return
	}
	if m.size+len(text) > maxProcMemo {
		m.forget()
		m.procs[t.tree[0]] = t
		t.texts = [1 + procRuns][]byte{}
	}
	t.texts[run] = slices.Clone(text)
	m.size += len(text)
}

// drop takes the texts of t out of the account.
func (m *procMemo) drop(t *procTexts) {
	for _, text := range t.texts {
		m.size -= len(text)
	}
}

func (m *procMemo) forget() { m.procs, m.size = map[*sfgo.Process]*procTexts{}, 0 }
