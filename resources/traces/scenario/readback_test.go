package scenario_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
	"github.com/sysflow-telemetry/sf-processor/resources/traces/scenario"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestReadBack reads traces with our own reader, in each compression, and compares the records with those of the play.
func TestReadBack(t *testing.T) {
	enc, err := codec.NewEncoder(codec.CurrentSchema)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(rec *sfgo.SysFlow) string {
		b, err := enc.Append(nil, rec)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, compression := range map[string]string{"webshell": "deflate", "everything": "zstandard", "pod": "snappy", "database": "null"} {
		t.Run(name, func(t *testing.T) {
			s := load(t, name)
			opts := scenario.Options{Schema: codec.CurrentSchema, Codec: compression}
			var want []string
			err := s.Records(opts, func(rec *sfgo.SysFlow) error {
				if e := rec.Rec.K8sEvent; e != nil { // readers remove what ends its message
					e.Message = strings.TrimSuffix(e.Message, "\n\x00")
				}
				want = append(want, encode(rec))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			r, err := codec.NewReader(bytes.NewReader(trace(t, s, opts)), name, &codec.ReaderOptions{
				OnDamage: func(d codec.Damage) { t.Errorf("damage: %+v", d) }})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			dec, err := codec.NewDecoder(r.Stream().Schema)
			if err != nil {
				t.Fatal(err)
			}
			var rec codec.Record
			for {
				block, err := r.Next(t.Context())
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				for data, n := block.Data, 0; n < block.Count; n++ {
					size, err := dec.Decode(data, &rec)
					if err != nil {
						t.Fatal(err)
					}
					data = data[size:]
					if len(want) == 0 || encode(rec.SysFlow()) != want[0] {
						t.Fatalf("a record of type %d is not what was written", rec.Type)
					}
					want = want[1:]
				}
				if block.Release != nil {
					block.Release()
				}
			}
			if len(want) > 0 {
				t.Errorf("%d records are missing", len(want))
			}
		})
	}
}
