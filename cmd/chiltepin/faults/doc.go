// Package faults holds nothing but tests: it breaks an endpoint in every way
// that its owner will meet, runs each operation of the real program on it, and
// holds what the program said against what was so.
//
// What happened is written down in docs/faults.md, which make faults generates
// and make test holds against the tables here. The real daemon takes part where
// its behaviour matters; elsewhere a small program stands in for it, writing the
// files, the log and the title that the real one writes.
//
// It is never part of the program.
package faults
