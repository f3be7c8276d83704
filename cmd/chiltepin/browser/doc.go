// Package browser holds nothing but tests: a real Chromium that logs in with
// chiltepin against the stand-in for Globus, and what it shows.
//
// It is never part of the program.
package browser
