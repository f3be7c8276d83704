package machine

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// findBrowser is the command that opens an address in a browser which is on this
// machine, or which reaches it: nil where there is none. BROWSER is what its
// owner says, over ssh too, for some editors put a helper there; a text browser
// cannot show the pages of Globus.
func (m Host) findBrowser() []string {
	look := func(names ...string) []string {
		for _, name := range names {
			words := strings.Fields(name)
			if len(words) == 0 || text(words[0]) {
				continue
			}
			if path, err := m.lookPath(words[0]); err == nil {
				return append([]string{path}, words[1:]...)
			}
		}
		return nil
	}
	set := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return m.Getenv(name) != "" })
	}
	switch {
	case set("BROWSER"):
		return look(filepath.SplitList(m.Getenv("BROWSER"))...)
	case m.isRemote():
		return nil
	case m.isWSL():
		return look("wslview", "rundll32.exe url.dll,FileProtocolHandler", "/mnt/c/Windows/System32/rundll32.exe url.dll,FileProtocolHandler")
	case set("DISPLAY", "WAYLAND_DISPLAY"):
		return look("xdg-open", "sensible-browser", "x-www-browser", "firefox", "chromium", "chromium-browser", "google-chrome")
	}
	return nil
}

// text is true of browsers without pictures and scripts.
func text(program string) bool {
	return slices.Contains([]string{"lynx", "w3m", "links", "links2", "elinks", "www-browser", "browsh", "edbrowse"}, filepath.Base(program))
}

// isWSL is true where the browser is that of Windows, whose connections a
// program of root relays.
func (m Host) isWSL() bool {
	return m.Getenv("WSL_DISTRO_NAME") != "" || m.Getenv("WSL_INTEROP") != ""
}

// isRemote is true where the person sits at another machine.
func (m Host) isRemote() bool {
	return m.Getenv("SSH_CONNECTION") != "" || m.Getenv("SSH_TTY") != "" || m.Getenv("SSH_CLIENT") != ""
}

// lookPath is [exec.LookPath] with the PATH of the machine.
func (m Host) lookPath(name string) (string, error) {
	if strings.Contains(name, "/") {
		return exec.LookPath(name)
	}
	for _, dir := range filepath.SplitList(m.Getenv("PATH")) {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil && filepath.IsAbs(path) {
			return path, nil
		}
	}
	return "", exec.ErrNotFound
}

// patience is how long a browser may take to say that it does not start; one
// that runs on is taken for open.
const patience = 2 * time.Second

// openBrowser opens an address, or the file that leads to it. The browser gets no secret, no terminal and no
// signal of ours, and outlives us.
func (m Host) openBrowser(ctx context.Context, command []string, url string) error {
	args := slices.Clone(command[1:])
	if i := slices.IndexFunc(args, func(s string) bool { return strings.Contains(s, "%s") }); i >= 0 {
		args[i] = strings.ReplaceAll(args[i], "%s", url)
	} else {
		args = append(args, url)
	}
	cmd := exec.Command(command[0], args...)
	cmd.Env = withoutSecrets(m.Environ)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("opening a browser: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-ended:
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return fmt.Errorf("opening a browser: %s ended with %s", filepath.Base(command[0]), exit)
		}
		return err
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// withoutLogin is an environment for a child that is not the daemon: without
// the secret of the client that logs in, and with those that a registry of
// packages may want.
func withoutLogin(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return strings.HasSuffix(name, "_CLIENT_SECRET") && (strings.HasPrefix(name, "GLOBUS_") || strings.HasPrefix(name, "ACADEMY_"))
	})
}

// withoutSecrets is an environment for a child that needs no credentials.
func withoutSecrets(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(strings.ToUpper(pair), "=")
		return strings.Contains(name, "SECRET") || strings.Contains(name, "TOKEN") || strings.Contains(name, "PASSWORD")
	})
}
