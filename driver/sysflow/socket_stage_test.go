package sysflow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/entity"
	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/reader"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// chronicle is a handler of the reader stage that writes down what it is given, by exporter.
type chronicle struct{ lines map[string][]string }

func (c *chronicle) Start([]*flattener.FlatChannel) {}
func (c *chronicle) Flush(context.Context) error    { return nil }
func (c *chronicle) lineCount(exporter string) int  { return len(c.lines[exporter]) }
func (c *chronicle) note(exporter string, s string) { c.lines[exporter] = append(c.lines[exporter], s) }
func (c *chronicle) exporters() (names []string) {
	for name := range c.lines {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (c *chronicle) Handle(_ context.Context, rec *codec.Record, res *entity.Resolved) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %v", rec.Type, rec.Event.Ints)
	switch rec.Type { // other members hold old values
	case sfgo.PROC_EVT:
		fmt.Fprintf(&b, " %q", rec.Event.Args)
	case sfgo.K8S_EVT:
		fmt.Fprintf(&b, " %q", rec.Event.Message)
	case sfgo.FILE_FLOW, sfgo.FILE_EVT:
		fmt.Fprintf(&b, " %x", rec.Event.FileOID)
	}
	for _, p := range res.Ptree {
		fmt.Fprintf(&b, " %v %s %s %s %s", p.State, p.Exe, p.ExeArgs, p.Cwd, p.Env)
	}
	if res.Container != nil {
		fmt.Fprintf(&b, " %v", res.Container.Strs)
	}
	if res.Pod != nil {
		fmt.Fprintf(&b, " %v", res.Pod.Strs)
	}
	for _, f := range []*entity.FileRow{res.File, res.NewFile} {
		if f != nil {
			fmt.Fprintf(&b, " %v %v", f.Ints, f.Strs)
		}
	}
	c.note(res.Header.Strs[0], b.String())
	return nil
}

// reading is a reader stage that runs.
type reading struct {
	chronicle
	stage *reader.Stage[flattener.FlatChannel]
	log   syncBuffer
	err   chan error
}

// read starts a reader stage. What it has written down may be looked at after its end.
func read(t testing.TB, in *plugins.SFChannel) *reading {
	t.Helper()
	r := &reading{chronicle: chronicle{map[string][]string{}}, err: make(chan error, 1)}
	var err error
	cfg := reader.Config{EntityMax: 30000, EntityTTL: 300e9}
	if r.stage, err = reader.New(cfg, &r.chronicle, slog.New(slog.NewTextHandler(&r.log, nil))); err != nil {
		t.Fatal(err)
	}
	go func() { r.err <- r.stage.Run(context.Background(), in, nil) }()
	return r
}

func (r *reading) wait(t testing.TB) {
	t.Helper()
	if err := <-r.err; err != nil {
		t.Errorf("the reader failed: %v", err)
	}
}

func (r *reading) counters() map[string]uint64 {
	got := map[string]uint64{}
	r.stage.Counters(func(name string, v uint64) { got[name] = v })
	return got
}

// messagesOf returns the records of a trace as messages, all headers with the exporter changed.
func messagesOf(t testing.TB, path, exporter string) [][]byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rd, err := codec.NewReader(f, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rd.Close()
	dec, err := codec.NewDecoder(rd.Stream().Schema)
	if err != nil {
		t.Fatal(err)
	}
	var msgs [][]byte
	var rec codec.Record
	for {
		b, err := rd.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return msgs
		}
		if err != nil {
			t.Fatal(err)
		}
		at := 0
		for range b.Count {
			n, err := dec.Decode(b.Data[at:], &rec)
			if err != nil {
				t.Fatal(err)
			}
			at += n
			rec.Header.Version = 5
			rec.Header.Exporter = []byte(exporter)
			msgs = append(msgs, encoded(t, rec.SysFlow().Rec))
		}
		if b.Release != nil {
			b.Release()
		}
	}
}

const ourTraces = "../../resources/traces/"

// TestSocketLikeFiles wants several collectors, who send at the same time, to come out like one file each: each has
// entities of its own.
func TestSocketLikeFiles(t *testing.T) {
	traces := []string{"webshell.sf", "everything.sf", "miner.sf", "pod.sf", "webshell.sf"}
	l := startSocket(t, nil)
	r := read(t, l.out)
	var sending sync.WaitGroup
	for i, name := range traces {
		msgs := messagesOf(t, ourTraces+name, fmt.Sprint(i))
		conn := l.dial(t)
		sending.Go(func() {
			defer conn.Close()
			for len(msgs) > 0 { // in bursts, so that they interleave
				n := min(len(msgs), 1+rand.IntN(20))
				for _, msg := range msgs[:n] {
					if _, err := conn.Write(msg); err != nil {
						t.Error(err)
						return
					}
				}
				msgs = msgs[n:]
			}
		})
	}
	sending.Wait()
	await(t, "the connections", func() bool { return l.counters()["connections.ended"] == uint64(len(traces)) })
	l.stop()
	r.wait(t)

	for i, name := range traces {
		exporter := fmt.Sprint(i)
		ch := plugins.NewChannel[*sfgo.SysFlow, *plugins.Block](4096, flattener.BatchSize)
		alone := read(t, ch)
		if err := NewFile(nil, nil).RunContext(t.Context(), map[string]any{"path": ourTraces + name}, ch); err != nil {
			t.Fatal(err)
		}
		ch.CloseBatches()
		alone.wait(t)
		var want []string
		for _, e := range alone.exporters() {
			want = append(want, alone.lines[e]...)
		}
		if len(want) == 0 || !slices.Equal(r.lines[exporter], want) {
			t.Errorf("%s: %d records came over the socket, %d from the file, or they differ", name, len(r.lines[exporter]), len(want))
		}
	}
	if c := r.counters(); c["anomalies.missing_process"] > 0 || c["entities.process"] > 0 {
		t.Errorf("counters are %v, want no missing process, and none held after the end", c)
	}
}

// TestSocketBadMessages sends what cannot be read among what can: the connection stays.
func TestSocketBadMessages(t *testing.T) {
	event := encoded(t, processEvent(7))
	long := make([]byte, maxMessage+1)
	for name, tt := range map[string]struct {
		msgs      [][]byte
		events    int
		truncated uint64
		bad       uint64
	}{
		"none":                  {[][]byte{event}, 1, 0, 0},
		"an unknown type":       {[][]byte{{40, 1, 2}, event}, 1, 0, 1},
		"no type":               {[][]byte{{1}, event}, 1, 0, 1},
		"ends inside a field":   {[][]byte{{0, 10, 20, 'x'}, event}, 1, 0, 1},
		"fields are missing":    {[][]byte{event[:len(event)-1], event}, 2, 0, 0},
		"surplus bytes":         {[][]byte{append(slices.Clone(event), 1, 2, 3), event}, 2, 0, 0},
		"too long":              {[][]byte{event, long, event, long, long, event}, 3, 3, 0},
		"as long as can be":     {[][]byte{append(slices.Clone(event), long[:maxMessage-len(event)]...), event}, 2, 0, 0},
		"a batch of nothing":    {append(slices.Repeat([][]byte{{1}}, 100), event), 1, 0, 100},
		"a batch of long ones":  {append(slices.Repeat([][]byte{long}, 40), event), 1, 40, 0},
		"a version 2 header":    {[][]byte{{0, 4, 2, 'x'}, event}, 1, 0, 0},
		"a header of nothing":   {[][]byte{{0}, event}, 1, 0, 0},
		"fewer fields, version": {[][]byte{oldMessage(t, "S9", processEvent(7)), event}, 2, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			l := startSocket(t, nil)
			r := read(t, l.out)
			conn := l.dial(t)
			if err := conn.SetWriteBuffer(4 * maxMessage); err != nil {
				t.Fatal(err)
			}
			for _, msg := range tt.msgs {
				if _, err := conn.Write(msg); errors.Is(err, syscall.EMSGSIZE) {
					t.Skip("this system allows no send buffers of that size (net.core.wmem_max)")
				} else if err != nil {
					t.Fatal(err)
				}
			}
			conn.Close()
			await(t, "the connection", func() bool { return l.counters()["connections.ended"] == 1 })
			l.stop()
			r.wait(t)
			events := 0
			for _, e := range r.exporters() {
				events += r.lineCount(e)
			}
			bad := r.counters()["anomalies.bad_record"]
			if events != tt.events || bad != tt.bad || l.counters()["anomalies.truncated"] != tt.truncated {
				t.Errorf("%d events, %d bad, %d truncated; want %d, %d, %d", events, bad, l.counters()["anomalies.truncated"], tt.events, tt.bad, tt.truncated)
			}
			if n := strings.Count(l.log.String(), "too long"); n != int(min(tt.truncated, 1)) {
				t.Errorf("%d lines about %d messages that are too long", n, tt.truncated)
			}
		})
	}
}

// processEvent is an event of a process.
func processEvent(pid int64) *sfgo.RecUnion {
	return &sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumProcessEvent, ProcessEvent: &sfgo.ProcessEvent{
		ProcOID: &sfgo.OID{CreateTS: 1, Hpid: pid}, Ts: 2, Tid: pid, OpFlags: sfgo.OP_EXEC, Args: []string{},
	}}
}

// process is a process, in no container.
func process(pid int64, exe string) *sfgo.RecUnion {
	return &sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumProcess, Process: &sfgo.Process{
		Oid: &sfgo.OID{CreateTS: 1, Hpid: pid}, Exe: exe,
	}}
}

// oldMessage is a message of a collector of another time.
func oldMessage(t *testing.T, schema string, rec *sfgo.RecUnion) []byte {
	t.Helper()
	enc, err := codec.NewEncoder(schema)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := enc.Append(nil, &sfgo.SysFlow{Rec: rec})
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

// TestSocketHeaders wants a header to make the entities of its own connection forgotten, and no others.
func TestSocketHeaders(t *testing.T) {
	l := startSocket(t, nil)
	r := read(t, l.out)
	one, two := l.dial(t), l.dial(t)
	handled := func(n uint64) {
		t.Helper()
		await(t, "events", func() bool { return r.counters()["records.PE"] == n })
	}
	event := encoded(t, processEvent(7))
	send(t, one, event) // before any header
	handled(1)
	send(t, one, header(t, "one"), encoded(t, process(7, "/one")), event)
	handled(2)
	send(t, two, header(t, "two"), encoded(t, process(7, "/two")), event)
	handled(3)
	send(t, one, header(t, "three"), event)
	handled(4)
	send(t, two, event)
	handled(5)
	one.Close()
	again := l.dial(t)
	send(t, again, header(t, "four"), event)
	handled(6)
	l.stop()
	r.wait(t)
	for exporter, want := range map[string][]string{
		"": {""}, "one": {"/one"}, "two": {"/two", "/two"}, "three": {""}, "four": {""},
	} {
		have := r.lines[exporter]
		if len(have) != len(want) {
			t.Errorf("%q has %d events, want %d", exporter, len(have), len(want))
			continue
		}
		for i, exe := range want {
			if exe != "" && !strings.Contains(have[i], " "+exe+" ") || exe == "" && strings.Contains(have[i], "/") {
				t.Errorf("event %d of %q is %q, want exe %q in it", i, exporter, have[i], exe)
			}
		}
	}
	if c := r.counters(); c["anomalies.no_header"] != 1 || c["anomalies.missing_process"] != 3 {
		t.Errorf("counters are %v", c)
	}
}

// TestSocketRefuses wants a collector to be refused whose messages cannot be understood.
func TestSocketRefuses(t *testing.T) {
	l := startSocket(t, nil)
	conn := l.dial(t)
	old := encoded(t, &sfgo.RecUnion{
		UnionType: sfgo.RecUnionTypeEnumSFHeader, SFHeader: &sfgo.SFHeader{Version: 1000, Exporter: "old"},
	})
	send(t, conn, old)
	await(t, "the end of the connection", func() bool {
		_, err := conn.Write(old)
		return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
	})
	if got := collect(t, l.out, 1); len(got) > 0 {
		t.Errorf("got %v, want nothing", got)
	}
	other := l.dial(t)
	send(t, other, header(t, "new"))
	other.Close()
	if got := collect(t, l.out, 1); len(got[l.path+"#2"]) != 1 {
		t.Errorf("got %v, want the other collector's header", got)
	}
	if c := l.counters(); c["connections.refused"] != 1 || c["messages"] != 1 {
		t.Errorf("counters are %v", c)
	}
	if want := "level=ERROR msg=\"refused a collector\""; !strings.Contains(l.log.String(), want) ||
		!strings.Contains(l.log.String(), "update the collector") {
		t.Errorf("the log is %q, want %q and what to do", l.log, want)
	}
}

// TestSocketSheds floods a driver that nobody reads: what was sent is delivered or counted, and no entity is missing.
func TestSocketSheds(t *testing.T) {
	const records = 20_000
	l := startSocket(t, func(c *SocketConfig) { c.QueueSize = 3000 })
	conn := l.dial(t)
	kinds := []*sfgo.RecUnion{
		{UnionType: sfgo.RecUnionTypeEnumFileFlow, FileFlow: &sfgo.FileFlow{ProcOID: &sfgo.OID{}}},
		{UnionType: sfgo.RecUnionTypeEnumNetworkFlow, NetworkFlow: &sfgo.NetworkFlow{ProcOID: &sfgo.OID{}}},
		{UnionType: sfgo.RecUnionTypeEnumNetworkFlow, NetworkFlow: &sfgo.NetworkFlow{ProcOID: &sfgo.OID{}}},
		processEvent(1),
	}
	sent := map[string]uint64{}
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range records {
		kind := kinds[rng.IntN(len(kinds))]
		if i%20 == 0 {
			kind = process(int64(i), "/x")
		}
		sent[codes[kind.UnionType]]++
		send(t, conn, encoded(t, kind))
	}
	conn.Close()
	got := map[string]uint64{}
	for _, msg := range collect(t, l.out, 1)[l.path+"#1"] {
		got[code(typeOf(msg))]++
	}
	c := l.counters()
	for kind, n := range sent {
		if got[kind]+c["shed."+kind] != n {
			t.Errorf("%s: %d sent, %d delivered, %d shed", kind, n, got[kind], c["shed."+kind])
		}
	}
	if got["P"] != sent["P"] {
		t.Errorf("%d processes sent, %d delivered", sent["P"], got["P"])
	}
	if c["shed.FF"] == 0 || c["shed.NF"] == 0 || c["shed.PE"] == 0 {
		t.Errorf("counters are %v, want something shed of each kind", c)
	}
	// All that is left of flows are the first, which were under way before the queue was full.
	if flows := got["FF"] + got["NF"]; flows > got["PE"]+8*blockRecords {
		t.Errorf("%d flows and %d events are left", flows, got["PE"])
	}
	if n := strings.Count(l.log.String(), "shedding the less important ones"); n != 1 {
		t.Errorf("%d lines say that records are shed, want 1", n)
	}
}

// TestSocketBlocks sends more than a queue holds that does not shed: the collector waits.
func TestSocketBlocks(t *testing.T) {
	l := startSocket(t, func(c *SocketConfig) { c.QueueSize, c.QueueFull = 100, "block" })
	conn := l.dial(t)
	const records = 20_000
	msg := encoded(t, kindFlow())
	var sending sync.WaitGroup
	sending.Go(func() {
		defer conn.Close()
		for range records {
			if _, err := conn.Write(msg); err != nil {
				t.Error(err)
				return
			}
		}
	})
	await(t, "the collector to be blocked", func() bool { return l.counters()["queue.waits"] > 0 })
	if n := len(collect(t, l.out, 1)[l.path+"#1"]); n != records {
		t.Errorf("%d delivered, want %d", n, records)
	}
	sending.Wait()
	if !strings.Contains(l.log.String(), "the collector had to wait") {
		t.Errorf("the log is %q, want a line about waiting", l.log)
	}
}

func kindFlow() *sfgo.RecUnion {
	return &sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumNetworkFlow, NetworkFlow: &sfgo.NetworkFlow{ProcOID: &sfgo.OID{}}}
}

// TestSocketIsKilled ends the time for draining while nobody reads: what was received is counted as lost.
func TestSocketIsKilled(t *testing.T) {
	l := startSocket(t, func(c *SocketConfig) { c.QueueSize, c.QueueFull = 2000, "block" })
	conn := l.dial(t)
	msg, sent := encoded(t, kindFlow()), make(chan uint64)
	go func() {
		n := uint64(0)
		for {
			if _, err := conn.Write(msg); err != nil {
				sent <- n
				return
			}
			n++
		}
	}()
	await(t, "the collector to be blocked", func() bool { return l.counters()["queue.waits"] > 0 })
	l.stop()
	l.kill()
	n := <-sent
	if err := <-l.err; err != nil {
		t.Errorf("the driver failed: %v", err)
	}
	delivered := uint64(0)
	for b := range l.out.Batches() {
		delivered += uint64(b.Count)
	}
	if c := l.counters(); delivered+c["lost.shutdown"] != n || c["lost.shutdown"] == 0 {
		t.Errorf("%d sent, %d delivered, counters %v", n, delivered, c)
	}
}

// TestSocketCrowd connects more collectors than are served at a time: each has its turn.
func TestSocketCrowd(t *testing.T) {
	l := startSocket(t, nil)
	var conns []net.Conn
	for range maxConnections + 2 {
		conn := l.dial(t)
		send(t, conn, header(t, "x"))
		conns = append(conns, conn)
	}
	await(t, "the line in the log", func() bool { return strings.Contains(l.log.String(), "too many collectors") })
	if n := l.counters()["connections.accepted"]; n != maxConnections {
		t.Errorf("%d connections, want %d", n, maxConnections)
	}
	for _, c := range conns {
		c.Close()
	}
	if got := collect(t, l.out, len(conns)); len(got) != len(conns) {
		t.Errorf("%d streams, want %d", len(got), len(conns))
	}
}

// TestReceivers wants both ways to receive to receive the same.
func TestReceivers(t *testing.T) {
	for name, make := range map[string]func(*net.UnixConn) (receiver, error){
		"system": newReceiver,
		"plain":  func(conn *net.UnixConn) (receiver, error) { return newPlainReceiver(conn), nil },
	} {
		t.Run(name, func(t *testing.T) {
			from, to := connected(t)
			if err := from.SetWriteBuffer(4 * maxMessage); err != nil {
				t.Fatal(err)
			}
			r, err := make(to)
			if err != nil {
				t.Fatal(err)
			}
			defer r.close()
			rng := rand.New(rand.NewPCG(1, 2))
			var want [][]byte
			var long int
			var sending sync.WaitGroup
			plan := []int{1, maxMessage, maxMessage + 1, 60, 60, 60, 16384, maxMessage + 1000, 5}
			for range 300 {
				plan = append(plan, 1+rng.IntN(300))
			}
			for i, size := range plan {
				if size > maxMessage {
					long++
					continue
				}
				want = append(want, bytes.Repeat([]byte{byte(i)}, size))
			}
			sending.Go(func() {
				defer from.Close()
				for i, size := range plan {
					if _, err := from.Write(bytes.Repeat([]byte{byte(i)}, size)); err != nil {
						t.Errorf("%d bytes: %v", size, err)
						return
					}
				}
			})
			var got [][]byte
			wait := true
			for {
				msgs, truncated, more, err := r.receive(wait)
				for _, msg := range msgs {
					got = append(got, bytes.Clone(msg))
				}
				long -= truncated
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				wait = !more
			}
			sending.Wait()
			if !slices.EqualFunc(got, want, bytes.Equal) || long != 0 {
				t.Errorf("received %d messages, %d fewer long ones than sent; want %d", len(got), long, len(want))
			}
		})
	}
}

// connected returns the two ends of a connection.
func connected(t testing.TB) (from, to *net.UnixConn) {
	t.Helper()
	l, err := listen(t.Context(), shortDir(t)+"/s", access{mode: 0o600, gid: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if from, err = net.DialUnix(network, nil, &net.UnixAddr{Name: l.path, Net: network}); err != nil {
		t.Fatal(err)
	}
	if to, err = l.AcceptUnix(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		from.Close()
		to.Close()
	})
	return from, to
}
