// Package venv builds Python virtual environments from hash-locked requirement
// files, with uv where there is one and otherwise with the interpreter's own
// venv and pip.
//
// It never chooses an index, never downloads an interpreter, never asks a
// question, and never writes to the caller's standard streams.
package venv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"chiltepin/globus/progress"
)

// BuildOptions says what Create builds.
type BuildOptions struct {
	// Dir is where the environment will be, absolute. An environment cannot be
	// moved afterwards. What is there already is removed first.
	Dir string
	// Requirements is a requirements file with a hash for every package it pins.
	Requirements string
	// Python is the interpreter to build on.
	Python Interpreter
	// UV is the path of uv; empty does without it.
	UV string
	// Environ is the environment of the caller, NAME=VALUE, which the children
	// get as Environ returns it.
	Environ []string
	// Log receives everything the children print. Nil discards it.
	Log io.Writer
}

// Create builds the environment o.Dir, reporting progress to the watcher of
// ctx. When uv fails for another reason than ctx, pip does the work: uv does
// not read pip's configuration, and a machine whose index is named there works
// with pip alone. Without venv in the interpreter there is no pip to try. What was begun is removed when Create fails.
func Create(ctx context.Context, o BuildOptions) (err error) {
	if !filepath.IsAbs(o.Dir) {
		return fmt.Errorf("building a Python environment in %q: not an absolute path", o.Dir)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(o.Dir))
		}
	}()
	if o.UV != "" {
		err := buildWithUV(ctx, o)
		if err == nil || ctx.Err() != nil || !o.Python.Venv {
			return err
		}
		progress.Report(ctx, progress.Event{Stage: "installing", Text: "uv could not do it, pip is tried"})
	}
	return buildWithPip(ctx, o)
}

func (o BuildOptions) newJob(each func(string)) Job {
	return Job{Dir: filepath.Dir(o.Dir), Environ: Environ(o.Environ), Log: o.Log, Each: each}
}

func buildWithUV(ctx context.Context, o BuildOptions) error {
	if err := os.RemoveAll(o.Dir); err != nil {
		return err
	}
	progress.Report(ctx, progress.Event{Stage: "creating", Text: "creating a Python " + o.Python.Version + " environment with uv"})
	if err := o.newJob(nil).Run(ctx, o.UV, "venv", "--quiet", "--no-project", "--no-python-downloads", "--color", "never", "--python", o.Python.Path, o.Dir); err != nil {
		return err
	}
	total, err := countPins(o.Requirements)
	if err != nil {
		return err
	}
	progress.Report(ctx, progress.Event{Stage: "installing", Text: fmt.Sprintf("installing up to %d packages with uv", total), Total: total})
	return o.newJob(nil).Run(ctx, o.UV, "pip", "install", "--no-progress", "--no-python-downloads", "--color", "never", "--compile-bytecode",
		"--python", filepath.Join(o.Dir, "bin", "python"), "--require-hashes", "--no-deps", "-r", o.Requirements)
}

func buildWithPip(ctx context.Context, o BuildOptions) error {
	if err := os.RemoveAll(o.Dir); err != nil {
		return err
	}
	if !o.Python.Venv {
		return &NoPythonError{Reason: fmt.Sprintf("%s (%s) was packaged without venv and ensurepip", o.Python.Path, o.Python.Version), NeedsVenv: true}
	}
	progress.Report(ctx, progress.Event{Stage: "creating", Text: "creating a Python " + o.Python.Version + " environment"})
	if err := o.newJob(nil).Run(ctx, o.Python.Path, "-m", "venv", o.Dir); err != nil {
		return err
	}
	total, err := countPins(o.Requirements)
	if err != nil {
		return err
	}
	watch := &pipWatch{ctx: ctx, total: total}
	return o.newJob(watch.watchLine).Run(ctx, filepath.Join(o.Dir, "bin", "python"), "-m", "pip", "install", "--no-input", "--disable-pip-version-check",
		"--no-color", "--progress-bar", "off", "--require-hashes", "--no-deps", "-r", o.Requirements)
}

// pipWatch turns the lines pip prints into progress.
type pipWatch struct {
	ctx         context.Context
	done, total int64
}

func (w *pipWatch) watchLine(s string) {
	word, rest, _ := strings.Cut(s, " ")
	switch word {
	case "Ignoring": // a pin for another version of Python
		w.total--
	case "Collecting":
		w.done++
		name, _, _ := strings.Cut(rest, "==")
		progress.Report(w.ctx, progress.Event{Stage: "collecting", Text: "collecting " + name, Done: w.done, Total: w.total})
	case "Installing":
		progress.Report(w.ctx, progress.Event{Stage: "installing", Text: "installing " + strconv.FormatInt(w.done, 10) + " packages", Done: w.done, Total: w.total})
	}
}

// countPins returns the number of pins in a requirements file, those for other
// versions of Python included.
func countPins(requirements string) (int64, error) {
	text, err := os.ReadFile(requirements)
	if err != nil {
		return 0, err
	}
	pins := int64(0)
	for line := range strings.Lines(string(text)) {
		// Comments, and the hashes below a pin, begin otherwise.
		if name, _, ok := strings.Cut(line, "=="); ok && name != "" && !strings.ContainsAny(name, " \t#") {
			pins++
		}
	}
	return pins, nil
}
