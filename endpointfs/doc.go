// Package endpointfs is everything that Globus Compute endpoints keep in
// files: names, paths and formats of the configuration directory, which the
// Python programs globus-compute-endpoint and Chiltepin share with us.
//
// It reads what the daemon writes (endpoint.json, daemon.pid, endpoint.log),
// writes what the daemon reads (config.yaml, the user endpoint's template,
// schema and environment), and keeps a few files of its own: chiltepin.json
// beside them, and the folder .chiltepin with locks and work in progress.
//
// It never opens a connection, starts or signals a process, or judges whether
// an endpoint runs; it says what the files say. It never logs, and nothing
// depends on the working directory of the caller.
//
// Reading follows symbolic links, because the daemon does and we must see what
// it sees; it is bounded, and never waits on a pipe or a device. Writing,
// renaming and removing follow none: they stay within the endpoint's directory
// ([os.Root]). An endpoint whose directory is itself a symbolic link is used
// through it; [Endpoint.Remove] then removes the link and nothing behind it.
package endpointfs
