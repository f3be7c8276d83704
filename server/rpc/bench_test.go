package rpc_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"chiltepin/tools/operation"

	"github.com/sourcegraph/jsonrpc2"

	"chiltepin/server/rpc"
)

// TestMain lets the test binary be each of the servers that are compared, so
// that they run as processes of their own and are built alike.
func TestMain(m *testing.M) {
	var err error
	switch os.Getenv("RPC_TEST_SERVER") {
	case "":
		os.Exit(m.Run())
	case "ours":
		err = rpc.Serve(context.Background(), rpc.Options{Catalog: (&bench{}).catalog(), In: os.Stdin, Out: os.Stdout, Version: "test"})
	case "bare":
		serveBare(false)
	case "bare async":
		serveBare(true)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// pipes are standard input and output as jsonrpc2 wants them.
type pipes struct {
	io.Reader
	io.Writer
}

func (pipes) Close() error { return nil }

// serveBare is the same catalogue over jsonrpc2 alone: each call on the
// goroutine that reads, or on one of its own.
func serveBare(async bool) {
	methods := map[string]*operation.Tool{}
	for t := range (&bench{}).catalog().All() {
		methods[strings.ReplaceAll(t.Name, ".", "/")] = t
	}
	var h jsonrpc2.Handler = jsonrpc2.HandlerWithError(func(ctx context.Context, _ *jsonrpc2.Conn, req *jsonrpc2.Request) (any, error) {
		res, err := methods[req.Method].Call(ctx, *req.Params)
		return res.JSON, err
	})
	if async {
		h = jsonrpc2.AsyncHandler(h)
	}
	conn := jsonrpc2.NewConn(context.Background(), jsonrpc2.NewPlainObjectStream(pipes{os.Stdin, os.Stdout}), h)
	<-conn.DisconnectNotify()
}

// process is a server under measurement.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func start(tb testing.TB, kind string) *process {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "RPC_TEST_SERVER="+kind)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	return &process{cmd, in, bufio.NewReader(out)}
}

func call(id int) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"thing/show","params":{"name":"mesa"}}`+"\n", id)
}

func (p *process) hear(tb testing.TB) {
	line, err := p.out.ReadBytes('\n')
	var m struct{ Result struct{ Status string } }
	if err != nil || json.Unmarshal(line, &m) != nil || m.Result.Status != "<Running>" {
		tb.Fatalf("answered %s, %v", line, err)
	}
}

// sequential returns the median time of one call after another, in µs.
func (p *process) sequential(tb testing.TB, n int) float64 {
	took := make([]time.Duration, n)
	for i := range took {
		line := call(i + 1)
		began := time.Now()
		if _, err := io.WriteString(p.in, line); err != nil {
			tb.Fatal(err)
		}
		p.hear(tb)
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return float64(took[n/2].Nanoseconds()) / 1000
}

// pipelined returns the calls per second with 64 under way.
func (p *process) pipelined(tb testing.TB, n int) float64 {
	began := time.Now()
	slots := make(chan struct{}, 64)
	go func() {
		w := bufio.NewWriter(p.in)
		for i := range n {
			select {
			case slots <- struct{}{}:
			default:
				_ = w.Flush()
				slots <- struct{}{}
			}
			_, _ = w.WriteString(call(i + 1))
		}
		_ = w.Flush()
	}()
	for range n {
		p.hear(tb)
		<-slots
	}
	return float64(n) / time.Since(began).Seconds()
}

// BenchmarkCall compares a call with the same over jsonrpc2 alone, in turns in
// the same run; the medians of the rounds are reported. The goal is a p50 of
// at most 1.3 times.
func BenchmarkCall(b *testing.B) {
	kinds := []string{"ours", "bare", "bare async"}
	for b.Loop() {
		p50, rate := map[string][]float64{}, map[string][]float64{}
		for range 9 {
			for _, kind := range kinds {
				p := start(b, kind)
				p.sequential(b, 300)
				p50[kind] = append(p50[kind], p.sequential(b, 1000))
				rate[kind] = append(rate[kind], p.pipelined(b, 5000))
				_ = p.in.Close()
				_ = p.cmd.Wait()
			}
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(median(p50["ours"]), "p50-µs")
		b.ReportMetric(median(rate["ours"]), "calls/s")
		for _, kind := range kinds[1:] {
			name := strings.ReplaceAll(kind, " ", "-")
			b.ReportMetric(median(p50["ours"])/median(p50[kind]), "p50-vs-"+name)
			b.ReportMetric(median(rate["ours"])/median(rate[kind]), "rate-vs-"+name)
		}
	}
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}
