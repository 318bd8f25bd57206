package scenario

import (
	"cmp"
	"container/heap"
	"math"
	"slices"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// chunk is how often, in nanoseconds, a collector writes a flow that lasts.
const chunk = 30_000_000_000

// never is the end of a flow that ends with its process.
const never = math.MaxInt64

// flow is a flow that has begun and is not written to its end. Its record holds what is still to be written; the bits of
// reading and writing follow from the counters, the others are set.
type flow struct {
	due  int64  // when it is written next
	seq  uint64 // breaks ties, in the order of beginning
	end  int64  // when it ends, or never
	last int32  // the operation that ends it
	proc *process
	file *file // nil: a network flow
	ff   sfgo.FileFlow
	nf   sfgo.NetworkFlow
}

// flows are those that are open, by the time at which they are written next.
type flows struct {
	heap []*flow
	free []*flow
	seq  uint64
}

func (f *flows) Len() int { return len(f.heap) }
func (f *flows) Less(i, j int) bool {
	a, b := f.heap[i], f.heap[j]
	return a.due < b.due || a.due == b.due && a.seq < b.seq
}
func (f *flows) Swap(i, j int) { f.heap[i], f.heap[j] = f.heap[j], f.heap[i] }
func (f *flows) Push(x any)    { f.heap = append(f.heap, x.(*flow)) }
func (f *flows) Pop() any {
	n := len(f.heap) - 1
	last := f.heap[n]
	f.heap = f.heap[:n]
	return last
}

// lastEnd returns the time of the last end that is known, or 0.
func (f *flows) lastEnd() int64 {
	var end int64
	for _, fl := range f.heap {
		if fl.end != never {
			end = max(end, fl.end)
		}
	}
	return end
}

// newFlow returns a flow of proc that begins now and lasts for a time, or until its process exits if that is negative.
// Its caller fills in the rest and calls begin.
func (r *runner) newFlow(proc *process, lasts int64) *flow {
	f := new(flow)
	if n := len(r.flows.free); n > 0 {
		f, r.flows.free = r.flows.free[n-1], r.flows.free[:n-1]
	}
	*f = flow{seq: r.flows.seq, end: never, last: sfgo.OP_CLOSE, proc: proc}
	r.flows.seq++
	if lasts >= 0 {
		f.end = r.now + lasts
	}
	f.due = min(f.end, r.now+chunk)
	return f
}

// begin adds a flow to those that are open.
func (r *runner) begin(f *flow) {
	f.proc.fds++
	heap.Push(&r.flows, f)
}

// finishFlows writes what is due until a time.
func (r *runner) finishFlows(until int64) {
	for r.err == nil && len(r.flows.heap) > 0 && r.flows.heap[0].due <= until {
		f := r.flows.heap[0]
		if f.due == f.end {
			heap.Pop(&r.flows)
			r.finish(f, f.end, f.last)
			continue
		}
		r.writeChunk(f)
		heap.Fix(&r.flows, 0)
	}
}

// cutFlows ends the open flows of a process, or of all processes if it is nil, now, in the order in which they began.
func (r *runner) cutFlows(p *process) {
	var cut []*flow
	r.flows.heap = slices.DeleteFunc(r.flows.heap, func(f *flow) bool {
		if p == nil || f.proc == p {
			cut = append(cut, f)
			return true
		}
		return false
	})
	heap.Init(&r.flows)
	slices.SortFunc(cut, func(a, b *flow) int { return cmp.Compare(a.seq, b.seq) })
	for _, f := range cut {
		r.finish(f, r.now, sfgo.OP_TRUNCATE)
	}
}

// finish writes the rest of a flow and forgets it.
func (r *runner) finish(f *flow, at int64, last int32) {
	f.proc.fds--
	r.writeFlow(f, at, last)
	r.flows.free = append(r.flows.free, f)
}

// writeChunk writes what a lasting flow did since it was last written: an even share of what it will have done, or, if
// its end is not known, all of it.
func (r *runner) writeChunk(f *flow) {
	rest := *f
	var share int64 = 1
	if f.end != never {
		share = (f.end-f.due+chunk-1)/chunk + 1
	}
	for i, c := range f.counters() {
		*c /= share
		*rest.counters()[i] -= *c
	}
	r.writeFlow(f, f.due, 0)
	rest.ff.OpFlags, rest.nf.OpFlags = 0, 0
	rest.ff.Ts, rest.nf.Ts = f.due, f.due
	rest.due = min(f.end, f.due+chunk)
	*f = rest
}

// counters of a flow: operations and bytes read, operations and bytes written.
func (f *flow) counters() [4]*int64 {
	if f.file == nil {
		return [4]*int64{&f.nf.NumRRecvOps, &f.nf.NumRRecvBytes, &f.nf.NumWSendOps, &f.nf.NumWSendBytes}
	}
	return [4]*int64{&f.ff.NumRRecvOps, &f.ff.NumRRecvBytes, &f.ff.NumWSendOps, &f.ff.NumWSendBytes}
}

// writeFlow writes a flow as it is, ending at a time with an operation. Where nothing happened, nothing is written.
func (r *runner) writeFlow(f *flow, end int64, last int32) {
	ops := f.ff.OpFlags | f.nf.OpFlags | last
	c := f.counters()
	if *c[0] > 0 {
		ops |= sfgo.OP_READ_RECV
	}
	if *c[2] > 0 {
		ops |= sfgo.OP_WRITE_SEND
	}
	if ops == 0 || ops == sfgo.OP_TRUNCATE {
		return
	}
	r.needProcess(f.proc)
	if f.file == nil {
		f.nf.EndTs, f.nf.OpFlags = end, ops
		r.union.NetworkFlow = &f.nf
		r.write(sfgo.RecUnionTypeEnumNetworkFlow)
		return
	}
	r.needFile(f.file, f.ff.Ts)
	f.ff.EndTs, f.ff.OpFlags = end, ops
	r.union.FileFlow = &f.ff
	r.write(sfgo.RecUnionTypeEnumFileFlow)
}
