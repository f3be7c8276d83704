package browser

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/sandbox"
	"chiltepin/globus/sandbox/sandboxtest"
)

var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		flag.Parse()
		if testing.Short() {
			return m.Run() // what needs the program is skipped
		}
		dir, err := os.MkdirTemp("", "browser-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "chiltepin")
		if out, err := exec.Command("go", "build", "-o", program, "..").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// login is a chiltepin login under way, whose "browser" only notes where it was
// sent, so that the test can go there with a real one.
type login struct {
	box    *sandboxtest.Box
	home   string
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr bytes.Buffer
	// argument is what a browser was opened with, opened the address that this
	// leads to; shown is the address that was printed for the person.
	argument, opened, shown string
}

func start(t *testing.T, box *sandboxtest.Box, home string, args ...string) *login {
	t.Helper()
	note := filepath.Join(home, "opened")
	opener := filepath.Join(home, "opener")
	script := "#!/bin/sh\nenv >'" + note + ".env'\nprintf %s \"$1\" >'" + note + ".part'\nmv '" + note + ".part' '" + note + "'\n"
	if err := os.WriteFile(opener, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(note) // of a login before
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	l := &login{box: box, home: home, cmd: exec.CommandContext(ctx, program, append([]string{"--json", "login"}, args...)...)}
	var env []string
	for _, pair := range box.ChildEnv() {
		name, _, _ := strings.Cut(pair, "=")
		switch name {
		case "DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "GLOBUS_COMPUTE_USER_DIR",
			"XDG_RUNTIME_DIR", "XDG_STATE_HOME", "VSCODE_IPC_HOOK_CLI", "WSL_INTEROP", "WSL_DISTRO_NAME":
			continue
		}
		env = append(env, pair)
	}
	l.cmd.Env = append(env, "HOME="+home, "BROWSER="+opener, "SOME_SECRET=hush", "GORACE=atexit_sleep_ms=10")
	l.cmd.Stdout = &l.stdout
	pipe, err := l.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(io.TeeReader(pipe, &l.stderr))
	for l.shown == "" && lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); strings.HasPrefix(line, "https://") {
			l.shown = line
		}
	}
	go func() {
		for lines.Scan() {
		}
	}()
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if b, err := os.ReadFile(note); err == nil {
			l.argument = string(b)
			page, err := os.ReadFile(strings.TrimPrefix(l.argument, "file://"))
			if err != nil {
				t.Fatal(err)
			}
			_, l.opened, _ = strings.Cut(string(page), `href="`)
			l.opened, _, _ = strings.Cut(l.opened, `"`)
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no browser was opened: %s", l.stderr.String())
		}
	}
	return l
}

// end waits for the login, and returns its result or its error.
func (l *login) end(t *testing.T) (result struct {
	Outcome  string
	Services []struct {
		Service  string
		LoggedIn bool `json:"logged_in"`
	}
}, err error) {
	t.Helper()
	err = l.cmd.Wait()
	if l.stdout.Len() > 0 {
		if err := json.Unmarshal(l.stdout.Bytes(), &result); err != nil {
			t.Fatal(err)
		}
	}
	if leaks := l.box.Leaks(l.stdout.String() + l.stderr.String()); len(leaks) > 0 {
		t.Errorf("the output shows %v", leaks)
	}
	return result, err
}

// TestLoginInChromium is a person who logs in: one visit, one sign-in, two
// consents, and the page at the end, on both grounds.
func TestLoginInChromium(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	box.Configure(func(s *sandbox.Settings) { s.Consent = "ask" })
	c := startChromium(t, box)
	l := start(t, box, t.TempDir())

	// What everybody on the machine can see tells nothing of use.
	if !strings.HasPrefix(l.argument, "file://"+l.home+"/") {
		t.Errorf("a browser was opened with %q", l.argument)
	}
	u, err := url.Parse(l.opened)
	if err != nil || u.Hostname() != "127.0.0.1" || !strings.HasPrefix(u.Path, "/login/") || u.RawQuery != "" {
		t.Errorf("the file leads to %q", l.opened)
	}
	if env, err := os.ReadFile(filepath.Join(l.home, "opened.env")); err != nil || strings.Contains(string(env), "hush") {
		t.Errorf("the browser got a secret in its environment, %v", err)
	}

	c.open(l.argument)
	c.await("Chiltepin would like access")
	if _, err := os.Stat(strings.TrimPrefix(l.argument, "file://")); err == nil {
		t.Error("the file is still there")
	}
	c.click("Allow")
	c.await("Academy would like access")
	c.heard()
	c.click("Allow")
	c.await("You are logged in")
	for _, line := range c.heard() {
		if what, ok := strings.CutPrefix(line, "request "); !ok || !strings.HasPrefix(what, "https://auth.globus.org/") && !strings.HasPrefix(what, "http://"+u.Host+"/") && what != "data:," {
			t.Errorf("the page made the browser log: %s", line)
		}
	}
	page, err := c.text("document.body.innerText")
	if err != nil {
		t.Fatal(err)
	}
	const want = `✓ You are logged in
You are Robin Researcher (researcher@sandbox.example).
What the Globus programs on that machine can use now
Service	Until
Globus Compute	you log out, or six months without use
Globus Transfer	you log out, or six months without use
Academy exchange	you log out, or six months without use
What to do next
You can close this page. The program that opened it continues by itself.
To set up a first endpoint:
chiltepin endpoint configure my-endpoint
chiltepin endpoint start my-endpoint`
	var lines []string
	for line := range strings.Lines(page) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if diff := cmp.Diff(want, strings.Join(lines, "\n")); diff != "" {
		t.Error("the page", diff)
	}
	var grounds [2]string
	for i, dark := range []bool{false, true} {
		c.dark(dark)
		if grounds[i], err = c.text(contrasts); err != nil {
			t.Fatal(err)
		}
		c.photograph(map[bool]string{false: "login", true: "login-dark"}[dark])
	}
	if diff := cmp.Diff([2]string{"rgb(255, 255, 255) ok", "rgb(22, 22, 22) ok"}, grounds); diff != "" {
		t.Error("ground and contrast of all text to it", diff)
	}

	result, err := l.end(t)
	if err != nil || result.Outcome != "logged_in" || len(result.Services) != 3 {
		t.Errorf("%+v, %v\n%s", result, err, l.stderr.String())
	}
	for _, s := range result.Services {
		if !s.LoggedIn {
			t.Errorf("not logged in to %s", s.Service)
		}
	}
	if n := box.SignIns(); n != 1 {
		t.Errorf("%d sign-ins, want 1", n)
	}
}

// contrasts tells the ground of the page, and whether every text on it has a
// contrast of 7 to 1 or more (WCAG 2.2, 1.4.6).
const contrasts = `(() => {
  const light = c => { const [r, g, b] = c.match(/[\d.]+/g).map(v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 }); return .2126 * r + .7152 * g + .0722 * b }
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05) }
  const ground = getComputedStyle(document.body).backgroundColor
  const bad = [...document.querySelectorAll("h1,h2,p,strong,th,td,caption,pre")].map(e => {
    let under = e; while (getComputedStyle(under).backgroundColor === "rgba(0, 0, 0, 0)") under = under.parentElement
    return [e.tagName, ratio(getComputedStyle(e).color, getComputedStyle(under).backgroundColor)]
  }).filter(([, r]) => r < 7)
  return ground + (bad.length ? " " + JSON.stringify(bad) : " ok")
})()`

// TestPagesInChromium looks at what a person sees when something is wrong.
func TestPagesInChromium(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	c := startChromium(t, box)
	home := t.TempDir()

	box.Configure(func(s *sandbox.Settings) { s.Consent = "deny" })
	l := start(t, box, home)
	c.open(l.opened)
	c.await("Access was declined")
	c.photograph("denied")
	if _, err := l.end(t); err == nil || !strings.Contains(l.stderr.String(), `"code":"refused"`) {
		t.Errorf("denied: %v %s", err, l.stderr.String())
	}

	box.Configure(func(s *sandbox.Settings) { s.Consent, s.CodeLifetime = "auto", time.Nanosecond })
	l = start(t, box, home)
	c.open(l.opened)
	c.await("The login has expired")
	c.photograph("expired")
	if _, err := l.end(t); err == nil {
		t.Error("expired: logged in")
	}
	box.Configure(func(s *sandbox.Settings) { s.CodeLifetime = time.Hour })

	// The state of another login, and a second browser at the address that was
	// opened; the first of these disturbs nothing.
	l = start(t, box, home, "--services", "compute")
	other := start(t, box, t.TempDir(), "--services", "compute")
	state := func(l *login) string { u, _ := url.Parse(l.shown); return u.Query().Get("state") }
	u, _ := url.Parse(l.opened)
	c.open("http://" + u.Host + "/?code=abc&state=" + state(other))
	c.await("This is not the login that was begun here")
	c.photograph("stray")
	c.open(l.opened)
	c.await("You are logged in")
	if result, err := l.end(t); err != nil || result.Outcome != "logged_in" {
		t.Errorf("%+v %v %s", result, err, l.stderr.String())
	}
	if _, err := box.NewBrowser().Visit(other.opened); err != nil {
		t.Error(err)
	}
	if _, err := other.end(t); err != nil {
		t.Error("the other login, in its own browser:", err)
	}

	// Another identity.
	bob := box.AddIdentity(sandbox.Identity{Username: "bob@example.org", Name: "Bob"})
	box.Configure(func(s *sandbox.Settings) { s.Identity = bob.ID })
	box.RevokeTokens("refresh")
	l = start(t, box, home, "--services", "transfer,compute", "--method", "browser")
	c.open(l.opened)
	c.await("Another identity is logged in")
	c.photograph("identity")
	if _, err := l.end(t); err == nil {
		t.Error("another identity took over")
	}
}
