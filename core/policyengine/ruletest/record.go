package ruletest

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/config/yamldoc"
	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// record is what a test file says of a record: attributes, on top of a record of a trace if it names one.
type record struct {
	at    yamldoc.Value
	attrs []attr
	trace string // path; empty: none
	where yamldoc.Value
}

// attr is an attribute with its value.
type attr struct {
	at    yamldoc.Value // its name
	field *field.Field
	value yamldoc.Value
}

// record reads a record. The keys in others are not of the record: their reader is the caller.
func (p *parser) record(m *yamldoc.Map, others ...string) *record {
	rec := &record{at: m.Value}
	if like := m.Key("like"); like.Present() {
		if base, ok := p.records[like.Text()]; ok {
			rec.attrs, rec.trace, rec.where = append(rec.attrs, base.attrs...), base.trace, base.where
		} else {
			like.Faultf("no record is called %q before this line", like.Text())
		}
	}
	if t := m.Key("trace"); t.Present() {
		rec.trace = p.path(t)
	}
	if w := m.Key("where"); w.Present() {
		rec.where = w
	}
	if rec.trace == "" && rec.where.Present() {
		rec.where.Faultf("where goes with trace")
	}
	for _, key := range m.All() {
		name := key.Text()
		if name == "like" || name == "trace" || name == "where" || slices.Contains(others, name) {
			continue
		}
		f, ok := p.cat.Lookup(name, false)
		switch {
		case !ok && p.cat.Unanswerable(name):
			key.Faultf("SysFlow data never has '%s'", name)
		case !ok:
			near := p.cat.Suggest(name)
			if len(near) == 0 {
				near = []string{"like, trace, where or an attribute"}
			}
			key.Faultf("unknown attribute '%s': did you mean %s?", name, strings.Join(near, ", "))
		case setters[f.Name] == nil && !f.Stored:
			key.Faultf("'%s' follows from other attributes: give %s", name, givers(f.Name))
		default:
			rec.attrs = append(rec.attrs, attr{key, f, m.Key(name)})
		}
	}
	return rec
}

// givers names what an attribute that cannot be set follows from.
func givers(name string) string {
	for _, g := range []struct{ prefix, attrs string }{
		{"sf.proc.", "sf.proc.exe, sf.proc.args, sf.proc.pid or sf.proc.aexe"},
		{"sf.pproc.", "sf.pproc.exe, sf.pproc.args or sf.pproc.pid"},
		{"sf.file.new", "sf.file.newpath"},
		{"sf.file.is_open", "sf.file.openflags"},
		{"sf.file.", "sf.file.path"},
		{"sf.net.", "sf.net.sip, sf.net.dip, sf.net.sport or sf.net.dport"},
	} {
		if strings.HasPrefix(name, g.prefix) {
			return g.attrs
		}
	}
	return "those"
}

// setters set the attributes whose value is not simply that of a slot of the row, and those of the process tree.
var setters = map[string]func(b *builder, f *field.Field, v yamldoc.Value){
	"sf.type":                 intSlot(sfgo.SF_REC_TYPE),
	"sf.opflags":              intSlot(sfgo.OPFLAGS_INT),
	"sf.ret":                  intSlot(sfgo.RET_INT),
	"sf.ts":                   timeSlot(sfgo.TS_INT),
	"sf.endts":                timeSlot(sfgo.ENDTS_INT),
	"sf.meta.tracename":       strSlot(sfgo.SFHE_FILENAME_STR),
	"sf.proc.tid":             intSlot(sfgo.TID_INT),
	"sf.proc.uid":             intSlot(sfgo.PROC_UID_INT),
	"sf.proc.gid":             intSlot(sfgo.PROC_GID_INT),
	"sf.proc.tty":             intSlot(sfgo.PROC_TTY_INT),
	"sf.proc.entry":           intSlot(sfgo.PROC_ENTRY_INT),
	"sf.proc.aexe":            tree(func(p *sfgo.Process, text string) { p.Exe = text }),
	"sf.proc.acmdline":        tree(func(p *sfgo.Process, text string) { p.Exe, p.ExeArgs, _ = strings.Cut(text, " ") }),
	"sf.pproc.pid":            intSlot(sfgo.PROC_POID_HPID_INT),
	"sf.proc.createts":        timeSlot(sfgo.PROC_OID_CREATETS_INT),
	"sf.pproc.createts":       timeSlot(sfgo.PROC_POID_CREATETS_INT),
	"sf.pproc.exe":            parent(func(p *sfgo.Process, v yamldoc.Value) { p.Exe = v.Text() }),
	"sf.pproc.args":           parent(func(p *sfgo.Process, v yamldoc.Value) { p.ExeArgs = v.Text() }),
	"sf.pproc.uid":            parent(func(p *sfgo.Process, v yamldoc.Value) { p.Uid = int32(v.Int()) }),
	"sf.pproc.gid":            parent(func(p *sfgo.Process, v yamldoc.Value) { p.Gid = int32(v.Int()) }),
	"sf.pproc.user":           parent(func(p *sfgo.Process, v yamldoc.Value) { p.UserName = v.Text() }),
	"sf.pproc.group":          parent(func(p *sfgo.Process, v yamldoc.Value) { p.GroupName = v.Text() }),
	"sf.pproc.tty":            parent(func(p *sfgo.Process, v yamldoc.Value) { p.Tty = v.Bool() }),
	"sf.pproc.entry":          parent(func(p *sfgo.Process, v yamldoc.Value) { p.Entry = v.Bool() }),
	"sf.file.path":            strSlot(sfgo.FILE_PATH_STR),
	"sf.file.newpath":         strSlot(sfgo.SEC_FILE_PATH_STR),
	"sf.file.type":            intSlot(sfgo.FILE_RESTYPE_INT),
	"sf.file.openflags":       intSlot(sfgo.FL_FILE_OPENFLAGS_INT),
	"sf.net.sip":              intSlot(sfgo.FL_NETW_SIP_INT),
	"sf.net.dip":              intSlot(sfgo.FL_NETW_DIP_INT),
	"sf.container.type":       intSlot(sfgo.CONT_TYPE_INT),
	"sf.container.privileged": intSlot(sfgo.CONT_PRIVILEGED_INT),
	"sf.pod.ts":               timeSlot(sfgo.POD_TS_INT),
	"sf.pod.restartcnt":       intSlot(sfgo.POD_RESTARTCOUNT_INT),
	"sf.pod.hostip":           addresses(sfgo.POD_HOSTIP_ANY, sfgo.POD_HOSTIP_STR),
	"sf.pod.internalip":       addresses(sfgo.POD_INTERNALIP_ANY, sfgo.POD_INTERNALIP_STR),
	"sf.ke.action":            intSlot(sfgo.K8SE_ACTION_INT),
	"sf.ke.kind":              intSlot(sfgo.K8SE_KIND_INT),
}

// builder makes a row.
type builder struct {
	ints  []int64
	strs  []string
	anys  []any
	tree  []*sfgo.Process // owned; the process itself gets its values from the row in the end
	fails bool            // a value is wrong, and reported
	now   int64           // ns since the epoch
}

// newBuilder returns a builder for a row without values, or for a copy of base.
func newBuilder(base *sfgo.FlatRecord, now int64) *builder {
	b := &builder{now: now, ints: make([]int64, sfgo.INT_ARRAY_SIZE), strs: make([]string, sfgo.STR_ARRAY_SIZE), anys: make([]any, sfgo.ANY_ARRAY_SIZE)}
	if base == nil {
		return b
	}
	copy(b.ints, base.Ints[sfgo.SYSFLOW_IDX])
	copy(b.strs, base.Strs[sfgo.SYSFLOW_IDX])
	copy(b.anys, base.Anys[sfgo.SYSFLOW_IDX])
	for _, p := range base.Ptree {
		c := *p
		b.tree = append(b.tree, &c)
	}
	return b
}

// row is the row so far.
func (b *builder) row() *sfgo.FlatRecord {
	return &sfgo.FlatRecord{
		Sources: []sfgo.Source{sfgo.SYSFLOW_SRC}, Ints: [][]int64{b.ints}, Strs: [][]string{b.strs}, Anys: [][]any{b.anys}, Ptree: b.tree,
	}
}

// build makes the row of a record; base is the row of a trace that it is on top of, or nil, and now the present, in ns since
// the epoch. It returns nil after a fault.
func (rec *record) build(base *sfgo.FlatRecord, now int64) *sfgo.FlatRecord {
	b := newBuilder(base, now)
	if base == nil {
		b.ints[sfgo.SF_REC_TYPE] = sfgo.UNKNOWN_TYPE
		b.ints[sfgo.FILE_RESTYPE_INT] = 'f'
		b.ints[sfgo.PROC_OID_HPID_INT], b.ints[sfgo.TID_INT] = 1000, 1000
	}
	for _, a := range rec.attrs { // the type first: what the others mean depends on it
		if a.field.Name == "sf.type" {
			b.set(a)
		}
	}
	typ := b.ints[sfgo.SF_REC_TYPE]
	if typ == sfgo.UNKNOWN_TYPE && !b.fails {
		rec.at.Faultf("sf.type is missing")
		return nil
	}
	for _, a := range rec.attrs {
		if a.field.Name == "sf.type" {
			continue
		}
		if !a.field.Applies.Has(typ) {
			a.at.Faultf("a record of type %s has no '%s': it is for %s", field.TypeCode(typ), a.at.Text(), a.field.Applies)
			b.fails = true
			continue
		}
		b.set(a)
	}
	b.finish(rec, typ)
	if b.fails {
		return nil
	}
	return b.row()
}

func (b *builder) set(a attr) {
	if set := setters[a.field.Name]; set != nil {
		set(b, a.field, a.value)
	} else if a.field.Type == field.Int {
		intSlot(a.field.Attr)(b, a.field, a.value)
	} else {
		strSlot(a.field.Attr)(b, a.field, a.value)
	}
}

// finish completes what follows from the attributes given.
func (b *builder) finish(rec *record, typ int64) {
	for _, need := range []struct {
		id      sfgo.Attribute
		name    string
		members string
	}{{sfgo.CONT_ID_STR, "sf.container.id", "sf.container."}, {sfgo.POD_ID_STR, "sf.pod.id", "sf.pod."}} {
		for _, a := range rec.attrs {
			if strings.HasPrefix(a.field.Name, need.members) && b.strs[need.id] == "" && a.value.Text() != "host" {
				a.at.Faultf("'%s' is given without %s", a.at.Text(), need.name)
				b.fails = true
			}
		}
	}
	if typ == sfgo.K8S_EVT {
		return
	}
	p := b.process(0)
	p.Oid = &sfgo.OID{CreateTS: b.ints[sfgo.PROC_OID_CREATETS_INT], Hpid: b.ints[sfgo.PROC_OID_HPID_INT]}
	p.Exe, p.ExeArgs = b.strs[sfgo.PROC_EXE_STR], b.strs[sfgo.PROC_EXEARGS_STR]
	p.Uid, p.Gid = int32(b.ints[sfgo.PROC_UID_INT]), int32(b.ints[sfgo.PROC_GID_INT])
	p.UserName, p.GroupName = b.strs[sfgo.PROC_USERNAME_STR], b.strs[sfgo.PROC_GROUPNAME_STR]
	p.Tty, p.Entry = b.ints[sfgo.PROC_TTY_INT] != 0, b.ints[sfgo.PROC_ENTRY_INT] != 0
	if len(b.tree) > 1 && b.ints[sfgo.PROC_POID_HPID_INT] == 0 {
		b.ints[sfgo.PROC_POID_HPID_INT] = b.tree[1].Oid.Hpid
	}
}

// process returns the process at a position of the tree, which grows as needed.
func (b *builder) process(i int) *sfgo.Process {
	for len(b.tree) <= i {
		b.tree = append(b.tree, &sfgo.Process{Oid: &sfgo.OID{Hpid: int64(1000 - len(b.tree))}})
	}
	return b.tree[i]
}

// intSlot sets a slot of integers to a value of the attribute's type.
func intSlot(slot sfgo.Attribute) func(b *builder, f *field.Field, v yamldoc.Value) {
	return func(b *builder, f *field.Field, v yamldoc.Value) {
		switch f.Type {
		case field.Bool:
			b.ints[slot] = 0
			if v.Bool() {
				b.ints[slot] = 1
			}
		case field.Flags:
			b.ints[slot] = 0
			for _, v := range v.List() {
				b.ints[slot] |= b.flag(slot, f, v)
			}
		case field.IP:
			b.ints[slot] = address(v)
		case field.Enum:
			if v.Text() == "host" && slot == sfgo.CONT_TYPE_INT {
				return // no container
			}
			b.ints[slot] = b.name(f, v)
		default:
			if f.Names != nil {
				if n, ok := f.Names.Find(v.Text()); ok {
					b.ints[slot] = n.Value
					return
				}
			}
			b.ints[slot] = v.Int()
		}
	}
}

// timeSlot sets a slot of integers to a time, in ns since the epoch.
func timeSlot(slot sfgo.Attribute) func(b *builder, f *field.Field, v yamldoc.Value) {
	return func(b *builder, _ *field.Field, v yamldoc.Value) {
		t, err := parseTime(v.Text(), b.now)
		if err != nil {
			v.Faultf("%v", err)
			b.fails = true
		}
		b.ints[slot] = t
	}
}

// parseTime reads a time, in ns since the epoch: as such a number, in the form of RFC 3339, or relative to now.
func parseTime(text string, now int64) (int64, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t.UnixNano(), nil
	}
	if rest, ok := strings.CutPrefix(strings.ReplaceAll(text, " ", ""), "now"); ok {
		if rest == "" {
			return now, nil
		}
		d, err := time.ParseDuration(rest)
		if err == nil && (rest[0] == '+' || rest[0] == '-') {
			return now + int64(d), nil
		}
	}
	return 0, fmt.Errorf("want a time such as now-5m, 2026-01-31T12:00:00Z or nanoseconds since 1970, found %q", text)
}

// name returns the number that a name stands for.
func (b *builder) name(f *field.Field, v yamldoc.Value) int64 {
	n, ok := f.Names.Find(v.Text())
	if !ok {
		b.unknown(f, v)
	}
	return n.Value
}

// flag returns the recorded bit that the name of a flag stands for. The catalogue knows the way back only, so each bit is
// tried.
func (b *builder) flag(slot sfgo.Attribute, f *field.Field, v yamldoc.Value) int64 {
	n, ok := f.Names.Find(v.Text())
	if !ok {
		b.unknown(f, v)
		return 0
	}
	trial := newBuilder(nil, 0)
	trial.ints[sfgo.SF_REC_TYPE] = b.ints[sfgo.SF_REC_TYPE]
	for bits := int64(1); bits < 1<<32; bits <<= 1 {
		trial.ints[slot] = bits
		if f.Bits(trial.row())&n.Value != 0 {
			return bits
		}
	}
	if n.Text == "RDWR" {
		return sfgo.O_RDWR
	}
	if n.Text != "NONE" {
		v.Faultf("a record of type %s never has %s", field.TypeCode(b.ints[sfgo.SF_REC_TYPE]), v.Text())
		b.fails = true
	}
	return 0
}

func (b *builder) unknown(f *field.Field, v yamldoc.Value) {
	var all []string
	for name := range f.Names.All() {
		all = append(all, name)
	}
	v.Faultf("'%s' is no value of '%s': want %s", v.Text(), f.Name, strings.Join(all, ", "))
	b.fails = true
}

// strSlot sets a slot of texts.
func strSlot(slot sfgo.Attribute) func(b *builder, f *field.Field, v yamldoc.Value) {
	return func(b *builder, _ *field.Field, v yamldoc.Value) { b.strs[slot] = v.Text() }
}

// tree sets a text of each process along the tree; that of the first is the record's process.
func tree(set func(p *sfgo.Process, text string)) func(b *builder, f *field.Field, v yamldoc.Value) {
	return func(b *builder, _ *field.Field, v yamldoc.Value) {
		for i, text := range v.Texts() {
			set(b.process(i), text)
			if i == 0 {
				b.strs[sfgo.PROC_EXE_STR], b.strs[sfgo.PROC_EXEARGS_STR] = b.tree[0].Exe, b.tree[0].ExeArgs
			}
		}
	}
}

// parent sets a value of the parent.
func parent(set func(p *sfgo.Process, v yamldoc.Value)) func(b *builder, f *field.Field, v yamldoc.Value) {
	return func(b *builder, _ *field.Field, v yamldoc.Value) { set(b.process(1), v) }
}

// addresses sets a list of addresses, as numbers and as the JSON text that goes with them.
func addresses(numbers, text sfgo.Attribute) func(b *builder, f *field.Field, v yamldoc.Value) {
	return func(b *builder, _ *field.Field, v yamldoc.Value) {
		var list []int64
		for _, v := range v.List() {
			list = append(list, address(v))
		}
		b.anys[numbers] = list
		doc, _ := json.Marshal(v.Texts()) // texts can always be encoded
		b.strs[text] = string(doc)
	}
}

// address reads an IPv4 address as rows hold it: the first octet is the lowest byte.
func address(v yamldoc.Value) int64 {
	a, err := netip.ParseAddr(v.Text())
	if err != nil || !a.Is4() {
		v.Faultf("want an IPv4 address, found '%s'", v.Text())
		return 0
	}
	octets := a.As4()
	return int64(binary.LittleEndian.Uint32(octets[:]))
}
