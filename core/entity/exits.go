package entity

import "math"

// exits is a heap of the processes that have exited and that no child needs, the next to be forgotten first. Each of
// them knows its place in it, so that it can be taken out again. Their deadlines are record times in nanoseconds.
type exits []*cell[process]

// due returns the process to be forgotten at time now, or nil.
func (h exits) due(now int64) *cell[process] {
	if len(h) > 0 && h[0].e.deadline < now {
		return h[0]
	}
	return nil
}

// add puts in c, which is not in the heap.
func (h *exits) add(c *cell[process]) {
	*h = append(*h, c)
	h.up(len(*h) - 1)
}

// remove takes out c, if it is in the heap.
func (h *exits) remove(c *cell[process]) {
	at := c.e.place - 1
	if at < 0 {
		return
	}
	c.e.place = 0
	last := len(*h) - 1
	moved := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	if at < last {
		(*h)[at] = moved
		moved.e.place = at + 1
		h.fix(moved)
	}
}

// fix restores the order after the deadline of c, which is in the heap, has changed.
func (h exits) fix(c *cell[process]) {
	h.up(c.e.place - 1)
	h.down(c.e.place - 1)
}

func (h exits) up(at int) {
	c := h[at]
	for at > 0 {
		above := (at - 1) / 2
		if !h.before(c, h[above]) {
			break
		}
		h.put(at, h[above])
		at = above
	}
	h.put(at, c)
}

func (h exits) down(at int) {
	c := h[at]
	for {
		below := 2*at + 1
		if below >= len(h) {
			break
		}
		if below+1 < len(h) && h.before(h[below+1], h[below]) {
			below++
		}
		if !h.before(h[below], c) {
			break
		}
		h.put(at, h[below])
		at = below
	}
	h.put(at, c)
}

func (h exits) before(a, b *cell[process]) bool { return a.e.deadline < b.e.deadline }

func (h exits) put(at int, c *cell[process]) {
	h[at] = c
	c.e.place = at + 1
}

// after returns t+d, or the latest time there is.
func after(t, d int64) int64 {
	if t > math.MaxInt64-d {
		return math.MaxInt64
	}
	return t + d
}
