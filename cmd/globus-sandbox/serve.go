package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// serveUntilSignal keeps a sandbox up until a signal.
func (w world) serveUntilSignal(ctx context.Context) (int, error) {
	var f sandboxFlags
	set := w.newFlagSet("serve", &f)
	envFile := set.String("env", "", "")
	if status, err, on := w.parseFlags(set); !on {
		return status, err
	}
	if *envFile == "" || set.NArg() > 0 {
		return exitUsage, errors.New("usage: globus-sandbox serve --env FILE [flags]")
	}
	b, err := f.startSandbox()
	if err != nil {
		return exitError, err
	}
	defer b.Close()
	if err := writeEnv(*envFile, b); err != nil {
		return exitError, err
	}
	defer os.Remove(*envFile)
	fmt.Fprintf(w.stderr, "globus-sandbox: serving on %s; in another shell:  . %s\n", b.URL(), *envFile)
	<-ctx.Done()
	return exitOK, nil
}

// writeEnv writes the file under another name and renames it, so that whoever
// waits for it reads it whole.
func writeEnv(path string, b *startedSandbox) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".globus-sandbox-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = io.WriteString(temp, exportLines(b))
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	return err
}

// exportLines is a shell script that puts a shell's programs into the sandbox.
func exportLines(b *startedSandbox) string {
	var out strings.Builder
	fmt.Fprintf(&out, "unset %s\n", strings.Join(b.Clear(), " "))
	for _, kv := range append(b.Env(), b.extra...) {
		name, value, _ := strings.Cut(kv, "=")
		fmt.Fprintf(&out, "export %s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`))
	}
	return out.String()
}
