package process

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary be a process that sleeps.
func TestMain(m *testing.M) {
	if os.Getenv("PROCESS_TEST_SLEEPER") != "" {
		fmt.Println("ready")
		time.Sleep(10 * time.Minute)
		return
	}
	os.Exit(m.Run())
}

// startSleeper starts a process with that argument list, in a session of its
// own.
func startSleeper(t *testing.T, argv ...string) *os.Process {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p, err := os.StartProcess("/proc/self/exe", argv, &os.ProcAttr{
		Env: append(os.Environ(), "PROCESS_TEST_SLEEPER=1"), Files: []*os.File{nil, w, nil}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		p.Wait()
	})
	if _, err := r.Read(make([]byte, 1)); err != nil {
		t.Fatalf("the sleeper does not come up: %v", err)
	}
	return p
}
