package plugins

import (
	"context"
	"errors"
	"testing"
)

func TestChannelSizes(t *testing.T) {
	for _, tt := range []struct{ size, batch, batches int }{
		{4096, 1024, 4}, {1000, 1024, 1}, {16, 1024, 1}, {3000, 1024, 2},
	} {
		c := NewChannel[int, []int](tt.size, tt.batch)
		if _, room := c.Depth(); room != tt.batches || cap(c.In) != tt.size {
			t.Errorf("%+v: room for %d batches and %d records", tt, room, cap(c.In))
		}
	}
}

func TestSendKeepsOrderAndEnds(t *testing.T) {
	c := NewChannel[int, int](3, 1)
	for i := range 3 {
		if err := c.Send(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	if waiting, _ := c.Depth(); waiting != 3 {
		t.Errorf("%d wait", waiting)
	}
	c.CloseBatches()
	want := 0
	for got := range c.Batches() {
		if got != want {
			t.Errorf("got %d, want %d", got, want)
		}
		want++
	}
	if want != 3 {
		t.Errorf("got %d batches", want)
	}
}

// TestSendToAFullChannel ends with the cause of its context.
func TestSendToAFullChannel(t *testing.T) {
	c := NewChannel[int, int](1, 1)
	if err := c.Send(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	why := errors.New("told to stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if err := c.Send(ctx, 2); !errors.Is(err, why) {
		t.Errorf("got %v, want the cause", err)
	}
}

// TestSendWithRoom does not look at its context: what was read is not given up while there is room for it.
func TestSendWithRoom(t *testing.T) {
	c := NewChannel[int, int](1, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Send(ctx, 1); err != nil {
		t.Errorf("got %v", err)
	}
}
