package exporter

import (
	"context"
	"testing"
	"testing/synctest"
)

// fill puts records of the given size into a queue until it is heavy, and returns how many.
func fill(t *testing.T, q *queue, size int) (records int) {
	t.Helper()
	for !q.heavy() {
		c := q.chunk()
		reserved := 0
		for !c.full() {
			if n, err := q.wait(t.Context(), 1); n != 1 || err != nil {
				t.Fatalf("room for %d records, %v", n, err)
			}
			c.data = append(c.data, make([]byte, size)...)
			c.marks = append(c.marks, mark{doc: len(c.data), end: len(c.data)})
			reserved++
		}
		q.put(c, reserved)
		records += reserved
	}
	return records
}

// TestHeavyQueue wants a writer that can wait to do so when much memory is queued, however few records that is.
func TestHeavyQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1_000_000, 1)
		records := fill(t, q, 100<<10)
		if bytes := records * 100 << 10; bytes < maxQueued || bytes > maxQueued+2*chunkSize {
			t.Errorf("%d bytes are queued, want about %d", bytes, maxQueued)
		}
		if n := q.reserve(10); n != 10 {
			t.Errorf("a writer that drops what has no room has room for %d records, want 10", n)
		}
		let := make(chan error)
		go func() {
			_, err := q.wait(context.Background(), 1)
			let <- err
		}()
		synctest.Wait()
		select {
		case <-let:
			t.Fatal("a writer has not waited")
		default:
		}
		q.settle(records)
		if err := <-let; err != nil {
			t.Error(err)
		}
	})
}

// TestChunksAreUsedAgain lets a queue swing between full and empty, which must not cost memory each time.
func TestChunksAreUsedAgain(t *testing.T) {
	q := newQueue(1_000_000, 1)
	known := map[*chunk]bool{}
	swing := func() (made int) {
		n := fill(t, q, 2000)
		for _, c := range q.chunks {
			if !known[c] {
				known[c] = true
				made++
			}
		}
		q.settle(n)
		return made
	}
	if swing() == 0 {
		t.Fatal("nothing was queued")
	}
	for range 10 {
		if made := swing(); made > 0 {
			t.Errorf("%d new chunks although nothing is queued", made)
		}
	}
	if q.spare > maxChunks || q.queued != 0 {
		t.Errorf("%d bytes to be used again, %d queued; want at most %d, and none", q.spare, q.queued, maxChunks)
	}
}
