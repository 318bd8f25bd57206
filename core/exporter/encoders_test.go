package exporter

import (
	"context"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// processEvent is a record with a place for every attribute.
func processEvent() *sfgo.FlatRecord {
	ints := make([]int64, sfgo.INT_ARRAY_SIZE)
	ints[sfgo.SF_REC_TYPE], ints[sfgo.TS_INT] = sfgo.PROC_EVT, 1553543280704111050
	return &sfgo.FlatRecord{
		Sources: []sfgo.Source{sfgo.SYSFLOW_SRC}, Ints: [][]int64{ints},
		Strs: [][]string{make([]string, sfgo.STR_ARRAY_SIZE)}, Anys: [][]any{make([]any, sfgo.ANY_ARRAY_SIZE)},
	}
}

// TestBuiltinEncoders wants the attributes to reach the encoders.
func TestBuiltinEncoders(t *testing.T) {
	for name, tt := range map[string]struct {
		attrs string
		want  []string
	}{
		"json":           {`"format": "json"`, []string{`{"version":4,`, `"type":"PE"`}},
		"json 5":         {`"json.version": 5`, []string{`{"version":5,`}},
		"json, extended": {`"json.extended": true`, []string{`"env":[]`}},
		"json, output":   {`"rule.output": "field"`, []string{`"output":"rendered"`}},
		"ecs":            {`"format": "ecs", "cluster.id": "c1"`, []string{`"agent":{"type":"SysFlow","version":"1.2.3"}`, `"id":"c1"`}},
		"ecs, output":    {`"format": "ecs", "rule.output": "field"`, []string{`"message":"rendered"`}},
	} {
		t.Run(name, func(t *testing.T) {
			dead := filepath.Join(t.TempDir(), "dead")
			out := new(safeBuffer)
			cfg := settings(t, `{"export": "terminal", "deadletter.path": "`+dead+`", `+tt.attrs+`}`)
			s, err := New(cfg, nil, Env{Name: "exporter[0]", Version: "1.2.3", Stdout: out, Kinds: Builtin()})
			if err != nil {
				t.Fatal(err)
			}
			r := &rig{t: t, stage: s, in: engine.NewRecordChannel(16), done: make(chan error, 1)}
			r.start(t.Context())
			b := r.pool.Get(nil)
			b.Add(processEvent(), []*engine.Rule{{Name: "r", Output: text("rendered")}})
			if err := r.in.Send(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			want(t, "result", r.finish(), nil)
			want(t, "JSON", json.Valid([]byte(out.String())), true)
			for _, part := range tt.want {
				if !strings.Contains(out.String(), part) {
					t.Errorf("%s lacks %s", out, part)
				}
			}
		})
	}
}

// TestIDsOfDocuments wants the dead letter of an ECS document to have the document's id.
func TestIDsOfDocuments(t *testing.T) {
	dead := filepath.Join(t.TempDir(), "dead")
	tg := &target{deliver: func(context.Context, int, []string) error { return errAway }}
	r := newRig(t, tg, `{"export": "null"}`)
	r.kinds.Encoders = Builtin().Encoders
	s, err := New(settings(t, `{"export": "null", "format": "ecs", "retry.attempts": 1, "retry.initial": "1ms", "deadletter.path": "`+dead+`"}`), nil, Env{Kinds: r.kinds})
	if err != nil {
		t.Fatal(err)
	}
	r.stage = s
	r.start(t.Context())
	b := r.pool.Get(nil)
	b.Add(processEvent(), nil)
	if err := r.in.Send(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	want(t, "result", r.finish(), nil)
	if text := readFile(t, dead); !regexp.MustCompile(`"id":"[0-9a-f]{32}"`).MatchString(text) {
		t.Errorf("no id: %s", text)
	}
}
