package transport

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

// syslogConfig is the configuration that the defaults of the attributes make.
func syslogConfig() SyslogConfig {
	return SyslogConfig{
		Proto: "tcp", Tag: "SysFlow", Source: machineName, Host: "localhost", Port: 514, Header: "rfc5424", Framing: "auto",
		Facility: "daemon", Severity: "auto", MaxSize: 65507, Timeout: 10 * time.Second,
	}
}

func TestMessages(t *testing.T) {
	machine, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	short, _, _ := strings.Cut(machine, ".")
	now := time.Date(2026, 11, 2, 1, 7, 18, 123456789, time.Local)
	utc := now.UTC().Format("2006-01-02T15:04:05") + ".123456Z"
	pid := os.Getpid()
	long := strings.Repeat("abcdefgh", 40)

	for name, tt := range map[string]struct {
		change func(*SyslogConfig)
		rank   engine.Rank
		data   string
		want   string
	}{
		"defaults":            {nil, engine.RankNotice, `{"a":1}`, fmt.Sprintf(`<29>1 %s %s SysFlow %d SysFlow - {"a":1}`, utc, machine, pid)},
		"facility, severity":  {func(c *SyslogConfig) { c.Facility, c.Severity = "kern", "alert" }, engine.RankDebug, "x", fmt.Sprintf("<1>1 %s %s SysFlow %d SysFlow - x", utc, machine, pid)},
		"highest":             {func(c *SyslogConfig) { c.Facility, c.Severity = "local7", "debug" }, engine.RankDebug, "x", fmt.Sprintf("<191>1 %s %s SysFlow %d SysFlow - x", utc, machine, pid)},
		"lowest":              {func(c *SyslogConfig) { c.Facility, c.Severity = "kern", "emergency" }, engine.RankDebug, "x", fmt.Sprintf("<0>1 %s %s SysFlow %d SysFlow - x", utc, machine, pid)},
		"source":              {func(c *SyslogConfig) { c.Source = "node.example.com" }, 0, "x", fmt.Sprintf("<30>1 %s node.example.com SysFlow %d SysFlow - x", utc, pid)},
		"empty source":        {func(c *SyslogConfig) { c.Source = "" }, 0, "x", fmt.Sprintf("<30>1 %s - SysFlow %d SysFlow - x", utc, pid)},
		"source with a blank": {func(c *SyslogConfig) { c.Source = "a b" }, 0, "x", fmt.Sprintf("<30>1 %s - SysFlow %d SysFlow - x", utc, pid)},
		"source not ASCII":    {func(c *SyslogConfig) { c.Source = "nöde" }, 0, "x", fmt.Sprintf("<30>1 %s - SysFlow %d SysFlow - x", utc, pid)},
		"source too long":     {func(c *SyslogConfig) { c.Source = long }, 0, "x", fmt.Sprintf("<30>1 %s - SysFlow %d SysFlow - x", utc, pid)},
		"long tag":            {func(c *SyslogConfig) { c.Source, c.Tag = "h", long }, 0, "x", fmt.Sprintf("<30>1 %s h %s %d %s - x", utc, long[:48], pid, long[:32])},
		"tag with a blank":    {func(c *SyslogConfig) { c.Source, c.Tag = "h", "my tag" }, 0, "x", fmt.Sprintf("<30>1 %s h mytag %d mytag - x", utc, pid)},
		"no tag":              {func(c *SyslogConfig) { c.Source, c.Tag = "h", " " }, 0, "x", fmt.Sprintf("<30>1 %s h - %d - - x", utc, pid)},
		"more than a line":    {func(c *SyslogConfig) { c.Source = "h" }, 0, "a\nb\r\nc\x00", fmt.Sprintf("<30>1 %s h SysFlow %d SysFlow - a b  c ", utc, pid)},

		"3164":              {func(c *SyslogConfig) { c.Header = "rfc3164" }, engine.RankNotice, `{"a":1}`, fmt.Sprintf(`<29>Nov  2 01:07:18 %s SysFlow[%d]: {"a":1}`, short, pid)},
		"3164, domain":      {func(c *SyslogConfig) { c.Header, c.Source = "rfc3164", "node.example.com" }, 0, "x", fmt.Sprintf("<30>Nov  2 01:07:18 node SysFlow[%d]: x", pid)},
		"3164, address":     {func(c *SyslogConfig) { c.Header, c.Source = "rfc3164", "10.0.0.7" }, 0, "x", fmt.Sprintf("<30>Nov  2 01:07:18 10.0.0.7 SysFlow[%d]: x", pid)},
		"3164, address 6":   {func(c *SyslogConfig) { c.Header, c.Source = "rfc3164", "fe80::1" }, 0, "x", fmt.Sprintf("<30>Nov  2 01:07:18 fe80::1 SysFlow[%d]: x", pid)},
		"3164, no source":   {func(c *SyslogConfig) { c.Header, c.Source = "rfc3164", "" }, 0, "x", fmt.Sprintf("<30>Nov  2 01:07:18 - SysFlow[%d]: x", pid)},
		"3164, tag":         {func(c *SyslogConfig) { c.Header, c.Source, c.Tag = "rfc3164", "h", "my_tag-1.0" }, 0, "x", fmt.Sprintf("<30>Nov  2 01:07:18 h mytag10[%d]: x", pid)},
		"3164, long tag":    {func(c *SyslogConfig) { c.Header, c.Source, c.Tag = "rfc3164", "h", long }, 0, "x", fmt.Sprintf("<30>Nov  2 01:07:18 h %s[%d]: x", long[:32], pid)},
		"3164, not limited": {func(c *SyslogConfig) { c.Header, c.Source = "rfc3164", "h" }, 0, strings.Repeat("x", 5000), fmt.Sprintf("<30>Nov  2 01:07:18 h SysFlow[%d]: %s", pid, strings.Repeat("x", 5000))},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := syslogConfig()
			if tt.change != nil {
				tt.change(&cfg)
			}
			f := newSyslogFormat(cfg)
			f.stamp(now.Add(-time.Hour))
			f.stamp(now)
			it := encode.Item{Data: []byte(tt.data), Rank: tt.rank}
			want(t, "message", string(f.append(nil, &it)), tt.want)
			want(t, "size", f.size(&it), len(tt.want))
			want(t, "the record's bytes", string(it.Data), tt.data)
		})
	}
}

// TestSeverities holds the ranks of rules against the table of severities.
func TestSeverities(t *testing.T) {
	for rank, severity := range map[engine.Rank]int{
		engine.RankEmergency: 0, engine.RankAlert: 1, engine.RankCritical: 2, engine.RankError: 3, engine.RankWarning: 4,
		engine.RankNotice: 5, engine.RankInformational: 6, engine.RankNone: 6, engine.RankDebug: 7,
	} {
		f := newSyslogFormat(syslogConfig())
		want(t, fmt.Sprintf("PRI of rank %d", rank), f.priority(rank), 3*8+severity)
	}
}

// TestNamesOfFacilities holds the values of the attribute against the table.
func TestNamesOfFacilities(t *testing.T) {
	for name, number := range map[string]int{"kern": 0, "daemon": 3, "ftp": 11, "local0": 16, "local7": 23} {
		cfg := syslogConfig()
		cfg.Facility = name
		want(t, name, newSyslogFormat(cfg).facility, number)
	}
}

func TestAddress(t *testing.T) {
	for host, address := range map[string]string{
		"localhost": "localhost:514", "10.0.0.7": "10.0.0.7:514", "::1": "[::1]:514", "[::1]": "[::1]:514",
	} {
		want(t, host, (&SyslogConfig{Host: host, Port: 514}).address(), address)
	}
}
