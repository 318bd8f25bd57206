package scenario

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Scenario is a checked description of what happened on a node.
type Scenario struct {
	Name   string // the file's name without its extension
	About  string // what the scenario shows
	Schema string // id of the writer schema that the trace is meant for

	file       string
	header     sfgo.SFHeader // Version is 0 unless the scenario says it
	address    netip.Addr    // of the node; 0.0.0.0 if it has none
	start      int64         // ns since the epoch
	seed       uint64
	pods       []*pod
	containers []*container
	running    []*process // at the start, parents before their children
	slots      int        // names of processes
	counts     int        // counts in texts
	steps      []step
	sizable    bool // there is a mix, whose number of records can be set
}

// Load reads a scenario from a file.
func Load(path string) (*Scenario, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load scenario: %w", err)
	}
	return Parse(path, data)
}

// Parse reads a scenario. file is used for its name and in errors, which give every fault its line and column.
func Parse(file string, data []byte) (*Scenario, error) {
	p := newParser(file, data)
	s := p.scenario()
	if err := p.doc.Err(); err != nil {
		return nil, fmt.Errorf("load scenario: %w", err)
	}
	return s, nil
}

// Options change how a scenario is played. The zero value plays it as it is written.
type Options struct {
	Records int    // about how many records its mix makes; 0: as many as the scenario says
	Seed    uint64 // what is drawn follows from this number; 0: the scenario's own
	Schema  string // id of the writer schema; "": the scenario's. Records that it cannot express are left out
	Codec   string // of the trace; "": deflate
}

// versionOf returns the header version that writers of a schema claim.
func versionOf(schema string) int64 {
	newer := map[string]int64{"S7": 1001, "S8": 2, "S9": 3, "S10": 4, "S11": 5}
	if v, ok := newer[schema]; ok {
		return v
	}
	return 1000
}

// Records plays the scenario and passes the records to yield, in the order of the trace. A record is only valid until
// yield returns. An error from yield ends the play and is returned.
func (s *Scenario) Records(opts Options, yield func(*sfgo.SysFlow) error) error {
	if opts.Records != 0 && !s.sizable {
		return fmt.Errorf("play %s: it has no mix, so its number of records cannot be set", s.file)
	}
	if opts.Schema == "" {
		opts.Schema = s.Schema
	}
	r := newRunner(s, opts, yield)
	r.play()
	if r.err != nil {
		return fmt.Errorf("play %w", r.err)
	}
	return nil
}

// WriteTrace plays the scenario and writes its trace to w. The sync marker follows from the scenario's name.
func (s *Scenario) WriteTrace(w io.Writer, opts Options) error {
	config := &codec.WriterConfig{Schema: s.Schema, Codec: opts.Codec}
	if opts.Schema != "" {
		config.Schema = opts.Schema
	}
	sum := sha256.Sum256([]byte(s.Name))
	copy(config.Sync[:], sum[:])
	trace, err := codec.NewWriter(w, config)
	if err != nil {
		return fmt.Errorf("write trace of %s: %w", s.file, err)
	}
	err = s.Records(opts, func(rec *sfgo.SysFlow) error {
		err := trace.Write(rec)
		if opts.Schema != "" && errors.Is(err, codec.ErrNotInSchema) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := trace.Close(); err != nil {
		return fmt.Errorf("write trace of %s: %w", s.file, err)
	}
	return nil
}

// baseName returns the name of a file without directory and extension.
func baseName(file string) string {
	name := filepath.Base(file)
	return strings.TrimSuffix(name, filepath.Ext(name))
}
