package transport

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/exporter/encode"
)

// TestOutbox compares with lists of texts.
func TestOutbox(t *testing.T) {
	type sent struct {
		item encode.Item
		text string
		end  int // in the stream; 0 if not written
	}
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		cfg := syslogConfig()
		f := newSyslogFormat(cfg)
		octet := seed%2 == 0
		var box outbox
		var model []sent
		stream, acked, n := 0, 0, 0
		for range 200 {
			switch rnd.IntN(5) {
			case 0: // records come in
				for range rnd.IntN(5) {
					n++
					it := encode.Item{Data: fmt.Appendf(nil, "%d%s", n, strings.Repeat("x", rnd.IntN(30))), ID: fmt.Appendf(nil, "id%d", n)}
					text := string(f.append(nil, &it))
					if octet {
						text = fmt.Sprintf("%d %s", len(text), text)
					} else {
						text += "\n"
					}
					box.add(f, octet, &it)
					model = append(model, sent{it, text, 0})
				}
			case 1: // some are written
				if box.written == len(box.frames) {
					continue
				}
				limit := rnd.IntN(200)
				piece := string(box.next(limit))
				k, text := box.written, ""
				for k < len(model) && (text == "" || len(text)+len(model[k].text) <= limit) {
					text += model[k].text
					k++
				}
				want(t, "next", piece, text)
				part := rnd.IntN(len(piece) + 1)
				start := stream
				box.wrote(part, func(end int) int64 { return int64(start + end) })
				end := 0
				for i := range model {
					if model[i].end == 0 && end+len(model[i].text) <= part {
						end += len(model[i].text)
						model[i].end = start + end
					} else if model[i].end == 0 {
						break
					}
				}
				stream += end // as if what is cut off had not been written: the box does not look at that
			case 2: // some are acknowledged
				acked += rnd.IntN(stream - acked + 1)
				box.acknowledged(int64(acked))
				for len(model) > 0 && model[0].end > 0 && model[0].end <= acked {
					model = model[1:]
				}
			case 3: // the connection breaks
				box.written, stream, acked = 0, 0, 0
				for i := range model {
					model[i].end = 0
				}
			case 4: // what is not written is taken back
				box.takeBack()
				for len(model) > 0 && model[len(model)-1].end == 0 {
					model = model[:len(model)-1]
				}
			}
			var got, wanted []string
			for i, it := range box.items() {
				got = append(got, string(it.Data)+" "+string(it.ID)+" "+string(box.buf[box.start(i):box.frames[i].end]))
			}
			written := 0
			for _, m := range model {
				wanted = append(wanted, string(m.item.Data)+" "+string(m.item.ID)+" "+m.text)
				if m.end > 0 {
					written++
				}
			}
			want(t, "frames", strings.Join(got, "\n"), strings.Join(wanted, "\n"))
			want(t, "written", box.written, written)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	}
}
