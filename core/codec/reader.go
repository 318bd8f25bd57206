package codec

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/sysflow-telemetry/sf-processor/core/plugins"
)

// Limits on memory, for what real traces never come near.
const (
	// bigBlock is how long the data of a block may be, before or after inflating, for the block to be inflated ahead.
	// Larger blocks, and those that turn out to be, wait until they are next.
	bigBlock = 1 << 20

	// maxLent is how many bytes the blocks may have that were given out and not released; then Next waits.
	maxLent = 256 << 20

	// maxWorkers is how many goroutines inflate at most: far more than one that decodes can keep up with.
	maxWorkers = 32
)

// ReaderOptions are what a [Reader] may be told. The zero value is what a nil pointer means.
type ReaderOptions struct {
	// Workers is the number of goroutines that inflate blocks ahead; 0 is one for each processor the program may use.
	Workers int

	// OnDamage, if not nil, is called for each damage: in file order for what is found while reading, and when the block
	// is released for what is found while inflating or decoding. The calls come from the goroutines that call Next and
	// Release, one at a time, and must not call the Reader.
	OnDamage func(Damage)

	// Decoders, if not nil, is where the decoder comes from that checks blocks whose sync marker is damaged.
	Decoders *Decoders
}

// Reader reads a trace, an Avro object container file, from start to end, and gives out its blocks, inflated. It never
// seeks: a pipe will do. Where the file is damaged it goes on with the next good block and reports what was lost.
//
// Next and Close are for one goroutine, the blocks' Release and Fault for any. A Reader has goroutines of its own, which
// end when the file does, or with Close. A Read of the file that blocks is not interrupted by Close: let it end first,
// for instance by closing the file. Memory is bounded by the number of workers and limits per block.
type Reader struct {
	header header
	stream *plugins.Stream

	ahead   chan *job     // in file order
	stop    chan struct{} // closed by Close
	stopped sync.Once
	running sync.WaitGroup
	err     error // why the file ended, nil at its end; written before ahead is closed

	late  inflater // for big blocks, which Next inflates itself
	ended bool
	pos   atomic.Int64

	free buffers
	lent lender

	reporting sync.Mutex // one call of onDamage at a time
	onDamage  func(Damage)
}

// job is a part of the file on its way to Next.
type job struct {
	part                // stored is a copy, from the free buffers
	taken chan struct{} // closed when Next has inflated the block; nil if it is too small to wait for that

	done chan struct{} // closed when a worker is done with the job; what follows is not looked at before
	late bool          // the block is too big to be inflated by a worker
	data []byte        // what could be inflated; nil if there are no records
	err  error         // why that is not all
}

// NewReader reads the header of the trace in r, and starts to read ahead. name is for messages and for the stream of the
// blocks. It fails if r is not a trace (ErrNotTrace), ends inside the header (ErrTruncated), is compressed in a way that
// is not supported, or holds other records than SysFlow's. The caller closes the Reader, and r after it.
func NewReader(r io.Reader, name string, opts *ReaderOptions) (*Reader, error) {
	var o ReaderOptions
	if opts != nil {
		o = *opts
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	o.Workers = min(o.Workers, maxWorkers)
	if o.Decoders == nil {
		o.Decoders = new(Decoders)
	}
	s := &splitter{window: window{r: r}, name: name}
	h, err := readHeader(&s.window)
	if err != nil {
		return nil, fmt.Errorf("open trace %s: %w", name, err)
	}
	s.marker = h.marker
	if s.dec, err = o.Decoders.Get(h.schema); err != nil {
		return nil, fmt.Errorf("open trace %s: %w", name, err)
	}
	inflaters := make([]inflater, o.Workers+2) // the workers', the splitter's and Next's
	for i := range inflaters {
		if inflaters[i], err = newInflater(h.codec); err != nil {
			return nil, fmt.Errorf("open trace %s: %w", name, err)
		}
	}
	s.check = inflaters[0]
	rd := &Reader{
		header:   h,
		stream:   &plugins.Stream{Name: name, Schema: h.schema},
		ahead:    make(chan *job, 2*o.Workers),
		stop:     make(chan struct{}),
		late:     inflaters[1],
		free:     buffers{max: 8 * o.Workers},
		lent:     lender{freed: make(chan struct{}, 1)},
		onDamage: o.OnDamage,
	}
	rd.pos.Store(s.at)
	rd.start(s, inflaters[2:])
	return rd, nil
}

// Stream is what the blocks belong to.
func (r *Reader) Stream() *plugins.Stream { return r.stream }

// Codec returns the name of the compression.
func (r *Reader) Codec() string { return r.header.codec }

// Offset returns how many bytes of the file lie before what Next returns next. It may be called at any time.
func (r *Reader) Offset() int64 { return r.pos.Load() }

// Next returns the next block, which holds at least one record. Its Count is what the block promises: if it is damaged,
// Data holds fewer records, and ends in the middle of one or has a bad one; whoever decodes it keeps the records before
// that and calls Fault. Behind the last block comes one without records that has Last set, and then io.EOF, or the error
// that reading the file ended with.
//
// Next waits for the file, for blocks to be inflated, and, if those that were given out have very many bytes, for some to
// be released. It returns an error when ctx ends; it may then be called again.
func (r *Reader) Next(ctx context.Context) (*plugins.Block, error) {
	for {
		j, err := r.take(ctx)
		if err != nil {
			return nil, err
		}
		if j == nil {
			return r.end()
		}
		r.pos.Store(j.end)
		if j.damage != nil {
			r.report(*j.damage)
		}
		if j.late {
			r.inflate(j, r.late, maxInflated)
		}
		if j.taken != nil {
			close(j.taken)
		}
		if j.data != nil {
			return r.lend(j), nil
		}
	}
}

// take returns the next job when it is done, or nil after the last.
func (r *Reader) take(ctx context.Context) (*job, error) {
	if err := r.lent.wait(ctx); err != nil {
		return nil, err
	}
	select {
	case j, ok := <-r.ahead:
		if !ok {
			return nil, nil
		}
		<-j.done // a worker has it: not for long
		return j, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// end ends the stream.
func (r *Reader) end() (*plugins.Block, error) {
	switch {
	case !r.ended:
		r.ended = true
		return &plugins.Block{Stream: r.stream, Last: true, Offset: r.Offset()}, nil
	case r.err != nil:
		return nil, fmt.Errorf("read trace %s: %w", r.stream.Name, r.err)
	default:
		return nil, io.EOF
	}
}

// Close stops reading ahead and waits for the goroutines to end. Blocks that were given out stay as they are.
func (r *Reader) Close() error {
	r.stopped.Do(func() { close(r.stop) })
	r.running.Wait()
	return nil
}

// report tells about a damage.
func (r *Reader) report(d Damage) {
	if r.onDamage == nil {
		return
	}
	r.reporting.Lock()
	defer r.reporting.Unlock()
	r.onDamage(d)
}

// loan is a block that was given out.
type loan struct {
	r    *Reader
	job  *job
	good int // records that could be decoded, as far as we know
}

// lend makes a block of a job.
func (r *Reader) lend(j *job) *plugins.Block {
	r.lent.add(len(j.data))
	l := &loan{r: r, job: j, good: j.count}
	return &plugins.Block{
		Stream: r.stream, Data: j.data, Count: j.count, Offset: j.offset, Fault: l.fault, Release: l.release,
	}
}

func (l *loan) fault(good int, err error) {
	l.good = good
	if l.job.err == nil { // what comes first is the cause of what follows
		l.job.err = err
	}
}

func (l *loan) release() {
	j := l.job
	if j.err != nil {
		l.r.report(Damage{Name: l.r.stream.Name, Offset: j.offset, Lost: j.count - l.good, Err: j.err})
	}
	l.r.lent.add(-len(j.data))
	l.r.free.put(j.data)
	j.data = nil
}

// start starts the goroutines: one that splits the file into blocks, and one per inflater.
func (r *Reader) start(s *splitter, inflaters []inflater) {
	work := make(chan *job, cap(r.ahead)+1) // what can be ahead, and what Next waits for: sending never blocks
	r.running.Go(func() {
		defer close(r.ahead)
		defer close(work)
		if err := r.split(s, work); err != io.EOF {
			r.err = err
		}
	})
	for _, z := range inflaters {
		r.running.Go(func() {
			for j := range work {
				r.inflate(j, z, bigBlock)
				close(j.done)
			}
		})
	}
}

// split hands the parts of the file to the workers and, in order, to Next, until the file ends or the Reader is closed.
func (r *Reader) split(s *splitter, work chan<- *job) error {
	for {
		p, err := s.next()
		if err != nil {
			return err
		}
		j := &job{part: p, done: make(chan struct{})}
		if p.stored != nil {
			j.stored = append(r.free.get(), p.stored...)
		}
		if len(p.stored) > bigBlock {
			j.late, j.taken = true, make(chan struct{})
		}
		ahead := p.stored != nil && !j.late // read by us before a worker has the job
		if !ahead {
			close(j.done)
		}
		select {
		case r.ahead <- j:
		case <-r.stop:
			return fs.ErrClosed
		}
		if ahead {
			work <- j
		}
		if j.taken != nil { // one of them at a time is enough
			select {
			case <-j.taken:
			case <-r.stop:
				return fs.ErrClosed
			}
		}
	}
}

// inflate inflates a job, as long as that makes no more than limit bytes. What makes more is left to Next.
func (r *Reader) inflate(j *job, z inflater, limit int) {
	data, _, err := z.inflate(r.free.get(), j.stored, limit)
	if err == errTooLong && limit < maxInflated {
		r.free.put(data)
		j.late = true
		return
	}
	r.free.put(j.stored)
	j.stored, j.data, j.err = nil, data, err
}

// buffers are byte slices to be used again. Buffers of unusual size are not kept.
type buffers struct {
	mu   sync.Mutex
	free [][]byte
	max  int // how many are kept
}

// newBuffer is the capacity of a new buffer: enough for most blocks of collectors.
const newBuffer = DefaultBlockSize + 8<<10

// get returns an empty buffer.
func (b *buffers) get() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.free)
	if n == 0 {
		return make([]byte, 0, newBuffer)
	}
	buf := b.free[n-1]
	b.free = b.free[:n-1]
	return buf
}

// put takes a buffer back.
func (b *buffers) put(buf []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.free) < b.max && cap(buf) >= newBuffer && cap(buf) <= 2*bigBlock {
		b.free = append(b.free, buf[:0])
	}
}

// lender counts the bytes that were given out and not released.
type lender struct {
	mu    sync.Mutex
	bytes int
	freed chan struct{} // gets an element when bytes falls; holds one
}

func (l *lender) add(n int) {
	l.mu.Lock()
	l.bytes += n
	l.mu.Unlock()
	if n < 0 {
		select {
		case l.freed <- struct{}{}:
		default: // there is one already
		}
	}
}

// wait waits until few enough bytes are given out.
func (l *lender) wait(ctx context.Context) error {
	for l.full() {
		select {
		case <-l.freed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (l *lender) full() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes > maxLent
}
