package field

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"path"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Basename returns the text after the last slash of p once slashes at the end are removed. That of "/" is "/", and that
// of the empty text is empty.
func Basename(p string) string {
	end := len(p)
	for end > 1 && p[end-1] == '/' {
		end--
	}
	p = p[:end]
	if p == "/" {
		return p
	}
	return p[strings.LastIndexByte(p, '/')+1:]
}

// Directory returns what comes before the last component of p, lexically cleaned: "." if that is nothing. That of the
// empty text is empty. It allocates only if there is something to clean.
func Directory(p string) string {
	if p == "" {
		return ""
	}
	end := len(p)
	for end > 1 && p[end-1] == '/' {
		end--
	}
	return path.Dir(p[:end])
}

// appendDirectory appends the directory of p.
func appendDirectory(dst []byte, p string) []byte {
	end := len(p)
	for end > 1 && p[end-1] == '/' {
		end--
	}
	dir := p[:strings.LastIndexByte(p[:end], '/')+1]
	start := len(dst) // of the cleaned path; behind the root if it has one
	if strings.HasPrefix(dir, "/") {
		dst = append(dst, '/')
		start++
	}
	floor := start // what ends here cannot be taken back: it is nothing, or goes up
	for name := range strings.SplitSeq(dir, "/") {
		switch {
		case name == "" || name == ".":
			continue
		case name == ".." && len(dst) > floor:
			dst = dst[:max(floor, start+bytes.LastIndexByte(dst[start:], '/'))]
			continue
		case name == ".." && strings.HasPrefix(dir, "/"):
			continue // above the root there is nothing
		}
		if len(dst) > start {
			dst = append(dst, '/')
		}
		dst = append(dst, name...)
		if name == ".." {
			floor = len(dst)
		}
	}
	if len(dst) == start && p != "" && p[0] != '/' {
		dst = append(dst, '.')
	}
	return dst
}

// splitSocket splits the raw path of a unix socket, "<hex>-><hex> <path>", into the path and what comes before the
// blank. Any other text is a path as it is. It allocates only for the sake of an escaped ">".
func splitSocket(raw string) (p, link string) {
	n := hexLen(raw)
	if n == 0 {
		return raw, ""
	}
	const plain, escaped = "->", `-\u003e`
	left, rest := raw[:n], raw[n:]
	arrow := plain
	if !strings.HasPrefix(rest, plain) {
		if arrow = escaped; !strings.HasPrefix(rest, escaped) {
			return raw, ""
		}
	}
	rest = rest[len(arrow):]
	m := hexLen(rest)
	if m == 0 || m == len(rest) || rest[m] != ' ' {
		return raw, ""
	}
	if p = rest[m+1:]; arrow == plain {
		return p, raw[:n+len(plain)+m]
	}
	return p, left + plain + rest[:m]
}

// hexLen returns the number of hexadecimal digits that s begins with, or 0 if there are more than the 16 of a pointer.
func hexLen(s string) int {
	for i := range len(s) {
		if c := s[i]; c-'0' > 9 && c|0x20-'a' > 5 {
			if i > 16 {
				return 0
			}
			return i
		}
	}
	if len(s) > 16 {
		return 0
	}
	return len(s)
}

// splitImage splits a reference to an image. A colon separates the tag only after the last slash. A colon at the end,
// which collectors write if there is no tag, is no part of anything.
func splitImage(ref string) (repository, tag, digest string) {
	if ref = strings.TrimSuffix(ref, ":"); ref == "/" {
		return "", "", "" // written for an unknown image
	}
	repository, digest, _ = strings.Cut(ref, "@")
	if i := strings.LastIndexByte(repository, ':'); i > strings.LastIndexByte(repository, '/') {
		repository, tag = repository[:i], repository[i+1:]
	}
	return repository, tag, digest
}

// AppendProcOID appends the text form of a process's object id: the xxHash64 of its decimal pid and creation time, in
// 16 hexadecimal digits.
func AppendProcOID(dst []byte, oid sfgo.OID) []byte {
	var buf [40]byte // two 64-bit numbers in decimal
	id := strconv.AppendInt(strconv.AppendInt(buf[:0], oid.Hpid, 10), oid.CreateTS, 10)
	var sum [8]byte
	binary.BigEndian.PutUint64(sum[:], xxhash.Sum64(id))
	return hex.AppendEncode(dst, sum[:])
}

// AppendIPv4 appends the dotted text of an address, whose lowest byte is the first octet.
func AppendIPv4(dst []byte, ip int64) []byte {
	for i := range 4 {
		if i > 0 {
			dst = append(dst, '.')
		}
		dst = strconv.AppendUint(dst, uint64(ip)>>(8*i)&0xff, 10)
	}
	return dst
}

// appendCmdline appends an executable and its arguments, with a blank between them if there are both.
func appendCmdline(dst []byte, exe, args string) []byte {
	dst = append(dst, exe...)
	if exe != "" && args != "" {
		dst = append(dst, ' ')
	}
	return append(dst, args...)
}

// argument returns the i-th of the arguments in args, which blanks separate.
func argument(args string, i int) (string, bool) {
	for {
		args = strings.TrimLeft(args, " ")
		if args == "" {
			return "", false
		}
		arg, rest, _ := strings.Cut(args, " ")
		if i == 0 {
			return arg, true
		}
		args = rest
		i--
	}
}

// commLen is how much of a process's name the kernel keeps.
const commLen = 15

// appendNameForms appends a process name, and what the kernel would keep of it if it is longer.
func appendNameForms(dst []string, name string) []string {
	dst = append(dst, name)
	if len(name) > commLen {
		dst = append(dst, name[:commLen])
	}
	return dst
}
