package main

import (
	"strings"
	"syscall"
	"testing"
)

// toFile is a pipeline that writes records to a file.
const toFile = `{"pipeline": [
 {"processor": "sysflowreader", "handler": "flattener", "in": "sysflow sysflowchan", "out": "flat flattenerchan"},
 {"processor": "policyengine", "in": "flat flattenerchan", "out": "evt eventchan", "policies": "rules.yaml"},
 {"processor": "exporter", "in": "evt eventchan", "export": "file", "file.path": "out.json"}]}`

const allRecords = "- rule: All\n  desc: all\n  condition: sf.type exists\n"

// TestGracefulStop wants everything that was read to be delivered, and exit code 0.
func TestGracefulStop(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			p := start(t, toFile, map[string]string{"rules.yaml": allRecords})
			p.await("Starting the processing pipeline")
			p.feed("tcp.sf")
			p.signal(sig)
			p.await("stopping")
			p.end(0)
			if log := p.seen.String(); !strings.Contains(log, "reason=\"signal: "+sig.String()+`"`) {
				t.Errorf("log is %s", log)
			}
		})
	}
}

// toNowhere is a pipeline whose target never answers.
const toNowhere = `{"pipeline": [
 {"processor": "sysflowreader", "handler": "flattener", "in": "sysflow sysflowchan", "out": "flat flattenerchan"},
 {"processor": "policyengine", "mode": "enrich", "in": "flat flattenerchan", "out": "evt eventchan"},
 {"processor": "exporter", "in": "evt eventchan", "export": "file", "file.path": "/dev/full", "retry.initial": "10ms"}]}`

// TestSecondSignal wants the end at once, although the exporter has records that it cannot deliver.
func TestSecondSignal(t *testing.T) {
	for sig, code := range map[syscall.Signal]int{syscall.SIGTERM: 143, syscall.SIGINT: 130} {
		t.Run(sig.String(), func(t *testing.T) {
			p := start(t, toNowhere, nil)
			p.await("Starting the processing pipeline")
			p.feed("tcp.sf")
			p.await("deliveries are failing")
			p.signal(sig)
			p.await("stopping")
			p.signal(sig)
			p.end(code)
		})
	}
}

// TestDrainDeadline wants exit code 3 when records are given up.
func TestDrainDeadline(t *testing.T) {
	t.Setenv("SHUTDOWN_TIMEOUT", "100ms")
	p := start(t, toNowhere, nil)
	p.await("Starting the processing pipeline")
	p.feed("tcp.sf")
	p.await("deliveries are failing")
	p.signal(syscall.SIGTERM)
	p.end(3)
	if log := p.seen.String(); !strings.Contains(log, "records were lost records=10") {
		t.Errorf("log is %s", log)
	}
}

// TestHangup wants policies to be read again, and bad ones to be refused.
func TestHangup(t *testing.T) {
	p := start(t, toFile, map[string]string{"rules.yaml": allRecords})
	p.await("Starting the processing pipeline")
	p.signal(syscall.SIGHUP)
	p.await("policies loaded")
	p.await("reloaded stage=policyengine")
	put(t, p.cmd.Dir, "rules.yaml", "- rule: Bad\n  desc: bad\n  condition: sf.proc.nmae = a\n")
	p.signal(syscall.SIGHUP)
	p.await("[Error]")
	p.signal(syscall.SIGTERM)
	p.end(0)
}
