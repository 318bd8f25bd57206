package author

import (
	"io"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// The part of SARIF 2.1.0 (OASIS standard, with errata 01) that a check needs.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		ColumnKind  string            `json:"columnKind"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID                   string      `json:"id"`
		ShortDescription     sarifText   `json:"shortDescription"`
		DefaultConfiguration sarifConfig `json:"defaultConfiguration"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifInvocation struct {
		ExecutionSuccessful bool `json:"executionSuccessful"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI       string `json:"uri"`
		URIBaseID string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndColumn   int `json:"endColumn"` // that after the last one
	}
)

// sourceRoot is what file names are relative to, by the name that those who show results know it by.
const sourceRoot = "%SRCROOT%"

// sarifLevels are the words for severities.
var sarifLevels = map[policy.Severity]string{policy.Error: "error", policy.Warning: "warning", policy.Info: "note"}

// WriteSARIF writes the diagnostics as a SARIF log. Names of files below root, an absolute directory, are written
// relative to it, so that the log can be shown beside the sources. version is that of the program.
func (r *CheckReport) WriteSARIF(w io.Writer, root, version string) error {
	run := sarifRun{
		Tool: sarifTool{sarifDriver{
			Name: "sfprocessor", Version: version, InformationURI: "https://github.com/sysflow-telemetry/sf-processor",
			Rules: []sarifRule{},
		}},
		Invocations: []sarifInvocation{{ExecutionSuccessful: true}},
		ColumnKind:  "unicodeCodePoints",
		Results:     []sarifResult{},
	}
	index := map[string]int{}
	for _, d := range r.Diagnostics {
		index[d.Code] = 0
	}
	for i, code := range slices.Sorted(maps.Keys(index)) {
		index[code] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: code, ShortDescription: sarifText{codes[code]}, DefaultConfiguration: sarifConfig{levelOf(code)},
		})
	}
	for _, d := range r.Diagnostics {
		run.Results = append(run.Results, sarifResult{
			RuleID: d.Code, RuleIndex: index[d.Code], Level: sarifLevels[d.Severity], Message: sarifText{message(d)},
			Locations: []sarifLocation{{sarifPhysical{artifact(root, d.File), region(d)}}},
		})
	}
	return writeJSON(w, sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0",
		Runs:    []sarifRun{run},
	})
}

// levelOf returns the level of a code where checks are normal.
func levelOf(code string) string {
	switch code[0] {
	case 'E':
		return sarifLevels[policy.Error]
	case 'W':
		return sarifLevels[policy.Warning]
	}
	return sarifLevels[policy.Info]
}

// message returns what a diagnostic says, with its notes and hints.
func message(d *policy.Diagnostic) string {
	lines := []string{d.Message}
	for _, n := range d.Notes {
		lines = append(lines, "note: "+n)
	}
	for _, h := range d.Hints {
		lines = append(lines, "hint: "+h)
	}
	return strings.Join(lines, "\n")
}

// artifact returns the location of a file.
func artifact(root, name string) sarifArtifact {
	if !filepath.IsAbs(name) {
		name = filepath.Join(root, name)
	}
	if rel, err := filepath.Rel(root, name); err == nil && filepath.IsLocal(rel) {
		return sarifArtifact{(&url.URL{Path: filepath.ToSlash(rel)}).String(), sourceRoot}
	}
	return sarifArtifact{URI: (&url.URL{Scheme: "file", Path: filepath.ToSlash(name)}).String()}
}

// region returns the place of a diagnostic in its file; nil if the file as a whole is meant.
func region(d *policy.Diagnostic) *sarifRegion {
	if d.Line == 0 {
		return nil
	}
	return &sarifRegion{StartLine: d.Line, StartColumn: d.Col, EndColumn: d.Col + d.Len}
}
