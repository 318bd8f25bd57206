package codec

import "sync"

// maxDecoders is how many decoders are remembered. There are eleven schemas in the wild.
const maxDecoders = 32

// Decoders makes decoders and remembers them by the text of their schema: files of one collector, and connections, share
// one. The zero value is ready for use, by any number of goroutines.
type Decoders struct {
	mu sync.Mutex
	m  map[string]*Decoder
}

// Get returns the decoder for a writer schema; see [NewDecoder]. It is made while others wait: that takes less than a
// millisecond.
func (d *Decoders) Get(writerSchema string) (*Decoder, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if dec := d.m[writerSchema]; dec != nil {
		return dec, nil
	}
	dec, err := NewDecoder(writerSchema)
	if err != nil {
		return nil, err
	}
	if d.m == nil || len(d.m) == maxDecoders {
		d.m = make(map[string]*Decoder) // so many schemas are no work of collectors: start anew
	}
	d.m[writerSchema] = dec
	return dec, nil
}
