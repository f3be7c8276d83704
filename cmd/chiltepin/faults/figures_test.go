package faults

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"chiltepin/globus/sandbox/sandboxtest"
)

// TestTimes writes the times that the page gives, medians with the real daemon.
// They are reported and never judged: this machine may be busy.
func TestTimes(t *testing.T) {
	if !*write || *whole || *duel {
		return // make faults writes them when all else is done
	}
	b := newFixture(t, sandboxtest.Start(t))
	b.real()
	var noticed, fresh, again, alone, ours []time.Duration
	const rounds = 9
	for round := range rounds {
		// The daemon looks every second whether it is to end; the times of day
		// within that second are to be all alike.
		idle := 2*time.Second + time.Duration(round)*time.Second/rounds
		began := time.Now()
		pid := b.started()
		fresh = append(fresh, time.Since(began))
		b.kill(pid, syscall.SIGKILL)
		began = time.Now()
		for !strings.Contains(b.run("endpoint", "status", "--offline", "mesa").stdout, "Disconnected") {
			if time.Since(began) > time.Minute {
				t.Fatal("the crash is not noticed")
			}
		}
		noticed = append(noticed, time.Since(began))
		began = time.Now()
		pid = b.started()
		again = append(again, time.Since(began))

		// What the daemon itself takes: a signal, and nobody in between.
		time.Sleep(idle)
		began = time.Now()
		b.kill(pid, syscall.SIGTERM)
		b.settled(0)
		alone = append(alone, time.Since(began))
		b.started()
		time.Sleep(idle)
		began = time.Now()
		b.must("endpoint", "stop", "mesa")
		ours = append(ours, time.Since(began))
	}
	var out strings.Builder
	out.WriteString(timesHead + "\nMedians of nine, with the real globus-compute-endpoint 4.19.0.\n\n| what | median |\n|---|---|\n")
	for _, row := range []struct {
		what string
		all  []time.Duration
	}{
		{"`status` says that a killed daemon is gone, after the kill", noticed},
		{"`start` of a stopped endpoint, until it is proven to run", fresh},
		{"`start` at once after a crash, until it is proven to run", again},
		{"an idle daemon that is sent SIGTERM and left alone, until it has ended", alone},
		{"`stop` of an idle endpoint", ours},
	} {
		slices.Sort(row.all)
		fmt.Fprintf(&out, "| %s | %s |\n", row.what, duration(row.all[len(row.all)/2]))
	}
	data, err := os.ReadFile(pagePath)
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(data), timesHead)
	if err := os.WriteFile(pagePath, []byte(head+out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
