package exporter

import (
	"context"
	"slices"
	"sync"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

// Sizes, in bytes.
const (
	// chunkSize is when a chunk is full: small enough that chunks are used again soon and memory does not pile up.
	chunkSize = 128 << 10

	// maxQueued is how much may wait in a queue whose writer can be held up. Back-pressure that comes a little earlier
	// costs nothing; ten thousand records, in the worst case of a megabyte each, would.
	maxQueued = 2 << 20

	// maxChunks is how much chunks that wait to be used again may be, together with those that are queued. It is what a
	// queue holds that is full, and on top the batch that was let in last: were it less, a queue that is now full, now
	// empty would make garbage all the time.
	maxChunks = 3 * maxQueued
)

// chunk holds encoded records one after another, so that they cost no allocation each.
type chunk struct {
	data  []byte
	marks []mark
	next  int // the first record that has not been settled
}

// mark says where a record of a chunk ends. It begins where its predecessor ends; its id follows its document.
type mark struct {
	doc, end int
	rank     engine.Rank
}

// item returns record i, cut from the chunk's memory.
func (c *chunk) item(i int) encode.Item {
	start := 0
	if i > 0 {
		start = c.marks[i-1].end
	}
	m := c.marks[i]
	return encode.Item{Data: c.data[start:m.doc:m.doc], ID: c.data[m.doc:m.end:m.end], Rank: m.rank}
}

// queue holds encoded records until they are settled: delivered or given up. One goroutine puts, another takes.
type queue struct {
	size  int // records
	bytes int // when that much is queued, wait waits

	room chan struct{} // has a value when records may have been settled
	work chan struct{} // has a value when records may have been put, or the queue closed

	mu     sync.Mutex // covers the rest
	chunks []*chunk   // those put, in order
	held   int        // records reserved or put and not settled; at most size
	ready  int        // records put and not settled
	queued int        // bytes of chunks
	closed bool
	free   []*chunk
	spare  int // bytes in free
}

// newQueue returns a queue of at most size records, which is meant to give out batches of the given number of them.
func newQueue(size, batch int) *queue {
	const perRecord = 8 << 10 // a batch fits, unless its records are unheard of
	return &queue{size: size, bytes: max(maxQueued, batch*perRecord), room: make(chan struct{}, 1), work: make(chan struct{}, 1)}
}

// signal puts a value into a channel of capacity one, unless there is one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// reserve makes room for up to n records, and returns for how many: 0 if the queue is full.
func (q *queue) reserve(n int) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, q.size-q.held)
	q.held += n
	return n
}

// wait makes room for up to n records, at least one, as soon as there is. It fails only when ctx ends.
func (q *queue) wait(ctx context.Context, n int) (int, error) {
	for {
		if !q.heavy() {
			if got := q.reserve(n); got > 0 {
				return got, nil
			}
		}
		select {
		case <-q.room:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// heavy says whether so many bytes are queued that a writer that can wait should.
func (q *queue) heavy() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.queued >= q.bytes
}

// chunk returns an empty chunk.
func (q *queue) chunk() *chunk {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.free) == 0 {
		return &chunk{data: make([]byte, 0, chunkSize+chunkSize/4)} // the last record goes beyond
	}
	c := q.free[len(q.free)-1]
	q.free = q.free[:len(q.free)-1]
	q.spare -= cap(c.data)
	return c
}

// full says whether c has enough in it to be put.
func (c *chunk) full() bool { return len(c.data) >= chunkSize }

// put appends the records of c to the queue, which owns c from now on. They take the place of reserved ones.
func (q *queue) put(c *chunk, reserved int) {
	q.mu.Lock()
	q.queued += len(c.data)
	q.held -= reserved - len(c.marks)
	q.ready += len(c.marks)
	if len(c.marks) > 0 {
		q.chunks = append(q.chunks, c)
	} else {
		q.queued -= len(c.data)
		q.recycle(c)
	}
	q.mu.Unlock()
	signal(q.work)
}

// close says that nothing will be put any more.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	signal(q.work)
}

// state returns how many records wait, and whether more may come.
func (q *queue) state() (ready int, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.ready, q.closed
}

// front appends the first records, up to n of them, to items. They stay in the queue, and their memory is valid, until
// they are settled.
func (q *queue) front(items []encode.Item, n int) []encode.Item {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, c := range q.chunks {
		for i := c.next; i < len(c.marks); i++ {
			if n == 0 {
				return items
			}
			items = append(items, c.item(i))
			n--
		}
	}
	return items
}

// settle removes the first n records.
func (q *queue) settle(n int) {
	q.mu.Lock()
	q.held -= n
	q.ready -= n
	done := 0
	for n > 0 {
		c := q.chunks[done]
		step := min(n, len(c.marks)-c.next)
		c.next += step
		n -= step
		if c.next == len(c.marks) {
			q.queued -= len(c.data)
			q.recycle(c)
			done++
		}
	}
	q.chunks = slices.Delete(q.chunks, 0, done)
	q.mu.Unlock()
	signal(q.room)
}

// recycle keeps a chunk for another use. The caller holds the lock.
func (q *queue) recycle(c *chunk) {
	if q.queued+q.spare+cap(c.data) > maxChunks || cap(c.data) > 2*chunkSize {
		return
	}
	q.spare += cap(c.data)
	c.data, c.marks, c.next = c.data[:0], c.marks[:0], 0
	q.free = append(q.free, c)
}
