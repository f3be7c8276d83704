package machine

import (
	"context"
	"fmt"
	"html"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// openBrowserPrivately opens an address without showing it to other users, who
// can read the arguments of every program: the browser is given a file of ours
// alone that leads to it. forget removes that file.
//
// Windows cannot read our files, nor can the editor at the other end of an ssh
// session or of a container, whose helper BROWSER names: those get the address
// itself. It is of no use to other users, whom the page refuses. A browser that
// cannot read the file leaves the person the address that is printed.
func (m Host) openBrowserPrivately(ctx context.Context, command []string, home, address string) (forget func(), err error) {
	if m.isWSL() || m.isRemote() || m.Getenv("VSCODE_IPC_HOOK_CLI") != "" {
		return nil, m.openBrowser(ctx, command, address)
	}
	dir, err := m.redirectDir(command, home)
	if err != nil {
		return nil, fmt.Errorf("opening a browser: %w", err)
	}
	path, err := writeRedirect(dir, address)
	if err != nil {
		return nil, fmt.Errorf("opening a browser: %w", err)
	}
	forget = func() {
		_ = os.Remove(path)
		_ = os.Remove(dir) // if no other login needs it
	}
	return forget, m.openBrowser(ctx, command, (&url.URL{Scheme: "file", Path: path}).String())
}

// redirectDir makes the directory of the file: that of the session, which the
// system empties by itself, or that of the user's state. Browsers that are snaps
// see neither those nor /tmp, but what is in the home directory without a dot.
func (m Host) redirectDir(command []string, home string) (string, error) {
	var parent, name string
	switch session := m.Getenv("XDG_RUNTIME_DIR"); {
	case hasSnapBrowser(command[0]):
		parent, name = home, "chiltepin-login"
	case filepath.IsAbs(session) && isPrivateDir(session):
		parent, name = session, "chiltepin-login"
	default:
		parent, name = m.Getenv("XDG_STATE_HOME"), "chiltepin-login"
		if !filepath.IsAbs(parent) {
			parent = filepath.Join(home, ".local", "state")
		}
		if err := os.MkdirAll(parent, 0o700); err != nil {
			return "", err
		}
	}
	dir := filepath.Join(parent, name)
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return "", err
	}
	if !isPrivateDir(dir) {
		return "", fmt.Errorf("%q is not a directory of ours alone", dir)
	}
	return dir, nil
}

// hasSnapBrowser is true where the browser, or the one that xdg-open is likely
// to start, is a snap.
func hasSnapBrowser(command string) bool {
	if target, err := filepath.EvalSymlinks(command); strings.HasPrefix(command, "/snap/") || err == nil && filepath.Base(target) == "snap" {
		return true
	}
	for _, name := range []string{"firefox", "chromium"} {
		if _, err := os.Stat(filepath.Join("/snap/bin", name)); err == nil {
			return true
		}
	}
	return false
}

// isPrivateDir is true of a directory that is ours, no link, and nobody else's
// to read.
func isPrivateDir(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o077 != 0 {
		return false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(owner.Uid) == os.Geteuid()
}

// redirectLife is how long the file of a login that was killed may lie.
const redirectLife = time.Hour

// writeRedirect writes a page that leads to an address, and removes those of
// logins that were killed.
func writeRedirect(dir, address string) (path string, err error) {
	old, _ := filepath.Glob(filepath.Join(dir, "login-*.html"))
	for _, one := range old {
		if info, err := os.Lstat(one); err == nil && time.Since(info.ModTime()) > redirectLife {
			_ = os.Remove(one)
		}
	}
	f, err := os.CreateTemp(dir, "login-*.html") // 0600
	if err != nil {
		return "", err
	}
	to := html.EscapeString(address)
	_, err = fmt.Fprintf(f, `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=%s">
<title>Chiltepin login</title>
</head>
<body><p><a href="%s">Go on to the login</a></p></body>
</html>
`, to, to)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}
