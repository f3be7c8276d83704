package mcp_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chiltepin/tools/operation"

	"github.com/google/go-cmp/cmp"

	"chiltepin/server/mcp"
)

// serveOver runs a server over pipes and returns the client's ends. Closing in
// ends it; done says how.
func serveOver(ctx context.Context, opts mcp.Options) (in *io.PipeWriter, out *bufio.Reader, done <-chan error) {
	fromClient, in := io.Pipe()
	toClient, w := io.Pipe()
	opts.In, opts.Out, opts.Version = fromClient, w, "test"
	if opts.Catalog == nil {
		opts.Catalog = testCatalog()
	}
	ended := make(chan error, 1)
	go func() {
		err := mcp.Serve(ctx, opts)
		_ = w.Close()
		ended <- err
	}()
	return in, bufio.NewReaderSize(toClient, 1<<20), ended
}

// message is what a client reads.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		ProgressToken int `json:"progressToken"`
		Progress      int `json:"progress"`
	} `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

func readMessages(t *testing.T, out *bufio.Reader, each func(message)) {
	t.Helper()
	for {
		line, err := out.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		var m message
		if err != nil || json.Unmarshal(line, &m) != nil {
			t.Fatalf("read %q, %v", line, err)
		}
		each(m)
	}
}

// TestLoad sends a thousand calls at once, of every kind: quick, slow with
// progress, failing, cancelled right away. Every call is answered once, but
// those that were cancelled in time; progress grows and comes before its
// answer; nothing is sent after a cancellation was taken.
func TestLoad(t *testing.T) {
	t.Parallel()
	const calls = 1000
	var talk strings.Builder
	cancelled := map[string]bool{}
	for i := range calls {
		switch i % 4 {
		case 0:
			fmt.Fprintf(&talk, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"thing_list"}}`+"\n", i)
		case 1:
			fmt.Fprintf(&talk, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"thing_wait","arguments":{"name":"n%d","timeout":"20ms"},"_meta":{"progressToken":%d}}}`+"\n", i, i, i)
		case 2:
			fmt.Fprintf(&talk, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"thing_show","arguments":{"name":"nope"}}}`+"\n", i)
		case 3:
			fmt.Fprintf(&talk, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"thing_wait","arguments":{"name":"n%d","timeout":"1h"},"_meta":{"progressToken":%d}}}`+"\n", i, i, i)
			fmt.Fprintf(&talk, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`+"\n", i)
			cancelled[fmt.Sprint(i)] = true
		}
	}
	in, out, done := serveOver(t.Context(), mcp.Options{})
	go func() {
		_, _ = io.WriteString(in, strings.TrimSuffix(talk.String(), "\n"))
		_ = in.Close()
	}()
	answered := map[string]int{}
	progress := map[string]int{}
	readMessages(t, out, func(m message) {
		if m.Method == "notifications/progress" {
			id := fmt.Sprint(m.Params.ProgressToken)
			if answered[id] > 0 || m.Params.Progress <= progress[id] {
				t.Errorf("progress %d of %s after %d, answered %d times", m.Params.Progress, id, progress[id], answered[id])
			}
			progress[id] = m.Params.Progress
			return
		}
		answered[string(m.ID)]++
	})
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	for i := range calls {
		id := fmt.Sprint(i)
		want := 1
		if cancelled[id] {
			want = 0
		}
		if answered[id] != want {
			t.Errorf("call %s was answered %d times, want %d", id, answered[id], want)
		}
		if i%4 == 1 && progress[id] != 2 {
			t.Errorf("call %s reported progress %d times, want 2", id, progress[id])
		}
	}
}

// TestCycles connects and closes a hundred times and leaves nothing running.
func TestCycles(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 100 {
		in, out, done := serveOver(t.Context(), mcp.Options{Resources: (&shelf{text: map[string]string{}}).resources()})
		if _, err := io.WriteString(in, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`+"\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := out.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	for range 6000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d goroutines are left, %d there were", runtime.NumGoroutine(), before)
}

// TestBigMessage: twenty megabytes are taken, as an argument that is refused
// in a few words; what is above the limit is refused without being kept.
func TestBigMessage(t *testing.T) {
	t.Parallel()
	in, out, done := serveOver(t.Context(), mcp.Options{Limit: 21 << 20})
	big := strings.Repeat("x", 20<<20)
	began := time.Now()
	go func() {
		for _, body := range []string{big, big + big} {
			_, _ = io.WriteString(in, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"thing_list","arguments":{"x":"`+body+`"}}}`+"\n")
		}
		_, _ = io.WriteString(in, `{"jsonrpc":"2.0","id":2,"method":"ping"}`+"\n")
		_ = in.Close()
	}()
	var got []string
	for {
		line, err := out.ReadString('\n')
		if err != nil {
			break
		}
		got = append(got, strings.TrimSpace(line)[:min(len(line)-1, 120)])
	}
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	slices.Sort(got)
	want := []string{
		`{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"error:\n  code: invalid\n  message: x: no such field`,
		`{"jsonrpc":"2.0","id":2,"result":{}}`,
		`{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the message is longer than 22020096 bytes"}}`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if took := time.Since(began); took > 10*time.Minute {
		t.Errorf("it took %v", took)
	}
}

// TestSlowCalls: twelve slow calls at once take as long as one, and a ping
// among them is answered at once.
func TestSlowCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in, out, done := serveOver(t.Context(), mcp.Options{})
		began := time.Now()
		go func() {
			for i := range 12 {
				_, _ = fmt.Fprintf(in, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"thing_wait","arguments":{"name":"n%d","timeout":"5s"}}}`+"\n", i, i)
			}
			_, _ = io.WriteString(in, `{"jsonrpc":"2.0","id":"ping","method":"ping"}`+"\n")
			_ = in.Close()
		}()
		n := 0
		readMessages(t, out, func(m message) {
			if string(m.ID) == `"ping"` {
				if took := time.Since(began); took != 0 {
					t.Errorf("the ping was answered after %v", took)
				}
				return
			}
			n++
		})
		if took := time.Since(began); n != 12 || took != 5*time.Second {
			t.Errorf("%d answers after %v, want 12 after 5s", n, took)
		}
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

// TestHangingRead: an operation that looks quick and hangs holds
// nobody else up.
func TestHangingRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := define("hang", operation.Reads, func(ctx context.Context, _ noArgs) (dropped, error) {
			<-ctx.Done()
			return dropped{}, ctx.Err()
		})
		in, out, done := serveOver(t.Context(), mcp.Options{Catalog: operation.NewCatalog(hang)})
		began := time.Now()
		go func() {
			_, _ = io.WriteString(in, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"hang"}}
{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"hang"}}
{"jsonrpc":"2.0","id":3,"method":"ping"}
{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}
{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}
`)
			_ = in.Close()
		}()
		var got []string
		readMessages(t, out, func(m message) { got = append(got, string(m.ID)) })
		if d := cmp.Diff([]string{"3"}, got); d != "" {
			t.Errorf("answered (-want +got):\n%s", d)
		}
		if took := time.Since(began); took > 200*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
		time.Sleep(time.Second) // the watchman goes home
	})
}

// TestEnd: what is under way at the end of input finishes within a bound; at
// a signal it has a second.
func TestEnd(t *testing.T) {
	t.Parallel()
	const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"thing_wait","arguments":{"name":"mesa","timeout":"%s"}}}`
	for _, tt := range []struct {
		name, timeout string
		signal        bool
		answers       int
		took          time.Duration
	}{
		{"FinishesAfterTheEnd", "30s", false, 1, 30 * time.Second},
		{"GivenUp", "1h", false, 1, time.Minute},
		{"Signal", "1h", true, 1, time.Second},
		{"SignalJustInTime", "500ms", true, 1, 500 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, signal := context.WithCancel(t.Context())
				defer signal()
				in, out, done := serveOver(ctx, mcp.Options{})
				began := time.Now()
				go func() {
					_, _ = fmt.Fprintf(in, call, tt.timeout)
					_, _ = io.WriteString(in, "\n")
					if tt.signal {
						synctest.Wait()
						signal()
					} else {
						_ = in.Close()
					}
				}()
				n := 0
				readMessages(t, out, func(message) { n++ })
				if err := <-done; err != nil {
					t.Errorf("Serve: %v", err)
				}
				if took := time.Since(began); n != tt.answers || took != tt.took {
					t.Errorf("%d answers, ended after %v; want %d after %v", n, took, tt.answers, tt.took)
				}
				_ = in.Close()
				time.Sleep(time.Minute)
			})
		})
	}
}

// TestBrokenOutput: a client that has gone without a word ends the server.
func TestBrokenOutput(t *testing.T) {
	t.Parallel()
	in, send := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- mcp.Serve(t.Context(), mcp.Options{Catalog: testCatalog(), In: in, Out: brokenPipe{}, Version: "test"})
	}()
	go func() {
		_, _ = io.WriteString(send, `{"jsonrpc":"2.0","id":1,"method":"ping"}`+"\n")
		_, _ = io.WriteString(send, `{"jsonrpc":"2.0","id":2,"method":"ping"}`+"\n")
		_ = send.Close()
	}()
	select {
	case err := <-done:
		if err == nil {
			t.Error("Serve says all is well")
		}
	case <-time.After(5 * time.Minute):
		t.Error("Serve goes on")
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, fmt.Errorf("broken pipe") }
