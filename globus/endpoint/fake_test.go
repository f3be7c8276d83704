package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus/daemon"
	"chiltepin/globus/process"
	"chiltepin/globus/runtime"
)

// TestMain lets the test binary stand in for the daemon and for strangers: it
// becomes what the variable FAKE says.
func TestMain(m *testing.M) {
	switch os.Getenv("FAKE") {
	case "":
		os.Exit(m.Run())
	case "daemon":
		os.Exit(fakeDaemon())
	case "titled daemon":
		os.Exit(fakeTitled())
	case "user endpoint":
		os.Exit(fakeUserEndpoint())
	case "sleeper":
		fmt.Println("ready")
		time.Sleep(10 * time.Minute)
	case "starter":
		os.Exit(fakeStarter())
	}
}

// script is how a fake daemon behaves. It is handed down in the variable
// SCRIPT.
type script struct {
	// Exit, unless nil, is the status with which it ends at the stage At:
	// "launch", "pid file", "marker".
	Exit *int   `json:",omitempty"`
	At   string `json:",omitempty"`
	// Print goes to its standard output, Log to its log, before that.
	Print, Log string `json:",omitempty"`
	// Delay is how long it loads.
	Delay time.Duration `json:",omitempty"`
	// Gate has it wait, once launched, until the file gate is in its directory.
	Gate bool `json:",omitempty"`
	// Hang is the stage at which it stays for ever: "launch" or "pid file".
	Hang string `json:",omitempty"`
	// IgnoreTERM keeps it alive.
	IgnoreTERM bool `json:",omitempty"`
	// Quiet logs nothing at DEBUG.
	Quiet bool `json:",omitempty"`
	// Old has the marker of releases before 4.18.
	Old bool `json:",omitempty"`
	// Users are the ids of user endpoints that it has.
	Users []string `json:",omitempty"`
	// Supplanted has the first one lose its password because another program,
	// which gave way to it, had registered the endpoint after it: "ends", or
	// "mute" when its commands come in all the same. "torn" is one that finds
	// endpoint.json half written.
	Supplanted string `json:",omitempty"`
	// Dying is how long it takes to end.
	Dying time.Duration `json:",omitempty"`
	// Hangs keeps it alive after it has marked its end.
	Hangs bool `json:",omitempty"`
}

func fakeScript() (s script) {
	if err := json.Unmarshal([]byte(os.Getenv("SCRIPT")), &s); err != nil {
		panic(err)
	}
	return s
}

// become gives the process the command line argv, keeping its id and start
// time, and lets it go on as what fake says.
func become(fake string, argv ...string) {
	os.Setenv("FAKE", fake)
	err := syscall.Exec("/proc/self/exe", argv, os.Environ())
	panic(err)
}

// fakeDaemon is globus-compute-endpoint --config-dir=DIR start NAME until it has a title.
func fakeDaemon() int {
	s := fakeScript()
	args := os.Args[1:]
	config, ok := strings.CutPrefix(args[0], "--config-dir=/")
	config = "/" + config
	if !ok || len(args) < 3 || args[1] != "start" || os.Getenv("GLOBUS_COMPUTE_ENDPOINT_DIR") != "" || os.Getenv("GLOBUS_COMPUTE_USER_DIR") != config {
		fmt.Println("unexpected command line or environment:", os.Args, os.Environ())
		return 2
	}
	dir := filepath.Join(config, args[len(args)-1])
	fmt.Print(s.Print)
	fakeLog(dir, s.Log)
	if s.Supplanted == "torn" && os.Mkdir(filepath.Join(dir, "supplanted"), 0o700) == nil {
		fmt.Println("  File \"endpoint.py\", line 452, in get_endpoint_id\njson.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)")
		return 1
	}
	time.Sleep(s.Delay)
	for s.Gate {
		if _, err := os.Stat(filepath.Join(dir, "gate")); err == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if s.Hang == "launch" {
		select {}
	}
	if s.Exit != nil && s.At == "launch" {
		return *s.Exit
	}
	pidPath := filepath.Join(dir, "daemon.pid")
	if info, err := os.Stat(pidPath); err == nil && time.Since(info.ModTime()) < 90*time.Second {
		fakeLog(dir, "ERROR Another instance of this endpoint is running.")
		return 73
	}
	f, err := os.OpenFile(pidPath, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Fprintf(f, "%d\n", os.Getpid())
	f.Close()
	if s.Hang == "pid file" {
		select {}
	}
	if s.Exit != nil && s.At == "pid file" {
		os.Remove(pidPath)
		return *s.Exit
	}
	id := testID
	if data, err := os.ReadFile(filepath.Join(dir, "endpoint.json")); err == nil {
		id = string(data[len(`{"endpoint_id": "`) : len(data)-2])
	}
	os.WriteFile(filepath.Join(dir, "endpoint.json"), fmt.Appendf(nil, `{"endpoint_id": %q}`, id), 0o600)
	os.Setenv("FAKE_DIR", dir)
	os.Setenv("FAKE_ID", id)
	become("titled daemon", fmt.Sprintf("Globus Compute Endpoint *(%s, %s) [%s]", id, filepath.Base(dir), strings.Join(os.Args, " ")))
	return 0
}

// fakeTitled is the daemon from its title on.
func fakeTitled() int {
	s, dir, id := fakeScript(), os.Getenv("FAKE_DIR"), os.Getenv("FAKE_ID")
	pidPath := filepath.Join(dir, "daemon.pid")
	if strings.HasPrefix(os.Args[0], "[shutdown in progress] ") {
		time.Sleep(s.Dying)
		os.Remove(pidPath)
		fakeLog(dir, "INFO Shutdown complete.\n---------- Core Endpoint ends: "+id+"\n\n")
		if s.Hangs {
			select {}
		}
		return 0
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	var users []*os.Process
	for _, u := range s.Users {
		p, err := startFake("user endpoint", nil, fmt.Sprintf("Globus Compute Endpoint (%s, uep.%s.%s) [x]", u, id, u))
		if err != nil {
			panic(err)
		}
		users = append(users, p)
	}
	words := "Core Endpoint"
	if s.Old {
		words = "Endpoint Manager"
	}
	fakeLog(dir, "INFO \n\n========== "+words+" begins: "+id)
	if !s.Quiet {
		fakeLog(dir, "DEBUG Ascertaining user identity set ({})")
	}
	if s.Exit != nil && s.At == "marker" {
		time.Sleep(50 * time.Millisecond)
		fakeLog(dir, "ERROR (GlobusAPIError) 403\n    Failed to determine identity set; try `whoami` command?")
		os.Remove(pidPath)
		return *s.Exit
	}
	if once := filepath.Join(dir, "supplanted"); s.Supplanted != "" && os.Mkdir(once, 0o700) == nil {
		fakeLogAs(1, dir, "ERROR Another instance of this endpoint is running.")
		fakeLog(dir, "ERROR ResultPublisher<✗> [invalid credentials; unrecoverable] Failed to open connection")
		if s.Supplanted == "ends" {
			fakeLog(dir, "ERROR CommandQueueSubscriber<✗> [invalid credentials; unrecoverable] Failed to open connection")
			os.Remove(pidPath)
			return 0
		}
		fakeLog(dir, "INFO CommandQueueSubscriber<✓> Awaiting messages from queue: x")
	}
	if !s.Quiet {
		fakeLog(dir, "DEBUG User-endpoint start requests are valid from identities: {'1'}")
	}
	for range term {
		if s.IgnoreTERM {
			continue
		}
		for _, u := range users {
			u.Signal(syscall.SIGTERM)
			u.Wait()
		}
		become("titled daemon", "[shutdown in progress] "+os.Args[0])
	}
	return 0
}

// fakeUserEndpoint lives until SIGTERM, or until its parent is gone.
func fakeUserEndpoint() int {
	parent := os.Getppid()
	t, _ := daemon.ParseTitle(os.Args[0])
	dir := t.Directory()
	fakeLog(filepath.Join(filepath.Dir(os.Getenv("FAKE_DIR")), dir), "INFO \n\n========== Endpoint begins: "+t.ID)
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	for os.Getppid() == parent {
		select {
		case <-term:
			if os.Getenv("FAKE_STUBBORN") == "" {
				return 0
			}
		case <-time.After(50 * time.Millisecond):
		}
	}
	return 0
}

func fakeLog(dir, text string) { fakeLogAs(os.Getpid(), dir, text) }

func fakeLogAs(pid int, dir, text string) {
	if text == "" {
		return
	}
	f, err := os.OpenFile(filepath.Join(dir, "endpoint.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	level, rest, _ := strings.Cut(text, " ")
	fmt.Fprintf(f, "%s,000000 %s MainProcess-%d MainThread-1 fake:1 fake %s\n", time.Now().Format(time.DateTime), level, pid, rest)
}

// startFake starts this test binary as something else, in a session of its own.
func startFake(fake string, stdout *os.File, argv ...string) (*os.Process, error) {
	env := []string{"FAKE=" + fake}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "FAKE=") {
			env = append(env, v)
		}
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	if stdout == nil {
		stdout = null
	}
	return os.StartProcess("/proc/self/exe", argv, &os.ProcAttr{
		Env: env, Files: []*os.File{null, stdout, null}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
}

// bed is a configuration directory with one endpoint, whose daemon is a fake.
type bed struct {
	*Manager
	t   *testing.T
	ep  *endpointfs.Endpoint
	dir string
}

// newBed configures the endpoint "mesa".
func newBed(t *testing.T, s script) *bed {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "gc")
	bin := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, daemon.Program)); err != nil {
		t.Fatal(err)
	}
	b := &bed{t: t, dir: dir}
	b.Manager = &Manager{
		Dir: endpointfs.Open(dir),
		Runtime: func(context.Context) (runtime.Runtime, error) {
			return runtime.Runtime{Path: filepath.Join(bin, daemon.Program), Bin: bin, Source: runtime.Named}, nil
		},
		Version:    "test",
		Privileged: func() bool { return false },
	}
	b.play(s)
	if b.ep, err = b.Dir.Configure("mesa", endpointfs.NewEndpoint{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.sweep)
	return b
}

// play sets how daemons behave that are launched from now on.
func (b *bed) play(s script) {
	data, err := json.Marshal(s)
	if err != nil {
		b.t.Fatal(err)
	}
	b.Environ = []string{"FAKE=daemon", "SCRIPT=" + string(data), "PATH=/usr/bin:/bin", "GLOBUS_COMPUTE_ENDPOINT_DIR=/elsewhere"}
}

// sweep kills what the test has left running in its directory.
func (b *bed) sweep() {
	all, err := (process.System{}).Select(daemon.MayBeDaemon)
	if err != nil {
		b.t.Error(err)
	}
	for _, p := range all {
		env, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID) + "/environ")
		if err == nil && strings.Contains(string(env), "GLOBUS_COMPUTE_USER_DIR="+b.dir+"\x00") {
			if h, err := (process.System{}).Hold(p.PID); err == nil {
				h.Signal(syscall.SIGKILL)
				h.Close()
			}
		}
	}
}

// locked returns an operation on the endpoint that holds the lock of that name.
func (b *bed) locked(name string) *operation {
	b.t.Helper()
	op := b.newOperation("mesa", "testing", 0)
	lock, err := b.Dir.Lock(b.t.Context(), name, "testing")
	if err != nil {
		b.t.Fatal(err)
	}
	op.ep, op.lock = b.ep, lock
	b.t.Cleanup(op.end)
	return op
}

func (b *bed) start() StartResult {
	b.t.Helper()
	r, err := b.Start(b.t.Context(), "mesa", StartOptions{Timeout: 5 * time.Minute})
	if err != nil {
		b.t.Fatalf("Start: %v", err)
	}
	return r
}

func (b *bed) status() Status {
	b.t.Helper()
	s, err := b.Status(b.t.Context(), "mesa", StatusOptions{})
	if err != nil {
		b.t.Fatalf("Status: %v", err)
	}
	return s
}

// state waits for a state, which may need an instant.
func (b *bed) state(want State) Status {
	b.t.Helper()
	deadline := time.Now().Add(5 * time.Minute)
	for {
		s := b.status()
		if s.State == want {
			return s
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("State = %s (%s), want %s", s.State, s.Reason, want)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (b *bed) file(name, content string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.ep.Path(), name), []byte(content), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bed) has(name string) bool {
	_, err := os.Lstat(filepath.Join(b.ep.Path(), name))
	return !errors.Is(err, os.ErrNotExist)
}

// stranger starts a process that is nobody's daemon, and returns its id.
func stranger(t *testing.T, argv ...string) *os.Process {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p, err := startFake("sleeper", w, argv...)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		p.Wait()
	})
	if _, err := r.Read(make([]byte, 1)); err != nil {
		t.Fatalf("the stranger does not come up: %v", err)
	}
	return p
}

// alive says whether a process that a test started still lives.
func alive(pid int) bool {
	_, ok, err := (process.System{}).Lookup(pid)
	return ok && err == nil
}

func killed(t *testing.T, pid int) {
	t.Helper()
	h, err := (process.System{}).Hold(pid)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := h.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := h.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
}
