package process

import "syscall"

// Held is a process with an open handle on it, looked at while the handle was
// open: what it says is about the process that the handle names.
type Held struct {
	Process
	Handle Handle
}

// Hold opens a handle on the process that p was seen to be. When it is gone,
// or another one has its number, the error is [syscall.ESRCH].
func Hold(table Table, p Process) (Held, error) {
	handle, err := table.Hold(p.PID)
	if err != nil {
		return Held{}, err
	}
	again, ok, err := table.Lookup(p.PID)
	if err != nil || !ok || again.StartTime != p.StartTime || handle.Dead() {
		handle.Close()
		return Held{}, syscall.ESRCH
	}
	return Held{again, handle}, nil
}

// HeldList is several held processes.
type HeldList []Held

// Close gives all handles back.
func (all HeldList) Close() {
	for _, h := range all {
		h.Handle.Close()
	}
}
