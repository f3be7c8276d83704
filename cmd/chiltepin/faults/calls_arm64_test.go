package faults

// stepCalls are the system calls that may be a step, by number.
func stepCalls() map[uint64]string { return commonCalls() }
