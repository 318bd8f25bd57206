package author

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/flattener/trace"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// Traces are the recorded data that tools look at, read anew whenever they are looked at, so that their size does not
// matter. They are for one goroutine at a time.
type Traces struct {
	paths []string
	warn  io.Writer
	done  bool // read to the end: damage is known
}

// OpenTraces finds the traces that files and directories stand for. What is damaged in them is told to warn, once.
func OpenTraces(paths []string, warn io.Writer) (*Traces, error) {
	t := &Traces{warn: warn}
	for _, path := range paths {
		files, err := trace.Files(path)
		if err != nil {
			return nil, err
		}
		t.paths = append(t.paths, files...)
	}
	return t, nil
}

// located is a row and where it is from.
type located struct {
	num  int64 // counted from 1, through all traces, as an engine counts them that reads the traces one after another
	path string
	row  *sfgo.FlatRecord // valid until the loop goes on
}

// options say how the traces are read.
func (t *Traces) options() trace.Options {
	if t.done {
		return trace.Options{}
	}
	return trace.Options{OnDamage: func(d codec.Damage) {
		fmt.Fprintf(t.warn, "warning: %s: at byte %d: %v; skipped, with %s\n", d.Name, d.Offset, d.Err, count(d.Lost, "record"))
	}}
}

// rows yields the rows of all traces. An error comes last.
func (t *Traces) rows(ctx context.Context) iter.Seq2[located, error] {
	return func(yield func(located, error) bool) {
		at := located{}
		for _, at.path = range t.paths {
			for row, err := range trace.Rows(ctx, at.path, t.options()) {
				if err != nil {
					yield(located{}, err)
					return
				}
				at.row = row
				at.num++
				if !yield(at, nil) {
					return
				}
			}
		}
		t.done = true
	}
}

// batches yields the rows of all traces by the batch, and the number of the first row of each. An error comes last.
func (t *Traces) batches(ctx context.Context) iter.Seq2[rowBatch, error] {
	return func(yield func(rowBatch, error) bool) {
		at := rowBatch{first: 1}
		for _, at.path = range t.paths {
			for batch, err := range trace.Batches(ctx, at.path, t.options()) {
				if err != nil {
					yield(rowBatch{}, err)
					return
				}
				at.rows = batch.Recs
				if !yield(at, nil) {
					return
				}
				at.first += int64(len(at.rows))
			}
		}
		t.done = true
	}
}

// rowBatch is a run of rows of a trace.
type rowBatch struct {
	first int64 // number of the first row
	path  string
	rows  []sfgo.FlatRecord // valid until the loop goes on
}
