package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/config"
)

//go:generate go test -run TestReferencePage -update .

var update = flag.Bool("update", false, "write generated files instead of comparing them")

// The part of the page that is generated lies between these lines.
const (
	pageBegin = "<!-- Generated from the program by go generate in driver. Do not edit this part. -->\n"
	pageEnd   = "<!-- End of the generated part. -->\n"
)

// TestReferencePage holds the reference of attributes to what the stages declare.
func TestReferencePage(t *testing.T) {
	const path = "../docs/configuration.md"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), pageBegin)
	old, after, ok2 := strings.Cut(rest, pageEnd)
	if !ok || !ok2 {
		t.Fatalf("%s lacks the lines %q and %q", path, pageBegin, pageEnd)
	}
	now := reference(t)
	if *update {
		if err := os.WriteFile(path, []byte(before+pageBegin+now+pageEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if now != old {
		t.Errorf("%s is not what the program says; run go generate in driver", path)
	}
}

// reference returns the tables of all attributes.
func reference(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	for _, s := range builtins(nil, nil, 0).Reference() {
		title := "The file"
		if s.Name != "" {
			title = strings.ToUpper(s.Kind[:1]) + s.Kind[1:] + " " + s.Name
		}
		fmt.Fprintf(&b, "\n### %s\n\n", title)
		if err := config.WriteTable(&b, s.Attributes); err != nil {
			t.Fatal(err)
		}
	}
	b.WriteByte('\n')
	return b.String()
}

// TestAttributesAreExplained wants a line of help for every attribute.
func TestAttributesAreExplained(t *testing.T) {
	for _, s := range builtins(nil, nil, 0).Reference() {
		for _, a := range s.Attributes {
			if a.Help == "" {
				t.Errorf("%s %s: nothing is said about %s", s.Kind, s.Name, a.Name)
			}
		}
	}
}

// TestReferenceExample checks the pipeline that the page shows, and with the mistake that it shows, the message.
func TestReferenceExample(t *testing.T) {
	page, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```json\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the page shows no pipeline")
	}
	rules := map[string]string{"policies/rules.yaml": allRecords}
	if _, stderr, code := sfprocessor(t, example, rules, "-test", "-log", "quiet"); code != 0 || stderr != "" {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	mistake := strings.Replace(example, `"policies":`, `"polices":`, 1)
	_, stderr, _ := sfprocessor(t, mistake, rules, "-test", "-log", "quiet")
	if !strings.Contains(string(page), strings.SplitAfter(stderr, "\n")[0]) {
		t.Errorf("the page does not show what the program says: %s", stderr)
	}
}
