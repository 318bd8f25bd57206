package reader_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/entity"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/reader"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

var defaults = reader.Config{EntityMax: 30000, EntityTTL: 300 * time.Second}

// recorder is a handler that writes down what it is given. Its outputs are numbers, of which it makes nothing.
type recorder struct {
	got     []string
	flushes []int // how many records had come by then
	fail    int   // fail at this record, from 1
}

var errFull = errors.New("no more")

func (r *recorder) Start([]*int) {}

func (r *recorder) Handle(_ context.Context, rec *codec.Record, res *entity.Resolved) error {
	if len(r.got)+1 == r.fail {
		return errFull
	}
	exe := "-"
	if res.Process != nil {
		exe = res.Process.Exe
	}
	r.got = append(r.got, fmt.Sprintf("%d:%s", rec.Event.Ints[sfgo.TS_INT], exe))
	return nil
}

func (r *recorder) Flush(context.Context) error {
	r.flushes = append(r.flushes, len(r.got))
	return nil
}

// run feeds blocks to a stage and returns its counters, but for those that are zero.
func run(t *testing.T, h reader.Handler[int], log *slog.Logger, blocks ...*plugins.Block) (map[string]uint64, error) {
	t.Helper()
	return runWith(t, defaults, h, log, blocks...)
}

func runWith(t *testing.T, cfg reader.Config, h reader.Handler[int], log *slog.Logger, blocks ...*plugins.Block) (map[string]uint64, error) {
	t.Helper()
	s, err := reader.New(cfg, h, log)
	if err != nil {
		t.Fatal(err)
	}
	in := plugins.NewChannel[*sfgo.SysFlow, *plugins.Block](max(1, len(blocks)), 1)
	for _, b := range blocks {
		if err := in.Send(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
	in.CloseBatches()
	err = s.Run(context.Background(), in, nil)
	return counters(s), err
}

func counters(s *reader.Stage[int]) map[string]uint64 {
	m := map[string]uint64{}
	s.Counters(func(name string, v uint64) {
		if v != 0 {
			m[name] = v
		}
	})
	return m
}

func newStream(tb testing.TB, name string) *plugins.Stream {
	tb.Helper()
	schema, ok := codec.Schema(codec.CurrentSchema)
	if !ok {
		tb.Fatal("no schema")
	}
	return &plugins.Stream{Name: name, Schema: schema}
}

func header() *sfgo.SysFlow {
	return &sfgo.SysFlow{Rec: &sfgo.RecUnion{
		UnionType: sfgo.RecUnionTypeEnumSFHeader, SFHeader: &sfgo.SFHeader{Version: 5, Exporter: "node"},
	}}
}

func proc(pid int64, exe string) *sfgo.SysFlow {
	return &sfgo.SysFlow{Rec: &sfgo.RecUnion{
		UnionType: sfgo.RecUnionTypeEnumProcess, Process: &sfgo.Process{Oid: &sfgo.OID{Hpid: pid}, Exe: exe},
	}}
}

func flow(pid, ts int64) *sfgo.SysFlow {
	return &sfgo.SysFlow{Rec: &sfgo.RecUnion{
		UnionType: sfgo.RecUnionTypeEnumNetworkFlow, NetworkFlow: &sfgo.NetworkFlow{ProcOID: &sfgo.OID{Hpid: pid}, Ts: ts},
	}}
}

// exit is the exit of a process.
func exit(pid, ts int64) *sfgo.SysFlow {
	return &sfgo.SysFlow{Rec: &sfgo.RecUnion{
		UnionType:    sfgo.RecUnionTypeEnumProcessEvent,
		ProcessEvent: &sfgo.ProcessEvent{ProcOID: &sfgo.OID{Hpid: pid}, Tid: pid, Ts: ts, OpFlags: sfgo.OP_EXIT},
	}}
}

// encode returns records as bytes, and where each ends.
func encode(tb testing.TB, recs ...*sfgo.SysFlow) (data []byte, ends []int) {
	tb.Helper()
	enc, err := codec.NewEncoder(codec.CurrentSchema)
	if err != nil {
		tb.Fatal(err)
	}
	for _, rec := range recs {
		if data, err = enc.Append(data, rec); err != nil {
			tb.Fatal(err)
		}
		ends = append(ends, len(data))
	}
	return data, ends
}

func TestBlocks(t *testing.T) {
	recs := []*sfgo.SysFlow{header(), proc(1, "sh"), flow(1, 10), flow(2, 20), flow(1, 30)}
	data, ends := encode(t, recs...)
	cut := ends[3] - 1
	handled := []string{"10:sh", "20:-", "30:sh"}
	good := map[string]uint64{
		"records.H": 1, "records.P": 1, "records.NF": 3, "anomalies.missing_process": 1, "entities.process": 1,
	}
	with := func(base map[string]uint64, more map[string]uint64) map[string]uint64 {
		m := maps.Clone(base)
		maps.Copy(m, more)
		return m
	}
	partial := with(good, map[string]uint64{
		"records.NF": 1, "anomalies.missing_process": 0, "bytes": uint64(ends[2]),
		"lost.decode": 2, "anomalies.bad_block": 1,
	})
	foreign := newStream(t, "trace.sf")
	foreign.Schema = strings.ReplaceAll(foreign.Schema, `"NetworkFlow"`, `"Telepathy"`)
	for name, tt := range map[string]struct {
		block plugins.Block
		want  []string
		count map[string]uint64
		fault string // what the driver is told
		log   string
	}{
		"data": {plugins.Block{Data: data, Count: 5}, handled, with(good, map[string]uint64{"bytes": uint64(len(data))}), "", ""},
		"messages": {plugins.Block{Data: data, Count: 5, Ends: ends}, handled,
			with(good, map[string]uint64{"bytes": uint64(len(data))}), "", ""},
		"structures": {plugins.Block{Records: recs}, handled, good, "", ""},
		"data that ends early": {plugins.Block{Data: data[:cut], Count: 5}, handled[:1], partial,
			"3 good, then record 4 of 5", ""},
		"data that goes on": {plugins.Block{Data: data, Count: 3}, handled[:1], with(good, map[string]uint64{
			"records.NF": 1, "anomalies.missing_process": 0, "bytes": uint64(ends[2]), "anomalies.leftover": 1,
		}), "", "ignored what a block holds"},
		"bad message": {plugins.Block{Data: slices.Concat([]byte{99}, data), Count: 6, Ends: add(1, append([]int{0}, ends...))},
			handled, with(good, map[string]uint64{
				"bytes": uint64(len(data)) + 1, "lost.decode": 1, "anomalies.bad_record": 1,
			}), "", "skipped a malformed record"},
		"ends in disorder": {plugins.Block{Data: data, Count: 5, Ends: []int{ends[0], ends[1], ends[2], ends[1], ends[4]}},
			handled[:1], partial, "3 good, then record 4 ends at", ""},
		"end past the data": {plugins.Block{Data: data, Count: 5, Ends: append(slices.Clone(ends[:3]), 1000, 2000)},
			handled[:1], partial, "3 good, then record 4 ends at", ""},
		"more records than ends": {plugins.Block{Data: data, Count: 7, Ends: ends}, handled, with(good, map[string]uint64{
			"bytes": uint64(len(data)), "lost.decode": 2, "anomalies.bad_block": 1,
		}), "5 good, then 7 records, but only 5 ends", ""},
		"bad structure": {plugins.Block{Records: slices.Insert(slices.Clone(recs), 2, nil, &sfgo.SysFlow{})}, handled,
			with(good, map[string]uint64{"lost.decode": 2, "anomalies.bad_record": 2}), "", "skipped a malformed record"},
		"type of the future": {plugins.Block{Stream: foreign, Data: data, Count: 5}, nil, with(good, map[string]uint64{
			"records.NF": 0, "anomalies.missing_process": 0, "anomalies.unknown_type": 3, "bytes": uint64(len(data)),
		}), "", "skipped records of a type that is not known"},
		"nothing":     {plugins.Block{}, nil, map[string]uint64{}, "", ""},
		"end of all":  {plugins.Block{Data: data, Count: 5, Last: true}, handled, with(good, map[string]uint64{"bytes": uint64(len(data)), "entities.process": 0}), "", ""},
		"not a union": {plugins.Block{Stream: &plugins.Stream{Name: "x", Schema: `"int"`}, Data: data, Count: 5}, nil, map[string]uint64{"lost.decode": 5, "anomalies.bad_block": 1}, "0 good, then writer schema", ""},
	} {
		for _, driver := range []string{"wants to know", "leaves it to the log"} {
			t.Run(name+", driver "+driver, func(t *testing.T) {
				var log bytes.Buffer
				var released, faults int
				var fault string
				b := tt.block
				if b.Stream == nil {
					b.Stream = newStream(t, "trace.sf")
				}
				b.Release = func() { released++ }
				if driver == "wants to know" {
					b.Fault = func(good int, err error) {
						fault, faults = fmt.Sprintf("%d good, then %v", good, err), faults+1
						if released != 0 {
							t.Error("released before the fault was told")
						}
					}
				}
				h := &recorder{}
				got, err := run(t, h, slog.New(slog.NewTextHandler(&log, nil)), &b)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(h.got, tt.want) {
					t.Errorf("handled %q, want %q", h.got, tt.want)
				}
				want := maps.Clone(tt.count)
				maps.DeleteFunc(want, func(_ string, v uint64) bool { return v == 0 })
				if !maps.Equal(got, want) {
					t.Errorf("counted %v\nwant    %v", got, want)
				}
				if released != 1 {
					t.Errorf("released %d times, want once", released)
				}
				wantLog := tt.log
				if b.Fault == nil && tt.fault != "" {
					wantLog = "cannot read a block"
				}
				if b.Fault != nil && (!strings.HasPrefix(fault, tt.fault) || (tt.fault != "") != (faults == 1)) {
					t.Errorf("told the driver %q, %d times; want %q", fault, faults, tt.fault)
				}
				if bad := strings.Count(log.String(), "trace.sf") + strings.Count(log.String(), "file=x"); !strings.Contains(log.String(), wantLog) || bad > 2 {
					t.Errorf("log %q, want %q", log.String(), wantLog)
				}
			})
		}
	}
}

func add(n int, ends []int) []int {
	out := make([]int, len(ends))
	for i, e := range ends {
		out[i] = e + n
	}
	return out
}

// Every record that a block promises is counted once: as a record or as lost.
func FuzzAccounting(f *testing.F) {
	data, ends := encode(f, header(), proc(1, "sh"), flow(1, 10), flow(2, 20))
	f.Add(data, 4, byte(0))
	f.Add(data[:20], 4, byte(0))
	f.Add(data, 4, byte(ends[0]))
	f.Add(data, 9, byte(0))
	f.Fuzz(func(t *testing.T, data []byte, count int, step byte) {
		if count < 0 || count > 1000 {
			return
		}
		b := &plugins.Block{Stream: newStream(t, "fuzz"), Data: data, Count: count}
		promised := uint64(count)
		if step > 0 { // messages of equal length, the last past the end
			for end := int(step); len(b.Ends) < count; end += int(step) {
				b.Ends = append(b.Ends, end)
			}
		}
		h := &recorder{}
		got, err := run(t, h, nil, b)
		if err != nil {
			t.Fatal(err)
		}
		var events, entities uint64
		for name, v := range got {
			code, ok := strings.CutPrefix(name, "records.")
			switch {
			case !ok:
			case slices.Contains([]string{"H", "C", "P", "F", "PD"}, code):
				entities += v
			default:
				events += v
			}
		}
		if events != uint64(len(h.got)) {
			t.Errorf("handled %d events, counted %d", len(h.got), events)
		}
		if sum := events + entities + got["anomalies.unknown_type"] + got["lost.decode"]; sum != promised {
			t.Errorf("%d records accounted for, want %d: %v", sum, promised, got)
		}
	})
}

func TestFlushWhenNothingWaits(t *testing.T) {
	stream := newStream(t, "s")
	block := func() *plugins.Block {
		data, _ := encode(t, flow(1, 1), flow(1, 2))
		return &plugins.Block{Stream: stream, Data: data, Count: 2}
	}
	h := &recorder{}
	if _, err := run(t, h, nil, block(), block(), block()); err != nil {
		t.Fatal(err)
	}
	if want := []int{6, 6}; !slices.Equal(h.flushes, want) { // when the channel is empty, and at its end
		t.Errorf("flushed after %v records, want %v", h.flushes, want)
	}
}

func TestContextEndsTheStage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := errors.New("time is up")
		ctx, cancel := context.WithCancelCause(t.Context())
		h := &recorder{}
		s, err := reader.New[int](defaults, h, nil)
		if err != nil {
			t.Fatal(err)
		}
		in := plugins.NewChannel[*sfgo.SysFlow, *plugins.Block](1, 1)
		ended := make(chan error)
		go func() { ended <- s.Run(ctx, in, nil) }()
		synctest.Wait()
		cancel(stop)
		if err := <-ended; !errors.Is(err, stop) {
			t.Errorf("got %v, want %v", err, stop)
		}
		if len(h.flushes) != 1 {
			t.Errorf("flushed %d times, want once", len(h.flushes))
		}
	})
}

func TestHandlerErrorEndsTheStage(t *testing.T) {
	for name, form := range map[string]func(recs []*sfgo.SysFlow) plugins.Block{
		"data": func(recs []*sfgo.SysFlow) plugins.Block {
			data, _ := encode(t, recs...)
			return plugins.Block{Data: data, Count: len(recs)}
		},
		"messages": func(recs []*sfgo.SysFlow) plugins.Block {
			data, ends := encode(t, recs...)
			return plugins.Block{Data: data, Count: len(recs), Ends: ends}
		},
		"structures": func(recs []*sfgo.SysFlow) plugins.Block { return plugins.Block{Records: recs} },
	} {
		t.Run(name, func(t *testing.T) {
			b := form([]*sfgo.SysFlow{proc(1, "sh"), flow(1, 1), flow(1, 2), flow(1, 3)})
			b.Stream = newStream(t, "s")
			released := 0
			b.Release = func() { released++ }
			got, err := run(t, &recorder{fail: 2}, nil, &b)
			if !errors.Is(err, errFull) {
				t.Errorf("got %v, want %v", err, errFull)
			}
			if got["records.NF"] != 1 || got["lost.shutdown"] != 2 || released != 1 {
				t.Errorf("counted %v, released %d times; want 1 flow, 2 lost, and once", got, released)
			}
		})
	}
}

// Streams do not know each other's entities, however their blocks come, and a stream that has ended is forgotten.
func TestStreams(t *testing.T) {
	a, b := newStream(t, "a"), newStream(t, "b")
	block := func(s *plugins.Stream, last bool, recs ...*sfgo.SysFlow) *plugins.Block {
		data, _ := encode(t, recs...)
		return &plugins.Block{Stream: s, Data: data, Count: len(recs), Last: last}
	}
	h := &recorder{}
	got, err := run(t, h, nil,
		block(a, false, header(), proc(1, "in a")), block(b, false, header(), proc(1, "in b")),
		block(a, false, flow(1, 1)), block(b, false, flow(1, 2)),
		block(b, false, header()), block(a, false, flow(1, 3)), block(b, false, flow(1, 4)),
		block(a, true), block(a, false, flow(1, 5)),
	)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"1:in a", "2:in b", "3:in a", "4:-", "5:-"}; !slices.Equal(h.got, want) {
		t.Errorf("got %q, want %q", h.got, want)
	}
	if got["entities.process"] != 0 || got["anomalies.no_header"] != 1 {
		t.Errorf("counted %v; want no process, and no header once", got)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	data, _ := encode(t, proc(1, "sh"), flow(1, 7))
	var blocks []*plugins.Block
	for i := range 300 {
		blocks = append(blocks, &plugins.Block{Stream: newStream(t, fmt.Sprint(i)), Data: data, Count: 2})
	}
	again, _ := encode(t, flow(1, 8))
	for _, i := range []int{299, 0} {
		blocks = append(blocks, &plugins.Block{Stream: blocks[i].Stream, Data: again, Count: 1})
	}
	h := &recorder{}
	got, err := run(t, h, nil, blocks...)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"8:sh", "8:-"}; !slices.Equal(h.got[300:], want) {
		t.Errorf("got %q, want %q", h.got[300:], want)
	}
	if got["anomalies.forgotten_stream"] != 45 || got["entities.process"] != 255 {
		t.Errorf("%d streams forgotten, %d processes; want 45 and 255", got["anomalies.forgotten_stream"], got["entities.process"])
	}
}

// A full table is counted and said, as is what is missing then.
func TestLimits(t *testing.T) {
	var recs []*sfgo.SysFlow
	for pid := range int64(1200) {
		recs = append(recs, proc(pid+1, "sh"), exit(pid+1, pid*1e9))
	}
	data, _ := encode(t, append(recs, flow(1, 0))...)
	for name, tt := range map[string]struct {
		ttl  time.Duration
		want map[string]uint64
		log  string
	}{
		"too many": {time.Hour, map[string]uint64{
			"evicted.process": 200, "entities.process": 1000, "anomalies.missing_process": 1},
			"least recently\" kind=process held=1000"},
		"in time": {100 * time.Second, map[string]uint64{
			"expired.process": 1099, "entities.process": 101, "anomalies.missing_process": 1},
			"not known\" file=s headers=1201 processes=1 "},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			got, err := runWith(t, reader.Config{EntityMax: 1000, EntityTTL: tt.ttl}, &recorder{},
				slog.New(slog.NewTextHandler(&log, nil)), &plugins.Block{Stream: newStream(t, "s"), Data: data, Count: 2401})
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"evicted.process", "expired.process", "entities.process", "anomalies.missing_process"} {
				if got[name] != tt.want[name] {
					t.Errorf("%s is %d, want %d", name, got[name], tt.want[name])
				}
			}
			if !strings.Contains(log.String(), tt.log) {
				t.Errorf("want %q in\n%s", tt.log, log.String())
			}
		})
	}
}

func TestLogIsRateLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s, err := reader.New[int](defaults, &recorder{}, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		in := plugins.NewChannel[*sfgo.SysFlow, *plugins.Block](1, 1)
		go func() {
			defer in.CloseBatches()
			stream := newStream(t, "s.sf")
			for i := range 5 {
				for range 50 {
					b := &plugins.Block{Stream: stream, Data: []byte{99}, Count: 3, Offset: int64(i)}
					if in.Send(t.Context(), b) != nil {
						return
					}
				}
				<-time.After(31 * time.Second)
			}
		}()
		if err := s.Run(t.Context(), in, nil); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		want := []string{"file=s.sf offset=0 lost=3", "left_out=99 file=s.sf offset=2", "left_out=99 file=s.sf offset=4"}
		if len(lines) != len(want) {
			t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), log.String())
		}
		for i, line := range lines {
			if !strings.Contains(line, want[i]) || !strings.Contains(line, "level=WARN") {
				t.Errorf("line %q, want %q", line, want[i])
			}
		}
		if got := counters(s); got["lost.decode"] != 750 || got["anomalies.bad_block"] != 250 {
			t.Errorf("counted %v", got)
		}
	})
}

// The numbers of records in the public traces are known.
func TestTraces(t *testing.T) {
	dir := os.Getenv("SYSFLOW_TRACES")
	if dir == "" {
		t.Skip("SYSFLOW_TRACES is not set: no real traces")
	}
	for name, tt := range map[string]struct {
		counts string
		procs  uint64 // distinct ones
	}{
		"runtime-1621959914.sf":      {"H1 C1 P68 F2905 PE127 NF3 FF5609 FE83", 45},
		"k8s_small.sf":               {"H1 C23 P217 F666 PE341 NF1511 FF3383 FE8 PD19 KE4", 119},
		"mon.1531776712.sf":          {"H1 C1 P143 F926 PE234 NF86 FF6002 FE3", 81},
		"tcp.sf":                     {"H1 P10 F2 PE4 NF2 FF4", 10},
		"procflow.mon.1548965926.sf": {"H1 C4 P143 PE237", 64},
		"rename2at.sf":               {"H1 P6 F11 PE2 FF9 FE1", 6},
		"setns.sf":                   {"H1 P54 F85 PE83 NF3 FF322", 24},
		"webserver.sf":               {"H1 C1 P15 F99 PE198 NF50 FF4405 FE27", 7},
	} {
		t.Run(name, func(t *testing.T) {
			h := &recorder{}
			got, err := run(t, h, nil, blocks(t, filepath.Join(dir, name))...)
			if err != nil {
				t.Fatal(err)
			}
			var counts []string
			for _, code := range []string{"H", "C", "P", "F", "PE", "NF", "FF", "FE", "NE", "PF", "PD", "KE"} {
				if n := got["records."+code]; n > 0 {
					counts = append(counts, fmt.Sprint(code, n))
				}
			}
			if s := strings.Join(counts, " "); s != tt.counts {
				t.Errorf("got %s, want %s", s, tt.counts)
			}
			if n := got["entities.process"]; n != tt.procs {
				t.Errorf("%d processes, want %d", n, tt.procs)
			}
			for name, want := range map[string]uint64{
				"lost.decode": 0, "anomalies.no_header": 0, "anomalies.missing_process": 0, "anomalies.missing_file": 0,
				"anomalies.missing_container": 0, "anomalies.missing_pod": 0, "evicted.process": 0,
			} {
				if got[name] != want {
					t.Errorf("%s is %d, want %d", name, got[name], want)
				}
			}
			if want := map[bool]uint64{true: 103}[name == "k8s_small.sf"]; got["anomalies.missing_parent"] != want {
				t.Errorf("%d missing parents, want %d", got["anomalies.missing_parent"], want)
			}
		})
	}
}

// blocks returns the blocks of a trace, but for the last, which would end the stream.
func blocks(t *testing.T, path string) []*plugins.Block {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := codec.NewReader(bytes.NewReader(data), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var list []*plugins.Block
	for {
		b, err := r.Next(context.Background())
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		if !b.Last {
			list = append(list, b)
		}
	}
}
