package encode

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// maxProcTexts is how many processes the encoder remembers the text of. A text is about a kilobyte.
const maxProcTexts = 2048

// procText is what documents say of a process, whatever it does: its members before exit_code, those from interactive to
// start, and its user.
type procText struct {
	from             procRow
	head, tail, user []byte
}

// procRow is what a procText was made from. It is compared with the row as a whole, since a plugin may have changed a
// row of a process that is known.
type procRow struct {
	parent *sfgo.Process
	ints   [sfgo.PROC_ENTRY_INT - sfgo.PROC_OID_CREATETS_INT + 1]int64
	strs   [sfgo.PROC_GROUPNAME_STR - sfgo.PROC_EXE_STR + 1]string
}

func newProcRow(r row) procRow {
	p := procRow{
		ints: [len(procRow{}.ints)]int64(r.ints[sfgo.PROC_OID_CREATETS_INT:]),
		strs: [len(procRow{}.strs)]string(r.strs[sfgo.PROC_EXE_STR:]),
	}
	if len(r.rec.Ptree) > 1 {
		p.parent = r.rec.Ptree[1]
	}
	return p
}

// procText returns the text of the process of r.
func (c *ECS) procText(r row) *procText {
	from := newProcRow(r)
	if !r.knowsProcess() {
		c.unknown = c.render(r, from)
		return &c.unknown
	}
	t, ok := c.procs[r.rec.Ptree[0]]
	if ok && t.from == from {
		return t
	}
	if len(c.procs) >= maxProcTexts {
		clear(c.procs)
	}
	fresh := c.render(r, from)
	c.procs[r.rec.Ptree[0]] = &fresh
	return &fresh
}

// render writes the text of the process of r anew.
func (c *ECS) render(r row, from procRow) procText {
	exe := r.str(sfgo.PROC_EXE_STR)
	head := object{buf: []byte{'{'}}
	c.arguments(&head, exe, r.str(sfgo.PROC_EXEARGS_STR))
	head.str("command_line", c.read.procCmdline.Str(r.rec))
	entityID(&head, field.ProcOID(r.rec))
	head.str("executable", exe)

	tail := object{buf: []byte{'{'}}
	if r.knowsProcess() {
		tail.bool("interactive", r.ints[sfgo.PROC_TTY_INT] != 0)
	}
	tail.str("name", field.Basename(exe))
	c.parent(&tail, r)
	tail.int("pid", r.ints[sfgo.PROC_OID_HPID_INT])
	tail.known("start", r.ints[sfgo.PROC_OID_CREATETS_INT])

	user := object{buf: []byte{'{'}}
	c.user(&user, r)
	return procText{from: from, head: head.buf[1:], tail: tail.buf[1:], user: user.buf[1:]}
}

// process writes the acting process, its parent and its user.
func (c *ECS) process(o *object, r row) {
	t := c.procText(r)
	at := o.open("process")
	o.buf = append(o.buf, t.head...)
	if r.kind() == sfgo.PROC_EVT && r.does(sfgo.OP_EXIT) {
		o.int("exit_code", exitCode(r.ints[sfgo.RET_INT]))
	}
	o.members(t.tail)
	thread := o.open("thread")
	o.int("id", r.ints[sfgo.TID_INT])
	o.close(thread)
	if r.knowsProcess() {
		o.str("working_directory", r.rec.Ptree[0].Cwd)
	}
	o.close(at)
	o.members(t.user)
}

// parent writes the parent process. Its pid is known from the reference to it, the rest only with the parent itself.
func (c *ECS) parent(o *object, r row) {
	oid := field.ParentOID(r.rec)
	if oid.Hpid == 0 {
		return
	}
	at := o.open("parent")
	var exe, args string
	if len(r.rec.Ptree) > 1 {
		exe, args = r.rec.Ptree[1].Exe, r.rec.Ptree[1].ExeArgs
	}
	c.arguments(o, exe, args)
	if exe != "" {
		o.str("command_line", c.read.pprocCmdline.Str(r.rec))
	}
	entityID(o, oid)
	o.str("executable", exe)
	o.str("name", field.Basename(exe))
	o.int("pid", oid.Hpid)
	o.known("start", oid.CreateTS)
	o.close(at)
}

// arguments writes args and args_count: the executable, then the arguments as far as blanks tell them apart.
func (c *ECS) arguments(o *object, exe, args string) {
	if exe == "" && args == "" {
		return
	}
	at := o.array("args")
	n := 0
	if exe != "" {
		o.element(exe)
		n++
	}
	for args = strings.TrimLeftFunc(args, unicode.IsSpace); args != ""; args = strings.TrimLeftFunc(args, unicode.IsSpace) {
		end := strings.IndexFunc(args, unicode.IsSpace)
		if end < 0 {
			end = len(args)
		}
		o.element(args[:end])
		args = args[end:]
		n++
	}
	o.closeArray(at)
	o.int("args_count", int64(n))
}

func entityID(o *object, oid sfgo.OID) {
	o.key("entity_id")
	o.buf = append(field.AppendProcOID(append(o.buf, '"'), oid), '"')
}

// exitCode returns what a shell shows for a status of wait(2): the exit code, or 128 and the number of the signal.
func exitCode(status int64) int64 {
	if signal := status & 0x7f; signal != 0 {
		return 128 + signal
	}
	return status >> 8 & 0xff
}

// user writes the user and group of the process. Both are absent if the process is not known.
func (c *ECS) user(o *object, r row) {
	if !r.knowsProcess() {
		return
	}
	at := o.open("user")
	group := o.open("group")
	number(o, r.ints[sfgo.PROC_GID_INT])
	o.str("name", account(r.str(sfgo.PROC_GROUPNAME_STR)))
	o.close(group)
	number(o, r.ints[sfgo.PROC_UID_INT])
	o.str("name", account(r.str(sfgo.PROC_USERNAME_STR)))
	o.close(at)
}

// number writes the id of a user or group as text, unless it is the -1 of an unknown one.
func number(o *object, id int64) {
	if id == -1 {
		return
	}
	o.key("id")
	o.buf = append(strconv.AppendInt(append(o.buf, '"'), id, 10), '"')
}

// account returns the name of a user or group, empty for what collectors write if they do not know it.
func account(name string) string {
	if name == "<NA>" {
		return ""
	}
	return name
}
