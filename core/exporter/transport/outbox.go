package transport

import (
	"sort"
	"strconv"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
)

// outbox holds the frames that have been given to a connection, in order, until the far side has acknowledged them.
// Should the connection break, those it has not acknowledged go out again on the next one. They are at most what a
// socket buffers, and a batch.
type outbox struct {
	buf    []byte // the frames, one after another
	ids    []byte // the ids of their records
	frames []frame

	written int // how many frames have been written to the connection there is
}

// frame is a message with its framing. Positions count from the beginning of buf and ids.
type frame struct {
	data, dataEnd int   // the record within the message
	end           int   // the frame begins where its predecessor ends
	idEnd         int   // so does its id
	sent          int64 // where it ends in the connection's stream of bytes, once it is written
}

// add appends the frame of a record: octet counting or, if not, a final newline.
func (o *outbox) add(f *syslogFormat, octet bool, it *encode.Item) {
	if octet {
		o.buf = append(strconv.AppendInt(o.buf, int64(f.size(it)), 10), ' ')
	}
	o.buf = f.append(o.buf, it)
	end := len(o.buf)
	if !octet {
		o.buf = append(o.buf, '\n')
	}
	o.ids = append(o.ids, it.ID...)
	o.frames = append(o.frames, frame{data: end - len(it.Data), dataEnd: end, end: len(o.buf), idEnd: len(o.ids)})
}

// start returns where frame i begins.
func (o *outbox) start(i int) int {
	if i == 0 {
		return 0
	}
	return o.frames[i-1].end
}

// next returns the bytes of the frames that are to be written next: as many as limit has room for, at least one. There
// must be one.
func (o *outbox) next(limit int) []byte {
	start, n := o.start(o.written), o.written+1
	for n < len(o.frames) && o.frames[n].end-start <= limit {
		n++
	}
	return o.buf[start:o.frames[n-1].end]
}

// wrote notes that the first n bytes of what next returned have been written. at returns the position in the stream of
// bytes at which a frame ends that ends after so many of them.
func (o *outbox) wrote(n int, at func(end int) int64) {
	start := o.start(o.written)
	for o.written < len(o.frames) && o.frames[o.written].end <= start+n {
		f := &o.frames[o.written]
		f.sent = at(f.end - start)
		o.written++
	}
}

// acknowledged forgets the written frames that end within the first n bytes of the stream.
func (o *outbox) acknowledged(n int64) {
	k := sort.Search(o.written, func(i int) bool { return o.frames[i].sent > n })
	if k == 0 {
		return
	}
	bytes, ids := o.frames[k-1].end, o.frames[k-1].idEnd
	o.frames = o.frames[:copy(o.frames, o.frames[k:])]
	for i := range o.frames {
		f := &o.frames[i]
		f.data, f.dataEnd, f.end, f.idEnd = f.data-bytes, f.dataEnd-bytes, f.end-bytes, f.idEnd-ids
	}
	o.buf = o.buf[:copy(o.buf, o.buf[bytes:])]
	o.ids = o.ids[:copy(o.ids, o.ids[ids:])]
	o.written -= k
	if len(o.frames) == 0 && cap(o.buf) > keepBuffer {
		o.buf = nil
	}
}

// takeBack forgets the frames that have not been written.
func (o *outbox) takeBack() {
	ids := 0
	if o.written > 0 {
		ids = o.frames[o.written-1].idEnd
	}
	o.buf, o.ids, o.frames = o.buf[:o.start(o.written)], o.ids[:ids], o.frames[:o.written]
}

// items returns the records of the frames. Their memory is the outbox's.
func (o *outbox) items() []encode.Item {
	items := make([]encode.Item, len(o.frames))
	id := 0
	for i, f := range o.frames {
		items[i] = encode.Item{Data: o.buf[f.data:f.dataEnd], ID: o.ids[id:f.idEnd]}
		id = f.idEnd
	}
	return items
}
