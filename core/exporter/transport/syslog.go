package transport

import (
	"errors"
	"time"
)

// SyslogConfig are the attributes of export syslog.
type SyslogConfig struct {
	Proto      string        `attr:"syslog.proto" alias:"proto" default:"tcp" enum:"tcp,tls=tcp+tls,udp" when:"export=syslog" help:"transport protocol"`
	Tag        string        `attr:"syslog.tag" alias:"tag" default:"SysFlow" when:"export=syslog" help:"application name and message id"`
	Source     string        `attr:"syslog.source" alias:"source" allowempty:"true" when:"export=syslog" help:"host name in messages; default: that of the machine"`
	Host       string        `attr:"syslog.host" alias:"host" default:"localhost" when:"export=syslog" help:"name or address of the receiver"`
	Port       int           `attr:"syslog.port" alias:"port" default:"514" min:"1" max:"65535" when:"export=syslog" help:"port of the receiver; the registered one for tls is 6514"`
	Header     string        `attr:"syslog.format" default:"rfc5424" enum:"rfc5424,rfc3164" when:"export=syslog" help:"layout of messages"`
	Framing    string        `attr:"syslog.framing" default:"auto" enum:"auto,newline,octet" when:"export=syslog" help:"how messages are told apart in a stream; auto: newline with tcp, octet counting with tls"`
	Facility   string        `attr:"syslog.facility" default:"daemon" enum:"kern,user,mail,daemon,auth,syslog,lpr,news,uucp,cron,authpriv,ftp,local0,local1,local2,local3,local4,local5,local6,local7" when:"export=syslog" help:"facility of messages"`
	Severity   string        `attr:"syslog.severity" default:"auto" enum:"auto,emergency,alert,critical,error,warning,notice,informational,debug" when:"export=syslog" help:"severity of messages; auto: by the priority of the matched rule"`
	MaxSize    int64         `attr:"syslog.maxsize" default:"65507" min:"480" max:"65507" kind:"size" when:"export=syslog" help:"bytes in a datagram, at most; larger messages are undeliverable over udp"`
	Timeout    time.Duration `attr:"syslog.timeout" default:"10s" min:"1ms" when:"export=syslog" help:"time limit of connecting, and of writing"`
	CA         string        `attr:"syslog.tls.ca" kind:"path" when:"export=syslog" help:"certificates of the authorities to trust, instead of the system's"`
	Cert       string        `attr:"syslog.tls.cert" kind:"path" when:"export=syslog" help:"certificate of this client"`
	Key        string        `attr:"syslog.tls.key" kind:"path" secret:"true" when:"export=syslog" help:"key of that certificate"`
	ServerName string        `attr:"syslog.tls.servername" when:"export=syslog" help:"name that the receiver's certificate must have; default: the host"`
	Insecure   bool          `attr:"syslog.tls.insecure" default:"false" when:"export=syslog" help:"do not verify the receiver's certificate"`
}

// Validate reports every fault that no single attribute shows, each beginning with the attribute.
func (c *SyslogConfig) Validate() error {
	var errs []error
	if (c.Cert == "") != (c.Key == "") {
		errs = append(errs, errors.New("syslog.tls.cert: needs syslog.tls.key, and the reverse"))
	}
	return errors.Join(errs...)
}
