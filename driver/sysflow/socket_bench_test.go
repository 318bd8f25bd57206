package sysflow

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// messageSize is the mean size of a record, in bytes.
const messageSize = 65

// flood sends n messages as fast as they are taken, and closes the connection. It uses the descriptor itself: sending
// is what limits the rate, as it is.
func flood(b *testing.B, conn *net.UnixConn, n int) {
	defer conn.Close()
	raw, err := conn.SyscallConn()
	if err != nil {
		b.Error(err)
		return
	}
	msg := message(sfgo.NET_FLOW, string(bytes.Repeat([]byte{'x'}, messageSize-1)))
	err = raw.Write(func(fd uintptr) bool {
		for n > 0 {
			_, err := syscall.Write(int(fd), msg)
			if errors.Is(err, syscall.EAGAIN) {
				return false
			}
			if err != nil {
				b.Error(err)
				return true
			}
			n--
		}
		return true
	})
	if err != nil {
		b.Error(err)
	}
}

// BenchmarkSocket measures the driver, from a connection to blocks, beside a loop that receives messages and discards
// them: the sender is the same. One operation is one message.
func BenchmarkSocket(b *testing.B) {
	b.Run("discard", func(b *testing.B) {
		from, to := connected(b)
		r, err := newReceiver(to)
		if err != nil {
			b.Fatal(err)
		}
		defer r.close()
		b.ReportAllocs()
		b.ResetTimer()
		go flood(b, from, b.N)
		for wait := true; ; {
			_, _, more, err := r.receive(wait)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			wait = !more
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	})
	b.Run("driver", func(b *testing.B) {
		l := startSocket(b, func(c *SocketConfig) { c.QueueFull = "block" })
		conn := l.dial(b)
		b.ReportAllocs()
		b.ResetTimer()
		go flood(b, conn, b.N)
		n := 0
		for block := range l.out.Batches() {
			n += block.Count
			block.Release()
			if block.Last {
				break
			}
		}
		if n != b.N {
			b.Fatalf("%d messages came out, want %d", n, b.N)
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	})
}
