package endpoint

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// whyHidden is about a process that is there and not in /proc.
const whyHidden = "it is another user's, and this machine does not show it"

// hiddenFrom says whether a process that cannot be seen may be the daemon in
// dir: it is there, /proc shows each user his own processes only (hidepid, see
// proc(5)), and daemon.pid, which a daemon writes itself, is another user's.
func hiddenFrom(pid int, dir string) (bool, error) {
	var info unix.Stat_t
	if unix.Lstat(filepath.Join(dir, "daemon.pid"), &info) != nil || int(info.Uid) == os.Geteuid() {
		return false, nil
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if exhausted(err) {
		return false, fmt.Errorf("looking at process %d: %w", pid, err)
	}
	if err != nil {
		return false, nil
	}
	held := pidfd{fd: fd}
	defer held.Close()
	// One that was born or has ended meanwhile is not hidden.
	_, err = os.Stat("/proc/" + strconv.Itoa(pid))
	return os.IsNotExist(err) && !held.Dead(), nil
}
