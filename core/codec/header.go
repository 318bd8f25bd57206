package codec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// magic is what each container file begins with.
var magic = []byte("Obj\x01")

// markerSize is the length of the sync marker, which follows the metadata and each block.
const markerSize = 16

// maxMetadata limits the metadata of a file. Real ones have at most 15,492 bytes.
const maxMetadata = 4 << 20

// ErrNotTrace means that a file is not an Avro object container.
var ErrNotTrace = errors.New("not a trace: it does not begin with the bytes of an Avro object container")

// ErrTruncated means that a file ends inside its header or a block, as one does that is still being written or whose
// writer was killed. What comes before is good.
var ErrTruncated = errors.New("the file ends inside a block or its header")

// IsTrace says whether a file that begins with prefix, of which four bytes are enough, may be a trace.
func IsTrace(prefix []byte) bool { return bytes.HasPrefix(prefix, magic) }

// header is what a container file begins with.
type header struct {
	codec  string
	schema string
	marker [markerSize]byte
}

// readHeader reads the header of a file.
func readHeader(w *window) (header, error) {
	h := header{codec: "null"}
	if !IsTrace(w.peek(len(magic))) {
		if err := w.err; err != nil && err != io.EOF {
			return h, err
		}
		return h, ErrNotTrace
	}
	w.skip(len(magic))
	err := readMetadata(w, func(key, value []byte) {
		switch string(key) {
		case "avro.codec":
			h.codec = string(value)
		case "avro.schema":
			h.schema = string(value)
		}
	})
	if err != nil {
		return h, fmt.Errorf("metadata: %w", err)
	}
	marker, err := take(w, markerSize)
	if err != nil {
		return h, fmt.Errorf("sync marker: %w", err)
	}
	h.marker = [markerSize]byte(marker)
	if h.schema == "" {
		return h, errors.New("metadata: there is no avro.schema")
	}
	return h, nil
}

// readMetadata reads a map of bytes and gives its entries to f, which must not keep them.
func readMetadata(w *window, f func(key, value []byte)) error {
	for {
		count, err := takeLong(w)
		if err != nil || count == 0 {
			return err
		}
		if count < 0 {
			count = -count
			if _, err := takeLong(w); err != nil { // the length in bytes: we read the entries anyway
				return err
			}
		}
		if count < 0 {
			return faults[faultCount]
		}
		for ; count > 0; count-- {
			key, err := takeBytes(w)
			if err != nil {
				return err
			}
			key = bytes.Clone(key)
			value, err := takeBytes(w)
			if err != nil {
				return err
			}
			f(key, value)
		}
	}
}

// takeBytes reads a string.
func takeBytes(w *window) ([]byte, error) {
	n, err := takeLong(w)
	if err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, faults[faultLength]
	}
	return take(w, n)
}

// takeLong reads a number.
func takeLong(w *window) (int64, error) {
	for n := 1; ; n++ {
		b := w.peek(n)
		if len(b) < n {
			return 0, w.ended()
		}
		v, next := long(b, 0)
		if next == faultEnd {
			continue
		}
		if next < 0 {
			return 0, faults[next]
		}
		_, err := take(w, int64(next))
		return v, err
	}
}

// take reads n bytes, valid until the next call.
func take(w *window, n int64) ([]byte, error) {
	if n > maxMetadata-w.at {
		return nil, fmt.Errorf("more than %d bytes", maxMetadata)
	}
	b := w.peek(int(n))
	if len(b) < int(n) {
		return nil, w.ended()
	}
	w.skip(len(b))
	return b, nil
}

// ended returns why there are no more bytes.
func (w *window) ended() error {
	if w.err == io.EOF {
		return ErrTruncated
	}
	return w.err
}
