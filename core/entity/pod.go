package entity

import (
	"encoding/json"
	"net/netip"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Bytes that the parts of a pod take besides their text.
const (
	podCost     = 768
	pairCost    = 64  // a label or selector, in a map
	serviceCost = 256 // with its JSON text
	portCost    = 128
	addrCost    = 48
)

// pod is the cell of a pod. Without a row it stands for one that only containers know.
type pod struct {
	id    string
	row   *PodRow
	conts int // containers that refer to it
}

// putPod replaces or adds a pod.
func (t *Table) putPod(rec *codec.Record) {
	p := &rec.Pod
	c := t.pods[string(p.ID)]
	if c == nil {
		c = t.newPod(p.ID)
	}
	t.gen++
	if c.listed() {
		t.podLRU.remove(c)
	}
	c.e.row = newPodRow(rec.SysFlow().Rec.Pod)
	c.cost = costOfPod(p)
	t.podLRU.add(c)
	for s := t.podLRU.surplus(); s != nil; s = t.podLRU.surplus() {
		t.stats.Evicted[Pod]++
		t.forgetPod(s)
	}
}

func (t *Table) newPod(id []byte) *cell[pod] {
	c := &cell[pod]{e: pod{id: string(id)}}
	t.pods[c.e.id] = c
	return c
}

// linkPod returns the cell of the pod with the given id, with one container more that refers to it; nil if there is no
// id.
func (t *Table) linkPod(id codec.Optional) *cell[pod] {
	if !id.Valid || len(id.Bytes) == 0 {
		return nil
	}
	c := t.pods[string(id.Bytes)]
	if c == nil {
		c = t.newPod(id.Bytes)
	}
	c.e.conts++
	return c
}

// releasePod takes one container from a pod.
func (t *Table) releasePod(c *cell[pod]) {
	c.e.conts--
	if c.e.conts == 0 && !c.listed() {
		delete(t.pods, c.e.id)
	}
}

// forgetPod evicts a pod. Its cell stays as long as containers refer to it.
func (t *Table) forgetPod(c *cell[pod]) {
	t.podLRU.remove(c)
	c.e.row = nil
	if c.e.conts == 0 {
		delete(t.pods, c.e.id)
	}
}

func costOfPod(p *codec.Pod) int {
	n := podCost + len(p.ID) + len(p.Name) + len(p.NodeName) + len(p.Namespace) +
		addrCost*(len(p.HostIP)+len(p.InternalIP))
	for _, pairs := range [][][]byte{p.Labels, p.Selectors} {
		for _, s := range pairs {
			n += len(s) + pairCost/2
		}
	}
	for i := range p.Services {
		s := &p.Services[i]
		n += serviceCost + 2*(len(s.Name)+len(s.ID)+len(s.Namespace)) + addrCost*len(s.ClusterIP)
		for j := range s.Ports {
			n += portCost + 2*len(s.Ports[j].Proto)
		}
	}
	return n
}

func newPodRow(p *sfgo.Pod) *PodRow {
	return &PodRow{
		Ints: [2]int64{p.Ts, p.RestartCount},
		Strs: [7]string{
			p.Id, strings.TrimSpace(p.Name), strings.TrimSpace(p.NodeName),
			jsonText(addresses(p.HostIP)), jsonText(addresses(p.InternalIP)),
			strings.TrimSpace(p.Namespace), jsonText(serviceTexts(p.Services)),
		},
		Anys:    [3]any{p.HostIP, p.InternalIP, p.Services},
		SysFlow: p,
	}
}

// serviceText is a service in the JSON text of POD_SERVICES_STR.
type serviceText struct {
	ClusterIP []string   `json:"clusterip"`
	Name      string     `json:"name"`
	ID        string     `json:"id"`
	Namespace string     `json:"namespace"`
	PortList  []portText `json:"portList"`
}

type portText struct {
	Port       int32  `json:"port"`
	TargetPort int32  `json:"targetPort"`
	NodePort   int32  `json:"nodePort"`
	Proto      string `json:"proto"`
}

func serviceTexts(services []*sfgo.Service) []serviceText {
	texts := make([]serviceText, len(services))
	for i, s := range services {
		texts[i] = serviceText{addresses(s.ClusterIP), s.Name, s.Id, s.Namespace, make([]portText, len(s.PortList))}
		for j, p := range s.PortList {
			texts[i].PortList[j] = portText(*p)
		}
	}
	return texts
}

// addresses returns IPv4 addresses as dotted text. Only the lower 32 bits count, the first octet being the lowest byte.
func addresses(ips []int64) []string {
	texts := make([]string, len(ips))
	for i, v := range ips {
		texts[i] = netip.AddrFrom4([4]byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)}).String()
	}
	return texts
}

// jsonText returns v, which holds only text and numbers, as JSON. Bytes that are not UTF-8 become U+FFFD.
func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "[]" // cannot happen: see above
	}
	return string(b)
}
