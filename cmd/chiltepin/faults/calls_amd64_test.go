package faults

import "golang.org/x/sys/unix"

// stepCalls are the system calls that may be a step, by number.
func stepCalls() map[uint64]string {
	all := commonCalls()
	for nr, name := range map[uint64]string{
		unix.SYS_OPEN: "open", unix.SYS_CREAT: "creat", unix.SYS_MKDIR: "mkdir", unix.SYS_RMDIR: "rmdir", unix.SYS_UNLINK: "unlink",
		unix.SYS_RENAME: "rename", unix.SYS_LINK: "link", unix.SYS_SYMLINK: "symlink", unix.SYS_CHMOD: "chmod",
		unix.SYS_FORK: "fork", unix.SYS_VFORK: "vfork",
	} {
		all[nr] = name
	}
	return all
}
