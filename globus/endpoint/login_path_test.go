package endpoint

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAskShell(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shell := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, row := range []struct {
		name, text, want string
	}{
		{"plain", `PATH=/opt/bin:/bin; . /dev/stdin <<E
$3
E`, "/opt/bin:/bin"},
		{"chatty", "echo Welcome; echo chiltepin-path=/motd; printf '\\nchiltepin-path=/usr/local/bin:/bin\\n'", "/usr/local/bin:/bin"},
		{"failing", "printf '\\nchiltepin-path=/bin\\n'; exit 3", standardPath},
		{"silent", ":", standardPath},
		{"relative", "printf '\\nchiltepin-path=bin\\n'", standardPath},
		{"home", `[ "$HOME" != "` + os.Getenv("HOME") + `" ] && [ -z "$(ls "$HOME")" ] && [ -z "$LD_LIBRARY_PATH$USER" ] && printf '\nchiltepin-path=/clean\n'`, "/clean"},
	} {
		if got := askLoginShell(t.Context(), shell(row.name, row.text)); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
	if got := askLoginShell(t.Context(), filepath.Join(dir, "missing")); got != standardPath {
		t.Errorf("missing: %q", got)
	}
}

// A startup file that hangs costs its time limit and leaves nothing behind.
func TestAskShellHangs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, note := filepath.Join(dir, "hangs"), filepath.Join(dir, "pid")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nsleep 1000 &\necho $! > "+note+"\nwait\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // its time is up when it hangs
		for {
			if text, _ := os.ReadFile(note); strings.HasSuffix(string(text), "\n") || t.Context().Err() != nil {
				cancel()
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	if got := askLoginShell(ctx, path); got != standardPath {
		t.Errorf("%q", got)
	}
	text, err := os.ReadFile(note)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); alive(pid); time.Sleep(time.Millisecond) {
		if time.Since(began) > 5*time.Minute {
			t.Fatal("what the shell had started lives on")
		}
	}
}

// With a real shell, the answer is what Python Chiltepin would take.
func TestLoginPath(t *testing.T) {
	t.Parallel()
	want := standardPath
	if bash, err := exec.LookPath("bash"); err == nil {
		cmd := exec.Command(bash, "-l", "-c", "echo $PATH")
		cmd.Env = []string{"HOME=" + t.TempDir()}
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		want = strings.TrimSpace(string(out))
	}
	got, err := loginPath(t.Context(), "/rt/bin")
	if err != nil || got != "/rt/bin:"+want {
		t.Errorf("loginPath = %q, %v; want %q", got, err, "/rt/bin:"+want)
	}
}

func TestConfigure(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	b.Privileged = func() bool { return true }
	c, err := b.Configure(t.Context(), "second", ConfigureOptions{DisplayName: "The second"})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(c.Name, c.Files, " ", c.Next[0].Why)
	want := "second[config.yaml user_config_schema.json user_config_template.yaml.j2 user_environment.yaml] " +
		`add a line such as "email: you@example.org" to ` + filepath.Join(b.dir, "second", "config.yaml")
	if got != want {
		t.Errorf("Configure = %s\nwant %s", got, want)
	}
	rt, _ := b.Runtime(t.Context())
	env, err := os.ReadFile(filepath.Join(c.Path, "user_environment.yaml"))
	if !strings.Contains(string(env), "\nGLOBUS_COMPUTE_USER_DIR: \""+b.dir+"\"\n") {
		t.Errorf("a privileged daemon would put user endpoints elsewhere:\n%s", env)
	}
	if err != nil || !strings.Contains(string(env), rt.Bin) {
		t.Errorf("user_environment.yaml lacks the runtime: %v\n%s", err, env)
	}
	if _, err := b.Configure(t.Context(), "second", ConfigureOptions{}); err == nil {
		t.Error("a name that is taken was configured again")
	}
}
