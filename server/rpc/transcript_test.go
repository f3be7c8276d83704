package rpc_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chiltepin/tools/operation"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"chiltepin/server/rpc"
)

var update = flag.Bool("update", false, "rewrite the transcripts")

func report(ctx context.Context, stage, text string) {
	operation.Report(ctx, operation.Progress{Stage: stage, Text: text})
}

// wire is what a client sees of a server under test.
type wire struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	seen int
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.Write(p)
}

// news returns the messages since the last time, one a line, and fails the
// test on anything between them.
func (w *wire) news(t *testing.T, headers bool) (lines []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := bufio.NewReader(strings.NewReader(w.buf.String()[w.seen:]))
	w.seen = w.buf.Len()
	for {
		length := -1
		line, err := r.ReadString('\n')
		if err == io.EOF && line == "" {
			return lines
		}
		if headers {
			value, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "Content-Length: ")
			if length, err = strconv.Atoi(value); !ok || err != nil {
				t.Fatalf("not a header: %q", line)
			}
			if blank, err := r.ReadString('\n'); err != nil || blank != "\r\n" {
				t.Fatalf("not a blank line: %q", blank)
			}
			body := make([]byte, length)
			if _, err := io.ReadFull(r, body); err != nil {
				t.Fatalf("half a message: %v", err)
			}
			line = string(body) + "\n"
		}
		if !strings.HasSuffix(line, "\n") || !json.Valid([]byte(line)) {
			t.Errorf("not a message: %q", line)
		}
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
}

// TestTranscripts plays what a client says and compares what the server
// answers. A file begins with words about it and with options, one a line
// ("# readonly", "# headers"). Among the client's lines "# sleep 11s" lets
// time pass, "# tell mesa" has a watch tell, "# dies" ends the client's
// process.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("../../testdata/transcripts/rpc/*.txtar")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d transcripts, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			ar, err := txtar.ParseFile(file)
			if err != nil || len(ar.Files) < 1 || ar.Files[0].Name != "client" {
				t.Fatalf("not a transcript: %v", err)
			}
			var got string
			synctest.Test(t, func(t *testing.T) { got = play(t, string(ar.Comment), string(ar.Files[0].Data)) })
			if *update {
				ar.Files = append(ar.Files[:1], txtar.File{Name: "server", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if len(ar.Files) != 2 || ar.Files[1].Name != "server" {
				t.Fatal("no server's side; go test -update writes it")
			}
			if d := cmp.Diff(strings.Split(string(ar.Files[1].Data), "\n"), strings.Split(got, "\n")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// play sends the client's lines one by one and returns the server's, and at
// the end how Serve ended.
func play(t *testing.T, head, client string) string {
	var out wire
	in, send := io.Pipe()
	things := &bench{tell: make(chan string)}
	died := make(chan struct{})
	opts := rpc.Options{Catalog: things.catalog(), In: in, Out: &out, Version: "test", Process: func(_ context.Context, pid int) (<-chan struct{}, error) {
		if pid != 4711 {
			return nil, fmt.Errorf("there is no process %d", pid)
		}
		return died, nil
	}}
	headers := false
	for line := range strings.Lines(head) {
		switch strings.TrimSpace(line) {
		case "# readonly":
			opts.Policy.ReadOnly = true
		case "# no destructive":
			opts.Policy.NoDestructive = true
		case "# fixed":
			opts.Policy.ConfigDir = "/things"
		case "# headers":
			headers = true
		}
	}
	done := make(chan error, 1)
	go func() { done <- rpc.Serve(t.Context(), opts) }()
	var b strings.Builder
	take := func() {
		synctest.Wait()
		for _, line := range out.news(t, headers) {
			b.WriteString(line + "\n")
		}
	}
	for line := range strings.Lines(client) {
		text := strings.TrimSpace(line)
		word, rest, _ := strings.Cut(strings.TrimPrefix(text, "# "), " ")
		switch {
		case !strings.HasPrefix(text, "# "):
			if headers {
				line = fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(text), text)
			}
			if _, err := io.WriteString(send, line); err != nil {
				t.Fatal(err)
			}
		case word == "sleep":
			d, err := time.ParseDuration(rest)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(d)
		case word == "tell":
			things.tell <- rest
		case word == "dies":
			close(died)
		case word == "ended":
			synctest.Wait()
			select {
			case err := <-done:
				done <- err
			default:
				t.Error("the server has not ended")
			}
		default:
			t.Fatalf("not understood: %s", line)
		}
		take()
	}
	if err := send.Close(); err != nil {
		t.Fatal(err)
	}
	err := <-done
	in.Close()              // the reader of a server that ended otherwise
	time.Sleep(time.Second) // the watchman goes home
	take()
	for _, what := range things.done {
		b.WriteString("# " + what + "\n")
	}
	fmt.Fprintf(&b, "# Serve: %v\n", err)
	return b.String()
}
