package process

import (
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Machine names a machine and one boot of it.
type Machine struct {
	Host string
	// BootID is the kernel's boot id; the pid namespace is added when it is
	// not the machine's own.
	BootID string
	// Booted is when.
	Booted time.Time
}

// ticksPerSecond is USER_HZ, the unit of start times in /proc on every Linux.
const ticksPerSecond = 100

// ClockTime turns the start time of a process of this boot into a time of day.
func (m Machine) ClockTime(startTime uint64) time.Time {
	return m.Booted.Add(time.Duration(startTime) * (time.Second / ticksPerSecond))
}

// ThisMachine names the machine and the numbering of its processes. The boot
// id does not tell containers of one machine apart, so another pid namespace
// than the machine's own is added to it.
func ThisMachine() Machine {
	var m Machine
	m.Host, _ = os.Hostname()
	if data, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		m.BootID = strings.TrimSpace(string(data))
	}
	if ns := pidNamespace(); ns != "" && ns != initialPIDNamespace {
		m.BootID += "/" + ns
	}
	var up unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &up) == nil {
		m.Booted = time.Now().Add(-time.Duration(up.Nano()))
	}
	return m
}

// initialPIDNamespace is PROC_PID_INIT_INO of the kernel: who is in it sees all
// processes of the machine.
const initialPIDNamespace = "pid:[4026531836]"

func pidNamespace() string {
	ns, _ := os.Readlink("/proc/self/ns/pid")
	return ns
}

// SoleUserOfDisks says whether, as far as can be seen from here, this machine
// serves its disks to no other, and all its processes are in sight.
func SoleUserOfDisks() bool {
	if pidNamespace() != initialPIDNamespace {
		return false
	}
	_, err := os.Stat("/proc/net/rpc/nfsd")
	return err != nil
}

// OnLocalDisk says whether dir is on a file system that one machine alone can
// mount.
func OnLocalDisk(dir string) bool {
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

// EffectiveCapabilities are those of this process as the kernel numbers them,
// see capabilities(7); 0 when they cannot be read.
func EffectiveCapabilities() uint64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if text, ok := strings.CutPrefix(line, "CapEff:"); ok {
			caps, err := strconv.ParseUint(strings.TrimSpace(text), 16, 64)
			if err != nil {
				return 0
			}
			return caps
		}
	}
	return 0
}
