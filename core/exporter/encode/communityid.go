package encode

import (
	"bytes"
	"crypto/sha1" // what version 1 of the Community ID is made of; it protects nothing
	"encoding/base64"
	"encoding/binary"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Protocol numbers of the IANA registry.
const (
	protoICMP = 1
	protoTCP  = 6
	protoUDP  = 17
	protoSCTP = 132
)

// communityID writes the flow's Community ID. There is none without a protocol or addresses, and none for ICMP, whose
// type and code SysFlow does not record.
func (c *ECS) communityID(o *object, r row) {
	proto := r.ints[sfgo.FL_NETW_PROTO_INT]
	sip, dip := uint32(r.ints[sfgo.FL_NETW_SIP_INT]), uint32(r.ints[sfgo.FL_NETW_DIP_INT])
	if proto < 0 || proto > 255 || proto == protoICMP || sip == 0 && dip == 0 {
		return
	}
	var a, b [4]byte // network order: SysFlow's first octet is the lowest byte
	binary.LittleEndian.PutUint32(a[:], sip)
	binary.LittleEndian.PutUint32(b[:], dip)
	o.key("community_id")
	o.buf = append(o.buf, '"')
	o.buf = appendCommunityID(o.buf, a[:], b[:], uint16(r.ints[sfgo.FL_NETW_SPORT_INT]), uint16(r.ints[sfgo.FL_NETW_DPORT_INT]), byte(proto))
	o.buf = append(o.buf, '"')
}

// appendCommunityID appends version 1 of the Community ID with seed 0, as specified at
// https://github.com/corelight/community-id-spec, of a flow between two addresses of 4 or 16 bytes in network order. It
// is the same in both directions. Ports count for TCP, UDP and SCTP only.
func appendCommunityID(dst, src, dest []byte, sport, dport uint16, proto byte) []byte {
	if d := bytes.Compare(src, dest); d > 0 || d == 0 && sport > dport {
		src, dest, sport, dport = dest, src, dport, sport
	}
	var buf [2 + 16 + 16 + 2 + 4]byte
	text := append(append(buf[:2], src...), dest...) // after the seed, 0
	text = append(text, proto, 0)
	if proto == protoTCP || proto == protoUDP || proto == protoSCTP {
		text = binary.BigEndian.AppendUint16(text, sport)
		text = binary.BigEndian.AppendUint16(text, dport)
	}
	sum := sha1.Sum(text)
	return base64.StdEncoding.AppendEncode(append(dst, "1:"...), sum[:])
}
