package codec_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
)

// TestResync plays traces that are damaged in one place each, and checks the rules one by one.
func TestResync(t *testing.T) {
	type want struct {
		blocks           []int // that come out whole
		part             int   // records of block 1 that come out besides
		lost, damages    int
		skipped, surplus int
		truncated        bool // the last damage ends the trace
		mere             bool // and is nothing but that
		err              string
	}
	const deflate, null = "deflate", "null"
	size := func(m *madeTrace, n int) int { return m.blocks[n].end - m.blocks[n].head }
	// block 1 is replaced by bytes
	replace := func(m *madeTrace, with ...[]byte) []byte {
		return join(m.bytes[:m.blocks[1].head], join(with...), m.bytes[m.blocks[1].end:])
	}
	data := func(m *madeTrace, n int) []byte { return m.bytes[m.blocks[n].data:m.blocks[n].mark] }
	for name, tt := range map[string]struct {
		codec  string
		damage func(m *madeTrace) []byte
		want   func(m *madeTrace) want
	}{
		"1: count below": {deflate, func(m *madeTrace) []byte { return replace(m, frame(-1, data(m, 1))) },
			func(m *madeTrace) want {
				return want{blocks: []int{0, 2, 3}, damages: 1, skipped: size(m, 1), err: "out of range"}
			}},
		"1: count above": {null, func(m *madeTrace) []byte { return replace(m, frame(1<<20+1, data(m, 1))) },
			func(m *madeTrace) want {
				return want{blocks: []int{0, 2, 3}, damages: 1, skipped: size(m, 1) + 3, err: "out of range"}
			}},
		"1: size below": {deflate, func(m *madeTrace) []byte { return replace(m, zig(5, -1), data(m, 1), marker[:]) },
			func(m *madeTrace) want {
				return want{blocks: []int{0, 2, 3}, damages: 1, skipped: size(m, 1) - 1, err: "out of range"}
			}},
		"1: size above": {deflate, func(m *madeTrace) []byte { return replace(m, zig(5, 64<<20+1), data(m, 1), marker[:]) },
			func(m *madeTrace) want {
				return want{blocks: []int{0, 2, 3}, damages: 1, skipped: size(m, 1) + 2, err: "out of range"}
			}},
		"1: count of 65 bits": {deflate, func(m *madeTrace) []byte { return replace(m, long10, zig(3), data(m, 1), marker[:]) },
			func(m *madeTrace) want {
				return want{blocks: []int{0, 2, 3}, damages: 1, skipped: size(m, 1) + 8, err: "out of range"}
			}},
		"1: size past the end": {deflate, func(m *madeTrace) []byte { return replace(m, zig(5, 1<<20), data(m, 1), marker[:]) },
			func(m *madeTrace) want {
				return want{blocks: []int{0, 2, 3}, damages: 1, lost: 5, skipped: size(m, 1) + 2, err: "out of range"}
			}},
		"1: last size past the end": {deflate, func(m *madeTrace) []byte {
			return join(m.bytes[:m.blocks[3].head], zig(5, 1<<20), data(m, 3), marker[:])
		}, func(m *madeTrace) want {
			return want{blocks: []int{0, 1, 2}, damages: 1, lost: 5, skipped: size(m, 3) + 2, err: "out of range"}
		}},
		"1: bytes between blocks": {deflate, func(m *madeTrace) []byte {
			return join(m.bytes[:m.blocks[1].head], zig(-9, -9, -9), m.bytes[m.blocks[1].head:])
		}, func(m *madeTrace) want {
			return want{blocks: []int{0, 2, 3}, damages: 1, skipped: size(m, 1) + 3, err: "out of range"}
		}},
		"2: marker hit": {deflate, func(m *madeTrace) []byte {
			b := bytes.Clone(m.bytes)
			b[m.blocks[1].mark+7] ^= 1
			return b
		}, func(m *madeTrace) want {
			return want{blocks: []int{0, 1, 2, 3}, damages: 1, err: "no sync marker behind the block"}
		}},
		"2: marker hit, no compression": {null, func(m *madeTrace) []byte {
			b := bytes.Clone(m.bytes)
			b[m.blocks[1].mark] ^= 1
			return b
		}, func(m *madeTrace) want {
			return want{blocks: []int{0, 1, 2, 3}, damages: 1, err: "no sync marker behind the block"}
		}},
		"2: last marker hit": {deflate, func(m *madeTrace) []byte {
			b := bytes.Clone(m.bytes)
			b[len(b)-1] ^= 1
			return b
		}, func(m *madeTrace) want {
			return want{blocks: []int{0, 1, 2, 3}, damages: 1, err: "no sync marker behind the block"}
		}},
		"2: marker and data hit": {deflate, func(m *madeTrace) []byte {
			b := bytes.Clone(m.bytes)
			b[m.blocks[1].mark] ^= 1
			b[m.blocks[1].data] |= 7 // no such kind of deflate block
			return b
		}, func(m *madeTrace) want { // the next marker is that of block 2
			return want{blocks: []int{0, 3}, damages: 1, lost: 5, skipped: size(m, 1) + size(m, 2), err: "its data is not good"}
		}},
		"2: marker hit, a record too few": {deflate, func(m *madeTrace) []byte {
			return replace(m, zig(6, int64(len(data(m, 1)))), data(m, 1), make([]byte, 16))
		}, func(m *madeTrace) want {
			return want{blocks: []int{0, 3}, damages: 1, lost: 6, skipped: size(m, 1) + size(m, 2), err: "ends inside"}
		}},
		"2: marker hit, a record too many": {deflate, func(m *madeTrace) []byte {
			return replace(m, zig(4, int64(len(data(m, 1)))), data(m, 1), make([]byte, 16))
		}, func(m *madeTrace) want {
			return want{blocks: []int{0, 3}, damages: 1, lost: 4, skipped: size(m, 1) + size(m, 2), err: "bytes are left over"}
		}},
		"2: size too small": {null, func(m *madeTrace) []byte {
			return replace(m, zig(5, int64(len(data(m, 1))-1)), data(m, 1), marker[:])
		}, func(m *madeTrace) want {
			return want{blocks: []int{0, 2, 3}, damages: 1, lost: 5, skipped: size(m, 1), err: "ends inside"}
		}},
		"2: size too large": {deflate, func(m *madeTrace) []byte { // what is left over is part of the marker
			return replace(m, zig(5, int64(len(data(m, 1))+3)), data(m, 1), marker[:])
		}, func(m *madeTrace) want {
			return want{blocks: []int{0, 2, 3}, damages: 1, lost: 5, skipped: size(m, 1), err: "3 compressed bytes are left over"}
		}},
		"2: no records, but data": {null, func(m *madeTrace) []byte {
			return replace(m, zig(0, 3), []byte("abc"), make([]byte, 16), marker[:])
		}, func(m *madeTrace) want {
			return want{blocks: []int{0, 2, 3}, damages: 1, skipped: 2 + 3 + 16 + 16, err: "3 bytes are left over"}
		}},
		"2: no records, marker hit": {null, func(m *madeTrace) []byte { return replace(m, zig(0, 0), make([]byte, 16)) },
			func(m *madeTrace) want {
				return want{blocks: []int{0, 2, 3}, damages: 1, err: "no sync marker"}
			}},
		"3: inflating fails at once": {deflate, func(m *madeTrace) []byte { return replace(m, frame(5, []byte("\xff\xff"))) },
			func(m *madeTrace) want {
				return want{blocks: []int{0, 2, 3}, damages: 1, lost: 5, err: "corrupt"}
			}},
		"3: compressed data ends early": {deflate, func(m *madeTrace) []byte {
			return replace(m, frame(5, data(m, 1)[:len(data(m, 1))*2/3]))
		}, func(m *madeTrace) want {
			return want{blocks: []int{0, 2, 3}, part: 3, damages: 1, lost: 2, err: "unexpected EOF"}
		}},
		"3: data ends early": {null, func(m *madeTrace) []byte { return replace(m, frame(5, data(m, 1)[:len(data(m, 1))-1])) },
			func(m *madeTrace) want {
				return want{blocks: []int{0, 2, 3}, part: 4, damages: 1, lost: 1, err: "ends inside"}
			}},
		"3: a record is bad": {null, func(m *madeTrace) []byte {
			b := bytes.Clone(data(m, 1))
			b[len(b)/5*3] = 0x7f // index in the union
			return replace(m, frame(5, b))
		}, func(m *madeTrace) want {
			return want{blocks: []int{0, 2, 3}, part: 3, damages: 1, lost: 2, err: "union index"}
		}},
		"3: fewer records than promised": {deflate, func(m *madeTrace) []byte { return replace(m, frame(7, data(m, 1))) },
			func(m *madeTrace) want {
				return want{blocks: []int{0, 1, 2, 3}, damages: 1, lost: 2, err: "ends inside"}
			}},
		"more records than promised": {deflate, func(m *madeTrace) []byte { return replace(m, frame(4, data(m, 1))) },
			func(m *madeTrace) want {
				return want{blocks: []int{0, 2, 3}, part: 4, surplus: 1}
			}},
		"4: no marker in the rest": {deflate, func(m *madeTrace) []byte {
			return join(m.bytes[:m.blocks[2].head], zig(-1), bytes.Repeat([]byte("nothing "), 50_000))
		}, func(m *madeTrace) want {
			return want{blocks: []int{0, 1}, damages: 1, skipped: 400_001, truncated: true, err: "out of range"}
		}},
		"4: bad block at the end, cut": {deflate, func(m *madeTrace) []byte {
			return join(m.bytes[:m.blocks[3].head], zig(5, int64(len(data(m, 3))+1)), data(m, 3), marker[:15])
		}, func(m *madeTrace) want {
			return want{blocks: []int{0, 1, 2}, damages: 1, lost: 5, skipped: size(m, 3) - 1, truncated: true, mere: true, err: "ends inside a block"}
		}},
		"4: bytes behind the last block": {deflate, func(m *madeTrace) []byte { return join(m.bytes, []byte("\x01garbage")) },
			func(m *madeTrace) want {
				return want{blocks: []int{0, 1, 2, 3}, damages: 1, skipped: 8, truncated: true, err: "out of range"}
			}},
		"blocks without records": {deflate, func(m *madeTrace) []byte {
			return join(replace(m, frame(0, nil), m.bytes[m.blocks[1].head:m.blocks[1].end], frame(0, []byte("skipped"))), frame(0, nil))
		}, func(m *madeTrace) want {
			return want{blocks: []int{0, 1, 2, 3}}
		}},
		"numbers longer than they need be": {null, func(m *madeTrace) []byte {
			size := len(data(m, 1))
			count := []byte{0x80 | 10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0}
			sizes := []byte{byte(size<<1) | 0x80, byte(size<<1>>7) | 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0}
			return replace(m, count, sizes, data(m, 1), marker[:])
		}, func(m *madeTrace) want {
			return want{blocks: []int{0, 1, 2, 3}}
		}},
		"a damage in each of two blocks": {deflate, func(m *madeTrace) []byte {
			b := replace(m, frame(-1, data(m, 1)))
			b[len(b)-1] ^= 1
			return b
		}, func(m *madeTrace) want {
			return want{blocks: []int{0, 2, 3}, damages: 2, skipped: size(m, 1), err: "out of range"}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			m := makeTrace(t, tt.codec, 4, 5)
			want := tt.want(m)
			for _, workers := range []int{1, 3} {
				p := play(t, bytes.NewReader(tt.damage(m)), workers)
				if p.openErr != nil || p.err != nil {
					t.Fatal(p.openErr, p.err)
				}
				records := m.records(want.blocks...)
				if want.part > 0 { // between blocks 0 and 2
					records = join3(m.records(0), m.records(1)[:want.part], m.records(want.blocks[1:]...))
				}
				if !reflect.DeepEqual(p.records, records) {
					t.Errorf("%d records, want %d", len(p.records), len(records))
				}
				if len(p.damages) != want.damages || p.lost != want.lost || p.skipped != int64(want.skipped) || p.surplus != want.surplus {
					t.Fatalf("%d damages, %d lost, %d skipped, %d with a surplus, want %+v\n%v",
						len(p.damages), p.lost, p.skipped, p.surplus, want, p.damages)
				}
				if want.damages == 0 {
					continue
				}
				d := p.damages[0]
				if d.Name != "trace.sf" || !strings.Contains(d.Err.Error(), want.err) || d.Truncated != want.truncated ||
					errors.Is(d.Err, codec.ErrTruncated) != want.mere {
					t.Errorf("damage is %+v, want %+v", d, want)
				}
				if at := int(d.Offset); at != m.blocks[1].head && at != m.blocks[2].head && at != m.blocks[3].head && at != len(m.bytes) {
					t.Errorf("damage is at %d, which is no block", at)
				}
			}
		})
	}
}

func join3(a, b, c []string) []string {
	return append(append(append([]string(nil), a...), b...), c...)
}

// TestTruncation cuts a trace at every byte: what comes before the cut is whole, and that the trace is cut is noticed
// unless it is between blocks. A block that lacks nothing but its marker is whole, too.
func TestTruncation(t *testing.T) {
	for _, compression := range codecs {
		t.Run(compression, func(t *testing.T) {
			m := makeTrace(t, compression, 4, 3)
			for cut := range len(m.bytes) + 1 {
				if cut < m.blocks[0].head && cut > 100 && cut < m.blocks[0].head-100 {
					continue // the schema, byte by byte: slow, and all the same
				}
				p := play(t, bytes.NewReader(m.bytes[:cut]), 1)
				switch {
				case cut < 4:
					if !errors.Is(p.openErr, codec.ErrNotTrace) {
						t.Fatalf("cut at %d: %v", cut, p.openErr)
					}
					continue
				case cut < m.blocks[0].head:
					if !errors.Is(p.openErr, codec.ErrTruncated) {
						t.Fatalf("cut at %d: %v", cut, p.openErr)
					}
					continue
				}
				var want []string
				between, lost := false, 0
				for _, b := range m.blocks {
					if cut >= b.mark {
						want = append(want, b.records...)
					} else if cut > b.head+1 && cut > b.head { // the head may be readable
						lost = b.count
					}
					between = between || cut == b.head || cut == b.end
					if cut <= b.end {
						break
					}
				}
				if !reflect.DeepEqual(p.records, want) {
					t.Fatalf("cut at %d: %d records, want %d", cut, len(p.records), len(want))
				}
				if between {
					if len(p.damages) > 0 {
						t.Fatalf("cut at %d, between blocks: %v", cut, p.damages)
					}
					continue
				}
				if len(p.damages) != 1 || p.damaged > 0 || !p.damages[0].Truncated || p.lost != 0 && p.lost != lost {
					t.Fatalf("cut at %d: %v", cut, p.damages)
				}
			}
		})
	}
}

// TestFlips changes every bit of the blocks of a deflated trace, and a bit of every byte for other compressions. Never may more than the block that was hit suffer, and if it lost
// anything, that is reported, with the number of records that are missing, unless it is the number itself that was hit.
func TestFlips(t *testing.T) {
	for _, compression := range codecs {
		t.Run(compression, func(t *testing.T) {
			m := makeTrace(t, compression, 3, 3)
			all := m.all()
			for at := m.blocks[0].head; at < len(m.bytes); at++ {
				hit := 0
				for at >= m.blocks[hit].end {
					hit++
				}
				for bit := range 8 {
					if compression != "deflate" && bit != at%8 {
						continue
					}
					m.bytes[at] ^= 1 << bit
					p := play(t, bytes.NewReader(m.bytes), 1)
					m.bytes[at] ^= 1 << bit
					if p.openErr != nil || p.err != nil {
						t.Fatalf("byte %d, bit %d: %v, %v", at, bit, p.openErr, p.err)
					}
					checkFlip(t, fmt.Sprintf("byte %d, bit %d", at, bit), m, hit, at, p, all)
				}
			}
		})
	}
}

// checkFlip checks what became of a trace that was hit in one block.
func checkFlip(t *testing.T, where string, m *madeTrace, hit, at int, p *played, all []string) {
	t.Helper()
	before, after := all[:hit*3], all[hit*3+3:]
	if n := len(p.records); n < len(before)+len(after) ||
		!reflect.DeepEqual(p.records[:len(before)], before) || !reflect.DeepEqual(p.records[n-len(after):], after) {
		t.Fatalf("%s: a block that was not hit is not whole: %d records, %v", where, n, p.damages)
	}
	missing := len(all) - len(p.records)
	switch b := m.blocks[hit]; {
	case at >= b.mark:
		if missing != 0 || len(p.damages) != 1 {
			t.Fatalf("%s: %d records missing, though only a marker was hit; %v", where, missing, p.damages)
		}
	case at >= b.data:
		if missing != p.lost {
			t.Fatalf("%s: %d records missing, %d reported", where, missing, p.lost)
		}
	default: // head: if the number is smaller, the block has a surplus; if it cannot be read, the loss is not known
		none := at == b.head && len(p.damages) == 0 && missing == 3 // changed to 0: that is allowed, and passed over
		if missing > 0 && !none && len(p.damages) == 0 && p.surplus == 0 {
			t.Fatalf("%s: %d records missing, nothing reported", where, missing)
		}
	}
}

// TestRandomDamage damages traces in many places at once, in ways of all kinds. Whatever happens, it has to end, without
// more records than were promised, and with the same result for any number of workers.
func TestRandomDamage(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	for round := range 200 {
		m := makeTrace(t, codecs[round%4], 2+rng.IntN(6), 1+rng.IntN(8))
		b := bytes.Clone(m.bytes)
		from := m.blocks[0].head
		if round%10 == 0 {
			from = 0
		}
		for range 1 + rng.IntN(6) {
			at := from + rng.IntN(len(b)-from)
			switch n := rng.IntN(30); rng.IntN(4) {
			case 0:
				b[at] ^= 1 << rng.IntN(8)
			case 1: // bytes are gone
				b = append(b[:at:at], b[min(at+n, len(b)):]...)
			case 2: // bytes are new
				b = join(b[:at], bytes.Repeat([]byte{byte(rng.Uint32())}, n), b[at:])
			case 3: // bytes are there twice
				b = join(b[:at], b[from:min(at+n, len(b))], b[at:])
			}
			if len(b) <= from {
				break
			}
		}
		one, four := play(t, bytes.NewReader(b), 1), play(t, bytes.NewReader(b), 4)
		if !reflect.DeepEqual(one.records, four.records) || len(one.damages) != len(four.damages) || one.lost != four.lost {
			t.Fatalf("round %d: one worker: %d records, %v\nfour: %d records, %v", round,
				len(one.records), one.damages, len(four.records), four.damages)
		}
	}
}

// TestMarkerInHeader hits the marker in the header of a file: then no block has the right one, and each is good all the
// same.
func TestMarkerInHeader(t *testing.T) {
	m := makeTrace(t, "deflate", 5, 4)
	m.bytes[m.blocks[0].head-1] ^= 1
	p := play(t, bytes.NewReader(m.bytes), 2)
	if !reflect.DeepEqual(p.records, m.all()) || p.damaged != 5 || p.lost != 0 {
		t.Errorf("%d records, %v", len(p.records), p.damages)
	}
}

// TestHostileMarkers reads a file in which each of many thousand blocks claims to be much longer than it is, so that it
// takes a look at a megabyte to find out that it is not.
func TestHostileMarkers(t *testing.T) {
	const n = 20_000
	fake := join(zig(1, 390_001), marker[:])
	schema := schemaText(t, codec.CurrentSchema)
	p := play(t, bytes.NewReader(container("null", schema, bytes.Repeat(fake, n))), 1)
	if p.damaged != n || len(p.records) > 0 {
		t.Errorf("%d damages, want %d; %d records", p.damaged, n, len(p.records))
	}
}

// TestFault reports what the receiver of a block says about it, once, and nothing it does not know.
func TestFault(t *testing.T) {
	m := makeTrace(t, "deflate", 3, 5)
	bad := errors.New("no good")
	var got []string
	r, err := codec.NewReader(bytes.NewReader(m.bytes), "t", &codec.ReaderOptions{OnDamage: func(d codec.Damage) {
		got = append(got, fmt.Sprintf("%d lost at %d: %v", d.Lost, d.Offset, d.Err))
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var blocks []*plugins.Block
	for range m.blocks {
		b, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, b)
	}
	blocks[1].Fault(3, bad)
	for _, b := range blocks {
		b.Release()
	}
	if want := fmt.Sprintf("[2 lost at %d: no good]", m.blocks[1].head); fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
