package faults

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"chiltepin/endpointfs"
	"chiltepin/globus/sandbox/sandboxtest"
)

// bed is a home with one configured endpoint, "mesa", in which something is
// about to go wrong.
type bed struct {
	*testing.T
	box *sandboxtest.Box
	// home is HOME, dir the configuration directory, path the endpoint's.
	home, dir, path string
	env             []string
	// on is the machine that commands run on; nil is this one.
	on *node
	// as runs commands as that user; nil is the caller.
	as *syscall.Credential
	// timeout is given to the operations that take one.
	timeout string
	// strangers are processes that must come to no harm.
	strangers []*stranger
	// name is what operations are told; "mesa" unless the fault is in it.
	name string
	// prefix is the shell that commands are run by, if there is one.
	prefix []string
	// unlocked is true when the file system has no locks.
	unlocked bool
	// mute is true when standard output leads nowhere.
	mute bool
	// root is put before paths to see them as the bed's machine does.
	root string
	// others is the number of daemons that are not mesa's, and stay.
	others int
	// victim is a process id on the bed's machine that must come to no harm.
	victim int
}

// newBed makes a bed, and a login for it when the box has none yet.
func newBed(t *testing.T, box *sandboxtest.Box) *bed {
	t.Helper()
	b := &bed{T: t, box: box, home: t.TempDir(), timeout: "60s", name: "mesa"}
	// Another user must get there, too.
	for _, dir := range []string{filepath.Dir(b.home), b.home} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b.dir = filepath.Join(b.home, ".globus_compute")
	b.path = filepath.Join(b.dir, "mesa")
	b.env = box.Environ([]string{"PATH=" + place.bin + ":/usr/local/bin:/usr/bin:/bin", "HOME=" + b.home, "LANG=C.UTF-8"})
	b.env = append(b.env, credentials(t, box)...)
	b.set("XDG_DATA_HOME", filepath.Join(b.home, "data"))
	if _, err := endpointfs.Open(b.dir).Configure("mesa", endpointfs.ConfigureOptions{Email: "me@example.org"}); err != nil {
		t.Fatal(err)
	}
	b.login()
	t.Cleanup(b.sweep)
	return b
}

// login gives the bed the tokens of the box's first login.
func (b *bed) login() {
	b.Helper()
	store := filepath.Join(b.dir, "storage.db")
	if data, ok := boxTokens.Load(b.box); ok {
		if err := os.WriteFile(store, data.([]byte), 0o600); err != nil {
			b.Fatal(err)
		}
		return
	}
	b.must("login")
	data, err := os.ReadFile(store)
	if err != nil {
		b.Fatal(err)
	}
	boxTokens.Store(b.box, data)
}

// credentials are those of one client for all beds of a box.
func credentials(t *testing.T, box *sandboxtest.Box) []string {
	t.Helper()
	const id = "GLOBUS_COMPUTE_CLIENT_ID"
	if kept, ok := boxClients.Load(box); ok {
		return kept.([]string)
	}
	kept, _ := boxClients.LoadOrStore(box, box.ClientCredentials())
	if !strings.HasPrefix(kept.([]string)[0], id) {
		t.Fatalf("credentials = %q", kept)
	}
	return kept.([]string)
}

// set sets a variable of the environment.
func (b *bed) set(name, value string) {
	b.unset(name)
	b.env = append(b.env, name+"="+value)
}

func (b *bed) unset(name string) {
	b.env = slices.DeleteFunc(b.env, func(v string) bool { return strings.HasPrefix(v, name+"=") })
}

// play sets how daemons behave that are launched from now on.
func (b *bed) play(s script) {
	data, err := json.Marshal(s)
	if err != nil {
		b.Fatal(err)
	}
	b.set("FAULTS_SCRIPT", string(data))
}

// patience is how long a command may take at most.
const patience = 4 * time.Minute

// answer is what a run of the program gave.
type answer struct {
	exit           int
	stdout, stderr string
	took           time.Duration
}

// run runs the program to its end.
func (b *bed) run(args ...string) answer {
	b.Helper()
	return b.finish(b.command(args...))
}

func (b *bed) command(args ...string) *exec.Cmd {
	argv := append(slices.Clone(b.prefix), append([]string{place.chiltepin}, args...)...)
	if b.on != nil {
		argv = append(b.on.enter(), argv...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Dir = slices.Clone(b.env), b.home
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: b.as}
	return cmd
}

// finish runs a command with its output in files, which nobody who inherits
// them keeps us waiting for.
func (b *bed) finish(cmd *exec.Cmd) answer {
	b.Helper()
	var files [2]*os.File
	for i, to := range []*io.Writer{&cmd.Stdout, &cmd.Stderr} {
		if *to != nil {
			continue
		}
		f, err := os.CreateTemp(b.TempDir(), "out")
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		files[i], *to = f, f
	}
	began := time.Now()
	if b.unlocked {
		return b.finishUnlocked(cmd, files)
	}
	late := time.AfterFunc(patience, func() {
		b.Errorf("%q does not end within %s", cmd.Args, patience)
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	})
	err := cmd.Run()
	late.Stop()
	a := answer{took: time.Since(began)}
	a.read(b, files)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		a.exit = exit.ExitCode()
	case err != nil:
		b.Fatalf("%v: %v", cmd.Args, err)
	}
	if exit != nil && exit.ExitCode() < 0 {
		b.Fatalf("%q ended by %v\n%s", cmd.Args, exit, a.stderr)
	}
	if leaks := b.box.Leaks(a.stdout + a.stderr); len(leaks) > 0 {
		b.Errorf("%q printed %v", cmd.Args, leaks)
	}
	return a
}

// read reads what a command has printed into files.
func (a *answer) read(b *bed, files [2]*os.File) {
	b.Helper()
	for i, into := range []*string{&a.stdout, &a.stderr} {
		if files[i] == nil {
			continue
		}
		data, err := os.ReadFile(files[i].Name())
		if err != nil {
			b.Fatal(err)
		}
		*into = string(data)
	}
}

// finishUnlocked is finish on a file system that has no locks.
func (b *bed) finishUnlocked(cmd *exec.Cmd, files [2]*os.File) answer {
	b.Helper()
	began := time.Now()
	tr := tracer{unlocked: true}
	done := make(chan error, 1)
	go func() {
		_, err := tr.run(cmd)
		done <- err
	}()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	a := answer{exit: tr.exit, took: time.Since(began)}
	a.read(b, files)
	return a
}

// must runs the program, which must succeed.
func (b *bed) must(args ...string) answer {
	b.Helper()
	a := b.run(args...)
	if a.exit != 0 {
		b.Fatalf("chiltepin %s: exit status %d\n%s", strings.Join(args, " "), a.exit, a.stderr)
	}
	return a
}

// started starts the endpoint and returns the process id of its daemon.
func (b *bed) started() int {
	b.Helper()
	b.must("endpoint", "start", "mesa")
	return b.pid()
}

// pid reads daemon.pid.
func (b *bed) pid() int {
	b.Helper()
	data, err := os.ReadFile(b.file("daemon.pid"))
	if err != nil {
		b.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		b.Fatal(err)
	}
	return pid
}

// id reads endpoint.json, and is empty when there is none.
func (b *bed) id() string {
	var v struct {
		ID string `json:"endpoint_id"`
	}
	data, err := os.ReadFile(b.file("endpoint.json"))
	if err == nil && json.Unmarshal(data, &v) == nil {
		return v.ID
	}
	return ""
}

func (b *bed) file(name string) string { return b.root + filepath.Join(b.path, name) }

// shell has commands run by a shell that does something before.
func (b *bed) shell(before string) {
	b.prefix = []string{"sh", "-c", before + `; exec "$0" "$@"`}
}

// private wants a file to have a mode.
func (b *bed) private(path string, mode os.FileMode) {
	b.Helper()
	if info, err := os.Stat(path); err == nil && info.Mode().Perm() != mode {
		b.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), mode)
	}
}

// asUser has commands run without privileges, by a user who owns the home.
func (b *bed) asUser() {
	b.Helper()
	if os.Geteuid() != 0 {
		return
	}
	const uid = 54321
	b.as = &syscall.Credential{Uid: uid, Gid: uid, NoSetGroups: true}
	for _, v := range b.env {
		if ca, ok := strings.CutPrefix(v, "SSL_CERT_FILE="); ok {
			data, err := os.ReadFile(ca)
			if err != nil {
				b.Fatal(err)
			}
			own := filepath.Join(b.home, "ca.pem")
			if err := os.WriteFile(own, data, 0o644); err != nil {
				b.Fatal(err)
			}
			b.set("SSL_CERT_FILE", own)
			b.set("GLOBUS_SDK_VERIFY_SSL", own)
		}
	}
	err := filepath.WalkDir(b.home, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, uid)
	})
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bed) put(name, content string) {
	b.Helper()
	if err := os.WriteFile(b.file(name), []byte(content), 0o600); err != nil {
		b.Fatal(err)
	}
	if b.as != nil {
		if err := os.Chown(b.file(name), int(b.as.Uid), int(b.as.Gid)); err != nil {
			b.Fatal(err)
		}
	}
}

// gone removes a file of the endpoint.
func (b *bed) gone(name string) {
	b.Helper()
	if err := os.RemoveAll(b.file(name)); err != nil {
		b.Fatal(err)
	}
}

// touched sets the time of a file of the endpoint.
func (b *bed) touched(name string, age time.Duration) {
	b.Helper()
	at := time.Now().Add(-age)
	if err := os.Chtimes(b.file(name), at, at); err != nil {
		b.Fatal(err)
	}
}

// kill sends a signal to a process of this test and, for one that ends, waits
// until it is gone.
func (b *bed) kill(pid int, s syscall.Signal) {
	b.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.PidfdSendSignal(fd, s, nil, 0); err != nil {
		b.Fatal(err)
	}
	if s == syscall.SIGKILL {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for {
			n, err := unix.Poll(fds, 10_000)
			if err == unix.EINTR {
				continue
			}
			if n != 1 {
				b.Fatalf("process %d does not end: %v", pid, err)
			}
			return
		}
	}
}

// living returns the processes that serve an endpoint of this bed, whatever
// the program thinks of them: those that were launched with its configuration
// directory and have the daemon's name or title. Zombies have neither.
func (b *bed) living() []int {
	return b.processes(func(command []byte) bool {
		return bytes.Contains(command, []byte("Globus Compute Endpoint *(")) || bytes.Contains(command, []byte("globus-compute-endpoint"))
	})
}

// users waits until so many user endpoints live, and returns them.
func (b *bed) users(want int) []int {
	b.Helper()
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		all := b.processes(func(command []byte) bool { return bytes.HasPrefix(command, []byte("Globus Compute Endpoint (")) })
		if len(all) == want {
			return all
		}
		if time.Since(began) > 10*time.Second {
			b.Fatalf("user endpoints %v live, want %d", all, want)
		}
	}
}

// processes returns the processes of this bed whose command line is right.
func (b *bed) processes(right func([]byte) bool) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		b.Fatal(err)
	}
	var all []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		command, err := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if err != nil || !right(command) {
			continue
		}
		env, err := os.ReadFile("/proc/" + e.Name() + "/environ")
		if err == nil && bytes.Contains(env, []byte("GLOBUS_COMPUTE_USER_DIR="+b.dir+"\x00")) {
			all = append(all, pid)
		}
	}
	return all
}

// sweep kills what the test has left running in its directory.
func (b *bed) sweep() {
	for _, pid := range b.processes(func([]byte) bool { return true }) {
		if fd, err := unix.PidfdOpen(pid, 0); err == nil {
			_ = unix.PidfdSendSignal(fd, syscall.SIGKILL, nil, 0)
			unix.Close(fd)
		}
	}
}

// registrations returns how many registrations the service has of endpoints
// of this bed.
func (b *bed) registered(id string) bool {
	for _, e := range b.box.State().Endpoints {
		if e.ID == id {
			return true
		}
	}
	return false
}

// snapshot is everything under the configuration directory, so that what must
// write nothing can be held against it.
func (b *bed) snapshot() string {
	var text strings.Builder
	_ = filepath.WalkDir(b.root+b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		switch filepath.Base(path) {
		case "daemon.pid", "endpoint.log": // the daemon's to touch
			fmt.Fprintln(&text, path, info.Mode())
		case "storage.db", "clients.json": // a token may be renewed
		default:
			if d.IsDir() {
				fmt.Fprintln(&text, path, info.Mode())
				break
			}
			fmt.Fprintln(&text, path, info.Mode(), info.Size(), info.ModTime())
		}
		return nil
	})
	return text.String()
}

// stranger is a process that is nobody's daemon.
type stranger struct {
	cmd  *exec.Cmd
	said *syncBuffer
}

// stranger starts one, with a title if it is to have one.
func (b *bed) stranger(title ...string) *stranger {
	b.Helper()
	s := &stranger{said: &syncBuffer{}}
	argv := append(title, "python train.py")
	s.cmd = &exec.Cmd{Path: filepath.Join(place.bin, "globus-compute-endpoint"), Args: argv[:1], Env: []string{"FAULTS_STRANGER=1"}, Dir: b.home}
	s.cmd.Stdout = s.said
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: b.as}
	hold, err := s.cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		hold.Close()
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	})
	for began := time.Now(); !strings.Contains(s.said.String(), "ready"); time.Sleep(time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			b.Fatal("the stranger does not come up")
		}
	}
	b.strangers = append(b.strangers, s)
	return s
}

// unharmed fails the test when a stranger has ended or got a signal.
func (b *bed) unharmed() {
	b.Helper()
	for _, s := range b.strangers {
		if said := s.said.String(); said != "ready\n" || syscall.Kill(s.cmd.Process.Pid, 0) != nil {
			b.Errorf("a stranger came to harm: %s", said)
		}
	}
}
