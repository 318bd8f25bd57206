// Package main is a driver plugin that reads something that is not SysFlow at all: the log of the Linux audit daemon. Each
// successful execve in it becomes a process and a process event, so that rules written for SysFlow apply.
//
//	type=SYSCALL msg=audit(1553543280.704:101): arch=c000003e syscall=59 success=yes … ppid=7955 pid=13823 … exe="/bin/ls"
//	type=EXECVE msg=audit(1553543280.704:101): argc=2 a0="ls" a1="-l"
//
// Lines of one audit event share the serial number after the colon. The log comes from auditd with a rule such as
// -a always,exit -F arch=b64 -S execve.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/logger"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

const (
	driverName = "auditlog"

	// maxLine bounds a line of the log; the audit daemon writes at most 8,970 bytes of message.
	maxLine = 64 << 10
)

// Driver is the symbol that the program looks up.
var Driver AuditLog

// AuditLog reads an audit log.
type AuditLog struct{}

var _ plugins.SFContextDriver = (*AuditLog)(nil)

// NewAuditLog returns an instance for one driver of the pipeline.
func NewAuditLog() plugins.SFDriver { return new(AuditLog) }

// GetName returns the name that pipeline files and the flag -driver use.
func (a *AuditLog) GetName() string { return driverName }

// Register announces the driver.
func (a *AuditLog) Register(pc plugins.SFPluginCache) { pc.AddDriver(driverName, NewAuditLog) }

// Init is not called on a driver that has RunContext.
func (a *AuditLog) Init(pipeline plugins.SFPipeline) error { return nil }

// Run is not called on a driver that has RunContext.
func (a *AuditLog) Run(path string, running *bool) error {
	return errors.New("this driver needs a program that calls RunContext")
}

// Cleanup has nothing to clean up.
func (a *AuditLog) Cleanup() {}

// RunContext reads the log that the attribute path names, to its end.
func (a *AuditLog) RunContext(ctx context.Context, conf map[string]interface{}, out *plugins.SFChannel) error {
	path, ok := conf["path"].(string)
	if !ok || path == "" {
		return errors.New("path: name an audit log")
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open audit log: %w", err)
	}
	defer f.Close()

	send := func(rec *sfgo.RecUnion) bool {
		select {
		case out.In <- &sfgo.SysFlow{Rec: rec}:
			return true
		case <-ctx.Done():
			return false
		}
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	header := &sfgo.SFHeader{Version: 5, Exporter: host, Ip: "NA", Filename: path}
	if !send(&sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumSFHeader, SFHeader: header}) {
		return nil
	}

	var join joiner
	malformed := 0
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		line, err := parseLine(lines.Text())
		if err != nil {
			malformed++
			continue
		}
		if exec, ok := join.add(line); ok && !sendExec(exec, send) {
			return nil
		}
	}
	if exec, ok := join.flush(); ok && !sendExec(exec, send) {
		return nil
	}
	if malformed > 0 {
		logger.Warn.Printf("%s: skipped %d lines that are not of the audit log's form", path, malformed)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read audit log %s: %w", path, err)
	}
	return nil
}

// sendExec sends the process of an execve, then the event.
func sendExec(x execve, send func(*sfgo.RecUnion) bool) bool {
	oid := &sfgo.OID{Hpid: x.pid} // the log does not say when the process was created
	proc := &sfgo.Process{
		State:       sfgo.SFObjectStateMODIFIED,
		Oid:         oid,
		Poid:        &sfgo.PoidUnion{OID: &sfgo.OID{Hpid: x.ppid}, UnionType: sfgo.PoidUnionTypeEnumOID},
		Ts:          x.at.UnixNano(),
		Exe:         x.exe,
		ExeArgs:     x.args,
		Uid:         x.uid,
		Gid:         x.gid,
		Tty:         x.tty,
		ContainerId: &sfgo.ContainerIdUnion{},
	}
	event := &sfgo.ProcessEvent{ProcOID: oid, Ts: x.at.UnixNano(), Tid: x.pid, OpFlags: sfgo.OP_EXEC}
	return send(&sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumProcess, Process: proc}) &&
		send(&sfgo.RecUnion{UnionType: sfgo.RecUnionTypeEnumProcessEvent, ProcessEvent: event})
}

// execve is a successful call of execve.
type execve struct {
	at        time.Time
	pid, ppid int64
	uid, gid  int32
	tty       bool
	exe       string
	args      string // without argv[0], joined by blanks
}

func main() {}
