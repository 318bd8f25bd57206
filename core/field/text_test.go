package field

import (
	"path"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

func TestPaths(t *testing.T) {
	for _, tt := range []struct{ path, base, dir string }{
		{"", "", ""},
		{"/", "/", "/"},
		{"///", "/", "/"},
		{"/x", "x", "/"},
		{"/data/db/journal", "journal", "/data/db"},
		{"/data/db/", "db", "/data"},
		{"//sys//a/b", "b", "/sys/a"},
		{"/a/../b/c", "c", "/b"},
		{"./testing_dir", "testing_dir", "."},
		{"cpu,cpuacct", "cpu,cpuacct", "."},
		{"pipe:[7]", "pipe:[7]", "."},
		{"<NA>", "<NA>", "."},
		{"a//", "a", "."},
	} {
		if got := Basename(tt.path); got != tt.base {
			t.Errorf("the base name of %q is %q, want %q", tt.path, got, tt.base)
		}
		if got := Directory(tt.path); got != tt.dir {
			t.Errorf("the directory of %q is %q, want %q", tt.path, got, tt.dir)
		}
	}
}

func TestSplitSocket(t *testing.T) {
	for raw, want := range map[string][2]string{
		"ffffa05a39575400->ffffa05a39574000 /sock/sysflow.sock": {"/sock/sysflow.sock", "ffffa05a39575400->ffffa05a39574000"},
		"0->ffff8803c9f45400 /dev/log":                          {"/dev/log", "0->ffff8803c9f45400"},
		"0->ffff8803c9f45400 /a path/with blanks":               {"/a path/with blanks", "0->ffff8803c9f45400"},
		`0-\u003effff8803c9f45400 /dev/log`:                     {"/dev/log", "0->ffff8803c9f45400"},
		"0->FFFF /x":                                            {"/x", "0->FFFF"},
		"":                                                      {"", ""},
		"0":                                                     {"0", ""},
		"0->":                                                   {"0->", ""},
		"0->ffff":                                               {"0->ffff", ""},
		"0->ffff/dev/log":                                       {"0->ffff/dev/log", ""},
		"0- >ffff /dev/log":                                     {"0- >ffff /dev/log", ""},
		"->ffff /dev/log":                                       {"->ffff /dev/log", ""},
		"0-> /dev/log":                                          {"0-> /dev/log", ""},
		"g->ffff /dev/log":                                      {"g->ffff /dev/log", ""},
		"00000000000000001->ffff /dev/log":                      {"00000000000000001->ffff /dev/log", ""},
		"0->00000000000000001 /dev/log":                         {"0->00000000000000001 /dev/log", ""},
		"/0->1 /x":                                              {"/0->1 /x", ""},
	} {
		p, link := splitSocket(raw)
		if p != want[0] || link != want[1] {
			t.Errorf("%q is path %q and link %q, want %q", raw, p, link, want)
		}
	}
}

func TestSplitImage(t *testing.T) {
	for ref, want := range map[string][3]string{
		"":                                 {},
		":":                                {},
		"/":                                {},
		"httpd":                            {"httpd", "", ""},
		"httpd:latest":                     {"httpd", "latest", ""},
		"registry:5000/foo/bar":            {"registry:5000/foo/bar", "", ""},
		"registry:5000/foo/bar:1.2":        {"registry:5000/foo/bar", "1.2", ""},
		"foo/bar@sha256:12ab":              {"foo/bar", "", "sha256:12ab"},
		"foo/bar@sha256:12ab:":             {"foo/bar", "", "sha256:12ab"},
		"foo/bar:1.2@sha256:12ab":          {"foo/bar", "1.2", "sha256:12ab"},
		"sha256:621ddd7848a2327f47:latest": {"sha256:621ddd7848a2327f47", "latest", ""},
		"alpine:latest:latest":             {"alpine:latest", "latest", ""},
	} {
		repository, tag, digest := splitImage(ref)
		if got := [3]string{repository, tag, digest}; got != want {
			t.Errorf("%q is split into %q, want %q", ref, got, want)
		}
	}
}

func TestAppendProcOID(t *testing.T) {
	for _, tt := range []struct {
		oid  sfgo.OID
		want string
	}{
		{sfgo.OID{Hpid: 13823}, "c2f5f8c25e766cd4"},
		{sfgo.OID{Hpid: 7955}, "d98bb3dff5aeffc9"},
		{sfgo.OID{Hpid: 57312, CreateTS: 1647543894672412244}, "4c8c009569735d39"},
	} {
		if got := string(AppendProcOID([]byte("x"), tt.oid)); got != "x"+tt.want {
			t.Errorf("the id of %v is %q, want %q", tt.oid, got, tt.want)
		}
	}
}

func TestAppendIPv4(t *testing.T) {
	for ip, want := range map[int64]string{
		16777343: "127.0.0.1", 1681631424: "192.168.59.100", -1120945910: "10.185.47.189", 546092854: "54.183.140.32",
		0: "0.0.0.0", 1<<32 - 1: "255.255.255.255", -1: "255.255.255.255",
	} {
		if got := string(AppendIPv4(nil, ip)); got != want {
			t.Errorf("%d is %s, want %s", ip, got, want)
		}
	}
}

func TestCmdline(t *testing.T) {
	for _, tt := range [][3]string{
		{"/bin/sh", "-c id", "/bin/sh -c id"}, {"/bin/sh", "", "/bin/sh"}, {"", "-c", "-c"}, {"", "", ""},
	} {
		if got := string(appendCmdline(nil, tt[0], tt[1])); got != tt[2] {
			t.Errorf("%q and %q make %q", tt[0], tt[1], got)
		}
	}
}

func TestArgument(t *testing.T) {
	for i, want := range []string{"-p", "80", "-v"} {
		if got, ok := argument("  -p 80   -v ", i); !ok || got != want {
			t.Errorf("argument %d is %q, want %q", i, got, want)
		}
	}
	for _, args := range []string{"", "  ", "a", "a "} {
		if got, ok := argument(args, 1); ok {
			t.Errorf("%q has a second argument %q", args, got)
		}
	}
}

func FuzzPaths(f *testing.F) {
	f.Add("0->ffff8803c9f45400 /dev/log")
	f.Add(`0-\u003e1 x`)
	f.Add("//sys//a/b/")
	f.Add("../a/../../b/./c/../d")
	f.Add("/../a/b")
	f.Fuzz(func(t *testing.T, raw string) {
		p, link := splitSocket(raw)
		if link == "" && p != raw || link != "" && strings.ReplaceAll(raw, `-\u003e`, "->") != strings.ReplaceAll(link+" "+p, `-\u003e`, "->") {
			t.Errorf("%q is split into %q and %q", raw, link, p)
		}
		base, dir := Basename(raw), Directory(raw)
		if got := string(appendDirectory([]byte("x/y"), raw)); got != "x/y"+dir {
			t.Errorf("the directory of %q is %q and %q", raw, dir, got)
		}
		if raw == "" {
			return
		}
		if trimmed := strings.TrimRight(raw, "/"); trimmed == "" {
			if base != "/" || dir != "/" {
				t.Errorf("%q has base name %q, directory %q", raw, base, dir)
			}
		} else if base != path.Base(raw) || dir != path.Dir(trimmed) || path.Clean(dir) != dir {
			t.Errorf("%q has base name %q, directory %q", raw, base, dir)
		}
		splitImage(raw)
	})
}
