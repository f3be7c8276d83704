package stdio_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/server/stdio"
)

// readAll reads in to its end and returns the messages and what was answered.
func readAll(t testing.TB, in io.Reader, opts stdio.Options) (messages []string, answers string) {
	t.Helper()
	var out bytes.Buffer
	s := stdio.New(in, &out, opts)
	for {
		msg, err := s.Read()
		if errors.Is(err, io.EOF) {
			return messages, out.String()
		}
		if err != nil {
			t.Fatalf("reading: %v", err)
		}
		messages = append(messages, string(msg))
	}
}

func fault(code int, text string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":null,"error":{"code":%d,"message":"%s"}}`+"\n", code, text)
}

func TestRead(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 10_001) + "1" + strings.Repeat("}", 10_001)
	tests := []struct {
		name, in string
		opts     stdio.Options
		want     []string
		answers  string
	}{
		{name: "Lines", in: "{\"a\":1}\n{\"b\":2}\r\n", want: []string{`{"a":1}`, `{"b":2}`}},
		{name: "LastLineWithoutLineFeed", in: "{\"a\":1}\n{\"b\":2}", want: []string{`{"a":1}`, `{"b":2}`}},
		{name: "BlankLinesAndMark", in: "\xef\xbb\xbf\n \n\t{\"a\":1}\n\n", want: []string{`{"a":1}`}},
		{name: "Headers", in: "Content-Length: 7\r\n\r\n{\"a\":1}content-type: x\ncontent-length:7\n\n{\"b\":2}", want: []string{`{"a":1}`, `{"b":2}`}},
		{name: "HeadersAfterLines", in: "{\"a\":1}\nContent-Length: 7\r\n\r\n{\"b\":2}{\"c\":3}\n", want: []string{`{"a":1}`, `{"b":2}`, `{"c":3}`}},
		{name: "Garbage", in: "\x00\x01\n{\"a\":1}\n", want: []string{`{"a":1}`}, answers: fault(-32700, "the message is not JSON at byte 1")},
		{name: "Half", in: "{\"a\":\n{\"a\":1}\n", want: []string{`{"a":1}`}, answers: fault(-32700, "the message is not JSON: it ends too early")},
		{name: "TwoOnALine", in: "{} {}\n", answers: fault(-32700, "the message is not JSON at byte 4")},
		{name: "NotUTF8", in: "{\"a\":\"\xff\"}\n{}\n", want: []string{`{}`}, answers: fault(-32700, "the message is not UTF-8")},
		{name: "NoObject", in: "17\n\"x\"\n", answers: strings.Repeat(fault(-32600, "a message is a JSON object"), 2)},
		{name: "Batch", in: "[{}]\n", answers: fault(-32600, "batches are not taken: send one message a line")},
		{name: "BatchTaken", in: "[{}]\n", opts: stdio.Options{Batches: true}, want: []string{`[{}]`}},
		{name: "TooDeep", in: deep + "\n{}\n", want: []string{`{}`}, answers: fault(-32700, "the message is not JSON at byte 50001")},
		{name: "TooLong", in: `{"a":"` + strings.Repeat("x", 100_000) + "\"}\n{}\n", opts: stdio.Options{Limit: 64}, want: []string{`{}`}, answers: fault(-32600, "the message is longer than 64 bytes")},
		{name: "AsLongAsAllowed", in: `{"a":"` + strings.Repeat("x", 56) + "\"}\n", opts: stdio.Options{Limit: 64}, want: []string{`{"a":"` + strings.Repeat("x", 56) + `"}`}},
		{name: "TooLongByHeader", in: "Content-Length: 65\r\n\r\n" + strings.Repeat(" ", 65) + "Content-Length: 2\r\n\r\n{}", opts: stdio.Options{Limit: 64}, want: []string{`{}`}, answers: "Content-Length: 99\r\n\r\n" + strings.TrimSpace(fault(-32600, "the message is longer than 64 bytes"))},
		{name: "HeaderWithoutLength", in: "{}\nContent-Type: x\r\n\r\n{}\n", want: []string{`{}`, `{}`}, answers: fault(-32700, "the headers before the message lack Content-Length")},
		{name: "HeaderLies", in: "{}\nContent-Length: 99\r\n\r\n{}", want: []string{`{}`}, answers: fault(-32700, "the message ends after 2 of 99 bytes")},
		{name: "HeaderNoNumber", in: "{}\nContent-Length: -1\r\n\r\n{}\n", want: []string{`{}`, `{}`}, answers: fault(-32700, "Content-Length is not a number of bytes")},
		{name: "NeitherJSONNorHeader", in: "{}\nCannot open display\n{}\n", want: []string{`{}`, `{}`}, answers: fault(-32700, "the message is neither JSON nor a header")},
		{name: "EndWithinHeaders", in: "{}\nContent-Length: 2\r\n", want: []string{`{}`}, answers: fault(-32700, "the input ended within the headers of a message")},
		{name: "EndlessHeaders", in: "{}\nContent-X: " + strings.Repeat("x", 9000) + "\n{}\n", want: []string{`{}`, `{}`}, answers: fault(-32700, "the headers before the message are too long")},
		{name: "Nothing", in: ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, answers := readAll(t, strings.NewReader(tt.in), tt.opts)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("messages (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.answers, answers); d != "" {
				t.Errorf("answers (-want +got):\n%s", d)
			}
		})
	}
}

// FuzzRead: whatever arrives, only well-formed objects come through, what is
// answered is well formed too, and it does not matter how the bytes were cut.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"{}\n", "{\"a\":1}", "Content-Length: 2\r\n\r\n{}", "c:\n\n", "Content-Length: 9\n\n{}", "\xef\xbb\xbf{}", "[1]\n\n", "{\"a\":\"\xff\"}\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		opts := stdio.Options{Limit: 128}
		got, answers := readAll(t, bytes.NewReader(in), opts)
		for _, m := range got {
			if !json.Valid([]byte(m)) || m[0] != '{' || len(m) > 128 {
				t.Errorf("came through: %q", m)
			}
		}
		back, errs := readAll(t, strings.NewReader(answers), stdio.Options{})
		if errs != "" {
			t.Errorf("answered %q", answers)
		}
		for _, m := range back {
			if !strings.HasPrefix(m, `{"jsonrpc":"2.0","id":null,"error":{"code":-32`) {
				t.Errorf("answered %q", m)
			}
		}
		again, answersAgain := readAll(t, iotest.OneByteReader(bytes.NewReader(in)), opts)
		if d := cmp.Diff(got, again); d != "" || answers != answersAgain {
			t.Errorf("byte by byte it reads otherwise:\n%s\n%q\n%q", d, answers, answersAgain)
		}
	})
}

// FuzzRoundTrip: what one stream writes, another reads, in both framings.
func FuzzRoundTrip(f *testing.F) {
	f.Add("héllo\n", false)
	f.Add("Content-Length: 1", true)
	f.Fuzz(func(t *testing.T, text string, headers bool) {
		var wire bytes.Buffer
		first := "{}\n"
		if headers {
			first = "Content-Length: 2\n\n{}"
		}
		s := stdio.New(strings.NewReader(first), &wire, stdio.Options{})
		if _, err := s.Read(); err != nil {
			t.Fatal(err)
		}
		msg, err := json.Marshal(map[string]string{"text": text})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.Write(msg); err != nil {
				t.Fatal(err)
			}
		}
		got, answers := readAll(t, &wire, stdio.Options{})
		if d := cmp.Diff([]string{string(msg), string(msg)}, got); d != "" || answers != "" {
			t.Errorf("(-wrote +read):\n%s%s", d, answers)
		}
	})
}

// TestWriteLater: later writes leave before the stream waits for input, and
// in the order in which they were made.
func TestWriteLater(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	seen := ""
	in := io.MultiReader(strings.NewReader("{}\n"), readerFunc(func([]byte) (int, error) {
		seen = out.String()
		return 0, io.EOF
	}))
	s := stdio.New(in, &out, stdio.Options{})
	if _, err := s.Read(); err != nil {
		t.Fatal(err)
	}
	if err := s.WriteLater([]byte(`{"n":1}`)); err != nil {
		t.Fatal(err)
	}
	if out.Len() != 0 {
		t.Errorf("sent too early: %q", out.String())
	}
	if err := s.WriteLater([]byte(`{"n":2}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want EOF", err)
	}
	if want := "{\"n\":1}\n{\"n\":2}\n"; seen != want {
		t.Errorf("sent before waiting: %q, want %q", seen, want)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestWriters: many writers at once never interleave.
func TestWriters(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := stdio.New(strings.NewReader(""), &out, stdio.Options{})
	msg := []byte(`{"text":"` + strings.Repeat("x", 100_000) + `"}`)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := s.Write(msg); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, want := out.String(), strings.Repeat(string(msg)+"\n", 20); got != want {
		t.Error("messages were interleaved")
	}
}

func TestBrokenOutput(t *testing.T) {
	t.Parallel()
	s := stdio.New(strings.NewReader("x\n{}\n"), failing{}, stdio.Options{})
	if _, err := s.Read(); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("reading what must be answered: %v, want a closed pipe", err)
	}
	if err := s.Write([]byte("{}")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("writing: %v, want a closed pipe", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestTrace(t *testing.T) {
	t.Parallel()
	var got []string
	s := stdio.New(strings.NewReader("{\"a\":1}\n"), io.Discard, stdio.Options{Trace: func(sent bool, m []byte) {
		got = append(got, fmt.Sprint(sent, " ", string(m)))
	}})
	if _, err := s.Read(); err != nil {
		t.Fatal(err)
	}
	if err := s.Write([]byte(`{"b":2}`)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{`false {"a":1}`, `true {"b":2}`}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestFull: a client that does not read holds so much of ours and no more;
// once it reads, all of it arrives in order.
func TestFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, out := io.Pipe()
		s := stdio.New(strings.NewReader(""), out, stdio.Options{Held: 1000})
		msg := []byte(`{"text":"` + strings.Repeat("x", 89) + `"}`) // 101 bytes with its line feed
		var written atomic.Int32
		for range 20 {
			go func() {
				if err := s.Write(msg); err != nil {
					t.Error(err)
				}
				written.Add(1)
			}()
		}
		synctest.Wait()
		if n := written.Load(); !s.Full() || n > 10 {
			t.Errorf("full is %v and %d writers had room, want at most 10", s.Full(), n)
		}
		if s.StuckFor() != 0 {
			t.Errorf("stuck for %v when no time has passed", s.StuckFor())
		}
		time.Sleep(time.Second)
		if s.StuckFor() != time.Second {
			t.Errorf("stuck for %v, want 1s", s.StuckFor())
		}
		got := bufio.NewReader(client)
		for range 20 {
			line, err := got.ReadString('\n')
			if err != nil || line != string(msg)+"\n" {
				t.Fatalf("read %q, %v", line, err)
			}
		}
		<-s.Sent()
		synctest.Wait()
		if s.Full() || written.Load() != 20 {
			t.Errorf("full is %v, and %d of 20 were written", s.Full(), written.Load())
		}
	})
}

// TestAbandon: who waits for room in an output that is given up waits no
// longer.
func TestAbandon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, out := io.Pipe()
		s := stdio.New(strings.NewReader(""), out, stdio.Options{Held: 1})
		failed := make(chan error, 3)
		for range 3 {
			go func() { failed <- s.Write([]byte(`{"n":1}`)) }()
		}
		synctest.Wait()
		s.Abandon()
		<-s.Broken()
		<-s.Sent()
		client.Close() // the one that is writing
		for range 3 {
			if <-failed == nil {
				t.Error("a message was written to an output that was given up")
			}
		}
	})
}
