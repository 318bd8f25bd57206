package codec

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// TestNumbers compares all readers of numbers with those of the standard library, on numbers of every length.
func TestNumbers(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	values := []int64{0, -1, 1, 63, 64, -64, -65, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64}
	for range 20_000 {
		values = append(values, int64(rng.Uint64()>>rng.IntN(64))*int64(1-2*rng.IntN(2)))
	}
	for _, v := range values {
		b := binary.AppendVarint([]byte{0xAA}, v)
		end := len(b)
		if got, next := long(b, 1); got != v || next != end {
			t.Fatalf("%d alone: %d, next %d", v, got, next)
		}
		b = append(b, 0xFF, 0x00, 0xFF, 0x7F, 0x80, 0x01, 0xFF, 0xFF, 0xFF, 0xFF)
		if got, next := long(b, 1); got != v || next != end {
			t.Fatalf("%d: %d, next %d", v, got, next)
		}
		u, next := wideVarint(b, 1)
		if fits := end-1 < maxVarint; fits != (u&notLong == 0) || fits && (unzig(u) != v || next != end) {
			t.Fatalf("%d at once: %d, next %d", v, unzig(u), next)
		}
		if got, next := int32At(b, 1); v == int64(int32(v)) && (int64(got) != v || next != end) || v != int64(int32(v)) && next != faultInt {
			t.Fatalf("%d as an int: %d, next %d", v, got, next)
		}
		var ints [sfgo.INT_ARRAY_SIZE]int64
		next, ok := numbers(b, 1, []number{{slot: 3, illegal: notInt}}, &ints)
		if ok != (v == int64(int32(v))) || ok && (ints[3] != v || next != end) {
			t.Fatalf("%d as a fast int: %v %d, next %d", v, ok, ints[3], next)
		}
		next, ok = numbers(b, 1, []number{{slot: 3, illegal: notLong}}, &ints)
		if ok != (end-1 < maxVarint) || ok && (ints[3] != v || next != end) {
			t.Fatalf("%d as a fast long: %v %d, next %d", v, ok, ints[3], next)
		}
		for cut := 1; cut < end; cut++ {
			if _, next := long(b[:cut], 1); next != faultEnd {
				t.Fatalf("%d cut at %d: next %d", v, cut, next)
			}
		}
	}
}

// TestLongForms reads numbers that take more bytes than they need.
func TestLongForms(t *testing.T) {
	for n := 1; n <= maxVarint; n++ {
		b := make([]byte, n, 2*maxVarint)
		for i := range b {
			b[i] = 0x80
		}
		b[0] |= 0x06
		b[n-1] &= 0x7f
		if v, next := long(b, 0); v != 3 || next != n {
			t.Errorf("%d bytes: %d, next %d", n, v, next)
		}
		if u, next := wideVarint(b[:2*maxVarint], 0); n < maxVarint && (unzig(u) != 3 || next != n) {
			t.Errorf("%d bytes at once: %d, next %d", n, unzig(u), next)
		}
	}
	b := make([]byte, 20)
	for i := range b {
		b[i] = 0x80
	}
	if _, next := long(b, 0); next != faultVarint {
		t.Errorf("20 bytes: next %d", next)
	}
}
