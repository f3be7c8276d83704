package endpoint

import (
	"os"

	"golang.org/x/sys/unix"

	"chiltepin/globus/process"
)

// multiUserCapabilities are the ones that make the daemon believe that it may
// serve many users: all but AUDIT_WRITE, BLOCK_SUSPEND, IPC_LOCK, LEASE and
// NET_BROADCAST (_MULTI_USER_CAPS in endpoint/utils/__init__.py).
const multiUserCapabilities = 1<<41 - 1&^(1<<unix.CAP_AUDIT_WRITE|1<<unix.CAP_BLOCK_SUSPEND|1<<unix.CAP_IPC_LOCK|1<<unix.CAP_LEASE|1<<unix.CAP_NET_BROADCAST)

// privileged says whether a daemon that this process launches will think that
// it may serve many users (is_privileged in endpoint/utils/__init__.py).
func privileged() bool {
	return os.Getuid() == 0 || process.EffectiveCapabilities()&multiUserCapabilities != 0
}
