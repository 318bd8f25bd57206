package codec

import (
	"encoding/binary"
	"math/bits"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Readers of Avro values take the data and a position in it and return the position after the value, or one of the
// negative numbers below. That spares the hot path a second result to test and to carry.
const (
	faultEnd    = -1 - iota // the data ends inside the value
	faultVarint             // a number of more than 64 bits
	faultInt                // an int of more than 32 bits
	faultUnion              // no such branch
	faultEnum               // no such symbol
	faultBool               // a byte other than 0 and 1
	faultLength             // a length below zero or past the end
	faultCount              // a number of items below zero or that the data cannot hold
	faultSize               // a run of items that is not as long as it says
	faultItems              // more items than a record may have
	faultDepth              // values in values without end
)

// long reads a zig-zag varint.
func long(b []byte, i int) (int64, int) {
	if i < len(b) && b[i] < 0x80 {
		u := uint64(b[i])
		return unzig(u), i + 1
	}
	return longVarint(b, i)
}

// longVarint reads a zig-zag varint byte by byte.
func longVarint(b []byte, i int) (int64, int) {
	var x uint64
	for shift := 0; i < len(b); shift += 7 {
		c := b[i]
		i++
		if shift == 63 && c > 1 {
			return 0, faultVarint
		}
		x |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return unzig(x), i
		}
	}
	return 0, faultEnd
}

// unzig undoes the zig-zag coding of signed numbers.
func unzig(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// number is a long or an int of a writer and the slot in Event.Ints that it goes to.
type number struct {
	slot    uint8
	illegal uint64 // the bits that the number before unzig must not have
}

const (
	notLong = 1 << 63            // more than nine bytes: maybe legal, but left to the ordinary steps
	notInt  = ^uint64(1<<32 - 1) // more than 32 bits
)

// maxVarint is the length of the longest number.
const maxVarint = 10

// numbers reads numbers that follow one another. It gives up, for the ordinary steps to say why, if there is anything
// unusual about them: too few bytes behind them to read without looking at the end, or a number that is too large. Nearly
// all numbers have one to three bytes, or nine, if they are times: branches on that are predicted well, which makes this
// twice as fast as the ordinary steps.
func numbers(b []byte, i int, nums []number, ints *[sfgo.INT_ARRAY_SIZE]int64) (next int, ok bool) {
	if len(b)-i < maxVarint*len(nums) {
		return 0, false
	}
	var illegal uint64
	for k := range nums {
		n := &nums[k]
		var u uint64
		c0, c1 := b[i], b[i+1]
		switch {
		case c0 < 0x80:
			u = uint64(c0)
			i++
		case c1 < 0x80:
			u = uint64(c0&0x7f) | uint64(c1)<<7
			i += 2
		case b[i+2] < 0x80:
			u = uint64(c0&0x7f) | uint64(c1&0x7f)<<7 | uint64(b[i+2])<<14
			i += 3
		default:
			u, i = wideVarint(b, i)
		}
		illegal |= u & n.illegal
		ints[n.slot] = unzig(u)
	}
	return i, illegal == 0
}

// wideVarint reads a varint of up to nine bytes, of which ten are there. A longer one has the uppermost bit set. Eight
// bytes are taken in one go; their lower seven bits are moved together in three steps.
func wideVarint(b []byte, i int) (uint64, int) {
	x := binary.LittleEndian.Uint64(b[i:])
	ends := ^x & 0x8080808080808080 // the top bit of each byte that ends a number
	n := 9
	if ends != 0 {
		n = bits.TrailingZeros64(ends)>>3 + 1
		x &= ends ^ (ends - 1) // the bits up to the end
	}
	x = x&0x007f007f007f007f | x&0x7f007f007f007f00>>1
	x = x&0x00003fff00003fff | x&0x3fff00003fff0000>>2
	x = x&0x000000000fffffff | x&0x0fffffff00000000>>4
	if ends == 0 {
		x |= uint64(b[i+8]) << 56
	}
	return x, i + n
}

// int32At reads an int.
func int32At(b []byte, i int) (int32, int) {
	v, i := long(b, i)
	if int64(int32(v)) != v {
		return 0, faultInt
	}
	return int32(v), i
}

// bytesAt reads the bytes of a string; they belong to b.
func bytesAt(b []byte, i int) ([]byte, int) {
	n, i := long(b, i)
	if i < 0 {
		return nil, i
	}
	if n < 0 || n > int64(len(b)-i) {
		return nil, faultLength
	}
	end := i + int(n)
	return b[i:end:end], end
}

// boolAt reads a boolean.
func boolAt(b []byte, i int) (bool, int) {
	if i >= len(b) {
		return false, faultEnd
	}
	if b[i] > 1 {
		return false, faultBool
	}
	return b[i] == 1, i + 1
}

// skipBytes passes over n bytes.
func skipBytes(b []byte, i, n int) int {
	if n > len(b)-i {
		return faultEnd
	}
	return i + n
}

// itemRun reads the head of the next run of items of an array or map: how many there are, zero at the end, and where the
// run ends if the writer has said so, else zero.
func itemRun(b []byte, i int) (count, end, next int) {
	n, i := long(b, i)
	if i < 0 {
		return 0, 0, i
	}
	if n < 0 {
		var size int64
		n = -n
		if size, i = long(b, i); i < 0 {
			return 0, 0, i
		}
		if size < 0 || size > int64(len(b)-i) {
			return 0, 0, faultSize
		}
		end = i + int(size)
	}
	if n < 0 || n > int64(len(b)-i) { // below zero still: the smallest number there is
		return 0, 0, faultCount
	}
	return int(n), end, i
}
