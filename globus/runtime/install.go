package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"

	"chiltepin/globus/progress"
	"chiltepin/globus/runtime/internal/venv"
)

// InstallOptions says how to install. The zero value is what people want.
type InstallOptions struct {
	// Python is the interpreter to build on, a path or a name on PATH. Empty
	// takes python3, or python3.13 to python3.10, whichever fits first; named,
	// it rebuilds an environment that was built on another one.
	Python string
	// Force rebuilds an environment that is in order.
	Force bool
}

// Install builds an environment with the release that LockedVersion names and
// returns its runtime. One that is there, is of this lock and works is returned
// as it is; one that is damaged is replaced. The environment that is in use
// stays until the new one is complete and answers, so an installation that is
// interrupted changes nothing; and it stays on disk as long as a process of this
// machine runs from it. Of several installations at once, in any number of
// processes, one does the work.
//
// It needs a Python from 3.10 to 3.13, else *NoPythonError, and a package
// registry as the machine's pip is configured for. What fails while building is
// an *InstallError.
func (f Finder) Install(ctx context.Context, o InstallOptions) (Runtime, error) {
	r, err := f.installLocked(ctx, o)
	if err != nil {
		return Runtime{}, fmt.Errorf("installing %s %s: %w", Program, LockedVersion(), err)
	}
	return r, nil
}

func (f Finder) installLocked(ctx context.Context, o InstallOptions) (Runtime, error) {
	if !filepath.IsAbs(f.DataDir) {
		return Runtime{}, fmt.Errorf("the data directory %q is not an absolute path", f.DataDir)
	}
	// No secret is in it, and a daemon of root's starts user endpoints as other
	// users that have to read it: the umask decides.
	if err := os.MkdirAll(f.runtimeDir(), 0o755); err != nil {
		return Runtime{}, err
	}
	uv := venv.LookPath(f.PathEnv, "uv")
	var python venv.Interpreter
	if o.Python != "" {
		var err error
		if python, err = venv.FindPython(ctx, o.Python, f.PathEnv, f.Environ, uv == ""); err != nil {
			return Runtime{}, err
		}
	}
	before := f.currentDirName()
	unlock, err := f.lockInstall(ctx)
	if err != nil {
		return Runtime{}, err
	}
	defer unlock()
	if after := f.currentDirName(); !o.Force || after != before {
		progress.Report(ctx, progress.Event{Stage: "checking", Text: "checking what is installed"})
		r, why := f.findIntact(ctx, python)
		if why == nil {
			return r, nil
		}
		if ctx.Err() != nil {
			return Runtime{}, context.Cause(ctx)
		}
		if after != "" {
			progress.Report(ctx, progress.Event{Stage: "checking", Text: "replacing what is installed: " + why.Error()})
		}
	}
	if python.Path == "" {
		if python, err = venv.FindPython(ctx, "", f.PathEnv, f.Environ, uv == ""); err != nil {
			return Runtime{}, err
		}
	}
	return f.buildEnvironment(ctx, python, uv)
}

// lockInstall waits until no other installation is under way.
func (f Finder) lockInstall(ctx context.Context) (unlock func(), err error) {
	l := flock.New(filepath.Join(f.runtimeDir(), lockName), flock.SetPermissions(0o600))
	locked, err := l.TryLock()
	if err == nil && !locked {
		progress.Report(ctx, progress.Event{Stage: "waiting", Text: "waiting for another installation to end"})
		_, err = l.TryLockContext(ctx, 200*time.Millisecond)
	}
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", l.Path(), err)
	}
	return func() { _ = l.Unlock() }, nil
}

// findIntact returns the installed runtime when it needs no work, or why it does.
// python is the interpreter the user asks for, if any.
func (f Finder) findIntact(ctx context.Context, python venv.Interpreter) (Runtime, error) {
	c, found := f.examineInstalled()
	if !found {
		return Runtime{}, errors.New("nothing is installed")
	}
	if c.Broken != "" {
		return Runtime{}, errors.New(c.Broken)
	}
	dir := filepath.Join(f.runtimeDir(), f.currentDirName())
	m, err := readMarker(dir)
	if err != nil {
		return Runtime{}, err
	}
	if m.Lock != digestLock(requirements) {
		return Runtime{}, fmt.Errorf("it is release %s with another list of locked packages", m.Version)
	}
	if python.Path != "" && (python.Path != m.Interpreter || python.Version != m.Python) {
		return Runtime{}, fmt.Errorf("it was built on %s (%s)", m.Interpreter, m.Python)
	}
	if err := verifyInstall(dir); err != nil {
		return Runtime{}, err
	}
	if _, err := f.Check(ctx, c.Runtime); err != nil {
		return Runtime{}, err
	}
	c.Why = "it is installed and works"
	return c.Runtime, nil
}

// buildEnvironment makes a new environment, proves it, and puts it in the place of the old.
func (f Finder) buildEnvironment(ctx context.Context, python venv.Interpreter, uv string) (_ Runtime, err error) {
	home, switched := f.runtimeDir(), false
	f.sweepInterrupted()
	name, err := f.newName()
	if err != nil {
		return Runtime{}, err
	}
	dir := filepath.Join(home, name)
	defer func() {
		if err != nil && !switched {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	list := filepath.Join(home, "."+name+".txt")
	if err := os.WriteFile(list, []byte(requirements), 0o600); err != nil {
		return Runtime{}, err
	}
	defer os.Remove(list)
	log, err := os.OpenFile(filepath.Join(home, logName), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return Runtime{}, err
	}
	defer log.Close()
	options := venv.BuildOptions{Dir: dir, Requirements: list, Python: python, UV: uv, Environ: f.Environ, Log: log}
	if err := venv.Create(ctx, options); err != nil {
		return Runtime{}, wrapInstallError(ctx, err, log.Name())
	}

	// It is proven by the path it will keep, before anybody else can find it.
	progress.Report(ctx, progress.Event{Stage: "checking", Text: "starting it once to see that it works"})
	proof := Runtime{Path: filepath.Join(dir, "bin", Program), Bin: filepath.Join(dir, "bin"), Source: Installed}
	version, err := f.Check(ctx, proof)
	if err == nil && version != LockedVersion() {
		err = fmt.Errorf("it says that it is %s", version)
	}
	if err != nil {
		return Runtime{}, wrapInstallError(ctx, err, log.Name())
	}
	m := marker{Version: version, Lock: digestLock(requirements), Python: python.Version, Interpreter: python.Path, Built: time.Now().UTC()}
	if err := writeMarker(dir, m); err != nil {
		return Runtime{}, err
	}
	old := f.currentDirName()
	if err := f.switchCurrent(name); err != nil {
		return Runtime{}, err
	}
	switched = true
	f.pruneEnvironments(name, old)
	c, _ := f.examineInstalled()
	if c.Broken != "" {
		return Runtime{}, &BrokenError{Path: c.Path, Source: Installed, Reason: c.Broken}
	}
	c.Why = "it was installed just now"
	return c.Runtime, nil
}

// newName returns a name for an environment of this lock that has a number
// higher than any there is: a daemon on another machine may still run from one
// that is gone.
func (f Finder) newName() (string, error) {
	entries, err := os.ReadDir(f.runtimeDir())
	if err != nil {
		return "", err
	}
	highest := 0
	for _, e := range entries {
		number := e.Name()[strings.LastIndex(e.Name(), "-")+1:]
		if n, err := strconv.Atoi(number); err == nil && isEnvironment(e) && n < 1<<30 {
			highest = max(highest, n)
		}
	}
	return fmt.Sprintf("%s-%s-%d", LockedVersion(), digestLock(requirements)[:8], highest+1), nil
}

// writeMarker writes the marker, after everything else has reached the disk.
func writeMarker(dir string, m marker) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	// Thousands of files: one call for the file system is quicker than each.
	if err := unix.Syncfs(int(d.Fd())); err != nil {
		return fmt.Errorf("writing %s to disk: %w", dir, err)
	}
	tmp := filepath.Join(dir, markerName+".tmp")
	file, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	if err == nil {
		err = file.Sync()
	}
	if e := file.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp, filepath.Join(dir, markerName))
	}
	return err
}

// switchCurrent makes current lead to name, in one step.
func (f Finder) switchCurrent(name string) error {
	tmp := filepath.Join(f.runtimeDir(), "."+currentName+"-"+name)
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(name, tmp); err != nil {
		return err
	}
	current := filepath.Join(f.runtimeDir(), currentName)
	err := os.Rename(tmp, current)
	if errors.Is(err, unix.EISDIR) || errors.Is(err, fs.ErrExist) {
		err = fmt.Errorf("%s is a directory, and chiltepin keeps a link there: move it away", current)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return nil
}

// isEnvironment says whether an entry of the runtime directory is an environment.
func isEnvironment(e fs.DirEntry) bool {
	return e.IsDir() && !strings.HasPrefix(e.Name(), ".") && strings.Count(e.Name(), "-") >= 2
}
