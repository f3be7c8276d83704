// Command lock resolves every set of Python packages this repository installs
// into a file that pins each package with every hash it may have, for Python
// 3.10 to 3.13 on Linux.
//
//	go run ./globus/runtime/cmd/lock             # what the .in files now ask for, else as it was
//	go run ./globus/runtime/cmd/lock -upgrade    # the newest of everything
//
// It needs a python3 with venv and a package registry. The resolver, uv, is
// itself one of the locked sets. What people install is then tried for every
// Python and processor without compiling anything.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"

	"chiltepin/globus/runtime/runtimetest"
)

// product is the lock that is embedded in the binary.
const product = "globus/runtime/requirements.in"

func main() {
	upgrade := flag.Bool("upgrade", false, "take the newest versions that the .in files allow")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *upgrade); err != nil {
		fmt.Fprintln(os.Stderr, "lock:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, upgrade bool) error {
	if _, err := os.Stat(product); err != nil {
		return fmt.Errorf("finding what to lock: run it at the top of the repository: %w", err)
	}
	inputs, err := filepath.Glob("testdata/python/*.in")
	if err != nil {
		return err
	}
	env, err := runtimetest.Build(ctx, runtimetest.UV)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "lock-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	r := resolver{uv: env.Bin("uv"), dir: tmp, upgrade: upgrade}
	for _, in := range append(inputs, product) {
		if err := r.lock(ctx, in); err != nil {
			return fmt.Errorf("locking %s: %w", in, err)
		}
	}
	return r.try(ctx, strings.TrimSuffix(product, ".in")+".txt")
}

// resolver runs uv on copies in a directory of its own, so that no path of this
// machine and no configuration of this repository can reach its output.
type resolver struct {
	uv, dir string
	upgrade bool
}

var (
	pin     = regexp.MustCompile(`(?m)^[a-z0-9][a-z0-9.-]*==`)
	foreign = regexp.MustCompile(`://|(?m)^-|(?m)^ +--(?:[^h]|h[^a])`)
)

// lock resolves one .in file and replaces the .txt beside it when that differs.
func (r resolver) lock(ctx context.Context, in string) error {
	source, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	out := strings.TrimSuffix(in, ".in") + ".txt"
	old, err := os.ReadFile(out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	asked, resolved := filepath.Join(r.dir, filepath.Base(in)), filepath.Join(r.dir, filepath.Base(out))
	if err := os.WriteFile(asked, source, 0o600); err != nil {
		return err
	}
	args := []string{"pip", "compile", "--universal", "--generate-hashes", "--python-version", "3.10",
		"--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--no-config", "--quiet",
		filepath.Base(asked), "--output-file", filepath.Base(resolved)}
	if r.upgrade {
		args = append(args, "--upgrade")
	} else if len(old) > 0 {
		// What the output already has is kept where it still fits.
		if err := os.WriteFile(resolved, old, 0o600); err != nil {
			return err
		}
	}
	if err := r.run(ctx, args...); err != nil {
		return err
	}
	body, err := os.ReadFile(resolved)
	if err != nil {
		return err
	}
	if word := foreign.Find(body); word != nil {
		return fmt.Errorf("the resolver wrote more than pins and hashes: %q", word)
	}
	text := fmt.Appendf(nil, "# Written by `make lock` from %s. Do not edit.\n%s", filepath.Base(in), body)
	pins := len(pin.FindAll(text, -1))
	if bytes.Equal(text, old) {
		fmt.Printf("%s: %d pins, unchanged\n", out, pins)
		return nil
	}
	fmt.Printf("%s: %d pins, written\n", out, pins)
	return replace(out, text)
}

// try resolves a lock for every Python and processor, with ready-made files
// only and the C library of the oldest systems that have such a Python.
func (r resolver) try(ctx context.Context, lock string) error {
	path, err := filepath.Abs(lock)
	if err != nil {
		return err
	}
	for _, processor := range []string{"x86_64", "aarch64"} {
		for _, python := range []string{"3.10", "3.11", "3.12", "3.13"} {
			err := r.run(ctx, "pip", "install", "--dry-run", "--no-config", "--quiet", "--only-binary", ":all:", "--require-hashes", "--no-deps",
				"--target", "tried", "--python-platform", processor+"-manylinux_2_28", "--python-version", python, "-r", path)
			if err != nil {
				return fmt.Errorf("trying %s for Python %s on %s: %w", lock, python, processor, err)
			}
		}
	}
	fmt.Printf("%s: installs without a compiler on Python 3.10 to 3.13, x86_64 and aarch64\n", lock)
	return nil
}

func (r resolver) run(ctx context.Context, args ...string) error {
	c := exec.CommandContext(ctx, r.uv, args...)
	c.Dir, c.Stdout, c.Stderr = r.dir, os.Stderr, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("uv %s %s: %w", args[0], args[1], err)
	}
	return nil
}

// replace puts text in the place of the file at path, whole or not at all.
func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".lock-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
