// Package main is a library of plugins of every kind that fail in the way that the environment variable FAULT says.
package main

import "os"

const name = "faulty"

// fault is what goes wrong.
var fault = os.Getenv("FAULT")

// fail panics if this is where things go wrong.
func fail(where string) {
	if fault == where {
		panic("boom")
	}
}

// forever does not return.
func forever() { select {} }

func init() { fail("init") }

func main() {}
