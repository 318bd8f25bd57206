package codec

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"
)

// TestInflateLimits inflates up to the last byte that is allowed, and not one more; what fits is kept.
func TestInflateLimits(t *testing.T) {
	text := make([]byte, 200_000)
	rng := rand.New(rand.NewPCG(5, 5))
	for i := range text {
		text[i] = "abcd"[rng.IntN(4)]
	}
	for _, codec := range []string{"null", "deflate", "snappy", "zstandard"} {
		compress, err := compressor(codec)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := compress(text)
		if err != nil {
			t.Fatal(err)
		}
		z, err := newInflater(codec)
		if err != nil {
			t.Fatal(err)
		}
		for _, room := range []int{0, 1, len(text) - 1, len(text), len(text) + 1, 1 << 20} {
			for limit, want := range map[int]error{len(text): nil, len(text) - 1: errTooLong, 1 << 20: nil} {
				out, rest, err := z.inflate(make([]byte, 0, room), stored, limit)
				if !errors.Is(err, want) || rest != 0 || len(out) > limit || !bytes.HasPrefix(text, out) {
					t.Errorf("%s, room for %d, limit %d: %d bytes, %d left, %v", codec, room, limit, len(out), rest, err)
				}
				if err == nil && len(out) != len(text) || err != nil && codec != "snappy" && len(out) != limit {
					t.Errorf("%s, room for %d, limit %d: %d bytes", codec, room, limit, len(out))
				}
			}
		}
	}
}

// TestInflateDamage inflates data that ends early, goes on, or is changed: no codec may take it for good, but for null and
// deflate, which have no checksum, and what comes out before the damage is right.
func TestInflateDamage(t *testing.T) {
	text := bytes.Repeat([]byte("the records of a block, over and over; "), 100)
	for _, codec := range []string{"deflate", "snappy", "zstandard"} {
		compress, err := compressor(codec)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := compress(text)
		if err != nil {
			t.Fatal(err)
		}
		z, err := newInflater(codec)
		if err != nil {
			t.Fatal(err)
		}
		for cut := 1; cut < len(stored); cut++ { // no data at all is a zstandard of nothing
			out, _, err := z.inflate(nil, stored[:cut], maxInflated)
			if err == nil || !bytes.HasPrefix(text, out) {
				t.Errorf("%s cut at %d: %d bytes, %v", codec, cut, len(out), err)
			}
		}
		out, rest, err := z.inflate(nil, append(stored, "more"...), maxInflated)
		switch codec {
		case "deflate":
			if err != nil || rest != 4 || len(out) != len(text) {
				t.Errorf("%s and more: %d bytes, %d left, %v", codec, len(out), rest, err)
			}
		default:
			if err == nil {
				t.Errorf("%s and more: no error", codec)
			}
		}
		for at := range stored {
			bad := bytes.Clone(stored)
			bad[at] ^= 0x10
			out, _, err := z.inflate(nil, bad, maxInflated)
			if codec == "snappy" && (err == nil || len(out) > 0) {
				t.Errorf("%s changed at %d: %d bytes, %v", codec, at, len(out), err)
			}
		}
		if out, _, err := z.inflate(nil, stored, maxInflated); err != nil || !bytes.Equal(out, text) {
			t.Errorf("%s, after all the bad data: %d bytes, %v", codec, len(out), err)
		}
	}
}

// TestLender checks that bytes are lent up to a limit.
func TestLender(t *testing.T) {
	l := lender{freed: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	l.add(maxLent)
	if err := l.wait(ctx); err != nil {
		t.Error(err)
	}
	l.add(1)
	waited := make(chan error)
	go func() { waited <- l.wait(ctx) }()
	l.add(1)
	l.add(-1) // not enough
	select {
	case err := <-waited:
		t.Errorf("did not wait: %v", err)
	default:
	}
	l.add(-1)
	if err := <-waited; err != nil {
		t.Error(err)
	}
	l.add(1)
	cancel()
	if err := l.wait(ctx); err != context.Canceled {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// TestBuffers checks that buffers of usual size are used again, and only so many.
func TestBuffers(t *testing.T) {
	b := buffers{max: 2}
	own := b.get()
	for range 3 {
		b.put(append(own, 1))
	}
	b.put(make([]byte, 0, 10))
	if n := len(b.free); n != 2 {
		t.Errorf("%d buffers are kept, want 2", n)
	}
	if got := b.get(); len(got) != 0 || &got[:1][0] != &own[:1][0] {
		t.Error("not the buffer that was put")
	}
	b.free = nil
	b.put(make([]byte, 0, newBuffer-1))
	b.put(make([]byte, 0, 3*bigBlock))
	if n := len(b.free); n != 0 {
		t.Errorf("%d buffers of unusual size are kept", n)
	}
}
