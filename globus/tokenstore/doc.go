// Package tokenstore reads and writes the token stores of globus_sdk, in the
// two forms that the Python programs use: SQLite and JSON. What it writes they
// read, and what they write it reads.
//
// It never dials, never judges whether a token still works, and never shows
// one: a token is a [Secret], which prints as a word.
package tokenstore
