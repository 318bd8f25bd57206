package sysflow

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// message makes something with the first byte of a record of some type.
func message(typ int64, content string) []byte {
	return append([]byte{byte(typ << 1)}, content...)
}

func testConnection(name string) *connection {
	return &connection{stream: &plugins.Stream{Name: name}, buffers: make(chan buffer, spares)}
}

// drain takes all that is in a queue, and returns it with the names of the streams.
func drain(q *queue) (got []string) {
	q.finish()
	for {
		taken := q.take()
		if len(taken) == 0 {
			return got
		}
		for _, c := range taken {
			b := c.open
			c.open = nil
			at := 0
			for _, end := range b.Ends {
				got = append(got, c.stream.Name+" "+string(b.Data[at:end]))
				at = end
			}
			if b.Last {
				got = append(got, c.stream.Name+" ends")
			}
			b.Release()
		}
	}
}

func TestQueueSheds(t *testing.T) {
	const ff, nf, pe, fe, ke, p = sfgo.FILE_FLOW, sfgo.NET_FLOW, sfgo.PROC_EVT, sfgo.FILE_EVT, sfgo.K8S_EVT, sfgo.PROC
	for name, tt := range map[string]struct {
		size int
		add  []int64 // types, numbered as they come
		want []int   // numbers that are left
		shed map[int64]uint64
	}{
		"room enough":                   {3, []int64{ff, pe, p}, []int{0, 1, 2}, nil},
		"the flow that comes":           {2, []int64{ff, nf, nf}, []int{0, 1}, map[int64]uint64{nf: 1}},
		"an event takes a flow's place": {2, []int64{ff, nf, pe}, []int{1, 2}, map[int64]uint64{ff: 1}},
		"no flow takes an event's":      {2, []int64{pe, fe, nf}, []int{0, 1}, map[int64]uint64{nf: 1}},
		"the event that comes":          {2, []int64{pe, ke, fe}, []int{0, 1}, map[int64]uint64{fe: 1}},
		"an entity takes a flow's":      {3, []int64{pe, ff, nf, p}, []int{0, 2, 3}, map[int64]uint64{ff: 1}},
		"an entity takes an event's":    {2, []int64{pe, fe, p}, []int{1, 2}, map[int64]uint64{pe: 1}},
		"entities take all":             {2, []int64{nf, pe, p, p}, []int{2, 3}, map[int64]uint64{nf: 1, pe: 1}},
		"what is no record goes first":  {1, []int64{40, ff, pe}, []int{2}, map[int64]uint64{int64(noType): 1, ff: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			q, c := newQueue(tt.size, false), testConnection("c")
			for i, typ := range tt.add {
				q.add(c, [][]byte{message(typ, fmt.Sprint(i))}, false)
			}
			var want []string
			for _, i := range tt.want {
				want = append(want, "c "+string(message(tt.add[i], fmt.Sprint(i))))
			}
			if got := drain(q); !slices.Equal(got, want) {
				t.Errorf("left is %q, want %q", got, want)
			}
			for typ, n := range q.stats().shed {
				if n != tt.shed[int64(typ)] {
					t.Errorf("shed %d of %s, want %d", n, code(typ), tt.shed[int64(typ)])
				}
			}
		})
	}
}

// naive is a queue that is easy to get right.
type naive struct {
	size int
	held []naiveEntry
	shed [noType + 1]uint64
}

type naiveEntry struct {
	from string
	msg  []byte
}

// add returns false if the receiver would have to wait.
func (n *naive) add(from string, msg []byte) bool {
	typ := typeOf(msg)
	if len(n.held) == n.size {
		victim := -1
		for low := range rankOf(typ) {
			victim = slices.IndexFunc(n.held, func(e naiveEntry) bool { return rankOf(typeOf(e.msg)) == low })
			if victim >= 0 {
				break
			}
		}
		switch {
		case victim >= 0:
			n.shed[typeOf(n.held[victim].msg)]++
			n.held = slices.Delete(n.held, victim, victim+1)
		case rankOf(typ) == kept:
			return false
		default:
			n.shed[typ]++
			return true
		}
	}
	n.held = append(n.held, naiveEntry{from, msg})
	return true
}

// TestQueueIsNaive compares random runs with the naive queue.
func TestQueueIsNaive(t *testing.T) {
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 0))
		size := []int{1, 7, 1500, 5000}[rng.IntN(4)]
		q, n := newQueue(size, false), &naive{size: size}
		conns := []*connection{testConnection("a"), testConnection("b"), testConnection("c")}
		got, want := map[string][][]byte{}, map[string][][]byte{}
		take := func() {
			if len(n.held) == 0 {
				return // take would wait
			}
			took := 0
			q.flush()
			for _, c := range q.take() {
				b := c.open
				c.open = nil
				took += b.Count
				at := 0
				for _, end := range b.Ends {
					got[c.stream.Name] = append(got[c.stream.Name], bytes.Clone(b.Data[at:end]))
					at = end
				}
				b.Release()
			}
			if took == 0 || took > len(n.held) {
				t.Fatalf("seed %d: took %d records of %d", seed, took, len(n.held))
			}
			for _, e := range n.held[:took] {
				want[e.from] = append(want[e.from], e.msg)
			}
			n.held = slices.Delete(n.held, 0, took)
		}
		for i := range 10_000 {
			c := conns[rng.IntN(len(conns))]
			msg := message(rng.Int64N(14), fmt.Sprint(seed, " ", i))
			if rng.IntN(5000) == 0 {
				msg = append(msg, make([]byte, rng.IntN(2*segmentBytes))...)
			}
			for !n.add(c.stream.Name, msg) {
				take()
			}
			q.add(c, [][]byte{msg}, true)
			if rng.IntN(1500) == 0 {
				take()
			}
		}
		for len(n.held) > 0 {
			take()
		}
		if q.stats().shed != n.shed {
			t.Errorf("seed %d: shed %v, want %v", seed, q.stats().shed, n.shed)
		}
		for _, c := range conns {
			if name := c.stream.Name; !slices.EqualFunc(got[name], want[name], bytes.Equal) {
				t.Errorf("seed %d: stream %s has other records than it should", seed, name)
			}
		}
		if q.records != 0 || q.bytes != 0 || q.stats().waits != 0 {
			t.Errorf("seed %d: %d records of %d bytes are left, %d waits", seed, q.records, q.bytes, q.stats().waits)
		}
	}
}

// TestQueueBytes wants a queue to be bounded in bytes, whatever the number of its records.
func TestQueueBytes(t *testing.T) {
	q, c := newQueue(100, false), testConnection("c")
	big := message(sfgo.NET_FLOW, string(make([]byte, 200<<10)))
	for range 100 {
		q.add(c, [][]byte{big}, false)
	}
	if q.bytes > q.maxBytes || q.bytes < q.maxBytes-len(big) {
		t.Errorf("%d bytes are queued, want up to %d", q.bytes, q.maxBytes)
	}
	if n := q.records + int(q.stats().shed[sfgo.NET_FLOW]); n != 100 {
		t.Errorf("queued or shed %d, want 100", n)
	}
}

// TestQueueWaits wants a receiver to wait for room when there are only entities, or when nothing is to be shed.
func TestQueueWaits(t *testing.T) {
	for name, tt := range map[string]struct {
		wait bool
		typ  int64
	}{
		"only entities are left": {false, sfgo.FILE},
		"nothing is to be shed":  {true, sfgo.NET_FLOW},
	} {
		t.Run(name, func(t *testing.T) {
			q, c := newQueue(2, tt.wait), testConnection("c")
			msg := message(tt.typ, "")
			var wg sync.WaitGroup
			wg.Go(func() {
				if shed, waited := q.add(c, [][]byte{msg, msg, msg, msg, msg}, true); shed || !waited {
					t.Errorf("shed %v, waited %v; want to wait", shed, waited)
				}
				q.end(c)
			})
			got := 0
			for last := false; !last; {
				for _, c := range q.take() {
					got += c.open.Count
					last = c.open.Last
					c.open = nil
				}
			}
			wg.Wait()
			if got != 5 || q.stats().sum != 0 {
				t.Errorf("got %d, shed %d; want 5 and none", got, q.stats().sum)
			}
		})
	}
}

// TestQueueAborts wants a receiver that waits to be let go, and what it had to be counted.
func TestQueueAborts(t *testing.T) {
	q, c := newQueue(2, false), testConnection("c")
	msg := message(sfgo.PROC, "")
	var wg sync.WaitGroup
	wg.Go(func() { q.add(c, [][]byte{msg, msg, msg, msg, msg}, false) })
	await(t, "the receiver to wait", func() bool { return q.stats().waits > 0 })
	q.abort()
	wg.Wait()
	if left := len(drain(q)); left != 2 || q.stats().lost != 3 {
		t.Errorf("%d are left, %d lost; want 2 and 3", left, q.stats().lost)
	}
}

// TestQueueReleasesMemory wants a queue that is full and empty by turns to use the same memory.
func TestQueueReleasesMemory(t *testing.T) {
	q, c := newQueue(3000, false), testConnection("c")
	msgs := make([][]byte, 32)
	for i := range msgs {
		msgs[i] = message(sfgo.NET_FLOW, "some sixty bytes, which is what an average record has as well")
	}
	turn := func() {
		for range 90 {
			q.add(c, msgs, false)
		}
		for q.records > 0 {
			for _, c := range q.take() {
				b := c.open
				c.open = nil
				b.Release()
			}
		}
	}
	turn()
	// A block and its Release are made anew for each thousand records, and so is the list of segments now and then.
	if n := testing.AllocsPerRun(20, turn); n > 12 {
		t.Errorf("%v allocations for %d records", n, 90*len(msgs))
	}
}
