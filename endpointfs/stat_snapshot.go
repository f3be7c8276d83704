package endpointfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// FileStamp tells one state of a file from another, without reading it. The zero
// value is a file that is not there.
type FileStamp struct {
	File, Size, Time int64
}

// StatSnapshot is what the files of one endpoint look like from outside: it
// changes with everything that a status is judged from but the processes.
type StatSnapshot struct {
	Config, ID, PIDFile, Lock FileStamp
}

// StatSnapshots looks at the files of all endpoints, by name, at the price of a few
// system calls each: nothing is opened. A name may turn out to be no endpoint.
func (d *Dir) StatSnapshots() (map[string]StatSnapshot, error) {
	f, err := os.Open(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration directory: %w", err)
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration directory: %w", err)
	}
	all := make(map[string]StatSnapshot, len(names))
	for _, name := range names {
		g := StatSnapshot{
			Config:  stampOf(filepath.Join(d.path, name, configYAML)),
			ID:      stampOf(filepath.Join(d.path, name, endpointJSON)),
			PIDFile: stampOf(filepath.Join(d.path, name, pidFile)),
			Lock:    stampOf(d.lockPath(name)),
		}
		if g.Config == (FileStamp{}) {
			g.Config = stampOf(filepath.Join(d.path, name, configPython))
		}
		if g.Config != (FileStamp{}) {
			all[name] = g
		}
	}
	return all, nil
}

func stampOf(path string) FileStamp {
	info, err := os.Stat(path)
	if err != nil {
		return FileStamp{}
	}
	s := FileStamp{Size: info.Size() + 1, Time: info.ModTime().UnixNano()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.File = int64(sys.Ino)
	}
	return s
}
