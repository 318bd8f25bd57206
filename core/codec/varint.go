package codec

import (
	"encoding/binary"
	"math/bits"
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
		u := int64(b[i])
		return u>>1 ^ -(u & 1), i + 1
	}
	return longVarint(b, i)
}

// longVarint reads a zig-zag varint of any length. Times are most of what is long, and have nine bytes: eight are taken
// in one go, their lower seven bits moved together in three steps.
func longVarint(b []byte, i int) (int64, int) {
	if i+10 > len(b) {
		return longNearEnd(b, i)
	}
	x := binary.LittleEndian.Uint64(b[i:])
	ends := ^x & 0x8080808080808080 // the top bit of each byte that ends a number
	n := 8
	if ends != 0 {
		n = bits.TrailingZeros64(ends)>>3 + 1
		x &= ends ^ (ends - 1) // the bits up to the end
	}
	x = x&0x007f007f007f007f | x&0x7f007f007f007f00>>1
	x = x&0x00003fff00003fff | x&0x3fff00003fff0000>>2
	x = x&0x000000000fffffff | x&0x0fffffff00000000>>4
	if ends == 0 {
		c := b[i+8]
		x |= uint64(c&0x7f) << 56
		n = 9
		if c >= 0x80 {
			c = b[i+9]
			if c > 1 {
				return 0, faultVarint
			}
			x |= uint64(c) << 63
			n = 10
		}
	}
	return int64(x>>1) ^ -int64(x&1), i + n
}

// longNearEnd reads a zig-zag varint byte by byte.
func longNearEnd(b []byte, i int) (int64, int) {
	var x uint64
	for shift := 0; i < len(b); shift += 7 {
		c := b[i]
		i++
		if shift == 63 && c > 1 {
			return 0, faultVarint
		}
		x |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return int64(x>>1) ^ -int64(x&1), i
		}
	}
	return 0, faultEnd
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
			return 0, 0, faultLength
		}
		end = i + int(size)
	}
	if n < 0 || n > int64(len(b)-i) { // below zero still: the smallest number there is
		return 0, 0, faultCount
	}
	return int(n), end, i
}
