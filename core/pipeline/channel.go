package pipeline

import (
	"context"
	"fmt"
	"reflect"
	"runtime"

	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

// Names of the built-in channel types.
const (
	sysflowType = "sysflowchan"
	ctxType     = "ctxchan"
	flatType    = "flattenerchan"
	eventType   = "eventchan"
)

// form is how a stage writes or reads a channel.
type form uint8

const (
	records form = iota // single records on In: plugins
	batches             // built-in stages
)

// channel is a channel of the graph, whatever it carries. One stage writes it, in one form, and one reads it; if the
// forms differ, pump copies between them.
type channel interface {
	// value is what stages are given: a pointer to a struct with a field In.
	value() any
	// pump passes on what is written in one form in the other, until that has been closed or ctx ends. It closes
	// nothing, and returns how many records it refused or did not pass on.
	pump(ctx context.Context, from form) (lost uint64)
	// close ends what is written in a form. A plugin may have closed In itself.
	close(f form)
	// discard takes what is left in a form, until it is closed or ctx ends, and returns how many records that were.
	discard(ctx context.Context, f form) (lost uint64)
	// ended says whether In is closed and empty. It may have to take a record to find out; then taken is 1.
	ended() (end bool, taken uint64)
	// depth returns how many elements wait in a form, and for how many there is room.
	depth(f form) (waiting, room int)
}

// channelTypes makes channels by the name of their type.
type channelTypes map[string]func(name string, size int) (channel, error)

// builtinChannels are the types that every pipeline knows.
func builtinChannels() channelTypes {
	return channelTypes{
		sysflowType: func(name string, size int) (channel, error) {
			c := plugins.NewChannel[sfRecord, *plugins.Block](size, flattener.BatchSize)
			return &typed[sfRecord, *plugins.Block]{c, newBlockBorder(name)}, nil
		},
		ctxType: func(_ string, size int) (channel, error) {
			c := plugins.NewChannel[*plugins.CtxSysFlow, []*plugins.CtxSysFlow](size, flattener.BatchSize)
			return &typed[*plugins.CtxSysFlow, []*plugins.CtxSysFlow]{c, ctxBorder{}}, nil
		},
		flatType: func(_ string, size int) (channel, error) {
			return &typed[flatRecord, *flattener.Batch]{flattener.NewFlatChannel(size), new(flatBorder)}, nil
		},
		eventType: func(_ string, size int) (channel, error) {
			return &typed[*engine.Record, *engine.Batch]{engine.NewRecordChannel(size), new(recordBorder)}, nil
		},
	}
}

// border copies between the two forms of a channel.
type border[R, B any] interface {
	// split calls yield with a copy of each record of b, until yield returns false, and releases b.
	split(b B, yield func(R) bool)
	// begin returns an empty batch.
	begin() B
	// add returns b with r, which is its own from now on, or false if r is not sound. b has room.
	add(b B, r R) (B, bool)
	// last returns what follows the last record, if anything does.
	last() (b B, ok bool)
	// count returns the number of records in b.
	count(b B) int
	// release gives back what b holds.
	release(b B)
}

// typed is a channel of a built-in type.
type typed[R, B any] struct {
	c      *plugins.Channel[R, B]
	border border[R, B]
}

func (t *typed[R, B]) value() any { return t.c }

func (t *typed[R, B]) pump(ctx context.Context, from form) uint64 {
	if from == batches {
		return t.pumpBatches(ctx)
	}
	return t.pumpRecords(ctx)
}

// pumpBatches writes the records of each batch to In.
func (t *typed[R, B]) pumpBatches(ctx context.Context) (lost uint64) {
	for b := range t.c.Batches() {
		left := t.border.count(b)
		t.border.split(b, func(r R) bool {
			select { // the usual case by itself is much cheaper than with a second one
			case t.c.In <- r:
				left--
				return true
			default:
			}
			select {
			case t.c.In <- r:
				left--
				return true
			case <-ctx.Done():
				return false
			}
		})
		lost += uint64(left)
		if ctx.Err() != nil {
			return lost
		}
	}
	return lost
}

// pumpRecords makes batches of the records on In: a batch goes on when it is full or In has nothing more at hand.
func (t *typed[R, B]) pumpRecords(ctx context.Context) (lost uint64) {
	for open := true; open; {
		var b B
		var refused uint64
		b, refused, open = t.take(ctx)
		lost += refused
		n := t.border.count(b)
		if n == 0 {
			t.border.release(b)
		} else if t.c.Send(ctx, b) != nil {
			lost += uint64(n)
			t.border.release(b)
		}
		if ctx.Err() != nil {
			return lost
		}
	}
	if b, ok := t.border.last(); ok && t.c.Send(ctx, b) != nil {
		t.border.release(b)
	}
	return lost
}

// yields is how often take lets others run before it decides that In has nothing more at hand. A plugin that keeps pace
// would otherwise be followed by many small batches, each of which costs every later stage as much as a full one.
const yields = 4

// take waits for a record and returns it in a batch with those that follow at once; open is false at the end of In.
func (t *typed[R, B]) take(ctx context.Context) (b B, refused uint64, open bool) {
	b = t.border.begin()
	add := func(r R) {
		var ok bool
		if b, ok = t.border.add(b, r); !ok {
			refused++
		}
	}
	select {
	case r, ok := <-t.c.In:
		if !ok {
			return b, refused, false
		}
		add(r)
	case <-ctx.Done():
		return b, refused, true
	}
	for idle := 0; t.border.count(b) < flattener.BatchSize; {
		select {
		case r, ok := <-t.c.In:
			if !ok {
				return b, refused, false
			}
			add(r)
			idle = 0
		default:
			if idle++; idle > yields {
				return b, refused, true
			}
			runtime.Gosched()
		}
	}
	return b, refused, true
}

func (t *typed[R, B]) close(f form) {
	if f == batches {
		t.c.CloseBatches()
		return
	}
	closeOnce(reflect.ValueOf(t.c.In))
}

func (t *typed[R, B]) discard(ctx context.Context, f form) (lost uint64) {
	if f == records {
		return drain(ctx, t.c.In, func(R) int { return 1 })
	}
	return drain(ctx, t.c.Batches(), func(b B) int {
		n := t.border.count(b)
		t.border.release(b)
		return n
	})
}

func (t *typed[R, B]) ended() (bool, uint64) {
	select {
	case _, ok := <-t.c.In:
		if !ok {
			return true, 0
		}
		return false, 1
	default:
		return false, 0
	}
}

func (t *typed[R, B]) depth(f form) (waiting, room int) {
	if f == batches {
		return t.c.Depth()
	}
	return len(t.c.In), cap(t.c.In)
}

// drain receives from c until it is closed or ctx ends, and sums what count says.
func drain[T any](ctx context.Context, c <-chan T, count func(T) int) (sum uint64) {
	for {
		select {
		case v, ok := <-c:
			if !ok {
				return sum
			}
			sum += uint64(count(v))
		case <-ctx.Done():
			return sum
		}
	}
}

// closeOnce closes a channel that may be closed already: which is a plugin's right, and cannot be asked.
func closeOnce(c reflect.Value) {
	defer func() { _ = recover() }()
	c.Close()
}

// foreign is a channel of a type that a plugin has registered. Only plugins write and read it.
type foreign struct {
	ptr any
	in  reflect.Value // the field In
}

// newForeign checks what a plugin's factory has made.
func newForeign(ptr any) (*foreign, error) {
	v := reflect.ValueOf(ptr)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("its factory returned %T, want a pointer to a struct", ptr)
	}
	in := v.Elem().FieldByName("In")
	if !in.IsValid() || in.Kind() != reflect.Chan || in.Type().ChanDir() != reflect.BothDir || in.IsNil() {
		return nil, fmt.Errorf("its factory returned %T, which has no field In with a channel", ptr)
	}
	return &foreign{ptr, in}, nil
}

func (f *foreign) value() any { return f.ptr }

func (f *foreign) pump(context.Context, form) uint64 { return 0 } // both ends have the same form

func (f *foreign) close(form) { closeOnce(f.in) }

func (f *foreign) discard(ctx context.Context, _ form) (lost uint64) {
	cases := []reflect.SelectCase{
		{Dir: reflect.SelectRecv, Chan: f.in},
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())},
	}
	for {
		chosen, _, ok := reflect.Select(cases)
		if chosen != 0 || !ok {
			return lost
		}
		lost++
	}
}

func (f *foreign) ended() (bool, uint64) {
	v, ok := f.in.TryRecv()
	switch {
	case ok:
		return false, 1
	case v.IsValid():
		return true, 0
	default:
		return false, 0
	}
}

func (f *foreign) depth(form) (waiting, room int) { return f.in.Len(), f.in.Cap() }
