// Command send stands for collectors: it replays traces over a processor's socket, in the messages that a collector
// sends, one record each.
//
//	go run ./resources/traces/send /sock/sysflow.sock resources/traces/tcp.sf           as fast as they are taken
//	go run ./resources/traces/send -rate 1000 -repeat 10 -connections 3 socket a.sf b.sf
//
// Records of old schemas are sent as the current one; those that it has no place for are left out. Each connection sends
// all traces, as a collector of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stderr))
}

// run is the program without its surroundings; it returns the exit code.
func run(ctx context.Context, args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("send", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: send [flags] socket trace ...")
		flags.PrintDefaults()
	}
	var p plan
	flags.Float64Var(&p.rate, "rate", 0, "`records` per second and connection; 0: as many as are taken")
	flags.IntVar(&p.repeat, "repeat", 1, "send the traces `n` times")
	flags.IntVar(&p.connections, "connections", 1, "be `n` collectors at a time")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if err := p.check(flags.Args()); err != nil {
		fmt.Fprintln(stderr, "send:", err)
		flags.Usage()
		return 2
	}
	start := time.Now()
	n, err := p.send(ctx)
	fmt.Fprintf(stderr, "sent %d records in %v on %d connections, left out %d\n", n.sent,
		time.Since(start).Round(time.Millisecond), p.connections, n.leftOut)
	if err != nil {
		fmt.Fprintln(stderr, "send:", err)
		return 1
	}
	return 0
}

// plan says what to send, and how.
type plan struct {
	socket      string
	traces      []string
	rate        float64
	repeat      int
	connections int
}

// check takes the arguments and says what is wrong with them or the flags.
func (p *plan) check(args []string) error {
	if len(args) < 2 {
		return errors.New("want a socket and one trace or more")
	}
	p.socket, p.traces = args[0], args[1:]
	switch {
	case p.rate < 0 || math.IsNaN(p.rate):
		return fmt.Errorf("-rate %v is no rate", p.rate)
	case p.repeat < 1 || p.connections < 1:
		return errors.New("-repeat and -connections have to be 1 or more")
	}
	return nil
}

// counts is what became of records.
type counts struct{ sent, leftOut int }

// send is all connections at a time. It ends when ctx does.
func (p *plan) send(ctx context.Context) (total counts, err error) {
	each := make([]counts, p.connections)
	group, ctx := errgroup.WithContext(ctx)
	for i := range each {
		group.Go(func() error { return p.connection(ctx, &each[i]) })
	}
	err = group.Wait()
	for _, n := range each {
		total.sent += n.sent
		total.leftOut += n.leftOut
	}
	return total, err
}

// connection is one collector.
func (p *plan) connection(ctx context.Context, n *counts) error {
	enc, err := codec.NewEncoder(codec.CurrentSchema)
	if err != nil {
		return err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unixpacket", p.socket)
	if err != nil {
		return fmt.Errorf("connect to the processor: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })() // ends a Write that waits
	c := &collector{conn: conn, enc: enc, pace: pace{rate: p.rate, start: time.Now()}, counts: n}
	for range p.repeat {
		for _, trace := range p.traces {
			if err := c.trace(ctx, trace); err != nil {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				return err
			}
		}
	}
	return nil
}

// collector sends records over one connection.
type collector struct {
	conn net.Conn
	enc  *codec.Encoder
	pace pace
	rec  codec.Record
	msg  []byte
	*counts
}

// trace sends the records of a trace.
func (c *collector) trace(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open trace: %w", err)
	}
	defer f.Close()
	rd, err := codec.NewReader(f, path, &codec.ReaderOptions{Workers: 1})
	if err != nil {
		return err
	}
	defer rd.Close()
	dec, err := codec.NewDecoder(rd.Stream().Schema)
	if err != nil {
		return fmt.Errorf("trace %s: %w", path, err)
	}
	for {
		b, err := rd.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read trace %s: %w", path, err)
		}
		err = c.block(ctx, dec, b.Data, b.Count)
		if b.Release != nil {
			b.Release()
		}
		if err != nil {
			return fmt.Errorf("trace %s: %w", path, err)
		}
	}
}

// block sends the records of a block.
func (c *collector) block(ctx context.Context, dec *codec.Decoder, data []byte, count int) error {
	for range count {
		n, err := dec.Decode(data, &c.rec)
		if err != nil {
			return err
		}
		data = data[n:]
		if err := c.record(ctx); err != nil {
			return err
		}
	}
	return nil
}

// headerVersion is what current collectors write into headers.
const headerVersion = 5

// record sends the record that has been decoded.
func (c *collector) record(ctx context.Context) error {
	c.rec.Header.Version = headerVersion // what follows is of that version, whatever it was in the trace
	sf := c.rec.SysFlow()
	if sf == nil {
		c.leftOut++
		return nil
	}
	var err error
	if c.msg, err = c.enc.Append(c.msg[:0], sf); errors.Is(err, codec.ErrNotInSchema) {
		c.leftOut++
		return nil
	} else if err != nil {
		return err
	}
	if err := wait(ctx, c.pace.delay(c.sent, time.Now())); err != nil {
		return err
	}
	if _, err := c.conn.Write(c.msg); err != nil {
		return fmt.Errorf("send record %d: %w", c.sent+1, err)
	}
	c.sent++
	return nil
}

// pace says when records are due.
type pace struct {
	rate  float64 // records per second, 0 for as many as possible
	start time.Time
}

// grain is the shortest time that is worth waiting.
const grain = time.Millisecond

// delay returns how long it is, now, until another record is due after n of them. It is 0 if that is soon.
func (p pace) delay(n int, now time.Time) time.Duration {
	if p.rate == 0 {
		return 0
	}
	d := time.Duration(float64(n)/p.rate*float64(time.Second)) - now.Sub(p.start)
	if d < grain {
		return 0
	}
	return d
}

// wait waits for some time; it fails if ctx ends before.
func wait(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
