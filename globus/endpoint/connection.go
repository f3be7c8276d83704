package endpoint

import (
	"chiltepin/endpointfs"
	"chiltepin/globus/daemon"
)

// readConnection reads from the end of the endpoint's log how the daemon's
// connection to the broker is. A log that cannot be read says nothing.
func readConnection(ep *endpointfs.Endpoint) daemon.Connection {
	size, err := ep.Log().Size()
	if err != nil {
		return daemon.Connection{}
	}
	data, _, err := ep.Log().ReadFrom(max(0, size-daemon.ConnectionTail), daemon.ConnectionTail)
	if err != nil {
		return daemon.Connection{}
	}
	return daemon.ParseConnection(daemon.SplitLines(string(data)))
}

// readOwnConnection reads what a daemon has written to the endpoint's log since
// its launch. others is true when other programs have written to it as well.
func readOwnConnection(ep *endpointfs.Endpoint, d *awaitedDaemon) (c daemon.Connection, others bool) {
	own, others, err := d.readOwnLog(ep)
	if err != nil {
		return daemon.Connection{}, false
	}
	return daemon.ParseConnection(daemon.SplitLines(string(own))), others
}
