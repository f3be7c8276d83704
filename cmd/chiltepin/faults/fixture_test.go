package faults

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus/sandbox/sandboxtest"
)

// fixture is a home with one configured endpoint, "mesa", in which something is
// about to go wrong.
type fixture struct {
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
	// aborts is true when Go's runtime may give up before the program is asked.
	aborts bool
	// root is put before paths to see them as the fixture's machine does.
	root string
	// others is the number of daemons that are not mesa's, and stay.
	others int
	// daemons are those that must live on, where a row says so.
	daemons []int
	// children are those of a user endpoint that was killed.
	children []int
	// victim is a process id on the fixture's machine that must come to no harm.
	victim int
}

// newFixture makes a fixture, and a login for it when the box has none yet.
func newFixture(t *testing.T, box *sandboxtest.Box) *fixture {
	t.Helper()
	b := &fixture{T: t, box: box, home: t.TempDir(), timeout: "9m", name: "mesa"}
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
	if _, err := endpointfs.Open(b.dir).Configure("mesa", endpointfs.NewEndpoint{Email: "me@example.org"}); err != nil {
		t.Fatal(err)
	}
	b.login()
	t.Cleanup(b.sweep)
	return b
}

// login gives the fixture the tokens of the box's first login.
func (b *fixture) login() {
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
func (b *fixture) set(name, value string) {
	b.unset(name)
	b.env = append(b.env, name+"="+value)
}

func (b *fixture) unset(name string) {
	b.env = slices.DeleteFunc(b.env, func(v string) bool { return strings.HasPrefix(v, name+"=") })
}

// play sets how daemons behave that are launched from now on.
func (b *fixture) play(s script) {
	data, err := json.Marshal(s)
	if err != nil {
		b.Fatal(err)
	}
	b.set("FAULTS_SCRIPT", string(data))
}

// started starts the endpoint and returns the process id of its daemon.
func (b *fixture) started() int {
	b.Helper()
	b.must("endpoint", "start", "--timeout", "9m", "mesa")
	return b.pid()
}

// pid reads daemon.pid.
func (b *fixture) pid() int {
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
func (b *fixture) id() string {
	var v struct {
		ID string `json:"endpoint_id"`
	}
	data, err := os.ReadFile(b.file("endpoint.json"))
	if err == nil && json.Unmarshal(data, &v) == nil {
		return v.ID
	}
	return ""
}

func (b *fixture) file(name string) string { return b.root + filepath.Join(b.path, name) }

// shell has commands run by a shell that does something before.
func (b *fixture) shell(before string) {
	b.prefix = []string{"sh", "-c", before + `; exec "$0" "$@"`}
}

// private wants a file to have a mode.
func (b *fixture) private(path string, mode os.FileMode) {
	b.Helper()
	if info, err := os.Stat(path); err == nil && info.Mode().Perm() != mode {
		b.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), mode)
	}
}

// asUser has commands run without privileges, by a user who owns the home.
func (b *fixture) asUser() {
	b.Helper()
	if os.Geteuid() != 0 {
		return
	}
	b.asUserID(54321)
}

// asUserID is asUser with the user's number; it takes root.
func (b *fixture) asUserID(uid int) {
	b.Helper()
	b.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid), NoSetGroups: true}
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

func (b *fixture) put(name, content string) {
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
func (b *fixture) gone(name string) {
	b.Helper()
	if err := os.RemoveAll(b.file(name)); err != nil {
		b.Fatal(err)
	}
}

// touched sets the time of a file of the endpoint.
func (b *fixture) touched(name string, age time.Duration) {
	b.Helper()
	at := time.Now().Add(-age)
	if err := os.Chtimes(b.file(name), at, at); err != nil {
		b.Fatal(err)
	}
}
