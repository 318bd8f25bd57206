package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// manyRules writes a policy file of n rules and returns its path: the runtime integrity rules, and copies of them with
// lists, macros, paths and names of their own, as a fleet's policies come to have.
func manyRules(b *testing.B, n int) string {
	b.Helper()
	files, err := filepath.Glob("../resources/policies/runtimeintegrity/*.yaml")
	if err != nil || len(files) == 0 {
		b.Fatalf("no shipped policies: %v", err)
	}
	var items []map[string]any
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		var part []map[string]any
		if err := yaml.Unmarshal(text, &part); err != nil {
			b.Fatalf("%s: %v", name, err)
		}
		items = append(items, part...)
	}
	var out []map[string]any
	rules := 0
	for k := 0; rules < n; k++ {
		for _, item := range items {
			if _, ok := item["rule"]; ok {
				if rules == n {
					continue
				}
				rules++
			}
			out = append(out, variant(item, names(items), k))
		}
	}
	text, err := yaml.Marshal(out)
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "many.yaml")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		b.Fatal(err)
	}
	return path
}

// names returns the names of all macros and lists, as one expression.
func names(items []map[string]any) *regexp.Regexp {
	var all []string
	for _, item := range items {
		for _, kind := range []string{"macro", "list"} {
			if name, ok := item[kind].(string); ok {
				all = append(all, regexp.QuoteMeta(name))
			}
		}
	}
	return regexp.MustCompile(`(^|[^\w.-])(` + strings.Join(all, "|") + `)($|[^\w.-])`)
}

var literalPath = regexp.MustCompile(`(/[a-z][\w.-]*/[\w./-]*\w)`)

// variant returns the k-th variant of an item; that of 0 is the item itself.
func variant(item map[string]any, names *regexp.Regexp, k int) map[string]any {
	if k == 0 {
		return item
	}
	rename := func(s string) string {
		for range 2 { // matches that share the character between them
			s = names.ReplaceAllString(s, fmt.Sprintf("${1}${2}_%d${3}", k))
		}
		return s
	}
	v := map[string]any{}
	for key, value := range item {
		switch text, isText := value.(string); {
		case key == "rule" || key == "drop":
			v[key] = fmt.Sprintf("%s (%d)", text, k)
		case key == "macro" || key == "list":
			v[key] = fmt.Sprintf("%s_%d", text, k)
		case key == "condition" && isText:
			v[key] = literalPath.ReplaceAllString(rename(text), fmt.Sprintf("${1}%d", k))
		case key == "items":
			var list []any
			for _, x := range value.([]any) {
				s := fmt.Sprint(x)
				switch renamed := rename(s); {
				case renamed != s:
					s = renamed
				case !strings.ContainsAny(s[:1], "0123456789"): // ports and addresses stay what they are
					s = fmt.Sprintf("%s%d", s, k)
				}
				list = append(list, s)
			}
			v[key] = list
		default:
			v[key] = value
		}
	}
	return v
}
