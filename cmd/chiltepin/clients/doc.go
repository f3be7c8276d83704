// Package clients holds nothing but tests: real, unmodified MCP clients, pinned
// and installed by the tests themselves, each of which does the work of a
// person with chiltepin mcp against the stand-in for Globus.
//
// It is never part of the program.
package clients
