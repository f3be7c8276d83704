package mcp_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"chiltepin/server/mcp"
)

// TestMain lets the test binary be each of the servers that are compared, so
// that they run as processes of their own and are built alike.
func TestMain(m *testing.M) {
	switch os.Getenv("MCP_TEST_SERVER") {
	case "ours":
		if err := mcp.Serve(context.Background(), mcp.Options{Catalog: testCatalog(), In: os.Stdin, Out: os.Stdout, Version: "test"}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case "stock":
		if err := serveStock(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case "floor":
		serveFloor()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serveFloor is what cannot be done with less: a loop that decodes each
// message once, in place, and answers all of them alike.
func serveFloor() {
	in, out := bufio.NewReaderSize(os.Stdin, 64<<10), bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		var m struct {
			ID     json.RawMessage `json:"id"`
			Params struct {
				Name      string          `json:"name"`
				Arguments json.RawMessage `json:"arguments"`
			} `json:"params"`
		}
		if json.Unmarshal(line, &m) != nil || m.ID == nil {
			continue
		}
		fmt.Fprintf(out, `{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":"name: mesa\nstatus: Running"}],"structuredContent":{"name":"mesa","status":"Running"}}}`+"\n", m.ID)
		if in.Buffered() == 0 {
			_ = out.Flush()
		}
	}
}

// serveStock is the same catalogue over mcp-go's own StdioServer.
func serveStock() error {
	s := server.NewMCPServer("stock", "test", server.WithToolCapabilities(false))
	for t := range testCatalog().All() {
		tool := mcpgo.Tool{Name: strings.ReplaceAll(t.Name, ".", "_"), Description: t.Summary, RawInputSchema: t.InputSchema(), RawOutputSchema: t.OutputSchema()}
		s.AddTool(tool, func(ctx context.Context, in mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
			raw, _ := in.GetRawArguments().(json.RawMessage)
			res, err := t.Call(ctx, raw)
			if err != nil {
				return mcpgo.NewToolResultError(err.Error()), nil
			}
			return &mcpgo.CallToolResult{Content: []mcpgo.Content{mcpgo.TextContent{Type: "text", Text: string(res.JSON)}}, StructuredContent: res.JSON}, nil
		})
	}
	return server.ServeStdio(s)
}

// process is a server under measurement.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	// meta goes into every request; "" in the old era.
	meta string
}

func start(tb testing.TB, path, kind string, modern bool) *process {
	tb.Helper()
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), "MCP_TEST_SERVER="+kind)
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
	p := &process{cmd: cmd, in: in, out: bufio.NewReaderSize(out, 1<<20)}
	if modern {
		p.meta = `,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"}}`
		p.say(tb, `{"jsonrpc":"2.0","id":0,"method":"server/discover","params":{"x":0`+p.meta+`}}`)
		p.hear(tb)
	} else {
		p.say(tb, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}`)
		p.hear(tb)
		p.say(tb, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	}
	return p
}

func (p *process) say(tb testing.TB, line string) {
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		tb.Fatal(err)
	}
}

func (p *process) hear(tb testing.TB) string {
	line, err := p.out.ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	return line
}

// stop ends the process and returns its resident memory in megabytes.
func (p *process) stop(tb testing.TB) float64 {
	memory := 0.0
	if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid)); err == nil {
		for line := range strings.Lines(string(status)) {
			if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmHWM:" {
				memory, _ = strconv.ParseFloat(fields[1], 64)
			}
		}
	}
	if err := p.in.Close(); err != nil {
		tb.Fatal(err)
	}
	_ = p.cmd.Wait() // the stock server and the SDK have their own ideas of it
	return memory / 1024
}

func (p *process) call(id int) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"thing_show","arguments":{"name":"mesa"}%s}}`, id, p.meta)
}

// sequential returns the median time of one call after another.
func (p *process) sequential(tb testing.TB, n int) time.Duration {
	took := make([]time.Duration, n)
	for i := range took {
		line := p.call(i + 1)
		began := time.Now()
		p.say(tb, line)
		answer := p.hear(tb)
		took[i] = time.Since(began)
		if !strings.Contains(answer, `"status":"Running"`) {
			tb.Fatalf("answered %s", answer)
		}
	}
	slices.Sort(took)
	return took[n/2]
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
			fmt.Fprintln(w, p.call(i+1))
		}
		_ = w.Flush()
	}()
	for range n {
		p.hear(tb)
		<-slots
	}
	return float64(n) / time.Since(began).Seconds()
}

// figures are what was measured of one server.
type figures struct{ start, p50, rate, memory float64 }

// rounds are many short ones, in turns, so that what else the machine does
// falls on all alike; the medians are reported.
const rounds = 9

func measure(b *testing.B, servers []peer, modern bool) []figures {
	all := make([]struct{ start, p50, rate, memory []float64 }, len(servers))
	for range rounds {
		for i, s := range servers {
			began := time.Now()
			p := start(b, s.path, s.kind, modern)
			all[i].start = append(all[i].start, float64(time.Since(began).Microseconds())/1000)
			p.sequential(b, 300)
			all[i].p50 = append(all[i].p50, float64(p.sequential(b, 1000).Nanoseconds())/1000)
			all[i].rate = append(all[i].rate, p.pipelined(b, 5000))
			all[i].memory = append(all[i].memory, p.stop(b))
		}
	}
	out := make([]figures, len(servers))
	for i, f := range all {
		out[i] = figures{median(f.start), median(f.p50), median(f.rate), median(f.memory)}
	}
	return out
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// peer is a server to compare with.
type peer struct{ name, path, kind string }

// BenchmarkStdio compares this server with mcp-go's own StdioServer, with the
// Go SDK's and with a bare loop, with the same operations, in the same run.
// The goals: twice the time of the loop a call, twice stock's calls a second,
// 1.2 times its start. All but the SDK's are this test binary, which has
// stock's libraries in it: the start of the product is measured in
// cmd/chiltepin.
func BenchmarkStdio(b *testing.B) {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	servers := []peer{{"ours", self, "ours"}, {"stock", self, "stock"}, {"floor", self, "floor"}, {"sdk", goSDKServer(b), "sdk"}}
	for _, modern := range []bool{false, true} {
		era := "Legacy"
		if modern {
			era = "Modern"
		}
		b.Run(era, func(b *testing.B) {
			for b.Loop() {
				all := measure(b, servers, modern)
				b.ReportMetric(0, "ns/op")
				ours := all[0]
				for i, f := range all[1:] {
					name := servers[i+1].name
					b.ReportMetric(ours.p50/f.p50, "p50-vs-"+name)
					b.ReportMetric(ours.rate/f.rate, "rate-vs-"+name)
					b.ReportMetric(ours.start/f.start, "start-vs-"+name)
					b.ReportMetric(ours.memory/f.memory, "memory-vs-"+name)
				}
				b.ReportMetric(ours.p50, "p50-µs")
				b.ReportMetric(ours.rate, "calls/s")
				b.ReportMetric(ours.start, "start-ms")
				b.ReportMetric(ours.memory, "MB")
			}
		})
	}
}

// goSDKServer builds the Go SDK's server, which is a module of its own so
// that the product does not depend on it.
func goSDKServer(tb testing.TB) string {
	tb.Helper()
	bin := filepath.Join(tb.TempDir(), "server")
	build := exec.Command("go", "build", "-o", bin, ".")
	build.Dir = "testdata/gosdk"
	if out, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("building the Go SDK's server: %v\n%s", err, out)
	}
	return bin
}

// BenchmarkCall is one quick call without pipes and processes.
func BenchmarkCall(b *testing.B) {
	for name, meta := range map[string]string{
		"Legacy": "",
		"Modern": `,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"}}`,
	} {
		b.Run(name, func(b *testing.B) {
			const calls = 20_000
			var in strings.Builder
			for i := range calls {
				fmt.Fprintf(&in, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"thing_show","arguments":{"name":"mesa"}%s}}`+"\n", i, meta)
			}
			for b.Loop() {
				opts := mcp.Options{Catalog: testCatalog(), In: strings.NewReader(in.String()), Out: io.Discard, Version: "test"}
				if err := mcp.Serve(b.Context(), opts); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/calls, "ns/call")
		})
	}
}
