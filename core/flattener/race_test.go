//go:build race

package flattener

const raceEnabled = true
