package endpoint

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"chiltepin/globus/process"
)

// standardPath is what a login shell has where none can be asked.
const standardPath = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"

// shellTimeout is how long a login shell may take to say its PATH; module
// systems take a second or two.
const shellTimeout = 10 * time.Second

// loginPath returns the PATH for user endpoints: the programs of the runtime
// in bin, when there is one, then what a login shell has that knows nothing of
// this user (chiltepin/endpoint.py does the same). The home of that shell is an
// empty directory, so what a person has put into startup files stays out.
func loginPath(ctx context.Context, bin string) (string, error) {
	limited, cancel := context.WithTimeout(ctx, shellTimeout)
	defer cancel()
	path := askLoginShell(limited, "bash")
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if bin != "" {
		path = bin + ":" + path
	}
	return path, nil
}

// askLoginShell asks a login shell, and answers itself when the shell does not in
// time, or says what can be no PATH.
func askLoginShell(ctx context.Context, shell string) string {
	home, err := os.MkdirTemp("", "chiltepin-home-")
	if err != nil {
		return standardPath
	}
	defer os.RemoveAll(home)
	out, err := os.OpenFile(filepath.Join(home, ".path"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return standardPath
	}
	defer out.Close()
	// Startup files may print; the mark tells the answer from their words.
	const mark = "chiltepin-path="
	cmd := exec.Command(shell, "-l", "-c", `printf '\n%s%s\n' `+mark+` "$PATH"`)
	cmd.Env, cmd.Dir, cmd.Stdout = []string{"HOME=" + home}, home, out
	handle, err := process.StartInSession(cmd)
	if err != nil {
		return standardPath
	}
	if handle != nil {
		_ = handle.Wait(ctx)
		handle.Close()
		// What startup files have left behind, or hangs, is killed with its
		// session. The shell is not reaped yet, so the number is still its own.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	if cmd.Wait() != nil {
		return standardPath
	}
	said, err := io.ReadAll(io.NewSectionReader(out, 0, 64<<10))
	if err != nil {
		return standardPath
	}
	path := ""
	for line := range strings.Lines(string(said)) {
		if rest, ok := strings.CutPrefix(line, mark); ok {
			path = strings.TrimSpace(rest)
		}
	}
	if !strings.HasPrefix(path, "/") {
		return standardPath
	}
	return path
}
