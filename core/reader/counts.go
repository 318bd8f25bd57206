package reader

import (
	"sync/atomic"

	"github.com/sysflow-telemetry/sf-processor/core/entity"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Counters. Those of records come first, at the number of the record type.
const (
	bytesRead = int(sfgo.UNKNOWN_TYPE) + iota

	lostDecode   // records that a block promised and that could not be decoded
	lostShutdown // records that were not handed on because the program ended

	badRecord
	badBlock
	leftover
	unknownType
	forgottenStream

	missingHeader
	missingParent
	missing // and one more for each kind of entity

	held      = missing + int(entity.Kinds)
	evicted   = held + int(entity.Kinds)
	expired   = evicted + int(entity.Kinds)
	nCounters = expired + 1
)

// recordCodes are the short names of the record types.
var recordCodes = [sfgo.UNKNOWN_TYPE]string{"H", "C", "P", "F", "PE", "NF", "FF", "FE", "NE", "PF", "PD", "KE"}

func counterNames() [nCounters]string {
	names := [nCounters]string{
		bytesRead:       "bytes",
		lostDecode:      "lost.decode",
		lostShutdown:    "lost.shutdown",
		badRecord:       "anomalies.bad_record",
		badBlock:        "anomalies.bad_block",
		leftover:        "anomalies.leftover",
		unknownType:     "anomalies.unknown_type",
		forgottenStream: "anomalies.forgotten_stream",
		missingHeader:   "anomalies.no_header",
		missingParent:   "anomalies.missing_parent",
		expired:         "expired." + entity.Process.String(),
	}
	for t, code := range recordCodes {
		names[t] = "records." + code
	}
	for k := range entity.Kinds {
		names[missing+int(k)] = "anomalies.missing_" + k.String()
		names[held+int(k)] = "entities." + k.String()
		names[evicted+int(k)] = "evicted." + k.String()
	}
	return names
}

// counts are the stage's counters: n belongs to the stage, and is copied for all to see once per block.
type counts struct {
	n         [nCounters]uint64
	published [nCounters]atomic.Uint64
}

func (c *counts) publish() {
	for i := range c.n {
		c.published[i].Store(c.n[i])
	}
}

func (c *counts) yield(yield func(name string, value uint64)) {
	for i, name := range counterNames() {
		yield(name, c.published[i].Load())
	}
}

// add accounts for what happened in a table since its counters were was. It says whether references were missing.
func (c *counts) add(was, now *entity.Stats) bool {
	before := c.missing()
	c.n[missingHeader] += now.MissingHeader - was.MissingHeader
	c.n[missingParent] += now.MissingParent - was.MissingParent
	c.n[expired] += now.Expired - was.Expired
	for k := range entity.Kinds {
		c.n[missing+int(k)] += now.Missing[k] - was.Missing[k]
		c.n[evicted+int(k)] += now.Evicted[k] - was.Evicted[k]
		c.n[held+int(k)] += uint64(now.Held[k]) - uint64(was.Held[k])
	}
	return c.missing() != before
}

// missing returns the sum of all missing references.
func (c *counts) missing() uint64 {
	sum := uint64(0)
	for _, v := range c.n[missingHeader:held] {
		sum += v
	}
	return sum
}

// forget takes the entities of a table that is dropped from the counters.
func (c *counts) forget(now *entity.Stats) {
	for k := range entity.Kinds {
		c.n[held+int(k)] -= uint64(now.Held[k])
	}
}
