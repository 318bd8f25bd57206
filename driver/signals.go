package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// signals turns the signals of the process into what the program does.
type signals struct {
	ctx context.Context // ends with the first SIGINT or SIGTERM

	stop func()

	mu     sync.Mutex // covers hangup
	hangup func()     // what SIGHUP does; nil: nothing yet
}

// watchSignals starts to watch. The first SIGINT or SIGTERM ends the context, the second one the process.
func watchSignals(log *slog.Logger) *signals {
	ctx, cancel := context.WithCancelCause(context.Background())
	s := &signals{ctx: ctx}
	in := make(chan os.Signal, 8)
	signal.Notify(in, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	done := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for {
			select {
			case sig := <-in:
				s.handle(sig, cancel, log)
			case <-done:
				return
			}
		}
	})
	s.stop = func() {
		signal.Stop(in)
		close(done)
		watcher.Wait()
		cancel(nil)
	}
	return s
}

func (s *signals) handle(sig os.Signal, cancel context.CancelCauseFunc, log *slog.Logger) {
	if sig == syscall.SIGHUP {
		s.mu.Lock()
		reload := s.hangup
		s.mu.Unlock()
		if reload != nil {
			log.Info("reloading", "reason", "SIGHUP")
			reload()
		}
		return
	}
	if s.ctx.Err() == nil {
		cancel(fmt.Errorf("signal: %v", sig))
		return
	}
	if n, ok := sig.(syscall.Signal); ok {
		os.Exit(128 + int(n))
	}
}

// onHangup says what SIGHUP does from now on.
func (s *signals) onHangup(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hangup = f
}
