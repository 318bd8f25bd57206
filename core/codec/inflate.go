package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// errTooLong means that a block inflates to more bytes than it may.
var errTooLong = errors.New("inflates to too many bytes")

// maxZstdWindow bounds the memory of a zstandard decoder. It is what all levels but the "ultra" ones stay below.
const maxZstdWindow = 8 << 20

// An inflater undoes the compression of blocks. It is for one goroutine.
type inflater interface {
	// inflate appends what src holds to dst, as long as that makes no more than limit bytes, and returns how many bytes of
	// src come after the compressed data. After an error, out has what came before it.
	inflate(dst, src []byte, limit int) (out []byte, rest int, err error)
}

// newInflater returns an inflater for a codec of the Avro specification.
func newInflater(codec string) (inflater, error) {
	switch codec {
	case "null":
		return stored{}, nil
	case "deflate":
		return new(deflated), nil
	case "snappy":
		return snapped{}, nil
	case "zstandard":
		return new(zstandard), nil
	default:
		return nil, fmt.Errorf("codec %q is not supported: want null, deflate, snappy or zstandard", codec)
	}
}

// stored is the codec null.
type stored struct{}

func (stored) inflate(dst, src []byte, limit int) ([]byte, int, error) {
	if len(src) > limit {
		return append(dst, src[:limit]...), 0, errTooLong
	}
	return append(dst, src...), 0, nil
}

// deflated is raw deflate, RFC 1951.
type deflated struct {
	src bytes.Reader  // the decompressor reads no byte too many from it
	r   io.ReadCloser // made on first use: a small file needs but one
}

func (d *deflated) inflate(dst, src []byte, limit int) ([]byte, int, error) {
	d.src.Reset(src)
	if d.r == nil {
		d.r = flate.NewReader(&d.src)
	} else if err := d.r.(flate.Resetter).Reset(&d.src, nil); err != nil {
		return dst, 0, err
	}
	out, err := appendAll(dst, d.r, limit)
	return out, d.src.Len(), err
}

// zstandard is RFC 8878.
type zstandard struct {
	src bytes.Reader
	r   *zstd.Decoder // made on first use
}

func (z *zstandard) inflate(dst, src []byte, limit int) ([]byte, int, error) {
	if z.r == nil {
		var err error // concurrency 1: no goroutines
		z.r, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return dst, 0, err
		}
	}
	z.src.Reset(src)
	if err := z.r.Reset(&z.src); err != nil {
		return dst, 0, err
	}
	out, err := appendAll(dst, z.r, limit) // whatever follows a frame is taken for another one
	return out, 0, err
}

// appendAll appends to dst what r has, up to limit bytes in all.
func appendAll(dst []byte, r io.Reader, limit int) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, max(len(dst), 4096))
		}
		n, err := r.Read(dst[len(dst):min(cap(dst), limit+1)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst) > limit:
			return dst[:limit], errTooLong
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return dst, err
		}
	}
}

// snapped is the block format of snappy, with a checksum behind it. There is no telling which of its records a wrong
// checksum is about: none is kept.
type snapped struct{}

func (snapped) inflate(dst, src []byte, limit int) ([]byte, int, error) {
	end := len(src) - crc32.Size
	if end < 0 {
		return dst, 0, io.ErrUnexpectedEOF
	}
	n, err := snappy.DecodedLen(src[:end])
	if err != nil {
		return dst, 0, err
	}
	if n > limit {
		return dst, 0, errTooLong
	}
	out, err := snappy.Decode(dst[:cap(dst)], src[:end])
	if err != nil {
		return dst, 0, err
	}
	if crc32.ChecksumIEEE(out) != binary.BigEndian.Uint32(src[end:]) {
		return dst, 0, errors.New("checksum is wrong")
	}
	return out, 0, nil
}
