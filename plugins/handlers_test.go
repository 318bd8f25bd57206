package plugins_test

import (
	"slices"
	"strings"
	"testing"
)

// TestCallbacks wants each method of a handler to be called for its type of record, with everything that the record
// refers to.
func TestCallbacks(t *testing.T) {
	t.Parallel()
	in := install(t, map[string]string{"handlers/callbacks.so": "plugins/testdata/callbacks", "drivers/scripted.so": "plugins/testdata/scripted"})
	const tree = ` tree=/bin/nginx tree=/sbin/init`
	entities := []string{
		`Header node1 header=node1`,
		`Pod web header=node1`,
		`Container c1 header=node1 container=nginx`,
		`Process /sbin/init header=node1 process="/sbin/init" 10 tree=/sbin/init`,
		`Process /bin/nginx header=node1 container=nginx process="/bin/nginx" 20` + tree,
		`File /etc/a header=node1 file=/etc/a`,
		`File /etc/b header=node1 file=/etc/b`,
	}
	events := []string{
		`ProcEvt 20 header=node1 container=nginx process="/bin/nginx" 20` + tree,
		`ProcFlow 4 header=node1 container=nginx process="/bin/nginx" 20` + tree,
		`FileFlow 5 header=node1 container=nginx process="/bin/nginx" 20 file=/etc/a` + tree,
		`FileEvt 21 header=node1 container=nginx process="/bin/nginx" 20 file=/etc/a newfile=/etc/b` + tree,
		`NetFlow 443 header=node1 process="/sbin/init" 10 tree=/sbin/init`,
		`NetEvt 11 header=node1 process="/sbin/init" 10 tree=/sbin/init`,
		`K8sEvt {} header=node1`,
		`ProcEvt 31 header=node1 process="" 30`, // a placeholder that has only its id
		`FileFlow 6 header=node1 process="" 30`, // its file is not known
	}
	for name, tt := range map[string]struct {
		env  []string // of the reader, and so of the handler
		want []string
	}{
		"without entities": {nil, events},
		"with entities":    {[]string{"SYSFLOWREADER_ENTITIES=yes"}, append(slices.Clone(entities), events...)},
	} {
		t.Run(name, func(t *testing.T) {
			config := in.pipeline(t, `{"processor": "sysflowreader", "handler": "callbacks", "in": "s sysflowchan"}`)
			o := in.run(t, tt.env, "-driver=scripted", config, "everything")
			o.mustExit(t, 0)
			got := from("callbacks.go", logLines(o.stdout))
			if len(got) < 2 || !strings.HasPrefix(got[0], "Init entities=") || !strings.HasSuffix(got[0], " version=1.2.3+4 processor=sysflowreader handler=callbacks") || got[len(got)-1] != "Cleanup" {
				t.Fatalf("got %q", got)
			}
			if got = got[1 : len(got)-1]; !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// TestHandlerDirectories looks for a handler in the folder that its entry names, in that of processors, and beside it.
func TestHandlerDirectories(t *testing.T) {
	t.Parallel()
	for path, more := range map[string]string{
		"handlers/callbacks.so":    "",
		"plugins/callbacks.so":     "",
		"drivers/own/callbacks.so": `, "handlerlibpath": "../resources/drivers/own"`,
		"actions/callbacks.so":     "environment",
	} {
		in := install(t, map[string]string{})
		mkdir(t, in.path("resources/drivers/own"))
		in.copy(t, path, workshop.library(t, "plugins/testdata/callbacks"))
		var env []string
		if more == "environment" {
			more, env = "", []string{"SYSFLOWREADER_HANDLERLIBPATH=../resources/actions"}
		}
		config := in.pipeline(t, `{"processor": "sysflowreader", "handler": "callbacks", "in": "s sysflowchan"`+more+`}`)
		o := in.run(t, env, "-test", "-log=quiet", config)
		if o.code != 0 {
			t.Errorf("%s: exit code is %d: %s", path, o.code, o.stderr)
		}
	}
}
