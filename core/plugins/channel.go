package plugins

import (
	"context"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Channel connects the one stage that writes it with the one stage that reads it. Plugins use In, which carries single
// records of type R. Built-in stages use Send and Batches, which carry batches of type B, unless a plugin is at the
// other end: then the pipeline puts an adapter between the two. Only one of the two ways is in use at a time.
type Channel[R, B any] struct {
	In chan R

	batches chan B
}

// NewChannel returns a channel that holds size records on In, and as many batches of up to batchSize records as make
// up that number, at least one. Both sizes must be positive.
func NewChannel[R, B any](size, batchSize int) *Channel[R, B] {
	return &Channel[R, B]{In: make(chan R, size), batches: make(chan B, max(1, size/batchSize))}
}

// Send hands b to the reading stage; it blocks while the channel is full. It fails only when ctx ends.
func (c *Channel[R, B]) Send(ctx context.Context, b B) error {
	select {
	case c.batches <- b: // no need to look at ctx while there is room
		return nil
	default:
	}
	select {
	case c.batches <- b:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Batches is what the reading stage receives from; it ends when the pipeline closes the channel.
func (c *Channel[R, B]) Batches() <-chan B { return c.batches }

// CloseBatches ends the stream of batches. The pipeline calls it, once, when the writing stage has ended.
func (c *Channel[R, B]) CloseBatches() { close(c.batches) }

// Depth returns how many batches wait, and for how many there is room.
func (c *Channel[R, B]) Depth() (waiting, room int) { return len(c.batches), cap(c.batches) }

// SFChannel carries what drivers bring in; its type name in pipeline files is sysflowchan.
type SFChannel = Channel[*sfgo.SysFlow, *Block]

// CtxSFChannel carries records with their entities; its type name in pipeline files is ctxchan.
type CtxSFChannel = Channel[*CtxSysFlow, []*CtxSysFlow]

// Stream is one source of records, such as a file or a connection. The reader keeps one set of entities for each. A
// Stream is compared by its address and never changes.
type Stream struct {
	Name   string // for messages: a path, or whatever the driver finds helpful
	Schema string // the Avro writer schema of the stream's blocks, as JSON
}

// Block is a run of records of one stream, as bytes or as structures. Its records are resolved in order. The stage
// that receives a Block owns it.
type Block struct {
	Stream *Stream

	Data  []byte // Avro data, not compressed; strings that are kept must be copied out
	Count int    // how many records Data holds
	Ends  []int  // where each record in Data ends; nil if they follow one another without a border

	Records []*sfgo.SysFlow // instead of Data, from custom drivers

	// Last says that the stream ends with this block: what is remembered about it may be forgotten.
	Last bool

	// Offset is the position of the block in its file, for messages.
	Offset int64

	// Fault, if not nil, tells the driver that Data does not hold Count good records: how many come before the first bad
	// one, and what is wrong with that. The receiver calls it at most once, and before Release.
	Fault func(good int, err error)

	// Release, if not nil, gives Data back to the driver once the block is decoded; the receiver calls it once.
	Release func()
}
