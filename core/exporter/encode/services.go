package encode

import (
	"strconv"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// appendServices appends the services of a pod as documents show them.
func appendServices(dst []byte, services []*sfgo.Service) []byte {
	dst = append(dst, '[')
	for i, s := range services {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(append(dst, `{"id":`...), s.Id)
		dst = appendString(append(dst, `,"name":`...), s.Name)
		dst = appendString(append(dst, `,"namespace":`...), s.Namespace)
		dst = append(dst, `,"clusterIP":[`...)
		for j, ip := range s.ClusterIP {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = append(field.AppendIPv4(append(dst, '"'), ip), '"')
		}
		dst = append(dst, `],"ports":[`...)
		for j, p := range s.PortList {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = strconv.AppendInt(append(dst, `{"port":`...), int64(p.Port), 10)
			dst = strconv.AppendInt(append(dst, `,"targetport":`...), int64(p.TargetPort), 10)
			dst = strconv.AppendInt(append(dst, `,"nodeport":`...), int64(p.NodePort), 10)
			dst = append(appendString(append(dst, `,"proto":`...), p.Proto), '}')
		}
		dst = append(dst, "]}"...)
	}
	return append(dst, ']')
}
