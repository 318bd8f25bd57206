package encode

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// network writes the connection, its two ends and what the local process did on it.
func (c *ECS) network(o *object, r row) {
	sip, dip := uint32(r.ints[sfgo.FL_NETW_SIP_INT]), uint32(r.ints[sfgo.FL_NETW_DIP_INT])
	rbytes, wbytes := r.ints[sfgo.NUMRRECVBYTES_INT], r.ints[sfgo.NUMWSENDBYTES_INT]

	at := o.open("network")
	o.int("bytes", rbytes+wbytes)
	c.communityID(o, r)
	switch {
	case r.does(sfgo.OP_ACCEPT):
		o.str("direction", "ingress")
	case r.does(sfgo.OP_CONNECT):
		o.str("direction", "egress")
	}
	proto := r.ints[sfgo.FL_NETW_PROTO_INT]
	if proto != -1 {
		o.key("iana_number")
		o.buf = append(strconv.AppendInt(append(o.buf, '"'), proto, 10), '"')
	}
	o.str("transport", transport(proto))
	o.str("type", "ipv4")
	o.close(at)

	sent, received := wbytes, rbytes // by the source
	if localIsDestination(r, sip, dip) {
		sent, received = rbytes, wbytes
	}
	end(o, "source", sip, r.ints[sfgo.FL_NETW_SPORT_INT], sent)
	end(o, "destination", dip, r.ints[sfgo.FL_NETW_DPORT_INT], received)
	c.counters(o, "sf_net_action", r, true)
}

// end writes one end of a connection and how many bytes it sent.
func end(o *object, key string, ip uint32, port, sent int64) {
	at := o.open(key)
	address(o, "address", ip)
	o.int("bytes", sent)
	address(o, "ip", ip)
	o.int("port", port)
	o.close(at)
}

func address(o *object, key string, ip uint32) {
	o.key(key)
	o.buf = append(field.AppendIPv4(append(o.buf, '"'), int64(ip)), '"')
}

// transport returns ECS's name for a protocol number, or nothing if it has none.
func transport(proto int64) string {
	switch proto {
	case protoTCP:
		return "tcp"
	case protoUDP:
		return "udp"
	case protoICMP:
		return "icmp"
	}
	return ""
}

// localIsDestination says whether the local process is at the destination's end. A flow that shows neither its accept
// nor its connect is decided by the addresses, as far as just one of them is known to be local.
func localIsDestination(r row, sip, dip uint32) bool {
	switch {
	case r.does(sfgo.OP_ACCEPT):
		return true
	case r.does(sfgo.OP_CONNECT):
		return false
	default:
		return isLocal(r, dip) && !isLocal(r, sip)
	}
}

// isLocal says whether ip is the address of the node or of the record's pod.
func isLocal(r row, ip uint32) bool {
	if node, err := netip.ParseAddr(r.str(sfgo.SFHE_IP_STR)); err == nil && node.Is4() {
		if a := node.As4(); ip == uint32(a[0])|uint32(a[1])<<8|uint32(a[2])<<16|uint32(a[3])<<24 {
			return true
		}
	}
	anys := r.rec.Anys[sfgo.SYSFLOW_IDX]
	for _, a := range []sfgo.Attribute{sfgo.POD_HOSTIP_ANY, sfgo.POD_INTERNALIP_ANY} {
		if ips, ok := anys[a].([]int64); ok && slices.ContainsFunc(ips, func(v int64) bool { return uint32(v) == ip }) {
			return true
		}
	}
	return false
}
