package codec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Limits on blocks. Collectors make blocks of some 80,000 bytes and a thousand records.
const (
	maxStored   = 64 << 20 // bytes as they are in the file
	maxInflated = 64 << 20 // bytes after inflating
	maxCount    = 1 << 20  // records
)

// minBlock is the length of the shortest block: a byte each for count and size, and the marker.
const minBlock = 2 + markerSize

// maxBlockHead is the length of the longest head of a block, whose numbers take more bytes than they need.
const maxBlockHead = 2 * 10

// maxDoubt limits how many bytes are inflated in vain, for all blocks of a file together, to find out whether they are
// good although no marker follows. It is thousands of blocks, and keeps a hostile file from costing hours.
const maxDoubt = 256 << 20

// A Damage is a place in a trace where something is lost.
type Damage struct {
	Name      string // of the trace
	Offset    int64  // where the damaged block begins in the file
	Skipped   int64  // bytes of the file that were passed over without being decoded
	Lost      int    // records that the block promised and that were not decoded; 0 if its header is not readable
	Truncated bool   // the trace is over: there is no good block behind this one
	Err       error  // what is wrong: ErrTruncated if the file just ends too early, which is no fault of its content
}

// Errors of blocks.
var (
	errBlockHead   = errors.New("the number of records or the size of the block is out of range")
	errBlockMarker = errors.New("no sync marker behind the block")
)

// splitter finds the blocks in a file, whatever may be wrong with it.
type splitter struct {
	window
	name   string
	marker [markerSize]byte

	dec   *Decoder
	check inflater // to look into blocks without a marker
	doubt int      // bytes inflated so far in vain
}

// part is what a file is made of behind its header: a block, a damage, or both.
type part struct {
	offset int64   // of the block
	end    int64   // where the next part begins
	count  int     // promised records
	stored []byte  // the block's bytes, valid until the next call of next; nil if there are no records
	damage *Damage // nil if there is none
}

// next returns the next block that has records, or the next damage. After the last it returns io.EOF, or what prevented
// it from reading on.
func (s *splitter) next() (part, error) {
	for {
		if len(s.peek(1)) == 0 {
			return part{}, s.err
		}
		p := part{offset: s.at}
		head, size, cause := s.head(&p)
		if cause == nil {
			cause = s.body(&p, head, size)
		}
		if cause != nil {
			return s.resync(p, cause)
		}
		if p.count > 0 || p.damage != nil {
			return p, nil
		}
	}
}

// head reads the head of a block and returns how many bytes of the block it is, and how many are data.
func (s *splitter) head(p *part) (head, size int, cause error) {
	b := s.peek(minBlock)
	count, stored, i := blockHead(b)
	if i == faultEnd && len(b) == minBlock {
		count, stored, i = blockHead(s.peek(maxBlockHead))
	}
	switch {
	case i == faultEnd:
		return 0, 0, ErrTruncated
	case i < 0, count < 0, count > maxCount, stored < 0, stored > maxStored:
		return 0, 0, errBlockHead
	}
	p.count = int(count)
	return i, int(stored), nil
}

// blockHead reads the two numbers that a block begins with.
func blockHead(b []byte) (count, size int64, next int) {
	if count, next = long(b, 0); next >= 0 {
		size, next = long(b, next)
	}
	return count, size, next
}

// body takes the data of a block. Where no marker follows, the block is good all the same if its data is: then only the
// marker was hit, and to search for the next one would lose the next block, too.
func (s *splitter) body(p *part, head, size int) (cause error) {
	b := s.peek(head + size + markerSize)
	if len(b) < head+size {
		return ErrTruncated
	}
	stored, marker := b[head:head+size], b[head+size:]
	if !bytes.Equal(marker, s.marker[:]) {
		cut := len(marker) < markerSize
		cause := errBlockMarker
		if cut {
			cause = ErrTruncated
		}
		if err := s.verify(stored, p.count); err != nil {
			if cut {
				return cause
			}
			return fmt.Errorf("%w, and its data is not good: %w", cause, err)
		}
		p.damage = &Damage{Name: s.name, Offset: p.offset, Truncated: cut, Err: cause}
	}
	s.skip(len(b))
	p.end = s.at
	if p.count > 0 {
		p.stored = stored
	}
	return nil
}

// resync moves on from the first byte of a block to behind the next marker, and returns the damage. Where the file ends
// without another marker, a block that was just too long for it is not damaged but truncated.
func (s *splitter) resync(p part, cause error) (part, error) {
	found := s.skipPast(s.marker[:])
	if !found && s.err != io.EOF {
		return part{}, s.err
	}
	if found && cause == ErrTruncated {
		cause = errBlockHead // not the file is too short: the size is wrong
	}
	p.end = s.at
	p.damage = &Damage{
		Name: s.name, Offset: p.offset, Skipped: p.end - p.offset, Lost: p.count, Truncated: !found, Err: cause,
	}
	return p, nil
}

// verify says whether a block inflates and decodes to just count records, with nothing left over.
func (s *splitter) verify(stored []byte, count int) error {
	if s.doubt > maxDoubt {
		return errors.New("not looked at, after too many bad blocks")
	}
	data, rest, err := s.check.inflate(nil, stored, maxInflated)
	if err == nil {
		err = s.decodesTo(data, count)
	}
	if err == nil && rest > 0 {
		err = fmt.Errorf("%d compressed bytes are left over", rest)
	}
	if err != nil {
		s.doubt += len(data)
	}
	return err
}

// decodesTo says whether data is just count records.
func (s *splitter) decodesTo(data []byte, count int) error {
	var rec Record
	for range count {
		n, err := s.dec.Decode(data, &rec)
		if err != nil {
			return err
		}
		data = data[n:]
	}
	if len(data) > 0 {
		return fmt.Errorf("%d bytes are left over", len(data))
	}
	return nil
}
