package encode

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// ECSVersion is the version of the Elastic Common Schema that documents follow.
const ECSVersion = "8.11.0"

// ECSOptions configures an [ECS] encoder.
type ECSOptions struct {
	AgentVersion string // of this program, without build number
	ClusterID    string // of the Kubernetes cluster; empty if unknown
	RuleOutput   bool   // write the rendered output texts of rules as "message"
}

// ECS encodes records as documents of the Elastic Common Schema. What is not known is absent, never empty or zero. It is
// not safe for concurrent use.
type ECS struct {
	opts ECSOptions
	read ecsFields
	tags []string // scratch
	ids  []string // scratch

	procs   map[*sfgo.Process]*procText
	unknown procText // scratch
}

// ecsFields are the derived attributes that documents hold, from the catalogue.
type ecsFields struct {
	path, newPath, fileType        *field.Field
	imageRepository, imageTag      *field.Field
	containerType                  *field.Field
	recordType, k8sAction, k8sKind *field.Field
	procCmdline, pprocCmdline      *field.Field
}

// NewECS returns an encoder that reads records through a catalogue of SysFlow's attributes.
func NewECS(c *field.Catalogue, opts ECSOptions) (*ECS, error) {
	e := &ECS{opts: opts, procs: map[*sfgo.Process]*procText{}}
	for name, to := range map[string]**field.Field{
		"sf.file.path":               &e.read.path,
		"sf.file.newpath":            &e.read.newPath,
		"sf.file.type":               &e.read.fileType,
		"container.image.repository": &e.read.imageRepository,
		"container.image.tag":        &e.read.imageTag,
		"sf.container.type":          &e.read.containerType,
		"sf.type":                    &e.read.recordType,
		"sf.ke.action":               &e.read.k8sAction,
		"sf.ke.kind":                 &e.read.k8sKind,
		"sf.proc.cmdline":            &e.read.procCmdline,
		"sf.pproc.cmdline":           &e.read.pprocCmdline,
	} {
		f, ok := c.Lookup(name, false)
		if !ok {
			return nil, fmt.Errorf("encode ECS: the catalogue has no attribute %s", name)
		}
		*to = f
	}
	return e, nil
}

// Append appends the document of ev to dst and returns it.
func (c *ECS) Append(dst []byte, ev *engine.Event) ([]byte, error) {
	o := object{buf: append(dst, '{')}
	r := row{ev.Row.Ints[sfgo.SYSFLOW_IDX], ev.Row.Strs[sfgo.SYSFLOW_IDX], ev.Row}
	o.date("@timestamp", r.ints[sfgo.TS_INT])
	if c.opts.RuleOutput {
		c.message(&o, ev)
	}
	c.agent(&o)
	c.event(&o, r, ev)
	c.host(&o, r)
	c.container(&o, r)
	c.orchestrator(&o, r)
	c.pod(&o, r)
	switch r.kind() {
	case sfgo.FILE_FLOW, sfgo.FILE_EVT:
		c.file(&o, r)
	case sfgo.NET_FLOW:
		c.network(&o, r)
	}
	if r.kind() != sfgo.K8S_EVT {
		c.process(&o, r)
	}
	c.rule(&o, ev)
	o.buf = append(o.buf, '}')
	return o.buf, nil
}

// row is a flat record with its rows of SysFlow's source at hand.
type row struct {
	ints []int64
	strs []string
	rec  *sfgo.FlatRecord
}

func (r row) kind() int64                 { return r.ints[sfgo.SF_REC_TYPE] }
func (r row) does(ops int64) bool         { return r.ints[sfgo.OPFLAGS_INT]&ops != 0 }
func (r row) knowsProcess() bool          { return len(r.rec.Ptree) > 0 }
func (r row) str(a sfgo.Attribute) string { return r.strs[a] }

// message writes the output texts of the matched rules, one per line.
func (c *ECS) message(o *object, ev *engine.Event) {
	at := len(o.buf)
	o.key("message")
	n := 0
	var text []byte
	for _, rule := range ev.Rules {
		if rule.Output == nil {
			continue
		}
		if n++; n > 1 {
			text = append(text, '\n')
		}
		text = rule.Output(text, ev.Row)
	}
	if n == 0 {
		o.buf = o.buf[:at]
		return
	}
	o.buf = appendString(o.buf, string(text))
}

func (c *ECS) agent(o *object) {
	at := o.open("agent")
	o.str("type", "SysFlow")
	o.str("version", c.opts.AgentVersion)
	o.close(at)
	at = o.open("ecs")
	o.str("version", ECSVersion)
	o.close(at)
}

func (c *ECS) host(o *object, r row) {
	at := o.open("host")
	o.str("id", r.str(sfgo.SFHE_EXPORTER_STR))
	if ip := r.str(sfgo.SFHE_IP_STR); isAddr(ip) {
		o.one("ip", ip)
	}
	o.str("name", r.str(sfgo.SFHE_EXPORTER_STR))
	o.close(at)
}

func isAddr(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

func (c *ECS) container(o *object, r row) {
	id := r.str(sfgo.CONT_ID_STR)
	if id == "" {
		return
	}
	privileged := r.ints[sfgo.CONT_PRIVILEGED_INT] != 0
	imageID := r.str(sfgo.CONT_IMAGEID_STR)
	at := o.open("container")
	o.str("id", id)
	image := o.open("image")
	if isSHA256(imageID) {
		hash := o.open("hash")
		all := o.array("all")
		o.comma()
		o.buf = append(append(append(o.buf, `"sha256:`...), imageID...), '"')
		o.closeArray(all)
		o.close(hash)
	}
	o.str("id", imageID)
	o.str("name", c.read.imageRepository.Str(r.rec))
	o.one("tag", c.read.imageTag.Str(r.rec))
	o.close(image)
	o.str("name", r.str(sfgo.CONT_NAME_STR))
	o.str("runtime", runtimeName(c.read.containerType.Str(r.rec)))
	security := o.open("security_context")
	o.bool("privileged", privileged)
	o.close(security)
	o.bool("sf_privileged", privileged)
	o.close(at)
}

// runtimeName returns what ECS calls a container type: the same in lower case, or nothing if it is not known.
func runtimeName(containerType string) string {
	if containerType == "unknown" {
		return ""
	}
	return lower(containerType)
}

// lower is strings.ToLower without its allocation for the names that SysFlow has.
func lower(s string) string {
	if l, ok := lowerNames[s]; ok {
		return l
	}
	return strings.ToLower(s)
}

var lowerNames = func() map[string]string {
	m := map[string]string{}
	for _, s := range []string{"DOCKER", "LXC", "LIBVIRT_LXC", "MESOS", "RKT", "CUSTOM", "CRI", "CONTAINERD", "CRIO", "BPM",
		"Node", "Namespace", "Pod", "ReplicationController", "Service", "EventList", "ReplicaSet", "DaemonSet", "Deployment"} {
		m[s] = strings.ToLower(s)
	}
	return m
}()

// isSHA256 says whether s is the hexadecimal form of a SHA-256 sum.
func isSHA256(s string) bool {
	if len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c-'0' > 9 && c-'a' > 5 && c-'A' > 5 {
			return false
		}
	}
	return true
}

// rule writes what the policy engine says of the record: rule, threat and tags.
func (c *ECS) rule(o *object, ev *engine.Event) {
	if top := ev.Top(); top != nil {
		at := o.open("rule")
		o.str("description", top.Desc)
		o.str("name", top.Name)
		o.close(at)
	}
	c.tags = append(c.tags[:0], ev.Tags...)
	for _, rule := range ev.Rules {
		for _, t := range rule.Tags {
			c.tags = append(c.tags, tagText(t))
		}
	}
	c.threat(o)
	at := o.array("tags")
	for _, t := range c.tags {
		o.element(t)
	}
	o.closeArray(at)
}

// tagText returns a rule's tag as text; front ends make texts, plugins may make anything.
func tagText(t engine.EnrichmentTag) string {
	if s, ok := t.(string); ok {
		return s
	}
	return fmt.Sprint(t)
}

// threat writes the ATT&CK techniques among the tags, such as mitre:T1059.004.
func (c *ECS) threat(o *object) {
	c.ids = c.ids[:0]
	for _, t := range c.tags {
		if id, ok := strings.CutPrefix(t, "mitre:"); ok && isTechnique(id) {
			c.ids = append(c.ids, id)
		}
	}
	if len(c.ids) == 0 {
		return
	}
	slices.SortFunc(c.ids, cmp.Compare[string])
	at := o.open("threat")
	o.str("framework", "MITRE ATT&CK")
	technique := o.open("technique")
	ids, last := o.array("id"), ""
	for _, id := range c.ids {
		if base, _, _ := strings.Cut(id, "."); base != last {
			o.element(base)
			last = base
		}
	}
	o.closeArray(ids)
	sub := o.open("subtechnique")
	ids, last = o.array("id"), ""
	for _, id := range c.ids {
		if strings.Contains(id, ".") && id != last {
			o.element(id)
			last = id
		}
	}
	o.closeArray(ids)
	o.close(sub)
	o.close(technique)
	o.close(at)
}

// isTechnique says whether id has the form of an ATT&CK technique, T1059 or T1059.004.
func isTechnique(id string) bool {
	base, sub, hasSub := strings.Cut(id, ".")
	return len(base) == 5 && base[0] == 'T' && isDigits(base[1:]) && (!hasSub || len(sub) == 3 && isDigits(sub))
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return s != ""
}
