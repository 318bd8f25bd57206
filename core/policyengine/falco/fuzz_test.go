package falco

import (
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// FuzzLoad loads arbitrary files: no panic, every diagnostic points into the file, and what loads without error also
// compiles.
func FuzzLoad(f *testing.F) {
	archives, err := filepath.Glob("testdata/diagnostics/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range archives {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range a.Files {
			if file.Name != "want" && file.Name != "options" {
				f.Add(string(unescaped(file.Data)), false)
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string, lenient bool) {
		opts := Options{Catalogue: catalogue}
		if lenient {
			opts.Checks = Lenient
		}
		p, ds := LoadSources([]Source{{"fuzz.yaml", []byte(text)}}, opts)
		lines := splitLines(text)
		for _, d := range ds {
			if d.Line > len(lines) || d.Line > 0 && (d.Col < 1 || d.Len < 1 || d.Col > utf8.RuneCountInString(lines[d.Line-1])+1) {
				t.Errorf("%s points to nowhere", d.Error())
			}
			d.Format()
		}
		if (p == nil) != ds.HasErrors() {
			t.Errorf("policy is nil: %v, errors: %v", p == nil, ds.HasErrors())
		}
		if p != nil {
			if _, err := policy.Compile(p); err != nil {
				t.Error(err)
			}
		}
	})
}

// FuzzCondition parses arbitrary conditions: no panic, and positions within the text.
func FuzzCondition(f *testing.F) {
	conds, err := os.ReadFile("testdata/conditions.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range splitLines(string(conds)) {
		f.Add(c)
	}
	p := newParser()
	f.Fuzz(func(t *testing.T, cond string) {
		x, err := p.parse(cond)
		if err != nil {
			if err.start < 0 || err.end < err.start || err.end > len(cond) {
				t.Errorf("%s: error at %v of %d bytes", err.message, err.span, len(cond))
			}
			return
		}
		checkSpans(t, cond, x)
	})
}

// checkSpans wants each word of the tree to stand where its span says.
func checkSpans(t *testing.T, cond string, x expr) {
	check := func(w word) {
		if cond[w.start:w.end] != w.text {
			t.Errorf("%q: %q is said to stand at %v", cond, w.text, w.span)
		}
	}
	operand := func(o operand) {
		check(o.attr)
		for _, a := range o.apply {
			check(a)
		}
	}
	switch x := x.(type) {
	case *logical:
		for _, x := range x.xs {
			checkSpans(t, cond, x)
		}
	case *negation:
		checkSpans(t, cond, x.x)
	case *reference:
		check(word{x.span, x.name})
	case *exists:
		operand(x.x)
	case *comparison:
		operand(x.left)
		check(x.op)
		if x.call != nil {
			operand(*x.call)
		}
		for _, v := range x.list {
			if !v.quoted {
				check(v.word)
			}
		}
	}
}
