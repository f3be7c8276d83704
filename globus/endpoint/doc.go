// Package endpoint manages the life of Globus Compute endpoints on the machine
// it runs on: configure, list, status, start, stop, restart, delete, logs.
//
// It never computes anything itself. The real globus-compute-endpoint does; this
// package writes its files (through endpointfs), launches it, proves that it
// runs, stops it and ends its registration. It never sends a signal to a
// process that is not proven to be the daemon of the endpoint in question, and
// never calls an endpoint Running because of a file alone.
//
// # Which process is the daemon
//
// A process id says little: it comes round again, and daemon.pid names neither
// the machine nor the boot. A process is this endpoint's daemon when all that
// can be known about it agrees:
//
//   - its title, which the daemon sets to
//     "Globus Compute Endpoint *(UUID, NAME) […]" once it is registered, names
//     this endpoint;
//   - it is at home in this endpoint's directory: its working directory, or the
//     log that it holds open, is there. Titles alone do not tell two
//     directories apart when one is a copy of the other;
//   - or it is the very process that chiltepin launched, by process id and start
//     time on the same host and boot, as chiltepin.json says, and it is not at
//     home elsewhere. That is how a daemon is known before it has a title.
//
// A signal is sent through a pidfd that was opened before this evidence was
// read, so a process id that comes round again in between cannot hit a
// stranger. Evidence that contradicts itself makes the state Unknown, and
// nothing is signalled.
//
// # When a daemon is gone
//
// A pid file whose process is not here may belong to a daemon on another
// machine that shares the directory, which touches the file every 15 seconds.
// What settles it:
//
//   - chiltepin.json says that this process id was launched here, on this boot:
//     then it is gone, at once and beyond doubt;
//   - chiltepin.json names another machine: a file that is fresh means Running
//     there; start, stop and delete watch it until it is touched, or for longer
//     than 15 seconds before they believe that it is gone;
//   - the machine was booted after the file was last touched, and the daemon was
//     launched here: gone;
//   - there is no chiltepin.json, as with a daemon that somebody started by
//     hand. On a disk of this machine which nothing exports, seen from the
//     machine's own process numbering, nobody else can touch the file: list and
//     status say Disconnected at once. Such a disk can still be shared in ways
//     that cannot be seen from here (sshfs, a virtual machine's host), and
//     removing the pid file of a daemon that lives makes it end; so start
//     waits until a touch would have been due, at most 17 seconds. On a shared
//     file system list and status say Unknown while the file is fresh, and start
//     watches it.
//
// Reading operations write nothing, not even a note that a daemon was seen.
// start does write chiltepin.json for a daemon that it finds running and
// proven, so that its end is known at once later on.
//
// A daemon that is alive and has lost its pid file ends by itself when it next
// looks for it, so it is Stopping, and start waits. The same makes it possible to
// stop a daemon on another machine, where nothing may be signalled.
//
// # Launching
//
// The daemon is launched in a session of its own without --detach: its exit
// status is then known whenever it ends, its process id is ours from the first
// instant, and its pid file is private. With --detach the status that is seen
// is only that of the registration, and what comes after is lost. All releases
// from 4.6 on run in the foreground when not told to detach. Its standard output
// and error go to chiltepin.out in its directory, which holds what Python says
// before its log is set up and when it dies; nothing in it is ever judged
// success or failure by itself.
//
// Interrupting start leaves a daemon that was launched alone: ending it while it
// registers would leave a registration whose id nobody knows. The next
// command finds it, and start joins it.
package endpoint
