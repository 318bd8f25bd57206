package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
)

// profiles are the profiles being written.
type profiles struct {
	finishers []func() error // in the order of their start
}

// startProfiles creates the files of the profiles that the command line asks for, and starts to write them.
func startProfiles(o *options) (*profiles, error) {
	p := new(profiles)
	err := errors.Join(
		p.start(o.cpuProfile, func(f *os.File) (func() error, error) {
			return func() error { pprof.StopCPUProfile(); return nil }, pprof.StartCPUProfile(f)
		}),
		p.start(o.traceProfile, func(f *os.File) (func() error, error) {
			return func() error { trace.Stop(); return nil }, trace.Start(f)
		}),
		p.start(o.memProfile, func(f *os.File) (func() error, error) {
			return func() error {
				runtime.GC() // the profile shows what is in use as of the last collection
				return pprof.WriteHeapProfile(f)
			}, nil
		}),
	)
	if err != nil {
		return nil, errors.Join(err, p.finish())
	}
	return p, nil
}

// start creates a file and begins a profile; begin returns what ends it.
func (p *profiles) start(path string, begin func(*os.File) (func() error, error)) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("create profile: %w", err)
	}
	end, err := begin(f)
	if err != nil {
		return errors.Join(fmt.Errorf("start profile %s: %w", path, err), f.Close())
	}
	p.finishers = append(p.finishers, func() error {
		if err := errors.Join(end(), f.Close()); err != nil {
			return fmt.Errorf("write profile %s: %w", path, err)
		}
		return nil
	})
	return nil
}

// finish completes the profiles.
func (p *profiles) finish() error {
	var errs []error
	for _, f := range p.finishers {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}
