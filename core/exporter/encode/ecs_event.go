package encode

import (
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// event writes the event object. Its keys are in alphabetical order, as in all objects.
func (c *ECS) event(o *object, r row, ev *engine.Event) {
	class := c.classify(r)
	start, end := r.ints[sfgo.TS_INT], endOf(r)
	at := o.open("event")
	o.str("action", class.action)
	if class.category != "" {
		o.one("category", class.category)
	}
	o.int("duration", end-start)
	o.date("end", end)
	kind := "event"
	if ev.Alert && len(ev.Rules) > 0 {
		kind = "alert"
	}
	o.str("kind", kind)
	o.str("module", "sysflow")
	if r.kind() == sfgo.K8S_EVT {
		o.str("original", r.str(sfgo.K8SE_MESSAGE_STR))
	}
	o.str("outcome", outcome(r))
	reason(o, ev.Rules)
	if len(ev.Rules) > 0 {
		o.int("severity", int64(ev.Level()))
	}
	if k := r.kind(); k == sfgo.PROC_EVT || k == sfgo.FILE_EVT {
		o.int("sf_ret", r.ints[sfgo.RET_INT])
	}
	o.str("sf_type", c.read.recordType.Str(r.rec))
	o.date("start", start)
	types := o.array("type")
	for _, t := range class.types {
		o.element(t)
	}
	o.closeArray(types)
	o.close(at)
}

// endOf returns when the record ends: the end of a flow, the time of an event.
func endOf(r row) int64 {
	switch r.kind() {
	case sfgo.NET_FLOW, sfgo.FILE_FLOW, sfgo.PROC_FLOW:
		if end := r.ints[sfgo.ENDTS_INT]; end != 0 {
			return end
		}
	}
	return r.ints[sfgo.TS_INT]
}

// outcome says whether what the record tells of succeeded, as far as it says.
func outcome(r row) string {
	switch r.kind() {
	case sfgo.PROC_EVT, sfgo.FILE_EVT:
		if r.kind() == sfgo.PROC_EVT && r.does(sfgo.OP_EXIT) {
			return "" // ret is the exit status
		}
		if r.ints[sfgo.RET_INT] < 0 {
			return "failure"
		}
		return "success"
	case sfgo.K8S_EVT:
		if r.ints[sfgo.K8SE_ACTION_INT] == int64(sfgo.K8sActionK8S_COMPONENT_ERROR) {
			return "failure"
		}
	}
	return ""
}

// reason writes the names of the matched rules.
func reason(o *object, rules []*engine.Rule) {
	if len(rules) == 0 {
		return
	}
	o.key("reason")
	o.buf = append(o.buf, '"')
	for i, rule := range rules {
		if i > 0 {
			o.buf = append(o.buf, ", "...)
		}
		o.buf = appendText(o.buf, rule.Name)
	}
	o.buf = append(o.buf, '"')
}

// class is how ECS classifies a record.
type class struct {
	category string
	types    []string
	action   string
}

// classify returns the first class whose condition the record meets.
func (c *ECS) classify(r row) class {
	switch r.kind() {
	case sfgo.PROC_EVT:
		return classifyProcess(r)
	case sfgo.PROC_FLOW:
		return class{"process", typeInfo, "process-flow"}
	case sfgo.FILE_FLOW:
		return classifyFileFlow(r)
	case sfgo.FILE_EVT:
		return classifyFileEvent(r)
	case sfgo.NET_FLOW:
		return class{"network", networkTypes[boolIndex(r.does(sfgo.OP_CONNECT|sfgo.OP_ACCEPT))][boolIndex(r.does(sfgo.OP_CLOSE|sfgo.OP_SHUTDOWN))],
			"network-connection-traffic"}
	case sfgo.K8S_EVT:
		return class{"configuration", k8sTypes(r.ints[sfgo.K8SE_ACTION_INT]), c.read.k8sAction.Str(r.rec)}
	}
	return class{}
}

// Values of event.type, as the arrays that documents hold.
var (
	typeAccess       = []string{"access"}
	typeAccessChange = []string{"access", "change"}
	typeChange       = []string{"change"}
	typeCreation     = []string{"creation"}
	typeDeletion     = []string{"deletion"}
	typeEnd          = []string{"end"}
	typeInfo         = []string{"info"}
	typeStart        = []string{"start"}

	// networkTypes is indexed by whether the flow's start and its end were seen.
	networkTypes = [2][2][]string{
		{{"connection"}, {"connection", "end"}},
		{{"connection", "start"}, {"connection", "start", "end"}},
	}
)

func boolIndex(b bool) int {
	if b {
		return 1
	}
	return 0
}

func classifyProcess(r row) class {
	thread := r.ints[sfgo.TID_INT] != r.ints[sfgo.PROC_OID_HPID_INT]
	switch {
	case r.does(sfgo.OP_EXIT) && thread:
		return class{"process", typeEnd, "process-thread-exit"}
	case r.does(sfgo.OP_EXIT):
		return class{"process", typeEnd, "process-exit"}
	case r.does(sfgo.OP_CLONE|sfgo.OP_EXEC) && thread:
		return class{"process", typeStart, "process-thread-start"}
	case r.does(sfgo.OP_CLONE | sfgo.OP_EXEC):
		return class{"process", typeStart, "process-start"}
	case r.does(sfgo.OP_SETUID):
		return class{"process", typeChange, "process-change"}
	default:
		return class{"process", typeInfo, "process-info"}
	}
}

func classifyFileFlow(r row) class {
	read := r.does(sfgo.OP_READ_RECV) && (r.ints[sfgo.NUMRRECVBYTES_INT] > 0 || r.ints[sfgo.NUMRRECVOPS_INT] > 0)
	written := r.does(sfgo.OP_WRITE_SEND) && (r.ints[sfgo.NUMWSENDBYTES_INT] > 0 || r.ints[sfgo.NUMWSENDOPS_INT] > 0)
	switch {
	case read && written:
		return class{"file", typeAccessChange, "file-access-read-write"}
	case read:
		return class{"file", typeAccess, "file-access-read"}
	case written:
		return class{"file", typeChange, "file-access-write"}
	default:
		return class{"file", typeAccess, "file-access"}
	}
}

func classifyFileEvent(r row) class {
	switch {
	case r.does(sfgo.OP_MKDIR):
		return class{"file", typeCreation, "directory-create"}
	case r.does(sfgo.OP_RMDIR):
		return class{"file", typeDeletion, "directory-delete"}
	case r.does(sfgo.OP_UNLINK):
		return class{"file", typeDeletion, "file-delete"}
	case r.does(sfgo.OP_LINK | sfgo.OP_SYMLINK):
		return class{"file", typeCreation, "file-link"}
	case r.does(sfgo.OP_RENAME):
		return class{"file", typeChange, "file-rename"}
	default:
		return class{"file", typeChange, "file-change"}
	}
}

func k8sTypes(action int64) []string {
	switch sfgo.K8sAction(action) {
	case sfgo.K8sActionK8S_COMPONENT_ADDED:
		return typeCreation
	case sfgo.K8sActionK8S_COMPONENT_MODIFIED:
		return typeChange
	case sfgo.K8sActionK8S_COMPONENT_DELETED:
		return typeDeletion
	default:
		return typeInfo
	}
}
