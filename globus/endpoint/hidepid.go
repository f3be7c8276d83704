package endpoint

import (
	"os"
	"path/filepath"
	"syscall"

	"chiltepin/globus/daemon"
	"chiltepin/globus/process"
)

// whyHidden is about a process that is there and not in /proc.
const whyHidden = "it is another user's, and this machine does not show it"

// mayBeHidden says whether a process that cannot be seen may be the daemon in
// dir: it is there and hidden, and daemon.pid, which a daemon writes itself, is
// another user's.
func mayBeHidden(pid int, dir string) (bool, error) {
	info, err := os.Lstat(filepath.Join(dir, daemon.PIDFile))
	if err != nil {
		return false, nil
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || int(stat.Uid) == os.Geteuid() {
		return false, nil
	}
	return process.IsHidden(pid)
}
