// Package pool knows the resource pools of a Chiltepin configuration: the file
// in which each entry names an endpoint and the options of a block, and what
// becomes of an entry on its way to a worker.
//
// An entry is read by chiltepin/configure.py (0.1.7), which sends fifteen
// options to the service; the daemon validates them with the endpoint's schema
// and fills the endpoint's template with them; the user endpoint that comes of
// it has parsl submit blocks. A mistake shows at the last of these, hours later
// and in a log on another machine. This package finds it first: [File.Check]
// reads the file, [Checker] asks about the endpoints, [Manager.Render] makes the
// configuration as the daemon will, [Manager.Probe] sends one small task
// through.
//
// It never changes a file that somebody wrote, and ends nothing but what a probe
// of its own has started.
package pool
