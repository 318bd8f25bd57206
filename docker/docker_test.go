// Package docker_test checks what can be checked of the images without building them.
package docker_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// defaults are the variables of the image and the flags that they become; the path is no flag.
var defaults = map[string]struct{ value, flag string }{
	"DRIVER":      {"socket", "-driver="},
	"INPUT_PATH":  {"/sock/sysflow.sock", ""},
	"LOG_LEVEL":   {"info", "-log="},
	"CONFIG_PATH": {"/usr/local/sysflow/conf/pipeline.json", "-config="},
	"DRIVER_DIR":  {"/usr/local/sysflow/resources/drivers", "-driverdir="},
	"PLUGIN_DIR":  {"/usr/local/sysflow/resources/plugins", "-plugdir="},
}

// TestEntrypoint starts a program that prints its process id and its arguments instead of ours.
func TestEntrypoint(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho \"$$\"\nfor arg; do echo \"<$arg>\"; done\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for name, d := range defaults {
		all[name] = d.value
	}
	for name, tt := range map[string]struct {
		change map[string]string
		args   []string
		want   []string
	}{
		"defaults": {nil, nil, []string{"-driver=socket", "-log=info", "-config=/usr/local/sysflow/conf/pipeline.json",
			"-driverdir=/usr/local/sysflow/resources/drivers", "-plugdir=/usr/local/sysflow/resources/plugins", "/sock/sysflow.sock"}},
		"all empty": {map[string]string{"DRIVER": "", "INPUT_PATH": "", "LOG_LEVEL": "", "CONFIG_PATH": "", "DRIVER_DIR": "", "PLUGIN_DIR": ""}, nil, nil},
		"some empty": {map[string]string{"DRIVER": "file", "LOG_LEVEL": "", "CONFIG_PATH": "", "DRIVER_DIR": "", "PLUGIN_DIR": "", "INPUT_PATH": "/t.sf"}, nil,
			[]string{"-driver=file", "/t.sf"}},
		"blanks and other signs": {map[string]string{"DRIVER": "", "LOG_LEVEL": "", "DRIVER_DIR": "", "PLUGIN_DIR": "$(id) *", "CONFIG_PATH": "/my conf/a'b\".json", "INPUT_PATH": "/a b"}, nil,
			[]string{"-config=/my conf/a'b\".json", "-plugdir=$(id) *", "/a b"}},
		"arguments of its own": {map[string]string{"LOG_LEVEL": "", "CONFIG_PATH": "", "DRIVER_DIR": "", "PLUGIN_DIR": "", "INPUT_PATH": ""}, []string{"-test", "-perflog"},
			[]string{"-driver=socket", "-test", "-perflog"}},
	} {
		t.Run(name, func(t *testing.T) {
			env := maps.Clone(all)
			maps.Copy(env, tt.change)
			cmd := exec.Command("./entrypoint", tt.args...)
			cmd.Env = []string{"SFPROCESSOR=" + program, "PATH=" + os.Getenv("PATH")}
			for k, v := range env {
				cmd.Env = append(cmd.Env, k+"="+v)
			}
			out, err := cmd.Output()
			if code := cmd.ProcessState.ExitCode(); code != 3 {
				t.Fatalf("exit code is %d, want that of the program: %v", code, err)
			}
			want := fmt.Sprintln(cmd.ProcessState.Pid()) // the program has replaced the shell
			for _, arg := range tt.want {
				want += "<" + arg + ">\n"
			}
			if string(out) != want {
				t.Errorf("got  %q\nwant %q", out, want)
			}
		})
	}
	cmd := exec.Command("./entrypoint") // with none of the variables
	cmd.Env = []string{"SFPROCESSOR=" + program, "PATH=" + os.Getenv("PATH")}
	if out, _ := cmd.Output(); strings.Contains(string(out), "<") {
		t.Errorf("got %q", out)
	}
}

// instruction is a line of the Dockerfile, with its continuations.
type instruction struct{ name, args string }

func dockerfile(t *testing.T) (list []instruction) {
	t.Helper()
	data, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(string(data), "")
	for _, line := range strings.Split(regexp.MustCompile(`\\\n\s*`).ReplaceAllString(text, ""), "\n") {
		if name, args, ok := strings.Cut(line, " "); ok {
			list = append(list, instruction{name, args})
		}
	}
	return list
}

// TestDockerfile wants what is copied to exist, and the image to be what its users rely on.
func TestDockerfile(t *testing.T) {
	args, env, copies := map[string]string{}, map[string]string{}, map[string]string{}
	other := map[string]string{}
	stage := 0
	for _, i := range dockerfile(t) {
		switch i.name {
		case "FROM":
			stage++
		case "ARG":
			name, value, _ := strings.Cut(i.args, "=")
			args[name] = value
		case "ENV":
			for _, m := range regexp.MustCompile(`(\w+)=(\S+)`).FindAllStringSubmatch(i.args, -1) {
				env[m[1]] = strings.Trim(m[2], "${}")
			}
		case "COPY":
			words := strings.Fields(i.args)
			from := strings.HasPrefix(words[0], "--from=plugin-builder")
			if from {
				words = words[1:]
			}
			for _, source := range words[:len(words)-1] {
				source = strings.TrimPrefix(source, "${source}/")
				if _, err := os.Stat(filepath.Join("..", source)); err != nil && source != "driver/sfprocessor" {
					t.Errorf("COPY %s: %v", i.args, err)
				}
				if stage == 2 {
					copies[words[len(words)-1]] = source
				}
			}
		default:
			if stage == 2 {
				other[i.name] += i.args + "\n"
			}
		}
	}
	for _, name := range []string{"VERSION", "BUILD_NUMBER", "RELEASE"} {
		if _, ok := args[name]; !ok {
			t.Errorf("no build argument %s", name)
		}
	}
	for name, arg := range map[string]string{
		"DRIVER": "driver", "INPUT_PATH": "inputpath", "LOG_LEVEL": "loglevel", "CONFIG_PATH": "configpath", "DRIVER_DIR": "driver_dir", "PLUGIN_DIR": "plugin_dir",
	} {
		if env[name] != arg || args[arg] != defaults[name].value {
			t.Errorf("%s is %s, which is %s by default; want %s and %s", name, env[name], args[arg], arg, defaults[name].value)
		}
	}
	for to, from := range map[string]string{
		"/usr/local/sysflow/bin/sfprocessor":                "driver/sfprocessor",
		"/usr/local/sysflow/conf/pipeline.json":             "resources/pipelines/pipeline.distribution.json",
		"/usr/local/sysflow/resources/policies/filter.yaml": "resources/policies/distribution/filter.yaml",
		"/usr/local/sysflow/bin/entrypoint":                 "docker/entrypoint",
		"/licenses/LICENSE":                                 "LICENSE",
	} {
		if copies[to] != from {
			t.Errorf("%s is a copy of %q, want %s", to, copies[to], from)
		}
	}
	for name, wants := range map[string][]string{
		"USER": {"1001\n"}, "WORKDIR": {"/usr/local/sysflow/bin\n"}, "VOLUME": {"/sock\n"},
		"ENTRYPOINT": {`["/usr/local/sysflow/bin/entrypoint"]` + "\n"},
		"LABEL":      {"name=", "vendor=", "version=", "release=", "summary=", "description="},
		"RUN":        {"useradd --uid 1001", "resources/drivers", "resources/plugins", "resources/handlers", "resources/actions", "chown sysflow:sysflow /sock"},
	} {
		for _, want := range wants {
			if !strings.Contains(other[name], want) {
				t.Errorf("%s is %q, want %q in it", name, other[name], want)
			}
		}
	}
}

// TestDefaultPipeline wants the image's pipeline to find the image's policy.
func TestDefaultPipeline(t *testing.T) {
	data, err := os.ReadFile("../resources/pipelines/pipeline.distribution.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Pipeline []map[string]any }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(file.Pipeline, func(e map[string]any) bool { return e["policies"] == "/usr/local/sysflow/resources/policies" }) {
		t.Errorf("no stage reads the policies of the image: %v", file.Pipeline)
	}
}

// TestBuildPlugin looks at the commands that build plugins from folders of every kind.
func TestBuildPlugin(t *testing.T) {
	tree, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	if tree, err = filepath.EvalSymlinks(tree); err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"module/sub", "loose"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"module/go.mod", "loose/b.go", "loose/a.go", "loose/a_test.go"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "out", "x.so")
	build := "build -buildmode=plugin -trimpath -race -o " + out + " "
	for from, want := range map[string]string{
		"plugins/actions/example":          build + "./plugins/actions/example\n",
		tree + "/plugins/actions/example/": build + "./plugins/actions/example\n",
		dir + "/module":                    "work init " + tree + " " + dir + "/module\n" + build + ".\n",
		dir + "/module/sub":                "work init " + tree + " " + dir + "/module\n" + build + ".\n",
		dir + "/loose":                     build + dir + "/loose/a.go " + dir + "/loose/b.go\n",
	} {
		cmd := exec.Command("docker/build-plugin", from, out, "-trimpath", "-race")
		cmd.Dir = tree
		cmd.Env = append(os.Environ(), "GO=echo")
		got, err := cmd.CombinedOutput()
		if err != nil || string(got) != want {
			t.Errorf("%s: got %v\n%swant\n%s", from, err, got, want)
		}
	}
	for _, args := range [][]string{nil, {"plugins/actions/example"}, {"no/such/folder", out}} {
		cmd := exec.Command("docker/build-plugin", args...)
		cmd.Dir = tree
		got, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 2 || !strings.HasPrefix(string(got), "usage: ") {
			t.Errorf("%q: got %v\n%s", args, err, got)
		}
	}
}

// TestMakeImages wants both images to come from one Dockerfile.
func TestMakeImages(t *testing.T) {
	cmd := exec.Command("make", "-n", "-C", "..", "docker-build", "TAG=edge", "VERSION=v1.2.3", "BUILD=4")
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	got, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	for _, want := range []string{"--target plugin-builder", "-t sysflowtelemetry/plugin-builder:edge .", "-t sysflowtelemetry/sf-processor:edge .",
		"--build-arg VERSION=v1.2.3 --build-arg BUILD_NUMBER=4", "--build-arg RELEASE=edge"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %s in: %s", want, got)
		}
	}
}
