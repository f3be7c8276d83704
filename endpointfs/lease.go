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
	// watched are leases and since when they were seen to be as they are.
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
