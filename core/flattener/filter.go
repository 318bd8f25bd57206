package flattener

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// maxHashes is how many different records a filter remembers.
const maxHashes = 1 << 18

// filter recognizes records that repeat an earlier one. What it remembers of a record is a 64-bit hash: two different
// records are taken for one another with a probability of about 10^-14 for each pair that meets in it.
type filter struct {
	maxAge int64 // ns
	max    int

	index map[uint64]int32 // positions in seen
	seen  []sighting       // a ring, from the oldest to the newest by next; its first element is the anchor
	buf   []byte
}

// sighting is the first record with a hash.
type sighting struct {
	hash       uint64
	ts         int64
	prev, next int32
}

func newFilter(maxAge int64, maxHashes int) *filter {
	return &filter{maxAge: maxAge, max: maxHashes, index: map[uint64]int32{}, seen: make([]sighting, 1)}
}

// repeats says whether a record with the same hash was first seen less than maxAge before this one, by the times of the
// records; if not, this record is the first. Records of Kubernetes events repeat nothing.
func (f *filter) repeats(row *sfgo.FlatRecord) bool {
	ints := row.Ints[sfgo.SYSFLOW_IDX]
	if ints[sfgo.SF_REC_TYPE] == sfgo.K8S_EVT {
		return false
	}
	hash, ts := f.hash(row), ints[sfgo.TS_INT]
	at, ok := f.index[hash]
	if ok && ts-f.seen[at].ts < f.maxAge {
		return true
	}
	switch {
	case ok:
	case len(f.seen) <= f.max:
		at = int32(len(f.seen))
		f.seen = append(f.seen, sighting{prev: at, next: at})
	default:
		at = f.seen[0].next
		delete(f.index, f.seen[at].hash)
	}
	f.index[hash] = at
	s := &f.seen[at]
	s.hash, s.ts = hash, ts
	f.renew(at)
	return false
}

// renew makes a sighting the newest.
func (f *filter) renew(at int32) {
	s := &f.seen[at]
	f.seen[s.prev].next, f.seen[s.next].prev = s.next, s.prev
	s.prev, s.next = f.seen[0].prev, 0
	f.seen[s.prev].next, f.seen[0].prev = at, at
}

// hash returns the hash of what two repeating records have in common. Numbers count as 8 bytes, the lowest first.
func (f *filter) hash(row *sfgo.FlatRecord) uint64 {
	ints, strs := row.Ints[sfgo.SYSFLOW_IDX], row.Strs[sfgo.SYSFLOW_IDX]
	b := append(append(f.buf[:0], strs[sfgo.PROC_EXE_STR]...), strs[sfgo.PROC_EXEARGS_STR]...)
	for _, slot := range [...]sfgo.Attribute{
		sfgo.PROC_UID_INT, sfgo.PROC_GID_INT, sfgo.OPFLAGS_INT, sfgo.PROC_TTY_INT,
	} {
		b = binary.LittleEndian.AppendUint64(b, uint64(ints[slot]))
	}
	switch ints[sfgo.SF_REC_TYPE] {
	case sfgo.NET_FLOW:
		for _, slot := range [...]sfgo.Attribute{
			sfgo.FL_NETW_SIP_INT, sfgo.FL_NETW_DIP_INT, sfgo.FL_NETW_DPORT_INT, sfgo.FL_NETW_PROTO_INT,
		} {
			b = binary.LittleEndian.AppendUint64(b, uint64(ints[slot]))
		}
	case sfgo.FILE_FLOW, sfgo.FILE_EVT:
		b = append(b, strs[sfgo.FILE_PATH_STR]...)
	}
	f.buf = b
	return xxhash.Sum64(b)
}
