package codec

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
)

// TestSkipPast finds a mark wherever it lies with respect to the pieces that a file arrives in.
func TestSkipPast(t *testing.T) {
	mark := []byte("0123456789abcdef")
	for _, before := range []int{0, 1, 15, 16, 17, minWindow - 17, minWindow - 8, minWindow - 1, minWindow, 3*minWindow - 5} {
		file := append(append(bytes.Repeat([]byte("0123456789abcde-"), before/16+1)[:before], mark...), "rest"...)
		for name, r := range map[string]io.Reader{
			"whole": bytes.NewReader(file), "halves": iotest.HalfReader(bytes.NewReader(file)),
			"bytes": iotest.OneByteReader(bytes.NewReader(file)),
		} {
			if name == "bytes" && before > 20 {
				continue // slow
			}
			w := &window{r: r}
			w.peek(3)
			if !w.skipPast(mark) || w.at != int64(before+16) || string(w.peek(10)) != "rest" {
				t.Errorf("%d bytes before the mark, %s: at %d, then %q", before, name, w.at, w.peek(10))
			}
			if w.skipPast(mark) || w.at != int64(len(file)) || len(w.peek(1)) != 0 {
				t.Errorf("%d bytes before the mark, %s: at %d at the end, want %d", before, name, w.at, len(file))
			}
		}
	}
}

// zeros inflates whatever it gets to a megabyte that is no record, and counts.
type zeros struct{ calls int }

func (z *zeros) inflate([]byte, []byte, int) ([]byte, int, error) {
	z.calls++
	return bytes.Repeat([]byte{0x7f}, 1<<20), 0, nil
}

// TestDoubt checks that looking into blocks that turn out to be bad ends at some time.
func TestDoubt(t *testing.T) {
	schema, _ := Schema(CurrentSchema)
	d, err := NewDecoder(schema)
	if err != nil {
		t.Fatal(err)
	}
	marker := [markerSize]byte{1, 2, 3}
	var file []byte
	const blocks = 2 * maxDoubt >> 20
	for range blocks {
		file = append(append(file, 2, 2, 'x'), bytes.Repeat([]byte{9}, markerSize)...) // a record of a byte, another marker
		file = append(file, marker[:]...)
	}
	z := &zeros{}
	s := &splitter{window: window{r: bytes.NewReader(file)}, marker: marker, dec: d, check: z}
	damages := 0
	for {
		p, err := s.next()
		if err == io.EOF {
			break
		}
		if err != nil || p.damage == nil {
			t.Fatalf("%+v, %v", p, err)
		}
		damages++
	}
	if want := maxDoubt>>20 + 1; damages != blocks || z.calls != want {
		t.Errorf("%d damages, want %d; looked into %d blocks, want %d", damages, blocks, z.calls, want)
	}
}
