package process

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// IsHidden says whether there is a process of that id which /proc does not
// show: with the option hidepid it shows each user his own processes only, see
// proc(5).
func IsHidden(pid int) (bool, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if IsExhausted(err) {
		return false, fmt.Errorf("looking at process %d: %w", pid, err)
	}
	if err != nil {
		return false, nil
	}
	handle := pidfd{fd: fd}
	defer handle.Close()
	// One that was born or has ended meanwhile is not hidden.
	_, err = os.Stat("/proc/" + strconv.Itoa(pid))
	return os.IsNotExist(err) && !handle.Dead(), nil
}

// IsForeign says whether the process of that id is another user's, which the
// kernel knows also where /proc hides it.
func IsForeign(pid int) bool { return errors.Is(unix.Kill(pid, 0), unix.EPERM) }
