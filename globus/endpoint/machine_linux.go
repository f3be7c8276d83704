package endpoint

import (
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// thisMachine names the machine and the numbering of its processes. The boot
// id does not tell containers of one machine apart, so another pid namespace
// than the machine's own is added to it.
func thisMachine() (host, boot string, booted time.Time) {
	host, _ = os.Hostname()
	if data, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		boot = strings.TrimSpace(string(data))
	}
	if ns := pidNamespace(); ns != "" && ns != initialPIDNamespace {
		boot += "/" + ns
	}
	var up unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &up) == nil {
		booted = time.Now().Add(-time.Duration(up.Nano()))
	}
	return host, boot, booted
}

// initialPIDNamespace is PROC_PID_INIT_INO of the kernel: who is in it sees all
// processes of the machine.
const initialPIDNamespace = "pid:[4026531836]"

func pidNamespace() string {
	ns, _ := os.Readlink("/proc/self/ns/pid")
	return ns
}

// soleUser says whether, as far as can be seen from here, this machine serves
// its disks to no other, and all its processes are in sight.
func soleUser() bool {
	if pidNamespace() != initialPIDNamespace {
		return false
	}
	_, err := os.Stat("/proc/net/rpc/nfsd")
	return err != nil
}

// localDisk says whether dir is on a file system that one machine alone can
// mount.
func localDisk(dir string) bool {
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) != nil {
		return false
	}
	switch uint32(fs.Type) {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC, unix.F2FS_SUPER_MAGIC:
		return true
	}
	return false
}

// multiUserCapabilities are the ones that make the daemon believe that it may
// serve many users: all but AUDIT_WRITE, BLOCK_SUSPEND, IPC_LOCK, LEASE and
// NET_BROADCAST (_MULTI_USER_CAPS in endpoint/utils/__init__.py).
const multiUserCapabilities = 1<<41 - 1&^(1<<unix.CAP_AUDIT_WRITE|1<<unix.CAP_BLOCK_SUSPEND|1<<unix.CAP_IPC_LOCK|1<<unix.CAP_LEASE|1<<unix.CAP_NET_BROADCAST)

// privileged says whether a daemon that this process launches will think that
// it may serve many users (is_privileged in endpoint/utils/__init__.py).
func privileged() bool {
	if os.Getuid() == 0 {
		return true
	}
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		if text, ok := strings.CutPrefix(line, "CapEff:"); ok {
			caps, err := strconv.ParseUint(strings.TrimSpace(text), 16, 64)
			return err == nil && caps&multiUserCapabilities != 0
		}
	}
	return false
}

// closeOnExec keeps descriptors that we were born with from the daemon: it
// would hold open, for months, a pipe that somebody waits on.
func closeOnExec() {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}
