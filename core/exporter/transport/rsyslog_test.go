package transport

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

// rsyslogd starts a real receiver and returns the file that it writes its fields to, one message a line.
func rsyslogd(t *testing.T, proto string, p *pki) (port int, out string) {
	t.Helper()
	program, err := exec.LookPath("rsyslogd")
	if err != nil {
		if program = "/usr/sbin/rsyslogd"; !executable(program) {
			t.Skip("needs rsyslogd (package rsyslog): ", err)
		}
	}
	dir := t.TempDir()
	out = filepath.Join(dir, "out")
	port = freePort(t, proto)
	var input string
	switch proto {
	case "udp":
		input = fmt.Sprintf(`module(load="imudp") input(type="imudp" address="127.0.0.1" port="%d")`, port)
	case "tcp":
		input = fmt.Sprintf(`module(load="imtcp") input(type="imtcp" address="127.0.0.1" port="%d")`, port)
	case "tls":
		if driver, _ := filepath.Glob("/usr/lib/*/rsyslog/lmnsd_ossl.so"); len(driver) == 0 {
			t.Skip("needs lmnsd_ossl.so (package rsyslog-openssl)")
		}
		input = fmt.Sprintf(`global(defaultNetstreamDriverCAFile="%s" defaultNetstreamDriverCertFile="%s" defaultNetstreamDriverKeyFile="%s")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imtcp" address="127.0.0.1" port="%d")`, p.ca, p.cert, p.key, port)
	}
	config := filepath.Join(dir, "rsyslog.conf")
	text := fmt.Sprintf(`global(workDirectory="%s" maxMessageSize="128k")
%s
template(name="fields" type="string" string="%%pri%%|%%timestamp:::date-rfc3339%%|%%hostname%%|%%app-name%%|%%procid%%|%%msgid%%|%%msg%%\n")
action(type="omfile" file="%s" template="fields")
`, dir, input, out)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(out, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if report, err := exec.Command(program, "-N1", "-f", config).CombinedOutput(); err != nil {
		t.Fatalf("rsyslogd does not take the configuration: %v\n%s", err, report)
	}
	var report strings.Builder
	cmd := exec.Command(program, "-n", "-f", config, "-i", filepath.Join(dir, "pid"))
	cmd.Stdout, cmd.Stderr = &report, &report
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("rsyslogd: %s", report.String())
		}
	})
	return port, out
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&0o111 != 0
}

// freePort returns a port that nobody uses.
func freePort(t *testing.T, proto string) int {
	t.Helper()
	if proto == "udp" {
		l, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.LocalAddr().(*net.UDPAddr).Port
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// poll calls f until it returns true.
func poll(t *testing.T, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !f() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: still not so", what)
		}
	}
}

// TestRsyslog lets a real receiver read what we send.
func TestRsyslog(t *testing.T) {
	p := newPKI(t)
	for name, tt := range map[string]struct{ proto, framing, header string }{
		"tcp":             {"tcp", "auto", "rfc5424"},
		"tcp, octet":      {"tcp", "octet", "rfc5424"},
		"tcp, RFC 3164":   {"tcp", "auto", "rfc3164"},
		"tls":             {"tls", "auto", "rfc5424"},
		"tls, RFC 3164":   {"tls", "auto", "rfc3164"},
		"udp":             {"udp", "auto", "rfc5424"},
		"udp, RFC 3164":   {"udp", "auto", "rfc3164"},
		"octet, RFC 3164": {"tcp", "octet", "rfc3164"},
	} {
		t.Run(name, func(t *testing.T) {
			port, out := rsyslogd(t, tt.proto, p)
			cfg := syslogConfig()
			cfg.Proto, cfg.Framing, cfg.Header, cfg.Host, cfg.Port, cfg.CA = tt.proto, tt.framing, tt.header, "127.0.0.1", port, p.ca
			cfg.Source, cfg.Tag, cfg.Facility = "node1", "SysFlow", "local3"
			var s interface {
				Probe(ctx context.Context) error
				Deliver(ctx context.Context, batch []encode.Item) error
				Close() error
			}
			if tt.proto == "udp" {
				s = NewSyslogUDP(cfg)
				poll(t, "rsyslogd receives", func() bool { return socketOpen(t, port) })
			} else {
				s = newStream(t, cfg)
				poll(t, "rsyslogd listens", func() bool { return s.Probe(t.Context()) == nil })
			}
			defer s.Close()

			batch := numbered(0, 40)
			for i := range batch {
				batch[i].Rank = engine.Rank(i % int(engine.RankEmergency+1))
			}
			batch[7].Data = []byte(`{"n":7,"text":"tab\tquote\" ünïcödé <&> %msg% |"}`)
			batch[8].Data = fmt.Appendf(nil, `{"n":8,"pad":"%s"}`, strings.Repeat("y", 40000))
			begin := time.Now()
			if err := s.Deliver(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			poll(t, "all messages have arrived", func() bool { return strings.Count(readFile(t, out), "\n") >= len(batch) })
			lines := strings.Split(strings.TrimSuffix(readFile(t, out), "\n"), "\n")
			want(t, "messages", len(lines), len(batch))
			for i, line := range lines {
				f := strings.SplitN(line, "|", 7)
				if len(f) != 7 {
					t.Fatalf("message %d: %q", i, line)
				}
				want(t, "PRI", f[0], fmt.Sprint(19*8+severity(batch[i].Rank)))
				at, err := time.Parse(time.RFC3339Nano, f[1])
				if d := at.Sub(begin); err != nil || d < -time.Second || d > 10*time.Second {
					t.Errorf("time %q: %v, %v after it was sent", f[1], err, d)
				}
				want(t, "host", f[2], "node1")
				want(t, "application", f[3], "SysFlow")
				want(t, "process", f[4], fmt.Sprint(os.Getpid()))
				if tt.header == "rfc5424" {
					want(t, "message id", f[5], "SysFlow")
				}
				want(t, "message", strings.TrimPrefix(f[6], " "), string(batch[i].Data))
			}
		})
	}
}

// socketOpen says whether somebody receives datagrams on a port of this machine.
func socketOpen(t *testing.T, port int) bool {
	t.Helper()
	return strings.Contains(readFile(t, "/proc/net/udp"), fmt.Sprintf(" 0100007F:%04X ", port))
}
