package entity

// cell is a place in a table that other cells may point to. It is listed in the lru of its kind while its entity is
// known; a cell that is only referred to is not.
type cell[E any] struct {
	prev, next *cell[E] // nil while not listed
	cost       int      // bytes it answers for while listed
	e          E
}

// listed says whether the cell's entity is known.
func (c *cell[E]) listed() bool { return c.next != nil }

// lru is a ring of cells, the most recently used after root, with limits that its user enforces.
type lru[E any] struct {
	root     cell[E]
	n, max   int
	bytes    int
	maxBytes int
}

// newLRU returns an empty ring for at most max cells, and at most maxBytes, if that is more than one cell.
func newLRU[E any](maxCells, maxBytes int) *lru[E] {
	l := &lru[E]{max: maxCells, maxBytes: maxBytes}
	l.clear()
	return l
}

func (l *lru[E]) clear() {
	l.root.prev, l.root.next = &l.root, &l.root
	l.n, l.bytes = 0, 0
}

// add lists c as the most recently used.
func (l *lru[E]) add(c *cell[E]) {
	l.n++
	l.bytes += c.cost
	l.link(c)
}

// remove takes c off the list.
func (l *lru[E]) remove(c *cell[E]) {
	l.n--
	l.bytes -= c.cost
	c.prev.next, c.next.prev = c.next, c.prev
	c.prev, c.next = nil, nil
}

// touch makes c, which is listed, the most recently used.
func (l *lru[E]) touch(c *cell[E]) {
	if l.root.next == c {
		return
	}
	c.prev.next, c.next.prev = c.next, c.prev
	l.link(c)
}

func (l *lru[E]) link(c *cell[E]) {
	c.prev, c.next = &l.root, l.root.next
	c.next.prev = c
	l.root.next = c
}

// recost changes what c, which is listed, answers for.
func (l *lru[E]) recost(c *cell[E], cost int) {
	l.bytes += cost - c.cost
	c.cost = cost
}

// surplus returns the least recently used cell if the limits are exceeded, nil otherwise. The last cell is never
// surplus: an entity larger than the limit is held, alone.
func (l *lru[E]) surplus() *cell[E] {
	if l.n > l.max || l.bytes > l.maxBytes && l.n > 1 {
		return l.root.prev
	}
	return nil
}
