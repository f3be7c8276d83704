package main

import (
	"os/exec"
	"testing"
	"time"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
)

// BenchmarkWhoami reports how long whoami takes, without network, process start
// included, and how many times as long the real globus-compute-endpoint takes
// to say less.
func BenchmarkWhoami(b *testing.B) {
	ours := program(b)
	theirs := runtimetest.Env(b, runtimetest.Newest).Bin("globus-compute-endpoint")
	box := sandboxtest.Start(b)
	env := append(box.ChildEnv(box.ClientCredentials()...), "HOME="+b.TempDir())
	run := func(name string, args ...string) time.Duration {
		cmd := exec.Command(name, args...)
		cmd.Env = env
		d, _ := took(b, cmd)
		return d
	}
	run(ours, "login")
	var mine, peer, bare time.Duration
	for b.Loop() {
		peer += run(theirs, "whoami")
		for range 20 {
			mine += run(ours, "whoami")
			bare += run(ours, "--version")
		}
	}
	b.ReportMetric(float64(peer)*20/float64(mine), "x-faster-than-python")
	b.ReportMetric(float64(mine.Microseconds())/float64(20_000*b.N), "ms/whoami")
	b.ReportMetric(float64(bare.Microseconds())/float64(20_000*b.N), "ms/bare-start")
	b.ReportMetric(0, "ns/op")
}
