package process

import (
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Presence says whether p works in dir.
func (System) Presence(p Process, dir, prefix string) Presence {
	link := "/proc/" + strconv.Itoa(p.PID)
	home, err := os.Stat(dir)
	if err != nil {
		return Unseen
	}
	cwd, err := os.Stat(link + "/cwd")
	if err != nil {
		return Unseen
	}
	if os.SameFile(cwd, home) {
		return Inside
	}
	// A program that was started by hand works wherever its shell did.
	files, err := listOpenFiles(p.PID)
	if err != nil {
		return Unseen
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return Unseen
	}
	for _, target := range files {
		if !strings.HasPrefix(filepath.Base(target), prefix) {
			continue
		}
		if filepath.Dir(strings.TrimSuffix(target, " (deleted)")) == real {
			return Inside
		}
		if parent, err := os.Stat(filepath.Dir(target)); err == nil && os.SameFile(parent, home) {
			return Inside
		}
	}
	return Outside
}

// Writes says whether p has a file below dir open for writing whose name
// matches one of the patterns.
func (System) Writes(p Process, dir string, patterns ...string) bool {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	files, err := listOpenFiles(p.PID)
	if err != nil {
		return false
	}
	for link, target := range files {
		if !strings.HasPrefix(target, real+"/") {
			continue
		}
		// The mode of the link is how the file was opened, see proc(5).
		info, err := os.Lstat(link)
		if err != nil || info.Mode().Perm()&0o200 == 0 {
			continue
		}
		for _, pattern := range patterns {
			if ok, _ := filepath.Match(pattern, filepath.Base(target)); ok {
				return true
			}
		}
	}
	return false
}

// listOpenFiles returns the files that a process has open: the links to them
// in /proc, and where these lead.
func listOpenFiles(pid int) (iter.Seq2[string, string], error) {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd/"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	return func(yield func(link, target string) bool) {
		for _, e := range entries {
			link := dir + e.Name()
			target, err := os.Readlink(link)
			if err == nil && !yield(link, target) {
				return
			}
		}
	}, nil
}

// CloseInherited keeps the descriptors that this process was born with from
// the programs that it starts from now on: a program that lives for months
// would hold open a pipe that somebody waits on.
func CloseInherited() {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}
