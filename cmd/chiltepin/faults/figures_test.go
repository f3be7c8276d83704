package faults

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"chiltepin/globus/sandbox/sandboxtest"
)

// figures are the times that the page gives, medians with the real daemon. They
// are reported and never judged: this machine may be busy.
func figures(t *testing.T) string {
	b := newBed(t, sandboxtest.Start(t))
	b.real()
	var noticed, fresh, again, alone, ours []time.Duration
	for range 5 {
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
		time.Sleep(2 * time.Second)
		began = time.Now()
		b.kill(pid, syscall.SIGTERM)
		b.settled(0)
		alone = append(alone, time.Since(began))
		b.started()
		time.Sleep(2 * time.Second)
		began = time.Now()
		b.must("endpoint", "stop", "mesa")
		ours = append(ours, time.Since(began))
	}
	var out strings.Builder
	out.WriteString("\n## Times\n\nMedians of five, with the real globus-compute-endpoint 4.19.0.\n\n| what | median |\n|---|---|\n")
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
	return out.String()
}
