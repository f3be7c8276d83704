package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"

	"chiltepin/endpointfs"
	"chiltepin/globus/next"
)

// checkDirectory looks at the configuration directory and those of the endpoints:
// who owns them, who else may write there, whether we may.
func (v *examination) checkDirectory(context.Context) []Finding {
	dir := v.Manager.Dir.Path()
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return okFinding(dir + " does not exist yet; the first endpoint that is configured creates it")
	case err != nil:
		return []Finding{{Subject: dir, Verdict: Failed, Evidence: err.Error(), Next: doOnly("see who may read and write there: namei -l " + dir)}}
	case !info.IsDir():
		return []Finding{{Subject: dir, Verdict: Failed, Evidence: dir + " is not a directory", Next: doOnly("choose another configuration directory")}}
	}
	if _, err := v.Manager.Dir.Endpoints(); err != nil {
		return []Finding{{Subject: dir, Verdict: Failed, Evidence: err.Error(), Next: doOnly("see who may read and write there: namei -l " + dir)}}
	}
	var all []Finding
	if err := withTestFile(dir, nil); err != nil && !isDiskFull(err) {
		all = append(all, Finding{Subject: dir, Verdict: Failed, Evidence: "it cannot be written: " + err.Error(), Next: doOnly("choose another configuration directory, or make this one writable")})
	}
	all = append(all, checkMode(dir, 0o022, "others may put files of theirs there")...)
	// The tokens in it are worth a login.
	all = append(all, checkMode(filepath.Join(dir, "storage.db"), 0o077, "others may read the tokens in it")...)
	for _, ep := range v.listEndpoints() {
		all = append(all, checkMode(ep.Path(), 0o022, "others may change what the daemon runs")...)
		for _, name := range []string{"config.yaml", "config.py", "user_config_template.yaml.j2", "user_config_template.yaml", "user_environment.yaml"} {
			all = append(all, checkMode(filepath.Join(ep.Path(), name), 0o022, "others may change what the daemon runs")...)
		}
	}
	if len(all) == 0 {
		return okFinding(dir + " can be written by nobody else")
	}
	return all
}

// checkMode looks at who owns a file and what others may do with it.
func checkMode(path string, forbidden fs.FileMode, why string) []Finding {
	info, err := os.Stat(path)
	if err != nil {
		return nil // what must be there is looked for elsewhere
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() && os.Geteuid() != 0 {
		return []Finding{{Subject: path, Verdict: Failed, Evidence: fmt.Sprintf("it belongs to user %d, not to you (%d)", st.Uid, os.Geteuid()), Next: doOnly("ask its owner to give it back: chown " + fmt.Sprint(os.Geteuid()) + " " + path)}}
	}
	mode := info.Mode().Perm()
	if mode&forbidden == 0 {
		return nil
	}
	narrow := mode &^ forbidden
	return []Finding{{Subject: path, Verdict: Failed, Evidence: fmt.Sprintf("its mode is %04o: %s", mode, why), Next: []next.Step{next.Call(next.Doctor, next.Args{"fix": true}, "have the modes corrected"), next.Do(fmt.Sprintf("set its mode to %04o", narrow))},
		fix: func(context.Context) (string, error) {
			// A link that is there by now is not followed.
			root, err := os.OpenRoot(filepath.Dir(path))
			if err != nil {
				return "", err
			}
			defer root.Close()
			if err := root.Chmod(filepath.Base(path), narrow); err != nil {
				return "", err
			}
			return fmt.Sprintf("it is %04o now", narrow), nil
		}}}
}

// withTestFile makes a file in dir, writes to it, lets use look at it, and removes it.
func withTestFile(dir string, use func(path string) error) error {
	f, err := os.CreateTemp(dir, ".chiltepin-doctor-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, 4096))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil || use == nil {
		return err
	}
	return use(f.Name())
}

func isDiskFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

// checkLocks has two of us want one lock, as two operations at once would.
func (v *examination) checkLocks(context.Context) []Finding {
	dir := v.Manager.Dir.Path()
	kind := fileSystem(dir)
	var evidence string
	err := withTestFile(dir, func(path string) error {
		first, second := flock.New(path), flock.New(path)
		defer first.Close()
		defer second.Close()
		had, err := first.TryLock()
		if err != nil {
			return err
		}
		again, err := second.TryLock()
		if err != nil {
			return err
		}
		switch {
		case !had:
			return errors.New("a lock that nobody holds cannot be taken")
		case again:
			return errors.New("a lock was granted twice")
		}
		evidence = "the file system (" + kind + ") has locks"
		return nil
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return skippedFinding(dir + " does not exist yet")
	case isDiskFull(err), errors.Is(err, fs.ErrPermission), errors.Is(err, unix.EROFS), errors.Is(err, unix.ENOTDIR):
		return skippedFinding("no file can be created in " + dir)
	case endpointfs.Lockless(err) && withTestFile(dir, tryHardLink) == nil:
		return []Finding{{Subject: dir, Verdict: Warning, Evidence: fmt.Sprintf("the file system (%s) has no locks: %v; operations use a lease instead", kind, err),
			Next: doOnly("nothing has to be done: only after an operation was killed on another machine, the next one waits a minute; with locks (for NFS: the lock daemon; for Lustre: mount with flock) it does not")}}
	case err != nil:
		return []Finding{{Subject: dir, Verdict: Failed, Evidence: fmt.Sprintf("the file system (%s) has no locks: %v", kind, err),
			Next: doOnly("choose a configuration directory on another file system, or ask the administrators for locks on this one (for NFS: the lock daemon; for Lustre: mount with flock)")}}
	}
	return okFinding(evidence)
}

// tryHardLink has a file have a second name, as a lease needs.
func tryHardLink(path string) error {
	second := path + ".link"
	if err := os.Link(path, second); err != nil {
		return err
	}
	return os.Remove(second)
}

// fileSystem names the file system that path is on.
func fileSystem(path string) string {
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return "unknown"
	}
	switch uint32(st.Type) {
	case unix.EXT4_SUPER_MAGIC:
		return "ext4"
	case unix.XFS_SUPER_MAGIC:
		return "xfs"
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case unix.TMPFS_MAGIC:
		return "tmpfs"
	case unix.NFS_SUPER_MAGIC:
		return "nfs"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlay"
	case 0x0bd00bd0:
		return "lustre"
	case 0x47504653:
		return "gpfs"
	case 0x19830326:
		return "beegfs"
	case unix.FUSE_SUPER_MAGIC:
		return "fuse"
	}
	return fmt.Sprintf("type %#x", uint32(st.Type))
}

// A log rotates at 100 MiB and keeps one more, an endpoint's and each of its
// user endpoints'.
const (
	tightSpace = 500 << 20
	noSpace    = 16 << 20
	fewFiles   = 1000
)

// checkDisk looks at what is free. A quota shows only when it is used up.
func (v *examination) checkDisk(context.Context) []Finding {
	dir := v.Manager.Dir.Path()
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir) // it will be made there
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return skippedFinding("the free space could not be measured: " + err.Error())
	}
	free, files := st.Bavail*uint64(st.Bsize), st.Ffree
	evidence := fmt.Sprintf("%s are free at %s", formatSize(free), dir)
	makeRoom := doOnly("make room, or choose another configuration directory; old logs and submit scripts of user endpoints (uep.*) take the most")
	var err error
	if dir == v.Manager.Dir.Path() { // nothing is written anywhere else
		err = withTestFile(dir, nil)
	}
	switch {
	case isDiskFull(err):
		return []Finding{{Subject: dir, Verdict: Failed, Evidence: evidence + ", and nothing can be written: " + strings.TrimPrefix(err.Error(), "write "), Next: makeRoom}}
	case free < noSpace:
		return []Finding{{Subject: dir, Verdict: Failed, Evidence: evidence, Next: makeRoom}}
	case st.Files > 0 && files < fewFiles:
		return []Finding{{Subject: dir, Verdict: Failed, Evidence: fmt.Sprintf("only %d more files can be created at %s", files, dir), Next: doOnly("remove files there, or choose another configuration directory")}}
	case free < tightSpace:
		return []Finding{{Subject: dir, Verdict: Warning, Evidence: evidence + "; a log alone grows to 200 MiB", Next: makeRoom}}
	}
	return okFinding(evidence)
}

func formatSize(n uint64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}
