package main

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// record returns a process event of a process with the given uid and user name.
func record(uid int64, user string) *sfgo.FlatRecord {
	r := &sfgo.FlatRecord{
		Sources: []sfgo.Source{sfgo.SYSFLOW_SRC},
		Ints:    [][]int64{make([]int64, sfgo.INT_ARRAY_SIZE)},
		Strs:    [][]string{make([]string, sfgo.STR_ARRAY_SIZE)},
		Anys:    [][]any{make([]any, sfgo.ANY_ARRAY_SIZE)},
		Ptree:   []*sfgo.Process{{}},
	}
	r.Ints[0][sfgo.SF_REC_TYPE] = sfgo.PROC_EVT
	r.Ints[0][sfgo.PROC_UID_INT] = uid
	r.Strs[0][sfgo.PROC_USERNAME_STR] = user
	return r
}

// table writes a table and returns its path.
func table(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users.csv")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFillsInNames(t *testing.T) {
	unknown := record(0, "")
	unknown.Ptree = nil
	for name, tt := range map[string]struct {
		rec  *sfgo.FlatRecord
		want string
	}{
		"known uid":       {record(33, ""), "www-data"},
		"number for name": {record(33, "33"), "www-data"},
		"name there":      {record(33, "nginx"), "nginx"},
		"unknown uid":     {record(34, ""), ""},
		"unknown process": {unknown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := new(Enrich)
			if err := e.Init(map[string]interface{}{"enrich.table": table(t, "# uid,name\n33,www-data\n0,root\n")}); err != nil {
				t.Fatal(err)
			}
			in := flattener.NewFlatChannel(1)
			a, b := flattener.NewFlatChannel(1), flattener.NewFlatChannel(1)
			e.SetOutChan([]interface{}{a, b})
			in.In <- tt.rec
			close(in.In)
			var wg sync.WaitGroup
			wg.Add(1)
			e.Process(in, &wg)
			wg.Wait()
			e.Cleanup()
			first, second := <-a.In, <-b.In
			if got := first.Strs[0][sfgo.PROC_USERNAME_STR]; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if second.Strs[0][sfgo.PROC_USERNAME_STR] != tt.want || first == second {
				t.Errorf("the second branch must get the same values in a record of its own")
			}
		})
	}
}

func TestReloadsWhatChanged(t *testing.T) {
	path := table(t, "33,www-data\n")
	e := new(Enrich)
	if err := e.Init(map[string]interface{}{"enrich.table": path}); err != nil {
		t.Fatal(err)
	}
	change := func(text string, at time.Time) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		e.refresh(at)
	}
	start := time.Now()
	change("33,apache\n", start.Add(time.Minute))
	if e.names[33] != "apache" {
		t.Errorf("the new version was not read: %v", e.names)
	}
	change("broken\n", start.Add(2*time.Minute))
	if e.names[33] != "apache" {
		t.Errorf("a broken version replaced the good one: %v", e.names)
	}
	change("33,nginx\n", start.Add(3*time.Minute))
	if e.names[33] != "nginx" {
		t.Errorf("the repaired version was not read: %v", e.names)
	}
}

func TestBadTables(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"not a number":  {"33,www-data\nx,y\n", "users.csv:2: uid \"x\" is not a number"},
		"wrong columns": {"33\n", "wrong number of fields"},
	} {
		t.Run(name, func(t *testing.T) {
			err := new(Enrich).Init(map[string]interface{}{"enrich.table": table(t, tt.text)})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
	if err := new(Enrich).Init(map[string]interface{}{}); err == nil {
		t.Errorf("a missing table was accepted")
	}
}
