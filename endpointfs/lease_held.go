package endpointfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// lease is a lease that this process holds.
type lease struct {
	dir  *Dir
	path string
	data string
	// file is ours whatever is at path by now.
	file *os.File

	mu      sync.Mutex
	renewed time.Time // before the last touch
	touch   time.Time // what it set
	why     string    // it is lost

	lost, stop, done chan struct{}
}

// linkIntoPlace makes the file appear at its path in one step, if there is none. NFS
// may say that a link exists which it has just made: the count of links knows.
func (l *lease) linkIntoPlace() (bool, error) {
	tmp := l.file.Name()
	defer os.Remove(tmp)
	_, err := l.file.WriteString(l.data)
	if err == nil {
		err = l.file.Chmod(0o600)
	}
	if err == nil {
		err = l.file.Sync()
	}
	if err == nil {
		err = l.touchFile()
	}
	if err != nil {
		return false, err
	}
	if err = os.Link(tmp, l.path); err == nil {
		return true, nil
	}
	var st unix.Stat_t
	if unix.Fstat(int(l.file.Fd()), &st) == nil && st.Nlink == 2 {
		return true, nil
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return false, nil
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EMLINK), Lockless(err):
		return false, &LockUnsupportedError{Path: l.path, Err: err}
	}
	return false, err
}

// touchFile touches the file. Every touch sets another time, however coarse the
// file system's times are.
func (l *lease) touchFile() error {
	began := time.Now()
	touch := began
	if last := l.touch.Add(l.dir.leases.times.renewal / 2); touch.Before(last) {
		touch = last // the clock was set back
	}
	tv := unix.NsecToTimeval(touch.UnixNano())
	if err := unix.Futimes(int(l.file.Fd()), []unix.Timeval{tv, tv}); err != nil {
		return err
	}
	l.renewed, l.touch = began, touch
	return nil
}

// renewUntilReleased looks after the lease until it is released or lost.
func (l *lease) renewUntilReleased() {
	defer close(l.done)
	t := time.NewTicker(l.dir.leases.times.check)
	defer t.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-t.C:
		}
		if l.checkHeld() != "" {
			return
		}
		l.mu.Lock()
		if l.overdueReason() == "" && time.Since(l.renewed) >= l.dir.leases.times.renewal {
			_ = l.touchFile() // the next one may succeed, until it is too late
		}
		l.mu.Unlock()
	}
}

// overdueReason says whether a watcher may take the lease over by now. Both the
// monotonic clock and the time of day count: one of them advances while the
// machine sleeps.
func (l *lease) overdueReason() string {
	now := time.Now()
	age := max(now.Sub(l.renewed), now.Round(0).Sub(l.renewed.Round(0)))
	if age <= l.dir.leases.times.limit {
		return ""
	}
	return fmt.Sprintf("it was not renewed for %s", age.Round(time.Second))
}

// checkHeld looks whether the lease is still ours, and returns why it is not. A
// lease that was lost once stays so.
func (l *lease) checkHeld() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why != "" {
		return l.why
	}
	why := l.overdueReason()
	if why == "" {
		why = l.takenReason()
	}
	if why == "" {
		why = l.overdueReason() // looking may have taken long
	}
	if why != "" {
		l.why = why
		close(l.lost)
	}
	return why
}

// takenReason says whether another lease, or none, is where ours should be. It may
// be away for an instant, see [Dir.removeLease]. What cannot be read is not
// taken: then time decides.
func (l *lease) takenReason() string {
	for range 10 {
		seen, err := readLease(l.path)
		if err == nil && seen.data == l.data || err != nil && !errors.Is(err, fs.ErrNotExist) {
			return ""
		}
		time.Sleep(10 * time.Millisecond)
	}
	return "another process has taken it over, or it was removed"
}

// giveBack gives the lease back, also one that ran out and was not taken over
// yet. It is called once.
func (l *lease) giveBack() error {
	close(l.stop)
	<-l.done
	defer l.file.Close()
	seen, err := readLease(l.path)
	if err != nil || seen.data != l.data {
		return ignoreAbsence(err)
	}
	_, err = l.dir.removeLease(l.path, seen)
	return err
}
