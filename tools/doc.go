// Package tools is the catalogue: what chiltepin can do, each operation
// declared once with its typed argument, typed result, prose, effect, examples
// and errors, on the machinery of [chiltepin/tools/operation].
//
// Everything that faces outward (command line, MCP, JSON-RPC, reference page,
// completion) reads this catalogue and names no operation itself. Here and
// once the errors of the floors below get their code and their next step; see
// [Classify].
//
// The package never prints, never reads the environment, never starts a
// process and knows none of its faces.
package tools
