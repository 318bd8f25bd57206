package sysflow

import (
	"sync"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Sizes of what the queue hands out and is made of.
const (
	blockRecords = 1000       // in a Block, at most
	blockBytes   = 256 << 10  // in a Block, from which on no more are added
	segmentBytes = 64 << 10   // of a segment; a larger message has one of its own
	spares       = 32         // segments, and buffers of blocks, that are kept for reuse
	recordBytes  = 640        // room for a record on average, some ten times what real ones need
	minBytes     = 1 << 20    // room in a queue of few records
	noType       = len(codes) // of messages that are no record: their first byte is not a type's
)

// codes are the short names of the record types.
var codes = [...]string{"H", "C", "P", "F", "PE", "NF", "FF", "FE", "NE", "PF", "PD", "KE"}

// rank says who goes first when there is no room: the lowest.
type rank int

const (
	flows  rank = iota // of files and networks, and what is no record
	events             // and flows of processes
	kept               // headers and entities, which are never shed: what follows would be wrong
	ranks
)

// typeOf returns the type of a message, which its first byte tells: the index of the union, zig-zag.
func typeOf(msg []byte) int {
	if typ := int(msg[0] >> 1); msg[0]&1 == 0 && typ < noType {
		return typ
	}
	return noType
}

func rankOf(typ int) rank {
	switch int64(typ) {
	case sfgo.FILE_FLOW, sfgo.NET_FLOW, int64(noType):
		return flows
	case sfgo.HEADER, sfgo.CONT, sfgo.PROC, sfgo.FILE, sfgo.POD:
		return kept
	default:
		return events
	}
}

// code returns the name of a type for counters.
func code(typ int) string {
	if typ == noType {
		return "unknown"
	}
	return codes[typ]
}

// queue holds what connections have received until the reader has time for it. It is bounded in records and bytes. When
// it is full it sheds records, the least important first and of these the oldest, or lets receivers wait.
//
// There is one first-in-first-out lane for each rank, so that a record is shed in constant time; numbers tell in what
// order records of different lanes came. Any number of goroutines add, one takes.
type queue struct {
	maxRecords, maxBytes int
	wait                 bool // instead of shedding

	mu       sync.Mutex // covers the rest
	ripe     sync.Cond  // there is something to take
	room     sync.Cond  // something has been taken, or the queue is aborted
	lanes    [ranks]lane
	spare    []*segment
	records  int
	bytes    int
	seq      uint64
	due      bool // what there is should be taken: enough of it, or nothing more at hand
	finished bool // nothing more will be added
	aborted  bool // nothing more will find room
	taken    []*connection

	counts queueCounts
}

// queueCounts is what happened to records that found no room.
type queueCounts struct {
	shed  [noType + 1]uint64 // by type
	sum   uint64             // of shed
	waits uint64             // times that a receiver had to wait
	lost  uint64             // when the queue was aborted
}

func newQueue(records int, wait bool) *queue {
	q := &queue{maxRecords: records, maxBytes: max(minBytes, records*recordBytes), wait: wait}
	q.ripe.L, q.room.L = &q.mu, &q.mu
	return q
}

// add queues messages of a connection, which it copies. more says that others are probably at hand: if not, flush is
// called next. It waits while there is no room that shedding could make. It returns whether it had to shed, or to wait.
func (q *queue) add(from *connection, msgs [][]byte, more bool) (shed, waited bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	before := q.counts
	for _, msg := range msgs {
		typ := typeOf(msg)
		r := rankOf(typ)
		if !q.admit(typ, r, len(msg)) {
			continue
		}
		q.push(r, from, msg)
		q.records++
		q.bytes += len(msg)
	}
	if !more || q.records >= min(blockRecords, q.maxRecords) {
		q.wake()
	}
	return q.counts.sum > before.sum, q.counts.waits > before.waits
}

// flush lets what there is be taken.
func (q *queue) flush() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.wake()
}

// end queues that a connection has ended, for which there is always room.
func (q *queue) end(from *connection) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.push(kept, from, nil)
	q.wake()
}

// finish says that nothing more will be added.
func (q *queue) finish() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.finished = true
	q.ripe.Signal()
}

// abort lets receivers wait no longer: what they have is lost.
func (q *queue) abort() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.aborted = true
	q.room.Broadcast()
}

// wake lets the taker take what there is.
func (q *queue) wake() {
	if _, q.due = q.next(); q.due {
		q.ripe.Signal()
	}
}

// admit makes room for a message, or says that it has none.
func (q *queue) admit(typ int, r rank, size int) bool {
	for q.full(size) {
		switch {
		case q.aborted:
			q.counts.lost++
			return false
		case !q.wait && q.shedBelow(r):
		case !q.wait && r < kept:
			q.shed(typ)
			return false
		default:
			q.counts.waits++
			q.wake()
			q.room.Wait()
		}
	}
	return true
}

func (q *queue) shed(typ int) {
	q.counts.shed[typ]++
	q.counts.sum++
}

// stats returns what happened so far.
func (q *queue) stats() queueCounts {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.counts
}

func (q *queue) full(size int) bool {
	return q.records >= q.maxRecords || q.records > 0 && q.bytes+size > q.maxBytes
}

// shedBelow sheds one record of a rank below r. It returns false if there is none.
func (q *queue) shedBelow(r rank) bool {
	for low := range r {
		if q.lanes[low].n == 0 {
			continue
		}
		_, msg := q.pop(low)
		q.shed(typeOf(msg))
		return true
	}
	return false
}

// take waits until something should be taken, and moves up to blockRecords records to the open blocks of their
// connections. It returns these connections, until the next call; there are none at the end.
func (q *queue) take() []*connection {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.due && !q.finished {
		q.ripe.Wait()
	}
	clear(q.taken)
	q.taken = q.taken[:0]
	bytes := 0
	for n := 0; n < blockRecords && bytes < blockBytes; n++ {
		r, ok := q.next()
		if !ok {
			break
		}
		from, msg := q.pop(r)
		if from.open == nil {
			from.open = from.block()
			q.taken = append(q.taken, from)
		}
		b := from.open
		if msg == nil {
			b.Last = true
			continue
		}
		bytes += len(msg)
		b.Data = append(b.Data, msg...)
		b.Ends = append(b.Ends, len(b.Data))
		b.Count++
	}
	_, q.due = q.next()
	q.room.Broadcast()
	return q.taken
}

// next returns the rank of the record that came first.
func (q *queue) next() (first rank, ok bool) {
	var seq uint64
	for r := range ranks {
		if l := &q.lanes[r]; len(l.segments) > 0 {
			if s := l.head().seq; !ok || s < seq {
				first, seq, ok = r, s, true
			}
		}
	}
	return first, ok
}

// lane is a first-in-first-out list of messages.
type lane struct {
	segments []*segment // none is used up
	n        int        // messages, without ends
}

// segment is a piece of a lane.
type segment struct {
	data    []byte
	entries []listed
	taken   int // entries that are gone
}

// listed is a message in a segment, or the end of a connection if it is empty.
type listed struct {
	seq      uint64
	from     *connection
	at, size int
}

func (l *lane) head() *listed {
	s := l.segments[0]
	return &s.entries[s.taken]
}

// push appends a message; nil is the end of its connection.
func (q *queue) push(r rank, from *connection, msg []byte) {
	l := &q.lanes[r]
	last := len(l.segments) - 1
	if last < 0 || len(l.segments[last].entries) == blockRecords ||
		len(l.segments[last].data)+len(msg) > cap(l.segments[last].data) {
		l.segments = append(l.segments, q.segment(len(msg)))
		last++
	}
	s := l.segments[last]
	s.entries = append(s.entries, listed{q.seq, from, len(s.data), len(msg)})
	s.data = append(s.data, msg...)
	q.seq++
	if msg != nil {
		l.n++
	}
}

// pop takes the first message of a lane, which holds until the next push. It is nil at the end of a connection.
func (q *queue) pop(r rank) (from *connection, msg []byte) {
	l := &q.lanes[r]
	s := l.segments[0]
	e := &s.entries[s.taken]
	from = e.from
	if e.size > 0 {
		msg = s.data[e.at : e.at+e.size]
		l.n--
		q.records--
		q.bytes -= e.size
	}
	if s.taken++; s.taken == len(s.entries) {
		l.segments[0] = nil
		l.segments = l.segments[1:]
		if cap(s.data) == segmentBytes && len(q.spare) < spares {
			clear(s.entries) // of pointers
			*s = segment{data: s.data[:0], entries: s.entries[:0]}
			q.spare = append(q.spare, s)
		}
	}
	return from, msg
}

// segment returns an empty segment with room for size bytes.
func (q *queue) segment(size int) *segment {
	if n := len(q.spare); n > 0 && size <= segmentBytes {
		s := q.spare[n-1]
		q.spare = q.spare[:n-1]
		return s
	}
	return &segment{data: make([]byte, 0, max(size, segmentBytes))}
}
