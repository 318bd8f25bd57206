//go:build !race

package policy_test

// raceEnabled says that the race detector is on, which allocates by itself.
const raceEnabled = false
