package python

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"chiltepin/globus/runtime/runtimetest"
)

// BenchmarkImportAndShow reports how many times as long Python Chiltepin takes
// as this module to be imported and to list ten endpoints, run in turn: in the
// program, and with the start of the interpreter and its end, which are the
// same for both.
func BenchmarkImportAndShow(b *testing.B) {
	ours := newVenv(b, nil)
	ours.install(b, built(b))
	theirs := runtimetest.Env(b, runtimetest.Newest)
	dir := b.TempDir()
	for i := range 10 {
		path := filepath.Join(dir, fmt.Sprintf("endpoint-%d", i))
		if err := os.Mkdir(path, 0o700); err != nil {
			b.Fatal(err)
		}
		for name, text := range map[string]string{
			"config.yaml":   "display_name: bench\n",
			"endpoint.json": fmt.Sprintf(`{"endpoint_id": "6a1f0e3c-9c2d-4b6e-8a50-%012d"}`, i),
		} {
			if err := os.WriteFile(filepath.Join(path, name), []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
		}
	}
	const program = "import time; began = time.perf_counter()\n" +
		"import chiltepin.endpoint as e; n = len(e.show(%q))\n" +
		"assert n == 10, n; print(time.perf_counter() - began)"
	env := append(os.Environ(), "HOME="+b.TempDir())
	measure := func(python string) (inside, whole time.Duration) {
		began := time.Now()
		text := output(b, env, python, "-W", "ignore", "-c", fmt.Sprintf(program, dir))
		whole = time.Since(began)
		seconds, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			b.Fatal(err)
		}
		return time.Duration(seconds * float64(time.Second)), whole
	}
	measure(ours.python) // the first run compiles
	var mine, peer, mineWhole, peerWhole time.Duration
	for b.Loop() {
		for range 5 {
			inside, whole := measure(ours.python)
			mine, mineWhole = mine+inside, mineWhole+whole
			inside, whole = measure(theirs.Python)
			peer, peerWhole = peer+inside, peerWhole+whole
		}
	}
	b.ReportMetric(float64(peer)/float64(mine), "x-faster-than-python-chiltepin")
	b.ReportMetric(float64(peerWhole)/float64(mineWhole), "x-faster-as-a-process")
	b.ReportMetric(float64(mine.Microseconds())/float64(5000*b.N), "ms/import+show")
	b.ReportMetric(0, "ns/op")
}
