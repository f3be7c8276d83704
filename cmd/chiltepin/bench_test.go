package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
)

// program builds the program as it is released: without the race detector and
// without what tests add.
func program(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "chiltepin")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// directories makes a configuration directory of n endpoints, half of them
// with a pid file left over.
func directories(b *testing.B, n int) string {
	b.Helper()
	dir := b.TempDir()
	for i := range n {
		path := filepath.Join(dir, fmt.Sprintf("endpoint-%04d", i))
		files := map[string]string{
			"config.yaml":   "display_name: bench\ndebug: true\n",
			"endpoint.json": fmt.Sprintf(`{"endpoint_id": "6a1f0e3c-9c2d-4b6e-8a50-%012d"}`, i),
		}
		if i%2 == 0 {
			files["daemon.pid"] = "4194300\n"
		}
		if err := os.Mkdir(path, 0o700); err != nil {
			b.Fatal(err)
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(path, name), []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
		}
	}
	return dir
}

// took runs a command to its end and returns how long it took and the most
// memory it had, in bytes.
func took(b *testing.B, cmd *exec.Cmd) (time.Duration, int64) {
	b.Helper()
	cmd.Stdout = io.Discard
	var said strings.Builder
	cmd.Stderr = &said
	began := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("%s: %v\n%s", cmd, err, said.String())
	}
	return time.Since(began), cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}

// BenchmarkList reports how many times as long the real
// globus-compute-endpoint takes for the same list as this program, process
// start included, run in turn.
func BenchmarkList(b *testing.B) {
	ours := program(b)
	theirs := runtimetest.Env(b, runtimetest.Newest).Bin("globus-compute-endpoint")
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := directories(b, n)
			env := append(os.Environ(), "HOME="+b.TempDir())
			var mine, peer time.Duration
			for b.Loop() {
				for range 5 {
					cmd := exec.Command(ours, "endpoint", "-c", dir, "list")
					cmd.Env = env
					d, _ := took(b, cmd)
					mine += d
					cmd = exec.Command(theirs, "-c", dir, "list")
					cmd.Env = env
					d, _ = took(b, cmd)
					peer += d
				}
			}
			b.ReportMetric(float64(peer)/float64(mine), "x-faster-than-python")
			b.ReportMetric(float64(mine.Microseconds())/float64(5000*b.N), "ms/list")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkListFloor reports how many times as long a list of a thousand
// endpoints takes, process start included, as a bare program that reads the
// directory and the same files.
func BenchmarkListFloor(b *testing.B) {
	ours := program(b)
	floor := filepath.Join(b.TempDir(), "floor")
	if out, err := exec.Command("go", "build", "-o", floor, "./testdata/floor").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	dir := directories(b, 1000)
	var mine, bare time.Duration
	for b.Loop() {
		for range 20 {
			d, _ := took(b, exec.Command(ours, "endpoint", "-c", dir, "list"))
			mine += d
			d, _ = took(b, exec.Command(floor, dir))
			bare += d
		}
	}
	b.ReportMetric(float64(mine)/float64(bare), "x-floor")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkStart reports what endpoint start adds to the daemon's own time:
// from the marker in the daemon's log to the end of the command. After the
// marker the daemon asks Globus Auth whom it serves, and ends, with exit status
// 0, when it is not told; start waits for that answer, so what it adds itself
// is reported from there.
func BenchmarkStart(b *testing.B) {
	ours := program(b)
	box := sandboxtest.Start(b)
	home := b.TempDir()
	env := box.ChildEnv(append(box.ClientCredentials(), "HOME="+home,
		"CHILTEPIN_RUNTIME="+runtimetest.Env(b, runtimetest.Newest).Bin("globus-compute-endpoint"))...)
	run := func(args ...string) time.Duration {
		cmd := exec.Command(ours, args...)
		cmd.Env = env
		d, _ := took(b, cmd)
		return d
	}
	run("login")
	run("endpoint", "configure", "--email", "me@example.org", "mesa")
	ep, err := endpointfs.Open(filepath.Join(home, ".globus_compute")).Endpoint("mesa")
	if err != nil {
		b.Fatal(err)
	}
	var whole, added, own time.Duration
	for b.Loop() {
		d := run("endpoint", "start", "mesa")
		ended := time.Now()
		answer, err := ep.Log().Query(b.Context(), log.Query{Tail: 1, Grep: "start requests are valid from identities"})
		if err != nil || len(answer.Records) != 1 {
			b.Fatal("no answer of Globus Auth in the log: ", err)
		}
		own += ended.Sub(answer.Records[0].Time)
		marker, ok, err := ep.Log().LastMarker()
		if err != nil || !ok {
			b.Fatal("no marker in the log: ", err)
		}
		whole, added = whole+d, added+ended.Sub(marker.Time)
		run("endpoint", "stop", "mesa")
	}
	run("endpoint", "delete", "mesa")
	b.ReportMetric(float64(added.Milliseconds())/float64(b.N), "ms-after-marker")
	b.ReportMetric(float64(own.Milliseconds())/float64(b.N), "ms-after-answer")
	b.ReportMetric(float64(whole)/float64(whole-added), "x-daemon")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkLogs reports the memory that the last records of a log of 2 GiB
// take, beside that of a command which reads nothing.
func BenchmarkLogs(b *testing.B) {
	ours := program(b)
	dir := directories(b, 1)
	line := "2026-11-23 08:00:00,123456 INFO MainProcess-1 MainThread-2 globus_compute_endpoint:1 work something happened\n"
	log, err := os.Create(filepath.Join(dir, "endpoint-0000", "endpoint.log"))
	if err != nil {
		b.Fatal(err)
	}
	block := strings.Repeat(line, 10_000)
	for size := 0; size < 2<<30; size += len(block) {
		if _, err := log.WriteString(block); err != nil {
			b.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		b.Fatal(err)
	}
	var peak, floor int64
	var spent time.Duration
	for b.Loop() {
		d, rss := took(b, exec.Command(ours, "endpoint", "-c", dir, "logs", "-n", "1000", "endpoint-0000"))
		spent, peak = spent+d, max(peak, rss)
		_, rss = took(b, exec.Command(ours, "--version"))
		floor = max(floor, rss)
	}
	b.ReportMetric(float64(peak)/(1<<20), "MiB")
	b.ReportMetric(float64(peak)/float64(floor), "x-idle-memory")
	b.ReportMetric(float64(spent.Milliseconds())/float64(b.N), "ms/logs")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkWatch reports what following ten endpoints costs a server in which
// nothing happens, in time of the processor a second, and how long after the
// fact the end of one is told, the median of several.
func BenchmarkWatch(b *testing.B) {
	ours := program(b)
	dir := directories(b, 10)
	cmd := exec.Command(ours, "rpc", "-c", dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if _, err := io.WriteString(in, `{"jsonrpc":"2.0","id":1,"method":"endpoint/watch"}`+"\n"); err != nil || !lines.Scan() {
		b.Fatal("no answer: ", err)
	}
	busy := func() (sum time.Duration) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", cmd.Process.Pid))
		if err != nil || len(threads) == 0 {
			b.Fatal("no threads: ", err)
		}
		for _, thread := range threads {
			text, err := os.ReadFile(thread)
			var ns int64
			if err == nil {
				_, err = fmt.Sscan(string(text), &ns)
			}
			if err != nil {
				b.Fatal(err)
			}
			sum += time.Duration(ns)
		}
		return sum
	}
	const watched = 20 * time.Second
	var spent time.Duration
	var told []float64
	for b.Loop() {
		before := busy()
		time.Sleep(watched)
		spent += busy() - before
		for i := range 11 {
			path := filepath.Join(dir, "endpoint-0001", "daemon.pid")
			began := time.Now()
			if i%2 == 0 {
				err = os.WriteFile(path, []byte("4194300\n"), 0o600)
			} else {
				err = os.Remove(path)
			}
			if err != nil || !lines.Scan() || !strings.Contains(lines.Text(), "endpoint/changed") {
				b.Fatalf("told %q, %v", lines.Text(), err)
			}
			told = append(told, float64(time.Since(began).Milliseconds()))
		}
		if err := os.Remove(filepath.Join(dir, "endpoint-0001", "daemon.pid")); err != nil || !lines.Scan() {
			b.Fatal(err)
		}
	}
	in.Close()
	_ = cmd.Wait()
	slices.Sort(told)
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N)/watched.Seconds(), "idle-µs/s")
	b.ReportMetric(told[len(told)/2], "ms-until-told")
	b.ReportMetric(told[len(told)-1], "ms-until-told-max")
	b.ReportMetric(0, "ns/op")
}
