package falco

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// maxFileSize bounds the memory that a policy file takes; the largest published ones have some 170 kB.
const maxFileSize = 16 << 20

// loader is the state of one load.
type loader struct {
	opts Options
	problems
	sources int
	set     set
}

func newLoader(opts Options) *loader {
	return &loader{opts: opts, problems: problems{checks: opts.Checks}}
}

// files adds the items of the policy set at path and reports files that cannot be read.
func (l *loader) files(path string) {
	whole := place{src: newSource(-1, path, "")}
	files, err := Files(path)
	if err != nil {
		l.report("E101", whole, "cannot read policy file: %v", systemMessage(err))
		return
	}
	if len(files) == 0 {
		l.report("E102", whole, "no policy files (*.yaml, *.yml) under '%s'", path)
	}
	for _, name := range files {
		text, err := readFile(name)
		if err != nil {
			l.report("E101", place{src: newSource(l.sources, name, "")}, "cannot read policy file: %v", systemMessage(err))
			l.sources++
			continue
		}
		l.source(Source{name, text})
	}
}

// readFile returns the content of a regular file of bearable size.
func readFile(name string) ([]byte, error) {
	// A named pipe would block already when it is opened.
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFileSize {
		return nil, fmt.Errorf("larger than %d MiB", maxFileSize>>20)
	}
	return text, nil
}

// systemMessage returns what the system said, without the path, which the diagnostic names.
func systemMessage(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// source adds the items of a policy file to the set.
func (l *loader) source(s Source) {
	src := newSource(l.sources, s.Name, string(s.Text))
	l.sources++
	docs, ok := l.documents(src)
	items := 0
	for _, doc := range docs {
		items += l.items(src, doc)
	}
	if ok && items == 0 {
		l.report("W124", place{src: src}, "policy file holds no items")
	}
}

// finish resolves what was collected.
func (l *loader) finish() (*policy.Policy, policy.Diagnostics) {
	p := newResolver(l).resolve()
	ds := l.sorted()
	if ds.HasErrors() {
		return nil, ds
	}
	return p, ds
}
