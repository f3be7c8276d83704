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

// skipCall keeps the system call at whose entry a thread stands from being done.
func skipCall(tid int) bool {
	var regs unix.PtraceRegs
	if unix.PtraceGetRegs(tid, &regs) != nil {
		return false
	}
	regs.Orig_rax = ^uint64(0)
	return unix.PtraceSetRegs(tid, &regs) == nil
}

// answerCall has the system call at whose exit a thread stands fail.
func answerCall(tid int, err unix.Errno) {
	var regs unix.PtraceRegs
	if unix.PtraceGetRegs(tid, &regs) == nil {
		regs.Rax = uint64(-int64(err))
		_ = unix.PtraceSetRegs(tid, &regs)
	}
}
