package faults

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// whole runs every row, every step and every round, as make faults does; without
// it a sample is run, as in make test.
var whole = flag.Bool("whole", false, "run everything, not a sample")

// write has docs/faults.md and docs/duel.md written anew.
var write = flag.Bool("write", false, "write the pages under docs")

// place is where TestMain has put what every test uses.
var place struct {
	// dir is the directory of the rest.
	dir string
	// chiltepin is the program, built as it is released.
	chiltepin string
	// bin is a directory with a globus-compute-endpoint, which is the stand-in.
	bin string
}

// TestMain builds the program as it is released, and the stand-in for the daemon.
func TestMain(m *testing.M) {
	flag.Parse()
	// Nearly all of the time is waited for a daemon to touch its file.
	if err := flag.Set("test.parallel", "32"); err != nil {
		panic(err)
	}
	status, err := prepared(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func prepared(run func() int) (int, error) {
	if dir := os.Getenv(insideVariable); dir != "" {
		place.dir, place.bin, place.chiltepin = dir, filepath.Join(dir, "bin"), filepath.Join(dir, "chiltepin")
		return run(), nil
	}
	if testing.Short() {
		return run(), nil // what needs the programs is skipped
	}
	// Another user must get there, too.
	dir, err := os.MkdirTemp("", "faults-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return 1, err
	}
	place.dir, place.bin, place.chiltepin = dir, filepath.Join(dir, "bin"), filepath.Join(dir, "chiltepin")
	if err := os.Mkdir(place.bin, 0o755); err != nil {
		return 1, err
	}
	for _, b := range [][2]string{{place.chiltepin, "chiltepin/cmd/chiltepin"}, {filepath.Join(place.bin, "globus-compute-endpoint"), "./testdata/daemon"}} {
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b[0], b[1])
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return 1, fmt.Errorf("building %s: %w\n%s", b[1], err, out)
		}
	}
	return run(), nil
}
