package jsonrpc_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/server/jsonrpc"
)

func fault(code int, text string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":null,"error":{"code":%d,"message":"%s"}}`, code, text)
}

// TestIDs: all that was sent is answered, under the very id, in spite of what
// stands between and of the end of input.
func TestIDs(t *testing.T) {
	t.Parallel()
	got := map[string]int{}
	for _, line := range new(dialect).say(t,
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
	) {
		got[line]++
	}
	want := map[string]int{
		`{"jsonrpc":"2.0","id":1,"result":"done"}`:                                                                        1,
		`{"jsonrpc":"2.0","id":-1,"result":"done"}`:                                                                       1,
		`{"jsonrpc":"2.0","id":9007199254740993,"result":"done"}`:                                                         1,
		`{"jsonrpc":"2.0","id":123456789012345678901234567890,"result":"done"}`:                                           1,
		`{"jsonrpc":"2.0","id":"one","result":"done"}`:                                                                    1,
		`{"jsonrpc":"2.0","id":"1","result":"done"}`:                                                                      1,
		`{"jsonrpc":"2.0","id":"<two>","result":"done"}`:                                                                  1,
		fault(-32700, "the message is not JSON at byte 2"):                                                                1,
		fault(-32600, "the id must not be null"):                                                                          1,
		fault(-32600, "the id must be a string or a whole number"):                                                        1,
		`{"jsonrpc":"2.0","id":1.5,"error":{"code":-32600,"message":"the id must be a string or a whole number"}}`:        1,
		fault(-32600, "batches are not taken: send one message a line"):                                                   1,
		`{"jsonrpc":"2.0","id":7,"error":{"code":-32600,"message":"a message has a method, a result or an error"}}`:       1,
		`{"jsonrpc":"2.0","id":7,"error":{"code":-32600,"message":"the method must be a string"}}`:                        1,
		`{"jsonrpc":"2.0","id":7,"error":{"code":-32600,"message":"jsonrpc must be \"2.0\""}}`:                            1,
		`{"jsonrpc":"2.0","id":"\u006fne","error":{"code":-32600,"message":"a request with this id is still under way"}}`: 1,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestParams: parameters reach a method as they were written.
func TestParams(t *testing.T) {
	t.Parallel()
	d := &dialect{}
	got := d.say(t,
		`{"jsonrpc":"2.0","id":1,"method":"echo","params":{"b":1.0,"a":"<"}}`,
		`{"method" : "\u0065cho", "\u0069d":2 , "params":[ 1, {"id":"}"} ],"jsonrpc":"2.0"}`,
		`{"jsonrpc":"2.0","method":"hello"}`, `{"jsonrpc":"2.0","method":"hello","params":{"a":"\""}}`,
		`{"jsonrpc":"2.0","id":5,"result":{"z":1}}`)
	if d := cmp.Diff([]string{`{"jsonrpc":"2.0","id":1,"result":{"b":1.0,"a":"<"}}`, `{"jsonrpc":"2.0","id":2,"result":[ 1, {"id":"}"} ]}`}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"hello null", `hello {"a":"\""}`}, d.heard); d != "" {
		t.Errorf("notifications (-want +got):\n%s", d)
	}
}

// TestReplyOnce: only the first answer to a request is sent, and an id that
// was answered is free again.
func TestReplyOnce(t *testing.T) {
	t.Parallel()
	const twice = `{"jsonrpc":"2.0","id":1,"method":"twice"}`
	want := []string{`{"jsonrpc":"2.0","id":1,"result":"<"}`, `{"jsonrpc":"2.0","id":1,"result":"<"}`}
	if d := cmp.Diff(want, new(dialect).say(t, twice, twice)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestPanic: a method that panics fails alone, in neutral words.
func TestPanic(t *testing.T) {
	t.Parallel()
	want := []string{
		`{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"the request failed inside; this is a bug"}}`,
		`{"jsonrpc":"2.0","id":2,"result":null}`,
	}
	if d := cmp.Diff(want, new(dialect).say(t, `{"jsonrpc":"2.0","id":1,"method":"panic"}`, `{"jsonrpc":"2.0","id":2,"method":"echo"}`)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestDrainBound: an answer that never comes holds the end up only so long.
func TestDrainBound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &dialect{work: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		began := time.Now()
		err := <-d.serve(t.Context(), jsonrpc.Options{In: strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"work"}`), Out: io.Discard,
			Drain: func() time.Duration { return 10 * time.Millisecond }})
		if took := time.Since(began); err != nil || took != 10*time.Millisecond {
			t.Errorf("ended with %v after %v, want after 10ms", err, took)
		}
		time.Sleep(time.Second) // the watchman goes home
	})
}

// TestAsk: a question of ours has an id of its own kind, its answer is found
// among the client's messages, and one that nobody answers ends with the
// input.
func TestAsk(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ prefix, id string }{{"", "0"}, {"ours-", `"ours-1"`}} {
		in, send := io.Pipe()
		out, w := io.Pipe()
		d := &dialect{}
		done := d.serve(t.Context(), jsonrpc.Options{In: in, Out: w, AskPrefix: tt.prefix})
		read := bufio.NewReader(out)
		for _, step := range []struct{ say, hear string }{
			{`{"jsonrpc":"2.0","id":0,"method":"ask"}`, `{"id":` + tt.id + `,"jsonrpc":"2.0","method":"question","params":{"n":1}}`},
			{`{"jsonrpc":"2.0","id":` + tt.id + `,"result":{"yes":true}}`, `{"jsonrpc":"2.0","id":0,"result":{"yes":true}}`},
			{`{"jsonrpc":"2.0","id":1,"method":"ask"}`, ""},
		} {
			if _, err := io.WriteString(send, step.say+"\n"); err != nil {
				t.Fatal(err)
			}
			line, err := read.ReadString('\n')
			if err != nil || step.hear != "" && line != step.hear+"\n" {
				t.Fatalf("after %s it said %s, %v", step.say, line, err)
			}
		}
		send.Close()
		if line, err := read.ReadString('\n'); err != nil || line != `{"jsonrpc":"2.0","id":1,"result":"the client has gone"}`+"\n" {
			t.Errorf("a question without an answer ended with %s, %v", line, err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestCancelWaiting: of a thousand calls that are cancelled at once, no more
// are begun than may be worked on at once, and every one is answered.
func TestCancelWaiting(t *testing.T) {
	t.Parallel()
	for _, silent := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			d := &dialect{work: func(ctx context.Context) error { <-ctx.Done(); <-release; return ctx.Err() }}
			in, send := io.Pipe()
			var out strings.Builder
			done := d.serve(t.Context(), jsonrpc.Options{In: in, Out: &out, SilentCancel: silent})
			for i := range 1000 {
				fmt.Fprintf(send, `{"jsonrpc":"2.0","id":%d,"method":"work"}`+"\n", i)
			}
			synctest.Wait()
			for i := range 1000 {
				fmt.Fprintf(send, `{"jsonrpc":"2.0","method":"cancel","params":%d}`+"\n", 999-i)
			}
			synctest.Wait()
			close(release)
			send.Close()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if n := d.count(); n != 64 {
				t.Errorf("%d calls were begun, want 64", n)
			}
			want := 1000
			if silent {
				want = 0
			}
			if got := strings.Count(out.String(), `"error":{"code":-32800`); got != want {
				t.Errorf("silent %v: %d calls were answered, want %d", silent, got, want)
			}
			time.Sleep(time.Second) // the watchman goes home
		})
	}
}

// TestLongID: a request whose id takes long to take apart is under way before
// another goroutine reads on, so that neither the end of the input nor a
// cancellation right behind it overtakes it.
func TestLongID(t *testing.T) {
	t.Parallel()
	d := &dialect{}
	givenUp := false
	d.work = func(ctx context.Context) error {
		<-ctx.Done()
		givenUp = d.core.Context().Err() != nil
		return ctx.Err()
	}
	const letters = 5 << 20
	id := `"` + strings.Repeat(`\u0061`, letters) + `"`
	talk := `{"jsonrpc":"2.0","id":` + id + `,"method":"work"}` + "\n" +
		`{"jsonrpc":"2.0","method":"cancel","params":"` + strings.Repeat(`a`, letters) + `"}` + "\n"
	var out strings.Builder
	// The bound ends a call that nobody cancels.
	drain := func() time.Duration { return time.Minute }
	if err := <-d.serve(t.Context(), jsonrpc.Options{In: strings.NewReader(talk), Out: &out, Drain: drain}); err != nil {
		t.Fatal(err)
	}
	if want := `{"jsonrpc":"2.0","id":` + id + `,"error":{"code":-32800,"message":"cancelled"}}` + "\n"; out.String() != want {
		t.Errorf("%d bytes were answered, want %d", out.Len(), len(want))
	}
	if givenUp {
		t.Error("the cancellation was lost")
	}
}

// TestManyPending: reading stops while a thousand requests are under way, and
// goes on when they are answered.
func TestManyPending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		work := make(chan struct{})
		d := &dialect{work: func(context.Context) error { <-work; return nil }}
		in, send := io.Pipe()
		var out strings.Builder
		done := d.serve(t.Context(), jsonrpc.Options{In: in, Out: &out})
		const line = `{"jsonrpc":"2.0","id":%6d,"method":"work","params":"` + "%0500d" + `"}` + "\n"
		client := &counted{w: send}
		go func() {
			for i := range 5000 {
				fmt.Fprintf(client, line, i, 0)
			}
			send.Close()
		}()
		synctest.Wait()
		if most := 1024*len(fmt.Sprintf(line, 0, 0)) + 64<<10; client.sent() > most {
			t.Errorf("%d bytes were read, want at most %d", client.sent(), most)
		}
		close(work)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := strings.Count(out.String(), `"result":"done"`); n != 5000 {
			t.Errorf("%d of 5000 were answered", n)
		}
		time.Sleep(time.Second) // the watchman goes home
	})
}

// TestQuickThatHangs: a call that was quick so far, and hangs this time, holds
// nobody up; it is answered when it ends, and not with the next message.
func TestQuickThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nap := time.Duration(0)
		d := &dialect{work: func(context.Context) error { time.Sleep(nap); return nil }}
		in, send := io.Pipe()
		out, w := io.Pipe()
		done := d.serve(t.Context(), jsonrpc.Options{In: in, Out: w})
		read := bufio.NewReader(out)
		hear := func(want string) {
			t.Helper()
			if line, err := read.ReadString('\n'); err != nil || !strings.Contains(line, want) {
				t.Errorf("heard %s, %v; want %s", line, err, want)
			}
		}
		for i := range 5 {
			fmt.Fprintf(send, `{"jsonrpc":"2.0","id":%d,"method":"work"}`+"\n", i)
			hear(fmt.Sprintf(`"id":%d`, i))
		}
		nap = 10 * time.Second
		began := time.Now()
		io.WriteString(send, `{"jsonrpc":"2.0","id":5,"method":"work"}`+"\n"+`{"jsonrpc":"2.0","id":6,"method":"echo"}`+"\n")
		hear(`"id":6`)
		if took := time.Since(began); took > 50*time.Millisecond {
			t.Errorf("the next message was answered after %v", took)
		}
		hear(`"id":5`)
		if took := time.Since(began); took != nap {
			t.Errorf("the call was answered after %v, want %v", took, nap)
		}
		send.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second) // the watchman goes home
	})
}

// TestClientDoesNotRead: a client that sends and never reads leaves at most 16
// MiB with us, then reading stops; and the end of the context ends the server
// though its output is blocked.
func TestClientDoesNotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &dialect{work: func(context.Context) error { return nil }}
		in, send := io.Pipe()
		_, blocked := io.Pipe()
		ctx, signal := context.WithCancel(t.Context())
		done := d.serve(ctx, jsonrpc.Options{In: in, Out: blocked})
		line := `{"jsonrpc":"2.0","id":%d,"method":"echo","params":"` + strings.Repeat("x", 100_000) + `"}` + "\n"
		client := &counted{w: send}
		go func() {
			for i := range 3280 { // 328 MB
				fmt.Fprintf(client, line, i)
				fmt.Fprintf(client, `{"jsonrpc":"2.0","id":%d,"method":"work"}`+"\n", 10_000+i)
			}
		}()
		time.Sleep(100 * time.Second)
		synctest.Wait()
		if n := client.sent(); n < 16<<20 || n > 17<<20 {
			t.Errorf("%d bytes were read and answered before the reading stopped, want 16 MiB", n)
		}
		began := time.Now()
		signal()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Errorf("it took %v to end", took)
		}
		in.Close()
		blocked.Close()
		time.Sleep(time.Second) // the watchman goes home
	})
}

// TestBlockedOutputAndWork: what is under way when the server is told to end,
// with its output blocked, is given up and has its time to end.
func TestBlockedOutputAndWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		landed := false
		d := &dialect{work: func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(500 * time.Millisecond)
			landed = true
			return ctx.Err()
		}}
		in, send := io.Pipe()
		_, blocked := io.Pipe()
		ctx, signal := context.WithCancel(t.Context())
		done := d.serve(ctx, jsonrpc.Options{In: in, Out: blocked})
		io.WriteString(send, `{"jsonrpc":"2.0","id":1,"method":"work"}`+"\n"+`{"jsonrpc":"2.0","id":2,"method":"echo"}`+"\n")
		time.Sleep(time.Minute)
		began := time.Now()
		signal()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if took := time.Since(began); !landed || took != 500*time.Millisecond {
			t.Errorf("ended after %v, landed is %v; want after 500ms, landed", took, landed)
		}
		in.Close()
		blocked.Close()
		time.Sleep(time.Second) // the watchman goes home
	})
}

// TestOutputCloses: once the output is closed, calls end and nothing more is
// begun, though the input is open.
func TestOutputCloses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{}, 1)
		d := &dialect{work: func(ctx context.Context) error {
			<-ctx.Done()
			ended <- struct{}{}
			return ctx.Err()
		}}
		in, send := io.Pipe()
		done := d.serve(t.Context(), jsonrpc.Options{In: in, Out: brokenPipe{}})
		io.WriteString(send, `{"jsonrpc":"2.0","id":1,"method":"work"}`+"\n")
		synctest.Wait()
		io.WriteString(send, `{"jsonrpc":"2.0","id":2,"method":"echo"}`+"\n")
		if err := <-done; !errors.Is(err, errBroken) {
			t.Errorf("Serve: %v, want that the pipe is broken", err)
		}
		<-ended
		go func() {
			io.WriteString(send, `{"jsonrpc":"2.0","id":3,"method":"work"}`+"\n")
		}()
		time.Sleep(time.Second) // the watchman goes home
		if d.count() != 1 {
			t.Errorf("%d calls were begun, want 1", d.count())
		}
		in.Close()
	})
}

var errBroken = errors.New("broken pipe")

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errBroken }
