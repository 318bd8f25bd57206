package transport

import (
	"bytes"
	"errors"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

// SyslogConfig are the attributes of export syslog.
type SyslogConfig struct {
	Proto      string        `attr:"syslog.proto" alias:"proto" default:"tcp" enum:"tcp,tls=tcp+tls,udp" when:"export=syslog" help:"transport protocol"`
	Tag        string        `attr:"syslog.tag" alias:"tag" default:"SysFlow" when:"export=syslog" help:"application name and message id"`
	Source     string        `attr:"syslog.source" alias:"source" default:"<hostname>" allowempty:"true" when:"export=syslog" help:"host name in messages; <hostname> stands for that of the machine, an empty one is sent as -"`
	Host       string        `attr:"syslog.host" alias:"host" default:"localhost" when:"export=syslog" help:"name or address of the receiver"`
	Port       int           `attr:"syslog.port" alias:"port" default:"514" min:"1" max:"65535" when:"export=syslog" help:"port of the receiver; the registered one for tls is 6514"`
	Header     string        `attr:"syslog.format" default:"rfc5424" enum:"rfc5424,rfc3164" when:"export=syslog" help:"layout of messages"`
	Framing    string        `attr:"syslog.framing" default:"auto" enum:"auto,newline,octet" when:"export=syslog" help:"how messages are told apart in a stream; auto: newline with tcp, octet counting with tls"`
	Facility   string        `attr:"syslog.facility" default:"daemon" enum:"kern,user,mail,daemon,auth,syslog,lpr,news,uucp,cron,authpriv,ftp,local0,local1,local2,local3,local4,local5,local6,local7" when:"export=syslog" help:"facility of messages"`
	Severity   string        `attr:"syslog.severity" default:"auto" enum:"auto,emergency,alert,critical,error,warning,notice,informational,debug" when:"export=syslog" help:"severity of messages; auto: by the priority of the matched rules"`
	MaxSize    int64         `attr:"syslog.maxsize" default:"65507" min:"480" max:"65507" kind:"size" when:"export=syslog" help:"bytes in a datagram, at most; larger messages are undeliverable over udp"`
	Timeout    time.Duration `attr:"syslog.timeout" default:"10s" min:"1ms" when:"export=syslog" help:"time limit of connecting, and of writing while the receiver takes nothing"`
	CA         string        `attr:"syslog.tls.ca" kind:"path" when:"export=syslog" help:"certificates of the authorities to trust, instead of the system's"`
	Cert       string        `attr:"syslog.tls.cert" kind:"path" when:"export=syslog" help:"certificate of this client"`
	Key        string        `attr:"syslog.tls.key" kind:"path" secret:"true" when:"export=syslog" help:"key of that certificate"`
	ServerName string        `attr:"syslog.tls.servername" when:"export=syslog" help:"name that the receiver's certificate must have; default: the host"`
	Insecure   bool          `attr:"syslog.tls.insecure" default:"false" when:"export=syslog" help:"do not verify the receiver's certificate"`
}

// machineName as the source stands for the host name of the machine. No host has this name.
const machineName = "<hostname>"

// Limits of the parts of a message.
const (
	maxHostname = 255 // RFC 5424, section 6
	maxAppName  = 48
	maxMsgID    = 32
	maxTag      = 32 // RFC 3164, section 4.1.3
)

// facilities are the names of the facilities from 0 on; 12 to 15 have no name of general use.
var facilities = []string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "", "", "", "",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

// severities are the names of the severities from 0 on.
var severities = []string{"emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"}

// Validate reports every fault that no single attribute shows, each beginning with the attribute.
func (c *SyslogConfig) Validate() error {
	var errs []error
	if (c.Cert == "") != (c.Key == "") {
		errs = append(errs, errors.New("syslog.tls.cert: needs syslog.tls.key, and the reverse"))
	}
	return errors.Join(errs...)
}

// address returns the receiver as host:port.
func (c *SyslogConfig) address() string { return net.JoinHostPort(c.hostname(), strconv.Itoa(c.Port)) }

// hostname returns the receiver's name or address. An IPv6 address may be given in brackets.
func (c *SyslogConfig) hostname() string {
	return strings.TrimSuffix(strings.TrimPrefix(c.Host, "["), "]")
}

// severity returns the severity of messages about records whose rules have this rank.
func severity(r engine.Rank) int {
	switch r {
	case engine.RankEmergency:
		return 0
	case engine.RankAlert:
		return 1
	case engine.RankCritical:
		return 2
	case engine.RankError:
		return 3
	case engine.RankWarning:
		return 4
	case engine.RankNotice:
		return 5
	case engine.RankDebug:
		return 7
	default:
		return 6
	}
}

// syslogFormat writes messages.
type syslogFormat struct {
	rfc3164  bool
	facility int
	fixed    int // severity of every message, or -1

	source, app, msgID, pid string

	middle []byte // what follows the priority in messages that are sent now; see stamp
}

// newSyslogFormat returns the format of messages of this process on this machine.
func newSyslogFormat(cfg SyslogConfig) *syslogFormat {
	host := cfg.Source
	if host == machineName {
		host, _ = os.Hostname() // empty if the machine does not know its name
	}
	f := &syslogFormat{
		rfc3164:  cfg.Header == "rfc3164",
		facility: slices.Index(facilities, cfg.Facility),
		fixed:    slices.Index(severities, cfg.Severity),
		source:   host,
		app:      printable(cfg.Tag, maxAppName),
		msgID:    printable(cfg.Tag, maxMsgID),
		pid:      strconv.Itoa(os.Getpid()),
	}
	if f.rfc3164 {
		f.app = alphanumeric(cfg.Tag, maxTag)
		if !isAddress(host) {
			f.source, _, _ = strings.Cut(host, ".")
		}
	}
	if f.source != printable(f.source, maxHostname) {
		f.source = "-"
	}
	return f
}

// isAddress tells an IP address from a name.
func isAddress(host string) bool {
	return strings.Contains(host, ":") || strings.Trim(host, "0123456789.") == ""
}

// printable returns the visible US-ASCII characters of s, at most limit of them, or "-" if there are none.
func printable(s string, limit int) string {
	return pick(s, limit, func(c byte) bool { return c > ' ' && c < 0x7f })
}

// alphanumeric returns the letters and digits of s in the same way.
func alphanumeric(s string, limit int) string {
	return pick(s, limit, func(c byte) bool {
		return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
	})
}

func pick(s string, limit int, ok func(c byte) bool) string {
	var b []byte
	for i := 0; i < len(s) && len(b) < limit; i++ {
		if ok(s[i]) {
			b = append(b, s[i])
		}
	}
	if len(b) == 0 {
		return "-"
	}
	return string(b)
}

// stamp sets the time of the messages that follow.
func (f *syslogFormat) stamp(now time.Time) {
	b := f.middle[:0]
	if f.rfc3164 {
		b = now.Local().AppendFormat(b, "Jan _2 15:04:05 ")
		b = append(append(b, f.source...), ' ')
		b = append(append(b, f.app...), '[')
		f.middle = append(append(b, f.pid...), "]: "...)
		return
	}
	b = now.UTC().AppendFormat(append(b, "1 "...), "2006-01-02T15:04:05.000000Z ")
	for _, part := range []string{f.source, f.app, f.pid, f.msgID} {
		b = append(append(b, part...), ' ')
	}
	f.middle = append(b, "- "...)
}

// priority returns the PRI of a message.
func (f *syslogFormat) priority(r engine.Rank) int {
	if f.fixed >= 0 {
		return 8*f.facility + f.fixed
	}
	return 8*f.facility + severity(r)
}

// size returns the length of the message for it.
func (f *syslogFormat) size(it *encode.Item) int {
	n := len("<0>") + len(f.middle) + len(it.Data)
	for p := f.priority(it.Rank); p >= 10; p /= 10 {
		n++
	}
	return n
}

// append appends the message for it to dst.
func (f *syslogFormat) append(dst []byte, it *encode.Item) []byte {
	dst = strconv.AppendInt(append(dst, '<'), int64(f.priority(it.Rank)), 10)
	dst = append(append(dst, '>'), f.middle...)
	n := len(dst)
	dst = append(dst, it.Data...)
	oneLine(dst[n:])
	return dst
}

// oneLine replaces what would end a message early, should a rule's text hold it. JSON never does.
func oneLine(b []byte) {
	for _, c := range []byte("\n\r\x00") {
		for i := bytes.IndexByte(b, c); i >= 0; i = bytes.IndexByte(b, c) {
			b[i] = ' '
		}
	}
}
