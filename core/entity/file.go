package entity

import (
	"encoding/hex"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// fileCost is what a file takes besides its text: its cell and its place in the map, in bytes.
const fileCost = 256

// putFile replaces or adds a file. A record that says nothing new only counts as use.
func (t *Table) putFile(f *codec.File) {
	c := t.files[f.OID]
	if c != nil {
		if c.e.says(f) {
			t.fileLRU.touch(c)
			return
		}
		t.fileLRU.remove(c)
	} else {
		c = &cell[FileRow]{}
		t.files[f.OID] = c
	}
	c.e = t.newFileRow(f)
	c.cost = fileCost + len(c.e.Strs[0]) + len(c.e.path) + len(c.e.Strs[2])
	t.fileLRU.add(c)
	for s := t.fileLRU.surplus(); s != nil; s = t.fileLRU.surplus() {
		t.stats.Evicted[File]++
		t.fileLRU.remove(s)
		delete(t.files, s.e.oid)
	}
}

// resolveFile returns a file, or nil, and counts it as used or missing.
func (t *Table) resolveFile(oid *sfgo.FOID) *FileRow {
	c := t.files[*oid]
	if c == nil {
		t.stats.Missing[File]++
		return nil
	}
	t.fileLRU.touch(c)
	return &c.e
}

func (t *Table) newFileRow(f *codec.File) FileRow {
	id, shared := t.containerName(f.ContainerID.Bytes)
	t.buf = append(hex.AppendEncode(t.buf[:0], f.OID[:]), f.Path...)
	if !shared {
		t.buf = append(t.buf, f.ContainerID.Bytes...)
	}
	all := t.text()
	oid, all := all[:2*len(f.OID)], all[2*len(f.OID):]
	path := all[:len(f.Path)]
	if !shared {
		id = all[len(f.Path):]
	}
	return FileRow{
		Ints:   [3]int64{int64(f.State), f.TS, int64(f.ResType)},
		Strs:   [3]string{oid, strings.TrimSpace(path), id},
		oid:    f.OID,
		path:   path,
		inCont: f.ContainerID.Valid,
	}
}

// says tells whether the record r says what the row does.
func (f *FileRow) says(r *codec.File) bool {
	return f.Ints == [3]int64{int64(r.State), r.TS, int64(r.ResType)} && f.path == string(r.Path) &&
		f.Strs[2] == string(r.ContainerID.Bytes) && f.inCont == r.ContainerID.Valid
}

// text returns what has been collected in the table's buffer.
func (t *Table) text() string {
	s := string(t.buf)
	if cap(t.buf) > maxBuf {
		t.buf = nil // it was an exception
	}
	return s
}
