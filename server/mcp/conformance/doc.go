// Package conformance runs the official conformance suite of the Model Context
// Protocol against the server, and holds nothing that ships.
//
// The suite speaks HTTP only; the bridge here carries its requests to the
// standard input of a process and its answers back, and judges nothing.
package conformance
