// Package main is a processor plugin that fills in user names from a table, so that rules can name users even where the
// collector saw only numbers, as it does from inside a container.
//
// It stands between the reader and the policy engine:
//
//	reader --flattenerchan--> enrich --flattenerchan--> policyengine
//
// The table is a CSV file of uid,name lines. It is read again when it changes; a broken new version is reported and the
// old one stays.
package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/sysflow-telemetry/sf-processor/core/flattener"
	"github.com/sysflow-telemetry/sf-processor/core/logger"
	"github.com/sysflow-telemetry/sf-processor/core/plugins"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

const (
	pluginName = "enrich"
	attrTable  = "enrich.table"

	// checkEvery is how often the table's file is looked at, as records pass.
	checkEvery = time.Second
)

// Plugin is the symbol that the program looks up.
var Plugin Enrich

// Enrich fills in user names.
type Enrich struct {
	path    string
	names   map[int64]string
	stamp   time.Time // modification time of the file that names came from
	checked time.Time
	out     []*flattener.FlatChannel
}

// NewEnrich returns an instance for one entry of the pipeline file.
func NewEnrich() plugins.SFProcessor { return new(Enrich) }

// GetName returns the name that pipeline files use.
func (e *Enrich) GetName() string { return pluginName }

// Register announces the processor.
func (e *Enrich) Register(pc plugins.SFPluginCache) { pc.AddProcessor(pluginName, NewEnrich) }

// Attributes declares the keys of the pipeline file that the processor knows, so that a mistyped one is reported.
func (e *Enrich) Attributes() []string { return []string{attrTable} }

// Init reads the table that the attribute enrich.table names.
func (e *Enrich) Init(conf map[string]interface{}) error {
	path, ok := conf[attrTable].(string)
	if !ok || path == "" {
		return fmt.Errorf("%s: name a CSV file of uid,name lines", attrTable)
	}
	e.path = path
	return e.load()
}

// Test says whether the table can be read.
func (e *Enrich) Test() (bool, error) {
	if _, err := readTable(e.path); err != nil {
		return false, err
	}
	return true, nil
}

// SetOutChan is given the output channels, which carry flat records like the input.
func (e *Enrich) SetOutChan(ch []interface{}) {
	for _, c := range ch {
		e.out = append(e.out, c.(*flattener.FlatChannel))
	}
}

// Process fills in user names until the channel is closed.
func (e *Enrich) Process(ch interface{}, wg *sync.WaitGroup) {
	defer wg.Done()
	for rec := range ch.(*flattener.FlatChannel).In {
		e.refresh(time.Now())
		e.enrich(rec)
		for i, out := range e.out {
			if i < len(e.out)-1 {
				out.In <- flattener.Own(rec) // each branch may change its record
				continue
			}
			out.In <- rec
		}
	}
}

// Cleanup closes the output channels, which ends the next stages.
func (e *Enrich) Cleanup() {
	for _, out := range e.out {
		close(out.In)
	}
}

// enrich gives the process of rec a user name if it has none; collectors write the number for a name that they cannot
// find. Where the process itself is not known its uid is not either: the slot is 0, which is not root.
func (e *Enrich) enrich(rec *sfgo.FlatRecord) {
	ints, strs := rec.Ints[sfgo.SYSFLOW_IDX], rec.Strs[sfgo.SYSFLOW_IDX]
	uid, user := ints[sfgo.PROC_UID_INT], strs[sfgo.PROC_USERNAME_STR]
	if len(rec.Ptree) == 0 || user != "" && user != strconv.FormatInt(uid, 10) {
		return
	}
	if name, ok := e.names[uid]; ok {
		strs[sfgo.PROC_USERNAME_STR] = name
	}
}

// refresh reads the table again if its file has changed.
func (e *Enrich) refresh(now time.Time) {
	if now.Sub(e.checked) < checkEvery {
		return
	}
	e.checked = now
	info, err := os.Stat(e.path)
	if err != nil || info.ModTime().Equal(e.stamp) {
		return // a file that is away for a moment is being replaced
	}
	if err := e.load(); err != nil {
		logger.Error.Printf("user names stay as they were: %v", err)
		return
	}
	logger.Info.Printf("read %d user names from %s", len(e.names), e.path)
}

// load reads the table. What was read before stays if that fails, and the same version is not tried again.
func (e *Enrich) load() error {
	info, err := os.Stat(e.path)
	if err != nil {
		return fmt.Errorf("%s: %w", attrTable, err)
	}
	e.stamp = info.ModTime()
	names, err := readTable(e.path)
	if err != nil {
		return fmt.Errorf("%s: %w", attrTable, err)
	}
	e.names = names
	return nil
}

// readTable reads a CSV file of uid,name lines; lines that begin with # are comments.
func readTable(path string) (map[int64]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comment = '#'
	r.FieldsPerRecord = 2
	r.ReuseRecord = true
	names := map[int64]string{}
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		uid, err := strconv.ParseInt(fields[0], 10, 32)
		if err != nil {
			line, _ := r.FieldPos(0)
			return nil, fmt.Errorf("%s:%d: uid %q is not a number", path, line, fields[0])
		}
		names[uid] = fields[1]
	}
}

func main() {}
