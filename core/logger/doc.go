// Package logger writes the program's log: lines of the form
//
//	[Info] 2026/01/31 23:59:59 file.go:123: message key=value
//
// on standard output or standard error, from the level on that the operator chose.
//
// A [Sink] is the one place that all lines pass. Stages are given a [slog.Logger] made from its [Sink.Handler]; plugins
// know the loggers [Trace], [Info], [Warn], [Error] and [Health] by name. These package variables are part of the
// contract with plugin authors, whose code calls them without being given anything; [Install] points them at a sink, and
// nothing else in the program reads them.
//
// Concurrency: everything here may be used by several goroutines; a line is written with one call to Write.
//
// Start reading at [Sink].
package logger
