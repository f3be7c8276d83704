package faults

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// stranger is a process that is nobody's daemon.
type stranger struct {
	cmd  *exec.Cmd
	said *syncBuffer
}

// stranger starts one, with a title if it is to have one.
func (b *fixture) stranger(title ...string) *stranger {
	b.Helper()
	s := &stranger{said: &syncBuffer{}}
	argv := append(title, "python train.py")
	s.cmd = &exec.Cmd{Path: filepath.Join(place.bin, "globus-compute-endpoint"), Args: argv[:1], Env: []string{"FAULTS_STRANGER=1"}, Dir: b.home}
	s.cmd.Stdout = s.said
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: b.as}
	hold, err := s.cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		hold.Close()
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	})
	for began := time.Now(); !strings.Contains(s.said.String(), "ready"); time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			b.Fatal("the stranger does not come up")
		}
	}
	b.strangers = append(b.strangers, s)
	return s
}

// unharmed fails the test when a stranger has ended or got a signal.
func (b *fixture) unharmed() {
	b.Helper()
	for _, s := range b.strangers {
		if said := s.said.String(); said != "ready\n" || syscall.Kill(s.cmd.Process.Pid, 0) != nil {
			b.Errorf("a stranger came to harm: %s", said)
		}
	}
}
