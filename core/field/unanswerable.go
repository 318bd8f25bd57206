package field

import (
	"slices"
	"strings"
)

// unanswerable are the names that Falco has and SysFlow data can never supply. A name that ends in ".*" stands for
// itself without that and for all names that go on with a dot; a star alone stands for all names that begin so.
var unanswerable = map[string]string{
	"evt.": `latency latency.s latency.ns latency.quantized latency.human deltatime deltatime.s deltatime.ns outputtime
		type.is category cpu buffer buflen.* is_io is_io_read is_io_write io_dir is_wait wait_latency is_syslog count.*
		around abspath.* infra.* is_open_exec time.s time.iso8601 datetime datetime.s rawtime.s rawtime.ns reltime
		reltime.s reltime.ns pluginname plugininfo source is_async asynctype arg.* rawarg.*`,
	"proc.": `cmdnargs cmdlenargs env aenv cwd loginshellid pvpid sid sname sid.exe sid.exepath vpgid vpgid.name
		vpgid.exe vpgid.exepath pgid pgid.name pgid.exe pgid.exepath is_exe_writable is_exe_upper_layer
		is_exe_lower_layer is_exe_from_memfd is_sid_leader is_vpgid_leader is_pgid_leader exe_ino.* pidns_init_start_ts
		fdopencount fdlimit fdusage vmsize vmrss vmswap nthreads nchilds stdin.* stdout.* stderr.*`,
	"thread.": "*",
	"user.":   "homedir shell loginuid loginname",
	"fd.": `uid containername containerdirectory connected name_changed cip.name sip.name lip.name rip.name dev.* ino
		types is_upper_layer is_lower_layer`,
	"fdlist.": "*",
	"container.": `mounts mount.* healthcheck liveness_probe readiness_probe start_ts duration ip cni.json host_pid
		host_network host_ipc label.* labels info`,
	"k8s.": "*",

	// Other sources of events than system calls.
	"ka.": "*", "jevt.": "*", "json.": "*", "ct.": "*", "okta.": "*", "github.": "*", "gcp.": "*", "k8smeta.": "*",
	"mesos.": "*", "marathon.": "*", "span.": "*",

	// Reserved for other sources of data than SysFlow.
	"ext.proc.": `guid image curdir logonguid logonid termsessid integrity signature sigstatus sha1 md5 sha256 imphash
		signed`,
	"ext.file.":     "sha1 md5 sha256 imp signature sigstatus signed",
	"ext.registry.": "details",
	"ext.net.":      "srchostname srcportname desthostname destportname",
	"ext.targetproc.": `state createts pid ts exe args uid user gid group tty entry guid image curdir logonguid logonid
		termsessid integrity signature sigstatus sha1 md5 sha256 imphash startaddr startmod startfunc grantaccess
		calltrace accesstype signed newthreadid`,
	"ext.targetpproc.":     "createts pid",
	"ext.targetcontainer.": "id",
}

// nameSet is a set of names and of beginnings of names.
type nameSet struct {
	list     []string // as declared, in order
	names    map[string]bool
	prefixes []string
}

func newUnanswerable() *nameSet {
	s := &nameSet{names: map[string]bool{}}
	for prefix, rest := range unanswerable {
		for name := range strings.FieldsSeq(rest) {
			s.list = append(s.list, prefix+name)
		}
	}
	slices.Sort(s.list)
	for _, name := range s.list {
		if begin, ok := strings.CutSuffix(name, "*"); ok {
			s.prefixes = append(s.prefixes, begin)
			name = strings.TrimSuffix(begin, ".")
		}
		if strings.Contains(name, ".") {
			s.names[name] = true
		}
	}
	return s
}

func (s *nameSet) has(name string) bool {
	if s.names[name] {
		return true
	}
	for _, p := range s.prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}
