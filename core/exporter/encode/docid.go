package encode

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// fieldSeparator stands between the texts that a document id is the hash of.
const fieldSeparator = 0x1f

// AppendID appends the document id of a record: the first half of a SHA-256, in 32 hexadecimal digits, over what tells
// the record from all others. A record has the same id whenever it is encoded. scratch is reused memory, returned for
// the next call.
func (c *ECS) AppendID(dst, scratch []byte, rec *sfgo.FlatRecord) (id, scratchOut []byte) {
	text := c.identity(scratch[:0], row{rec.Ints[sfgo.SYSFLOW_IDX], rec.Strs[sfgo.SYSFLOW_IDX], rec})
	sum := sha256.Sum256(text)
	return hex.AppendEncode(dst, sum[:16]), text
}

// identity appends the text whose hash is the record's id.
func (c *ECS) identity(b []byte, r row) []byte {
	str := func(s string) { b = append(append(b, fieldSeparator), s...) }
	num := func(v int64) { b = strconv.AppendInt(append(b, fieldSeparator), v, 10) }

	b = append(b, '1')
	str(c.read.recordType.Str(r.rec))
	str(r.str(sfgo.SFHE_EXPORTER_STR))
	str(r.str(sfgo.CONT_ID_STR))
	num(r.ints[sfgo.TS_INT])
	num(exportedEnd(r))
	num(r.ints[sfgo.PROC_OID_HPID_INT])
	num(r.ints[sfgo.PROC_OID_CREATETS_INT])
	num(r.ints[sfgo.TID_INT])
	num(r.ints[sfgo.OPFLAGS_INT])
	switch r.kind() {
	case sfgo.PROC_EVT:
		num(r.ints[sfgo.RET_INT])
	case sfgo.FILE_FLOW:
		str(r.str(sfgo.FILE_OID_STR))
		num(r.ints[sfgo.FD_INT])
	case sfgo.FILE_EVT:
		str(r.str(sfgo.FILE_OID_STR))
		str(r.str(sfgo.SEC_FILE_OID_STR))
		num(r.ints[sfgo.RET_INT])
	case sfgo.NET_FLOW:
		b = field.AppendIPv4(append(b, fieldSeparator), r.ints[sfgo.FL_NETW_SIP_INT])
		num(r.ints[sfgo.FL_NETW_SPORT_INT])
		b = field.AppendIPv4(append(b, fieldSeparator), r.ints[sfgo.FL_NETW_DIP_INT])
		num(r.ints[sfgo.FL_NETW_DPORT_INT])
		num(r.ints[sfgo.FL_NETW_PROTO_INT])
	case sfgo.K8S_EVT:
		str(c.read.k8sAction.Str(r.rec))
		str(c.read.k8sKind.Str(r.rec))
		str(r.str(sfgo.K8SE_MESSAGE_STR))
	}
	return b
}

// exportedEnd returns the end of the record as the JSON document shows it: 0 for events of processes and files.
func exportedEnd(r row) int64 {
	switch r.kind() {
	case sfgo.NET_FLOW, sfgo.FILE_FLOW, sfgo.PROC_FLOW:
		return r.ints[sfgo.ENDTS_INT]
	case sfgo.K8S_EVT:
		return r.ints[sfgo.TS_INT]
	}
	return 0
}
