package faults

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// other is a user who is not the caller of [fixture.asUser].
const other = 65534

// ownerRows are files and processes of another user. The program runs without
// privileges in all but one, so that it is the kernel which refuses.
func ownerRows() []row {
	const group = "owner"
	var all []row
	add := func(r row) {
		r.group, r.root = group, true
		all = append(all, r)
	}
	const (
		// doubted: what cannot be seen is not guessed, and nothing is touched.
		doubted  = "Unknown | Unknown | conflict | conflict | conflict | conflict | shown"
		closed   = "Unknown | Unknown | conflict | conflict | invalid | conflict | refused"
		locked   = "Unknown | Unknown | refused | refused | refused | refused | shown"
		unusable = "Stopped | Stopped | invalid | not_running | invalid | deleted | shown"
	)
	add(row{fault: "the endpoint's directory is another user's, and closed", want: closed,
		lay: func(b *fixture) { b.asUser(); b.stopped(); b.theirs("", 0o700) }, after: livesOn})
	add(row{fault: "the endpoint's directory has become another user's, and closed, and the daemon lives", want: "Running | Running | already_running | refused | invalid | conflict | refused",
		lay: func(b *fixture) { b.asUser(); b.started(); b.theirs("", 0o700); b.daemons = b.living() }, after: livesOn})
	add(row{fault: "config.yaml is another user's, and may not be read", want: unusable,
		lay: func(b *fixture) { b.asUser(); b.stopped(); b.theirs("config.yaml", 0) }, after: livesOn})
	add(row{fault: "endpoint.json is another user's, and may not be read", want: "Stopped | Stopped | invalid | not_running | invalid | refused | shown",
		lay: func(b *fixture) { b.asUser(); b.stopped(); b.theirs("endpoint.json", 0o600) }, after: livesOn})
	add(row{fault: "our record is another user's, and may not be read, and the daemon lives", want: "Running | Running | already_running | stopped | restarted | conflict | shown",
		lay: func(b *fixture) { b.asUser(); b.started(); b.theirs("chiltepin.json", 0o600) }})
	add(row{fault: "the log is another user's, and may not be read", want: "Stopped | Stopped | refused | not_running | refused | deleted | refused",
		lay: func(b *fixture) { b.asUser(); b.stopped(); b.theirs("endpoint.log", 0o600) }, after: livesOn})
	add(row{fault: "daemon.pid is another user's, and may not be read", want: doubted,
		lay: func(b *fixture) {
			b.asUser()
			b.stopped()
			b.put("daemon.pid", "4194000\n")
			b.theirs("daemon.pid", 0o600)
			b.touched("daemon.pid", time.Minute)
		}})
	add(row{fault: "daemon.pid is another user's, and names a stranger of his", want: "Disconnected | Disconnected | started | not_running | restarted | deleted | shown",
		lay: func(b *fixture) {
			b.asUser()
			b.stopped()
			b.put("daemon.pid", fmt.Sprintln(b.theirStranger().cmd.Process.Pid))
			b.theirs("daemon.pid", 0o644)
			b.touched("daemon.pid", time.Minute)
		}})
	add(row{fault: "daemon.pid names a process of another user with this endpoint's title", want: doubted,
		lay: func(b *fixture) {
			b.asUser()
			b.stopped()
			b.put("daemon.pid", fmt.Sprintln(b.theirStranger("Globus Compute Endpoint *("+b.id()+", mesa) [x]").cmd.Process.Pid))
			b.touched("daemon.pid", time.Minute)
		}, blind: true})
	add(row{fault: "asked by root, and the daemon is a user's", want: "Running | Running | already_running | stopped | refused | conflict | shown",
		lay: func(b *fixture) { b.asUser(); b.started(); b.as = nil }})
	add(row{fault: "asked by root, and the directory is a user's, stopped", want: "Stopped | Stopped | refused | not_running | refused | deleted | shown",
		lay: func(b *fixture) { b.asUser(); b.stopped(); b.as = nil }})
	add(row{fault: "everything is another user's and may be read, stopped", want: "Stopped | Stopped | refused | refused | refused | refused | shown",
		lay: func(b *fixture) { b.asUserID(other); b.stopped(); b.share(0o755, 0o644) }, after: livesOn})
	add(row{fault: "everything is another user's and may be read, and his daemon lives", want: locked,
		lay: func(b *fixture) { b.asUserID(other); b.started(); b.share(0o755, 0o644) }, after: livesOn})
	add(row{fault: "a directory that two users write to, and the other's daemon lives", want: doubted,
		lay: func(b *fixture) { b.asUserID(other); b.started(); b.share(0o777, 0o666) }, after: livesOn})
	add(row{fault: "a directory that two users write to, the other's daemon lives, and there is no record of the launch", want: doubted,
		lay: func(b *fixture) {
			b.asUserID(other)
			b.started()
			b.share(0o777, 0o666)
			b.gone("chiltepin.json")
		}, after: livesOn})
	add(row{fault: "a directory that two users write to, and the other's daemon was killed", want: "Disconnected | Disconnected | refused | not_running | refused | deleted | shown",
		lay: func(b *fixture) {
			b.asUserID(other)
			pid := b.started()
			b.share(0o777, 0o666)
			b.kill(pid, syscall.SIGKILL)
			b.daemons = nil
		}, after: livesOn})
	for _, recorded := range []bool{true, false} {
		r := row{fault: "a directory that two users write to, the other's daemon lives, and the machine does not show it (hidepid)", want: doubted, after: livesOn}
		if !recorded {
			r.fault, r.long = "a directory that two users write to, the other's daemon lives, the machine does not show it, and there is no record of the launch", true
		}
		r.lay = func(b *fixture) { b.hidden(recorded) }
		add(r)
	}
	return all
}

// hidden has the other user's daemon live in a directory that two users write
// to, on a machine whose /proc shows each user his own processes only.
func (b *fixture) hidden(recorded bool) {
	b.Helper()
	as := func(uid int) {
		b.as, b.prefix = nil, []string{"setpriv", fmt.Sprint("--reuid=", uid), fmt.Sprint("--regid=", uid), "--clear-groups"}
	}
	b.asUserID(other)
	b.on = newNode(b.T, "login1", 0)
	b.onNode("mount", "-o", "remount,hidepid=2", "/proc")
	as(other)
	b.started()
	b.share(0o777, 0o666)
	as(int(b.as.Uid))
	if !recorded {
		b.gone("chiltepin.json")
	}
}

// theirs gives a file of the endpoint, or its directory, to the other user.
func (b *fixture) theirs(name string, mode os.FileMode) {
	b.Helper()
	if err := os.Chmod(b.file(name), mode); err != nil {
		b.Fatal(err)
	}
	if err := os.Lchown(b.file(name), other, other); err != nil {
		b.Fatal(err)
	}
}

// theirStranger starts a stranger of the other user's.
func (b *fixture) theirStranger(title ...string) *stranger {
	b.Helper()
	own := b.as
	defer func() { b.as = own }()
	b.as = &syscall.Credential{Uid: other, Gid: other, NoSetGroups: true}
	return b.stranger(title...)
}

// share opens the configuration directory, which stays the other user's, and
// has commands run by the usual user, whose login is his own.
func (b *fixture) share(dirs, files os.FileMode) {
	b.Helper()
	err := filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, dirs)
		}
		return os.Chmod(path, files)
	})
	if err != nil {
		b.Fatal(err)
	}
	const own = 54321
	b.as = &syscall.Credential{Uid: own, Gid: own, NoSetGroups: true}
	for _, path := range []string{b.home, filepath.Join(b.home, "data"), filepath.Join(b.dir, "storage.db")} {
		if err := os.Lchown(path, own, own); err != nil && !os.IsNotExist(err) {
			b.Fatal(err)
		}
	}
	b.daemons = b.living()
}

// livesOn wants the daemons that were there to be there, and no other.
func livesOn(b *fixture, operation string, c cell) {
	b.Helper()
	if now := b.living(); !slices.Equal(now, b.daemons) {
		b.Errorf("%s: daemons %v live, want %v", operation, now, b.daemons)
	}
	stillRegistered(b, operation, c)
}
