package browser

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
)

// chromium is a browser of the machine with a profile of its own, led by the
// DevTools protocol over a pipe.
type chromium struct {
	t       *testing.T
	session string
	out     io.Writer

	mu      sync.Mutex
	last    int
	pending map[int]chan reply
	logged  []string // what its console and its network complained of
}

type reply struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// programs are the names that Chromium has.
func programs() []string {
	return []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
}

// startChromium starts a browser that reaches the stand-in under the production
// names, and ends it with the test. Where there is none the test is skipped,
// but never in CI, which installs one.
func startChromium(t *testing.T, box *sandboxtest.Box) *chromium {
	t.Helper()
	runtimetest.Long(t)
	var program string
	for _, name := range programs() {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("there is no Chromium: install Debian's package chromium, as .ci/run does")
		}
		t.Skip("there is no Chromium: install Debian's package chromium")
	}
	proxy := ""
	for _, pair := range box.Env() {
		if value, ok := strings.CutPrefix(pair, "HTTPS_PROXY="); ok {
			proxy = value
		}
	}
	profile := t.TempDir()
	args := []string{
		"--headless=new", "--remote-debugging-pipe", "--user-data-dir=" + profile, "--proxy-server=" + proxy,
		"--ignore-certificate-errors", // the stand-in's authority is its own
		"--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-component-update",
		"--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--hide-scrollbars", "--window-size=720,680", "about:blank",
	}
	if os.Geteuid() == 0 {
		args = append([]string{"--no-sandbox"}, args...)
	}
	hear, tell, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	said, say, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.ExtraFiles = []*os.File{hear, say} // its descriptors 3 and 4
	cmd.Env = append(os.Environ(), "HOME="+profile)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hear.Close()
	say.Close()
	c := &chromium{t: t, out: tell, pending: map[int]chan reply{}}
	go c.read(said)
	t.Cleanup(func() {
		tell.Close()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it and its children
		_ = cmd.Wait()
		said.Close()
		if t.Failed() {
			t.Logf("chromium said:\n%.4000s", complaints.String())
		}
	})
	var made struct {
		TargetID, SessionID string
	}
	c.call("Target.createTarget", map[string]any{"url": "about:blank"}, &made)
	c.call("Target.attachToTarget", map[string]any{"targetId": made.TargetID, "flatten": true}, &made)
	c.session = made.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		c.call(domain+".enable", nil, nil)
	}
	return c
}

// read takes what the browser says, which ends with it.
func (c *chromium) read(from io.Reader) {
	for r := bufio.NewReaderSize(from, 1<<20); ; {
		text, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m reply
		if json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), &m) != nil {
			continue
		}
		c.mu.Lock()
		switch {
		case m.ID != 0:
			if waiting := c.pending[m.ID]; waiting != nil {
				waiting <- m
			}
		case m.Method == "Log.entryAdded", m.Method == "Runtime.exceptionThrown", m.Method == "Runtime.consoleAPICalled":
			c.logged = append(c.logged, string(m.Params))
		case m.Method == "Network.requestWillBeSent":
			var p struct {
				Request struct {
					URL string `json:"url"`
				} `json:"request"`
			}
			_ = json.Unmarshal(m.Params, &p)
			c.logged = append(c.logged, "request "+p.Request.URL)
		}
		c.mu.Unlock()
	}
}

// try is one call of the protocol.
func (c *chromium) try(method string, params, into any) error {
	if params == nil {
		params = map[string]any{}
	}
	c.mu.Lock()
	c.last++
	id, answered := c.last, make(chan reply, 1)
	c.pending[id] = answered
	c.mu.Unlock()
	text, err := json.Marshal(struct {
		ID      int    `json:"id"`
		Method  string `json:"method"`
		Params  any    `json:"params"`
		Session string `json:"sessionId,omitempty"`
	}{id, method, params, c.session})
	if err == nil {
		_, err = c.out.Write(append(text, 0))
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.t.Context(), 5*time.Minute)
	defer cancel()
	select {
	case m := <-answered:
		if m.Error != nil {
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		}
		if into == nil {
			return nil
		}
		return json.Unmarshal(m.Result, into)
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", method, ctx.Err())
	}
}

func (c *chromium) call(method string, params, into any) {
	c.t.Helper()
	if err := c.try(method, params, into); err != nil {
		c.t.Fatal(err)
	}
}

// open goes to an address, as if it had been clicked.
func (c *chromium) open(url string) {
	c.t.Helper()
	var went struct{ ErrorText string }
	c.call("Page.navigate", map[string]any{"url": url}, &went)
	if went.ErrorText != "" {
		c.t.Fatalf("going to %s: %s", url, went.ErrorText)
	}
}

// text evaluates an expression that gives a string.
func (c *chromium) text(expression string) (string, error) {
	var got struct {
		Result struct{ Value any }
	}
	err := c.try("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &got)
	if err == nil && got.Result.Value == nil {
		err = errors.New("no value")
	}
	return fmt.Sprint(got.Result.Value), err
}

// await waits until the page has this heading.
func (c *chromium) await(heading string) {
	c.t.Helper()
	var got string
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		// Between two pages there is none to ask.
		got, _ = c.text(`document.readyState === "complete" ? document.querySelector("h1")?.innerText ?? "" : ""`)
		if strings.Contains(got, heading) {
			return
		}
	}
	where, _ := c.text("location.href")
	c.t.Fatalf("the page is %q at %s, want %q", got, where, heading)
}

// click presses the link or button of that name.
func (c *chromium) click(name string) {
	c.t.Helper()
	if got, err := c.text(fmt.Sprintf(`(() => { const a = [...document.querySelectorAll("a,button")].find(a => a.innerText === %q); a?.click(); return String(!!a) })()`, name)); err != nil || got != "true" {
		c.t.Fatalf("no link %q: %v", name, err)
	}
}

// dark tells the page that its reader likes a dark ground.
func (c *chromium) dark(on bool) {
	c.t.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	c.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// photograph writes what is on the screen to a file, if a directory for it was
// named: CHILTEPIN_SCREENSHOTS.
func (c *chromium) photograph(name string) {
	c.t.Helper()
	dir := os.Getenv("CHILTEPIN_SCREENSHOTS")
	var shot struct{ Data string }
	c.call("Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil || len(png) < 1000 {
		c.t.Fatalf("%d bytes of a picture, %v", len(png), err)
	}
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// heard is what the browser has logged since the last time.
func (c *chromium) heard() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	heard := c.logged
	c.logged = nil
	return heard
}
