package daemon

import (
	"bytes"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"chiltepin/globus/process"
)

// Program is the name of the daemon's program. It has an alias.
const (
	Program      = "globus-compute-endpoint"
	programAlias = "gce"
)

// Variables of the daemon's environment.
const (
	// DirectoryVariable names the configuration directory.
	DirectoryVariable = "GLOBUS_COMPUTE_USER_DIR"
	// ClientIDVariable names the client whose credentials are its login.
	ClientIDVariable = "GLOBUS_COMPUTE_CLIENT_ID"
)

// directoryArgument names the configuration directory, an absolute path, in one
// word that only this program takes for anything: a shell or an interpreter in
// its place ends with a complaint. "-c DIR" had a shell run DIR.
func directoryArgument(dir string) string { return "--config-dir=" + dir }

// StartArguments are the arguments with which the program serves the endpoint
// of that name in the foreground. All releases from 4.6 on do when they are not
// told to detach.
func StartArguments(dir, name string) []string {
	args := []string{directoryArgument(dir), "start"}
	if strings.HasPrefix(name, "-") {
		args = append(args, "--")
	}
	return append(args, name)
}

// MayBeDaemon says whether an argument list, with a zero byte after each
// argument, may be that of a daemon or a user endpoint: it has the program's
// name, or a title of its kind.
func MayBeDaemon(arguments []byte) bool {
	return bytes.Contains(arguments, []byte(Program)) || bytes.Contains(arguments, []byte(titleText)) || bytes.Contains(arguments, []byte("/"+programAlias))
}

// IsLaunching says whether p is a daemon that has not set its title yet:
// Python, or the kernel on its behalf, running globus-compute-endpoint start. A
// program that runs another one (timeout, srun) is not the daemon.
func IsLaunching(p process.Process) bool {
	rest := p.Command
	if len(rest) > 1 && strings.HasPrefix(path.Base(rest[0]), "python") {
		rest = rest[1:]
	}
	if len(rest) == 0 || path.Base(rest[0]) != Program && path.Base(rest[0]) != programAlias {
		return false
	}
	for _, arg := range rest[1:] {
		switch arg {
		case "start", "restart":
			return true
		case "stop", "list", "delete", "configure", "login", "logout", "whoami", "version", "_start-user-endpoint", "python-exec":
			return false
		}
	}
	return false
}

// multiUserCapabilities are the ones that make the daemon believe that it may
// serve many users: all but AUDIT_WRITE, BLOCK_SUSPEND, IPC_LOCK, LEASE and
// NET_BROADCAST (_MULTI_USER_CAPS in endpoint/utils/__init__.py).
const multiUserCapabilities = 1<<41 - 1&^(1<<unix.CAP_AUDIT_WRITE|1<<unix.CAP_BLOCK_SUSPEND|1<<unix.CAP_IPC_LOCK|1<<unix.CAP_LEASE|1<<unix.CAP_NET_BROADCAST)

// IsPrivileged says whether a daemon that this process launches will think that
// it may serve many users (is_privileged in endpoint/utils/__init__.py).
func IsPrivileged() bool {
	return os.Getuid() == 0 || process.EffectiveCapabilities()&multiUserCapabilities != 0
}
