// Package daemon knows what globus-compute-endpoint and parsl print, name and
// time: process titles, exit statuses, the grammar of the logs and what their
// lines mean, periods, file names, the command line and the environment. Where
// releases differ it says so; it is checked against the releases 4.6 to 4.19.
//
// It reads and recognises. It never starts, signals or writes anything, and
// decides nothing about an endpoint: that is endpoint's to do.
//
// What a new release may change is here, and in the formats of endpointfs, which
// may import nothing of this: files of the configuration, daemon.pid, the
// markers of a log (endpointfs/log).
//
//   - titles: title.go (core_endpoint.py, endpoint.py)
//   - exit statuses: exit_status.go (cli.py, core_endpoint.py)
//   - why a daemon ends: failure_causes.go, with a record of a real daemon for
//     each cause in testdata/failures
//   - the connection to the broker: broker_connection.go (rabbit_mq)
//   - how far a daemon has come: startup_log.go (core_endpoint.py)
//   - user endpoints in the daemon's log, blocks and workers in theirs:
//     user_endpoint_log.go, pool_state.go, worker_logs.go (core_endpoint.py,
//     parsl)
//   - what a user endpoint reports: status_report.go
//   - periods: periods.go; file names: files.go; the program, its arguments and
//     its environment: program.go
package daemon
