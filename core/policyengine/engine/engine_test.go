package engine

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

func TestRecordValues(t *testing.T) {
	r := NewRecord(sfgo.FlatRecord{
		Sources: []sfgo.Source{sfgo.PROCESS_SRC, sfgo.SYSFLOW_SRC, sfgo.FILE_SRC},
		Ints:    [][]int64{{1}, {2, 3}},
		Strs:    [][]string{{"a"}, {"b", "c"}},
	})
	for _, tt := range []struct {
		attr sfgo.Attribute
		src  sfgo.Source
		num  int64
		text string
	}{
		{0, sfgo.PROCESS_SRC, 1, "a"},
		{0, sfgo.SYSFLOW_SRC, 2, "b"},
		{1, sfgo.SYSFLOW_SRC, 3, "c"},
		{2, sfgo.SYSFLOW_SRC, 0, ""}, // no such slot
		{0, sfgo.FILE_SRC, 0, ""},    // a source without rows
		{0, sfgo.NETWORK_SRC, 0, ""}, // no such source
	} {
		if n, s := r.GetInt(tt.attr, tt.src), r.GetStr(tt.attr, tt.src); n != tt.num || s != tt.text {
			t.Errorf("attribute %d of source %d: got %d and %q", tt.attr, tt.src, n, s)
		}
	}
}

func TestContext(t *testing.T) {
	var c Context
	if c.IsAlert() || c.GetTags() != nil || c.GetRules() != nil || c.GetHash(HASH_TYPE_PROC) != nil {
		t.Error("the zero context says something")
	}
	c.AddTag("a")
	c.AddTags("b", "c")
	if got := c.GetTags(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("tags %s", got)
	}
	c.SetTags([]string{"d"})
	if got := c.GetTags(); !slices.Equal(got, []string{"d"}) {
		t.Errorf("tags %s", got)
	}
	c.AddRule(Rule{Name: "r1"})
	c.AddRule(Rule{Name: "r2"})
	if got := c.GetRules(); len(got) != 2 || got[0].Name != "r1" || got[1].Name != "r2" {
		t.Errorf("rules %v", got)
	}
	hs := &HashSet{Md5: "x"}
	c.SetHashes(HASH_TYPE_FILE, hs)
	c.SetHashes(7, hs)
	if c.GetHash(HASH_TYPE_FILE) != hs || c.GetHash(HASH_TYPE_PROC) != nil || c.GetHash(7) != nil {
		t.Error("hashes are mixed up")
	}
	c.SetAlert(true)
	if !c.IsAlert() {
		t.Error("no alert")
	}
}

// TestLevels holds the table of labels, ranks and levels.
func TestLevels(t *testing.T) {
	for rank, want := range map[Rank]Priority{
		RankNone: None, RankDebug: Low, RankInformational: Low, RankNotice: Low, RankWarning: Medium,
		RankError: High, RankCritical: High, RankAlert: High, RankEmergency: High,
	} {
		if got := rank.Level(); got != want {
			t.Errorf("rank %d has level %d, want %d", rank, got, want)
		}
	}
}

// TestTop compares the ranks of matched rules: the highest wins, the first of several.
func TestTop(t *testing.T) {
	rules := func(ranks ...Rank) *Event {
		e := &Event{}
		for i, r := range ranks {
			e.Rules = append(e.Rules, &Rule{Name: fmt.Sprint(i), Rank: r, Priority: r.Level()})
		}
		return e
	}
	for _, tt := range []struct {
		event *Event
		top   string
		level Priority
	}{
		{rules(), "none", None},
		{rules(RankNone), "0", None},
		{rules(RankNotice, RankCritical, RankError), "1", High},
		{rules(RankError, RankEmergency, RankEmergency), "1", High},
		{rules(RankWarning, RankDebug), "0", Medium},
	} {
		top := "none"
		if r := tt.event.Top(); r != nil {
			top = r.Name
		}
		if top != tt.top || tt.event.Level() != tt.level {
			t.Errorf("top %s of level %d, want %s of level %d", top, tt.event.Level(), tt.top, tt.level)
		}
	}
}

// TestBatch adds so many events that the memory behind their rules has to grow several times.
func TestBatch(t *testing.T) {
	var events Pool
	var pool flattener.Pool
	all := make([]*Rule, 50)
	for i := range all {
		all[i] = &Rule{Name: fmt.Sprint(i)}
	}
	for range 3 { // recycled memory must not show
		rows := pool.Get()
		for !rows.Full() {
			rows.Next()
		}
		b := events.Get(rows)
		scratch := make([]*Rule, 0, len(all)) // Add copies it
		for i := range rows.Recs {
			scratch = append(scratch[:0], all[:i%len(all)]...)
			e := b.Add(&rows.Recs[i], scratch)
			if e.Tags != nil || e.Alert || e.Hash != nil {
				t.Fatal("a new event says something already")
			}
			e.Tags, e.Alert, e.Hash = []string{"t"}, true, new([2]*HashSet)
		}
		for i := range b.Events {
			e := &b.Events[i]
			if e.Row != &rows.Recs[i] || !slices.Equal(e.Rules, all[:i%len(all)]) {
				t.Fatalf("event %d has %d rules", i, len(e.Rules))
			}
			if e.Rules = append(e.Rules, nil); i+1 < len(b.Events) && slices.Contains(b.Events[i+1].Rules, nil) {
				t.Fatalf("the rules of event %d run into the next one's", i)
			}
		}
		b.Retain(1)
		b.Release()
		if len(b.Events) != len(rows.Recs) {
			t.Fatal("gone before the last owner is")
		}
		b.Release()
		if len(b.Events) != 0 {
			t.Fatal("still there")
		}
	}
}

// TestChannel sends a batch through the channel that stages use.
func TestChannel(t *testing.T) {
	c := NewRecordChannel(10 * flattener.BatchSize)
	if _, room := c.Depth(); room != 10 {
		t.Errorf("room for %d batches", room)
	}
	b := new(Batch)
	if err := c.Send(t.Context(), b); err != nil || <-c.Batches() != b {
		t.Errorf("lost: %v", err)
	}
}
