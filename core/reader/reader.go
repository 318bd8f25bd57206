package reader

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/entity"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Handler turns what the reader resolves into what the next stage, which reads channels of type Out, wants. All calls
// come from one goroutine. What a Handler is given holds until it returns; what of it may be kept is said by package
// entity. An error ends the stage.
type Handler[Out any] interface {
	// Start is called once, before records flow, with the channels to write; there may be none.
	Start(outs []*Out)
	// Handle takes a flow or event.
	Handle(ctx context.Context, rec *codec.Record, res *entity.Resolved) error
	// Flush sends on what is held back. It is called when the input has nothing more at hand, and at its end.
	Flush(ctx context.Context) error
}

// EntityHandler is implemented by handlers that want to see entities.
type EntityHandler interface {
	// HandleEntity takes an entity that has just been put; res is what is known of it now.
	HandleEntity(ctx context.Context, rec *codec.Record, res *entity.Resolved) error
}

// counter is implemented by handlers that count.
type counter interface {
	Counters(yield func(name string, value uint64))
}

// Stage is the stage sysflowreader, with a handler that writes channels of type Out.
type Stage[Out any] struct {
	handler  Handler[Out]
	entities EntityHandler // the handler, if it wants entities
	streams  streams
	conv     *converter
	rec      codec.Record
	counts   counts
	log      *limiter
}

// New returns a stage that hands what it reads to h. The log may be nil.
func New[Out any](cfg Config, h Handler[Out], log *slog.Logger) (*Stage[Out], error) {
	conv, err := newConverter()
	if err != nil {
		return nil, err
	}
	s := &Stage[Out]{
		handler: h,
		streams: newStreams(entity.Options{Max: cfg.EntityMax, TTL: cfg.EntityTTL}),
		conv:    conv,
		log:     newLimiter(log),
	}
	s.entities, _ = h.(EntityHandler)
	return s, nil
}

// Run reads in until it ends, writing what the handler makes of it to outs. It closes no channel. It fails when ctx ends,
// and when the handler does.
func (s *Stage[Out]) Run(ctx context.Context, in *plugins.SFChannel, outs []*Out) error {
	s.handler.Start(outs)
	for {
		select {
		case b, ok := <-in.Batches():
			if !ok {
				return s.handler.Flush(ctx)
			}
			err := s.block(ctx, b)
			if err == nil && len(in.Batches()) == 0 {
				err = s.handler.Flush(ctx)
			}
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return cmp.Or(s.handler.Flush(ctx), context.Cause(ctx)) // what there is still room for
		}
	}
}

// Counters yields what happened so far. Any goroutine may call it.
func (s *Stage[Out]) Counters(yield func(name string, value uint64)) {
	s.counts.yield(yield)
	if c, ok := s.handler.(counter); ok {
		c.Counters(yield)
	}
}

// block handles the records of a block, gives the block back and accounts for it.
func (s *Stage[Out]) block(ctx context.Context, b *plugins.Block) error {
	st := s.stream(b)
	err := s.records(ctx, st, b)
	if bad, ok := errors.AsType[*badBlockError](err); ok {
		s.badBlock(b, bad)
		err = nil
	}
	if b.Release != nil {
		b.Release()
	}
	s.account(st, b)
	if b.Last {
		s.drop(b.Stream)
	}
	s.counts.publish()
	return err
}

// badBlockError says that a block, or what was left of it, cannot be read.
type badBlockError struct {
	lost int // records
	err  error
}

func (e *badBlockError) Error() string { return e.err.Error() }

// records handles the records of a block. It returns a *badBlockError if it cannot read on, and the handler's error if
// that failed.
func (s *Stage[Out]) records(ctx context.Context, st *stream, b *plugins.Block) error {
	if b.Records != nil {
		return s.structures(ctx, st, b)
	}
	dec, err := s.streams.decoder(b.Stream, st)
	if err != nil {
		return &badBlockError{max(b.Count, len(b.Ends)), err}
	}
	if b.Ends != nil {
		return s.messages(ctx, st, dec, b)
	}
	return s.data(ctx, st, dec, b)
}

// data decodes records that follow one another without a border: what comes after a malformed one is lost.
func (s *Stage[Out]) data(ctx context.Context, st *stream, dec *codec.Decoder, b *plugins.Block) error {
	at := 0
	for i := range b.Count {
		n, err := dec.Decode(b.Data[at:], &s.rec)
		if err != nil {
			return &badBlockError{b.Count - i, fmt.Errorf("record %d of %d, at byte %d: %w", i+1, b.Count, at, err)}
		}
		at += n
		s.counts.n[bytesRead] += uint64(n)
		if err := s.record(ctx, st, b, b.Count-i); err != nil {
			return err
		}
	}
	if at < len(b.Data) {
		s.counts.n[leftover]++
		if log := s.log.due("leftover"); log != nil {
			log.Warn("ignored what a block holds after its last record", "file", b.Stream.Name, "offset", b.Offset,
				"bytes", len(b.Data)-at)
		}
	}
	return nil
}

// messages decodes records that have borders: a malformed one leaves the others readable.
func (s *Stage[Out]) messages(ctx context.Context, st *stream, dec *codec.Decoder, b *plugins.Block) error {
	at, promised := 0, max(b.Count, len(b.Ends))
	for i, end := range b.Ends {
		left := promised - i
		if end < at || end > len(b.Data) {
			return &badBlockError{left, fmt.Errorf("record %d ends at byte %d, want %d to %d", i+1, end, at, len(b.Data))}
		}
		msg := b.Data[at:end]
		at = end
		s.counts.n[bytesRead] += uint64(len(msg))
		if err := dec.DecodeDatum(msg, &s.rec); err != nil {
			s.badRecord(b, i, err)
			continue
		}
		if err := s.record(ctx, st, b, left); err != nil {
			return err
		}
	}
	if left := promised - len(b.Ends); left > 0 {
		return &badBlockError{left, fmt.Errorf("%d records, but only %d ends", b.Count, len(b.Ends))}
	}
	return nil
}

// structures takes records from a custom driver.
func (s *Stage[Out]) structures(ctx context.Context, st *stream, b *plugins.Block) error {
	for i, sf := range b.Records {
		if err := s.conv.convert(sf, &s.rec); err != nil {
			s.badRecord(b, i, err)
			continue
		}
		if err := s.record(ctx, st, b, len(b.Records)-i); err != nil {
			return err
		}
	}
	return nil
}

// badBlock counts the rest of a block as lost. It tells the driver, if that wants to know, or else the log.
func (s *Stage[Out]) badBlock(b *plugins.Block, bad *badBlockError) {
	s.counts.n[badBlock]++
	s.counts.n[lostDecode] += uint64(bad.lost)
	if b.Fault != nil {
		b.Fault(b.Count-bad.lost, bad.err)
		return
	}
	if log := s.log.due("bad_block"); log != nil {
		log.Warn("cannot read a block, or the rest of it", "file", b.Stream.Name, "offset", b.Offset, "lost", bad.lost,
			"err", bad.err)
	}
}

// badRecord counts a record as lost whose neighbours are not.
func (s *Stage[Out]) badRecord(b *plugins.Block, i int, err error) {
	s.counts.n[badRecord]++
	s.counts.n[lostDecode]++
	if log := s.log.due("bad_record"); log != nil {
		log.Warn("skipped a malformed record", "file", b.Stream.Name, "offset", b.Offset, "record", i+1, "err", err)
	}
}

// record puts, or hands on, the record of b that has been decoded. If the handler fails, this record and those after it,
// left in all, are lost.
func (s *Stage[Out]) record(ctx context.Context, st *stream, b *plugins.Block, left int) error {
	var err error
	rec := &s.rec
	switch rec.Type {
	case sfgo.HEADER, sfgo.CONT, sfgo.PROC, sfgo.FILE, sfgo.POD:
		st.table.Put(rec)
		if s.entities != nil {
			err = s.entities.HandleEntity(ctx, rec, st.table.Entity(rec))
		}
	case sfgo.PROC_EVT, sfgo.NET_FLOW, sfgo.FILE_FLOW, sfgo.FILE_EVT, sfgo.NET_EVT, sfgo.PROC_FLOW, sfgo.K8S_EVT:
		err = s.handler.Handle(ctx, rec, st.table.Resolve(rec))
	default:
		s.counts.n[unknownType]++
		if log := s.log.due("unknown_type"); log != nil {
			log.Warn("skipped records of a type that is not known", "file", b.Stream.Name, "offset", b.Offset)
		}
		return nil
	}
	if err != nil {
		s.counts.n[lostShutdown] += uint64(left)
		return err
	}
	s.counts.n[rec.Type]++
	return nil
}

// stream returns what is remembered of a block's stream.
func (s *Stage[Out]) stream(b *plugins.Block) *stream {
	st, forgotten := s.streams.get(b.Stream)
	if forgotten != nil {
		s.counts.forget(&forgotten.stats)
		s.counts.n[forgottenStream]++
		if log := s.log.due("streams"); log != nil {
			log.Warn("too many streams at a time, forgot the entities of the one used least recently", "limit", maxStreams)
		}
	}
	return st
}

// drop forgets a stream that has ended.
func (s *Stage[Out]) drop(key *plugins.Stream) { s.counts.forget(&s.streams.drop(key).stats) }

// account adds to the counters what has happened in a stream's table, and says what an operator should know of it.
func (s *Stage[Out]) account(st *stream, b *plugins.Block) {
	was, now := st.stats, st.table.Stats()
	st.stats = now
	missed := s.counts.add(&was, &now)
	for k := range entity.Kinds {
		if now.Evicted[k] == was.Evicted[k] {
			continue
		}
		if log := s.log.due("evicted." + k.String()); log != nil {
			log.Warn("no room for more entities of usual size (entity.max), forgetting those used least recently",
				"kind", k, "held", now.Held[k], "file", b.Stream.Name)
		}
	}
	if !missed {
		return
	}
	if log := s.log.due("missing"); log != nil {
		log.Warn("records refer to entities that are not known", "file", b.Stream.Name,
			"headers", now.MissingHeader, "processes", now.Missing[entity.Process], "parents", now.MissingParent,
			"files", now.Missing[entity.File], "containers", now.Missing[entity.Container], "pods", now.Missing[entity.Pod])
	}
}
