// Command lock resolves every set of Python packages this repository installs
// into a file that pins each package and every hash it may have, for Python
// 3.10 to 3.13 on any Linux.
//
//	go run ./globus/runtime/cmd/lock             # what the .in files now ask for, else as it was
//	go run ./globus/runtime/cmd/lock -upgrade    # the newest of everything
//
// It needs a python3 with venv and a package registry; the resolver, uv, comes
// from there in a pinned version, into a directory that is removed again.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

// resolver is the one that wrote the committed files: another may order or mark
// them differently.
const resolver = "uv==0.13.9"

func main() {
	upgrade := flag.Bool("upgrade", false, "take the newest versions that the .in files allow")
	python := flag.String("python", "python3", "the interpreter that runs the resolver")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *python, *upgrade); err != nil {
		fmt.Fprintln(os.Stderr, "lock:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, python string, upgrade bool) error {
	inputs, err := filepath.Glob("testdata/python/*.in")
	if err != nil {
		return err
	}
	inputs = append(inputs, "globus/runtime/requirements.in")
	if _, err := os.Stat(inputs[len(inputs)-1]); err != nil || len(inputs) == 1 {
		return fmt.Errorf("run it at the top of the repository: no %s or no testdata/python/*.in here", inputs[len(inputs)-1])
	}
	tmp, err := os.MkdirTemp("", "lock-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	env := filepath.Join(tmp, "env")
	if err := command(ctx, tmp, python, "-m", "venv", env); err != nil {
		return err
	}
	if err := command(ctx, tmp, filepath.Join(env, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", resolver); err != nil {
		return err
	}
	for _, in := range inputs {
		if err := lock(ctx, filepath.Join(env, "bin", "uv"), tmp, in, upgrade); err != nil {
			return fmt.Errorf("locking %s: %w", in, err)
		}
	}
	return nil
}

// lock resolves one .in file and replaces the .txt beside it when that differs.
func lock(ctx context.Context, uv, tmp, in string, upgrade bool) error {
	// The resolver runs on copies, so that no path of this machine and no
	// configuration of this repository's directory can reach its output.
	source, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	out := strings.TrimSuffix(in, ".in") + ".txt"
	old, err := os.ReadFile(out)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	workIn, workOut := filepath.Join(tmp, filepath.Base(in)), filepath.Join(tmp, filepath.Base(out))
	if err := os.WriteFile(workIn, source, 0o600); err != nil {
		return err
	}
	args := []string{"pip", "compile", "--universal", "--generate-hashes", "--python-version", "3.10",
		"--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--no-config", "--quiet",
		filepath.Base(workIn), "--output-file", filepath.Base(workOut)}
	if upgrade {
		args = append(args, "--upgrade")
	} else if len(old) > 0 {
		if err := os.WriteFile(workOut, old, 0o600); err != nil {
			return err
		}
	}
	if err := command(ctx, tmp, uv, args...); err != nil {
		return err
	}
	body, err := os.ReadFile(workOut)
	if err != nil {
		return err
	}
	if bytes.Contains(body, []byte("://")) {
		return fmt.Errorf("the resolver wrote an address into its output")
	}
	text := fmt.Appendf(nil, "# Written by `make lock` from %s. Do not edit.\n%s", filepath.Base(in), body)
	pinned := bytes.Count(text, []byte("=="))
	if bytes.Equal(text, old) {
		fmt.Printf("%s: %d pins, unchanged\n", out, pinned)
		return nil
	}
	fmt.Printf("%s: %d pins, written\n", out, pinned)
	return replace(out, text)
}

func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".lock-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}

func command(ctx context.Context, dir, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Stdout, c.Stderr = dir, os.Stderr, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", filepath.Base(name), args[0], err)
	}
	return nil
}
