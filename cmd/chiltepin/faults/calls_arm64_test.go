package faults

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// stepCalls are the system calls that may be a step, by number.
func stepCalls() map[uint64]string { return commonCalls() }

// skipCall keeps the system call at whose entry a thread stands from being done.
func skipCall(tid int) bool {
	const systemCall = 0x404 // NT_ARM_SYSTEM_CALL
	none := binary.NativeEndian.AppendUint32(nil, ^uint32(0))
	iov := unix.Iovec{Base: &none[0], Len: uint64(len(none))}
	return setRegset(tid, systemCall, &iov)
}

// answerCall has the system call at whose exit a thread stands fail.
func answerCall(tid int, err unix.Errno) {
	var regs unix.PtraceRegsArm64
	if unix.PtraceGetRegSetArm64(tid, prStatus, &regs) == nil {
		regs.Regs[0] = uint64(-int64(err))
		_ = unix.PtraceSetRegSetArm64(tid, prStatus, &regs)
	}
}

const prStatus = 1 // NT_PRSTATUS

func setRegset(tid, what int, iov *unix.Iovec) bool {
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SETREGSET, uintptr(tid), uintptr(what), uintptr(unsafe.Pointer(iov)), 0, 0)
	return errno == 0
}
