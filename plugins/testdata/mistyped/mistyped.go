// Package main is a library whose symbols have the right names and the wrong types.
package main

// The symbols of the four kinds of plugin.
var (
	Plugin  = 1
	Handler = "printer"
	Driver  struct{ Name string }
	Action  func()
)

func main() {}
