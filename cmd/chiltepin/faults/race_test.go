package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
)

// told is what a caller was told.
type told struct {
	// word is the outcome, or the code of the error.
	word string
	pid  int
	text string
}

// result is what the operations say in common.
type result struct {
	Outcome, Path string
	Steps         []any
	Evidence      struct{ Process struct{ PID int } }
	Error         struct{ Code string }
	Code          string
}

func (r result) told(text string) told {
	word := r.Outcome
	switch {
	case r.Error.Code != "":
		word = r.Error.Code
	case r.Code != "":
		word = r.Code
	case r.Steps != nil:
		word = "deleted"
	case word == "" && r.Path != "":
		word = "configured"
	}
	return told{word, r.Evidence.Process.PID, text}
}

// byServer calls an operation through a server.
func (b *fixture) byServer(s *server, operation, arguments string) told {
	raw, err := s.ask("tools/call", fmt.Sprintf(`{"name":"endpoint_%s","arguments":%s}`, operation, arguments))
	if err != nil {
		b.Errorf("%s by a server: %v", operation, err)
		return told{}
	}
	var v struct {
		IsError           bool
		StructuredContent result
		Content           []struct{ Text string }
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		b.Errorf("%s by a server: %v", operation, err)
	}
	return v.StructuredContent.told(string(raw))
}

// byCommand calls an operation by the command line.
func (b *fixture) byCommand(operation string, args ...string) told {
	a := b.run(append([]string{"endpoint", operation, "--json"}, args...)...)
	text := a.stdout
	if a.exit != 0 {
		lines := strings.Split(strings.TrimSpace(a.stderr), "\n")
		text = lines[len(lines)-1]
	}
	var v result
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		b.Errorf("%s: exit status %d, %v: %s", operation, a.exit, err, text)
	}
	return v.told(a.stdout + a.stderr)
}

// atOnce does several things at once and returns what each was told.
func atOnce(calls ...func() told) []told {
	all := make([]told, len(calls))
	var wait sync.WaitGroup
	ready := make(chan struct{})
	for i, call := range calls {
		wait.Go(func() {
			<-ready
			all[i] = call()
		})
	}
	close(ready)
	wait.Wait()
	return all
}

func words(all []told) string {
	var w []string
	for _, t := range all {
		w = append(w, t.word)
	}
	slices.Sort(w)
	return strings.Join(w, " ")
}

// TestAtOnce has the command line and two servers do things to one endpoint at
// once: there is one daemon and one registration, and every caller is told what
// is so.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	runtimetest.Long(t)
	rounds := 3
	if *whole {
		rounds = 50
	}
	for _, name := range []string{"starts", "start and stop", "stop and delete", "configures"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box := sandboxtest.Start(t)
			b := newFixture(t, box)
			one, two := b.server(), b.server()
			const mesa = `{"name":"mesa"}`
			for round := range rounds {
				registrations := len(box.State().Endpoints)
				var all []told
				switch name {
				case "starts":
					all = atOnce(
						func() told { return b.byCommand("start", "mesa") },
						func() told { return b.byServer(one, "start", mesa) },
						func() told { return b.byServer(two, "start", mesa) })
					if got := words(all); got != "already_running already_running started" {
						t.Errorf("round %d: %s\n%+v", round, got, all)
					}
					if pid := b.pid(); all[0].pid != pid || all[1].pid != pid || all[2].pid != pid {
						t.Errorf("round %d: they were told of processes %d, %d and %d; it is %d", round, all[0].pid, all[1].pid, all[2].pid, pid)
					}
					b.counts(round, 1, 1)
					b.must("endpoint", "stop", "mesa")
				case "start and stop":
					all = atOnce(
						func() told { return b.byCommand("start", "mesa") },
						func() told { return b.byServer(one, "stop", mesa) },
						func() told { return b.byServer(two, "start", mesa) })
					for i, may := range []string{"started already_running", "stopped not_running", "started already_running"} {
						if !slices.Contains(strings.Fields(may), all[i].word) {
							t.Errorf("round %d: caller %d was told %q: %s", round, i, all[i].word, all[i].text)
						}
					}
					b.counts(round, len(b.living()), 1)
					b.truth("nothing")
				case "stop and delete":
					b.started()
					all = atOnce(
						func() told { return b.byCommand("delete", "--yes", "--force", "mesa") },
						func() told { return b.byServer(one, "stop", mesa) },
						func() told { return b.byServer(two, "delete", `{"name":"mesa","force":true}`) })
					if got := words([]told{all[0], all[2]}); got != "deleted not_found" {
						t.Errorf("round %d: the deletions were told %s\n%+v", round, got, all)
					}
					if !slices.Contains([]string{"stopped", "not_running", "not_found"}, all[1].word) {
						t.Errorf("round %d: the stop was told %q: %s", round, all[1].word, all[1].text)
					}
					b.counts(round, 0, registrations)
					if _, err := os.Stat(b.path); err == nil {
						t.Errorf("round %d: the directory is there", round)
					}
					b.must("endpoint", "configure", "--email", "me@example.org", "mesa")
				case "configures":
					next := fmt.Sprintf("next%d", round)
					arguments := fmt.Sprintf(`{"name":%q}`, next)
					all = atOnce(
						func() told { return b.byCommand("configure", next) },
						func() told { return b.byServer(one, "configure", arguments) },
						func() told { return b.byServer(two, "configure", arguments) })
					if got := words(all); got != "already_exists already_exists configured" {
						t.Errorf("round %d: %s\n%+v", round, got, all)
					}
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}

// counts wants so many daemons and registrations.
func (b *fixture) counts(round, daemons, registrations int) {
	b.Helper()
	if got := b.living(); len(got) != daemons || daemons > 1 {
		b.Errorf("round %d: daemons %v live, want %d", round, got, daemons)
	}
	if got := len(b.box.State().Endpoints); got != registrations {
		b.Errorf("round %d: %d registrations, want %d", round, got, registrations)
	}
}

// TestRealAtOnce races the real program's own start and stop with ours.
func TestRealAtOnce(t *testing.T) {
	t.Parallel()
	if !*whole {
		return // it takes a minute of two cores
	}
	b := newFixture(t, sandboxtest.Start(t))
	b.real()
	byHand := func(args ...string) told {
		cmd := exec.Command("globus-compute-endpoint", append([]string{"-c", b.dir}, args...)...)
		for _, v := range b.env {
			if path, ok := strings.CutPrefix(v, "PATH="); ok {
				cmd.Path = strings.Split(path, ":")[0] + "/globus-compute-endpoint"
			}
		}
		cmd.Err, cmd.Env, cmd.Dir = nil, append(b.env, "GLOBUS_COMPUTE_USER_DIR="+b.dir), b.home
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		a := b.finish(cmd)
		return told{word: fmt.Sprint(a.exit), text: a.stdout + a.stderr}
	}
	for round := range 5 {
		all := atOnce(
			func() told { return byHand("start", "--detach", "mesa") },
			func() told { return b.byCommand("start", "mesa") })
		if got := all[1].word; got != "started" && got != "already_running" {
			t.Fatalf("round %d: our start was told %q\n%+v", round, got, all)
		}
		b.settled(1)
		b.truth("nothing")
		all = atOnce(
			func() told { return byHand("stop", "mesa") },
			func() told { return b.byCommand("stop", "mesa") })
		if got := all[1].word; got != "stopped" && got != "not_running" {
			t.Fatalf("round %d: our stop was told %q\n%+v", round, got, all)
		}
		b.settled(0)
		b.truth("nothing")
	}
}

// settled waits until so many daemons live: one that gives way needs a moment.
func (b *fixture) settled(want int) {
	b.Helper()
	var living []int
	for began := time.Now(); time.Since(began) < patience; time.Sleep(10 * time.Millisecond) {
		if living = b.living(); len(living) == want {
			return
		}
	}
	b.Errorf("daemons %v live, want %d", living, want)
}
