package stdio_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sourcegraph/jsonrpc2"

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

// TestObjectStream: jsonrpc2 over this stream answers all that it was sent,
// under the very id, in spite of what stands between and of the end of input.
func TestObjectStream(t *testing.T) {
	t.Parallel()
	in := strings.NewReader(strings.Join([]string{
		`{"jsonrpc":"2.0","id":1,"method":"slow"}`,
		`nonsense`,
		`{"jsonrpc":"2.0","id":-1,"method":"slow"}`,
		`{"jsonrpc":"2.0","id":9007199254740993,"method":"slow"}`,
		`{"jsonrpc":"2.0","id":123456789012345678901234567890,"method":"slow"}`,
		`{"jsonrpc":"2.0","id":1.5,"method":"slow"}`,
		`{"jsonrpc":"2.0","id":null,"method":"slow"}`,
		`{"jsonrpc":"2.0","id":{},"method":"slow"}`,
		`{"jsonrpc":"2.0","id":7}`,
		`{"jsonrpc":"2.0","id":7,"method":17}`,
		`{"jsonrpc":"1.0","id":7,"method":"slow"}`,
		`[{"jsonrpc":"2.0","id":7,"method":"slow"}]`,
		`{"jsonrpc":"2.0","id":"one","method":"slow"}`,
		`{"jsonrpc":"2.0","id":"\u006fne","method":"slow"}`,
		`{"jsonrpc":"2.0","id":"1","method":"slow"}`,
		`{"jsonrpc":"2.0","id":null,"result":1}`,
		`{"jsonrpc":"2.0","id":"<two>","method":"slow"}`,
	}, "\n"))
	var out bytes.Buffer
	s := stdio.New(in, &out, stdio.Options{})
	h := jsonrpc2.HandlerWithError(func(_ context.Context, _ *jsonrpc2.Conn, _ *jsonrpc2.Request) (any, error) {
		time.Sleep(20 * time.Millisecond)
		return "done", nil
	})
	conn := jsonrpc2.NewConn(t.Context(), s, jsonrpc2.AsyncHandler(h))
	<-conn.DisconnectNotify()
	got := map[string]int{}
	for line := range strings.Lines(out.String()) {
		got[strings.TrimSpace(line)]++
	}
	want := map[string]int{
		`{"jsonrpc":"2.0","id":1,"result":"done"}`:                                                                        1,
		`{"jsonrpc":"2.0","id":-1,"result":"done"}`:                                                                       1,
		`{"jsonrpc":"2.0","id":9007199254740993,"result":"done"}`:                                                         1,
		`{"jsonrpc":"2.0","id":123456789012345678901234567890,"result":"done"}`:                                           1,
		`{"jsonrpc":"2.0","id":"one","result":"done"}`:                                                                    1,
		`{"jsonrpc":"2.0","id":"1","result":"done"}`:                                                                      1,
		`{"jsonrpc":"2.0","id":"<two>","result":"done"}`:                                                                  1,
		strings.TrimSpace(fault(-32700, "the message is not JSON at byte 2")):                                             1,
		strings.TrimSpace(fault(-32600, "the id must not be null")):                                                       1,
		strings.TrimSpace(fault(-32600, "the id must be a string or a whole number")):                                     2,
		strings.TrimSpace(fault(-32600, "batches are not taken: send one message a line")):                                1,
		`{"jsonrpc":"2.0","id":7,"error":{"code":-32600,"message":"a message has a method, a result or an error"}}`:       1,
		`{"jsonrpc":"2.0","id":7,"error":{"code":-32600,"message":"the method must be a string"}}`:                        1,
		`{"jsonrpc":"2.0","id":7,"error":{"code":-32600,"message":"jsonrpc must be \"2.0\""}}`:                            1,
		`{"jsonrpc":"2.0","id":"\u006fne","error":{"code":-32600,"message":"a request with this id is still under way"}}`: 1,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestObjectStreamParams: parameters reach the handler as they were written,
// which jsonrpc2 would take apart and put together anew.
func TestObjectStreamParams(t *testing.T) {
	t.Parallel()
	s := stdio.New(strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"x","params":{"b":1.0,"a":"<"}}`+"\n"+
		`{"jsonrpc":"2.0","method":"y"}`+"\n"+`{"jsonrpc":"2.0","id":5,"result":{"z":1}}`), io.Discard, stdio.Options{})
	var req jsonrpc2.Request
	if err := s.ReadObject(&req); err != nil || req.Method != "x" || string(s.Params()) != `{"b":1.0,"a":"<"}` {
		t.Errorf("got %q, %s, %v", req.Method, s.Params(), err)
	}
	if id, ok := s.Pending(json.RawMessage("1")); !ok || id != req.ID || string(s.WireID(id)) != "1" {
		t.Errorf("the request is pending as %v, %v", id, ok)
	}
	if err := s.ReadObject(&req); err != nil || req.Method != "y" || !req.Notif || s.Params() != nil {
		t.Errorf("got %q, %s, %v", req.Method, s.Params(), err)
	}
	var res jsonrpc2.Response
	if err := s.ReadObject(&res); err != nil || res.ID.Num != 5 || string(*res.Result) != `{"z":1}` {
		t.Errorf("got %v, %v", res, err)
	}
}

// TestReplyOnce: only the first answer to a request is sent, and an id that
// was answered is free again.
func TestReplyOnce(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := stdio.New(strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"x"}`+"\n"+`{"jsonrpc":"2.0","id":1,"method":"x"}`), &out, stdio.Options{})
	for range 2 {
		var req jsonrpc2.Request
		if err := s.ReadObject(&req); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.Reply(req.ID, "result", json.RawMessage(`"<"`)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got, want := out.String(), strings.Repeat(`{"jsonrpc":"2.0","id":1,"result":"<"}`+"\n", 2); got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// TestDrainBound: an answer that never comes holds the end up only so long.
func TestDrainBound(t *testing.T) {
	t.Parallel()
	s := stdio.New(strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"x"}`), io.Discard, stdio.Options{Drain: 10 * time.Millisecond})
	var req jsonrpc2.Request
	if err := s.ReadObject(&req); err != nil || req.Method != "x" {
		t.Fatalf("got %v, %v", req.Method, err)
	}
	began := time.Now()
	if err := s.ReadObject(&req); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want EOF", err)
	}
	if took := time.Since(began); took < 10*time.Millisecond || took > 5*time.Minute {
		t.Errorf("waited %v, want about 10ms", took)
	}
}
