// Package scenario makes traces from descriptions of what happened.
//
//	scenarios/x.yaml --Load--> Scenario --Records--> records --codec.Writer--> x.sf
//
// A scenario tells a story in steps: a process starts another, reads a file, connects somewhere, exits. What a collector
// makes of it is the work of this package: entities are written before their first use (a pod, its container, the
// ancestors, the process, the file), a flow is written when it ends, every 30 seconds while it lasts, and cut off when
// its process exits; records come in the order in which they are written, not in that of their times.
//
// The same scenario gives the same bytes on every machine: times, ids and whatever is drawn from a range follow from the
// scenario alone. Times are those of the story; nothing looks at a clock.
//
// A Scenario never changes once loaded, and may be played by any number of goroutines. Playing takes memory for the
// processes that live, the flows that are open and the last 32 thousand files, however many records come out.
//
// The README beside the scenarios is their reference. Start reading at [Scenario.Records].
package scenario

//go:generate go run ../generate -out .. ../scenarios
