package exporter

import (
	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

func newJSON(cfg *Config, _ *Env) (Encoder, error) {
	return encode.NewJSON(field.SysFlow(), encode.JSONOptions{
		Version: cfg.JSONVersion, Extended: cfg.JSONExtended, Output: cfg.RuleOutput == "field",
	}), nil
}

// ecs is the ECS encoder with its memory for the making of ids.
type ecs struct {
	*encode.ECS
	scratch []byte
}

func newECS(cfg *Config, env *Env) (Encoder, error) {
	e, err := encode.NewECS(field.SysFlow(), encode.ECSOptions{
		AgentVersion: env.Version, ClusterID: cfg.ClusterID, RuleOutput: cfg.RuleOutput == "field",
	})
	return &ecs{ECS: e}, err
}

func (e *ecs) AppendID(dst []byte, ev *engine.Event) []byte {
	dst, e.scratch = e.ECS.AppendID(dst, e.scratch, ev.Row)
	return dst
}

// messages encodes a record as the output texts of the rules it matched, one per line. A record without such a text is
// encoded as a document.
type messages struct{ documents Encoder }

func (m messages) Append(dst []byte, e *engine.Event) ([]byte, error) {
	start := len(dst)
	for _, r := range e.Rules {
		if r.Output == nil {
			continue
		}
		if len(dst) > start {
			dst = append(dst, '\n')
		}
		dst = r.Output(dst, e.Row)
	}
	if len(dst) > start {
		return dst, nil
	}
	return m.documents.Append(dst, e)
}
