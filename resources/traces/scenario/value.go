package scenario

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/config/yamldoc"
)

// random draws numbers. The generator and what is made of its output are fixed for good, so that traces stay the same.
type random struct{ src *rand.PCG }

func newRandom(seed uint64) random { return random{rand.NewPCG(seed, 0)} }

// below returns a number from 0 to n-1; n is at least 1.
func (r random) below(n int64) int64 {
	hi, _ := bits.Mul64(r.src.Uint64(), uint64(n))
	return int64(hi)
}

// span is a number that is drawn from lo to hi each time.
type span struct{ lo, hi int64 }

func (s span) draw(r random) int64 {
	if s.lo == s.hi {
		return s.lo
	}
	return s.lo + r.below(s.hi-s.lo+1)
}

// readSpan reads one value, or two around "..", with parse. An absent value is fallback.
func readSpan(v yamldoc.Value, fallback span, what string, parse func(string) (int64, error)) span {
	if !v.Present() {
		return fallback
	}
	text := v.Text()
	from, to, isRange := strings.Cut(text, "..")
	if !isRange {
		to = from
	}
	lo, err1 := parse(from)
	hi, err2 := parse(to)
	if err1 != nil || err2 != nil || lo > hi {
		v.Faultf("want %s, or a range of two around .., found %q", what, text)
		return fallback
	}
	return span{lo, hi}
}

// readNumber reads a whole number or a range of them, for example 80 or 1..200.
func readNumber(v yamldoc.Value, fallback int64) span {
	return readSpan(v, span{fallback, fallback}, "a whole number", func(s string) (int64, error) {
		return strconv.ParseInt(s, 0, 64)
	})
}

// readSize reads a number from 0 up, or a range of them.
func readSize(v yamldoc.Value, fallback int64) span {
	s := readNumber(v, fallback)
	if s.lo < 0 {
		v.Faultf("want 0 or more, found %d", s.lo)
	}
	return s
}

// readTime reads a duration or a range of them, in nanoseconds.
func readTime(v yamldoc.Value, fallback span) span {
	s := readSpan(v, fallback, "a duration such as 20ms", func(s string) (int64, error) {
		d, err := time.ParseDuration(s)
		return int64(d), err
	})
	if s.lo < 0 {
		v.Faultf("want no time before now")
	}
	return s
}

// text is a text with parts that are drawn each time: %{1..40} is a number, %{a|b|c} one of several texts, and %{n} counts
// up from 1, a count of its own for each text.
type text func(r *runner) string

// part appends a part of a text.
type part func(b []byte, r *runner) []byte

func (p *parser) readText(v yamldoc.Value) text {
	t := v.Text()
	if !strings.Contains(t, "%{") {
		return func(*runner) string { return t }
	}
	parts, err := p.compileText(t)
	if err != nil {
		v.Faultf("%v", err)
	}
	return func(r *runner) string {
		b := r.buf[:0]
		for _, part := range parts {
			b = part(b, r)
		}
		r.buf = b
		return string(b)
	}
}

func (p *parser) compileText(t string) ([]part, error) {
	var parts []part
	for {
		before, rest, found := strings.Cut(t, "%{")
		if before != "" {
			parts = append(parts, func(b []byte, _ *runner) []byte { return append(b, before...) })
		}
		if !found {
			return parts, nil
		}
		inner, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, fmt.Errorf("%%{%s has no } after it", rest)
		}
		part, err := p.compilePart(inner)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
		t = after
	}
}

// compilePart compiles what stands between %{ and }.
func (p *parser) compilePart(inner string) (part, error) {
	if inner == "n" {
		at := p.counts
		p.counts++
		return func(b []byte, r *runner) []byte {
			r.counts[at]++
			return strconv.AppendInt(b, r.counts[at], 10)
		}, nil
	}
	if from, to, ok := strings.Cut(inner, ".."); ok {
		lo, err1 := strconv.ParseInt(from, 10, 64)
		hi, err2 := strconv.ParseInt(to, 10, 64)
		if err1 != nil || err2 != nil || lo > hi {
			return nil, fmt.Errorf("%%{%s} is not a range of numbers", inner)
		}
		s := span{lo, hi}
		return func(b []byte, r *runner) []byte { return strconv.AppendInt(b, s.draw(r.random), 10) }, nil
	}
	choices := strings.Split(inner, "|")
	if len(choices) < 2 {
		return nil, fmt.Errorf("%%{%s} is none of %%{n}, %%{1..9}, %%{a|b}", inner)
	}
	return func(b []byte, r *runner) []byte { return append(b, choices[r.below(int64(len(choices)))]...) }, nil
}

// readAddress reads an IPv4 address with a port, or without one if it is optional; it is then 0. What comes of an absent
// value is not valid.
func (p *parser) readAddress(v yamldoc.Value, portOptional bool) func(r *runner) netip.AddrPort {
	if !v.Present() {
		return func(*runner) netip.AddrPort { return netip.AddrPort{} }
	}
	t := p.readText(v)
	parse := func(s string) (netip.AddrPort, error) {
		if a, err := netip.ParseAddr(s); err == nil && portOptional && a.Is4() {
			return netip.AddrPortFrom(a, 0), nil
		}
		a, err := netip.ParseAddrPort(s)
		if err != nil || !a.Addr().Is4() {
			return a, fmt.Errorf("want an IPv4 address and a port such as 10.0.0.5:443, found %q", s)
		}
		return a, nil
	}
	trial := &runner{random: newRandom(0), counts: make([]int64, p.counts)}
	if _, err := parse(t(trial)); err != nil {
		v.Faultf("%v", err)
	}
	return func(r *runner) netip.AddrPort {
		a, err := parse(t(r))
		if err != nil {
			r.fail(v.Place().Line, err)
		}
		return a
	}
}

// readIP reads an IPv4 address as SysFlow numbers it: the first octet is the lowest byte.
func readIP(v yamldoc.Value) int64 {
	a, err := netip.ParseAddr(v.Text())
	if err != nil || !a.Is4() {
		v.Faultf("want an IPv4 address, found %q", v.Text())
		return 0
	}
	return int64(uint32(ipNumber(a)))
}

func ipNumber(a netip.Addr) int32 {
	octets := a.As4()
	return int32(binary.LittleEndian.Uint32(octets[:]))
}
