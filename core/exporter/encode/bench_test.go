package encode

import (
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
)

// BenchmarkJSON encodes real traces. MB/s is of JSON.
func BenchmarkJSON(b *testing.B) {
	for _, name := range []string{"runtime-1621959914.sf", "k8s_small.sf", "mon.1531776712.sf", "webserver.sf"} {
		b.Run(name, func(b *testing.B) {
			var events []engine.Event
			for _, r := range traceRows(b, name) {
				events = append(events, engine.Event{Row: r})
			}
			j := NewJSON(field.SysFlow(), JSONOptions{})
			var buf []byte
			size := 0
			for i := range events {
				buf, _ = j.Append(buf[:0], &events[i])
				size += len(buf)
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				for i := range events {
					var err error
					if buf, err = j.Append(buf[:0], &events[i]); err != nil {
						b.Fatal(err)
					}
				}
			}
			records := float64(b.N) * float64(len(events))
			b.ReportMetric(records/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64(size)/float64(len(events)), "B/record")
		})
	}
}
