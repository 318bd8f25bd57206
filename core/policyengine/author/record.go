package author

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Record is what one looks for first in a record.
type Record struct {
	Num       int64    `json:"record"` // counted from 1, through all traces
	Trace     string   `json:"trace"`
	Time      string   `json:"time"` // UTC
	Type      string   `json:"type"` // two letters
	Process   string   `json:"process,omitempty"`
	PID       int64    `json:"pid,omitempty"`
	OpFlags   []string `json:"opflags"`
	Resource  string   `json:"resource,omitempty"` // file or connection; of a process, its arguments; of a Kubernetes event, the kind
	Container string   `json:"container,omitempty"`
}

// timeLayout is RFC 3339 with all nanoseconds, so that columns line up.
const timeLayout = "2006-01-02T15:04:05.000000000Z07:00"

// onHost stands for the container of processes that run in none.
const onHost = "host"

// describer tells what records are, with the readers of the catalogue. It never changes.
type describer struct {
	ts, pid                                             *field.Field
	kind, exe, args, resource, contID, contName, keKind *field.Field
	ops, keAction                                       *field.Field
}

func newDescriber(cat *field.Catalogue) *describer {
	get := func(name string) *field.Field {
		f, _ := cat.Lookup(name, false)
		return f
	}
	return &describer{
		ts: get("sf.ts"), pid: get("sf.proc.pid"), kind: get("sf.type"), exe: get("sf.proc.exe"), args: get("sf.proc.args"),
		resource: get("sf.res"), contID: get("sf.container.id"), contName: get("sf.container.name"), keKind: get("sf.ke.kind"),
		ops: get("sf.opflags"), keAction: get("sf.ke.action"),
	}
}

// record describes a row.
func (d *describer) record(at located) Record {
	row := at.row
	ts, _ := d.ts.Int(row)
	pid, _ := d.pid.Int(row)
	r := Record{
		Num: at.num, Trace: at.path, Time: time.Unix(0, ts).UTC().Format(timeLayout), Type: d.kind.Str(row),
		Process: d.exe.Str(row), PID: pid, OpFlags: d.ops.Strs(row, []string{}), Resource: d.resource.Str(row),
	}
	switch row.Ints[sfgo.SYSFLOW_IDX][sfgo.SF_REC_TYPE] {
	case sfgo.PROC_EVT, sfgo.PROC_FLOW:
		r.Resource = d.args.Str(row)
	case sfgo.K8S_EVT:
		r.Resource = d.keKind.Str(row)
		r.OpFlags = append(r.OpFlags, d.keAction.Str(row))
		return r
	}
	r.Container = d.container(row)
	return r
}

// container returns the name of the container that a process runs in.
func (d *describer) container(row *sfgo.FlatRecord) string {
	if name := d.contName.Str(row); name != "" {
		return name
	}
	if id := d.contID.Str(row); id != "" {
		return id
	}
	return onHost
}

// maxShown is how many characters of a value a line shows.
const maxShown = 160

// String returns the record in one line: number, time, type, process, operations, resource.
func (r Record) String() string {
	process := "-"
	if r.Process != "" || r.PID != 0 {
		process = fmt.Sprintf("%s[%d]", shown(r.Process), r.PID)
	}
	ops := strings.Join(r.OpFlags, ",")
	return fmt.Sprintf("#%d %s %s %s %s %s", r.Num, r.Time, r.Type, process, orDash(shown(ops)), orDash(shown(r.Resource)))
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// shown returns text of a record so that it can be printed: without the power to move the cursor, and not endless.
func shown(s string) string {
	if utf8.RuneCountInString(s) > maxShown {
		cut := 0
		for range maxShown - 1 {
			_, n := utf8.DecodeRuneInString(s[cut:])
			cut += n
		}
		s = s[:cut] + "…"
	}
	plain := utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) })
	if plain {
		return s
	}
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}
