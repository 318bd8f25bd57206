package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// line is one line of an audit log.
type line struct {
	kind   string // SYSCALL, EXECVE, …
	at     time.Time
	serial string
	fields map[string]string
}

// parseLine reads a line of the form: type=KIND msg=audit(SECONDS.MILLISECONDS:SERIAL): key=value …
func parseLine(text string) (line, error) {
	kind, rest, ok := strings.Cut(strings.TrimPrefix(text, "type="), " msg=audit(")
	stamp, rest, ok2 := strings.Cut(rest, "):")
	seconds, serial, ok3 := strings.Cut(stamp, ":")
	if !ok || !ok2 || !ok3 || !strings.HasPrefix(text, "type=") {
		return line{}, fmt.Errorf("not an audit line: %.40q", text)
	}
	at, err := parseTime(seconds)
	if err != nil {
		return line{}, err
	}
	return line{kind: kind, at: at, serial: serial, fields: parseFields(rest)}, nil
}

// parseTime reads seconds since the epoch with three digits after the point.
func parseTime(s string) (time.Time, error) {
	whole, frac, _ := strings.Cut(s, ".")
	sec, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("audit time %q: %w", s, err)
	}
	ms, err := strconv.ParseInt(frac, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("audit time %q: %w", s, err)
	}
	return time.Unix(sec, ms*int64(time.Millisecond)), nil
}

// parseFields reads key=value pairs. A value in double quotes is text; text that holds a blank or a quote is written
// by the kernel as hexadecimal digits without quotes, which decode knows how to read.
func parseFields(s string) map[string]string {
	fields := map[string]string{}
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimLeft(s, " ") {
		key, rest, ok := strings.Cut(s, "=")
		if !ok {
			return fields
		}
		if strings.HasPrefix(rest, `"`) {
			if end := strings.IndexByte(rest[1:], '"'); end >= 0 {
				fields[key], s = rest[:end+2], rest[end+2:]
				continue
			}
		}
		fields[key], s, _ = strings.Cut(rest, " ")
	}
	return fields
}

// decode returns the text of a field that may be quoted or hexadecimal.
func decode(v string) string {
	if len(v) >= 2 && v[0] == '"' {
		return v[1 : len(v)-1]
	}
	if b, err := hex.DecodeString(v); err == nil {
		return string(b)
	}
	return v
}

// syscallExecve is the number of execve by the audit log's name of the architecture.
var syscallExecve = map[string]string{
	"c000003e": "59",  // x86_64
	"c00000b7": "221", // aarch64
	"40000003": "11",  // i386
}

// joiner puts the lines of one audit event together.
type joiner struct {
	serial  string
	pending execve
	isExec  bool
}

// add takes the next line. When it begins another event, the execve before it is complete and is returned.
func (j *joiner) add(l line) (done execve, ok bool) {
	if l.serial != j.serial {
		done, ok = j.flush()
		j.serial = l.serial
	}
	switch l.kind {
	case "SYSCALL":
		j.syscall(l)
	case "EXECVE":
		j.pending.args = args(l.fields)
	}
	return done, ok
}

// flush returns the execve that is pending, if there is one.
func (j *joiner) flush() (execve, bool) {
	done, ok := j.pending, j.isExec
	*j = joiner{}
	return done, ok
}

func (j *joiner) syscall(l line) {
	f := l.fields
	j.isExec = f["success"] == "yes" && f["syscall"] != "" && syscallExecve[f["arch"]] == f["syscall"]
	j.pending.at = l.at
	j.pending.pid = number(f["pid"])
	j.pending.ppid = number(f["ppid"])
	j.pending.uid = int32(number(f["uid"]))
	j.pending.gid = int32(number(f["gid"]))
	j.pending.tty = f["tty"] != "(none)" && f["tty"] != ""
	j.pending.exe = decode(f["exe"])
}

// number reads a decimal number; -1, SysFlow's "unknown", stands for what is none.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// args joins the arguments a1, a2, … of an EXECVE line.
func args(fields map[string]string) string {
	var all []string
	for i := 1; ; i++ {
		v, ok := fields["a"+strconv.Itoa(i)]
		if !ok {
			return strings.Join(all, " ")
		}
		all = append(all, decode(v))
	}
}
