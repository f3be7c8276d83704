package endpointfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Stamp tells one state of a file from another, without reading it. The zero
// value is a file that is not there.
type Stamp struct {
	File, Size, Time int64
}

// Glimpse is what the files of one endpoint look like from outside: it
// changes with everything that a status is judged from but the processes.
type Glimpse struct {
	Config, ID, PIDFile, Lock Stamp
}

// Glimpses looks at the files of all endpoints, by name, at the price of a few
// system calls each: nothing is opened. A name may turn out to be no endpoint.
func (d *Dir) Glimpses() (map[string]Glimpse, error) {
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
	all := make(map[string]Glimpse, len(names))
	for _, name := range names {
		g := Glimpse{
			Config:  stampOf(filepath.Join(d.path, name, configYAML)),
			ID:      stampOf(filepath.Join(d.path, name, endpointJSON)),
			PIDFile: stampOf(filepath.Join(d.path, name, pidFile)),
			Lock:    stampOf(d.lockPath(name)),
		}
		if g.Config == (Stamp{}) {
			g.Config = stampOf(filepath.Join(d.path, name, configPython))
		}
		if g.Config != (Stamp{}) {
			all[name] = g
		}
	}
	return all, nil
}

func stampOf(path string) Stamp {
	info, err := os.Stat(path)
	if err != nil {
		return Stamp{}
	}
	s := Stamp{Size: info.Size() + 1, Time: info.ModTime().UnixNano()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.File = int64(sys.Ino)
	}
	return s
}
