package python

import (
	"archive/zip"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"chiltepin/globus/runtime/runtimetest"
)

// TestTypes checks the types of the module, and of a program that uses it as
// it is installed.
func TestTypes(t *testing.T) {
	t.Parallel()
	sdk := runtimetest.Env(t, runtimetest.API)
	v := newVenv(t, nil)
	v.install(t, built(t))
	cache := t.TempDir()
	output(t, nil, sdk.Python, "-m", "mypy", "--cache-dir", filepath.Join(cache, "module"))
	output(t, nil, sdk.Python, "-m", "mypy", "--cache-dir", filepath.Join(cache, "program"), "--config-file=",
		"--python-executable", v.python, "--python-version", "3.11", "--strict", "testdata/typed.py")
}

// elf is the beginning of a program: its header and that of one segment.
func elf(machine uint16, segment uint32) string {
	b := make([]byte, 120)
	copy(b, "\x7fELF\x02\x01\x01")
	binary.LittleEndian.PutUint16(b[18:], machine)
	binary.LittleEndian.PutUint64(b[32:], 64) // where the segments are
	binary.LittleEndian.PutUint16(b[54:], 56)
	binary.LittleEndian.PutUint16(b[56:], 1)
	binary.LittleEndian.PutUint32(b[64:], segment)
	return string(b)
}

// TestWheel looks at the wheels that are built of a program, and at what is
// refused.
func TestWheel(t *testing.T) {
	t.Parallel()
	python := runtimetest.Env(t, runtimetest.API).Python
	output(t, nil, python, "-m", "doctest", "backend.py")

	const x86, arm, load, interpreter = 62, 183, 1, 3
	for _, c := range []struct {
		what, arch, program, want string
	}{
		{"amd64", "amd64", elf(x86, load), "chiltepin_endpoint-1.2.3-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64.whl"},
		{"arm64", "arm64", elf(arm, load), "chiltepin_endpoint-1.2.3-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl"},
		{"for another processor", "arm64", elf(x86, load), "it is not for arm64"},
		{"dynamic", "amd64", elf(x86, interpreter), "it is not static: build it with CGO_ENABLED=0"},
		{"cut off", "amd64", elf(x86, load)[:60], "it is no program that is whole"},
		{"a script", "amd64", "#!/bin/sh\n", "it is no 64-bit program for Linux"},
	} {
		t.Run(c.what, func(t *testing.T) {
			dir := t.TempDir()
			program, out := filepath.Join(dir, "chiltepin"), filepath.Join(dir, "out")
			if err := os.WriteFile(program, []byte(c.program), 0o700); err != nil {
				t.Fatal(err)
			}
			// The same input gives the same bytes.
			var before string
			for range 2 {
				text, err := run(t, nil, python, "backend.py", "--binary", program, "--arch", c.arch, "--version", "v1.2.3", out)
				name, built := strings.CutSuffix(c.want, ".whl")
				if !built {
					if want := "backend.py: " + program + ": " + c.want + "\n"; err == nil || text != want {
						t.Errorf("it said %q and ended with %v, want %q", text, err, want)
					}
					continue
				}
				path := filepath.Join(out, name+".whl")
				if err != nil || text != path+"\n" {
					t.Fatalf("it said %q and ended with %v, want %s", text, err, path)
				}
				now := read(t, path)
				if before != "" && now != before {
					t.Error("two wheels of the same program differ")
				}
				before = now
			}
		})
	}

	archive, err := zip.OpenReader(built(t))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	modes := map[string]os.FileMode{}
	for _, f := range archive.File {
		modes[f.Name] = f.Mode()
	}
	if modes["chiltepin_endpoint/bin/chiltepin"] != 0o755 || modes["chiltepin_endpoint/py.typed"] != 0o644 {
		t.Errorf("the wheel for %s has %v", runtime.GOARCH, modes)
	}
	for name := range modes {
		if top, _, _ := strings.Cut(name, "/"); !strings.HasPrefix(top, "chiltepin_endpoint") {
			t.Errorf("the wheel has %s, beside its own names", name)
		}
	}
}

// TestPure installs the clone as it is, without a program, which is then
// looked for on PATH.
func TestPure(t *testing.T) {
	t.Parallel()
	clone, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	v := newVenv(t, nil)
	v.pip(t, "install", "--quiet", "--no-index", filepath.Join(clone, "clients", "python"))
	const show = "import chiltepin.endpoint as e; print(e.show())"
	env := []string{"HOME=" + t.TempDir(), "PATH=/nowhere"}
	text, err := run(t, env, v.python, "-c", show)
	if err == nil || !strings.Contains(text, "the program chiltepin was not found\nnext: install chiltepin on PATH") {
		t.Errorf("without a program it said %q (%v)", text, err)
	}
	carried := newVenv(t, nil)
	carried.install(t, built(t))
	env[1] = "PATH=" + filepath.Join(carried.site, "chiltepin_endpoint", "bin")
	if text := output(t, env, v.python, "-c", show); text != "{}\n" {
		t.Errorf("with the program on PATH it said %q", text)
	}
}
