package sysflow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/logger"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
)

const (
	// maxConnections is how many collectors may be connected at a time; more wait to be accepted. On a machine there is
	// usually one.
	maxConnections = 64

	// acceptPause is how long accepting rests when the system is short of what a connection needs.
	acceptPause = time.Second

	// logInterval is how often a kind of message is logged at most.
	logInterval = time.Minute
)

// SocketConfig configures the driver socket.
type SocketConfig struct {
	Path      string `attr:"path" kind:"path" help:"where to make the socket that collectors connect to; default: the path on the command line"`
	Mode      int    `attr:"socket.mode" kind:"octal" default:"0660" max:"0777" help:"permissions of the socket; connecting needs the one to write"`
	Group     string `attr:"socket.group" help:"group of the socket, by name or number; default: that of the process"`
	QueueSize int    `attr:"queue.size" default:"100000" min:"1" max:"10000000" help:"records between receiver and reader, of 640 bytes on average at most"`
	QueueFull string `attr:"queue.full" enum:"drop,block" default:"drop" help:"when the queue is full: drop file and network flows, then other flows and events, never entities; or block the collector"`
}

// Socket listens on a Unix socket and reads what collectors send, one record a message.
type Socket struct {
	contextOnly
	cfg     SocketConfig
	access  access
	schema  string
	headers *codec.Decoder
	log     *slog.Logger
	queue   *queue
	slots   chan struct{} // holds one for each connection that has not been passed on to its end
	buffers chan buffer   // of blocks, for reuse

	accepted, ended, refused   atomic.Uint64 // connections
	messages, bytes, truncated atomic.Uint64 // received; truncated are no part of the others
	lost                       atomic.Uint64 // records that were not passed on
	dueTruncated, dueWaiting   occasion
	dueShed, dueCrowded        occasion
}

var _ plugins.SFContextDriver = (*Socket)(nil)

// NewSocket returns a driver; the socket is made when it runs. A nil log discards everything.
func NewSocket(cfg SocketConfig, log *slog.Logger) (*Socket, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	access, err := newAccess(cfg.Mode, cfg.Group)
	if err != nil {
		return nil, err
	}
	schema, ok := codec.Schema(codec.CurrentSchema)
	if !ok {
		return nil, fmt.Errorf("there is no schema %s", codec.CurrentSchema)
	}
	headers, err := codec.NewDecoder(schema)
	if err != nil {
		return nil, err
	}
	return &Socket{
		contextOnly: contextOnly{"socket"}, cfg: cfg, access: access, schema: schema, headers: headers, log: log,
		queue: newQueue(cfg.QueueSize, cfg.QueueFull == "block"),
		slots: make(chan struct{}, maxConnections), buffers: make(chan buffer, spares),
	}, nil
}

// Counters yields what has been received and what became of it. Any goroutine may call it.
func (s *Socket) Counters(yield func(name string, value uint64)) {
	yield("bytes", s.bytes.Load())
	yield("messages", s.messages.Load())
	yield("connections.accepted", s.accepted.Load())
	yield("connections.ended", s.ended.Load())
	yield("connections.refused", s.refused.Load())
	yield("anomalies.truncated", s.truncated.Load())
	q := s.queue.stats()
	for typ, n := range q.shed {
		if rank := rankOf(typ); rank < kept {
			yield("shed."+code(typ), n)
		}
	}
	yield("queue.waits", q.waits)
	yield("lost.shutdown", s.lost.Load()+q.lost)
}

// RunContext is RunUntil without time to pass on what has been received when ctx ends.
func (s *Socket) RunContext(ctx context.Context, conf map[string]any, out *plugins.SFChannel) error {
	return s.RunUntil(ctx, ctx, conf, out)
}

// RunUntil listens at the path in conf until ctx ends. What collectors have sent by then is passed on, until hard ends;
// the rest is counted as lost. A Socket runs once.
func (s *Socket) RunUntil(ctx, hard context.Context, conf map[string]any, out *plugins.SFChannel) error {
	path, ok := conf["path"].(string)
	if !ok || path == "" {
		return errors.New("no path for the socket")
	}
	l, err := listen(ctx, path, s.access)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	s.log.Info("listening for collectors", "socket", path)
	defer context.AfterFunc(hard, s.queue.abort)()
	var receiving sync.WaitGroup
	receiving.Go(func() {
		defer s.queue.finish()
		err = s.serve(ctx, l, path)
	})
	s.pass(hard, out)
	receiving.Wait()
	s.report()
	return err
}

// serve accepts connections until ctx ends or that fails, and returns when all have ended. It closes the socket.
func (s *Socket) serve(ctx context.Context, l *socket, path string) error {
	ctx, cancel := context.WithCancel(ctx)
	closing := make(chan error, 1)
	closed := context.AfterFunc(ctx, func() { closing <- l.close() })
	var connections sync.WaitGroup
	defer connections.Wait()
	defer cancel()

	err := s.accept(ctx, l, path, &connections)
	if closed() { // before ctx ended
		return errors.Join(err, l.close())
	}
	return <-closing
}

// accept accepts connections and has each received by a goroutine of its own, until ctx ends or accepting fails.
func (s *Socket) accept(ctx context.Context, l *socket, path string, connections *sync.WaitGroup) error {
	for {
		if len(s.slots) == cap(s.slots) && s.dueCrowded.now() {
			s.log.Warn("too many collectors at a time, letting others wait", "socket", path, "limit", cap(s.slots))
		}
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		conn, err := l.AcceptUnix()
		if err != nil {
			<-s.slots
			if ctx.Err() != nil {
				return nil
			}
			if !shortage(err) {
				return fmt.Errorf("accept a collector: %w", err)
			}
			s.log.Warn("cannot accept a collector now, will try again", "pause", acceptPause, "err", err)
			rest(ctx, acceptPause)
			continue
		}
		c := s.connection(path)
		s.log.Log(ctx, logger.LevelHealth, "Successfully accepted new input stream", "stream", c.stream.Name)
		connections.Go(func() { s.receive(ctx, conn, c) })
	}
}

// shortage says that the system is short of something just now.
func shortage(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// rest waits for some time, or for the end of ctx.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// connection is a collector's connection, and a stream of blocks.
type connection struct {
	stream  *plugins.Stream
	buffers chan buffer

	messages uint64         // received; only the receiver looks at it
	open     *plugins.Block // what is being taken from the queue; only its taker looks at it
}

func (s *Socket) connection(path string) *connection {
	name := fmt.Sprintf("%s#%d", path, s.accepted.Add(1))
	return &connection{stream: &plugins.Stream{Name: name, Schema: s.schema}, buffers: s.buffers}
}

// buffer is the memory of a block.
type buffer struct {
	data []byte
	ends []int
}

// block returns an empty block of the connection, in memory that comes back when it is released.
func (c *connection) block() *plugins.Block {
	var buf buffer
	select {
	case buf = <-c.buffers:
	default:
		buf = buffer{make([]byte, 0, segmentBytes), make([]int, 0, blockRecords)}
	}
	b := &plugins.Block{Stream: c.stream, Data: buf.data, Ends: buf.ends}
	b.Release = func() {
		if cap(b.Data) > 2*blockBytes {
			return // it held a message of unusual size
		}
		select {
		case c.buffers <- buffer{b.Data[:0], b.Ends[:0]}:
		default:
		}
	}
	return b
}

// receive receives messages until the connection ends. When ctx ends, the collector can send no more, and what it has
// sent is received still.
func (s *Socket) receive(ctx context.Context, conn *net.UnixConn, c *connection) {
	defer s.queue.end(c)
	defer conn.Close()
	// An error says that the connection has ended already.
	defer context.AfterFunc(ctx, func() { _ = conn.CloseRead() })()
	r, err := newReceiver(conn)
	if err == nil {
		err = errors.Join(s.receiveAll(r, c), r.close())
	}
	s.ended.Add(1)
	switch {
	case errors.Is(err, codec.ErrOldWriter):
		s.refused.Add(1)
		s.log.Error("refused a collector", "stream", c.stream.Name, "err", err)
	case err != nil:
		s.log.Warn("input stream failed", "stream", c.stream.Name, "messages", c.messages, "err", err)
	default:
		s.log.Info("input stream ended", "stream", c.stream.Name, "messages", c.messages)
	}
}

// receiveAll queues the messages of a connection up to its end.
func (s *Socket) receiveAll(r receiver, c *connection) error {
	wait := true
	for {
		msgs, truncated, more, err := r.receive(wait)
		if truncated > 0 {
			s.noteTruncated(c, truncated)
		}
		if len(msgs) > 0 {
			first := c.messages == 0
			if err := s.enqueue(c, msgs, more); err != nil {
				return err
			}
			if first {
				s.log.Log(context.Background(), logger.LevelHealth, "Successfully read first record from input stream",
					"stream", c.stream.Name)
			}
		} else if !more {
			s.queue.flush()
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		wait = !more
	}
}

// enqueue counts messages and queues them. It fails, and queues none, if the sender is too old to be understood.
func (s *Socket) enqueue(c *connection, msgs [][]byte, more bool) error {
	bytes := 0
	for _, msg := range msgs {
		bytes += len(msg)
		if msg[0] == 0 {
			if err := s.checkHeader(msg); err != nil {
				return err
			}
		}
	}
	c.messages += uint64(len(msgs))
	s.messages.Add(uint64(len(msgs)))
	s.bytes.Add(uint64(bytes))
	shed, waited := s.queue.add(c, msgs, more)
	if shed && s.dueShed.now() {
		s.log.Warn("records come faster than they are processed, shedding the less important ones (counters shed.*)",
			"stream", c.stream.Name, "queue", s.cfg.QueueSize)
	}
	if waited && s.dueWaiting.now() {
		s.log.Warn("records come faster than they are processed, the collector had to wait", "stream", c.stream.Name,
			"queue", s.cfg.QueueSize)
	}
	return nil
}

// checkHeader returns an error if a header says that the messages of its sender cannot be told apart. Other faults are
// left to the reader.
func (s *Socket) checkHeader(msg []byte) error {
	var rec codec.Record
	if err := s.headers.DecodeDatum(msg, &rec); errors.Is(err, codec.ErrOldWriter) {
		return err
	}
	return nil
}

func (s *Socket) noteTruncated(c *connection, n int) {
	s.truncated.Add(uint64(n))
	if s.dueTruncated.now() {
		s.log.Warn("skipped messages that are too long", "stream", c.stream.Name, "limit", maxMessage, "messages", n)
	}
}

// pass hands on what is in the queue until nothing more will come. When ctx ends, the rest is lost.
func (s *Socket) pass(ctx context.Context, out *plugins.SFChannel) {
	for {
		taken := s.queue.take()
		if len(taken) == 0 {
			return
		}
		for _, c := range taken {
			b := c.open
			c.open = nil
			last := b.Last // the receiver owns b once it is sent
			if n := len(b.Ends); out.Send(ctx, b) != nil {
				s.lost.Add(uint64(n))
				b.Release()
			}
			if last {
				<-s.slots
			}
		}
	}
}

// report logs what a run came to.
func (s *Socket) report() {
	q := s.queue.stats()
	s.log.Info("stopped listening", "connections", s.accepted.Load(), "messages", s.messages.Load(), "shed", q.sum,
		"truncated", s.truncated.Load(), "lost", s.lost.Load()+q.lost)
}

// occasion lets one log line of a kind through in an interval. Any number of goroutines may use it.
type occasion struct{ last atomic.Int64 }

func (o *occasion) now() bool {
	now := time.Now().UnixNano()
	last := o.last.Load()
	return (last == 0 || now-last >= int64(logInterval)) && o.last.CompareAndSwap(last, now)
}
