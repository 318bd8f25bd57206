package codec

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// DefaultBlockSize is the size, in bytes before compression, at which collectors end a block.
const DefaultBlockSize = 80_000

// WriterConfig says how a [Writer] writes. The zero value writes what a current collector does.
type WriterConfig struct {
	Schema    string   // id of the writer schema, S1 to S11; "" is CurrentSchema
	Codec     string   // null, deflate, snappy or zstandard; "" is deflate
	BlockSize int      // bytes, before compression, from which a block is full; 0 is DefaultBlockSize
	Sync      [16]byte // marker between blocks; zero: a random one
}

// Writer writes a trace, an Avro object container file. It holds one block in memory. A Writer is for one goroutine.
type Writer struct {
	out      io.Writer
	enc      *Encoder
	compress func(src []byte) ([]byte, error) // the result is valid until the next call
	full     int
	sync     [16]byte

	block []byte // encoded records
	count int64  // of records in block
	frame []byte // what one call of out.Write gets; reused
	err   error  // what the first failed write said; nothing can follow it
}

// NewWriter writes the head of a trace to out and returns a writer for its records. A nil config is a zero one.
func NewWriter(out io.Writer, config *WriterConfig) (*Writer, error) {
	var c WriterConfig
	if config != nil {
		c = *config
	}
	if c.Schema == "" {
		c.Schema = CurrentSchema
	}
	if c.Codec == "" {
		c.Codec = "deflate"
	}
	if c.BlockSize <= 0 {
		c.BlockSize = DefaultBlockSize
	}
	if c.Sync == [16]byte{} {
		if _, err := rand.Read(c.Sync[:]); err != nil {
			return nil, fmt.Errorf("make a sync marker: %w", err)
		}
	}
	enc, err := NewEncoder(c.Schema)
	if err != nil {
		return nil, err
	}
	compress, err := compressor(c.Codec)
	if err != nil {
		return nil, err
	}
	schema, _ := Schema(c.Schema) // known: there is an encoder for it
	head := append([]byte("Obj\x01"), 4 /* two entries, zig-zag */)
	head = appendText(head, "avro.codec", c.Codec, "avro.schema", schema)
	head = append(append(head, 0), c.Sync[:]...)
	if _, err := out.Write(head); err != nil {
		return nil, fmt.Errorf("write the head of a trace: %w", err)
	}
	return &Writer{out: out, enc: enc, compress: compress, full: c.BlockSize, sync: c.Sync}, nil
}

// Write appends a record. A record that cannot be encoded (see [ErrNotInSchema]) leaves the trace as it was; after any
// other error the trace is broken, and every further call returns that error.
func (w *Writer) Write(rec *sfgo.SysFlow) error {
	if len(w.block) >= w.full { // tested before, not after, as collectors do: blocks come out alike
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if w.err != nil {
		return w.err
	}
	block, err := w.enc.Append(w.block, rec)
	if err != nil {
		return err
	}
	w.block = block
	w.count++
	return nil
}

// Flush ends the block, so that a reader can see every record written so far. Without a record it does nothing.
func (w *Writer) Flush() error {
	if w.err != nil || w.count == 0 {
		return w.err
	}
	data, err := w.compress(w.block)
	if err == nil {
		w.frame = appendInts(w.frame[:0], w.count, int64(len(data)))
		w.frame = append(append(w.frame, data...), w.sync[:]...)
		_, err = w.out.Write(w.frame)
	}
	if err != nil {
		w.err = fmt.Errorf("write a block of %d records: %w", w.count, err)
	}
	w.block, w.count = w.block[:0], 0
	return w.err
}

// errClosed is what a closed writer returns.
var errClosed = errors.New("write to a closed trace")

// Close ends the last block. It does not close what the trace is written to.
func (w *Writer) Close() error {
	err := w.Flush()
	if w.err == nil {
		w.err = errClosed
	}
	return err
}

// compressor returns the function that compresses blocks for a codec. Its result is reused by the next call.
func compressor(codec string) (func(src []byte) ([]byte, error), error) {
	var buf []byte
	switch codec {
	case "null":
		return func(src []byte) ([]byte, error) { return src, nil }, nil
	case "deflate":
		return deflater()
	case "snappy":
		return func(src []byte) ([]byte, error) {
			buf = snappy.Encode(buf[:cap(buf)], src)
			buf = binary.BigEndian.AppendUint32(buf, crc32.ChecksumIEEE(src))
			return buf, nil
		}, nil
	case "zstandard":
		enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, fmt.Errorf("make a zstandard encoder: %w", err)
		}
		return func(src []byte) ([]byte, error) {
			buf = enc.EncodeAll(src, buf[:0])
			return buf, nil
		}, nil
	}
	return nil, fmt.Errorf("unknown codec %q: want null, deflate, snappy or zstandard", codec)
}

func deflater() (func(src []byte) ([]byte, error), error) {
	var buf bytes.Buffer
	deflate, err := flate.NewWriter(&buf, flate.DefaultCompression)
	if err != nil {
		return nil, fmt.Errorf("make a deflate encoder: %w", err)
	}
	return func(src []byte) ([]byte, error) {
		buf.Reset()
		deflate.Reset(&buf)
		if _, err := deflate.Write(src); err != nil {
			return nil, err
		}
		if err := deflate.Close(); err != nil {
			return nil, err
		}
		return buf.Bytes(), nil
	}, nil
}
