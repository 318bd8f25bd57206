package field

import (
	"strconv"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Readers that several attributes share. They do not look at the record type unless they say so: that is done before
// they are called.

func ints(r *sfgo.FlatRecord) []int64   { return r.Ints[sfgo.SYSFLOW_IDX] }
func strs(r *sfgo.FlatRecord) []string  { return r.Strs[sfgo.SYSFLOW_IDX] }
func recType(r *sfgo.FlatRecord) int64  { return ints(r)[sfgo.SF_REC_TYPE] }
func exe(r *sfgo.FlatRecord) string     { return strs(r)[sfgo.PROC_EXE_STR] }
func exeArgs(r *sfgo.FlatRecord) string { return strs(r)[sfgo.PROC_EXEARGS_STR] }

// addrs returns the addresses in slot a, or nil.
func addrs(r *sfgo.FlatRecord, a sfgo.Attribute) []int64 {
	if row := r.Anys[sfgo.SYSFLOW_IDX]; int(a) < len(row) {
		list, _ := row[a].([]int64)
		return list
	}
	return nil
}

// knowsProc says whether the record's process was found.
func knowsProc(r *sfgo.FlatRecord) bool { return len(r.Ptree) > 0 }

func inContainer(r *sfgo.FlatRecord) bool { return strs(r)[sfgo.CONT_ID_STR] != "" }
func inPod(r *sfgo.FlatRecord) bool       { return strs(r)[sfgo.POD_ID_STR] != "" }

// ProcOID returns the object id of the process that acts in r.
func ProcOID(r *sfgo.FlatRecord) sfgo.OID {
	return sfgo.OID{CreateTS: ints(r)[sfgo.PROC_OID_CREATETS_INT], Hpid: ints(r)[sfgo.PROC_OID_HPID_INT]}
}

// ParentOID returns the object id of the parent of the process that acts in r; its pid is 0 if there is none.
func ParentOID(r *sfgo.FlatRecord) sfgo.OID {
	return sfgo.OID{CreateTS: ints(r)[sfgo.PROC_POID_CREATETS_INT], Hpid: ints(r)[sfgo.PROC_POID_HPID_INT]}
}

func hasParentRef(r *sfgo.FlatRecord) bool { return ints(r)[sfgo.PROC_POID_HPID_INT] != 0 }

// parent returns the entity of the parent, or nil.
func parent(r *sfgo.FlatRecord) *sfgo.Process {
	if len(r.Ptree) > 1 {
		return r.Ptree[1]
	}
	return nil
}

// parentStr makes a reader of a text of the parent.
func parentStr(text func(p *sfgo.Process) string) func(r *sfgo.FlatRecord) string {
	return func(r *sfgo.FlatRecord) string {
		if p := parent(r); p != nil {
			return text(p)
		}
		return ""
	}
}

func parentInt(number func(p *sfgo.Process) int64) func(r *sfgo.FlatRecord) (int64, bool) {
	return func(r *sfgo.FlatRecord) (int64, bool) {
		if p := parent(r); p != nil {
			return number(p), true
		}
		return 0, false
	}
}

func parentBool(holds func(p *sfgo.Process) bool) func(r *sfgo.FlatRecord) bool {
	return func(r *sfgo.FlatRecord) bool {
		p := parent(r)
		return p != nil && holds(p)
	}
}

// Values of a process in the tree.

func procExe(p *sfgo.Process) string  { return p.Exe }
func procArgs(p *sfgo.Process) string { return p.ExeArgs }
func procName(p *sfgo.Process) string { return Basename(p.Exe) }

func procPid(p *sfgo.Process) int64 {
	if p.Oid == nil {
		return 0
	}
	return p.Oid.Hpid
}

func appendProcCmdline(dst []byte, p *sfgo.Process) []byte {
	return appendCmdline(dst, p.Exe, p.ExeArgs)
}

// appendShortCmdline is Falco's form, which has no directory.
func appendShortCmdline(dst []byte, p *sfgo.Process) []byte {
	return appendCmdline(dst, procName(p), p.ExeArgs)
}

// A chain is the part of the process tree that an attribute ranges over: from is 0 for all of it, 1 for the ancestors.
// With an index, position 0 is the process itself whatever the range.

// chainStr sets the readers of f to a text of each process.
func chainStr(f *Field, from int, text func(p *sfgo.Process) string) *Field {
	f.OfProcess = true
	f.Strs = func(r *sfgo.FlatRecord, dst []string) []string {
		for i := from; i < len(r.Ptree); i++ {
			dst = append(dst, text(r.Ptree[i]))
		}
		return dst
	}
	f.AtStr = func(r *sfgo.FlatRecord, i int) (string, bool) {
		if i >= len(r.Ptree) {
			return "", false
		}
		return text(r.Ptree[i]), true
	}
	return f
}

// chainNames sets the readers of f to the forms of the name of each process.
func chainNames(f *Field, from int) *Field {
	f.OfProcess = true
	f.Strs = func(r *sfgo.FlatRecord, dst []string) []string {
		for i := from; i < len(r.Ptree); i++ {
			dst = appendNameForms(dst, procName(r.Ptree[i]))
		}
		return dst
	}
	f.Print = func(r *sfgo.FlatRecord, dst []string) []string {
		for i := from; i < len(r.Ptree); i++ {
			dst = append(dst, procName(r.Ptree[i]))
		}
		return dst
	}
	f.AtStrs = func(r *sfgo.FlatRecord, i int, dst []string) []string {
		if i >= len(r.Ptree) {
			return append(dst, "")
		}
		return appendNameForms(dst, procName(r.Ptree[i]))
	}
	return f
}

// chainText sets the readers of f to a text that has to be built for each process.
func chainText(f *Field, from int, text func(dst []byte, p *sfgo.Process) []byte) *Field {
	f.AppendAt = func(r *sfgo.FlatRecord, i int, dst []byte) ([]byte, bool) {
		if i >= len(r.Ptree) {
			return dst, false
		}
		return text(dst, r.Ptree[i]), true
	}
	f.From = from
	return chainStr(f, from, func(p *sfgo.Process) string { return string(text(nil, p)) })
}

// chainPid sets the readers of f to the pid of each process.
func chainPid(f *Field, from int) *Field {
	f.OfProcess = true
	f.Ints = func(r *sfgo.FlatRecord, dst []int64) []int64 {
		for i := from; i < len(r.Ptree); i++ {
			dst = append(dst, procPid(r.Ptree[i]))
		}
		return dst
	}
	f.AtInt = func(r *sfgo.FlatRecord, i int) (int64, bool) {
		if i >= len(r.Ptree) {
			return 0, false
		}
		return procPid(r.Ptree[i]), true
	}
	return f
}

// Files.

func filePath(r *sfgo.FlatRecord) string {
	p, _ := splitSocket(strs(r)[sfgo.FILE_PATH_STR])
	return p
}

func fileLink(r *sfgo.FlatRecord) string {
	_, l := splitSocket(strs(r)[sfgo.FILE_PATH_STR])
	return l
}

func newPath(r *sfgo.FlatRecord) string {
	p, _ := splitSocket(strs(r)[sfgo.SEC_FILE_PATH_STR])
	return p
}

func newLink(r *sfgo.FlatRecord) string {
	_, l := splitSocket(strs(r)[sfgo.SEC_FILE_PATH_STR])
	return l
}

// doing makes a reader that has a value only if an operation of ops is among the record's.
func doing(ops int64, text func(r *sfgo.FlatRecord) string) func(r *sfgo.FlatRecord) string {
	return func(r *sfgo.FlatRecord) string {
		if ints(r)[sfgo.OPFLAGS_INT]&ops == 0 {
			return ""
		}
		return text(r)
	}
}

// Network flows.

func sip(r *sfgo.FlatRecord) int64   { return int64(uint32(ints(r)[sfgo.FL_NETW_SIP_INT])) }
func dip(r *sfgo.FlatRecord) int64   { return int64(uint32(ints(r)[sfgo.FL_NETW_DIP_INT])) }
func sport(r *sfgo.FlatRecord) int64 { return ints(r)[sfgo.FL_NETW_SPORT_INT] }
func dport(r *sfgo.FlatRecord) int64 { return ints(r)[sfgo.FL_NETW_DPORT_INT] }

// known makes a reader of a number that is there on each record of the right type.
func known(number func(r *sfgo.FlatRecord) int64) func(r *sfgo.FlatRecord) (int64, bool) {
	return func(r *sfgo.FlatRecord) (int64, bool) { return number(r), true }
}

// each makes a reader of several numbers.
func each(numbers ...func(r *sfgo.FlatRecord) int64) func(r *sfgo.FlatRecord, dst []int64) []int64 {
	return func(r *sfgo.FlatRecord, dst []int64) []int64 {
		for _, n := range numbers {
			dst = append(dst, n(r))
		}
		return dst
	}
}

// side makes a reader of what a flow has at its local end (ours of an accepted connection is the destination) or at
// its remote end. A flow that goes on an earlier record does not say which is which: both are candidates.
func side(local bool, src, dst func(r *sfgo.FlatRecord) int64) func(r *sfgo.FlatRecord, to []int64) []int64 {
	return func(r *sfgo.FlatRecord, to []int64) []int64 {
		ops := ints(r)[sfgo.OPFLAGS_INT]
		accepted, connected := ops&sfgo.OP_ACCEPT != 0, ops&sfgo.OP_CONNECT != 0
		switch {
		case accepted == connected:
			return append(to, src(r), dst(r))
		case connected == local:
			return append(to, src(r))
		default:
			return append(to, dst(r))
		}
	}
}

// appendTuple appends both ends of a flow with arrow between them.
func appendTuple(dst []byte, r *sfgo.FlatRecord, arrow string) []byte {
	dst = strconv.AppendInt(append(AppendIPv4(dst, sip(r)), ':'), sport(r), 10)
	dst = append(dst, arrow...)
	return strconv.AppendInt(append(AppendIPv4(dst, dip(r)), ':'), dport(r), 10)
}

// appendResource makes a reader of the path of a file, or the ends of a network flow.
func appendResource(arrow string) func(r *sfgo.FlatRecord, dst []byte) []byte {
	return func(r *sfgo.FlatRecord, dst []byte) []byte {
		if recType(r) == sfgo.NET_FLOW {
			return appendTuple(dst, r, arrow)
		}
		return append(dst, filePath(r)...)
	}
}

// Values that depend on two slots.

// since makes a reader of the time from a process's creation to the record.
func since(created sfgo.Attribute) func(r *sfgo.FlatRecord) (int64, bool) {
	return func(r *sfgo.FlatRecord) (int64, bool) {
		c := ints(r)[created]
		if c == 0 {
			return 0, false
		}
		return ints(r)[sfgo.TS_INT] - c, true
	}
}

// slotIf makes a reader of slot a, in which 0 is a value only where entity is known.
func slotIf(entity func(r *sfgo.FlatRecord) bool, a sfgo.Attribute) func(r *sfgo.FlatRecord) (int64, bool) {
	return func(r *sfgo.FlatRecord) (int64, bool) {
		v := ints(r)[a]
		return v, v != 0 || entity(r)
	}
}

// result returns what the call returned: flows record only what happened.
func result(r *sfgo.FlatRecord) int64 {
	switch recType(r) {
	case sfgo.PROC_EVT, sfgo.FILE_EVT, sfgo.NET_EVT:
		return ints(r)[sfgo.RET_INT]
	}
	return 0
}

// parentText makes a reader of a text of the parent that has to be built.
func parentText(text func(dst []byte, p *sfgo.Process) []byte) func(r *sfgo.FlatRecord, dst []byte) []byte {
	return func(r *sfgo.FlatRecord, dst []byte) []byte {
		if p := parent(r); p != nil {
			return text(dst, p)
		}
		return dst
	}
}

func openFlags(r *sfgo.FlatRecord) int64 { return ints(r)[sfgo.FL_FILE_OPENFLAGS_INT] }

// podAddrs makes a reader of the addresses in slot a.
func podAddrs(a sfgo.Attribute) func(r *sfgo.FlatRecord, dst []int64) []int64 {
	return func(r *sfgo.FlatRecord, dst []int64) []int64 {
		for _, ip := range addrs(r, a) {
			dst = append(dst, int64(uint32(ip)))
		}
		return dst
	}
}

// podText makes a reader of the text in slot a.
func podText(a sfgo.Attribute) func(r *sfgo.FlatRecord) string {
	return func(r *sfgo.FlatRecord) string { return strs(r)[a] }
}
