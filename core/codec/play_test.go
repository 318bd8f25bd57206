package codec_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
)

// played is what became of a trace.
type played struct {
	records  []string // as bytes
	surplus  int      // blocks with bytes behind their last record
	damages  []codec.Damage
	damaged  int // damages that are not just truncation
	lost     int
	skipped  int64
	openErr  error
	err      error // what reading ended with, nil for io.EOF
	offset   int64 // of the reader at the end
	lastSeen bool
}

// decoders spares tests that play many traces to make many decoders.
var decoders codec.Decoders

// play reads and decodes a trace like the stages that do so in earnest.
func play(t testing.TB, r io.Reader, workers int) *played {
	t.Helper()
	p := &played{}
	rd, err := codec.NewReader(r, "trace.sf", &codec.ReaderOptions{Workers: workers, OnDamage: p.damage, Decoders: &decoders})
	if err != nil {
		p.openErr = err
		return p
	}
	defer rd.Close()
	d, err := decoders.Get(rd.Stream().Schema)
	if err != nil {
		t.Fatal(err)
	}
	var rec codec.Record
	for {
		b, err := rd.Next(context.Background())
		if err == io.EOF {
			break
		}
		if err != nil {
			p.err = err
			break
		}
		if p.lastSeen || b.Stream != rd.Stream() || b.Last != (b.Count == 0) {
			t.Fatalf("block at %d: last %v, %d records", b.Offset, b.Last, b.Count)
		}
		p.lastSeen = b.Last
		p.block(d, b, &rec)
	}
	p.offset = rd.Offset()
	if p.err == nil && !p.lastSeen {
		t.Fatal("the stream did not end with a last block")
	}
	return p
}

// block decodes a block and releases it.
func (p *played) block(d *codec.Decoder, b *plugins.Block, rec *codec.Record) {
	data := b.Data
	for i := range b.Count {
		n, err := d.Decode(data, rec)
		if err != nil {
			b.Fault(i, err)
			data = nil
			break
		}
		p.records = append(p.records, string(data[:n]))
		data = data[n:]
	}
	if len(data) > 0 {
		p.surplus++
	}
	if b.Release != nil {
		clear(b.Data) // whoever still looks at it, sees it
		b.Release()
	}
}

func (p *played) damage(d codec.Damage) {
	p.damages = append(p.damages, d)
	p.lost += d.Lost
	p.skipped += d.Skipped
	if !errors.Is(d.Err, codec.ErrTruncated) {
		p.damaged++
	}
}

// madeTrace is a trace made for a test.
type madeTrace struct {
	bytes  []byte
	schema string
	blocks []madeBlock
}

// madeBlock is where a block is.
type madeBlock struct {
	head, data, mark, end int // positions in the file
	count                 int
	records               []string
}

// makeTrace makes a trace of some blocks of some flows each.
func makeTrace(t testing.TB, compression string, blocks, perBlock int) *madeTrace {
	t.Helper()
	var buf bytes.Buffer
	w, err := codec.NewWriter(&buf, &codec.WriterConfig{Codec: compression, Sync: marker})
	if err != nil {
		t.Fatal(err)
	}
	m := &madeTrace{schema: schemaText(t, codec.CurrentSchema)}
	o, err := codec.NewEncoder(codec.CurrentSchema)
	if err != nil {
		t.Fatal(err)
	}
	for b := range blocks {
		at := madeBlock{head: buf.Len(), count: perBlock}
		for i := range perBlock {
			sf := flow(int64(b*perBlock + i))
			if err := w.Write(sf); err != nil {
				t.Fatal(err)
			}
			data, err := o.Append(nil, sf)
			if err != nil {
				t.Fatal(err)
			}
			at.records = append(at.records, string(data))
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		at.end = buf.Len()
		at.mark = at.end - len(marker)
		m.blocks = append(m.blocks, at)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	m.bytes = buf.Bytes()
	for i := range m.blocks {
		b := &m.blocks[i]
		b.data = b.head
		for range 2 { // two numbers
			for m.bytes[b.data] >= 0x80 {
				b.data++
			}
			b.data++
		}
	}
	return m
}

// records returns what the blocks with these numbers hold.
func (m *madeTrace) records(blocks ...int) []string {
	var all []string
	for _, b := range blocks {
		all = append(all, m.blocks[b].records...)
	}
	return all
}

// all returns what all blocks hold.
func (m *madeTrace) all() []string {
	var all []string
	for _, b := range m.blocks {
		all = append(all, b.records...)
	}
	return all
}

// frame is a block as it is in a file.
func frame(count int64, data []byte) []byte {
	return join(zig(count, int64(len(data))), data, marker[:])
}

// container is the head of a file with this schema, followed by blocks.
func container(compression, schema string, blocks ...[]byte) []byte {
	return join([]byte("Obj\x01"), zig(2), text("avro.codec", compression, "avro.schema", schema), zig(0), marker[:], join(blocks...))
}
