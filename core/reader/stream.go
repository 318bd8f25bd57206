package reader

import (
	"fmt"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/entity"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// maxStreams is how many streams are remembered at a time. Drivers end their streams, so only one that fails to comes
// near: then the stream used least recently is forgotten.
const maxStreams = 256

// streams are the streams that records have come from and may come again.
type streams struct {
	opts     entity.Options
	decoders codec.Decoders
	m        map[*plugins.Stream]*stream
	clock    uint64
}

// stream is what is remembered of a stream.
type stream struct {
	table *entity.Table
	stats entity.Stats   // of the table, as last accounted for
	dec   *codec.Decoder // nil until the first block of bytes
	used  uint64
}

func newStreams(opts entity.Options) streams {
	return streams{opts: opts, m: map[*plugins.Stream]*stream{}}
}

// get returns what is remembered of a stream. If there was no room for a new one, forgotten is the one that had to go.
func (s *streams) get(key *plugins.Stream) (st, forgotten *stream) {
	s.clock++
	st = s.m[key]
	if st == nil {
		if len(s.m) == maxStreams {
			forgotten = s.drop(s.oldest())
		}
		st = &stream{table: entity.NewTable(s.opts)}
		s.m[key] = st
	}
	st.used = s.clock
	return st, forgotten
}

func (s *streams) oldest() *plugins.Stream {
	var oldest *plugins.Stream
	for key, st := range s.m {
		if oldest == nil || st.used < s.m[oldest].used {
			oldest = key
		}
	}
	return oldest
}

// drop forgets a stream and returns what was remembered.
func (s *streams) drop(key *plugins.Stream) *stream {
	st := s.m[key]
	delete(s.m, key)
	return st
}

// decoder returns the decoder for a stream's bytes.
func (s *streams) decoder(key *plugins.Stream, st *stream) (*codec.Decoder, error) {
	var err error
	if st.dec == nil {
		st.dec, err = s.decoders.Get(key.Schema)
	}
	return st.dec, err
}

// converter turns structures into decoded records by way of their bytes, which also checks them.
type converter struct {
	enc *codec.Encoder
	dec *codec.Decoder
	buf []byte
}

func newConverter() (*converter, error) {
	schema, _ := codec.Schema(codec.CurrentSchema)
	dec, err := codec.NewDecoder(schema)
	if err != nil {
		return nil, fmt.Errorf("records of custom drivers: %w", err)
	}
	enc, err := codec.NewEncoder(codec.CurrentSchema)
	if err != nil {
		return nil, fmt.Errorf("records of custom drivers: %w", err)
	}
	return &converter{enc: enc, dec: dec}, nil
}

// convert fills rec, which holds until the next call.
func (c *converter) convert(sf *sfgo.SysFlow, rec *codec.Record) error {
	var err error
	if c.buf, err = c.enc.Append(c.buf[:0], sf); err != nil {
		return err
	}
	_, err = c.dec.Decode(c.buf, rec)
	return err
}
