package encode

import (
	"github.com/tidwall/gjson"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// orchestrator writes what is known of the record's place in Kubernetes.
func (c *ECS) orchestrator(o *object, r row) {
	at := o.open("orchestrator")
	var message gjson.Result
	if r.kind() == sfgo.K8S_EVT {
		if text := r.str(sfgo.K8SE_MESSAGE_STR); gjson.Valid(text) {
			message = gjson.Parse(text)
		}
		o.str("api_version", message.Get("apiVersion").String())
	}
	if c.opts.ClusterID != "" {
		cluster := o.open("cluster")
		o.str("id", c.opts.ClusterID)
		o.close(cluster)
	}
	switch {
	case r.kind() == sfgo.K8S_EVT:
		k8sResource(o, r, message)
		o.str("type", "kubernetes")
	case r.str(sfgo.POD_ID_STR) != "":
		c.podResource(o, r)
		o.str("type", "kubernetes")
	}
	o.close(at)
}

// k8sResource writes the object that a Kubernetes event is about, as far as its message can be read.
func k8sResource(o *object, r row, message gjson.Result) {
	item := message.Get("items.0")
	o.str("namespace", item.Get("namespace").String())
	at := o.open("resource")
	o.str("id", item.Get("uid").String())
	if ip := item.Get("podIP").String(); isAddr(ip) {
		o.one("ip", ip)
	}
	o.str("name", item.Get("name").String())
	kind := message.Get("kind").String()
	if kind == "" {
		kind = k8sKind(r.ints[sfgo.K8SE_KIND_INT])
	}
	o.str("type", lower(kind))
	o.close(at)
}

// k8sKind returns Kubernetes' name for the kind of an event, or nothing if it is not known.
func k8sKind(kind int64) string {
	switch sfgo.K8sComponent(kind) {
	case sfgo.K8sComponentK8S_NODES:
		return "Node"
	case sfgo.K8sComponentK8S_NAMESPACES:
		return "Namespace"
	case sfgo.K8sComponentK8S_PODS:
		return "Pod"
	case sfgo.K8sComponentK8S_REPLICATIONCONTROLLERS:
		return "ReplicationController"
	case sfgo.K8sComponentK8S_SERVICES:
		return "Service"
	case sfgo.K8sComponentK8S_EVENTS:
		return "EventList"
	case sfgo.K8sComponentK8S_REPLICASETS:
		return "ReplicaSet"
	case sfgo.K8sComponentK8S_DAEMONSETS:
		return "DaemonSet"
	case sfgo.K8sComponentK8S_DEPLOYMENTS:
		return "Deployment"
	}
	return ""
}

func (c *ECS) podResource(o *object, r row) {
	o.str("namespace", r.str(sfgo.POD_NAMESPACE_STR))
	at := o.open("resource")
	o.str("id", r.str(sfgo.POD_ID_STR))
	addresses(o, "ip", r, sfgo.POD_INTERNALIP_ANY)
	o.str("name", r.str(sfgo.POD_NAME_STR))
	o.str("type", "pod")
	o.close(at)
}

// pod writes the custom object with everything known of the pod.
func (c *ECS) pod(o *object, r row) {
	id := r.str(sfgo.POD_ID_STR)
	if id == "" || r.kind() == sfgo.K8S_EVT {
		return
	}
	at := o.open("pod")
	addresses(o, "hostip", r, sfgo.POD_HOSTIP_ANY)
	o.str("id", id)
	addresses(o, "internalip", r, sfgo.POD_INTERNALIP_ANY)
	o.str("name", r.str(sfgo.POD_NAME_STR))
	o.str("namespace", r.str(sfgo.POD_NAMESPACE_STR))
	o.str("nodename", r.str(sfgo.POD_NODENAME_STR))
	o.int("restartcnt", r.ints[sfgo.POD_RESTARTCOUNT_INT])
	if services, ok := r.rec.Anys[sfgo.SYSFLOW_IDX][sfgo.POD_SERVICES_ANY].([]*sfgo.Service); ok && len(services) > 0 {
		o.key("services")
		o.buf = appendServices(o.buf, services)
	}
	o.known("ts", r.ints[sfgo.POD_TS_INT])
	o.close(at)
}

// addresses writes an array of IPv4 addresses.
func addresses(o *object, key string, r row, a sfgo.Attribute) {
	ips, _ := r.rec.Anys[sfgo.SYSFLOW_IDX][a].([]int64)
	at := o.array(key)
	for _, ip := range ips {
		o.comma()
		o.buf = append(field.AppendIPv4(append(o.buf, '"'), ip), '"')
	}
	o.closeArray(at)
}
