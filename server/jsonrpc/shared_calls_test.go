package jsonrpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/server/jsonrpc"
)

// sharing is a dialect whose every request waits for one call by its method.
type sharing struct {
	core  *jsonrpc.Core
	calls *jsonrpc.SharedCalls[int]
	work  func(context.Context, func(jsonrpc.ProgressEvent)) jsonrpc.SharedEnd[int]
}

func (s *sharing) HandleRequest(r *jsonrpc.Request) {
	r.Go(func() {
		n, err := s.calls.Do(r, r.Method, nil, s.work)
		var running *jsonrpc.StillRunning
		switch {
		case errors.As(err, &running):
			r.Reply(jsonrpc.Encode("after " + running.Waited.String() + ": " + running.Last))
		case err != nil:
			r.Reply(jsonrpc.Encode(err.Error()))
		default:
			r.Reply(jsonrpc.Encode(n))
		}
	})
}

func (s *sharing) HandleNotification(_ string, params json.RawMessage) { s.core.Cancel(params) }

// TestSharedCalls: the same call joins the one under way; who has waited long
// enough is told what is known; one that everybody gives up ends; a private
// end is not that of those who joined.
func TestSharedCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began, nap := 0, 25*time.Second
		s := &sharing{work: func(ctx context.Context, report func(jsonrpc.ProgressEvent)) jsonrpc.SharedEnd[int] {
			began++
			mine := began
			report(jsonrpc.ProgressEvent{Text: fmt.Sprint("begins ", mine)})
			select {
			case <-time.After(nap):
				return jsonrpc.SharedEnd[int]{Result: mine, Private: mine == 1}
			case <-ctx.Done():
				return jsonrpc.SharedEnd[int]{Err: ctx.Err()}
			}
		}}
		in, send := io.Pipe()
		var out strings.Builder
		s.core = jsonrpc.New(t.Context(), jsonrpc.Options{In: in, Out: &out})
		s.calls = jsonrpc.NewSharedCalls[int](s.core, 50*time.Second)
		done := make(chan error, 1)
		go func() { done <- s.core.Serve(t.Context(), s) }()
		say := func(line string) {
			io.WriteString(send, line+"\n")
			synctest.Wait()
		}
		say(`{"jsonrpc":"2.0","id":1,"method":"x"}`)
		time.Sleep(10 * time.Second)
		say(`{"jsonrpc":"2.0","id":2,"method":"x"}`)
		time.Sleep(25 * time.Second) // 1 has its private end, 2 begins anew
		say(`{"jsonrpc":"2.0","id":3,"method":"x"}`)
		time.Sleep(30 * time.Second)
		say(`{"jsonrpc":"2.0","id":4,"method":"y"}`)
		say(`{"jsonrpc":"2.0","method":"cancel","params":4}`)
		nap = 70 * time.Second
		say(`{"jsonrpc":"2.0","id":5,"method":"z"}`)
		time.Sleep(time.Minute)
		say(`{"jsonrpc":"2.0","id":6,"method":"z"}`)
		send.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		want := []string{"1: 1", "2: 2", "3: 2", `4: "context canceled"`, `5: "after 50s: begins 4"`, "6: 4"}
		var got []string
		for line := range strings.Lines(out.String()) {
			line = strings.TrimSuffix(strings.TrimPrefix(line, `{"jsonrpc":"2.0","id":`), "}\n")
			got = append(got, strings.Replace(line, `,"result":`, ": ", 1))
		}
		slices.Sort(got) // 2 and 3 are answered at the same instant
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if began != 4 {
			t.Errorf("%d calls were begun, want 4", began)
		}
		time.Sleep(time.Second) // the watchman goes home
	})
}

// TestPacer: a stage is reported once in a while, a new one at once, and a
// silence is broken after ten seconds; nothing is sent after the end.
func TestPacer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var got []string
		p := jsonrpc.NewPacer("Do it", func(text string, percent *int) {
			line := time.Since(began).String() + " " + text
			if percent != nil {
				line += fmt.Sprintf(" [%d%%]", *percent)
			}
			got = append(got, line)
		})
		time.Sleep(10*time.Second + time.Millisecond)
		p.Report(jsonrpc.ProgressEvent{Stage: "a", Text: "first"})
		p.Report(jsonrpc.ProgressEvent{Stage: "a", Text: "too soon"})
		p.Report(jsonrpc.ProgressEvent{Stage: "b", Text: "second", Done: 1, Total: 4})
		time.Sleep(time.Second)
		p.Report(jsonrpc.ProgressEvent{Stage: "b", Text: "second", Done: 9, Total: 4})
		time.Sleep(11 * time.Second)
		p.Stop()
		p.Report(jsonrpc.ProgressEvent{Stage: "c", Text: "too late"})
		time.Sleep(time.Minute)
		want := []string{"10s Do it; 10s so far", "10.001s first", "10.001s second (1 of 4) [25%]", "11.001s second (9 of 4) [100%]", "21.001s second (9 of 4); 21s so far"}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}
