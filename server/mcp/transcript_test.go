package mcp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chiltepin/tools/operation"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"chiltepin/server/mcp"
	"chiltepin/tools"
)

var update = flag.Bool("update", false, "rewrite the transcripts")

// report is what an operation does to tell how far it is.
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

// news returns the lines since the last time.
func (w *wire) news(t *testing.T) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var lines []string
	for line := range strings.Lines(w.buf.String()[w.seen:]) {
		if !strings.HasSuffix(line, "\n") || !json.Valid([]byte(line)) {
			t.Errorf("not a message: %q", line)
		}
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	w.seen = w.buf.Len()
	return lines
}

// TestTranscripts plays what a client says and compares what the server
// answers. A file begins with words about it and with options, one a line
// ("# readonly"). Among the client's lines "# sleep 11s" lets time pass, and
// "# change mesa text" changes a resource.
// Sealed states are written $STATE: the last one seen is put in.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("../../testdata/transcripts/*.txtar")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d transcripts, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			ar, err := txtar.ParseFile(file)
			if err != nil || len(ar.Files) != 2 || ar.Files[0].Name != "client" || ar.Files[1].Name != "server" {
				t.Fatalf("not a transcript: %v", err)
			}
			var got string
			synctest.Test(t, func(t *testing.T) { got = play(t, string(ar.Comment), string(ar.Files[0].Data)) })
			if *update {
				ar.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(strings.Split(string(ar.Files[1].Data), "\n"), strings.Split(got, "\n")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// play sends the client's lines one by one and returns the server's.
func play(t *testing.T, head, client string) string {
	var out wire
	in, send := io.Pipe()
	opts := mcp.Options{Catalog: testCatalog(), Instructions: tools.Instructions, In: in, Out: &out, Version: "test"}
	things := &shelf{text: map[string]string{"mesa": "as it was"}}
	for line := range strings.Lines(head) {
		switch strings.TrimSpace(line) {
		case "# readonly":
			opts.Policy.ReadOnly = true
		case "# fixed":
			opts.Policy.ConfigDir = "/things"
		case "# host consents":
			opts.Consent = mcp.ConsentHost
		case "# legacy only":
			opts.LegacyOnly = true
		case "# resources":
			opts.Resources, opts.Guides = things.resources(), testGuides()
		}
	}
	done := make(chan error, 1)
	go func() { done <- mcp.Serve(t.Context(), opts) }()
	var b strings.Builder
	state := "none"
	take := func() {
		for _, line := range out.news(t) {
			var m struct {
				Result struct {
					RequestState string `json:"requestState"`
				} `json:"result"`
			}
			if json.Unmarshal([]byte(line), &m) == nil && m.Result.RequestState != "" {
				state = m.Result.RequestState
				line = strings.ReplaceAll(line, state, "$STATE")
			}
			b.WriteString(line + "\n")
		}
	}
	for line := range strings.Lines(client) {
		if nap, ok := strings.CutPrefix(strings.TrimSpace(line), "# sleep "); ok {
			d, err := time.ParseDuration(nap)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(d)
		} else if change, ok := strings.CutPrefix(strings.TrimSpace(line), "# change "); ok {
			name, text, _ := strings.Cut(change, " ")
			things.put(name, text)
		} else if _, err := io.WriteString(send, strings.ReplaceAll(line, "$STATE", state)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		take()
	}
	if err := send.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	time.Sleep(time.Second) // the watchman goes home
	take()
	return b.String()
}
