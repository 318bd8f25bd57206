package codec

import (
	"bytes"
	"io"
)

// window shows a stretch of a file that is read once from start to end. What has been peeked at is still there until it
// is skipped, however often the reader changes its mind about what it is.
type window struct {
	r      io.Reader
	buf    []byte // what is read and not skipped is buf[lo:hi]
	lo, hi int
	at     int64 // offset in the file of buf[lo]
	err    error // what ended r; io.EOF if it just ended
}

// minWindow is the size a window starts with: some blocks of a real trace.
const minWindow = 128 << 10

// peek returns the next n bytes, or fewer if the file ends before. They are valid until the next call of a method. It
// reads no more than once when that brings enough, so it does not wait for bytes that nobody asked for.
func (w *window) peek(n int) []byte {
	for w.hi-w.lo < n && w.fill(n) {
	}
	return w.buf[w.lo:min(w.hi, w.lo+n)]
}

// skip moves on by n bytes that have been peeked at.
func (w *window) skip(n int) {
	w.lo += n
	w.at += int64(n)
}

// fill reads some more bytes, and says whether there were any. Memory grows with what arrives, not with n, which a
// damaged file may claim.
func (w *window) fill(n int) bool {
	if w.err != nil {
		return false
	}
	if w.lo > 0 && w.lo+n > len(w.buf) {
		copy(w.buf, w.buf[w.lo:w.hi])
		w.hi -= w.lo
		w.lo = 0
	}
	if w.hi == len(w.buf) {
		w.buf = append(w.buf, make([]byte, max(minWindow, len(w.buf)))...)
	}
	for range 100 {
		var k int
		k, w.err = w.r.Read(w.buf[w.hi:])
		w.hi += k
		if k > 0 {
			return true
		}
		if w.err != nil {
			return false
		}
	}
	w.err = io.ErrNoProgress
	return false
}

// skipPast moves on to behind the next occurrence of mark, or to the end of the file, and says whether there is one.
func (w *window) skipPast(mark []byte) bool {
	for {
		if i := bytes.Index(w.buf[w.lo:w.hi], mark); i >= 0 {
			w.skip(i + len(mark))
			return true
		}
		w.skip(max(0, w.hi-w.lo-len(mark)+1))
		if !w.fill(minWindow) {
			w.skip(w.hi - w.lo)
			return false
		}
	}
}
