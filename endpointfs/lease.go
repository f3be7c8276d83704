package endpointfs

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"chiltepin/endpointfs/internal/regular"
)

// A lease replaces a lock where the file system has none. It is a file beside
// the lock file that its holder touches again and again; one that was not
// touched for its whole expiry has no holder. The clocks of machines differ, so
// the time of a touch is never compared with a clock: a process that wants the
// lease watches the file for the whole expiry by its own clock, and the holder
// counts from before its last touch and gives up well before a watcher can.

// leaseTimes are the periods of a lease.
type leaseTimes struct {
	check   time.Duration // after which a holder looks whether it still is one
	renewal time.Duration // from touch to touch
	limit   time.Duration // after which a holder that could not touch gives up
	expiry  time.Duration // for which a watcher sees no touch before it takes over
	shown   time.Duration // after which [Dir.Holder] shows no holder any more
}

func defaultLeaseTimes() leaseTimes {
	return leaseTimes{check: time.Second, renewal: 5 * time.Second, limit: 45 * time.Second, expiry: time.Minute, shown: 5 * time.Minute}
}

// ProcessFacts tells what a lease has to say, and its taker has to know, about the
// processes of this machine.
type ProcessFacts interface {
	// Boot names the machine from its last boot on together with its numbering
	// of processes. It is empty when that is not known.
	Boot() string
	// Started returns when the process with that id started, by the kernel's
	// count. It is 0 when there is provably no such process; what could not be
	// seen is an error.
	Started(pid int) (uint64, error)
}

// leaseNote is what a lease file holds.
type leaseNote struct {
	Version int    `json:"version"`
	Token   string `json:"token"` // of this taking
	Holder
	Boot  string `json:"boot,omitempty"`  // as [ProcessFacts] tells it
	Start uint64 `json:"start,omitempty"` // of the process
}

const leaseVersion = 1

// parseLease returns the note, or what is wrong with it.
func parseLease(data []byte) (n leaseNote, problem string) {
	if err := json.Unmarshal(data, &n); err != nil {
		return leaseNote{}, jsonProblem(err)
	}
	switch {
	case n.Version != leaseVersion:
		return leaseNote{}, fmt.Sprintf("it is of format %d; this one knows format %d", n.Version, leaseVersion)
	case n.Token == "":
		return leaseNote{}, "it has no token"
	case n.PID < 1 || n.PID > maxPID:
		return leaseNote{}, "it holds no process id"
	}
	return n, ""
}

// leaseState is a lease file as it was seen: any touch makes it another one.
type leaseState struct {
	data    string
	touched time.Time
}

func readLease(path string) (leaseState, error) {
	// Opening a file is what makes NFS ask the server again.
	data, touched, err := regular.Read(path, maxStateFile)
	return leaseState{string(data), touched}, err
}

// leases is what a [Dir] knows of the leases in it.
type leases struct {
	times leaseTimes
	mu    sync.Mutex
	// watchedLease are leases and since when they were seen to be as they are.
	watched map[string]watchedLease
}

type watchedLease struct {
	leaseState
	since time.Time
}

// hasExpired says whether the lease was seen in that state, at a time after now,
// and all through its expiry before.
func (w *leases) hasExpired(path string, s leaseState, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if was, ok := w.watched[path]; ok && was.leaseState == s {
		return now.Sub(was.since) >= w.times.expiry
	}
	if w.watched == nil {
		w.watched = map[string]watchedLease{}
	}
	w.watched[path] = watchedLease{s, time.Now()}
	return false
}

func (w *leases) forgetLease(path string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.watched, path)
}

// holderEnded says whether the holder is provably gone: a process of this boot of
// this machine that is no more.
func (d *Dir) holderEnded(n leaseNote) bool {
	if d.machine == nil || n.Boot == "" || n.Start == 0 || n.Boot != d.machine.Boot() {
		return false
	}
	start, err := d.machine.Started(n.PID)
	return err == nil && start != n.Start
}

// leaseHolder returns who holds the lease of that name, and whether anybody does. A
// lease without a holder is removed.
func (d *Dir) leaseHolder(name string) (Holder, bool, error) {
	path := d.leasePath(name)
	now := time.Now()
	seen, err := readLease(path)
	if errors.Is(err, fs.ErrNotExist) {
		d.leases.forgetLease(path)
		return Holder{}, false, nil
	}
	if err != nil {
		return Holder{}, false, err
	}
	n, problem := parseLease([]byte(seen.data))
	if !d.leases.hasExpired(path, seen, now) && (problem != "" || !d.holderEnded(n)) {
		return n.Holder, true, nil
	}
	gone, err := d.removeLease(path, seen)
	if err != nil && !errors.Is(err, unix.EROFS) {
		return Holder{}, false, err
	}
	return n.Holder, err == nil && !gone, nil
}

// leaseHolderShown is leased for one who only looks: it removes nothing. Without
// watching, a lease of another machine counts for as long as its last touch is
// not minutes old by this one's clock.
func (d *Dir) leaseHolderShown(name string) (Holder, bool) {
	seen, err := readLease(d.leasePath(name))
	if err != nil {
		return Holder{}, false
	}
	n, problem := parseLease([]byte(seen.data))
	if time.Since(seen.touched) > d.leases.times.shown || problem == "" && d.holderEnded(n) {
		return Holder{}, false
	}
	return n.Holder, true
}

// removeLease removes a lease that is still as it was judged, and says whether
// it did. Of two who judged the same, one moves it away; the other would move
// the next one's lease, and puts that back.
func (d *Dir) removeLease(path string, judged leaseState) (bool, error) {
	if now, err := readLease(path); err != nil || now != judged {
		return false, ignoreAbsence(err)
	}
	return d.moveLease(path, judged)
}

// moveLease is removeLease once it was looked at.
func (d *Dir) moveLease(path string, judged leaseState) (bool, error) {
	aside := filepath.Join(d.path, privateDir, unfinishedPrefix+rand.Text())
	if err := os.Rename(path, aside); err != nil {
		return false, ignoreAbsence(err)
	}
	moved, err := readLease(aside)
	if err == nil && moved == judged {
		return true, os.Remove(aside)
	}
	// Where that fails there is another one by now, and the holder of this one
	// will find out, see [waitForLease.checkOptions].
	_ = os.Link(aside, path)
	return false, errors.Join(err, os.Remove(aside))
}

func ignoreAbsence(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// makeLease takes a lease without a holder. It returns nil when another process
// has taken it first.
func (d *Dir) makeLease(name, purpose string) (*lease, error) {
	n := leaseNote{Version: leaseVersion, Token: rand.Text(), Holder: newHolder(purpose)}
	if d.machine != nil {
		if start, err := d.machine.Started(n.PID); err == nil {
			n.Boot, n.Start = d.machine.Boot(), start
		}
	}
	data, err := json.Marshal(n)
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Join(d.path, privateDir), unfinishedPrefix)
	if err != nil {
		return nil, err
	}
	l := &lease{dir: d, path: d.leasePath(name), data: string(data) + "\n", file: f, lost: make(chan struct{}), stop: make(chan struct{}), done: make(chan struct{})}
	taken, err := l.linkIntoPlace()
	if !taken {
		return nil, errors.Join(err, f.Close())
	}
	go l.renewUntilReleased()
	return l, nil
}

// waitForLease is a lease, held.
type lease struct {
	dir  *Dir
	path string
	data string
	// filePath is ours whatever is at path by now.
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

// checkOptions looks whether the lease is still ours, and returns why it is not. A
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
