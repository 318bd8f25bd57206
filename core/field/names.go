package field
// Names: see below
type Names struct{}
