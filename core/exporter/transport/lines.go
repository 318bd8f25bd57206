package transport

import "sort"

// keepBuffer is the largest buffer that is kept for the next batch. Batches are a few megabytes; a record may be as
// large as its sender likes.
const keepBuffer = 8 << 20

// lines is a batch of records as lines of text.
type lines struct {
	buf  []byte
	lead int   // bytes before the first line
	ends []int // where each line ends, its newline included
}

// reset empties the buffer. If torn, it begins with the newline that ends a line written in part.
func (l *lines) reset(torn bool) {
	if cap(l.buf) > keepBuffer {
		l.buf = nil
	}
	l.buf, l.lead, l.ends = l.buf[:0], 0, l.ends[:0]
	if torn {
		l.buf, l.lead = append(l.buf, '\n'), 1
	}
}

// add appends a line.
func (l *lines) add(data []byte) {
	l.buf = append(append(l.buf, data...), '\n')
	l.ends = append(l.ends, len(l.buf))
}

// whole returns how many lines the first n bytes of the buffer hold in full, and how many bytes these are.
func (l *lines) whole(n int) (count, size int) {
	count = sort.SearchInts(l.ends, n+1)
	if count == 0 {
		return 0, min(n, l.lead)
	}
	return count, l.ends[count-1]
}
